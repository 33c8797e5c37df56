"""H(X|Y) from samples: counts, counts less what a label shares with numbers, neighbors, covariances. Bits.

Sources: H(X|Y) = H(X, Y) - H(Y) = H(X) - I(X;Y); plug-in, with the corrections of corrections.py; Kozachenko & Leonenko
1987 within labels, or as a difference of two entropies; a normal's log determinant of what is left of x given y, whose
bias is a sum of digammas for Gaussian samples (Goodman 1963).
Pitfalls: plug-in of few samples per symbol of y is far too small, down to 0 where every y is seen once; that it is
at most H(X) is then all that is known, and the interval goes up to there.
"""

from typing import Any

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators import corrections
from deeptheory.information.estimators.columns import check_numbers, dependent
from deeptheory.information.estimators.gaussian import gaussian_entropy
from deeptheory.information.estimators.kozachenko_leonenko import check_density, kozachenko_leonenko
from deeptheory.information.estimators.mixed import labeled
from deeptheory.information.estimators.plugin import bias_note, plugin_entropy, symbols
from deeptheory.information.estimators.samples import (
    as_samples,
    batch_interval,
    check_k,
    constant,
    many_neighbors,
    rescaled,
)
from deeptheory.information.reading import read

_Z = 1.959963984540054
_MATERIAL = 0.1  # bits


def plugin_given(x: Any, y: Any, *, correct: bool | str = False) -> Estimate:
    """H(X|Y) in bits of discrete rows x [n, dx] and y [n, dy] (or [n]), a whole row being one symbol.

    correct: True or "miller-madow": plus (Kxy - Ky) / 2n nats; the other names of corrections.py: H(X, Y) - H(Y), each
    corrected. Direction: plain counts are a lower bound in expectation (Jensen). InputError: no discrete values.
    """
    name = corrections.named(correct)
    i, j = (symbols(a, which) for a, which in zip(as_samples(x=x, y=y), "xy"))
    both = symbols(np.stack([i, j], axis=1), "")
    n, counts, of_y = len(i), np.bincount(both), np.bincount(j)
    first = np.empty(len(counts), dtype=np.int64)
    first[both] = np.arange(n)
    local = np.log2(of_y[j[first]]) - np.log2(counts)
    plain = float(counts @ local / n)
    freedom = len(counts) - len(of_y)
    bias = freedom / (2 * n * np.log(2))
    half = _Z * float(np.sqrt(counts @ (local - plain) ** 2 / n**2 + freedom / (2 * (n * np.log(2)) ** 2)))
    notes = bias_note(bias, name is not None, "downwards", f"{len(counts)} pairs of symbols, {n} samples")
    value = plain
    if name == "miller-madow":
        value = plain + bias
    elif name is not None:
        kinds = corrections.check_alphabet(None, name, np.bincount(i), of_y)
        value = corrections.entropy(counts, name, kinds[0] * kinds[1]) - corrections.entropy(of_y, name, kinds[1])
    high = max(plain + bias, value) + half
    if len(counts) > n / 5:
        notes += (
            "more than a fifth of the samples have a cell of their own: far too small, and at most H(X) is all that is "
            "known",
        )
        high = max(high, plugin_entropy(x, correct=True).high)
    method = "plug-in" if name is None else f"plug-in, {corrections.NAMES[name]}"
    low, direction = min(plain, value) - half, "lower" if name is None else "consistent"
    return Estimate(value=value, low=low, high=high, method=method, direction=direction, notes=notes)


def labels_given(x: Any, y: Any, *, k: int = 3, standardize: bool = True, seed: int = 0) -> Estimate:
    """H(X|Y) = H(X) - I(X;Y) in bits of a label x [n] and numbers y [n, dy] or [n]: Miller-Madow and Ross.

    k, standardize, seed: as for the method "labels" of `mutual_information`. The interval adds those of both.
    InputError: x is no label, y holds words."""
    check_numbers("'labels'", y=y)
    own, shared = plugin_entropy(x, correct=True), labeled(y, x, k=k, standardize=standardize, seed=seed)
    return Estimate(
        value=own.value - shared.value,
        low=own.low - shared.high,
        high=own.high - shared.low,
        method=f"{own.method}, less {shared.method}",
        notes=own.notes + shared.notes,
    )


