"""Information of readouts the slow and obvious way: dictionaries, logarithms, double loops. Bits."""

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


def corrected_entropy(counts, name) -> float:
    """Entropies of a list of counts as the papers write them, by recursion and by loops."""
    n = sum(counts)
    if (
        name == "grassberger"
    ):  # 2003, after eq. 28: G_1 = -gamma - log 2, G_2 = 2 - gamma - log 2, G_2m+1 = G_2m, G_2m+2 = G_2m + 2 / (2m + 1)
        g = [math.nan, -0.5772156649015329 - math.log(2), 2 - 0.5772156649015329 - math.log(2)]
        while len(g) <= max(counts):
            k = len(g)
            g.append(g[-1] if k % 2 else g[-2] + 2 / (k - 1))
        return (math.log(n) - sum(c * g[c] for c in counts) / n) / math.log(2)
    if name == "chao-shen":
        once = sum(c == 1 for c in counts)
        coverage = 1 - (once if once < n else n - 1) / n
        p = [coverage * c / n for c in counts]
        return -sum(v * math.log2(v) / (1 - (1 - v) ** n) for v in p)
    if name == "shrink":
        return dense_entropy(shrunk_table([counts])[0])
    return -sum(c / n * math.log2(c / n) for c in counts) + (len(counts) - 1) / (2 * n * math.log(2))


def dense_entropy(p) -> float:
    return -sum(v * math.log2(v) for v in p if v > 0)


def shrunk_table(table):
    """Hausser & Strimmer 2009: every cell of a table of counts, empty ones too, towards the uniform."""
    cells = [c for row in table for c in row]
    n, target = sum(cells), 1 / len(cells)
    above = 1 - sum((c / n) ** 2 for c in cells)
    below = (n - 1) * sum((target - c / n) ** 2 for c in cells)
    weight = 1.0 if below == 0 else min(1.0, above / below)
    return [[weight * target + (1 - weight) * c / n for c in row] for row in table]


def corrected_information(table, name) -> float:
    """I(X;Y) of a dense table of counts (rows x, columns y) with every row and column seen."""
    if name == "shrink":
        p = shrunk_table(table)
        sides = [sum(row) for row in p], [sum(column) for column in zip(*p)]
        return dense_entropy(sides[0]) + dense_entropy(sides[1]) - dense_entropy([v for row in p for v in row])
    sides = [sum(row) for row in table], [sum(column) for column in zip(*table)]
    joint = [c for row in table for c in row if c]
    return sum(corrected_entropy(s, name) for s in sides) - corrected_entropy(joint, name)


def nsb(counts, cells) -> tuple[float, float]:
    """Mean and standard deviation of Nemenman, Shafee & Bialek 2002 in 25 digits: every symbol a term, every pair of
    symbols a term of the second moment (Wolpert & Wolf 1995), sums over steps of .4 in log(beta)."""
    import mpmath as mp

    if cells == 1:
        return 0.0, 0.0
    with mp.workdps(25):
        n = [mp.mpf(int(c)) for c in counts] + [mp.mpf(0)] * (cells - len(counts))
        total, sums = sum(n), [mp.mpf(0)] * 3
        for step in range(-75, 113):
            beta = mp.exp(mp.mpf(2 * step) / 5)
            log = mp.loggamma(cells * beta) - mp.loggamma(total + cells * beta)
            log += sum(mp.loggamma(c + beta) - mp.loggamma(beta) for c in n if c)
            slope = cells * mp.psi(1, cells * beta + 1) - mp.psi(1, beta + 1)
            a = [c + beta for c in n]
            s = sum(a)
            first = mp.psi(0, s + 1) - sum(v * mp.psi(0, v + 1) for v in a) / s
            end = mp.psi(0, s + 2), mp.psi(1, s + 2)
            gaps = [mp.psi(0, v + 1) - end[0] for v in a]
            second = sum(v * w * (g * h - end[1]) for v, g in zip(a, gaps) for w, h in zip(a, gaps))
            second -= sum(v * v * (g * g - end[1]) for v, g in zip(a, gaps))  # each symbol with itself, said otherwise:
            second += sum(v * (v + 1) * ((mp.psi(0, v + 2) - end[0]) ** 2 + mp.psi(1, v + 2) - end[1]) for v in a)
            weight = mp.exp(log) * slope * beta
            for k, value in enumerate((1, first, second / (s * (s + 1)))):
                sums[k] += weight * value
        value, square = sums[1] / sums[0], sums[2] / sums[0]
        return float(value / mp.log(2)), float(mp.sqrt(square - value**2) / mp.log(2))
