"""Every method of mutual_information by permutations, by groups and by blocks; normalized, local and convergence at the
edges of what they are asked for."""

import numpy as np

import deeptheory as dt
from trials.frame import Row, all_of, covers, near, often, same, uniform
from trials.information_checks import of_normals, pair

MI, CMI, H = dt.mutual_information, dt.conditional_mutual_information, dt.entropy
NUMBERS = ("auto", "ksg", "mixed", "gaussian", "copula", "lnc", "kl", "wkl", "compressed", "kde-bounds")
METHODS = (*NUMBERS, "labels", "plugin")


def coded(method, x, y):
    """Numbers x, y as the method takes them: signs and quarters are its labels."""
    if method == "plugin":
        x, y = np.digitize(x, [-0.7, 0, 0.7]), np.digitize(y, [-0.7, 0, 0.7])
    return x, np.int64(y > 0) if method == "labels" else y


def in_groups(rng, groups, size, rho=0.0, within=0.5):
    """Normals x, y [groups * size] and the groups: a fraction 1 - within of the variance is common to a group; both
    parts of x and y are correlated by rho, so that the pair is normal of correlation rho."""
    at = np.repeat(np.arange(groups), size)
    parts = []
    for n, share in ((groups, 1 - within), (groups * size, within)):
        u, v = rng.normal(size=(2, n))
        both = np.sqrt(share) * np.stack([u, rho * u + np.sqrt(1 - rho**2) * v])
        parts.append(both[:, at] if n == groups else both)
    x, y = parts[0] + parts[1]
    return x, y, at


def p_uniform(method, n=60, **options):
    def check(rng, draws):
        p = []
        for _ in range(draws):
            x, y = coded(method, *rng.normal(size=(2, n)))
            p.append(MI(x, y, method, permutations=19, **options).p)
        return uniform(p)

    return check


def p_power(method):
    """p = .05 for .5 bit in 100 samples (labels, counts: of their source)."""

    def check(rng, draws):
        p = [
            MI(*coded(method, *(v[:, 0] for v in pair(rng, 100, np.sqrt(0.5)))), method, permutations=19).p
            for _ in range(draws)
        ]
        return often(sum(v <= 0.05 for v in p), draws, 0.8)

    return check


def p_by_groups(method):
    """40 groups of 4 rows with a common part on both sides: p by whole groups."""

    def check(rng, draws):
        p = []
        for _ in range(draws):
            x, y, at = in_groups(rng, 40, 4)
            p.append(MI(*coded(method, x, y), method, permutations=19, groups=at).p)
        return uniform(p)

    return check


