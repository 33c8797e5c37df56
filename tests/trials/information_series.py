"""Series and groups: autocorrelated rows noted, blocks and groups in intervals and p."""

import numpy as np

import deeptheory as dt
from trials.frame import Found, Row, all_of, covers, near, often, rare, same, uniform

MI = dt.mutual_information


def series(rng, n, phi):
    x = rng.normal(size=n)
    for k in range(1, n):
        x[k] = phi * x[k - 1] + np.sqrt(1 - phi**2) * x[k]
    return x


def series_noted(rng, draws):
    out = []
    for phi in (0.6, 0.9, 0.99):
        got = MI(series(rng, 2000, phi), series(rng, 2000, phi))
        out.append(near(any("series" in t for t in got.notes), True, 0, f"both AR({phi}): "))
    slow = MI(series(rng, 2000, 0.99), rng.normal(size=2000))
    out.append(near(any("series" in t for t in slow.notes), False, 0, "one side white: "))
    label = np.sort(rng.integers(0, 4, 1000))
    got = MI(rng.normal(size=1000) + label, label)
    out.append(near(any("series" in t for t in got.notes), False, 0, "rows sorted by class: "))
    return all_of(*out)


def series_false(rng, draws):
    """Independent rows of 20 columns are not called a series."""
    hits = 0
    for _ in range(draws):
        got = MI(rng.normal(size=(300, 20)), rng.normal(size=(300, 20)), "gaussian")
        hits += any("series" in t for t in got.notes)
    return rare(hits, draws)


def blocks(rng, draws):
    hits = 0
    for _ in range(draws):
        got = MI(series(rng, 4000, 0.8), series(rng, 4000, 0.8), "ksg", block=20)
        hits += got.low <= 0 <= got.high
    return covers(hits, draws)


def block_p(rng, draws):
    p = [MI(series(rng, 400, 0.8), series(rng, 400, 0.8), "ksg", permutations=19, block=40).p for _ in range(draws)]
    return uniform(p)


def grouped(rng, draws):
    """Rows of one group share a mean on both sides, groups are independent: p by permuted groups."""
    p = []
    for _ in range(draws):
        at = np.repeat(np.arange(40), 5)
        x, y = (rng.normal(size=40)[at] + rng.normal(size=200) for _ in range(2))
        p.append(MI(x, y, "ksg", permutations=19, groups=at).p)
    return uniform(p)


def coupled(rng, n, drive):
    """x an AR(.5); y_t = .5 y_t-1 + drive x_t-1 + noise."""
    x, y = rng.normal(size=(2, n))
    for t in range(1, n):
        x[t] += 0.5 * x[t - 1]
        y[t] += 0.5 * y[t - 1] + drive * x[t - 1]
    return x, y


def transfer_null(method, n):
    """Two AR(.5) that do not know of each other: the interval holds 0."""

    def check(rng, draws):
        got = [dt.information.transfer_entropy(*coupled(rng, n, 0), method=method) for _ in range(draws)]
        return covers(sum(g.low <= 0 <= g.high for g in got), draws)

    return check


def transfer_p(rng, draws):
    """p by shifts in time is uniform where y drives x but x not y."""
    pairs = (coupled(rng, 300, 0.5)[::-1] for _ in range(draws))
    return uniform([dt.information.transfer_entropy(a, b, method="gaussian", shifts=19).p for a, b in pairs])


def transfer_truth(rng, draws):
    """A driven series by its covariance (a Lyapunov equation); binary: a symmetric channel; which way round, units and
    names do not matter."""
    truth = driven_bits(0.8)
    x, y = coupled(rng, 4000, 0.8)
    b = rng.integers(0, 2, 4000)
    d = np.r_[0, b[:-1]] ^ (rng.random(4000) < 0.1)
    te = dt.information.transfer_entropy
    names = np.array(["off", "on"])
    return all_of(
        near(te(x, y).value, truth, 0.06, "neighbors: "),
        near(te(x, y, method="gaussian").value, truth, 0.05, "Gaussian: "),
        near(te(b, d).value, 1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9), 0.04, "binary: "),
        same([te(b, d).value, te(names[b], names[d].astype(object)).value, te(1 - b, d).value], 1e-12),
        same([te(x, y).value, te(1e6 * x, 1e-6 * y).value], 1e-6),
    )


