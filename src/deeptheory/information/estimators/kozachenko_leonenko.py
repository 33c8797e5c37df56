"""Kozachenko-Leonenko: differential entropy from nearest-neighbour distances, plain and weighted over several neighbours.

Sources: Kozachenko & Leonenko 1987; Berrett, Samworth & Yuan 2019 for the weights, which cancel the leading orders of the
bias from four dimensions on; Butakov et al. 2024 take I(X;Y) = h(X) + h(Y) - h(X, Y) of compressed variables from it.
Traps: an entropy that is the difference of three estimates has the noise of all three; ties make it minus infinity.
"""

import math
from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.neighbours import nearest_distances
from deeptheory.information.estimators.samples import as_samples, batch_interval, scaled
from deeptheory.results import Estimate


def kozachenko_leonenko(x: Any, *, k: int = 3, weighted: bool = False, seed: int = 0) -> Estimate:
    """Differential entropy of x [n, d] in bits. weighted: neighbours 1..k with Berrett, Samworth & Yuan's weights (the same
    as the kth alone below four dimensions). InputError: k outside 1..n-1 or too few for the weights, ties, NaN."""
    (a,) = as_samples(x=x)
    weights = _weights(k, a.shape[1]) if weighted else _last(k)
    _check_k(k, len(a))
    columns = np.ascontiguousarray(a.T, dtype=np.float64)
    value = _entropy(columns, weights)
    low, high = batch_interval(
        value, lambda rows: _entropy(np.ascontiguousarray(columns[:, rows]), weights), len(a), seed
    )
    name = f"{'weighted ' if weighted else ''}Kozachenko-Leonenko, k = {k}"
    return Estimate(value=value, low=low, high=high, method=name)


def weighted_information(x: Any, y: Any, *, k: int = 5, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) = h(X) + h(Y) - h(X, Y) in bits, each by the weighted estimator (Butakov et al. 2024 use k = 5).

    standardize: columns to standard deviation 1, which information does not see and distances do. InputError: as above.
    """
    a, b = as_samples(x=x, y=y)
    _check_k(k, len(a))
    if standardize:
        a, b = scaled(a, "x"), scaled(b, "y")
    parts = [np.ascontiguousarray(v.T, dtype=np.float64) for v in (a, b, np.concatenate([a, b], axis=1))]
    weights = [_weights(k, len(p)) for p in parts]

    def estimate(rows) -> float:
        h = [_entropy(np.ascontiguousarray(p[:, rows]), w) for p, w in zip(parts, weights)]
        return h[0] + h[1] - h[2]

    value = estimate(slice(None))
    low, high = batch_interval(value, estimate, len(a), seed)
    return Estimate(value=value, low=low, high=high, method=f"weighted Kozachenko-Leonenko, k = {k}")


def _check_k(k: int, n: int) -> None:
    if not 1 <= k < n:
        raise InputError(f"k is {k} for {n} samples; it lies in 1..{n - 1}")


def _entropy(x: np.ndarray, weights: np.ndarray) -> float:
    """x: [d, n]; 1/n sum_i sum_j w_j log(rho_ij^d V_d (n - 1) e^-psi(j)), in bits."""
    from scipy.special import digamma, gammaln

    d, n = x.shape
    rho = np.empty((n, len(weights)))
    nearest_distances(x, rho)
    used = weights != 0
    if (rho[:, used] == 0).any():
        raise InputError("samples stand twice: the differential entropy has no estimate from distances of 0")
    volume = d / 2 * math.log(math.pi) - gammaln(d / 2 + 1)
    j = np.arange(1, len(weights) + 1)[used]
    logs = d * np.log(rho[:, used]).mean(0) + volume + math.log(n - 1) - digamma(j)
    return float((weights[used] * logs).sum() / math.log(2))


def _last(k: int) -> np.ndarray:
    weights = np.zeros(k)
    weights[-1] = 1
    return weights


def _weights(k: int, d: int) -> np.ndarray:
    """Least-norm weights on neighbours floor(k i / d), i = 1..d, that sum to 1 and cancel the orders l = 1..floor(d / 4):
    sum_j w_j Gamma(j + 2 l / d) / Gamma(j) = 0 (Berrett, Samworth & Yuan 2019, eq. 2)."""
    from scipy.special import gammaln

    orders = d // 4
    if orders == 0:
        return _last(k)
    support = sorted({max(1, k * i // d) for i in range(1, d + 1)})
    if len(support) < orders + 1:
        raise InputError(f"k is {k} in {d} dimensions; the weights need at least {orders + 1} different neighbours")
    j = np.array(support, dtype=np.float64)
    rows = [np.ones(len(j))] + [np.exp(gammaln(j + 2 * o / d) - gammaln(j)) for o in range(1, orders + 1)]
    wanted = np.zeros(orders + 1)
    wanted[0] = 1
    weights = np.zeros(k)
    weights[np.array(support) - 1] = np.linalg.lstsq(np.array(rows), wanted, rcond=None)[0]
    return weights
