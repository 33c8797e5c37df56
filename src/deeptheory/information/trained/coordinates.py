"""What a trained estimator is shown of x and y: normal scores or one-hot labels, turned for each fold by its own rows.

Each column becomes the normal quantiles of its ranks, which keeps the information and tames tails; ranks see one
variable alone, so they make no dependence. Labels become one column per name. Then the training rows of a fold, and
they alone, give a linear change of coordinates that can be undone: whitened, and turned to canonical variates, so
that the k-th coordinates of x and y are the k-th pair that correlates most (Hotelling 1936).
Pitfall: whitening enlarges what is almost constant; a ridge keeps it below a factor of about 30.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.information.estimators.limits import INFINITE, infinite
from deeptheory.information.estimators.samples import as_samples, constant, moderate
from deeptheory.information.ranks import normal_scores
from deeptheory.information.reading import read

_RIDGE = 1e-3  # of a column's variance
_CLOSEST = 0.98  # a squared correlation that a critic begins at
_RARE = 20  # copies of a row, on average, up to which values that repeat are taken for the same samples
_MOST = 512  # columns; above, whitening costs more than it gives


@dataclass(frozen=True)
class Side:
    """One variable: columns [n, d] float64, label [n] where it is labels, else None."""

    columns: np.ndarray
    label: np.ndarray | None


@dataclass(frozen=True)
class Pair:
    """Both variables, rows in an order that depends on their values alone: row i here was row order[i].

    copies [n]: codes that rows share which are copies of each other. raw: x and y as they were given. empty: a variable
    that is constant, or "". notes: what a reader must know.
    """

    x: Side
    y: Side
    order: np.ndarray
    copies: np.ndarray
    raw: tuple[np.ndarray, np.ndarray]
    empty: str
    notes: tuple[str, ...]


def paired(x: Any, y: Any, ordered: bool, spread: int | None = None) -> Pair:
    """x [n, dx] and y [n, dy] as columns; ordered: rows are a series and keep their order. spread: the seed by which
    the ranks of equal values are drawn, for estimators that need densities; None: equal values stay equal.

    InputError: unpaired, NaN, words of which most are there once.
    """
    raw = as_samples(x=x, y=y)
    named = [read(v, name)[1] for v, name in ((x, "x"), (y, "y"))]
    n, notes = len(raw[0]), ()
    for name, a in zip("xy", raw):
        still = constant(a)
        if still.all():
            nobody = Side(np.zeros((n, 0)), None)
            return Pair(nobody, nobody, np.arange(n), np.arange(n), (raw[0], raw[1]), name, (f"{name} is constant",))
        if still.any():
            notes += (f"{name} is constant in {int(still.sum())} of {len(still)} columns: left out",)
    codes = [_codes(a, is_named, name) for a, is_named, name in zip(raw, named, "xy")]
    columns = [None if c is not None else normal_scores(a[:, ~constant(a)]) for a, c in zip(raw, codes)]
    for k, code in enumerate(codes):
        if code is not None:
            other = columns[1 - k] if codes[1 - k] is None else codes[1 - k]
            codes[k] = _by_use(code, np.asarray(other))
    keys = [np.asarray(v if c is None else c) for c, v in zip(codes, columns)]
    order = np.arange(n) if ordered else _order(*keys)
    sides = []
    for code, scores in zip(codes, columns):
        if code is None:
            scores = np.asarray(scores)[order]
            sides.append(Side(scores if spread is None else _untied(scores, spread), None))
        else:
            hot = np.eye(int(code.max()) + 1)[code[order]]
            sides.append(Side((hot - hot.mean(0)) / hot.std(0), code[order]))
    copies = _copies([k[order] for k in keys], [c is None for c in codes])
    again = n - int(copies.max()) - 1
    if again:
        notes += (
            f"{again} rows are copies of others, in both variables: unless groups= or block= say otherwise, copies "
            "stay on one side of every split; if they are the same samples again, leave them out",
        )
    if codes[0] is None and codes[1] is None and _infinite(raw, [s.columns for s in sides]):
        notes += (INFINITE,)
    return Pair(sides[0], sides[1], order, copies, (raw[0], raw[1]), "", notes)


def _infinite(raw: list[np.ndarray], scores: list[np.ndarray]) -> bool:
    """Whether a column is a linear function of the other variable's, as given or as normal scores."""
    if max(a.shape[1] for a in raw) > _MOST:
        return False
    given = [moderate(a[:, ~constant(a)]).T for a in raw]
    return infinite(*given) or infinite(*(s.T for s in scores))


