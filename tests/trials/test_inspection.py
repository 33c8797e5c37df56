"""Instruments: class geometry, propagation, correlation, cheapness. Nulls have more units than samples among them."""

import math

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.statistics import permutation_p
from deeptheory.inspection import (
    bottleneck_bound,
    cells_of_their_own,
    neural_collapse,
    polynomial_r2,
)
from deeptheory.inspection.engine import measure
from trials.frame import Found, Row, all_of, near, often, quick, rare, refused, same
from trials.inspection_decoders import DECODERS
from trials.inspection_hessian import HESSIAN
from trials.inspection_propagation import PROPAGATION

NC = "inspection.neural_collapse"
R2 = "inspection.polynomial_r2"
BOUND = "inspection.bottleneck_bound"
ALONE = "inspection.cells_of_their_own"


def etf(rng, classes, units):
    """Class means of unit norm and cosines -1 / (C - 1), in random directions."""
    q, _ = np.linalg.qr(rng.normal(size=(units, classes)))
    return math.sqrt(classes / (classes - 1)) * (np.eye(classes) - 1 / classes) @ q.T


def numbers(found):
    return [found.nc1, found.scatter_ratio, found.equinorm, found.equiangle, found.maximal_angle]


def at_most(value, limit, what=""):
    return Found(f"{what}{value:.4g}", f"at most {limit:.4g}", bool(value <= limit))


def at_least(value, limit, what=""):
    return Found(f"{what}{value:.4g}", f"at least {limit:.4g}", bool(value >= limit))


# class geometry


def noise_is_no_collapse(rng, draws):
    """2,000 units, 4 classes of 10: NC1 would read (C - 1) n_c / d = 0.015; it is refused,
    and the ratio reads about n."""
    y, out = np.repeat(np.arange(4), 10), []
    for _ in range(draws):
        found = neural_collapse(rng.normal(size=(40, 2000)), y)
        out += [Found(f"NC1 {found.nc1}", "NaN", math.isnan(found.nc1)), at_least(found.scatter_ratio, 8, "ratio ")]
    return all_of(*out)


def shuffled_labels(units):
    """The ratio of noise is below that of 19 permutations in one draw of twenty."""

    def check(rng, draws):
        y, hits = np.repeat(np.arange(5), 20), 0
        for _ in range(draws):
            x = rng.normal(size=(100, units))
            null = [neural_collapse(x, rng.permutation(y)).scatter_ratio for _ in range(19)]
            hits += permutation_p(neural_collapse(x, y).scatter_ratio, null, "less") <= 0.05
        return rare(hits, draws)

    return check


def weak_classes_are_found(rng, draws):
    """Unit class means under noise of 1 in each of 300 units, 100 samples: below all 19 permutations in most draws."""
    y, hits = np.repeat(np.arange(5), 20), 0
    for _ in range(draws):
        x = 3 * etf(rng, 5, 300)[y] + rng.normal(size=(100, 300))
        null = [neural_collapse(x, rng.permutation(y)).scatter_ratio for _ in range(19)]
        hits += permutation_p(neural_collapse(x, y).scatter_ratio, null, "less") <= 0.05
    return often(hits, draws, 0.9)


def random_head(rng, draws):
    m, y = etf(rng, 10, 2000), np.repeat(np.arange(10), 3)
    found = neural_collapse(m[y], y, weight=rng.normal(size=(10, 2000)))
    return near(found.nc3, math.sqrt(2), 0.03, "NC3 ")


def exact_frame(rng, draws):
    """A simplex equiangular tight frame, repeated: every number 0, with its own means as head."""
    out = []
    for classes, units in ((2, 3), (5, 20), (10, 10)):
        m, y = etf(rng, classes, units), np.repeat(np.arange(classes), 30)
        found = neural_collapse(m[y], y, weight=m)
        out += [near(v, 0, 1e-12) for v in (*numbers(found), found.nc3, found.nc4)]
    return all_of(*out)


def frame_with_noise(rng, draws):
    """NC1 = s^2 (C - 1)^2 / C (1 - 1 / n_c) for class means of unit norm."""
    classes, units, each, s = 5, 12, 1000, 0.05
    m, y = etf(rng, classes, units), np.repeat(np.arange(classes), each)
    found = [neural_collapse(m[y] + s * rng.normal(size=(len(y), units)), y).nc1 for _ in range(draws)]
    truth = s**2 * (classes - 1) ** 2 / classes * (1 - 1 / each)
    return near(np.mean(found) / truth, 1, 0.02)


