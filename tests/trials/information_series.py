"""Series and groups: autocorrelated rows noted, blocks and groups in intervals and p."""

import numpy as np

import deeptheory as dt
from trials.frame import all_of, covers, near, rare, uniform

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
