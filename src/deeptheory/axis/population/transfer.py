"""Does a unit keep its axis when the stimuli change? Cosine of its axes in two sets of stimuli with the same features.

Source: Chang & Tsao 2017, figure 6 (one appearance axis for faces from in front and from the side), there with the STA.
The STA
of a linear cell is Sigma w: between sets of another covariance it turns though the cell does not (.64 for identical
cells without noise), which the whitened axis undoes. Both in features of one unit, those of the first set.
Pitfall: noise alone pulls the cosine down; the split-half cosine of an axis with itself (code.axes.reliability, or
reliability_whitened) is what identity would give.
"""

from typing import Any, Literal

import numpy as np

from deeptheory.axis.bench.code import AxisCode
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.powers import near_one


def axis_transfer(
    a: AxisCode, b: AxisCode, *, block: str | None = None, which: Literal["whitened", "ridge", "sta"] = "whitened"
) -> tuple[np.ndarray, np.ndarray]:
    """(cosines [unit], names [unit]) between the axes in a and in b of the units kept in both.

    Source: Chang & Tsao 2017, figure 6. a, b: axis_code of the same units on two sets of stimuli with the same
    features; axes of b are brought to the normalized features of a, and features that are constant in one of them do
    not count. block: features of one block only; None: all.
    which: "whitened", "ridge" or "sta" (as published; it turns with the stimuli's covariance). NaN for an axis of no
    length. Pitfall: noise lowers the cosine: code.axes.reliability_whitened says what identity would give.
    InputError: no unit in common, no such block or axis, features that differ in number.
    """
    if a.axes.sta.shape[1] != b.axes.sta.shape[1]:
        raise InputError(f"features are {a.axes.sta.shape[1]} and {b.axes.sta.shape[1]}; needed: the same in both")
    common, i, j = np.intersect1d(a.units, b.units, return_indices=True)
    if len(common) == 0:
        raise InputError("the codes have no unit in common; axes are compared unit by unit")
    columns: Any = slice(None) if block is None else pick(a.decoding.blocks, block, what="block")
    first, second = (
        pick({k: getattr(c.axes, k) for k in ("whitened", "ridge", "sta")}, which, what="axis") for c in (a, b)
    )
    own, other = (c._entered.scale.cpu().numpy() for c in (a, b))
    with np.errstate(invalid="ignore"):  # inf / inf: constant in both
        same = own / other  # response per feature of b, in the feature's units of a
    same = np.where(np.isfinite(same), same, 0.0)
    first = np.where(same > 0, first, 0.0)  # of a feature that never varied in b, its axes know nothing
    same, second = near_one(same), near_one(second, 1)
    second = second * same if which != "sta" else second / np.where(same > 0, same, np.inf)
    x, y = near_one(first[i][:, columns], 1), near_one(second[j][:, columns], 1)
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    return np.clip((x * y).sum(1) / np.where(lengths > 0, lengths, np.nan), -1, 1), common
