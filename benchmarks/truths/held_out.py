"""A hundred pairs of known information in thirty families: HELD_OUT, written before "auto" was tried on any of them.

Chosen from what the literature uses and what data look like: other marginals, heavy tails, copulas, mixtures, masks,
rectified and rounded numbers, labels, counts, rotations, invertible networks, sparse and repeated columns, noise, and
pairs that share nothing. The rules of "auto" were those of commit 26a5a3b when it was first tried; none of these pairs
was used to make them. Once a rule is changed in sight of a result here, that result is no longer held out, and a new
set is needed: allowances in the interval were, and fresh.py is that set.
What was fixed with the list: n = 1,000 and n = 10,000, one draw of seed 0 each; wrong and silent means off by over
.2 bit, the interval misses the truth, and no note; at most 5 of 100 at either n is the goal.
"""

import numpy as np

from benchmarks.truths import exact, relu
from benchmarks.truths.builders import (
    Row,
    autoregressive,
    background,
    both,
    cauchy,
    clusters,
    columns,
    crossed,
    equal,
    exponential,
    factor,
    from_uniform,
    heavy,
    islands,
    network,
    nothing,
    pareto,
    parity,
    quantile,
    ring,
    same,
    shells,
    sign_of_product,
    sine,
    some,
    sparse,
    turned,
    uniform,
)
from benchmarks.truths.exact import normal_pair, pairs

_STUDENT = np.array([[1.0, 0.6], [0.6, 1.0]])

