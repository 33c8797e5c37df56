"""Hamiltonians term by term: lists of terms by trying every one, pseudo-likelihood by loops over samples and
variables.
"""

import itertools
import math


def terms(n, degree, levels, linked):
    """Every term of this degree whose variables are pairwise linked; levels None: powers of real variables."""
    out = []
    for powers in itertools.product(range(degree + 1 if levels is None else levels), repeat=n):
        at = [v for v in range(n) if powers[v]]
        total = sum(powers) if levels is None else len(at)
        if 1 <= total <= degree and all(linked(a, b) for a, b in itertools.combinations(at, 2)):
            out.append(tuple((v, powers[v]) for v in at))
    return out


def count_orbits(terms_, group):
    """Number of classes of terms under a list of permutations that is a group."""
    return len({min(tuple(sorted((g[v], p) for v, p in t)) for g in group) for t in terms_})


def factor(x, p, q):
    """One variable's factor in a term: a spin, a centred indicator, or a power."""
    if q == 2:
        return float(x)
    return float(x) ** p if q is None else (1.0 if x == p else 0.0) - 1 / q


def log_weight(x, theta, orbits, q):
    """sum_k theta_k sum of the terms of orbit k at x."""
    return sum(t * math.prod(factor(x[v], p, q) for v, p in term) for t, o in zip(theta, orbits) for term in o)


def pseudo_likelihood(samples, theta, orbits, q):
    """Mean over samples of sum_i ln p(x_i | rest), nats; discrete variables (spins -1 and 1 for q = 2)."""
    support = (-1, 1) if q == 2 else range(q)
    total = 0.0
    for row in samples:
        x = [int(v) for v in row]
        own = log_weight(x, theta, orbits, q)
        for i in range(len(x)):
            others = [log_weight([*x[:i], v, *x[i + 1 :]], theta, orbits, q) for v in support]
            top = max(others)
            total += own - top - math.log(sum(math.exp(v - top) for v in others))
    return total / len(samples)


def real_log_conditional(x, i, theta, orbits, interval, steps=4_000):
    """ln p(x_i | rest) of real variables on an interval, by the trapezium rule."""
    low, high = interval
    heights = []
    for k in range(steps + 1):
        at = low + (high - low) * k / steps
        heights.append(log_weight([*x[:i], at, *x[i + 1 :]], theta, orbits, None))
    top = max(heights)
    weights = [math.exp(h - top) for h in heights]
    z = (sum(weights) - 0.5 * (weights[0] + weights[-1])) * (high - low) / steps
    return log_weight(x, theta, orbits, None) - top - math.log(z)
