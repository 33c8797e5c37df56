"""What the statistics take: values, pairs, p-values, groups and a level, each refused where it is something else.

Pitfall: a level of 95 for 0.95 gives NaN in Student's quantile, and numpy hands out what lies under a mask; neither may
pass for "no interval" or for a value.
"""

from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, codes_of


def check_level(level: float) -> None:
    """InputError: a level that is not between 0 and 1, such as 95 for 0.95."""
    check_real(level=(level, 0))
    if level >= 1:
        raise InputError(f"level is {level}; needed: a fraction between 0 and 1, such as 0.95")


def present(values: Any) -> tuple[np.ndarray, int]:
    """The values [n] that are numbers, float64, and how many are NaN, masked or missing. InputError: another shape."""
    x = as_floats(values)
    if x.ndim != 1:
        raise InputError(f"values have shape {list(x.shape)}; needed: [n], one per independent unit")
    return x[~np.isnan(x)], int(np.isnan(x).sum())


def columns_of(**given: Any) -> list[np.ndarray]:
    """Columns as float64 [n], rows paired by position; [n, 1] is a column.

    InputError: none, another shape, another length, the same row labels (pandas) in another order.
    """
    if not given:
        raise InputError("there are no columns; give one or more, each [n]")
    check_paired(**given)
    found = {}
    for name, column in given.items():
        array = as_floats(column)
        if array.ndim != 1 and array.shape[1:] != (1,):
            raise InputError(f"{name} has shape {list(array.shape)}; needed: [n], one per independent unit")
        found[name] = array.ravel()
    (first, one), *others = found.items()
    for name, column in others:
        if len(one) != len(column):
            raise InputError(
                f"{first} has {len(one)} values, {name} has {len(column)}; they are pairs, so both need the same n"
            )
    return list(found.values())


def p_values(p: Any) -> np.ndarray:
    """p-values [n, ...] as float64. InputError: one number alone, or one outside [0, 1]; NaN may stand."""
    p = as_floats(p)
    if p.ndim == 0 or ((p < 0) | (p > 1)).any():
        seen = "a single number" if p.ndim == 0 else f"from {np.nanmin(p):.3g} to {np.nanmax(p):.3g}"
        raise InputError(f"p is {seen}; needed: one or more p-values, each in [0, 1] or NaN")
    return p


def codes_by_row(name: str, labels: Any, n: int) -> np.ndarray:
    """Labels [n] as integers, see codes_of; None: all rows alike. InputError: another length."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    if np.ndim(labels) == 0:
        raise InputError(f"{name} is {labels!r:.60}; needed: [{n}], one per row")
    if len(labels) != n:
        raise InputError(f"{name} has {len(labels)} values for {n} rows; needed: one per row")
    return codes_of(labels)
