"""Rows of the estimators that stand beside the first: variants, corrections, copula, boxes, bounds, conditional
entropies, and of what an estimate can say of itself."""

import numpy as np

import deeptheory as dt
from deeptheory.information import conditional_entropy
from deeptheory.information.estimators.nsb import nsb
from trials.frame import Row, all_of, covers, near, often, same
from trials.information_checks import (
    counts,
    dense,
    heavy,
    labels,
    normal_truth,
    nothing_shared,
    null_p,
    of_normals,
    pair,
    relu,
    units_and_order,
)

MI, H = dt.mutual_information, dt.entropy
MESNER = {"variant": "mesner-shalizi"}
SECOND = {"variant": 2}


def additive(n, noise):
    """y = x + uniform noise on [-e, e], x uniform on [0, 1]: e - log(2 e) nats."""

    def draw(rng):
        x = rng.uniform(size=n)
        return x, x + rng.uniform(-noise, noise, n)

    return draw, (noise - np.log(2 * noise)) / np.log(2)


def strong(noise, n, within):
    draw, truth = additive(n, noise)

    def check(rng, draws):
        return near(np.mean([MI(*draw(rng), "lnc").value for _ in range(draws)]), truth, within)

    return check


def strong_intervals(noise, n):
    draw, truth = additive(n, noise)

    def check(rng, draws):
        got = [MI(*draw(rng), "lnc") for _ in range(draws)]
        return covers(sum(g.low <= truth <= g.high for g in got), draws)

    return check


def power(method, **options):
    def check(rng, draws):
        rho = np.sqrt(1 - 2**-0.4)
        return often(sum(MI(*pair(rng, 1000, rho), method, **options).low > 0 for _ in range(draws)), draws, 0.8)

    return check


def copula_tails(rng, draws):
    """Any increasing map of the columns: lognormals, cubes, a uniform."""
    out = []
    for _ in range(draws):
        u, v = pair(rng, 2000, 0.8)
        for x, y in ((np.exp(3 * u), v**3), (1 / (1 + np.exp(-u)), -v)):
            out.append(MI(x, y, "copula").value)
    return near(np.mean(out), of_normals(0.8), 0.04)


def below_the_truth(rng, draws):
    """Dependence that is no normal: y = x + .7 x^2 + noise of .3, its entropy by quadrature; neighbor counts see it."""
    u, v = np.linspace(-7, 7, 2801), np.linspace(-6, 45, 10_201)
    noise = np.exp(-0.5 * ((v[:, None] - u - 0.7 * u**2) / 0.3) ** 2) / np.sqrt(2 * np.pi) / 0.3
    p = noise @ np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi) * (u[1] - u[0])
    of_y = -(p * np.log2(np.maximum(p, 1e-300))).sum() * (v[1] - v[0])
    truth = of_y - 0.5 * np.log2(2 * np.pi * np.e * 0.3**2)
    copula, neighbors = [], []
    for _ in range(draws):
        x = rng.normal(size=2000)
        y = x + 0.7 * x**2 + 0.3 * rng.normal(size=2000)
        copula.append(MI(x, y, "copula").value)
        neighbors.append(MI(x, y, "ksg").value)
    below = often(sum(g < truth - 0.1 for g in copula), draws, 0.95)
    return all_of(
        below, near(np.mean(neighbors), truth, 0.1, "neighbor counts: "), near(p.sum() * (v[1] - v[0]), 1, 1e-6)
    )


