"""Stimuli moved along a unit's axis, and as far along its null plane: how much does the response change?

Source: Chang & Tsao 2017, figure 5 (faces of equal projection are the same to a cell, however they differ). From each
of some stimuli two steps of one length in the normalized feature space: w along the unit's axis, and o with o.w = 0,
drawn like the features otherwise. An axis cell answers the second as it answers the start. Pitfall: the axis is
estimated, and what was estimated wrong lies in the null plane; the ratio is bounded from below by the noise of the
axis.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.bench.code import AxisCode
from deeptheory.axis.bench.synthesis import outward, responses_to
from deeptheory.axis.bench.validation import without_axis
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one, power_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real, check_whole, whole_numbers

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class NullPlane(Result):
    """start, null, along: [m, d], stimuli, moved within the null plane and along the axis, in the caller's features.

    unit: its name; rows: [m], which stimuli were moved; length: of every step, in the normalized features.
    """

    unit: int
    rows: np.ndarray
    start: np.ndarray
    null: np.ndarray
    along: np.ndarray
    length: float

    def __repr__(self) -> str:
        return (
            f"NullPlane(unit {self.unit}, {len(self.rows)} stimuli moved by {self.length:.3g} along its null "
            "plane and its axis)"
        )

    def table(self) -> "pandas.DataFrame":
        """All rows of kind "null", then of "along": kind, stimulus, moved (Euclidean, in the caller's features)."""
        import pandas as pd

        kinds = {"null": self.null - self.start, "along": self.along - self.start}
        parts = [
            pd.DataFrame({"kind": k, "stimulus": self.rows, "moved": np.linalg.norm(v, axis=1)})
            for k, v in kinds.items()
        ]
        return pd.concat(parts, ignore_index=True)

    def change(self, respond: Callable[[np.ndarray], Any]) -> tuple[float, float]:
        """(within the null plane, along the axis): root mean square change of the response over the stimuli.

        respond: features [k, d] -> responses [k] of this unit, without noise. InputError: responses of another shape,
        NaN.
        """
        every = responses_to(np.concatenate([self.start, self.null, self.along]), respond)
        start, null, along = every.reshape(3, -1)
        return _root_mean_square(null - start), _root_mean_square(along - start)


def _root_mean_square(x: np.ndarray) -> float:
    power = power_of(x)
    return float(np.ldexp(np.sqrt((np.ldexp(x, -power) ** 2).mean()), power))


def null_plane(code: AxisCode, unit: int, rows: Any, *, reach: float = 2.0, seed: int = 0) -> NullPlane:
    """Stimuli of a bench moved along a unit's axis, and as far within its null plane (Chang & Tsao 2017, figure 5).

    unit: a name in code.units; rows: [m], which of the code's stimuli (repeats once, in order) to move; reach: length
    of a step in standard deviations of the stimuli along the axis, above 0. w is the ridge axis; o, with o.w = 0, is
    drawn by seed with the features' deviations, and both steps have one length in the normalized features. ->
    NullPlane.
    InputError: such a unit or stimulus is not there; unit that is no integer; features that vary along one direction,
    which leaves no null plane; a unit that correlates with no feature, which has no axis.
    """
    check_whole(unit=(unit, None), seed=(seed, 0))
    check_real(reach=(reach, 0))
    e, rows = code._entered, whole_numbers("rows", rows)
    place = np.flatnonzero(code.units == unit)
    if len(place) == 0:
        raise InputError(f"unit {unit} is not among the {len(code.units)} kept (see .units)")
    if len(rows) == 0 or rows.min() < 0 or rows.max() >= len(e.s):
        raise InputError(f"rows are {rows[:5].tolist()}; needed: stimuli from 0 to {len(e.s) - 1}")
    if e.s.shape[1] < 2:
        raise InputError("the code has 1 feature, whose axis leaves no null plane; needed: 2 or more")
    if len(e.variances) < 2:
        raise InputError(
            f"{e.s.shape[1]} features vary along 1 direction, which leaves no null plane; needed: 2 or more"
        )
    import torch

    if bool(without_axis(e, torch.as_tensor(code.axes.sta.T).to(e.s))[place[0]]):
        raise InputError(f"unit {unit} correlates with no feature: it has no axis, and so no null plane")
    s = e.s.cpu().numpy()
    w = code.axes.ridge[place[0]]
    w = near_one(w)
    w = w / np.linalg.norm(w)
    length = float(reach * (s @ w).std())
    o = np.random.default_rng([seed, 16, int(unit)]).standard_normal((len(rows), s.shape[1])) * s.std(0)
    if len(e.variances) < (s.std(0) > 0).sum():  # collinear features: of what is beyond their span nothing is known
        o = (o @ (basis := e.basis.cpu().numpy())) @ basis.T
    o -= (o @ w)[:, None] * w
    o *= length / np.linalg.norm(o, axis=1, keepdims=True)
    places = (s[rows], s[rows] + o, s[rows] + length * w)
    start, null, along = (outward(e, torch.as_tensor(v).to(e.s)) for v in places)
    return NullPlane(unit=int(unit), rows=rows, start=start, null=null, along=along, length=length)
