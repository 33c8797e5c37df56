"""KSG: mutual information of continuous samples from nearest-neighbor counts.

Source: Kraskov, Stoegbauer & Grassberger 2004, eq. 8 (variant 1) and eq. 9 (variant 2, whose neighborhoods are
rectangles: a little less bias, a little more spread, by their figures). Nats inside, bits at the entry.
Pitfalls: strict counts are wrong where distances are equal (zeros of ReLU layers, integers), so ties are broken by
noise and the method says so; truth far above log n is out of reach, and columns without dependence hide what there is:
both become notes on the Estimate. Negative values are legal and stay.
"""

from typing import Any, Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import comparable
from deeptheory.information.estimators.limits import (
    INFINITE,
    WIDE,
    impossible,
    infinite,
    nothing,
    too_little,
    watched,
)
from deeptheory.information.estimators.mixed import mixed, words
from deeptheory.information.estimators.neighbors import information_by_neighbors, nearest_rows, within
from deeptheory.information.estimators.samples import (
    ROWS_PER_NEIGHBOR,
    as_samples,
    batch_interval,
    check_k,
    many_neighbors,
)


def ksg(x: Any, y: Any, *, k: int = 3, variant: Literal[1, 2] = 1, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) in bits of continuous samples x [n, dx], y [n, dy] (or [n]).

    variant: 1, squares around each sample, or 2, rectangles (Kraskov's two estimators).
    k: the neighbor that sets the scale; larger is smoother and more biased. standardize: columns to one scale
    (the distance is the largest difference over columns, so their scales matter). seed: of the noise that breaks ties
    and of the batches of the interval, which is there from 200 samples, and 40 k, on. Constant columns are left out.
    InputError: unpaired, NaN, k outside 1..n-1, another variant. Words are labels: see `labeled`.
    """
    if isinstance(variant, bool) or not isinstance(variant, int | float | np.number) or variant not in _BY_VARIANT:
        raise InputError(f"variant is {variant!r}; Kraskov's estimators are 1 (squares) and 2 (rectangles)")
    if words(x, y):
        return mixed(x, y, k=k, standardize=standardize, seed=seed)
    a, b = as_samples(x=x, y=y)
    n = len(a)
    check_k(k, n)
    columns = comparable(standardize, seed, x=a, y=b)
    by = _BY_VARIANT[variant]
    method = f"KSG{', variant 2' * (variant == 2)}, k = {k}{columns.method}"
    if columns.empty:
        return nothing(method, columns.notes)
    value = columns.mean(lambda pair: by(pair, k))
    estimate, of_a_tenth = watched(lambda rows: by(columns.rows(rows), k))
    least = ROWS_PER_NEIGHBOR * k
    low, high = batch_interval(value, estimate, n, seed=seed, least=least)
    notes = columns.notes + ((INFINITE,) if infinite(*columns.plain) else too_little(value, n, k, of_a_tenth))
    notes += impossible(value, x=a, y=b) + many_neighbors(k, n, least)
    wide = a.shape[1] + b.shape[1]
    if wide > WIDE:
        notes += (f"{wide} columns: biased downwards, more so the stronger the dependence",)
    return Estimate(value=value, low=low, high=high, method=method, notes=notes)


def _ksg(pair: list[np.ndarray], k: int) -> float:
    """psi(k) + psi(n) - <psi(n_x + 1) + psi(n_y + 1)>, in bits; x, y: [d, n]."""
    x, y = pair
    return information_by_neighbors(x, y, np.empty((0, x.shape[1])), k)


def _rectangles(pair: list[np.ndarray], k: int) -> float:
    """psi(k) - 1/k + psi(n) - <psi(n_x) + psi(n_y)>, in bits: n_x, n_y count up to and with the farthest of the k
    neighbors in that variable."""
    from scipy.special import digamma

    n = pair[0].shape[1]
    near = nearest_rows(np.concatenate(pair), k)
    total = digamma(k) - 1 / k + digamma(n)
    for v in pair:
        reach = np.abs(v[:, near] - v[:, :, None]).max((0, 2))
        total -= digamma(within(v, reach)).mean()
    return float(total / np.log(2))


_BY_VARIANT = {1: _ksg, 2: _rectangles}
