"""Conditional mutual information I(X;Y|Z) from samples: by counts, by neighbours with and without ties, by covariances.

Sources: Frenzel & Pompe 2007 (KSG's counts with a condition), Mesner & Shalizi 2020 (the same where values repeat),
partial correlations, and the plug-in. Bits.
Traps: the plug-in's bias is the sum of those of all cells of z, large where z has many; neighbour counts are biased towards 0
with every column that z adds; independence given z is not shown by a small number, only by one whose interval holds 0.
"""

from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.gaussian import canonical
from deeptheory.information.estimators.neighbours import counts_around
from deeptheory.information.estimators.plugin import symbols
from deeptheory.information.estimators.samples import as_samples, batch_interval, columns_of, has_ties, rescaled, scaled
from deeptheory.results import Estimate

_Z = 1.959963984540054


def conditional_plugin(x: Any, y: Any, z: Any, *, correct: bool = False) -> Estimate:
    """I(X;Y|Z) of discrete rows, a whole row being one symbol. correct: less the sum over z of (Kx|z - 1)(Ky|z - 1) / 2n nats,
    K counting what was seen with that z. InputError: values that are not discrete."""
    parts = as_samples(x=x, y=y, z=z)
    i, j, k = (symbols(v, name) for v, name in zip(parts, "xyz"))
    n = len(i)
    xz, yz = (np.unique(v.astype(np.int64) * (k.max() + 1) + k, return_inverse=True)[1].ravel() for v in (i, j))
    cell, whole = np.unique(xz.astype(np.int64) * (yz.max() + 1) + yz, return_inverse=True)
    count = [np.bincount(v)[v] for v in (whole.ravel(), k, xz, yz)]
    local = np.log2(count[0]) + np.log2(count[1]) - np.log2(count[2]) - np.log2(count[3])
    kinds = [np.bincount(k[np.unique(v, return_index=True)[1]], minlength=k.max() + 1) for v in (xz, yz)]
    bias = float(((kinds[0] - 1) * (kinds[1] - 1)).sum() / (2 * n * np.log(2)))
    value = float(local.mean()) - (bias if correct else 0.0)
    half = _Z * float(local.std()) / np.sqrt(n)
    notes = [
        f"first-order bias {'taken off' if correct else 'upwards'} {bias:.3g} bits ({k.max() + 1} symbols of z, {n} samples)"
    ]
    if len(cell) > n / 5:
        notes.append("more than a fifth of the samples have a cell of their own: the estimate says little")
    name = "plug-in, Miller-Madow" if correct else "plug-in"
    return Estimate(value=value, low=value - half, high=value + half, method=name, notes=tuple(notes))


def conditional_ksg(x: Any, y: Any, z: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y|Z) of continuous samples: psi(k) - <psi(n_xz + 1) + psi(n_yz + 1) - psi(n_z + 1)>, counts strictly inside the
    max-norm distance of the kth neighbour in all three. InputError: a constant column, k outside 1..n-1."""
    return _by_neighbours(x, y, z, k, standardize, seed, ties=False)


def conditional_mixed(x: Any, y: Any, z: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y|Z) where values may repeat: <psi(k_i) - psi(n_xz) - psi(n_yz) + psi(n_z)>, counts up to and with the distance
    of the kth neighbour, k_i with its ties (Mesner & Shalizi 2020, without their cut at 0). InputError: k outside 1..n-1."""
    return _by_neighbours(x, y, z, k, standardize, seed, ties=True)


def conditional_gaussian(x: Any, y: Any, z: Any) -> Estimate:
    """I(X;Y|Z) = -1/2 sum log2(1 - rho^2) over the partial canonical correlations: those of x and y less what z tells of them
    linearly. InputError: fewer samples than columns, columns that depend linearly on each other."""
    a, b, c = as_samples(x=x, y=y, z=z)
    given = np.concatenate([np.ones((len(c), 1)), c - c.mean(0)], axis=1)
    rest = [v - given @ np.linalg.lstsq(given, v.astype(np.float64), rcond=None)[0] for v in (a, b)]
    for v, left, name in zip((a, b), rest, "xy"):
        if (left.std(0) <= 1e-9 * v.std(0)).any():
            raise InputError(
                f"a column of {name} is constant or a linear function of z; nothing of it is left, leave it out"
            )
    return canonical(*rest, given=c.shape[1])


def _by_neighbours(x, y, z, k, standardize, seed, ties: bool) -> Estimate:
    parts = as_samples(x=x, y=y, z=z)
    n, doubled = len(parts[0]), any(has_ties(v) for v in parts)
    if not 1 <= k < n:
        raise InputError(f"k is {k} for {n} samples; it lies in 1..{n - 1}")
    if standardize:
        parts = [rescaled(v) if ties else scaled(v, name) for v, name in zip(parts, "xyz")]
    columns = [columns_of(v) for v in parts]

    def estimate(rows) -> float:
        return _counted([np.ascontiguousarray(c[:, rows]) for c in columns], k, ties)

    value = estimate(slice(None))
    low, high = batch_interval(value, estimate, n, seed)
    notes, wide = [], sum(len(c) for c in columns)
    if doubled and not ties:
        notes.append("samples stand twice: the counts assume that no distance is 0; use 'mixed' or 'plugin'")
    if wide > 6:
        notes.append(f"{wide} columns: biased towards 0, more so the stronger the dependence")
    who = "Mesner & Shalizi (mixtures)" if ties else "KSG with a condition (Frenzel & Pompe)"
    return Estimate(value=value, low=low, high=high, method=f"{who}, k = {k}", notes=tuple(notes))


def _counted(columns: list[np.ndarray], k: int, ties: bool) -> float:
    from scipy.special import digamma

    found = np.empty((4, columns[0].shape[1]), dtype=np.int64)
    x, y, z = columns
    counts_around(x, y, z, min(k, x.shape[1] - 1), not ties, found)
    more = 0 if ties else 1
    nats = digamma(found[0]) - digamma(found[1] + more) - digamma(found[2] + more) + digamma(found[3] + more)
    return float(nats.mean() / np.log(2))