def few_counts(correct, n):
    """Intervals of H of 50 symbols with Dirichlet probabilities, known alphabet."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            p = rng.dirichlet(np.ones(50))
            x = rng.choice(50, n, p=p)
            more = {"alphabet": 50} if correct in ("nsb", "shrink") else {}
            got = H(x, "plugin", correct=correct, **more)
            hits += got.low <= -(p[p > 0] * np.log2(p[p > 0])).sum() <= got.high
        return covers(hits, draws)

    return check


def of_the_prior(rng, draws):
    """Symbols drawn as NSB's prior says (the expected entropy uniform up to log K): the posterior mean is unbiased and
    the posterior's 95 % hold the truth in 95 %, at 20 samples of 30 symbols."""
    from scipy.optimize import brentq
    from scipy.special import digamma

    off, hits = [], 0
    for _ in range(draws):
        xi = rng.uniform(0, np.log(30))
        log_beta = brentq(lambda u, xi: digamma(30 * np.exp(u) + 1) - digamma(np.exp(u) + 1) - xi, -40, 40, (xi,))
        p = rng.dirichlet(np.full(30, np.exp(log_beta))) if log_beta > -6 else np.eye(30)[0]
        counts = np.bincount(rng.choice(30, 20, p=p))
        mean, deviation = nsb(counts[counts > 0], 30)
        off.append(mean + (p[p > 0] * np.log2(p[p > 0])).sum())
        hits += abs(off[-1]) <= 1.96 * deviation + 1e-3
    return all_of(
        near(np.mean(off), 0, 4 * np.std(off) / np.sqrt(draws), f"mean {np.mean(off):.3f}: "), covers(hits, draws)
    )


def nsb_order(rng, draws):
    x, y = rng.integers(0, 9, (2, 200))
    turn, names = rng.permutation(200), rng.permutation(500)[:9]
    one = MI(x, y, "plugin", correct="nsb").value, MI(y[turn], names[x][turn], "plugin", correct="nsb").value
    two = H(x, "plugin", correct="nsb").value, H(names[x][turn].astype(str), "plugin", correct="nsb").value
    return all_of(same(one, 1e-10), same(two, 1e-10))


def clusters(rng, draws):
    """Clusters far apart in units of the bandwidth: both bounds are the counts' value."""
    i = rng.integers(0, 5, 800)
    j = np.where(rng.random(800) < 0.7, i, rng.integers(0, 5, 800))
    plain = MI(i, j, "plugin").value
    jitter = 1e-3 * rng.normal(size=(2, 800))
    out = [
        near(MI(i + jitter[0], j + jitter[1], "kde-bounds", bandwidth=0.05, bound=b).value, plain, 0.02, f"{b}: ")
        for b in ("lower", "upper")
    ]
    return all_of(*out)


def bracket(rng, draws):
    """The interval holds the closed form for normals smoothed by noise of the same size."""
    hits = 0
    for _ in range(draws):
        x, y = pair(rng, 400, 0.8)
        got = MI(x, y, "kde-bounds", bandwidth=0.5)
        hits += got.low <= of_normals(0.8 / 1.25) <= got.high
    return covers(hits, draws)


def given_truth(rng, draws):
    label = rng.integers(0, 3, 2000)
    x, z = rng.normal(size=(2, 2000))
    own = 0.5 * np.log2(2 * np.pi * np.e)
    return all_of(
        near(conditional_entropy((label + rng.integers(0, 2, 2000)) % 3, label).value, 1, 0.02, "counts: "),
        near(conditional_entropy(label, x).value, np.log2(3), 0.05, "a label, independent numbers: "),
        near(conditional_entropy(label, x + 50 * label).value, 0, 0.05, "a label that numbers name: "),
        near(conditional_entropy(x + 50 * label, label).value, own, 0.1, "numbers given a label: "),
        near(conditional_entropy(0.6 * z + 0.8 * x, z).value, own + np.log2(0.8), 0.1, "numbers given numbers: "),
        near(
            conditional_entropy(0.6 * z + 0.8 * x, z, method="gaussian").value, own + np.log2(0.8), 0.06, "Gaussian: "
        ),
    )


def given_intervals(kind):
    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            n = 400
            if kind == "counts":
                y = rng.integers(0, 4, n)
                got, truth = conditional_entropy((y + rng.integers(0, 4, n)) % 4, y), 2.0
            elif kind == "numbers":
                y = rng.integers(0, 2, n)
                got, truth = conditional_entropy(rng.normal(size=n) + y, y), 0.5 * np.log2(2 * np.pi * np.e)
            elif kind == "a label":
                y = rng.normal(size=n)
                got, truth = conditional_entropy(rng.integers(0, 2, n), y), 1.0
            else:
                x, y = pair(rng, n, 0.6)
                got = conditional_entropy(x, y, method="gaussian")
                truth = 0.5 * np.log2(2 * np.pi * np.e * 0.64)
            hits += got.low <= truth <= got.high
        return covers(hits, draws)

    return check


