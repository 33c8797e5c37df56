"""Tuning along the preferred axis: is there any, and does the response ramp up along it without turning back?

Source: Chang & Tsao 2017, figure 1: projections onto the STA in 20 equal bins over 1.01 times the largest, mean and
SEM; significance by shuffling stimuli, one-sided. Pitfall: any axis computed from noise makes the same noise ramp up
along it, so the curve proves nothing; the shuffle null does, since each shuffle has an axis of its own. And a fall that
was not seen is no
ramp: `monotone` needs the reversal to be shown small (reversal.py).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from deeptheory.axis.bench.reversal import reversals
from deeptheory.axis.bench.shuffles import Shuffled, with_ties
from deeptheory.axis.bench.validation import Entered, without_axis
from deeptheory.core.powers import near_one
from deeptheory.core.results import Result
from deeptheory.core.statistics import false_discovery, permutation_p

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

BINS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class Ramp(Result):
    """Tuning along the sta (Chang & Tsao 2017, figure 1).

    centers, mean, sem, count: [unit, 20], in equal bins of the projection (in standard deviations, to 1.01 times the
    largest): their middle, mean response as it came in (NaN in an empty bin), its standard error (NaN below 2 stimuli),
    number of stimuli; NaN and 0 where the sta is 0, so that there is no axis. r, p, q: [unit], correlation of response
    and projection (in sample), its one-sided p against shuffles that have an axis of their own (NaN without
    permutations or too few independent stimuli), p after Benjamini-Hochberg. reversal: [unit], the largest fall of the
    held-out tuning curve within 2 standard deviations of the axis, over the curve's range; reversal_limit: its upper 95
    % limit, infinite where the range itself is not known. shape: [unit], "monotone" (the limit is below .15),
    "reverses" (the fall is above .15 of the range, by 3 standard errors), else "undetermined". units: names.
    """

    centers: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    count: np.ndarray
    r: np.ndarray
    p: np.ndarray
    q: np.ndarray
    reversal: np.ndarray
    reversal_limit: np.ndarray
    shape: np.ndarray
    units: np.ndarray

    @property
    def tuned(self) -> np.ndarray:
        """[unit] bool: q below .05; False where q is NaN."""
        return self.q < 0.05

    @property
    def monotone(self) -> np.ndarray:
        """[unit] bool: shape is "monotone", shown to rise without turning back."""
        return self.shape == "monotone"

    def __repr__(self) -> str:
        return (
            f"Ramp({self.tuned.sum()} of {len(self.r)} units tuned, {(self.tuned & self.monotone).sum()} of "
            "them monotone)"
        )

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: the curves over [unit, bin], the table's columns over [unit]."""
        import xarray as xr

        curves = {name: (("unit", "bin"), getattr(self, name)) for name in ("centers", "mean", "sem", "count")}
        single = {name: (("unit",), getattr(self, name)) for name in _SINGLE}
        return xr.Dataset(curves | single, coords={"unit": self.units})

    def table(self) -> "pandas.DataFrame":
        """One row per unit: r, p, q, reversal, reversal_limit, shape, monotone."""
        import pandas as pd

        return pd.DataFrame({"unit": self.units, **{k: getattr(self, k) for k in _SINGLE}})

    def figure(self, units: int = 6) -> "plotly.graph_objects.Figure":
        """The curves of the `units` units of the largest r: mean and SEM of each bin that has two stimuli or more."""
        from deeptheory.axis.drawing import draw_ramps

        return draw_ramps(self, units)


_SINGLE = ("r", "p", "q", "reversal", "reversal_limit", "shape", "monotone")


def ramp_tuning(e: Entered, null: Shuffled, seed: int) -> Ramp:
    """The curve of every unit along its STA, with significance; see Ramp."""
    sta = e.s.mT @ (e.y - e.y.mean(0)) / len(e.s)
    none = without_axis(e, sta)
    x = e.s @ near_one(sta, 0)
    x = torch.where(none, 0.0, x / x.std(0, correction=0))
    edge = torch.where(none, torch.nan, 1.01 * x.abs().amax(0))
    cell = (((x / edge + 1) / 2) * BINS).floor().nan_to_num(0.0).clamp(0, BINS - 1).to(torch.int64)
    shape = (BINS, x.shape[1])
    there = (~none).to(x.dtype).expand_as(x)
    count = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, there)
    total = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, e.y * there)
    mean = total / count
    away = e.y - mean.gather(0, cell)
    square = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, away.square())
    sem = torch.where(count > 1, (square / (count - 1) / count).sqrt(), torch.nan)
    middle = (torch.arange(BINS).to(x) + 0.5)[:, None] * 2 / BINS - 1
    mean, sem, count = (v.mT.cpu().numpy() for v in (mean, sem, count))
    p = permutation_p(null.correlation, with_ties(null.correlation, null.correlation_null))
    reversal, limit, said = reversals(e, seed)
    return Ramp(
        centers=(middle * edge).mT.cpu().numpy(),
        mean=mean,
        sem=sem,
        count=count.astype(np.int64),
        r=null.correlation,
        p=p,
        q=false_discovery(p),
        reversal=reversal,
        reversal_limit=limit,
        shape=said,
        units=e.units,
    )