def by_hand(rng, draws):
    """Loops and numpy's pseudo-inverse, classes of unequal size, skewed and zero-heavy features."""
    y = np.repeat([0, 1, 2], [40, 9, 100])
    x = np.maximum(rng.exponential(size=(149, 6)) + 0.3 * y[:, None] * np.arange(6), 1) - 1
    means = [np.mean([a for a, c in zip(x, y) if c == k], axis=0) for k in range(3)]
    s_w = sum(np.outer(a - means[c], a - means[c]) for a, c in zip(x, y)) / len(x)
    center = sum(means) / 3
    s_b = sum(np.outer(m - center, m - center) for m in means) / 3
    nc1 = np.trace(s_w @ np.linalg.pinv(s_b, rcond=1e-10)) / 3
    far = [m - center for m in means]
    norms = [np.linalg.norm(f) for f in far]
    cosines = [far[i] @ far[j] / norms[i] / norms[j] for i in range(3) for j in range(i)]
    truth = [
        nc1,
        np.trace(s_w) / np.trace(s_b),
        np.std(norms) / np.mean(norms),
        np.std(cosines),
        np.mean([abs(c + 0.5) for c in cosines]),
    ]
    w, b = rng.normal(size=(3, 6)), rng.normal(size=3)
    stack = np.stack(far)
    nc3 = np.linalg.norm(w / np.linalg.norm(w) - stack / np.linalg.norm(stack))
    head = [np.argmax(w @ a + b) for a in x]
    nearest = [np.argmin([np.linalg.norm(a - m) for m in means]) for a in x]
    found = neural_collapse(x, y, weight=w, bias=b)
    return all_of(
        near(numbers(found), truth, 1e-9),
        near([found.nc3, found.nc4], [nc3, np.mean(np.not_equal(head, nearest))], 1e-12),
    )


def collapse_does_not_depend(rng, draws):
    """On rotation, shift and unit of measurement, order and names of classes, order of rows, float32,
    default dtype, torch."""
    x, y = rng.normal(size=(300, 7)) + np.arange(3).repeat(100)[:, None], np.arange(3).repeat(100)
    turn, q = rng.permutation(300), np.linalg.qr(rng.normal(size=(7, 7)))[0]
    names = np.array(["cat", "ant", "bee"])[y]
    before = torch.get_default_dtype()
    variants = [
        (x, y),
        (x @ q, y),
        (x + 50, y),
        (x * 1e-200, y),
        (x * 1e200, y),
        (x[turn], y[turn]),
        (x, names),
        (x, y * 7 - 3),
    ]
    try:
        torch.set_default_dtype(torch.float16)
        with torch.inference_mode():
            found = [numbers(neural_collapse(a, b)) for a, b in [*variants, (torch.as_tensor(x), torch.as_tensor(y))]]
    finally:
        torch.set_default_dtype(before)
    return all_of(same(found, 1e-9), near(numbers(neural_collapse(x.astype(np.float32), y)), found[0], 1e-5))


def collapse_refuses(rng, draws):
    x, y = rng.normal(size=(20, 3)), np.arange(20) % 2
    return all_of(
        refused(lambda: neural_collapse(x, y * 0), "one class only"),
        refused(lambda: neural_collapse(x * 0 + 3, y), "nothing varies"),
        refused(lambda: neural_collapse(x * np.nan, y), "NaN"),
        refused(lambda: neural_collapse(x, y[:5]), "one label per row"),
        refused(lambda: neural_collapse(x[0], y), r"needed: \[n, d\]"),
        refused(lambda: neural_collapse(x, y, weight=np.ones((3, 3))), "weight has shape"),
        refused(lambda: neural_collapse(x, y, weight=np.ones((2, 3)), bias=np.ones(3)), "bias has shape"),
    )


# cheapness


def unrelated_units(rows):
    """Units that the input says nothing about: R^2 at most 0 on the average, and nowhere large."""

    def check(rng, draws):
        found = np.concatenate(
            [
                polynomial_r2(rng.normal(size=(rows, 40)), rng.normal(size=(rows, 8)), d)
                for _ in range(draws)
                for d in (1, 2)
            ]
        )
        return all_of(
            at_most(found.mean(), 0.0, "mean "),
            at_most(found.max(), 0.1, "largest "),
            at_least(found.mean(), -0.15, "mean "),
        )

    return check