def held_by_groups(method, rho):
    """60 groups of 10 rows: the interval holds 0, or for numbers the pair's own information."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            x, y, at = in_groups(rng, 60, 10, rho)
            got = MI(*coded(method, x, y), method, groups=at)
            hits += got.low <= of_normals(rho) <= got.high
        return covers(hits, draws)

    return check


def held_by_blocks(method):
    """Two AR(.7) of 3,000 that do not know of each other, blocks of 12."""
    from trials.information_series import series

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            got = MI(*coded(method, series(rng, 3000, 0.7), series(rng, 3000, 0.7)), method, block=12)
            hits += got.low <= 0 <= got.high
        return covers(hits, draws)

    return check


def pieces_same(rng, draws):
    """Names of groups, their order and that of rows, one row per group and permuted labels do not matter."""
    x, y, at = in_groups(rng, 40, 8, 0.6)
    names = rng.permutation(1000)[:40]
    turn = np.argsort(rng.permutation(40)[at], kind="stable")  # groups in another order, rows within as they were
    out = [MI(x, y, "gaussian", groups=g) for g in (at, at.astype(str), at.astype(float))]
    found = [[g.value, g.low, g.high] for g in out]
    moved = MI(x[turn], y[turn], "gaussian", groups=names[at][turn])
    block = [MI(x, y, m, groups=at, block=4, permutations=9) for m in ("gaussian", "ksg")]
    return all_of(
        same(found, 1e-12),
        same([out[0].value, moved.value], 1e-12),
        near([b.value for b in block], [MI(x, y, m).value for m in ("gaussian", "ksg")], 1e-12, "value as of rows: "),
        near([float(0 < b.p <= 1) for b in block], 1, 0, "p: "),
    )


def wider(rng, draws):
    """An interval of groups is never narrower than that of independent rows, and keeps the bracket of bounds."""
    out = []
    for method in METHODS:
        x, y, at = in_groups(rng, 60, 10, 0.5)
        x, y = coded(method, x, y)
        one, by = MI(x, y, method), MI(x, y, method, groups=at)
        out.append(float(by.low <= one.low + 1e-12 and by.high >= one.high - 1e-12))
    return near(out, 1, 0, "as wide: ")


def closed_local(rng, draws):
    """The log ratio of densities, sample by sample: of normals given by their formula; counts by their frequencies."""
    x, y = (v[:, 0] for v in pair(rng, 5000, 0.8))
    exact = (-0.5 * np.log(0.36) - (y - 0.8 * x) ** 2 / 0.72 + y**2 / 2) / np.log(2)
    near_counts = MI(x, y, "ksg", k=10).local
    label = rng.integers(0, 3, 3000)
    z = rng.normal(size=3000) + 2 * label
    parts = np.exp(-0.5 * (z[:, None] - 2 * np.arange(3)) ** 2)
    told = np.log2(parts[np.arange(3000), label] / parts.mean(1))
    return all_of(
        near(np.abs(MI(x, y, "gaussian").local - exact).mean(), 0, 0.05, "Gaussian, mean error: "),
        near(np.corrcoef(near_counts, exact)[0, 1], 1, 0.25, "neighbors, correlation: "),
        near(np.corrcoef(MI(z, label, "labels", k=10).local, told)[0, 1], 1, 0.25, "labels, correlation: "),
        near(np.abs(H(x, "kl", k=10).local - (0.5 * np.log2(2 * np.pi) + x**2 / 2 / np.log(2))).mean(), 0, 0.5, "h: "),
    )


def local_edges(rng, draws):
    """Their mean is the value where values tie, are 0, words, images, constant, or seen once; counts given z."""
    import pandas as pd

    n = 240
    x, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    label = rng.integers(0, 4, n)
    words = np.array(list("abcd"))[label]
    once = np.where(np.arange(n) == 7, 99, label)
    cases = [
        MI(np.maximum(x, 0), y, "ksg"), MI(np.maximum(x, 0), np.maximum(y, 0), "mixed"), MI(np.ones(n), y, "ksg"),
        MI(x, once, "labels"), MI(words, label, "plugin"), MI(pd.Series(words).astype("category"), label, "plugin"),
        MI(x.reshape(n, 1, 2, 1), y, "ksg"), MI(x, words, "ksg"), MI(np.round(x), np.round(y), "plugin"),
        MI(x * 1e-200, y * 1e200, "ksg"), MI(x[:5], y[:5], "ksg"), MI(x, y, "ksg", groups=label), H(words), H(x),
        MI(x, y, "gaussian", block=5), CMI(label, once, np.arange(n) % 2, method="plugin"),
        MI(label, label, "plugin", correct=True), MI(np.ones(n, int), label, "plugin"),
    ]  # fmt: skip
    return near([float(np.nanmean(got.local)) - got.value for got in cases], 0, 1e-9, "mean less value: ")


def normalized_edges(rng, draws):
    """Order, names, units, which side is which; constants, unbounded intervals, infinite values, a value above H(Y)."""
    x = rng.integers(0, 4, 400)
    y = np.where(rng.random(400) < 0.5, x, rng.integers(0, 4, 400))
    turn, names = rng.permutation(400), np.array([7, -1, 300, 12])
    forms = ("min entropy", "max entropy", "mean entropy", "geometric mean entropy", "joint entropy", "correlation")
    plain, turned = MI(x, y, "plugin"), MI(y, x, "plugin")
    one = [plain.normalized(f).value for f in forms]
    few = MI(x[:15], y[:15], "plugin").normalized()
    z = rng.normal(size=400)
    above = MI(x, y, lambda x, y: dt.Estimate(value=2.5, low=2, high=3, method="m")).normalized()
    return all_of(
        same([one, [MI(names[y][turn], x[turn].astype(str), "plugin").normalized(f).value for f in forms]], 1e-12),
        same([MI(x, y, "plugin", unit=u).normalized("x entropy").value for u in ("bits", "nats")], 1e-12),
        same([plain.normalized("x entropy").value, turned.normalized("y entropy").value], 1e-9),
        near([few.low, few.high], [-np.inf, np.inf], 0, "unbounded: "),
        near(MI(z, z, "gaussian").normalized("correlation").value, 1, 0, "infinite: "),
        near(float(np.isnan(MI(np.zeros(400, int), y, "plugin").normalized().value)), 1, 0, "a constant is NaN: "),
        near(float(any("above 1" in t for t in above.notes)), 1, 0, "above 1 is noted: "),
        near(float(MI(z, x, "labels").normalized("y entropy").value < 0.2), 1, 0, "numbers against a label: "),
    )


def normalized_held(rng, draws):
    """A channel that copies 4 symbols in half the cases: the interval holds the fraction."""
    p = np.full((4, 4), 0.5 / 16) + np.eye(4) * 0.5 / 4
    truth, hits = float((p * np.log2(p * 16)).sum()) / 2, 0
    for _ in range(draws):
        x = rng.integers(0, 4, 300)
        y = np.where(rng.random(300) < 0.5, x, rng.integers(0, 4, 300))
        got = MI(x, y, "plugin", correct=True).normalized()
        hits += got.low <= truth <= got.high
    return covers(hits, draws)


def converged_edges(rng, draws):
    """The end is the value, sizes are those of the parts, figures draw: few and uneven groups, blocks, words, ties,
    constants, infinite values, unbounded intervals, permutations, conditions."""
    n = 240
    x, y = rng.normal(size=(n, 2)), rng.normal(size=n)
    label = rng.integers(0, 4, n)
    words = np.array(list("abcd"))[label]
    uneven = np.r_[np.zeros(200), np.arange(40)]
    cases = [
        MI(x, y, "ksg", groups=np.arange(n) // 80), MI(x, y, "ksg", groups=np.arange(n) // 120),
        MI(x, y, "ksg", groups=uneven), MI(x, y, "ksg", block=7), MI(x, words), MI(words, label, "plugin"),
        MI(np.maximum(x, 0), y, "mixed"), MI(np.ones(n), y, "ksg"), MI(x, x, "gaussian"), MI(x[:24], y[:24]),
        MI(x, y, "ksg", permutations=3), MI(x.reshape(n, 1, 2, 1), y, "ksg"), H(words), H(x), CMI(x, y, label),
        CMI(x, y, x[:, :1] + y[:, None], method="gaussian", groups=np.arange(n) // 3),
    ]  # fmt: skip
    found = [got.convergence() for got in cases]
    whole = [(c.value[-1], got.value) for c, got in zip(found, cases)]
    sized = [(np.diff(c.n) > 0).all() and (c.n[:-1] * c.parts[:-1] <= n).all() for c in found]
    rounded = [c for c, got in zip(found, cases) if abs(got.value) < 1e-12]
    return all_of(
        same([[a for a, b in whole if np.isfinite(b)], [b for _, b in whole if np.isfinite(b)]], 1e-12),
        near(np.array(sized, dtype=float), 1, 0, "sizes: "),
        near([len(c.figure().data[0].x) - len(c.n) for c in found], 0, 0, "drawn: "),
        near([float(c.notes == ()) for c in rounded], 1, 0, "rounding is no change: "),
    )


def converged_same(rng, draws):
    """Nats, torch, frames, permutations= and which rows come first (by parts drawn) change nothing but the unit."""
    import pandas as pd
    import torch

    x, y = (v[:, 0] for v in pair(rng, 320, 0.6))
    one = MI(x, y, "gaussian").convergence().value
    others = [
        MI(x, y, "gaussian", unit="nats").convergence().value / np.log(2),
        MI(torch.as_tensor(x), torch.as_tensor(y), "gaussian").convergence().value,
        MI(pd.Series(x), pd.Series(y), "gaussian", permutations=3).convergence().value,
        MI(7 * x, -y, "gaussian").convergence().value,
    ]
    return same([one, *others], 1e-9)


def settled_null(rng, draws):
    """Independent normals by the Gaussian form with its bias known: the curve falls as 1 / n."""
    got = [MI(*rng.normal(size=(2, 400)), "gaussian").convergence((0.25, 0.5)).value for _ in range(20 * draws)]
    return near(np.mean(got, axis=0), 0, 0.03)


def discrete_floats(rng, draws):
    """Floats from 2^53 on are all integers: they are no symbols unless they repeat."""
    from trials.frame import refused

    z, label = rng.normal(size=300), rng.integers(0, 3, 300)
    far = np.array([1e200, 3e200, -1e201])[label]
    return all_of(
        refused(lambda: MI(z * 1e200, label, "plugin"), "bin them first"),
        refused(lambda: MI(label, z * 1e200, "ksg").normalized("y entropy"), "y is continuous"),
        same([MI(far, label, "plugin").value, H(label).value], 1e-12),
    )


PIECES = [
    *(Row("mutual_information", "null", f"permutation p, {m}, n = {n}", p_uniform(m, n), q, 400)
      for m, n, q in (("auto", 60, 0), ("plugin", 60, 40), ("mixed", 60, 0), ("kl", 60, 0), ("wkl", 60, 0),
          ("kde-bounds", 60, 0))),
    Row("mutual_information", "null", "permutation p, plugin with nsb, n = 60", p_uniform("plugin", correct="nsb"), 0,
        400),
    *(Row("mutual_information", "power", f"permutation p, {m}: .5 bit, n = 100", p_power(m), q, 100)
      for m, q in (("auto", 0), ("ksg", 10), ("mixed", 0), ("gaussian", 20), ("copula", 0), ("lnc", 0), ("kl", 0),
          ("wkl", 0), ("labels", 10), ("plugin", 20))),
    *(Row("mutual_information", "null", f"permutation p by 40 groups of 4, {m}", p_by_groups(m), q, 400)
      for m, q in (("auto", 0), ("mixed", 0), ("gaussian", 20), ("copula", 0), ("labels", 10), ("plugin", 20),
          ("kl", 0), ("kde-bounds", 0))),
    *(Row("mutual_information", "null", f"60 groups of 10, {m}", held_by_groups(m, 0.0), q, 200)
      for m, q in (("auto", 0), ("ksg", 0), ("mixed", 0), ("gaussian", 20), ("copula", 20), ("lnc", 0), ("kl", 0),
          ("wkl", 0), ("kde-bounds", 5), ("labels", 10), ("plugin", 20))),
    *(Row("mutual_information", "truth", f"60 groups of 10, {m}: normals of correlation .6", held_by_groups(m, 0.6), q,
        200) for m, q in (("auto", 0), ("gaussian", 20), ("copula", 20), ("ksg", 0))),
    *(Row("mutual_information", "null", f"two AR(.7) of 3,000, blocks of 12, {m}", held_by_blocks(m), q, 200)
      for m, q in (("gaussian", 20), ("copula", 0), ("ksg", 0), ("plugin", 20), ("labels", 0))),
    Row("mutual_information", "invariance", "names and order of groups; groups with blocks", pieces_same),
    Row("mutual_information", "truth", "an interval by groups is as wide as that of rows, every method", wider),
    Row("mutual_information", "truth", "floats from 2^53 on are no symbols unless they repeat", discrete_floats),
    Row("information.InformationEstimate.local", "truth", "log ratios of densities: closed forms", closed_local),
    Row("information.InformationEstimate.local", "truth", "ties, zeros, words, images, a label seen once, given z",
        local_edges),
    Row("information.InformationEstimate.normalized", "invariance", "order, names, units, sides; the edges",
        normalized_edges),
    Row("information.InformationEstimate.normalized", "truth", "a channel, n = 300: intervals", normalized_held, 40,
        400),
    Row("information.InformationEstimate.convergence", "truth", "groups, blocks, ties, constants, infinite, unbounded",
        converged_edges),
    Row("information.InformationEstimate.convergence", "invariance", "nats, torch, pandas, units, permutations",
        converged_same),
    Row("information.InformationEstimate.convergence", "null", "independent normals stay at 0", settled_null, 1, 5),
]  # fmt: skip