def neighbors_given(x: Any, y: Any, *, k: int = 3, seed: int = 0) -> Estimate:
    """Differential entropy of numbers x [n, dx] given y, in bits, in the units of x: y a label [n], the mean over its
    values of Kozachenko & Leonenko's within each; y numbers [n, dy], h(X, Y) - h(Y).

    y counts as a label if it holds words, or integers of at most n / 2 kinds. InputError: words for x, a label of k
    samples or fewer, rows of x that repeat, other values of y that do.
    """
    check_numbers("'kl'", x=x)
    values, named = read(y, "y")
    a, b = as_samples(x=x, y=y)
    n = len(a)
    check_k(k, n)
    if named or values.dtype.kind in "biu":
        codes = np.unique(b, axis=0, return_inverse=True)[1].ravel()
        if named or codes.max() < max(2, n // 2):
            return _within_labels(a, codes, k, seed)
    check_density(y=b)

    def of(rows: np.ndarray) -> float:
        both = np.concatenate([a[rows].astype(np.float64), b[rows].astype(np.float64)], axis=1)
        return kozachenko_leonenko(both, k=k, seed=seed).value - kozachenko_leonenko(b[rows], k=k, seed=seed).value

    value = of(np.arange(n))
    low, high = batch_interval(value, of, n, seed=seed, least=k + 1) if np.isfinite(value) else (value, value)
    note = (
        many_neighbors(k, n, k + 1)
        if np.isfinite(value)
        else ("x or y has no density: a column is a function of others",)
    )
    return Estimate(value=value, low=low, high=high, method=f"Kozachenko-Leonenko, k = {k}, h(X, Y) - h(Y)", notes=note)


def _within_labels(a: np.ndarray, codes: np.ndarray, k: int, seed: int) -> Estimate:
    sizes = np.bincount(codes)
    if sizes.min() <= k:
        raise InputError(
            f"{int((sizes <= k).sum())} of {len(sizes)} labels of y have {k} samples or fewer; each needs over k = {k}"
        )

    def of(rows: np.ndarray) -> float:
        inside = np.unique(codes[rows], return_inverse=True)[1]
        counts = np.bincount(inside)
        if counts.min() <= k:
            return float("nan")
        parts = [kozachenko_leonenko(a[rows[inside == c]], k=k, seed=seed).value for c in range(len(counts))]
        return float(counts @ np.array(parts) / len(rows))

    n = len(a)
    value = of(np.arange(n))
    low, high = statistics.batch_interval(value, of, n, seed=seed) if np.isfinite(value) else (value, value)
    notes = () if np.isfinite(value) else ("within a label a column is constant: there is no density",)
    if np.isfinite(value) and np.isnan(low):
        notes = ("no interval: a tenth of the samples has too few of some label",)
    return Estimate(value=value, low=low, high=high, method=f"Kozachenko-Leonenko within labels, k = {k}", notes=notes)


def gaussian_given(x: Any, y: Any, *, correct: bool | None = None) -> Estimate:
    """1/2 log2 |2 pi e cov(x | y)| in bits: the differential entropy of x [n, dx] less what y [n, dy] tells linearly.

    correct: less its bias (downwards) for Gaussian samples, exactly; None: where that is over a tenth of a bit.
    Direction: "upper", the largest entropy of any density with this covariance. InputError: words, fewer samples than
    columns, columns of x that are constant or linear functions of others and of y.
    """
    from scipy.special import digamma, polygamma

    check_numbers("'gaussian'", x=x, y=y)
    a, b = as_samples(x=x, y=y)
    own = gaussian_entropy(a, correct=False)
    b = rescaled(b[:, ~constant(b)])
    b = b[:, ~dependent(b.T)] if b.shape[1] else b
    n, d, given = len(a), a.shape[1], b.shape[1]
    if n < d + given + 3:
        raise InputError(f"{n} samples for {d + given} columns; a covariance needs more samples than columns")
    whole = rescaled(a)
    rest = whole - b @ np.linalg.lstsq(b, whole, rcond=None)[0] if given else whole
    if (rest.std(0) <= 1e-9).any() or dependent(rest.T).any():
        raise InputError("a column of x is a linear function of y, or of others given y: nothing is left of it")
    less = np.linalg.slogdet(np.atleast_2d(np.cov(whole, rowvar=False)))[1]
    less = float(np.linalg.slogdet(np.atleast_2d(np.cov(rest, rowvar=False)))[1] - less) / (2 * np.log(2))
    halves = (n - 1.0 - given - np.arange(d)) / 2
    bias = float((digamma(halves) - np.log((n - 1) / 2)).sum() / 2 / np.log(2))
    plain, half = own.value + less, _Z * float(np.sqrt(polygamma(1, halves).sum() / 4)) / np.log(2)
    taken = -bias > _MATERIAL if correct is None else correct
    value = plain - (bias if taken else 0.0)
    return Estimate(
        value=value, low=value - half, high=plain - bias + half, method="Gaussian", direction="upper",
        notes=("the largest entropy of any density with this covariance",),
    )  # fmt: skip
