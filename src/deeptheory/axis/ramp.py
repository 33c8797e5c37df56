"""Tuning along the preferred axis: does the response ramp up along it, and more than a shuffled axis would show?

Source: Chang & Tsao 2017, figure 1: projections onto the STA in 20 equal bins over 1.01 times the largest, mean and SEM;
significance by shuffling stimuli, one-sided. Trap: any axis computed from noise makes the same noise ramp up along it,
so the curve alone proves nothing; the shuffle null does, since each shuffle has an axis of its own.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.axis.entering import Entered
from deeptheory.axis.shuffles import Shuffled, fdr, p_value
from deeptheory.results import Result

BINS = 20
_FEWEST = 20  # stimuli in a bin that speaks on monotony


@dataclass(frozen=True, kw_only=True, eq=False)
class Ramp(Result):
    """centres, mean, sem, count: [unit, bin], projection in standard deviations, response as it came in.

    r, p, q: [unit], correlation of response and projection, its shuffle p (one-sided), the same after Benjamini-Hochberg.
    drop: [unit], the largest fall from a lower to a higher bin (of 20 stimuli or more), in standard errors; monotone:
    [unit], that fall is within chance, 5 % over all pairs of bins.
    """

    centres: np.ndarray
    mean: np.ndarray
    sem: np.ndarray
    count: np.ndarray
    r: np.ndarray
    p: np.ndarray
    q: np.ndarray
    drop: np.ndarray
    monotone: np.ndarray
    units: np.ndarray

    @property
    def tuned(self) -> np.ndarray:
        """[unit]: q below .05."""
        return self.q < 0.05

    def __repr__(self) -> str:
        return f"Ramp({self.tuned.sum()} of {len(self.r)} units tuned, {(self.tuned & self.monotone).sum()} of them monotone)"

    def dataset(self):
        """xarray.Dataset over [unit, bin]."""
        import xarray as xr

        curves = {name: (("unit", "bin"), getattr(self, name)) for name in ("centres", "mean", "sem", "count")}
        single = {name: (("unit",), getattr(self, name)) for name in ("r", "p", "q", "drop", "monotone")}
        return xr.Dataset(curves | single, coords={"unit": self.units})

    def table(self):
        """One row a unit: r, p, q, drop, monotone."""
        import pandas as pd

        return pd.DataFrame({"unit": self.units, **{k: getattr(self, k) for k in ("r", "p", "q", "drop", "monotone")}})

    def figure(self, units: int = 6) -> Any:
        """The curves of the most tuned units, mean and SEM in each bin."""
        from deeptheory.axis.drawing import draw_ramps

        return draw_ramps(self, units)


def ramp_tuning(e: Entered, null: Shuffled) -> Ramp:
    """The curve of every unit along its STA, with significance; see Ramp."""
    sta = e.s.mT @ (e.y - e.y.mean(0)) / len(e.s)
    x = e.s @ sta
    x = x / x.std(0, correction=0)
    edge = 1.01 * x.abs().amax(0)
    cell = (((x / edge + 1) / 2) * BINS).floor().clamp(0, BINS - 1).to(torch.int64)
    shape = (BINS, x.shape[1])
    count = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, torch.ones_like(x))
    total = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, e.y)
    mean = total / count
    away = e.y - mean.gather(0, cell)
    square = torch.zeros(shape, dtype=x.dtype, device=x.device).scatter_add_(0, cell, away.square())
    sem = torch.where(count > 1, (square / (count - 1) / count).sqrt(), torch.nan)
    middle = (torch.arange(BINS, device=x.device) + 0.5)[:, None] * 2 / BINS - 1
    mean, sem, count = (v.mT.cpu().numpy() for v in (mean, sem, count))
    drop, monotone = _drops(mean, sem, count)
    p = p_value(null.correlation, null.correlation_null)
    return Ramp(
        centres=(middle * edge).mT.cpu().numpy(),
        mean=mean,
        sem=sem,
        count=count.astype(np.int64),
        r=null.correlation,
        p=p,
        q=fdr(p),
        drop=drop,
        monotone=monotone,
        units=e.units,
    )


def _drops(mean: np.ndarray, sem: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    from scipy.stats import norm

    full = count >= _FEWEST
    safe = np.maximum(np.nan_to_num(sem), 1e-12)
    fall = (mean[:, :, None] - mean[:, None, :]) / np.sqrt(safe[:, :, None] ** 2 + safe[:, None, :] ** 2)
    pairs = full[:, :, None] & full[:, None, :] & np.triu(np.ones((BINS, BINS), dtype=bool), 1)
    drop = np.where(pairs, fall, -np.inf).max((1, 2))
    limit = norm.isf(0.05 / np.maximum(pairs.sum((1, 2)), 1))
    return np.where(np.isfinite(drop), drop, np.nan), pairs.any((1, 2)) & (drop < limit)
