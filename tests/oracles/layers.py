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


def fitted_beta(p_xy, symbols, digits=80):
    """beta* of equation 12 for T a function of x, in 80 digits: where the slope of E log Z + beta E KL is 0, by
    halving.

    p_xy: rows of numbers or mpmath numbers. Infinite where the slope is below 0 at any beta (every x is in its nearest
    cluster), 0 where there is one decoder only.
    """
    from mpmath import exp, log, mp, mpf

    with mp.workdps(digits):
        table = [[mpf(p) for p in row] for row in p_xy]
        p_x = [sum(row) for row in table]
        total = sum(p_x)
        clusters = sorted(set(symbols))
        p_t = {t: sum(p for p, s in zip(p_x, symbols) if s == t) for t in clusters}
        r = {
            t: [sum(row[y] for row, s in zip(table, symbols) if s == t) / p_t[t] for y in range(len(table[0]))]
            for t in clusters
        }
        kl = []
        for row, p in zip(table, p_x):
            kl.append({})
            for t in clusters:
                if any(v > 0 and r[t][y] == 0 for y, v in enumerate(row)):
                    kl[-1][t] = mpf(10) ** 60
                else:
                    kl[-1][t] = sum(v / p * log(v / p / r[t][y]) for y, v in enumerate(row) if v > 0)
        away = [{t: kl[x][t] - kl[x][symbols[x]] for t in clusters} for x in range(len(table))]
        if all(abs(a) < mpf(10) ** -(digits - 20) for row in away for a in row.values()):
            return 0.0
        if all(a > -(mpf(10) ** -(digits - 20)) for row in away for a in row.values()):
            return math.inf

        def slope(b):
            s = mpf(0)
            for x, row in enumerate(away):
                least = min(row.values())
                weights = {t: p_t[t] * exp(-b * (a - least)) for t, a in row.items()}
                s -= p_x[x] / total * sum(weights[t] * row[t] for t in clusters) / sum(weights.values())
            return s

        low, high = mpf(10) ** -9, mpf(1)
        if slope(low) >= 0:
            return 0.0
        while slope(high) < 0:
            low, high = high, high * 10
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if slope(middle) < 0 else (low, middle)
        return float(low)
