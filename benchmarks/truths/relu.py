"""Zeros and labels: rectified pairs, masks, classes by mean or scale, counts, rounding; exact by one or two integrals.

A rectified normal is an atom at 0 and a half of a normal; densities are taken with respect to both parts. A mask that
is read off its variable (a zero is a masked value) is part of it, so that the chain rule splits the information.
"""

import math

import numpy as np

from benchmarks.truths.exact import Pair, binary_entropy, entropy_of, nodes, normal_pair, phi, table


def _cdf(t):
    from scipy.special import ndtr

    return ndtr(t)


def rectified_one(r: float) -> Pair:
    """relu(A) beside B, normals of correlation r: half of the normal's information, and what A <= 0 tells of B."""
    s, base = math.sqrt(1 - r * r), normal_pair(r)
    t, w = nodes(np.linspace(-9, 9, 37))
    tail = _cdf(-r * t / s)
    nats = base.nats / 2 + float((w * phi(t) * tail * np.log(np.maximum(2 * tail, 1e-300))).sum())

    def ratio(x, y):
        off = np.log(2 * _cdf(-r * y / s))
        return np.where(x > 0, np.log(phi(y, r * x, s) / phi(y)), off)[:, 0]

    pair = base.through(lambda a: np.maximum(a, 0), lambda b: b)
    return Pair(pair.draw, nats, ratio)


def rectified_both(r: float) -> Pair:
    """relu(A) beside relu(B), normals of correlation r."""
    s, base = math.sqrt(1 - r * r), normal_pair(r)
    p00 = 0.25 + math.asin(r) / (2 * math.pi)
    t, w = nodes(np.linspace(0, 9, 61), 24)
    tail = _cdf(-r * t / s)
    one = float((w * phi(t) * tail * np.log(np.maximum(2 * tail, 1e-300))).sum())
    a, b = t[:, None], t[None]
    log = -math.log(s) - ((b - r * a) / s) ** 2 / 2 + b**2 / 2
    both = float((w[:, None] * w * phi(a) * phi(b, r * a, s) * log).sum())

    def ratio(x, y):
        dense = np.log(phi(y, r * x, s) / phi(y))
        out = np.where(y > 0, np.log(2 * _cdf(-r * y / s)), math.log(4 * p00))
        out = np.where((x > 0) & (y <= 0), np.log(2 * _cdf(-r * x / s)), out)
        return np.where((x > 0) & (y > 0), dense, out)[:, 0]

    pair = base.through(lambda v: np.maximum(v, 0), lambda v: np.maximum(v, 0))
    return Pair(pair.draw, p00 * math.log(4 * p00) + 2 * one + both, ratio)


def relu_layer(weight: np.ndarray, teacher: np.ndarray, noise: float) -> Pair:
    """T = relu([W; -W] x) beside Y = teacher x + N(0, noise^2), x standard normal: W x can be read off T, so that
    I(T;Y) = I(W x;Y), in closed form. weight [m, d], teacher [k, d]; T has 2 m columns, half of them 0 at a time."""
    w, v = np.asarray(weight), np.asarray(teacher)
    given = np.eye(w.shape[1]) - w.T @ np.linalg.solve(w @ w.T, w)  # covariance of x given W x
    inner = noise**2 * np.eye(len(v))
    nats = (np.linalg.slogdet(v @ v.T + inner)[1] - np.linalg.slogdet(v @ given @ v.T + inner)[1]) / 2

    def draw(rng, n):
        x = rng.standard_normal((n, w.shape[1]))
        h = x @ w.T
        return np.maximum(np.concatenate([h, -h], axis=1), 0), x @ v.T + noise * rng.standard_normal((n, len(v)))

    return Pair(draw, float(nats))


def masked(masks, r: float) -> Pair:
    """Masks of both sides with joint distribution masks [2, 2] (index 1: seen) over normals of correlation r:
    I of the masks, and the normals' where both are seen. A masked value is 0."""
    seen, base = table(masks), normal_pair(r)
    both = float(np.asarray(masks)[1, 1] / np.sum(masks))

    def draw(rng, n):
        a, b = seen.draw(rng, n)
        x, y = base.draw(rng, n)
        return np.where(a[:, None] == 1, x, 0.0), np.where(b[:, None] == 1, y, 0.0)

    return Pair(draw, seen.nats + both * base.nats)


def masked_one(seen: float, r: float) -> Pair:
    """x is 0 but for a fraction, y is not masked: that fraction of the normals' information."""
    base = normal_pair(r)

    def draw(rng, n):
        x, y = base.draw(rng, n)
        return np.where(rng.random((n, 1)) < seen, x, 0.0), y

    return Pair(draw, seen * base.nats)


def classes(centers, sd: float, weights=None) -> Pair:
    """Y = center of the label + N(0, sd^2), x the label (an integer)."""
    c = np.asarray(centers, dtype=np.float64)
    p = np.full(len(c), 1 / len(c)) if weights is None else np.asarray(weights, dtype=np.float64)

    def density(t):
        return p @ phi(t[None], c[:, None], sd)

    def draw(rng, n):
        k = rng.choice(len(c), n, p=p)
        return k, (c[k] + sd * rng.standard_normal(n))[:, None]

    def ratio(x, y):
        return np.log(phi(y[:, 0], c[x], sd) / density(y[:, 0]))

    edges = np.linspace(c.min() - 10 * sd, c.max() + 10 * sd, 81)
    return Pair(draw, entropy_of(density, edges) - 0.5 * math.log(2 * math.pi * math.e * sd**2), ratio)


