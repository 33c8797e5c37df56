"""Gaussian: information and entropy from covariances; exact for jointly Gaussian samples, a baseline for all others."""

from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.samples import as_samples
from deeptheory.results import Estimate

_Z = 1.959963984540054
_NOTE = "true where x and y are jointly Gaussian; for other distributions neither bound"


def gaussian(x: Any, y: Any) -> Estimate:
    """I(X;Y) = -1/2 sum log2(1 - rho_i^2) over the canonical correlations of x [n, dx] and y [n, dy]; bits.

    The interval is of order 1 / sqrt(n) (delta method over the correlations). InputError: fewer samples than columns,
    columns that depend linearly on each other.
    """
    a, b = as_samples(x=x, y=y)
    return canonical(a, b)


def canonical(a: np.ndarray, b: np.ndarray, given: int = 0) -> Estimate:
    """The same of [n, dx] and [n, dy] from which `given` columns of a condition were taken away."""
    n, columns = len(a) - given, a.shape[1] + b.shape[1]
    if n < columns + 3:
        said = f"{columns} columns" if not given else f"{columns} columns and {given} of the condition"
        raise InputError(f"{len(a)} samples for {said}; canonical correlations need more samples than columns")
    q = [_basis(v, name) for v, name in ((a, "x"), (b, "y"))]
    rho = np.minimum(np.linalg.svd(q[0].T @ q[1], compute_uv=False), 1.0)
    with np.errstate(divide="ignore"):
        value = float(-0.5 * np.log2(1 - rho**2).sum())
    half = _Z * float(np.sqrt((rho**2).sum() / n)) / np.log(2)
    bias = a.shape[1] * b.shape[1] / (2 * n * np.log(2))
    method = "Gaussian (canonical correlations)" if not given else "Gaussian (partial canonical correlations)"
    notes = (_NOTE, f"first-order bias upwards {bias:.3g} bits")
    return Estimate(value=value, low=value - half, high=value + half, method=method, notes=notes)


def gaussian_entropy(x: Any) -> Estimate:
    """Differential entropy 1/2 log2 |2 pi e cov| of x [n, d]; bits. InputError: as for `gaussian`."""
    (a,) = as_samples(x=x)
    n, d = a.shape
    if n < d + 2:
        raise InputError(f"{n} samples for {d} columns; a covariance needs more samples than columns")
    _basis(a, "x")  # dependent columns: the entropy is minus infinity
    log = np.linalg.slogdet(np.atleast_2d(np.cov(a.astype(np.float64), rowvar=False)))[1]
    value = float(0.5 * (log / np.log(2) + d * np.log2(2 * np.pi * np.e)))
    half = _Z * float(np.sqrt(d / (2 * n))) / np.log(2)
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        method="Gaussian",
        direction="upper",
        notes=("the largest entropy of any density with this covariance",),
    )


def _basis(a: np.ndarray, name: str) -> np.ndarray:
    centred = a.astype(np.float64) - a.mean(0)
    q, r = np.linalg.qr(centred)
    diagonal = np.abs(np.diag(r))
    if diagonal.min() <= 1e-12 * max(diagonal.max(), 1e-300):
        raise InputError(f"columns of {name} are constant or depend linearly on each other; leave out what repeats")
    return q
