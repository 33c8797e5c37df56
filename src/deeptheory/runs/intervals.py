"""What was measured in independent units (networks, mostly), and its 95 % interval by the statistics of the package.

Pitfall: the unit of resampling is the network or the draw of data. Units, images and layers are averaged within it first.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory import statistics
from deeptheory.errors import InputError
from deeptheory.names import pick
from deeptheory.statistics import Interval

SHARE = "share"
STATISTICS: dict[str, Callable[[np.ndarray], Interval]] = {
    "mean": statistics.mean_interval,
    "geometric mean": statistics.geometric_mean_interval,
    "median": statistics.median_interval,
    SHARE: lambda v: statistics.proportion_interval(int(v.sum()), len(v)),
    "ratio": lambda v: statistics.ratio_interval(v[:, 0], v[:, 1]),
}


@dataclass(frozen=True, eq=False)
class Sample:
    """What was measured in each of n independent units, and what is made of it.

    values: [n]; [n, 2] for "ratio". statistic: "mean" (Student), "geometric mean" (Student on the log scale), "median"
    (order statistics), "share" (of true values, [n] of bool; Clopper-Pearson), or "ratio" (mean of the first column over
    mean of the second; Fieller). notes: what must be listed with the number in the ledger. NaN: this unit has no value;
    the rest is measured and the claim cannot be decided.
    InputError: no unit, another shape, an unknown statistic, a share of what is not true or false.
    """

    values: Any
    statistic: str = "mean"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        pick(STATISTICS, self.statistic, what="statistic")
        needed = "[n, 2]" if self.statistic == "ratio" else "[n]"
        if not values.size or values.shape[1:] != ((2,) if self.statistic == "ratio" else ()):
            raise InputError(
                f"values have shape {list(values.shape)}; {self.statistic!r} needs {needed} with n of 1 or more"
            )
        if (self.statistic == SHARE) and values.dtype != bool:
            raise InputError(f"values have dtype {values.dtype}; a share is of [n] of bool")


def interval(sample: Sample) -> Interval:
    """The statistic of the sample and its 95 % interval; both are NaN where the statistic has none at this n."""
    values = np.asarray(sample.values)
    return STATISTICS[sample.statistic](values if sample.statistic == SHARE else values.astype(np.float64))