def exact_polynomials(rng, draws):
    x = rng.normal(size=(800, 20)) * np.linspace(3, 0.1, 20)
    _, _, vt = np.linalg.svd(x - x.mean(0), full_matrices=False)
    a = (x - x.mean(0)) @ vt.T
    y = np.stack([a[:, 0], a[:, 1] - 3 * a[:, 9], a[:, 0] * a[:, 4], a[:, 2] ** 2 + a[:, 3]], axis=1)
    one, two = polynomial_r2(x, y, 1), polynomial_r2(x, y, 2)
    return all_of(near(one[:2], 1, 1e-9), at_most(one[2], 0.1), near(two, 1, 1e-9))


def known_noise(rng, draws):
    """Half of the variance is noise: R^2 is 0.5, within 4 standard errors and what 66 coefficients of 3,200 rows
    cost."""
    x = rng.normal(size=(4000, 10))
    y = x[:, :1] * x[:, 1:2] + rng.normal(size=(4000, 16))
    return near(polynomial_r2(x, y, 2).mean(), 0.5, 0.04)


def r2_does_not_depend(rng, draws):
    x, y = rng.normal(size=(500, 12)) * np.arange(1, 13), rng.normal(size=(500, 3))
    y[:, 0] += x[:, 11]
    q = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    several = [
        (x, y),
        (x @ q, y),
        (x * 1e-150 + 0, y),
        (x + 100, y),
        (x, y * 1e150),
        (x, y - 3),
        (torch.as_tensor(x), torch.as_tensor(y)),
    ]
    units = polynomial_r2(x, y[:, [2, 0, 1]], 2)[[1, 2, 0]]
    return all_of(same([polynomial_r2(*v, 2) for v in several], 1e-6), near(units, polynomial_r2(x, y, 2), 1e-9))


def r2_refuses(rng, draws):
    x, y = rng.normal(size=(400, 12)), rng.normal(size=(400, 2))
    y[:, 1] = 3
    constant = polynomial_r2(x, y, 1)[1]
    return all_of(
        refused(lambda: polynomial_r2(x, y, 2), "66 coefficients and 320 rows"),
        refused(lambda: polynomial_r2(x, y, 0), "degree is 0"),
        refused(lambda: polynomial_r2(x * 0, y, 1), "do not vary"),
        refused(lambda: polynomial_r2(x[:, 0], y, 1), "axes"),
        Found(f"constant unit: {constant}", "NaN", math.isnan(constant)),
    )


# the bottleneck bound


def _bounded(rng, bins, kinds=5):
    """An untrained network and a table of so many different p(y|x) that have nothing to do with its 120 inputs."""
    x = torch.as_tensor(rng.normal(size=(120, 4)), dtype=torch.float32)
    p = rng.dirichlet(np.ones(2), kinds)[rng.integers(0, kinds, 120)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(1 << 30)))
        net = nn.Sequential(nn.Linear(4, 2), nn.Tanh(), nn.Linear(2, 1))
    return net, x, p / 120, bins


def _distances(net, x, p, bins):
    found = measure(net, x, None, instruments=bottleneck_bound(p, bins), twins=0)["bottleneck_bound"]
    return [found.at(name, q).value for name in ("1", "output") for q in ("distance", "i_x", "i_y")], found


def unrelated_table(rng, draws):
    """Labels that have nothing to do with the inputs: the distance is beyond its permuted control in one draw of ten
    (two sides)."""
    hits, told = 0, []
    for _ in range(draws):
        seen = _distances(*_bounded(rng, 4))[1].at("output", "distance")
        told.append(seen.beyond_permuted is not None and math.isfinite(seen.value))
        hits += bool(seen.beyond_permuted)
    return all_of(rare(hits, draws, 0.1), Found(f"{sum(told)} of {draws} judged", "all", all(told)))


def bound_by_hand(rng, draws):
    """Cells of equal width over a layer's own range, counted; the bound's height over the same I(X;T) by the curve."""
    out = []
    for bins, kinds in ((4, 3), (9, 5)):
        net, x, p, _ = _bounded(rng, bins, kinds)
        found, curve = _distances(net, x, p, bins)[0], dt.bottleneck_curve(p)
        with torch.no_grad():
            layers = [net[:2](x).double().numpy(), net(x).double().numpy()]
        for k, h in enumerate(layers):
            edges = np.linspace(h.min(), h.max(), bins + 1)[:-1]
            cells = np.maximum(np.searchsorted(edges, h, side="left") - 1, 0)
            t = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
            joint = np.stack([p[t == c].sum(0) for c in range(t.max() + 1)])

            def bits(q):
                return float(-(q[q > 0] * np.log2(q[q > 0])).sum())

            i_x, i_y = bits(joint.sum(1)), bits(joint.sum(1)) + bits(joint.sum(0)) - bits(joint)
            known = [max(0.0, float(curve.bound(i_x)) - i_y), i_x, i_y]
            out.append(near(found[3 * k : 3 * k + 3], known, 1e-6, f"{bins} cells: "))
            out.append(at_least(known[0], 0.01, "a distance that is no 0: "))
    return all_of(*out)