HELD_OUT: dict[str, Row] = {
    # marginals of a normal pair of correlation .8
    "margin-exponential": ("marginals", "exponential", (1, 1), lambda: both(normal_pair(0.8), exponential)),
    "margin-arcsine": ("marginals", "Beta(.5, .5)", (1, 1), lambda: both(normal_pair(0.8), quantile("beta", .5, .5))),
    "margin-triangle": ("marginals", "triangular", (1, 1), lambda: both(normal_pair(0.8), quantile("triang", 0.2))),
    "margin-gamma": ("marginals", "Gamma(.3)", (1, 1), lambda: both(normal_pair(0.8), quantile("gamma", 0.3))),
    "tail-cauchy": ("heavy marginals", "Cauchy", (1, 1), lambda: both(normal_pair(0.8), cauchy)),
    "tail-lognormal": ("heavy marginals", "lognormal of sigma 3", (1, 1),
                       lambda: both(normal_pair(0.8), lambda x: np.exp(3 * x))),
    "tail-pareto": ("heavy marginals", "Pareto(1)", (1, 1), lambda: both(normal_pair(0.8), pareto)),
    "tail-cauchy-3x3": ("heavy marginals", "Cauchy, 3 x 3", (3, 3), lambda: both(pairs(0.8, 0.6, 0), cauchy)),
    **{f"clayton-{t}": ("Clayton", f"Clayton's copula, {t}", (1, 1), lambda t=t: exact.clayton(t))
       for t in (0.5, 2, 8)},
    **{f"frank-{t}": ("Frank", f"Frank's copula, {t}", (1, 1), lambda t=t: exact.frank(t)) for t in (3, 8, 20)},
    **{f"gamma-exponential-{a}": ("gamma-exponential", f"an exponential of rate Gamma({a})", (1, 1),
                                  lambda a=a: exact.gamma_exponential(a)) for a in (0.5, 1, 4)},
    **{f"gamma-sum-{a}-{b}": ("sums of gammas", f"Gamma({a}) and it plus Gamma({b})", (1, 1),
                              lambda a=a, b=b: exact.gamma_sum(a, b)) for a, b in ((1, 1), (3, 1), (0.5, 0.5))},
    "student-correlated-1x1": ("correlated Student", "3 degrees, correlation .6", (1, 1),
                               lambda: exact.correlated_student(_STUDENT, 1, 3)),
    "student-correlated-2x2": ("correlated Student", "4 degrees, all .5", (2, 2),
                               lambda: exact.correlated_student(equal(4, 0.5), 2, 4)),
    "student-correlated-4x4": ("correlated Student", "2 degrees, all .5", (4, 4),
                               lambda: exact.correlated_student(equal(8, 0.5), 4, 2)),
    "student-correlated-3x1": ("correlated Student", "3 degrees, all .4", (3, 1),
                               lambda: exact.correlated_student(equal(4, 0.4), 3, 3)),
    "mixture-crossed": ("normal mixtures", "two crossed lines", (1, 1), crossed),
    "mixture-islands": ("normal mixtures", "four islands", (1, 1), islands),
    "mixture-ring": ("normal mixtures", "six islands on a ring", (1, 1), ring),
    "mixture-background": ("normal mixtures", "a line in a wide background", (1, 1), background),
    **{f"clusters-{d}x{d}": ("shared clusters", f"two clusters {a} apart", (d, d), lambda d=d, a=a: clusters(d, a))
       for d, a in ((1, 4), (3, 6), (10, 6))},
    "zeros-shared": ("masks", "both 0 at once, a half", (1, 1), lambda: relu.masked([[0.5, 0], [0, 0.5]], 0.8)),
    "zeros-own": ("masks", "each 0 by itself, .3", (1, 1), lambda: relu.masked(np.outer([.3, .7], [.3, .7]), 0.9)),
    "zeros-partly": ("masks", "90 % zeros, partly shared", (1, 1), lambda: relu.masked([[.85, .05], [.05, .05]], 0.9)),
    "zeros-one-side": ("masks", "x 0 in .8", (1, 1), lambda: relu.masked_one(0.2, 0.95)),
    "rectified-one": ("rectified", "relu(a) beside b, .8", (1, 1), lambda: relu.rectified_one(0.8)),
    "rectified-both": ("rectified", "relu(a) beside relu(b), .8", (1, 1), lambda: relu.rectified_both(0.8)),
    "rectified-against": ("rectified", "relu(a) beside relu(b), -.8", (1, 1), lambda: relu.rectified_both(-0.8)),
    "classes-4": ("classes by mean", "4 labels, 1 apart, sd .5", (1, 1), lambda: relu.classes(np.arange(4), 0.5)),
    "classes-10": ("classes by mean", "10 labels, 1 apart, sd 1", (1, 1), lambda: relu.classes(np.arange(10), 1.0)),
    "classes-skewed": ("classes by mean", "3 labels of .9, .08, .02", (1, 1),
                       lambda: relu.classes([0, 2, 6], 1.0, [0.9, 0.08, 0.02])),
    **{f"scales-{d}": ("classes by scale", f"sd 1 or 3 in {d} columns", (1, d), lambda d=d: relu.scales([1, 3], d))
       for d in (1, 3, 10)},
    **{f"shells-{d}": ("shells", f"ball or shell in {d} columns, .1 flipped", (d, 1),
                       lambda d=d: relu.flipped(shells(d), 0.1)) for d in (2, 3, 6)},
    **{f"sign-{k}-of-{d}": ("sign of a product", f"sign of {k} of {d} columns, .1 flipped", (d, 1),
                            lambda k=k, d=d: relu.flipped(sign_of_product(k, d), 0.1))
       for k, d in ((2, 2), (3, 3), (2, 5))},
    **{f"parity-{k}": ("parity", f"parity of {k} bits, .1 flipped", (k, 1),
                       lambda k=k: relu.flipped(parity(k), 0.1)) for k in (2, 3, 5)},
    **{f"poisson-gamma-{a}-{s}": ("Poisson of gamma", f"counts of mean Gamma({a}) {s}", (1, 1),
                                  lambda a=a, s=s: relu.poisson_of_gamma(a, s))
       for a, s in ((1, 2), (4, 2), (0.5, 10))},
    **{f"counts-{a}-{c}": ("counts", f"Poisson counts, {c} of {a + c} shared", (1, 1),
                           lambda a=a, c=c: relu.common_counts(a, c)) for a, c in ((1, 3), (5, 20), (0.1, 0.2))},
    "rounded-0.5": ("rounded", "both to halves, .8", (1, 1), lambda: relu.rounded_both(0.8, 0.5)),
    "rounded-0.1": ("rounded", "both to tenths, .5", (1, 1), lambda: relu.rounded_both(0.5, 0.1)),
    "rounded-one": ("rounded", "x to wholes, .9", (1, 1), lambda: relu.rounded_one(0.9, 1.0)),
    "circle-1": ("circle", "points of circles, concentration 1", (2, 2),
                 lambda: both(exact.von_mises(1.0), exact.on_circle)),
    "circle-20": ("circle", "points of circles, concentration 20", (2, 2),
                  lambda: both(exact.von_mises(20.0), exact.on_circle)),
    "angles-4": ("circle", "angles from 0 to 2 pi, concentration 4", (1, 1), lambda: exact.von_mises(4.0)),
    **{f"sine-{k}": ("sine", f"a sine of {k} periods and noise of .3", (1, 1), lambda k=k: sine(k))
       for k in (1, 3, 10)},
    "square": ("curves", "x^2 + .3 noise", (1, 1), lambda: from_uniform(
        np.square, lambda x: np.full(x.shape, 0.3), -2.0, 2.0, (-3, 7))),
    "spread": ("curves", "noise of sd x, x from .2 to 2", (1, 1), lambda: from_uniform(
        np.zeros_like, same, 0.2, 2.0, (-20, 20))),
    "spread-curve": ("curves", "x^3 with noise of .1 + x^2", (1, 1), lambda: from_uniform(
        lambda x: x**3, lambda x: 0.1 + x**2, -1.5, 1.5, (-24, 24))),
    "steps": ("curves", "floor(5 x) + .3 noise", (1, 1), lambda: from_uniform(
        lambda x: np.floor(5 * x), lambda x: np.full(x.shape, 0.3), 0.0, 1.0, (-3, 7))),
    "disc": ("supports", "a point of the disc", (1, 1), exact.disc),
    "simplex": ("supports", "two of three that sum to 1", (1, 1), lambda: exact.dirichlet(1, 1, 1)),
    "simplex-edge": ("supports", "the same near the edge", (1, 1), lambda: exact.dirichlet(2, 2, 0.5)),
    **{f"rotated-uniform-{d}": ("rotations", f"uniform columns rotated, {d} x {d}", (d, d),
                                lambda d=d: some(d, 0.9, 0.8).through(*(turned(d, s, uniform) for s in (1, 2))))
       for d in (2, 6)},
    **{f"rotated-cubes-{d}": ("rotations", f"cubes of normals rotated, {d} x {d}", (d, d),
                              lambda d=d: some(d, 0.9, 0.8).through(*(turned(d, s, lambda x: x**3) for s in (1, 2))))
       for d in (2, 6)},
    "factor-5": ("factors", "one factor, 5 x 5", (5, 5), lambda: factor(5, 5, 1.0)),
    "factor-30": ("factors", "one factor, 30 x 30", (30, 30), lambda: factor(30, 30, 0.5)),
    "factor-20x3": ("factors", "one factor, 20 x 3", (20, 3), lambda: factor(20, 3, 1.0)),
    "autoregressive-8": ("factors", "a chain of .9 cut in the middle, 8 x 8", (8, 8), lambda: autoregressive(8, 0.9)),
    **{f"network-{d}": ("networks", f"two pairs through networks, {d} x {d}", (d, d),
                        lambda d=d: some(d, 0.9, 0.8).through(network(d, 10), network(d, 20))) for d in (2, 4, 10)},
    "sparse-1": ("sparse", "a column of 90 % zeros and noise", (1, 1), lambda: sparse(1, 0.1)),
    "sparse-3": ("sparse", "the sum of 3 such columns", (3, 1), lambda: sparse(3, 0.1)),
    "sparse-20": ("sparse", "the sum of 20 such columns", (20, 1), lambda: sparse(20, 0.3)),
    "powers-3x1": ("repeated columns", "x, x^2, x^3", (3, 1),
                   lambda: normal_pair(0.8).through(columns(same, np.square, lambda x: x**3), same)),
    "powers-3x3": ("repeated columns", "x, exp x, sin x on both sides", (3, 3),
                   lambda: both(normal_pair(0.8), columns(same, np.exp, np.sin))),
    "copies-10x1": ("repeated columns", "ten waves of one number", (10, 1), lambda: normal_pair(0.9).through(
        columns(same, *(lambda x, k=k: np.cos(k * x) for k in range(1, 10))), same)),
    **{f"cauchy-noise-{q}": ("heavy noise", f"a pair of .9 and {q} Cauchy columns on each side", (q + 1, q + 1),
                             lambda q=q: normal_pair(0.9).beside(heavy(q), heavy(q))) for q in (1, 3, 8)},
    "nothing-heavy": ("nothing shared", "Cauchy 3 beside lognormal 2", (3, 2), lambda: nothing(
        heavy(3), lambda rng, n: np.exp(2 * rng.standard_normal((n, 2))))),
    "nothing-sparse": ("nothing shared", "5 columns of 90 % zeros beside counts", (5, 1), lambda: nothing(
        lambda rng, n: np.where(rng.random((n, 5)) < 0.1, rng.standard_normal((n, 5)), 0.0),
        lambda rng, n: rng.poisson(3, n))),
    "nothing-wide": ("nothing shared", "20 x 20 exponential", (20, 20), lambda: nothing(
        *2 * [lambda rng, n: rng.exponential(size=(n, 20))])),
    "nothing-label": ("nothing shared", "10 columns of Student 2 beside a label of 10 %", (10, 1), lambda: nothing(
        lambda rng, n: rng.standard_t(2, (n, 10)), lambda rng, n: (rng.random(n) < 0.1).astype(np.int64))),
    "nothing-symbols": ("nothing shared", "20 x 20 symbols", (1, 1), lambda: nothing(
        *2 * [lambda rng, n: rng.integers(0, 20, n)])),
}  # fmt: skip
