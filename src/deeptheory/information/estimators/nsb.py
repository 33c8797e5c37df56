"""NSB: entropy of few counts as a Bayesian mean, under a prior that is nearly flat in the entropy.

Sources: Nemenman, Shafee & Bialek 2002 (symmetric Dirichlet priors of every concentration beta, weighted
so that the expected entropy xi(beta) is uniform on 0..log K); Wolpert & Wolf 1995 (mean and second moment of the
entropy at one beta; Archer, Park & Pillow 2013, eq. 13, write them out). K: symbols that are possible, seen or not.
Pitfalls: K matters where samples are few, and nobody tells it by the data; symbols whose probabilities fall as a power
law are far from every Dirichlet prior, and the posterior is then sure of a wrong value.
Integrated over log beta: the integrand is smooth and falls exponentially on both sides, so that evenly spaced points
are exact to rounding. Differences of log-gammas of large arguments are taken by their series, where subtraction would
lose all digits.
"""

import math

import numpy as np

_WIDE = np.linspace(-40, 60, 401)  # log beta, where the peak is sought
_POINTS = 600
_DEEP = 45.0  # nats below the peak, at which the integrand ends
_LARGE = 1e3
_MANY = 1e9  # symbols, from which on the peak comes near the lower end of _WIDE


def nsb(counts: np.ndarray, cells: int) -> tuple[float, float]:
    """(mean, standard deviation) of the entropy in bits, given counts [m], all above 0, of `cells` possible symbols."""
    if cells == 1:
        return 0.0, 0.0
    values, times = np.unique(counts, return_counts=True)
    values, times = np.append(values, 0.0), np.append(times, float(cells - len(counts)))
    wide = _WIDE
    if cells > _MANY:  # the peak goes with 1 / cells
        wide = np.arange(-math.log(cells) - _DEEP, _WIDE[-1], _WIDE[1] - _WIDE[0])
    rough = _log_weight(wide, values, times, cells)
    inside = np.flatnonzero(rough > rough.max() - _DEEP)
    low, high = wide[max(inside[0] - 1, 0)], wide[min(inside[-1] + 1, len(wide) - 1)]
    for _ in range(3):  # a sharp peak lies between two points of the wide grid
        grid = np.linspace(low, high, _POINTS)
        log = _log_weight(grid, values, times, cells)
        inside = np.flatnonzero(log > log.max() - _DEEP)
        low, high = grid[max(inside[0] - 1, 0)], grid[min(inside[-1] + 1, _POINTS - 1)]
    grid = np.linspace(low, high, _POINTS)
    log = _log_weight(grid, values, times, cells)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    first, second = _moments(np.exp(grid), values, times, cells)
    mean = float(weight @ first)
    variance = float(weight @ (second - first**2) + weight @ (first - mean) ** 2)
    return mean / math.log(2), math.sqrt(max(variance, 0.0)) / math.log(2)


def _log_weight(log_beta: np.ndarray, values: np.ndarray, times: np.ndarray, cells: int) -> np.ndarray:
    """log of p(counts | beta) dxi/dbeta dbeta/dlog(beta), up to a constant; log_beta: [b]."""
    beta = np.exp(log_beta)
    evidence = -_log_rising(cells * beta, float(values @ times))
    for value, often in zip(values, times):
        evidence += often * _log_rising(beta, value)
    return evidence + np.log(_slope(beta, cells)) + log_beta


def _log_rising(a: np.ndarray, m: float) -> np.ndarray:
    """log Gamma(a + m) - log Gamma(a), a: [b] above 0."""
    from scipy.special import gammaln

    if m == 0:
        return np.zeros_like(a)
    out = np.empty_like(a)
    near = a < _LARGE
    out[near] = gammaln(a[near] + m) - gammaln(a[near])
    a = a[~near]
    top = a + m
    out[~near] = (a - 0.5) * np.log1p(m / a) + m * np.log(top) - m + (1 / top - 1 / a) / 12
    out[~near] -= (1 / top**3 - 1 / a**3) / 360
    return out


def _slope(beta: np.ndarray, cells: int) -> np.ndarray:
    """dxi/dbeta = K psi'(K beta + 1) - psi'(beta + 1)."""
    from scipy.special import polygamma

    out = np.empty_like(beta)
    near = beta < _LARGE
    b = beta[near]
    out[near] = cells * polygamma(1, cells * b + 1) - polygamma(1, b + 1)
    b, k = beta[~near], float(cells)
    out[~near] = (1 - 1 / k) / (2 * b**2) - (1 - 1 / k**2) / (6 * b**3) + (1 - 1 / k**4) / (30 * b**5)
    return np.maximum(out, 1e-300)


def _moments(beta: np.ndarray, values: np.ndarray, times: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and mean square of the entropy, nats, under the posterior at each beta [b]."""
    from scipy.special import digamma, polygamma

    a = values[:, None] + beta  # [values, b]
    total = values @ times + cells * beta
    share = a / total
    first = digamma(total + 1) - (times[:, None] * share * digamma(a + 1)).sum(0)
    gap = digamma(a + 1) - digamma(total + 2)
    one = (times[:, None] * share * gap).sum(0)
    own = (times[:, None] * share**2 * (gap**2 - polygamma(1, total + 2))).sum(0)  # pairs of one symbol with itself
    pairs = (one**2 - polygamma(1, total + 2)) - own
    high = digamma(a + 2) - digamma(total + 2)
    alone = (times[:, None] * share * (a + 1) / total * (high**2 + polygamma(1, a + 2) - polygamma(1, total + 2))).sum(
        0
    )
    return first, (pairs + alone) * total / (total + 1)
