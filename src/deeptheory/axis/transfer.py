"""Does a unit keep its axis when the stimuli change? Cosine of its axes in two sets of stimuli with the same features.

Source: Chang & Tsao 2017, figure 6 (one appearance axis for faces from in front and from the side). The STA of both, in
each set's own normalised space. Trap: noise alone pulls the cosine down; the split-half cosine of an axis with itself
(code.axes.reliability) is what identity would give.
"""

from typing import Any

import numpy as np

from deeptheory.axis.code import AxisCode
from deeptheory.errors import InputError
from deeptheory.names import pick


def axis_transfer(a: AxisCode, b: AxisCode, block: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """(cosines [unit], names [unit]) of the units kept in both, in the features of one block, or of all.

    InputError: no unit in common, no such block, features that differ in number.
    """
    if a.axes.sta.shape[1] != b.axes.sta.shape[1]:
        raise InputError(f"features are {a.axes.sta.shape[1]} and {b.axes.sta.shape[1]}; needed: the same in both")
    common, i, j = np.intersect1d(a.units, b.units, return_indices=True)
    if len(common) == 0:
        raise InputError("the codes have no unit in common; axes are compared unit by unit")
    columns: Any = slice(None) if block is None else pick(a.decoding.blocks, block, what="block")
    x, y = a.axes.sta[i][:, columns], b.axes.sta[j][:, columns]
    return (x * y).sum(1) / (np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)), common
