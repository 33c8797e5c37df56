"""Information of read-outs the slow and obvious way: dictionaries, logarithms, double loops. Bits."""

import math
from collections import Counter

import numpy as np


def entropy(symbols, weights=None) -> float:
    """Plug-in entropy of hashable symbols, each of the given weight."""
    total: dict = {}
    weights = [1 / len(symbols)] * len(symbols) if weights is None else weights
    for s, w in zip(symbols, weights):
        total[s] = total.get(s, 0.0) + w
    return -sum(p * math.log2(p) for p in total.values() if p > 0)


def cell(value: float, edges) -> int:
    """Number of the cell: right edge closed, the first one on both sides."""
    for k in range(1, len(edges)):
        if value <= edges[k]:
            return k - 1
    return len(edges) - 2


def plane(rows, p_y):
    """i_x, i_y, h_t, occupied of symbols (one tuple a sample) and p(y|x) [n, class]."""
    n = len(rows)
    h_t, conditional = entropy(rows), 0.0
    for c in range(p_y.shape[1]):
        mass = p_y[:, c].sum()
        if mass > 0:
            conditional += mass / n * entropy(rows, p_y[:, c] / mass)
    return h_t, h_t - conditional, h_t, len(Counter(rows))


def binned(a, edges_by_unit, p_y):
    """The plane of activations [n, unit] binned with one list of edges a unit."""
    rows = [tuple(cell(float(v), e) for v, e in zip(row, edges_by_unit)) for row in a]
    return plane(rows, p_y)


def mixture_entropy_bounds(h, sigma, weights):
    """Kolchinsky & Tracey 2017: upper and lower bound of the differential entropy of a mixture of equal Gaussians."""
    n, d = h.shape
    own = d / 2 * math.log2(2 * math.pi * math.e * sigma**2)
    out = []
    for scale in (2, 8):
        total = 0.0
        for i in range(n):
            inner = sum(weights[j] * math.exp(-((h[i] - h[j]) ** 2).sum() / (scale * sigma**2)) for j in range(n))
            total -= weights[i] * math.log2(inner) if weights[i] else 0.0
        out.append(total + own)
    return out


def mixture_information(h, sigma, draws, seed) -> float:
    """I(X;T) of T = h(x) + noise by Monte Carlo: mean of log2 p(t|x)/p(t)."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, len(h), draws)
    t = h[x] + sigma * rng.standard_normal((draws, h.shape[1]))
    d = ((t[:, None] - h[None]) ** 2).sum(-1) / (2 * sigma**2)
    own = d[np.arange(draws), x]
    return float(np.mean(-own - np.log(np.exp(-d).mean(1))) / math.log(2))
