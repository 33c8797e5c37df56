"""Which rows of a table of probabilities are equal? In floating point by projections, in integers exactly.

Pitfall: rounding to so many digits and comparing splits equal rows that stand on either side of a rounding step. Here
rows are sorted along random directions and parted at gaps wider than the tolerance, which no rounding step disturbs.
"""

import numpy as np

from deeptheory.core.errors import InputError

_DIRECTIONS = 3
_MOST = 2**31  # numbers of a dense table, 16 GiB


def group_rows(rows, tolerance: float) -> tuple[np.ndarray, float]:
    """Labels [k] of equal rows in order of first appearance, and the least distance seen between different ones.

    rows: [k, m] numpy or scipy.sparse. Two rows are equal where they differ by no more than the tolerance along each of
    three fixed random directions; equality is closed over chains. Distance: the largest over the directions,
    inf if one.
    """
    k, m = rows.shape
    directions = np.random.default_rng(0).standard_normal((m, _DIRECTIONS))
    seen = np.asarray(rows @ directions)  # [k, 3]
    labels = np.zeros(k, dtype=np.int64)
    nearest = np.inf
    for d in range(_DIRECTIONS):
        order = np.lexsort((seen[:, d], labels))
        same = labels[order][1:] == labels[order][:-1]
        step = np.abs(np.diff(seen[order], axis=0))
        new = ~same | (step[:, d] > tolerance)
        parted = step[same & new]
        if len(parted):
            nearest = min(nearest, float(parted.max(axis=1).min()))
        fresh = np.empty(k, dtype=np.int64)
        fresh[order] = np.concatenate([[0], np.cumsum(new)])
        labels = fresh
    return in_order_of_appearance(labels), nearest


def in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    """The same partition with labels 0, 1, ... as they first appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


def group_whole_rows(rows: np.ndarray) -> np.ndarray:
    """Labels [k] of rows [k, m] of Python integers that are proportional to each other; exact."""
    known: dict[tuple, int] = {}
    return np.array([known.setdefault(lowest_terms(row), len(known)) for row in rows], dtype=np.int64)


def lowest_terms(row) -> tuple[int, ...]:
    """The row over the greatest common divisor of its entries, so that proportional rows become equal."""
    from math import gcd

    divisor = gcd(*(int(v) for v in row))
    return tuple(int(v) // divisor for v in row) if divisor else tuple(int(v) for v in row)


def shares(joint, name: str) -> np.ndarray:
    """Rows of a sparse [k, m] over their sums, dense float64; NaN where a row is 0. InputError: as in dense."""
    with np.errstate(invalid="ignore"):
        return dense(joint, name) / np.asarray(joint.sum(axis=1)).reshape(-1, 1)


def dense(table, name: str) -> np.ndarray:
    """A sparse [k, m] as an array. InputError: over 2^31 numbers."""
    check_size(table.shape, name)
    return table.toarray()


def check_size(shape: tuple[int, int], name: str, most: int = _MOST) -> None:
    """Before a table is made. name: what it is, in words. InputError: it has over `most` numbers."""
    k, m = shape
    if k * m > most:
        raise InputError(f"{name} has {k} x {m} numbers, {k * m / 2**27:.0f} GiB; made are up to {most}: merge states")