def driven_bits(drive):
    """Of `coupled`: given y's past, x is a normal of variance v by the joint covariance: log2(1 + drive^2 v) / 2."""
    from scipy.linalg import solve_discrete_lyapunov

    c = solve_discrete_lyapunov(np.array([[0.5, 0], [drive, 0.5]]), np.eye(2))
    return 0.5 * np.log2(1 + drive**2 * (c[0, 0] - c[0, 1] ** 2 / c[1, 1]))


def transfer_intervals(method, n, drive):
    """Where there is an interval, it holds the closed form."""
    truth = driven_bits(drive)

    def check(rng, draws):
        got = [dt.information.transfer_entropy(*coupled(rng, n, drive), method=method) for _ in range(draws)]
        there = [g for g in got if g.low == g.low]
        if 2 * len(there) < draws:
            return Found(f"{len(there)} of {draws} have an interval", "half of them", False)
        return covers(sum(g.low <= truth <= g.high for g in there), len(there))

    return check


def transfer_power(method, n, drive):
    def check(rng, draws):
        p = [dt.information.transfer_entropy(*coupled(rng, n, drive), method=method, shifts=19).p for _ in range(draws)]
        return often(sum(v <= 0.05 for v in p), draws, 0.8)

    return check


def transfer_p_of(method, n, discrete=False):
    """p by shifts is uniform for series that do not know of each other."""

    def check(rng, draws):
        p = []
        for _ in range(draws):
            x, y = coupled(rng, n, 0)
            x, y = (np.int64(x > 0), np.int64(y > 0)) if discrete else (x, y)
            p.append(dt.information.transfer_entropy(x, y, method=method, shifts=19).p)
        return uniform(p)

    return check


def common_driver(rng, n):
    """z an AR(.6) that drives x and y alike, one row later; x adds nothing to y given both pasts."""
    z, x, y = rng.normal(size=(3, n))
    for t in range(1, n):
        z[t] += 0.6 * z[t - 1]
        x[t] += 0.8 * z[t - 1]
        y[t] += 0.3 * y[t - 1] + 0.8 * z[t - 1]
    return x, y, z


def driver_given(rng, draws):
    """Without z: the closed form of the spurious value (by the covariance of all three); given z: the interval
    holds 0."""
    from scipy.linalg import solve_discrete_lyapunov

    a = np.array([[0.6, 0, 0], [0.8, 0, 0], [0.8, 0, 0.3]])  # z, x, y
    c = solve_discrete_lyapunov(a, np.eye(3))
    now = c @ a[2]  # covariance of (z, x, y) with the next y
    full = np.block([[c[1:, 1:], now[1:, None]], [now[None, 1:], c[2:, 2:]]])  # x, y, next y

    def left(i, given):
        return full[i, i] - full[i, given] @ np.linalg.solve(full[np.ix_(given, given)], full[given, i])

    truth = 0.5 * np.log2(left(2, [1]) / left(2, [0, 1]))
    te = dt.information.transfer_entropy
    plain, hits = [], 0
    for _ in range(draws):
        x, y, z = common_driver(rng, 2000)
        plain.append(te(x, y, method="gaussian").value)
        got = te(x, y, given=z, method="gaussian")
        hits += got.low <= 0 <= got.high
    return all_of(near(np.mean(plain), truth, 0.01, "without z: "), covers(hits, draws))


