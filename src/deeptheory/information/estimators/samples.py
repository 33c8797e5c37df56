"""The door of every estimator from samples: paired arrays checked, intervals from batches, doubts as notes."""

from collections.abc import Callable
from typing import Any

import numpy as np

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.shapes import check_finite

BATCHES = 10


def as_samples(least: int = 2, **arrays: Any) -> list[np.ndarray]:
    """Each array as [n, d] ([n] becomes [n, 1]), all of the same n, finite, in their own dtype; labels in words as integers.

    InputError: other axes, different n, fewer than `least` samples, NaN or infinity, no numbers.
    """
    out, first = [], None
    for name, value in arrays.items():
        a = as_numpy(value)
        if a.dtype.kind in "US" and a.ndim == 1:
            a = np.unique(a, return_inverse=True)[1]
        if a.dtype.kind not in "biuf":
            raise InputError(f"{name} holds {a.dtype}; needed: numbers, or one word a sample as its label")
        a = a[:, None] if a.ndim == 1 else a
        if a.ndim != 2 or a.shape[1] == 0:
            raise InputError(f"{name} has shape {list(a.shape)}; needed: [n] or [n, d], one row a sample")
        if first is None:
            first = (name, len(a))
        if len(a) != first[1]:
            raise InputError(
                f"{name} has {len(a)} rows, {first[0]} has {first[1]}; they are paired samples, so both need the same n"
            )
        if len(a) < least:
            raise InputError(f"{name} has {len(a)} samples; this needs at least {least}")
        check_finite(**{name: a})
        out.append(a)
    return out


def scaled(a: np.ndarray, name: str) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1, float64. InputError: a constant column."""
    a = a.astype(np.float64)
    spread = a.std(0)
    if (spread == 0).any():
        raise InputError(f"{name} is constant in column {int(np.argmin(spread))}; leave it out, it tells nothing")
    return (a - a.mean(0)) / spread


def rescaled(a: np.ndarray) -> np.ndarray:
    """As `scaled`, a constant column left as it is: ties are nothing unusual here."""
    a = a.astype(np.float64)
    spread = a.std(0)
    return (a - a.mean(0)) / np.where(spread > 0, spread, 1.0)


def columns_of(a: np.ndarray) -> np.ndarray:
    """[n, d] -> [d, n] float64, in one piece, as the scans over neighbours take it."""
    return np.ascontiguousarray(a.T, dtype=np.float64)


def batch_interval(value: float, estimate: Callable[[np.ndarray], float], n: int, seed: int) -> tuple[float, float]:
    """95 % interval from disjoint batches: an estimate of variance B / n has variance B / (n / 10) in a tenth of the data
    (Holmes & Nemenman 2019); its bias is the same in each batch and drops out. NaN where a batch would hold under 20."""
    if n < 20 * BATCHES:
        return float("nan"), float("nan")
    order = np.random.default_rng([seed, n]).permutation(n)
    values = [estimate(rows) for rows in np.array_split(order, BATCHES)]
    half = 2.262 * np.std(values, ddof=1) / np.sqrt(BATCHES)  # Student, 9 degrees of freedom
    return float(value - half), float(value + half)


def has_ties(a: np.ndarray) -> bool:
    """Whether a row stands twice."""
    return len(np.unique(a, axis=0)) < len(a)
