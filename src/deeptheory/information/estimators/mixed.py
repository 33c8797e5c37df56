"""Mixtures of discrete and continuous: values that stand often next to values that stand once, and samples with labels.

Sources: Gao, Kannan, Oh & Viswanath 2017, algorithm 1; Mesner & Shalizi 2020, algorithm 1, without a condition and
without their cut at 0; Ross 2014 (continuous x, one label per sample: neighbors are
sought within the label). Nats inside, bits at the entry.
Pitfalls: numbers that stand for labels have distances that mean nothing; give them as labels, y [n], to Ross. Gao's
counts treat points that coincide, but not the equal distances between points that do not
(zeros shared by rows of a ReLU layer): both kinds of tie are broken by noise (columns.py). Mesner & Shalizi count up to
and with the distance and so take ties as they are; they lean upwards without ties (.06 bit at independence, n = 400,
k = 3; .15 at 1.7 bits), and either way with them. Their interval reaches y permuted, and Gao's value.
"""

from dataclasses import replace
from typing import Any, Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import comparable
from deeptheory.information.estimators.limits import INFINITE, WIDE, impossible, infinite, nothing, too_little, watched
from deeptheory.information.estimators.neighbors import information_by_neighbors
from deeptheory.information.estimators.plugin import plugin
from deeptheory.information.estimators.samples import (
    ROWS_PER_NEIGHBOR,
    as_samples,
    batch_interval,
    check_k,
    many_neighbors,
    read,
)
from deeptheory.information.spread import Counts, null_half

_ROUNDING = 1e-13  # of the largest value
_ROWS, _DRAWS = 1_000, 12  # permutations of y behind the interval where ties stay
_LEAN = (
    "ties as they are: counts at one distance lean up or down with n (on y permuted, which the interval reaches); "
    "variant='gao' breaks ties"
)


def mixed(
    x: Any,
    y: Any,
    *,
    k: int = 3,
    variant: Literal["gao", "mesner-shalizi"] = "gao",
    standardize: bool = True,
    seed: int = 0,
) -> Estimate:
    """I(X;Y) in bits, x [n, dx] and y [n, dy] (or [n]) of numbers that may be listed more than once.

    variant: "gao", counts strictly inside the kth neighbor's distance, ties broken by noise; "mesner-shalizi", counts
    up to and with it, ties as they are.
    k: the neighbor that sets the scale. standardize: columns to one scale. seed: of the noise that breaks ties and of
    the interval's batches. Constant columns are left out. Words are labels: see `labeled`. InputError: unpaired, NaN, k
    outside 1..n-1, another variant.
    """
    by = pick(_BY_VARIANT, variant, what="variant")
    named = read(x, "x")[1], read(y, "y")[1]
    if all(named):
        return plugin(x, y)
    if any(named):
        x, y = (y, x) if named[0] else (x, y)
        return labeled(x, y, k=k, standardize=standardize, seed=seed)
    a, b = as_samples(x=x, y=y)
    n = len(a)
    check_k(k, n)
    columns = comparable(standardize, seed, x=a, y=b)
    method, other = f"Gao et al. (mixtures), k = {k}{columns.method}", 0.0
    if variant == "mesner-shalizi":
        method = f"Mesner & Shalizi (mixtures), k = {k}{', ties as they are' * columns.tied}"
        other, columns = columns.mean(lambda pair: _gao(pair, k)), replace(columns, versions=[columns.plain])
    if columns.empty:
        return nothing(method, columns.notes)
    value = columns.mean(lambda pair: by(pair, k))
    estimate, of_a_tenth = watched(lambda rows: by(columns.rows(rows), k))
    least = ROWS_PER_NEIGHBOR * k
    low, high = batch_interval(value, estimate, n, seed=seed, least=least)
    notes = columns.notes
    if variant == "mesner-shalizi":
        notes += (_LEAN,) if columns.tied else ()
        half = max((high - low) / 2, null_half(_permuted(columns.plain, k), n, seed, _ROWS, _DRAWS, biased=True))
        low, high = min(value, other) - half, max(value, other) + half  # the two lean apart as dependence grows
    if a.shape[1] + b.shape[1] > WIDE:
        notes += (f"{a.shape[1] + b.shape[1]} columns: biased downwards",)
    notes += (INFINITE,) if infinite(*columns.plain) else too_little(value, n, k, of_a_tenth)
    notes += impossible(value, x=a, y=b) + (many_neighbors(k, n, least) if np.isnan(low) else ())
    return Estimate(value=value, low=low, high=high, method=method, notes=notes)


def copied(a: np.ndarray, label: np.ndarray) -> tuple[str, ...]:
    """A note where most rows of x are listed more than once, many different ones, and always with one label; the
    commonest row aside (zeros of a sparse layer are no copies).
    """
    if len(np.unique(a[:, 0])) > len(a) / 2:
        return ()
    _, row, sizes = np.unique(a, axis=0, return_inverse=True, return_counts=True)
    row, others = row.ravel(), np.delete(sizes, sizes.argmax())
    pair = np.unique(row * (label.max() + 1) + label)
    groups = row.max() + 1
    once = others[others == 1].sum()
    if groups < 20 or groups > len(a) / 2 or once > others.sum() / 2 or len(pair) > 1.05 * groups:
        return ()
    return (f"{len(a)} rows are copies of {groups}, each with one label: independent samples, or the same ones again?",)