def transfer_same(rng, draws):
    """Units, names, dtypes, nats, a constant column beside, and rows of other series do not matter."""
    import torch

    te = dt.information.transfer_entropy
    x, y = coupled(rng, 500, 0.6)
    z = np.roll(x, 7)
    one = te(x, y, given=z).value
    b, d = np.int64(x > 0), np.int64(y > 0)
    words = np.array(["off", "on"])
    return all_of(
        same([one, te(1e100 * x, 1e-100 * y, given=1e6 * z).value, te(x[:, None], y[:, None], given=z).value], 1e-6),
        same([one, te(torch.as_tensor(x), torch.as_tensor(y), given=torch.as_tensor(z)).value], 1e-9),
        same([one, te(x, y, given=np.c_[z, np.ones(500)]).value], 1e-9),
        same([one * np.log(2), te(x, y, given=z, unit="nats").value], 1e-9),
        same([te(b, d, history=2).value, te(words[b], words[1 - d], history=2).value], 1e-12),
    )


def lagged_p(rng, draws):
    """p by blocks of two AR(.5) at lag 2."""
    got = (
        dt.information.lagged_information(*coupled(rng, 600, 0), [2], block=30, method="gaussian", permutations=19)
        for _ in range(draws)
    )
    return uniform([g.estimates[0].p for g in got])


def lagged_intervals(method, phi):
    """Two AR(phi), one the other with noise of the same memory: a closed form."""
    truth = -0.5 * np.log2(1 - 1 / 1.49)

    def check(rng, draws):
        hits = there = 0
        for _ in range(draws):
            s = series(rng, 3000, phi)
            (got,) = dt.information.lagged_information(
                s + 0.7 * series(rng, 3000, phi), s, [0], method=method
            ).estimates
            there += got.low == got.low
            hits += got.low <= truth <= got.high
        if 2 * there < draws:
            return Found(f"{there} of {draws} have an interval", "half of them", False)
        return covers(hits, there)

    return check


def lagged_same(rng, draws):
    """Reversed time is the other sign of the lag; units, nats, names do not matter."""
    li = dt.information.lagged_information
    x, y = coupled(rng, 500, 0.6)
    values = [e.value for e in li(x, y, [-3, 0, 2], method="ksg").estimates]
    turned = [e.value for e in li(x[::-1], y[::-1], [3, 0, -2], method="ksg").estimates]
    swapped = [e.value for e in li(y, x, [3, 0, -2], method="ksg").estimates]
    nats = [e.value / np.log(2) for e in li(1e9 * x, -y, [-3, 0, 2], method="ksg", unit="nats").estimates]
    b, d = np.int64(x > 0), np.int64(y > 0)
    words = np.array(["off", "on"])
    counted = [[e.value for e in li(u, v, [1], method="plugin").estimates] for u, v in ((b, d), (words[b], 1 - d))]
    return all_of(same([values, turned, swapped, nats], 1e-6), same(counted, 1e-12))


def noted_where(rng, draws):
    """Series are noted by entropies and under a condition, not where what is left is no series."""
    a, b, c = (series(rng, 1000, 0.9) for _ in range(3))
    white, label = rng.normal(size=1000), rng.integers(0, 3, 1000)
    chain = np.cumsum(rng.random(1000) < 0.05) % 2
    CMI, H, given = dt.conditional_mutual_information, dt.entropy, dt.information.conditional_entropy
    cases = [
        (H(a), True), (H(white), False), (H(chain), True), (H(np.sort(label)), False), (H(label), False),
        (CMI(a, b, c, method="gaussian"), True), (CMI(a, b, label, method="ksg"), True),
        (CMI(white, b, c, method="gaussian"), False), (CMI(a[1:], b[1:], b[:-1], method="gaussian"), False),
        (given(a, b, method="gaussian"), True), (given(a[1:], a[:-1], method="gaussian"), False),
        (given(b + white, b, method="gaussian"), False), (given(chain, label), True),
    ]  # fmt: skip
    told = [any("look like" in note for note in got.notes) == wanted for got, wanted in cases]
    return near([float(t) for t in told], 1, 0, "as wanted: ")


