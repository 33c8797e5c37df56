"""Checks of test_information.py on counts and conditions: corrections of entropies, intervals given labels."""

import numpy as np

import deeptheory as dt
from trials.frame import Found, all_of, covers, near, same
from trials.information_checks import of_normals, pair

MI, CMI, H = dt.mutual_information, dt.conditional_mutual_information, dt.entropy


def corrected(name):
    """Entropies of 100 equal symbols and of a geometric law, n = 300 (exact by their sums): nearer than plain counts on
    average, within .09 bit; of 3,000 within .03."""

    def check(rng, draws):
        out = []
        laws = {"100 equal": np.full(100, 0.01), "geometric": 0.8 ** np.arange(60)}
        for law, p in laws.items():
            p = p / p.sum()
            truth = -(p * np.log2(p)).sum()
            for n, within in ((300, 0.09), (3000, 0.03)):
                x = [rng.choice(len(p), n, p=p) for _ in range(10 * draws)]
                off = [np.mean([H(v, "plugin", correct=c).value for v in x]) - truth for c in (False, name)]
                out.append(near(off[1], 0, within, f"{law}, n = {n}: "))
                if n == 300:
                    out.append(
                        Found(
                            f"{law}: {off[1]:.3f}, plain {off[0]:.3f}", "nearer than plain", abs(off[1]) < abs(off[0])
                        )
                    )
        return all_of(*out)

    return check


def corrected_order(rng, draws):
    """Order of rows, names of symbols, sides changed."""
    out = []
    for name in ("miller-madow", "grassberger", "chao-shen", "shrink"):
        x, y = rng.integers(0, 9, (2, 200))
        turn, names = rng.permutation(200), rng.permutation(500)[:9]
        out.append(
            same(
                [MI(x, y, "plugin", correct=name).value, MI(y[turn], names[x][turn], "plugin", correct=name).value],
                1e-12,
            )
        )
        out.append(
            same(
                [H(x, "plugin", correct=name).value, H(names[x][turn].astype(str), "plugin", correct=name).value], 1e-12
            )
        )
    return all_of(*out)


def given_labels(n, kinds, rho, method="ksg"):
    """Normals of correlation rho within each of so many labels (None: beside a normal), moved by them: closed form."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            x, y = pair(rng, n, rho)
            z = rng.normal(size=n) if kinds is None else rng.integers(0, kinds, n)
            got = CMI(x[:, 0] + 0.5 * z, y[:, 0] - 2 * z, z, method=method)
            hits += got.low <= of_normals(rho) <= got.high
        return covers(hits, draws)

    return check
