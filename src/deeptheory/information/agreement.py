"""What a trained estimate cannot see by itself: that correlations or neighbor counts see more, or less, than it.

A network that has not learned the dependence gives a narrow interval around too small a value. The rules of "auto" cost
little next to its training, and their interval holds an allowance for their own bias; where the two intervals do not
overlap, one of the two is off. Rows that are copies or a series are not compared: counts take their likeness for
information. On 40 pairs of known information at n = 10,000, 16 of 21 bounds by "infonce", "nwj" and "dv" that were too
low by over .2 bit are named so, and no interval that holds the truth (docs/estimators.md).
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate

_WORK = 5e9  # pairs of rows times columns, a few seconds
_LEAST = 100  # rows


def rows_compared(n: int, columns: int, *, dependent: bool, seed: int = 0) -> np.ndarray | None:
    """Row numbers [m] that "auto" is given of n rows of so many columns (both sides): all, or, where that would take
    longer than a few seconds, some drawn by seed. None: too few for so many columns, or rows that depend, which cannot
    be drawn one by one."""
    m = min(n, int(math.sqrt(_WORK / max(columns, 1))))
    if m < max(_LEAST, columns) or (m < n and dependent):
        return None
    return np.arange(n) if m == n else np.random.default_rng([seed, n, 7]).permutation(n)[:m]


def disagreement(got: Estimate, other: Estimate) -> tuple[str, ...]:
    """A note where the interval of an estimate does not overlap with that of "auto" on the same samples. Bits."""
    if not all(map(math.isfinite, (got.low, got.high, other.low, other.high))):
        return ()
    said = f"method 'auto' gives {other.value:.3g} [{other.low:.3g}, {other.high:.3g}] bits of the same samples"
    if got.high < other.low:
        return (f"{said}, all of it above this interval: too little was learned here",)
    if got.low > other.high:
        return (f"{said}, all of it below this interval: one of the two is off",)
    return ()


def compared_with_auto(
    got: Estimate, sides: Mapping[str, Any], auto: Callable[[np.ndarray], Estimate], columns: int, dependent: bool
) -> tuple[str, ...]:
    """`disagreement` of a trained estimate with `auto(row numbers)`; nothing where that cannot be had."""
    if not math.isfinite(got.value):
        return ()
    rows = rows_compared(len(next(iter(sides.values()))), columns, dependent=dependent)
    if rows is None:
        return ()
    try:
        return disagreement(got, auto(rows))
    except InputError:
        return ()
