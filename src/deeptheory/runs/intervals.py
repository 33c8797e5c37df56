"""What was measured in independent units (networks, mostly), and its 95 % interval by the statistics of the package.

Pitfall: the unit of resampling is the network or the draw of data. Units,
images and layers are averaged within it first.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import as_floats, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.region import Region
from deeptheory.core.statistics import LEVEL, Interval
from deeptheory.core.verdicts import INCONCLUSIVE, REPRODUCED

SHARE: Final = "share"
LEAST_ALPHA = 1e-13
LEAST_FOR_MEANS = 4  # Student's interval holds its level on what networks give from n = 4 on (docs/coverage.md)
Statistic = Literal["mean", "geometric mean", "median", "share", "ratio"]
STATISTICS: dict[str, Callable[[np.ndarray, float], Interval]] = {
    "mean": statistics.mean_interval,
    "geometric mean": statistics.geometric_mean_interval,
    "median": statistics.median_interval,
    SHARE: lambda v, level: _share_interval(v, level),  # below
    "ratio": lambda v, level: statistics.ratio_interval(v[:, 0], v[:, 1], level),
}


@dataclass(frozen=True, eq=False)
class Sample:
    """What was measured in each of n independent units, and what is made of it.

    values: [n]; [n, 2] for "ratio". statistic: "mean" (Student), "geometric mean" (Student on the log scale), "median"
    (order statistics), "share" (the fraction of true values, [n] of bool, or of 1, 0 and NaN, see share_of;
    Clopper-Pearson), or "ratio" (mean of the first column over mean of the second; Fieller); see deeptheory.statistics.
    notes: what must be listed with the number in the ledger. undecided: why these values decide nothing, whatever their
    interval; empty where they may. NaN: this unit has no value; the rest is measured and the claim cannot be decided.
    InputError: no unit, another shape, an unknown statistic, a share of what is not true or false.
    """

    values: Any
    statistic: Statistic = "mean"
    notes: tuple[str, ...] = ()
    undecided: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        values = as_numpy(self.values)
        of_a_share = values.dtype.kind in ("biu" if self.statistic == SHARE else "b")  # refused below, if integers
        values = values if of_a_share else as_floats(self.values)
        object.__setattr__(self, "values", values)
        pick(STATISTICS, self.statistic, what="statistic")
        needed = "[n, 2]" if self.statistic == "ratio" else "[n]"
        if not values.size or values.shape[1:] != ((2,) if self.statistic == "ratio" else ()):
            raise InputError(
                f"values have shape {list(values.shape)}; {self.statistic!r} needs {needed} with n of 1 or more"
            )
        if self.statistic == SHARE and not _is_share(values):
            raise InputError(
                f"values have dtype {values.dtype}, such as {values.ravel()[0]}; a share is of [n] of bool, or of 1, "
                "0 and NaN"
            )


def share_of(holds: Any, *measured: Any, notes: tuple[str, ...] = ()) -> Sample:
    """A Sample, the fraction of units in which `holds` [n] of bool is true.

    measured: [n] or [n, ...] each, the numbers that were compared. Units in which one of them is NaN have no value: a
    comparison with NaN is false, and such a network would count as one in which the claim fails; masked values are as
    NaN. notes: as in Sample.
    InputError: holds is not of bool, or empty, or measured holds no numbers or another n.
    """
    masked = np.ma.getmaskarray(holds) if np.ma.is_masked(holds) else None
    holds = np.asarray(holds) if masked is not None else as_numpy(holds)
    if holds.dtype != bool or holds.ndim != 1:
        raise InputError(f"holds has dtype {holds.dtype} and shape {list(holds.shape)}; needed: [n] of bool")
    values = holds.astype(np.float64)
    if masked is not None:
        values[masked] = np.nan
    for array in map(as_numpy, measured):
        if array.shape[:1] != holds.shape:
            raise InputError(
                f"measured has shape {list(array.shape)}, holds has {len(holds)}; both are over the same units"
            )
        try:
            missing = np.isnan(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64))
        except (TypeError, ValueError) as error:
            raise InputError(f"measured has dtype {array.dtype}; needed: the numbers that were compared") from error
        values[missing.reshape(len(holds), -1).any(1)] = np.nan
    return Sample(values, SHARE, notes)


def sample_of(values: Any) -> Sample:
    """The Sample of an array [n] over units: the fraction that is true of bool, the mean of numbers; masked values are
    as NaN. InputError: as Sample."""
    under = np.ma.getdata(values) if np.ma.is_masked(values) else as_numpy(values)
    if under.dtype != bool:
        return Sample(values)
    return share_of(values) if np.ma.is_masked(values) else Sample(values, SHARE)


def _is_share(values: np.ndarray) -> bool:
    """Truth values, or 1, 0 and NaN."""
    if values.dtype.kind == "f":
        return bool(np.isin(values[~np.isnan(values)], (0, 1)).all())
    return values.dtype == bool


def _share_interval(values: np.ndarray, level: float) -> Interval:
    there = values[~np.isnan(values.astype(np.float64))]
    missing = len(values) - len(there)
    if not len(there):
        return Interval(math.nan, math.nan, math.nan, n=0, method="no value", missing=missing)
    return replace(statistics.proportion_interval(int(there.sum()), len(there), level), missing=missing)


def interval(sample: Sample, level: float = LEVEL) -> Interval:
    """The statistic of the sample and its interval; both ends are NaN where the statistic has none at this n."""
    values = np.asarray(sample.values)
    return STATISTICS[sample.statistic](values if sample.statistic == SHARE else values.astype(np.float64), level)


def deciding_p(sample: Sample, region: Region) -> float:
    """The smallest alpha at which the interval at level 1 - alpha lies wholly in the region or wholly outside.

    Not below LEAST_ALPHA, where float64 ends: 0 says that every unit gave the same number. NaN where no level decides.
    """

    def decided(alpha: float) -> bool:
        found = interval(sample, 1 - alpha)
        return region.verdict(found.low, found.high) != INCONCLUSIVE

    low, high = math.log(LEAST_ALPHA), 0.0
    if not decided(1 - 1e-9):
        return math.nan
    whole = interval(sample, 1 - LEAST_ALPHA)
    if whole.low == whole.high:
        return 0.0
    if decided(LEAST_ALPHA):
        return LEAST_ALPHA
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (low, middle) if decided(math.exp(middle)) else (middle, high)
    return math.exp(high)


def least_p(sample: Sample, region: Region) -> float:
    """The smallest p that n units could have given: all true or all false for a share, all on one side for a median."""
    n = interval(sample).n
    if n == 0:
        return math.nan
    if sample.statistic == SHARE:
        p = [deciding_p(Sample(np.full(n, end), SHARE), region) for end in (True, False)]
        return float(np.nanmin(p)) if not np.isnan(p).all() else math.nan
    return 2.0 * 0.5**n if sample.statistic == "median" else 0.0


def needs(statistic: str, region: Region) -> int:
    """The fewest units with which a claim of that statistic can hold in that region."""
    if statistic != SHARE:
        return statistics.LEAST_FOR_MEDIAN if statistic == "median" else LEAST_FOR_MEANS
    for n in range(1, 1000):
        for k in (0, n):
            found = statistics.proportion_interval(k, n)
            if region.verdict(found.low, found.high) == REPRODUCED:
                return n
    return 1000