def words(*variables: Any) -> bool:
    """Whether one holds words or categories, between which there is no distance."""
    return any(read(v, "a variable")[1] for v in variables)


def _gao(pair: list[np.ndarray], k: int) -> float:
    """<psi(k_i) + log n - psi(n_x + 1) - psi(n_y + 1)>, in bits, counts strictly inside the kth neighbor's distance, or
    where that is 0 of what is the same. So the authors' program; the logarithms and closed balls of the text agree with
    it only for large k (k = 3 on classes that do not overlap: psi(3) - log 4, 0.67 bits too low)."""
    from scipy.special import digamma

    x, y = pair
    n = x.shape[1]
    found = information_by_neighbors(x, y, np.empty((0, n)), min(k, n - 1))
    return found + float((np.log(n) - digamma(n)) / np.log(2))


def _mesner_shalizi(pair: list[np.ndarray], k: int) -> float:
    """<psi(k_i) + psi(n) - psi(n_x) - psi(n_y)>, in bits, counts up to and with the distance of the kth neighbor;
    distances that were equal before columns were scaled are equal after it but for rounding."""
    from scipy.special import digamma

    x, y = pair
    n = x.shape[1]
    slack = _ROUNDING * max(float(np.abs(v).max(initial=0.0)) for v in pair)
    found = information_by_neighbors(x, y, np.empty((0, n)), min(k, n - 1), inclusive=True, slack=slack)
    return found + float((digamma(n) - digamma(n - 1)) / np.log(2))


def _permuted(pair: list[np.ndarray], k: int) -> Counts:
    def of(rows: np.ndarray, others: np.ndarray | None = None) -> float:
        both = zip(pair, (rows, rows if others is None else others))
        return _mesner_shalizi([np.ascontiguousarray(v[:, r]) for v, r in both], k)

    return of


_BY_VARIANT = {"gao": _gao, "mesner-shalizi": _mesner_shalizi}


def labeled(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """I(X;Y) in bits of continuous samples x [n, dx] and a label y [n]: words, or integers that stand for classes.

    k: the neighbor, among samples of the same label, that sets the scale; the last of them where a label has k samples
    or fewer (noted). A sample alone with its label has no neighbor and is left out (noted). Constant columns are left
    out, and ties broken by noise from `seed`. Words for x are counted: see `plugin`. InputError: y has more columns or
    other numbers.
    """
    if words(x):
        return plugin(x, y)  # the codes of words are no distances
    a, b = as_samples(x=x, y=y)
    if b.shape[1] != 1 or (b != np.floor(b)).any():
        raise InputError(f"y has shape {list(np.shape(y))}; a label is one integer per sample, [n]")
    check_k(k, len(a))
    a, b, notes = with_neighbors(a, b, k)
    if len(a) == 0:
        raise InputError("every sample has a label of its own; labels must repeat")
    columns = comparable(standardize, seed, x=a)
    label = np.unique(b[:, 0], return_inverse=True)[1].ravel()
    notes += copied(a, label)
    method = f"Ross (labels), k = {k}{columns.method}"
    notes += columns.notes
    if columns.empty or label.max(initial=0) == 0:
        return nothing(method, notes or ("y is constant",))
    value = columns.mean(lambda only: _ross(only[0], label, k))

    def estimate(rows) -> float:
        mine = label[rows]
        counts = np.bincount(mine)
        if (counts == 1).any():
            rows = rows[counts[mine] > 1]
        return _ross(columns.rows(rows)[0], label[rows], k)

    low, high = batch_interval(value, estimate, len(a), seed=seed)
    return Estimate(value=value, low=low, high=high, method=method, notes=notes + impossible(value, y=b))


def with_neighbors(a: np.ndarray, label: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Rows whose label another row has, too, and notes on those left out and on labels of k rows or fewer."""
    kinds, inverse, counts = np.unique(label[:, 0], return_inverse=True, return_counts=True)
    alone, few = counts == 1, (counts > 1) & (counts <= k)
    notes = ()
    if alone.any():
        notes += (f"{alone.sum()} of {len(kinds)} labels have one sample each, which is left out",)
    if few.any():
        notes += (f"{few.sum()} of {len(kinds)} labels have {k} samples or fewer: all of them are its neighbors",)
    rows = ~alone[inverse.ravel()]
    return a[rows], label[rows], notes


def _ross(x: np.ndarray, label: np.ndarray, k: int) -> float:
    """psi(n) - <psi(n_label)> + <psi(k)> - <psi(m)>, m: samples strictly nearer than the kth of one's label,
    oneself with it."""
    nobody = np.empty((0, x.shape[1]))
    return information_by_neighbors(x, nobody, nobody, k, label_y=label)
