"""Series and groups: autocorrelated rows noted, blocks and groups in intervals and p."""

import numpy as np

import deeptheory as dt
from trials.frame import Row, all_of, covers, near, rare, same, uniform

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
    """Given y's past, x is a normal of variance v: log2(1 + .64 v) / 2, v by the joint covariance (a Lyapunov
    equation); binary: a symmetric channel; which way round, units and names do not matter."""
    from scipy.linalg import solve_discrete_lyapunov

    c = solve_discrete_lyapunov(np.array([[0.5, 0], [0.8, 0.5]]), np.eye(2))
    truth = 0.5 * np.log2(1 + 0.64 * (c[0, 0] - c[0, 1] ** 2 / c[1, 1]))
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
    Row("information.transfer_entropy", "truth", "a driven AR(.5), a binary channel; names, units", transfer_truth),
    Row("information.lagged_information", "truth", "a series driven at lag 3, closed form", lags_found),
    Row("information.lagged_information", "null", "two AR(.5) of 2,000 at lag 2", lags_null, 20, 200),
    Row("information.LaggedInformation.best", "truth", "the lag of a driven series", lags_found),
]  # fmt: skip