def _copies(sides: list[np.ndarray], numbers: list[bool]) -> np.ndarray:
    """[n]: rows have one code where they are equal in x and in y, and one of these, of numbers, has its value in no
    other row: then they are the same sample again, which a network would know by heart."""
    flat = [s.reshape(len(s), -1) for s in sides]
    own = np.arange(len(flat[0]))
    both = _first(np.concatenate(flat, axis=1))
    for side, is_number in zip(flat, numbers):
        one = _first(side) if is_number else own
        few = len(np.unique(one))
        if is_number and (one < own).any() and few > max(len(own) / _RARE, len(own) ** 0.5):
            often = np.bincount(both)[both]
            same = (np.bincount(one)[one] == often) & (often <= _RARE)  # more often: a value, as of dead units
            own = np.where(same, np.minimum(own, both), own)
    return np.unique(own, return_inverse=True)[1].ravel()


def _first(a: np.ndarray) -> np.ndarray:
    """For each row the first that equals it, [n]."""
    _, first, inverse = np.unique(a, axis=0, return_index=True, return_inverse=True)
    return first[inverse.ravel()]


def _codes(a: np.ndarray, named: bool, name: str) -> np.ndarray | None:
    """Codes [n] where a side is labels: words, or one column of few integers (at most n / 10 of them, or two)."""
    if a.shape[1] > 1 or not (named or a.dtype.kind in "biu"):
        return None
    kinds, code = np.unique(a[:, 0], return_inverse=True)
    n = len(a)
    if named and len(kinds) > max(2, n // 2):
        raise InputError(
            f"{name} has {len(kinds)} labels in {n} samples; labels must repeat. Give numbers as numbers, or merge "
            "rare labels"
        )
    return code.ravel() if named or len(kinds) <= max(2, n // 10) else None


def _by_use(code: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The same labels, numbered by how often they are there and beside what, so that names do not matter."""
    number = np.bincount(code)
    if other.ndim == 1:  # labels: how unequally they are spread beside this one
        table = np.zeros((len(number), int(other.max()) + 1))
        np.add.at(table, (code, other), 1)
        beside = (table**2).sum(1)
    else:
        beside = np.bincount(code, other.sum(1))
    rank = np.empty(len(number), dtype=np.int64)
    rank[np.lexsort((np.round(beside, 6), number))] = np.arange(len(number))
    return rank[code]


def _untied(scores: np.ndarray, seed: int) -> np.ndarray:
    """Normal scores with the ranks of equal values drawn: what they were is known from them, so nothing is lost."""
    drawn = np.random.default_rng([seed, len(scores), 17]).random(scores.shape)
    return normal_scores(np.argsort(np.lexsort((drawn, scores), axis=0), axis=0))


def _order(*keys: np.ndarray) -> np.ndarray:
    return np.lexsort(np.concatenate([k.reshape(len(k), -1) for k in keys], axis=1).T[::-1])


def turned(x: np.ndarray, y: np.ndarray, train: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x [n, dx] and y [n, dy] in the canonical coordinates of the rows `train`, and what of their correlations is
    beyond noise, [min(dx, dy)]; float32."""
    both = min(x.shape[1], y.shape[1])
    if max(x.shape[1], y.shape[1]) > _MOST:
        return x.astype(np.float32), y.astype(np.float32), np.zeros(both, dtype=np.float32)
    a, b = (_white(v, v[train]) for v in (x, y))
    left, rho, right = np.linalg.svd(a[train].T @ b[train] / len(train), full_matrices=True)
    known = beyond_noise(rho, x.shape[1] / len(train), y.shape[1] / len(train))
    return (a @ left).astype(np.float32), (b @ right.T).astype(np.float32), known.astype(np.float32)


def beyond_noise(rho: np.ndarray, p: float, q: float) -> np.ndarray:
    """The correlations that show as canonical correlations rho where x and y have p and q columns per row: the larger
    root t = correlation^2 of rho^2 t = ((1 - p) t + p) ((1 - q) t + q) (Bao, Hu, Pan & Zhou 2019), 0 where there is
    none: noise alone shows as much."""
    if p + q >= 1:
        return np.zeros_like(rho)
    lead, middle = (1 - p) * (1 - q), rho**2 - p * (1 - q) - q * (1 - p)
    inside = middle**2 - 4 * lead * p * q
    found = (inside > 0) & (middle > 0)
    squared = np.where(found, (middle + np.sqrt(np.where(found, inside, 0.0))) / (2 * lead), 0.0)
    return np.sqrt(np.minimum(squared, _CLOSEST))


def _white(a: np.ndarray, train: np.ndarray) -> np.ndarray:
    middle = train.mean(0)
    size, turn = np.linalg.eigh((train - middle).T @ (train - middle) / len(train))
    size = np.maximum(size, 0.0)
    scale = np.where(size > 1e-9, 1 / np.sqrt(size + _RIDGE), 0.0)  # copies of columns leave directions of nothing
    return (a - middle) @ (turn * scale)
