"""95 % intervals over independent seeds.

A statistic of numbers: the bootstrap, bias-corrected and accelerated (Efron 1987; scipy.stats.bootstrap), and its plain
percentile form where the former is undefined. A share of seeds: Clopper & Pearson 1934.
Trap: the bootstrap of "all 12 of 12" is the point [1, 1], however few were asked; Clopper-Pearson says [0.735, 1], and
never covers less than 95 %. By it, 17 seeds that all agree are the fewest whose interval lies in ">= 0.8".
Trap: with few seeds the bootstrap is too narrow, and no correction mends that; hence the least numbers in the ledger.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.names import pick
from deeptheory.runs.seeds import generator

LEVEL = 0.95
RESAMPLES = 10_000
STATISTICS: dict[str, Callable[..., Any]] = {"mean": np.mean, "median": np.median}
SHARE = "share"


@dataclass(frozen=True, eq=False)
class Sample:
    """What was measured in each of n independent seeds, and what is made of it.

    values: [n], or [n, k] for k numbers of one seed that stay together when seeds are redrawn. statistic: "mean",
    "median", "share" (of true values, [n] of bool), or f(column, ..., axis=-1) of the k columns, each [..., n].
    notes: what must stand beside the number in the ledger. NaN: this seed has no value; the rest is measured and the claim cannot be decided.
    InputError: no seed, more than two axes, an unknown statistic, a share of what is not true or false.
    """

    values: Any
    statistic: str | Callable[..., Any] = "mean"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim not in (1, 2) or not values.size:
            raise InputError(f"values have shape {list(values.shape)}; they need [n] or [n, k] with n of 1 or more")
        if not callable(self.statistic):
            pick({**STATISTICS, SHARE: None}, self.statistic, what="statistic")
            if values.ndim == 2:
                raise InputError(f"values have shape {list(values.shape)}; {self.statistic!r} is for [n]")
        if (self.statistic == SHARE) and values.dtype != bool:
            raise InputError(f"values have dtype {values.dtype}; a share is of [n] of bool")


@dataclass(frozen=True)
class Interval:
    """value with its 95 % interval; seeds: how many stand behind it; missing: seeds without a value."""

    value: float
    low: float
    high: float
    seeds: int
    missing: int = 0
    method: str = ""


def interval(sample: Sample, seed: int = 0) -> Interval:
    """The statistic of the sample and its 95 % interval, low <= value <= high where both are finite."""
    values = np.asarray(sample.values)
    if sample.statistic == SHARE:
        return _share(int(values.sum()), len(values))
    values = values.astype(np.float64)
    missing = np.isnan(values.reshape(len(values), -1)).any(axis=1)
    kept = values[~missing]
    counts = {"seeds": len(kept), "missing": int(missing.sum())}
    if not len(kept):
        return Interval(math.nan, math.nan, math.nan, method="no value in any seed", **counts)
    columns = tuple(kept.T) if kept.ndim == 2 else (kept,)
    function = sample.statistic if callable(sample.statistic) else STATISTICS[sample.statistic]
    value = float(function(*columns, axis=-1))
    if (kept == kept[:1]).all():
        return Interval(value, value, value, method="every seed gave the same", **counts)
    low, high, method = _bootstrap(function, columns, seed)
    return Interval(value, min(low, value), max(high, value), method=method, **counts)


def _share(true: int, n: int) -> Interval:
    from scipy.stats import binomtest

    found = binomtest(true, n).proportion_ci(LEVEL, method="exact")
    return Interval(true / n, float(found.low), float(found.high), n, method="Clopper-Pearson")


def _bootstrap(function: Callable[..., Any], columns: tuple, seed: int) -> tuple[float, float, str]:
    rng = generator(seed, "bootstrap")
    if all(np.isfinite(c).all() for c in columns):
        from scipy.stats import bootstrap

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a degenerate BCa warns and gives NaN, which is looked at here
            found = bootstrap(
                columns,
                function,
                paired=True,
                vectorized=True,
                n_resamples=RESAMPLES,
                confidence_level=LEVEL,
                method="BCa",
                rng=rng,
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            return float(found.low), float(found.high), f"BCa bootstrap, {RESAMPLES} draws"
        rng = generator(seed, "bootstrap")
    drawn = rng.integers(0, len(columns[0]), (RESAMPLES, len(columns[0])))
    with np.errstate(invalid="ignore"):  # infinite values: inf - inf is NaN, sorted to the end by np.sort
        draws = np.sort(np.asarray(function(*(c[drawn] for c in columns), axis=-1), dtype=np.float64))
    if np.isnan(draws).any():
        return math.nan, math.nan, "bootstrap undefined"
    tail = round((1 - LEVEL) / 2 * RESAMPLES)  # order statistics, not interpolation, which infinity would spoil
    return float(draws[tail]), float(draws[-1 - tail]), f"percentile bootstrap, {RESAMPLES} draws"
