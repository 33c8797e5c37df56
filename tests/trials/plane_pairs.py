"""Pairs of samples within classes and between them: Clusters and Cosines."""

import numpy as np

from deeptheory.information import Clusters, Cosines
from trials.frame import all_of, near, same


def pairs_by_hand(rng, draws):
    """Clusters and Cosines against all pairs one by one."""
    found = []
    for units in (1, 5, 40):
        a, y = rng.normal(size=(30, units)), rng.integers(0, 3, 30)
        d = np.linalg.norm(a[:, None] - a, axis=2)
        unit = a / np.linalg.norm(a, axis=1, keepdims=True)
        cos, own = unit @ unit.T, y[:, None] == y
        off = ~np.eye(30, dtype=bool)
        got = {
            **Clusters(1.0).summarise(a[None], y),
            **{f"cos {k}": v for k, v in Cosines().summarise(a[None], y).items()},
        }
        want = [
            -np.log2((d < 1).mean()),
            d[own & off].mean(),
            d[~own].mean(),
            np.where(off, d, np.inf).min(1).mean(),
            cos[own & off].mean(),
            cos[~own].mean(),
        ]
        keys = ("apart", "within", "between", "nearest", "cos within", "cos between")
        found.append(near([got[k][0] for k in keys], want, 1e-9))
    return all_of(*found)


def pairs_null(rng, draws):
    """Labels without meaning: within and between are equal in the mean."""
    off = []
    for _ in range(draws):
        a, y = rng.normal(size=(1, 40, 5)), rng.integers(0, 4, 40)
        c, k = Clusters(1.0).summarise(a, y), Cosines().summarise(a, y)
        off.append([c["within"][0] - c["between"][0], k["within"][0] - k["between"][0]])
    return all_of(*(near(np.mean(o), 0, 4 * np.std(o, ddof=1) / np.sqrt(draws)) for o in np.array(off).T))


def pairs_invariance(rng, draws):
    a, y = rng.normal(size=(1, 40, 5)), rng.integers(0, 3, 40)
    turn, units = rng.permutation(40), rng.permutation(5)
    out = []
    for x, t in ((a, y), (a[:, turn], y[turn]), (a[:, :, units], np.array(["u", "v", "w"])[y])):
        out.append(
            [
                *(v[0] for v in Clusters(1.0).summarise(x, t).values()),
                *(v[0] for v in Cosines().summarise(x, t).values()),
            ]
        )
    return same(out, 1e-9)
