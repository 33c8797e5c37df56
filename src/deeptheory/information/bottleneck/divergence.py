"""Kullback-Leibler divergences as sums of terms that are never negative: exact where two distributions nearly agree.

KL[a || b] = sum_y b_y f(a_y / b_y) for distributions, with f(u) = u log u - u + 1 >= 0. The textbook difference of
sum a log a and sum a log b is wrong by 1e-16 whatever its value is, which at a trade-off of 1e12 is no small number.
"""

import numpy as np

from deeptheory.core.compiled import njit

_NEAR = 0.01  # relative difference below which f is summed as a series
_PRODUCT = 1e-13  # nats: what the matrix product leaves of equal rows, far more than 800 / beta of a beta of 1e19
_AT_ONCE = 1_000_000  # numbers


def divergence(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Terms of KL[a || b], nats, elementwise (they broadcast); infinite where a has mass and b has none."""
    a, b = np.broadcast_arrays(a, b)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        d = (a - b) / b
        out = a * (np.log(a) - np.log(b)) - a + b
        some = np.abs(d) < 0.5
        out[some] = b[some] * ((1 + d[some]) * np.log1p(d[some]) - d[some])
    near = np.abs(d) < _NEAR
    out[near] = b[near] * series(d[near])
    out[a <= 0] = b[a <= 0]
    return np.maximum(out, 0.0)


def series(d):
    """(1 + d) log(1 + d) - d for small d, to 1e-17 of itself."""
    return (
        d
        * d
        * (1 / 2 - d * (1 / 6 - d * (1 / 12 - d * (1 / 20 - d * (1 / 30 - d * (1 / 42 - d * (1 / 56 - d / 72)))))))
    )


def divergences(q: np.ndarray, r: np.ndarray, near: float, same: float = 0.0) -> np.ndarray:
    """KL[q_x || r_t], nats [n, k]: by a matrix product, and term by term where it is below `near`.

    Entries that agree to `same` of themselves count as equal. About 1e30 where r_t misses a label that x has.
    """
    near = max(near, _PRODUCT) if near else near
    log_r = np.where(r > 0, np.log(np.where(r > 0, r, 1)), -FAR)
    kl = np.clip((q * np.log(np.where(q > 0, q, 1))).sum(1)[:, None] - q @ log_r.T, 0.0, FAR)
    x, t = np.nonzero(kl < near)
    rows = max(1, _AT_ONCE // q.shape[1])
    for k in range(0, len(x), rows):
        at = x[k : k + rows], t[k : k + rows]
        a, b = q[at[0]], r[at[1]]
        terms = divergence(a, b)
        if same:
            terms[np.abs(a - b) <= same * np.maximum(a, b)] = 0.0
        kl[at] = terms.sum(1)
    return kl


@njit(cache=True, error_model="numpy")
def term(a, b):
    """One term, compiled; 1e30 for infinite."""
    if a <= 0:
        return b
    if b <= 0:
        return FAR
    d = (a - b) / b
    if abs(d) < 0.01:
        return b * d * d * (1 / 2 - d * (1 / 6 - d * (1 / 12 - d * (1 / 20 - d * (1 / 30 - d * (1 / 42 - d / 56))))))
    if abs(d) < 0.5:
        return b * ((1 + d) * np.log1p(d) - d)
    return a * (np.log(a) - np.log(b)) - a + b


FAR = 1e30  # stands for an infinite divergence: times 0 it is 0, and it loses every comparison
