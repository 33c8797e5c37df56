"""Who learns from which rows: each fold's network trains on some, stops early by others, and is measured on its own.

Every row is measured once, by the network of its fold, which neither trained on it nor was chosen by it. Rows that
belong together (groups, stretches of a series) are never on two sides.
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.core.errors import InputError

_HELD = 6  # one of so many pieces of what is not measured decides when to stop
LEAST = 4  # pieces per fold: two are measured, two of the others' decide, two or more are trained on


@dataclass(frozen=True)
class Fold:
    """Row numbers in a drawn order, disjoint, all rows together: train (weights), stop (when to stop), test (value)."""

    train: np.ndarray
    stop: np.ndarray
    test: np.ndarray


def split(pieces: np.ndarray, folds: int, seed: int) -> list[Fold]:
    """pieces: [n] codes 0, 1, ... of what stays together. InputError: too few pieces or rows for so many folds."""
    n, several = len(pieces), int(pieces.max()) + 1
    what = "rows" if several == n else "groups or blocks"
    if several < LEAST * folds:
        raise InputError(
            f"{several} {what} are too few for {folds} folds; needed: {LEAST * folds}, so that each part holds some. "
            f"folds=2 needs {2 * LEAST}; 'ksg' and 'gaussian' train nothing and need no parts"
        )
    size = np.bincount(pieces, minlength=several)
    if 3 * folds * size.max() > n and several < n:
        raise InputError(
            f"the largest of {several} {what} has {size.max()} of {n} rows; needed: at most {n // (3 * folds)}, a "
            f"third of each of {folds} folds, so that each holds several"
        )
    order = np.random.default_rng([seed, n, 11]).permutation(several)
    shares = _shares(order, size, folds)
    out = []
    for k in range(folds):
        rest = np.concatenate([s for j, s in enumerate(shares) if j != k])
        rest = np.random.default_rng([seed, n, 12, k]).permutation(rest)
        stop = rest[: max(2, len(rest) // _HELD)]
        marks = np.zeros(several, dtype=np.int64)
        marks[shares[k]], marks[stop] = 2, 1
        part = marks[pieces]
        rng = np.random.default_rng([seed, n, 14, k])
        out.append(Fold(*(rng.permutation(np.flatnonzero(part == which)) for which in range(3))))
    return out


def _shares(order: np.ndarray, size: np.ndarray, folds: int) -> list[np.ndarray]:
    """Pieces in `folds` parts of about equal numbers of rows: in this order, each to the part that has fewest."""
    if (size == size[0]).all():
        return [order[k::folds] for k in range(folds)]
    held = np.zeros(folds, dtype=np.int64)
    where = np.empty(len(order), dtype=np.int64)
    for at, piece in enumerate(order):
        where[at] = int(held.argmin())
        held[where[at]] += size[piece]
    return [order[where == k] for k in range(folds)]