def given_invariance(rng, draws):
    y = rng.integers(0, 3, 300)
    x = rng.normal(size=300) + y
    turn, names = rng.permutation(300), np.array([7, -4, 1000])
    z = (y + rng.integers(0, 2, 300)) % 3
    return all_of(
        same([conditional_entropy(x, y).value, conditional_entropy(x[turn], names[y][turn]).value], 1e-9),
        same([conditional_entropy(z, y).value, conditional_entropy(names[z][turn], y[turn].astype(str)).value], 1e-12),
        *(
            same([conditional_entropy(x, y).value, conditional_entropy(x * c, y).value - np.log2(c)], 1e-6)
            for c in (1e-100, 1e100)
        ),
        same([conditional_entropy(x, x + y).value, conditional_entropy(x[turn], (x + y)[turn]).value], 1e-9),
    )


def local_means(rng, draws):
    """Their mean is the value, in any order of rows and unit."""
    x, y = pair(rng, 300, 0.6)
    g = rng.integers(0, 4, 300)
    turn, out = rng.permutation(300), []
    for a, b, method in ((x, y, "ksg"), (x, y, "gaussian"), (x, g, "labels"), (g, (g + (x[:, 0] > 0)) % 4, "plugin")):
        got = MI(a, b, method)
        out.append(near(got.local.mean(), got.value, 1e-9, f"{method}: "))
        out.append(same([got.local[turn], MI(a[turn], b[turn], method).local], 1e-6))
        out.append(same([got.local * np.log(2), MI(a, b, method, unit="nats").local], 1e-9))
    return all_of(*out)


def local_null(rng, draws):
    """Independent normals: no local value of the Gaussian form is far from 0."""
    got = MI(*pair(rng, 5000, 0), "gaussian").local
    return near(np.quantile(got, [0.01, 0.99]), 0, 0.3)


def fractions(rng, draws):
    x = rng.integers(0, 4, 4000)
    y = np.where(rng.random(4000) < 0.5, x, rng.integers(0, 4, 4000))
    p = np.full((4, 4), 0.5 / 16) + np.eye(4) * 0.5 / 4
    truth = float((p * np.log2(p * 16)).sum())
    got = MI(x, y, "plugin", correct=True)
    return all_of(
        *(
            near(got.normalized(by).value, truth / 2, 0.02, f"{by}: ")
            for by in ("x entropy", "y entropy", "min entropy", "max entropy", "mean entropy", "geometric mean entropy")
        ),
        near(got.normalized("joint entropy").value, truth / (4 - truth), 0.02, "joint entropy: "),
        near(MI(x, x, "plugin").normalized().value, 1, 1e-12, "itself: "),
        near(MI(*pair(rng, 4000, 0.7), "gaussian").normalized("correlation").value, 0.7, 0.05, "correlation: "),
        same([got.normalized().value, MI(x, y, "plugin", correct=True, unit="nats").normalized().value], 1e-12),
    )


def fraction_null(rng, draws):
    hits = 0
    for _ in range(draws):
        got = MI(rng.integers(0, 4, 300), rng.integers(0, 3, 300), "plugin", correct=True).normalized()
        hits += got.low <= 0 <= got.high
    return covers(hits, draws)


def changes(rng, draws):
    """The plug-in's bias falls as 1 / n: so does what its curve shows; order of rows is no matter but for parts."""
    got = [MI(*rng.integers(0, 20, (2, 800)), "plugin").convergence((0.25, 0.5)) for _ in range(10 * draws)]
    bias = 19 * 19 / (2 * 800 * np.log(2))
    change = np.mean([g.change for g in got])
    settled = MI(*pair(rng, 2000, 0.6), "gaussian").convergence()
    return all_of(
        near(change, -bias, 0.25 * bias, f"{change:.3f}, half the bias at n / 2 is {bias:.3f}: "),
        near(settled.change, 0, 0.05, "Gaussian: "),
        near(settled.value[-1], of_normals(0.6), 0.1, "its end: "),
    )