def scales(sds, d: int) -> Pair:
    """Label x, y ~ N(0, sd^2 I_d) of it: one integral over the norm."""
    from scipy.stats import chi

    s = np.asarray(sds, dtype=np.float64)
    r, w = nodes(np.linspace(1e-12, s.max() * (math.sqrt(d) + 9), 161))
    p = chi.pdf(r[None] / s[:, None], d) / s[:, None]
    log = np.log(np.maximum(p, 1e-300) / np.maximum(p.mean(0), 1e-300))

    def draw(rng, n):
        k = rng.integers(0, len(s), n)
        return k, s[k, None] * rng.standard_normal((n, d))

    def ratio(x, y):
        q = chi.pdf(np.linalg.norm(y, axis=1)[None] / s[:, None], d) / s[:, None]
        return np.log(q[x, np.arange(len(x))] / q.mean(0))

    return Pair(draw, float((w * p * log).sum() / len(s)), ratio)


def flipped(side, flip: float) -> Pair:
    """y: a balanced bit that x tells for certain, flipped with this probability. side(rng, n) -> x, bit."""

    def draw(rng, n):
        x, bit = side(rng, n)
        return x, bit ^ (rng.random(n) < flip)

    def as_integers(rng, n):
        x, y = draw(rng, n)
        return x, y.astype(np.int64)

    return Pair(as_integers, math.log(2) - binary_entropy(flip))


def poisson_of_gamma(a: float, scale: float) -> Pair:
    """X ~ Gamma(a, scale), Y ~ Poisson(X): negative binomial counts less the entropy of Poisson, integrated."""
    from scipy.stats import gamma, nbinom, poisson

    top = gamma.isf(1e-13, a, scale=scale)
    cuts = np.concatenate([[0], np.geomspace(1e-12, 1, 60) * top])
    x, w = nodes(cuts, 30)
    counts = np.arange(int(top + 12 * math.sqrt(top) + 30))
    log = poisson.logpmf(counts[None], x[:, None])
    p = np.exp(log)
    weight = w * gamma.pdf(x, a, scale=scale)
    marginal = nbinom.logpmf(counts, a, 1 / (1 + scale))
    inner = (p * np.where(p > 0, log - marginal[None], 0)).sum(1)

    def draw(rng, n):
        x = rng.gamma(a, scale, (n, 1))
        return x, rng.poisson(x)

    def ratio(x, y):
        return (poisson.logpmf(y, x) - nbinom.logpmf(y, a, 1 / (1 + scale)))[:, 0]

    return Pair(draw, float(weight @ inner), ratio)


def common_counts(own: float, shared: float) -> Pair:
    """X = A + C, Y = B + C, Poisson of these means: a sum over the joint table."""
    from scipy.stats import poisson

    top = int(own + shared + 12 * math.sqrt(own + shared) + 12)
    p = np.zeros((top, top))
    for c in range(top):
        rest = poisson.pmf(np.arange(top - c), own)
        p[c:, c:] += poisson.pmf(c, shared) * rest[:, None] * rest
    base = table(p)

    def draw(rng, n):
        c = rng.poisson(shared, n)
        return c + rng.poisson(own, n), c + rng.poisson(own, n)

    return Pair(draw, base.nats, base.ratio)


def _cells(step: float) -> np.ndarray:
    top = math.ceil(8.5 / step)
    return (np.arange(-top, top + 2) - 0.5) * step


def rounded_both(r: float, step: float) -> Pair:
    """Normals of correlation r, both rounded to multiples of step: a table of bivariate cells."""
    s, edges = math.sqrt(1 - r * r), _cells(step)
    x, w = nodes(edges, 12)
    inner = np.diff(_cdf((edges[None] - r * x[:, None]) / s), axis=1)
    p = ((w * phi(x))[:, None] * inner).reshape(len(edges) - 1, 12, -1).sum(1)
    base = normal_pair(r).through(lambda v: np.round(v / step) * step, lambda v: np.round(v / step) * step)
    return Pair(base.draw, table(p).nats)


def rounded_one(r: float, step: float) -> Pair:
    """x rounded to multiples of step, y not."""
    s, edges = math.sqrt(1 - r * r), _cells(step)
    y, w = nodes(np.linspace(-9, 9, 73))
    given = np.diff(_cdf((edges[None] - r * y[:, None]) / s), axis=1)
    own = np.diff(_cdf(edges))
    log = np.log(np.maximum(given, 1e-300) / np.maximum(own, 1e-300)[None])
    base = normal_pair(r).through(lambda v: np.round(v / step) * step, lambda v: v)
    return Pair(base.draw, float(((w * phi(y))[:, None] * given * np.where(given > 0, log, 0)).sum()))