def constant_labels(rng, draws):
    """p(y|x) the same for every input: nothing to tell, and every layer is on the bound."""
    found, _ = _distances(*_bounded(rng, 6, kinds=1))
    return near([found[0], found[3], found[2], found[5]], 0, 1e-9)


def table_does_not_depend(rng, draws):
    """Counts, order of the label's columns, order of rows with their inputs, torch."""
    net, x, p, bins = _bounded(rng, 5)
    turn = rng.permutation(120)
    several = [(x, p), (x, p[:, ::-1].copy()), (x[turn], p[turn]), (x, torch.as_tensor(p))]
    return same([_distances(net, a, b, bins)[0] for a, b in several], 1e-6)


# cells


def cells_by_hand(rng, draws):
    return near(
        [cells_of_their_own([5, 5, 2, 9]), cells_of_their_own(range(7)), cells_of_their_own([1, 1])], [0.5, 1, 0], 0
    )


def crowded_at_random(rng, draws):
    """n inputs in n cells at random: alone with probability (1 - 1 / n)^(n - 1), about 1 / e."""
    n = 2000
    found = [cells_of_their_own(rng.integers(0, n, n)) for _ in range(draws)]
    return near(np.mean(found), (1 - 1 / n) ** (n - 1), 4 * 0.5 / math.sqrt(n * draws))


def cells_do_not_depend(rng, draws):
    s = rng.integers(0, 60, 100)
    several = [s, s[rng.permutation(100)], 7 - s, s.astype(str), torch.as_tensor(s)]
    return same([cells_of_their_own(v) for v in several])


ROWS = [
    Row(NC, "null", "noise of 2,000 units and 10 samples per class is no collapse", noise_is_no_collapse, 3, 50),
    Row(NC, "null", "shuffled labels, 10 units", shuffled_labels(10), 40, 1000),
    Row(NC, "null", "shuffled labels, more units than samples", shuffled_labels(400), 25, 500),
    Row(NC, "power", "class means of norm 3 in 300 units", weak_classes_are_found, 20, 200),
    Row(NC, "null", "NC3 of a random head is sqrt 2", random_head),
    Row(NC, "truth", "an exact simplex frame is 0 in every number", exact_frame),
    Row(NC, "truth", "a frame with noise: s^2 (C - 1)^2 / C (1 - 1 / n_c)", frame_with_noise, 5, 50),
    Row(NC, "truth", "by hand, unequal classes", by_hand),
    Row(NC, "invariance", "rotation, shift, unit, names, order, dtype, inference mode", collapse_does_not_depend),
    Row(NC, "truth", "refusals", collapse_refuses),
    *DECODERS,
    *PROPAGATION,
    *HESSIAN,
    Row(R2, "null", "unrelated units, 420 rows", unrelated_units(420), 3, 50),
    Row(R2, "null", "unrelated units, 2,000 rows", unrelated_units(2000), 1, 10),
    Row(R2, "truth", "polynomials of the components are explained", exact_polynomials),
    Row(R2, "truth", "half noise: 0.5", known_noise),
    Row(R2, "invariance", "rotation, scale, shift, units, torch", r2_does_not_depend),
    Row(R2, "truth", "refusals and constant units", r2_refuses),
    Row(BOUND, "null", "labels that have nothing to do with the inputs", unrelated_table, 8, 100),
    Row(BOUND, "truth", "cells counted by hand, the curve's height above them", bound_by_hand),
    Row(BOUND, "truth", "nothing to tell about the label", constant_labels),
    Row(BOUND, "invariance", "order of columns and rows, torch", table_does_not_depend),
    Row(ALONE, "null", "cells at random", crowded_at_random, 5, 100),
    Row(ALONE, "truth", "by hand", cells_by_hand),
    Row(ALONE, "invariance", "order, codes, names, torch", cells_do_not_depend),
]  # fmt: skip


@quick(ROWS)
def test_row(row):
    found = row.run()
    assert found.held, f"{found.measured}; needed: {found.needed}"