NULL = [
    Row("mutual_information", "null", f"{said}: {case}", nothing_shared(x, y, method, **options), quick, 400)
    for said, method, options, case, x, y, quick in (
        ("ksg variant 2", "ksg", SECOND, "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 40),
        ("ksg variant 2", "ksg", SECOND, "5 x 1 zeros of a ReLU, n = 400", relu(400, 5), dense(400, 1), 0),
        ("ksg variant 2", "ksg", SECOND, "2 x 1 counts, n = 400", counts(400, 2), counts(400, 1), 0),
        ("mesner-shalizi", "mixed", MESNER, "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 0),
        ("mesner-shalizi", "mixed", MESNER, "5 x 1 zeros of a ReLU, n = 400", relu(400, 5), dense(400, 1), 40),
        ("mesner-shalizi", "mixed", MESNER, "2 x 1 counts, n = 400", counts(400, 2), counts(400, 1), 0),
        ("copula", "copula", {}, "1 x 1 Student of 2 degrees, n = 200", heavy(200, 1), heavy(200, 1), 40),
        ("copula", "copula", {}, "5 x 3 zeros of a ReLU, n = 200", relu(200, 5), dense(200, 3), 0),
        ("copula", "copula", {}, "2 x 1 counts, n = 200", counts(200, 2), counts(200, 1), 0),
        ("copula", "copula", {}, "40 x 20 dense, n = 200", dense(200, 40), dense(200, 20), 0),
        ("lnc", "lnc", {}, "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 40),
        ("lnc", "lnc", {}, "2 x 2 dense, n = 400", dense(400, 2), dense(400, 2), 0),
        ("lnc", "lnc", {}, "2 x 1 zeros of a ReLU, n = 400", relu(400, 2), dense(400, 1), 0),
        ("lnc", "lnc", {}, "1 x 1 counts, n = 400", counts(400, 1), counts(400, 1), 0),
        ("lnc", "lnc", {}, "1 x 1 Student of 2 degrees, n = 400", heavy(400, 1), heavy(400, 1), 0),
        ("kl", "kl", {}, "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 40),
        ("kl", "kl", {}, "2 x 2 dense, n = 400", dense(400, 2), dense(400, 2), 0),
        ("kde-bounds", "kde-bounds", {}, "2 x 1 dense, n = 300", dense(300, 2), dense(300, 1), 40),
        ("kde-bounds", "kde-bounds", {"bandwidth": 0.05}, "1 x 1 counts, n = 300", counts(300, 1), counts(300, 1), 0),
        ("kde-bounds", "kde-bounds", {"bandwidth": 0.05}, "6 symbols, n = 300", labels(300, *[1 / 6] * 6),
            labels(300, *[1 / 6] * 6), 40),
        ("plugin, nsb", "plugin", {"correct": "nsb"}, "6 x 6 symbols, n = 400", labels(400, *[1 / 6] * 6),
            labels(400, *[1 / 6] * 6), 40),
        ("plugin, nsb", "plugin", {"correct": "nsb"}, "30 x 30 symbols, n = 400", labels(400, *[1 / 30] * 30),
            labels(400, *[1 / 30] * 30), 0),
    )
]  # fmt: skip

MORE = [
    *NULL,
    *(Row("mutual_information", "null", f"permutation p, {said}, n = 60",
        null_p(dense(60, 1), dense(60, 1), method, **options), 0, 400)
      for said, method, options in (("ksg variant 2", "ksg", SECOND), ("lnc", "lnc", {}), ("copula", "copula", {}))),
    *(Row("mutual_information", "power", f"{said}: .2 bit of 1 x 1 normals, n = 1000", power(method, **options), q, 100)
      for said, method, options, q in (("ksg variant 2", "ksg", SECOND, 10), ("mesner-shalizi", "mixed", MESNER, 0),
          ("copula", "copula", {}, 10), ("lnc", "lnc", {}, 0))),
    *(Row("mutual_information", "truth", f"{said}: normals of correlation {rho}, closed form",
        normal_truth(method, rho, 0.06, **options), 2, 20)
      for said, method, options in (("ksg variant 2", "ksg", SECOND), ("mesner-shalizi", "mixed", MESNER),
          ("copula", "copula", {}), ("lnc", "lnc", {}), ("kl", "kl", {})) for rho in (0.3, 0.9)),
    Row("mutual_information", "truth", "ksg variant 2: 2 x 2 normals of correlation .6",
        normal_truth("ksg", 0.6, 0.06, 2, **SECOND), 2, 20),
    *(Row("mutual_information", "truth", f"lnc: uniform noise of {noise:g} on a uniform, n = {n}, closed form",
        strong(noise, n, within), 2, 20)
      for noise, n, within in ((0.1, 2000, 0.1), (1e-2, 2000, 0.35), (1e-4, 500, 0.5), (1e-8, 500, 0.5))),
    *(Row("mutual_information", "truth", f"lnc: intervals, uniform noise of {noise:g} on a uniform, n = 300",
        strong_intervals(noise, 300), q, 200) for noise, q in ((0.1, 0), (1e-2, 10), (1e-4, 10))),
    Row("mutual_information", "truth", "copula: any increasing map of normals", copula_tails),
    Row("mutual_information", "truth", "copula: below the truth where dependence is not normal",
        below_the_truth, 10, 100),
    Row("mutual_information", "truth", "kde-bounds: clusters, both bounds are the counts'", clusters),
    Row("mutual_information", "truth", "kde-bounds: normals with noise, the interval holds it", bracket, 20, 200),
    *(Row("mutual_information", "invariance", f"{said}: order of rows, units from 1e-200 to 1e200",
        units_and_order(method, **options))
      for said, method, options in (("ksg variant 2", "ksg", SECOND), ("mesner-shalizi", "mixed", MESNER),
          ("copula", "copula", {}), ("lnc", "lnc", {}), ("kl", "kl", {}), ("kde-bounds", "kde-bounds", {}))),
    *(Row("entropy", "truth", f"plugin, {c}: intervals of 50 Dirichlet symbols, n = {n}", few_counts(c, n), q, 400)
      for c, n, q in ((False, 500, 0), ("miller-madow", 500, 0), ("grassberger", 500, 0), ("chao-shen", 500, 0),
          ("shrink", 500, 0), ("nsb", 500, 40), ("nsb", 60, 40))),
    Row("entropy", "truth", "plugin, nsb: 20 samples of symbols drawn from its prior", of_the_prior, 60, 1000),
    Row("entropy", "invariance", "plugin, nsb: order, names of symbols, sides", nsb_order),
    Row("information.conditional_entropy", "truth", "labels and numbers on either side: closed forms", given_truth),
    *(Row("information.conditional_entropy", "null", f"intervals of {kind}, n = 400", given_intervals(kind), q, 400)
      for kind, q in (("counts", 40), ("numbers", 40), ("a label", 20), ("a normal", 40))),
    Row("information.conditional_entropy", "invariance", "order of rows, names, units: h(cX|Y) = h(X|Y) + log c",
        given_invariance),
    Row("information.InformationEstimate.local", "truth", "their mean is the value; order of rows, units", local_means),
    Row("information.InformationEstimate.local", "null", "independent normals: near 0 one by one", local_null),
    Row("information.InformationEstimate.normalized", "truth", "channels by their tables, a normal pair", fractions),
    Row("information.InformationEstimate.normalized", "null", "4 x 3 symbols, n = 300", fraction_null, 40, 400),
    Row("information.InformationEstimate.convergence", "truth", "a bias of 1 / n halves, a settled value stays",
        changes),
    Row("information.Convergence.change", "truth", "the plug-in's bias, Gaussian's none", changes),
]  # fmt: skip
