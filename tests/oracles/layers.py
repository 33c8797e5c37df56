"""A layer against the bound, by dictionaries and loops: informations of symbols, and equation 12 by scanning beta."""

import math
from collections import defaultdict


def information(pairs):
    """I(A;B) bits of {(a, b): probability}."""
    a, b = defaultdict(float), defaultdict(float)
    for (i, j), p in pairs.items():
        a[i] += p
        b[j] += p
    return sum(p * math.log2(p / (a[i] * b[j])) for (i, j), p in pairs.items() if p > 0)


def joint(p_xy, *columns):
    """{(tuple of the columns' symbols, y): probability}."""
    out = defaultdict(float)
    for x, row in enumerate(p_xy):
        for y, p in enumerate(row):
            out[tuple(c[x] for c in columns), y] += p
    return out


def residual(p_xy, symbols, beta):
    """E_x KL[p(t|x) || p_beta(t|x)] bits for T a function of x."""
    p_t = defaultdict(float)
    p_ty = defaultdict(lambda: [0.0] * len(p_xy[0]))
    for x, row in enumerate(p_xy):
        for y, p in enumerate(row):
            p_t[symbols[x]] += p
            p_ty[symbols[x]][y] += p
    total = 0.0
    for x, row in enumerate(p_xy):
        p_x = sum(row)
        weights = {}
        for t in p_t:
            kl = 0.0
            for y, p in enumerate(row):
                if p > 0:
                    r = p_ty[t][y] / p_t[t]
                    kl += p / p_x * math.log(p / p_x / r) if r > 0 else math.inf
            weights[t] = p_t[t] * math.exp(-beta * kl)
        total -= p_x * math.log2(weights[symbols[x]] / sum(weights.values()))
    return total