def series_entropy(rng, draws):
    """The entropy of an AR(.8) by blocks."""
    truth = 0.5 * np.log2(2 * np.pi * np.e)
    got = [dt.entropy(series(rng, 3000, 0.8), block=10) for _ in range(draws)]
    return covers(sum(g.low <= truth <= g.high for g in got), draws)


def lags_found(rng, draws):
    """The lag of a driven series is the largest, its value the closed form, and lags before it hold 0."""
    x = rng.normal(size=3000)
    y = 0.8 * np.roll(x, 3) + 0.6 * rng.normal(size=3000)
    got = dt.information.lagged_information(x, y, range(-2, 6))
    values = [e.value for e in got.estimates]
    return all_of(
        near(got.lag[got.best], 3, 0, "lag: "),
        near(max(values), -0.5 * np.log2(0.36), 0.06),
        near(sorted(values)[:-1], 0, 0.06, "others: "),
    )


def lags_null(rng, draws):
    """Independent AR(.5): intervals by blocks hold 0."""
    got = [dt.information.lagged_information(*coupled(rng, 2000, 0), [2]).estimates[0] for _ in range(draws)]
    return covers(sum(g.low <= 0 <= g.high for g in got), draws)


SERIES = [
    *(Row("information.transfer_entropy", "null", f"{m}: two AR(.5) of 1,000, their own blocks", transfer_null(m, 1000),
        q, 200) for m, q in (("gaussian", 40), ("ksg", 0))),
    Row("information.transfer_entropy", "null", "p by shifts against the drive, n = 300", transfer_p, 40, 400),
    *(Row("information.transfer_entropy", "null", f"p by shifts, {m}: two AR(.5), n = 300", transfer_p_of(m, 300, d),
        q, 400) for m, d, q in (("ksg", False, 0), ("plugin", True, 20))),
    *(Row("information.transfer_entropy", "truth", f"{m}: intervals of a driven AR(.5) of 2,000, drive {drive}",
        transfer_intervals(m, 2000, drive), q, 200)
      for m, drive, q in (("gaussian", 0.4, 20), ("gaussian", 0.8, 0), ("ksg", 0.4, 0), ("ksg", 0.8, 0))),
    *(Row("information.transfer_entropy", "power", f"{m}: p by shifts, n = 300, drive {drive}",
        transfer_power(m, 300, drive), q, 100) for m, drive, q in (("gaussian", 0.3, 20), ("ksg", 0.6, 0))),
    Row("information.transfer_entropy", "truth", "a common driver, by the covariance; given it: 0", driver_given, 5,
        200),
    Row("information.transfer_entropy", "invariance", "units, axes, torch, a constant beside, nats, names",
        transfer_same),
    Row("information.transfer_entropy", "truth", "a driven AR(.5), a binary channel; names, units", transfer_truth),
    Row("information.lagged_information", "truth", "a series driven at lag 3, closed form", lags_found),
    Row("information.lagged_information", "null", "two AR(.5) of 2,000 at lag 2", lags_null, 20, 200),
    Row("information.lagged_information", "null", "p by blocks of 30, two AR(.5) of 600 at lag 2", lagged_p, 20, 400),
    *(Row("information.lagged_information", "truth", f"{m}: intervals of AR({phi}) with noise of its memory, n = 3,000",
        lagged_intervals(m, phi), q, 200)
      for m, phi, q in (("gaussian", 0.6, 20), ("gaussian", 0.8, 0), ("ksg", 0.8, 0))),
    Row("information.lagged_information", "invariance", "time reversed, sides swapped, units, nats, names",
        lagged_same),
    Row("entropy", "truth", "series are noted where they are, under conditions too", noted_where),
    Row("entropy", "truth", "an AR(.8) of 3,000, intervals by blocks of 10", series_entropy, 0, 200),
    Row("information.LaggedInformation.best", "truth", "the lag of a driven series", lags_found),
]  # fmt: skip
