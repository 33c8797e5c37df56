"""What of responses is rounding: a unit that never varies may differ in its last bit from row to row, since a matrix
product sums rows in different orders; divided by its deviation that bit would count as any other unit.
"""

from typing import Any

import numpy as np

from deeptheory.core.arrays import is_torch

_DOUBLE = 1e-12  # of the largest value: below, sums of doubles are rounding


def rounding_of(given: Any) -> float:
    """Relative rounding of numbers as they came in."""
    if is_torch(given):
        import torch

        return float(torch.finfo(given.dtype if given.dtype.is_floating_point else torch.float64).eps)
    kind = np.asarray(given).dtype
    return float(np.finfo(kind).eps) if kind.kind == "f" else float(np.finfo(float).eps)


def still(x: np.ndarray, given: Any, axis: int | tuple[int, ...] = 0) -> np.ndarray:
    """Which columns of x (float64, from `given`) never vary along the axis, or by no more than a rounding."""
    most, least = x.max(axis), x.min(axis)
    size = np.maximum(np.abs(most), np.abs(least))
    return most / 2 - least / 2 <= size * max(rounding_of(given), _DOUBLE) / 2  # halves: a range may leave float64
