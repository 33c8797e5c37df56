"""Mixtures of discrete and continuous: information from neighbour counts that know ties, and of samples with labels.

Sources: Gao, Kannan, Oh & Viswanath 2017, algorithm 1 (values that stand often beside values that stand once); Ross 2014
(continuous x, one label a sample: neighbours are sought within the label). Nats inside, bits at the door.
Trap: numbers that stand for labels have distances that mean nothing; give them as labels, y [n] of whole numbers, to Ross.
"""

from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.neighbours import counts_around, neighbours_of_label
from deeptheory.information.estimators.samples import as_samples, batch_interval, columns_of, rescaled
from deeptheory.results import Estimate


def mixed(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) in bits, x [n, dx] and y [n, dy] (or [n]) of numbers that may stand more than once.

    k: the neighbour that sets the scale where values do not repeat. standardize: columns to standard deviation 1. seed: of
    the interval's batches. InputError: unpaired, NaN, k outside 1..n-1.
    """
    a, b = as_samples(x=x, y=y)
    n = len(a)
    if not 1 <= k < n:
        raise InputError(f"k is {k} for {n} samples; it lies in 1..{n - 1}")
    pair = [columns_of(rescaled(v) if standardize else v) for v in (a, b)]

    def estimate(rows) -> float:
        one, two = (np.ascontiguousarray(c[:, rows]) for c in pair)
        return _gao(one, two, min(k, one.shape[1] - 1))

    value = estimate(slice(None))
    low, high = batch_interval(value, estimate, n, seed)
    notes = () if a.shape[1] + b.shape[1] <= 6 else (f"{a.shape[1] + b.shape[1]} columns: biased downwards",)
    return Estimate(value=value, low=low, high=high, method=f"Gao et al. (mixtures), k = {k}", notes=notes)


def _gao(x: np.ndarray, y: np.ndarray, k: int) -> float:
    """<psi(k_i) + log n - psi(n_x + 1) - psi(n_y + 1)>, in bits, counts strictly inside the kth neighbour's distance, or where
    that is 0 of what is the same. So the authors' program; the logarithms and closed balls of the text agree with it only
    for large k (k = 3 on classes that do not overlap: psi(3) - log 4, 0.67 bits too low)."""
    from scipy.special import digamma

    n = x.shape[1]
    found = np.empty((4, n), dtype=np.int64)
    counts_around(x, y, np.empty((0, n)), k, True, found)
    nats = digamma(found[0]) + np.log(n) - digamma(found[1] + 1) - digamma(found[2] + 1)
    return float(nats.mean() / np.log(2))


def labelled(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) in bits of continuous samples x [n, dx] and a label y [n], whole numbers that stand for classes.

    k: the neighbour, among samples of the same label, that sets the scale. The rest as for `mixed`. InputError: y has more
    columns or other numbers, a label with k samples or fewer.
    """
    a, b = as_samples(x=x, y=y)
    if b.shape[1] != 1 or (b != np.floor(b)).any():
        raise InputError(f"y has shape {list(np.shape(y))}; a label is one whole number a sample, [n]")
    kinds, label, counts = np.unique(b[:, 0], return_inverse=True, return_counts=True)
    if not 1 <= k < counts.min():
        rare = int(counts.argmin())
        raise InputError(
            f"label {kinds[rare]:g} has {counts[rare]} samples, k is {k}; each label needs more than k: lower k, leave it out, or use "
            "'mixed' where y is a number and no label"
        )
    columns, label = columns_of(rescaled(a) if standardize else a), label.ravel()

    def estimate(rows) -> float:
        mine = label[rows]
        least = int(np.bincount(mine)[np.unique(mine)].min())
        if least < 2:
            return float("nan")
        return _ross(np.ascontiguousarray(columns[:, rows]), np.ascontiguousarray(mine), min(k, least - 1))

    value = estimate(slice(None))
    low, high = batch_interval(value, estimate, len(a), seed)
    notes = ("samples stand twice: Ross's counts assume that no distance is 0; use 'mixed'",) if _twice(a) else ()
    return Estimate(value=value, low=low, high=high, method=f"Ross (labels), k = {k}", notes=notes)


def _ross(x: np.ndarray, label: np.ndarray, k: int) -> float:
    """psi(n) - <psi(n_label)> + psi(k) - <psi(m)>, m: samples strictly nearer than the kth of one's label, oneself with it."""
    from scipy.special import digamma

    m = np.empty(x.shape[1], dtype=np.int64)
    neighbours_of_label(x, label, k, m)
    own = np.bincount(label)[label]
    nats = digamma(len(label)) - digamma(own).mean() + digamma(k) - digamma(m).mean()
    return float(nats / np.log(2))


def _twice(a: np.ndarray) -> bool:
    return len(np.unique(a, axis=0)) < len(a)
