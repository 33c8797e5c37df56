"""KSG: mutual information of continuous samples from nearest-neighbour counts.

Source: Kraskov, Stoegbauer & Grassberger 2004, eq. 8. Nats inside, bits at the door.
Traps: ties break the counts without an error; truth far above log n is out of reach, and columns without dependence hide
what there is. All become notes on the Estimate. Negative values are legal and stay.
"""

from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.neighbours import counts_along, counts_within
from deeptheory.information.estimators.samples import as_samples, batch_interval, has_ties, scaled
from deeptheory.results import Estimate


def ksg(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) in bits of continuous samples x [n, dx], y [n, dy] (or [n]).

    k: the neighbour that sets the scale; larger is smoother and more biased. standardize: columns to standard deviation 1
    (the distance is the largest difference over columns, so their scales matter). seed: of the batches of the interval,
    which is there from 200 samples on. InputError: unpaired, NaN, a constant column, k outside 1..n-1.
    """
    a, b = as_samples(x=x, y=y)
    n = len(a)
    if not 1 <= k < n:
        raise InputError(f"k is {k} for {n} samples; it lies in 1..{n - 1}")
    if standardize:
        a, b = scaled(a, "x"), scaled(b, "y")
    columns = np.ascontiguousarray(a.T, dtype=np.float64), np.ascontiguousarray(b.T, dtype=np.float64)

    def estimate(rows) -> float:
        return _ksg(np.ascontiguousarray(columns[0][:, rows]), np.ascontiguousarray(columns[1][:, rows]), k)

    value = estimate(slice(None))
    low, high = batch_interval(value, estimate, n, seed)
    return Estimate(value=value, low=low, high=high, method=f"KSG, k = {k}", notes=_notes(value, a, b, k))


def _ksg(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """psi(k) + psi(n) - <psi(n_x + 1) + psi(n_y + 1)>, in bits; x, y: [d, n]."""
    from scipy.special import digamma

    n = x.shape[1]
    n_x, n_y = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    if len(x) == len(y) == 1:
        counts_along(x[0], y[0], k, n_x, n_y)
    else:
        counts_within(x, y, k, n_x, n_y, np.empty(n))
    nats = digamma(k) + digamma(n) - (digamma(n_x + 1) + digamma(n_y + 1)).mean()
    return float(nats / np.log(2))


def _notes(value: float, a: np.ndarray, b: np.ndarray, k: int) -> tuple[str, ...]:
    n, out = len(a), []
    if has_ties(a) or has_ties(b):
        out.append("samples stand twice: the counts assume that no distance is 0; use a discrete or mixed estimator")
    if value > np.log2(n / k) - 2:
        out.append(
            f"near the largest value that {n} samples can show, log2(n / k) = {np.log2(n / k):.1f} bits; likely too small"
        )
    if a.shape[1] + b.shape[1] > 6:
        out.append(f"{a.shape[1] + b.shape[1]} columns: biased downwards, more so the stronger the dependence")
    return tuple(out)
