"""A second hundred of pairs of known information: FRESH, for rules of "auto" that were changed after its errors on the
first hundred (held_out.py) had been seen.

The thirty families of the first hundred with other numbers, columns, marginals and curves; written down before
the changed rules were tried on any of them, and judged as the first were: n = 1,000 and 10,000, off by over .2 bit
with an interval that misses the truth and no note is wrong and silent. Every pair has a seed of its own.
"""

import math

import numpy as np

from benchmarks.truths import exact, relu
from benchmarks.truths.builders import (
    Row,
    autoregressive,
    both,
    cauchy,
    clusters,
    columns,
    equal,
    exponential,
    from_uniform,
    network,
    nothing,
    pareto,
    parity,
    quantile,
    same,
    shells,
    sign_of_product,
    some,
    sparse,
    turned,
)
from benchmarks.truths.exact import Pair, normal_pair, pairs


def _root(x):
    return np.sign(x) * np.abs(x) ** 0.5


def _lines(r: float, share: float) -> Pair:
    """A line of correlation r for this share of the samples, independent normals for the rest."""
    c = np.array([[[1, r], [r, 1]], [[1, 0], [0, 1]]])
    return exact.normal_mixture([share, 1 - share], np.zeros((2, 2)), c)


def _grid() -> Pair:
    m = 2.5 * np.array([[-1, -1], [0, 0], [1, 1], [-1, 1], [1, -1]])
    return exact.normal_mixture([0.3, 0.1, 0.3, 0.15, 0.15], m, np.tile(0.3 * np.eye(2), (5, 1, 1)))


def _wave(periods: int, noise: float) -> Pair:
    return from_uniform(
        lambda x: np.cos(2 * math.pi * periods * x), lambda x: np.full(x.shape, noise), 0.0, 1.0, (-6, 6)
    )


def _latent(loadings_x, loadings_y) -> Pair:
    """One factor, other loadings in each column."""
    a = np.concatenate([np.asarray(loadings_x, dtype=float), np.asarray(loadings_y, dtype=float)])
    return exact.normal_blocks(np.eye(len(a)) + np.outer(a, a), len(loadings_x))


_HIGH = np.array([[1.0, 0.9], [0.9, 1.0]])

FRESH: dict[str, Row] = {
    # marginals of a normal pair of correlation .6
    "fresh-logistic": ("marginals", "logistic", (1, 1), lambda: both(normal_pair(0.6), quantile("logistic"))),
    "fresh-weibull": ("marginals", "Weibull(.5)", (1, 1),
                      lambda: both(normal_pair(0.6), quantile("weibull_min", 0.5))),
    "fresh-beta": ("marginals", "Beta(5, .5)", (1, 1), lambda: both(normal_pair(0.6), quantile("beta", 5, .5))),
    "fresh-roots": ("marginals", "square roots with signs", (1, 1), lambda: both(normal_pair(0.6), _root)),
    "fresh-lognormal": ("heavy marginals", "lognormal of sigma 1.5", (1, 1),
                        lambda: both(normal_pair(0.9), lambda x: np.exp(1.5 * x))),
    "fresh-pareto": ("heavy marginals", "Pareto(.5)", (1, 1),
                     lambda: both(normal_pair(0.4), lambda x: pareto(x) ** 2)),
    "fresh-student-margins": ("heavy marginals", "Student 2", (1, 1),
                              lambda: both(normal_pair(0.9), quantile("t", 2))),
    "fresh-cauchy-2x2": ("heavy marginals", "Cauchy, 2 x 2", (2, 2), lambda: both(pairs(0.9, 0.3), cauchy)),
    **{f"fresh-clayton-{t}": ("Clayton", f"Clayton's copula, {t}", (1, 1), lambda t=t: exact.clayton(t))
       for t in (1, 4, 12)},
    **{f"fresh-frank-{t}": ("Frank", f"Frank's copula, {t}", (1, 1), lambda t=t: exact.frank(t)) for t in (1, 5, 12)},
    **{f"fresh-gamma-exponential-{a}": ("gamma-exponential", f"an exponential of rate Gamma({a})", (1, 1),
                                        lambda a=a: exact.gamma_exponential(a)) for a in (0.8, 2, 8)},
    **{f"fresh-gamma-sum-{a}-{b}": ("sums of gammas", f"Gamma({a}) and it plus Gamma({b})", (1, 1),
                                    lambda a=a, b=b: exact.gamma_sum(a, b)) for a, b in ((2, 2), (1, 4), (0.7, 1))},
    "fresh-student-1x1": ("correlated Student", "2 degrees, correlation .9", (1, 1),
                          lambda: exact.correlated_student(_HIGH, 1, 2)),
    "fresh-student-2x2": ("correlated Student", "3 degrees, all .7", (2, 2),
                          lambda: exact.correlated_student(equal(4, 0.7), 2, 3)),
    "fresh-student-3x3": ("correlated Student", "3 degrees, all .3", (3, 3),
                          lambda: exact.correlated_student(equal(6, 0.3), 3, 3)),
    "fresh-student-5x2": ("correlated Student", "4 degrees, all .5", (5, 2),
                          lambda: exact.correlated_student(equal(7, 0.5), 5, 4)),
    "fresh-mixture-half": ("normal mixtures", "a line of .95 in half of the samples", (1, 1), lambda: _lines(.95, .5)),
    "fresh-mixture-few": ("normal mixtures", "a line of .99 in a fifth", (1, 1), lambda: _lines(0.99, 0.2)),
    "fresh-mixture-grid": ("normal mixtures", "five islands", (1, 1), _grid),
    **{f"fresh-clusters-{d}x{d}": ("shared clusters", f"two clusters {a} apart", (d, d),
                                   lambda d=d, a=a: clusters(d, a)) for d, a in ((2, 5), (6, 4), (20, 6))},
    "fresh-zeros-shared": ("masks", "both 0 at once, .8", (1, 1), lambda: relu.masked([[0.8, 0], [0, 0.2]], 0.7)),
    "fresh-zeros-own": ("masks", "each 0 by itself, .5", (1, 1),
                        lambda: relu.masked(np.outer([.5, .5], [.5, .5]), 0.95)),
    "fresh-zeros-against": ("masks", "never both 0", (1, 1), lambda: relu.masked([[0, .4], [.4, .2]], 0.9)),
    "fresh-zeros-one-side": ("masks", "x 0 in .4", (1, 1), lambda: relu.masked_one(0.6, 0.8)),
    "fresh-rectified-one": ("rectified", "relu(a) beside b, .95", (1, 1), lambda: relu.rectified_one(0.95)),
    "fresh-rectified-both": ("rectified", "relu(a) beside relu(b), .95", (1, 1), lambda: relu.rectified_both(0.95)),
    "fresh-rectified-against": ("rectified", "relu(a) beside relu(b), -.5", (1, 1), lambda: relu.rectified_both(-0.5)),
    "fresh-classes-3": ("classes by mean", "3 labels, 1 apart, sd .3", (1, 1), lambda: relu.classes(np.arange(3), 0.3)),
    "fresh-classes-20": ("classes by mean", "20 labels, 1 apart, sd 2", (1, 1),
                         lambda: relu.classes(np.arange(20), 2.0)),
    "fresh-classes-skewed": ("classes by mean", "4 labels of .7, .2, .08, .02", (1, 1),
                             lambda: relu.classes([0, 1, 3, 6], 0.7, [0.7, 0.2, 0.08, 0.02])),
    **{f"fresh-scales-{d}": ("classes by scale", f"sd 1, 2 or 6 in {d} columns", (1, d),
                             lambda d=d: relu.scales([1, 2, 6], d)) for d in (1, 2, 6)},
    **{f"fresh-shells-{d}": ("shells", f"ball or shell in {d} columns, .05 flipped", (d, 1),
                             lambda d=d: relu.flipped(shells(d), 0.05)) for d in (2, 4, 8)},
    **{f"fresh-sign-{k}-of-{d}": ("sign of a product", f"sign of {k} of {d} columns, .05 flipped", (d, 1),
                                  lambda k=k, d=d: relu.flipped(sign_of_product(k, d), 0.05))
       for k, d in ((1, 4), (2, 3), (3, 4))},
    **{f"fresh-parity-{k}": ("parity", f"parity of {k} bits, .2 flipped", (k, 1),
                             lambda k=k: relu.flipped(parity(k), 0.2)) for k in (1, 4, 6)},
    **{f"fresh-poisson-{a}-{s}": ("Poisson of gamma", f"counts of mean Gamma({a}) {s}", (1, 1),
                                  lambda a=a, s=s: relu.poisson_of_gamma(a, s))
       for a, s in ((2, 1), (1, 8), (3, 5))},
    **{f"fresh-counts-{a}-{c}": ("counts", f"Poisson counts, {c} of {a + c} shared", (1, 1),
                                 lambda a=a, c=c: relu.common_counts(a, c)) for a, c in ((2, 2), (10, 10), (0.5, 2))},
    "fresh-rounded-1": ("rounded", "both to wholes, .9", (1, 1), lambda: relu.rounded_both(0.9, 1.0)),
    "fresh-rounded-0.2": ("rounded", "both to fifths, .7", (1, 1), lambda: relu.rounded_both(0.7, 0.2)),
    "fresh-rounded-one": ("rounded", "x to halves, .8", (1, 1), lambda: relu.rounded_one(0.8, 0.5)),
    "fresh-circle-4": ("circle", "points of circles, concentration 4", (2, 2),
                       lambda: both(exact.von_mises(4.0), exact.on_circle)),
    "fresh-angles-12": ("circle", "angles, concentration 12", (1, 1), lambda: exact.von_mises(12.0)),
    **{f"fresh-wave-{k}": ("sine", f"a cosine of {k} periods and noise of .5", (1, 1), lambda k=k: _wave(k, 0.5))
       for k in (1, 2, 5)},
    "fresh-absolute": ("curves", "|x| + .2 noise", (1, 1), lambda: from_uniform(
        np.abs, lambda x: np.full(x.shape, 0.2), -1.5, 1.5, (-2, 4))),
    "fresh-spread": ("curves", "noise of sd x^2, x from .5 to 2", (1, 1), lambda: from_uniform(
        np.zeros_like, np.square, 0.5, 2.0, (-40, 40))),
    "fresh-logistic-curve": ("curves", "a logistic step with noise of .1", (1, 1), lambda: from_uniform(
        lambda x: 1 / (1 + np.exp(-8 * x)), lambda x: np.full(x.shape, 0.1), -1.0, 1.0, (-1, 2))),
    "fresh-growing-noise": ("curves", "x with noise of .1 to .6", (1, 1), lambda: from_uniform(
        same, lambda x: 0.1 + 0.5 * x, 0.0, 1.0, (-6, 7))),
    "fresh-simplex-2": ("supports", "two that sum to 1 with a third", (1, 1), lambda: exact.dirichlet(2, 2, 2)),
    "fresh-simplex-4": ("supports", "the same, Dirichlet(4, 1, 1)", (1, 1), lambda: exact.dirichlet(4, 1, 1)),
    "fresh-simplex-corner": ("supports", "the same, Dirichlet(1, 1, .7)", (1, 1), lambda: exact.dirichlet(1, 1, 0.7)),
    **{f"fresh-rotated-exponential-{d}": (
        "rotations", f"exponential columns rotated, {d} x {d}", (d, d),
        lambda d=d: some(d, 0.8, 0.7).through(*(turned(d, s, exponential) for s in (3, 4))))
       for d in (2, 5)},
    **{f"fresh-rotated-student-{d}": (
        "rotations", f"Student 3 columns rotated, {d} x {d}", (d, d),
        lambda d=d: some(d, 0.9, 0.6).through(*(turned(d, s, quantile("t", 3)) for s in (5, 6))))
       for d in (2, 8)},
    "fresh-factor-3": ("factors", "one factor of other loadings, 3 x 3", (3, 3),
                       lambda: _latent([2, 1, 0.5], [0.5, 1, 2])),
    "fresh-factor-15": ("factors", "one factor of other loadings, 15 x 15", (15, 15),
                        lambda: _latent(np.linspace(0, 0.8, 15), np.linspace(0.8, 0, 15))),
    "fresh-pairs-12": ("factors", "twelve pairs from .1 to .65", (12, 12), lambda: pairs(*np.linspace(0.1, 0.65, 12))),
    "fresh-autoregressive-4": ("factors", "a chain of .7 cut in the middle, 4 x 4", (4, 4),
                               lambda: autoregressive(4, 0.7)),
    **{f"fresh-network-{d}": ("networks", f"two pairs through networks, {d} x {d}", (d, d),
                              lambda d=d: some(d, 0.8, 0.7).through(*(network(d, k) for k in (30, 40))))
       for d in (2, 3, 6)},
    **{f"fresh-sparse-{k}": ("sparse", f"the sum of {k} columns of 90 % zeros, noise {s}", (k, 1),
                             lambda k=k, s=s: sparse(k, s)) for k, s in ((1, 0.3), (2, 0.2), (10, 0.5))},
    "fresh-powers-2x1": ("repeated columns", "x, x^3", (2, 1),
                         lambda: normal_pair(0.7).through(columns(same, lambda x: x**3), same)),
    "fresh-powers-4x4": ("repeated columns", "x, x^2, tanh x, |x| on both sides", (4, 4), lambda: both(
        normal_pair(0.7), columns(same, np.square, np.tanh, np.abs))),
    "fresh-waves-6x1": ("repeated columns", "x and five sines of it", (6, 1), lambda: normal_pair(0.8).through(
        columns(same, *(lambda x, k=k: np.sin(k * x) for k in range(1, 6))), same)),
    **{f"fresh-student-noise-{q}": (
        "heavy noise", f"a pair of .8 and {q} Student 1.5 columns on each side", (q + 1, q + 1),
        lambda q=q: normal_pair(0.8).beside(*2 * [lambda rng, n: rng.standard_t(1.5, (n, q))])) for q in (1, 2, 6)},
    "fresh-normal-noise-4": ("heavy noise", "a pair of .8 and 4 columns of lognormal noise", (5, 5),
                             lambda: normal_pair(0.8).beside(*2 * [lambda rng, n: np.exp(rng.normal(size=(n, 4)))])),
    "fresh-nothing-heavy": ("nothing shared", "Student 1.5 beside Pareto, 2 x 2", (2, 2), lambda: nothing(
        lambda rng, n: rng.standard_t(1.5, (n, 2)), lambda rng, n: rng.pareto(1.0, (n, 2)))),
    "fresh-nothing-zeros": ("nothing shared", "zeros in .7 and .3", (1, 1), lambda: nothing(
        *(lambda rng, n, p=p: rng.exponential(size=(n, 1)) * (rng.random((n, 1)) > p) for p in (0.7, 0.3)))),
    "fresh-nothing-counts": ("nothing shared", "counts of mean 1 beside counts of mean 30", (1, 1), lambda: nothing(
        lambda rng, n: rng.poisson(1, n), lambda rng, n: rng.poisson(30, n))),
    "fresh-nothing-wide": ("nothing shared", "40 x 5 uniform", (40, 5), lambda: nothing(
        lambda rng, n: rng.uniform(size=(n, 40)), lambda rng, n: rng.uniform(size=(n, 5)))),
    "fresh-nothing-label": ("nothing shared", "4 columns beside 8 labels", (4, 1), lambda: nothing(
        lambda rng, n: rng.exponential(size=(n, 4)), lambda rng, n: rng.integers(0, 8, n))),
    "fresh-nothing-symbols": ("nothing shared", "50 x 3 symbols", (1, 1), lambda: nothing(
        lambda rng, n: rng.integers(0, 50, n), lambda rng, n: rng.integers(0, 3, n))),
}  # fmt: skip
