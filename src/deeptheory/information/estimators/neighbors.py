"""Nearest neighbors of every sample, and how many lie nearer than they do in some of the columns; exact.

Three ways: sorting for one column, a k-d tree for a few, a compiled scan over all pairs for many (memory of order n),
where trees lose (measured at n = 10,000: 10 columns, 0.27 s by tree, 0.15 s by scan; 6 columns, 0.08 and 0.14 s; the
more samples, the more columns a tree takes: 50,000 of 10 columns need 3.0 and 3.4 s). Labels are a column of their own
kind: the same label is at distance 0, another is infinitely far, so that codes cannot matter. The slow form: sorted
lists, one sample after the other, in the tests.
"""

import math

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.estimators.scans import LEAST, counts_by_scan, nearest_by_scan, scan
from deeptheory.information.estimators.trees import counts_by_tree, nearest_by_tree

MOST_FOR_TREES = 7  # columns, at any number of samples
_EVEN, _MORE = 9_000, 2.5  # samples from which on trees win in one column more, and how that grows with columns


def information_by_neighbors(
    x: np.ndarray,
    y: np.ndarray,
    z: np.ndarray,
    k: int,
    label_x: np.ndarray | None = None,
    label_y: np.ndarray | None = None,
    inclusive: bool = False,
    slack: float = 0.0,
) -> float:
    """<psi(k_i) - psi(n_xz + 1) - psi(n_yz + 1) + psi(n_z + 1)> in bits: KSG without z, Ross with a label for y,
    Frenzel & Pompe with z. x, y, z: [d, n] float64, d may be 0; label_x, label_y: [n] codes that belong to x and y,
    each pair of them on two samples or more. inclusive: counts up to and with the distance,
    psi(n) for psi(n + 1) (Mesner & Shalizi); distances that differ by `slack` are then equal.
    """
    used, n_xz, n_yz, n_z = counts_around(x, y, z, k, label_x, label_y, inclusive, slack)
    more = 0 if inclusive else 1
    nats = _psi(used) - _psi(n_xz + more) - _psi(n_yz + more) + _psi(n_z + more)
    return float(nats / np.log(2))


def _psi(counts: np.ndarray) -> float:
    """Mean digamma; each count that occurs is evaluated once."""
    from scipy.special import digamma

    often = np.bincount(counts)
    seen = np.flatnonzero(often)
    return float(often[seen] @ digamma(seen)) / len(counts)


def counts_around(x, y, z, k, label_x=None, label_y=None, inclusive=False, slack=0.0) -> tuple[np.ndarray, ...]:
    """For each sample, around the max-norm distance to its kth neighbor in (x, y, z): which neighbor that was
    (the last of its cell where that holds k or fewer; where the distance is 0: how many are the same, itself with
    them), and how many others lie strictly nearer (or the same, at 0) in (x, z), (y, z) and z. inclusive: up to and
    with it (and `slack` more), the first counts ties. Each [n] int64."""
    n = x.shape[1]
    if not _by_tree(len(x) + len(y) + len(z), n):
        nobody = np.zeros(0, dtype=np.int64)
        one, two = (nobody if v is None else np.ascontiguousarray(v, dtype=np.int64) for v in (label_x, label_y))
        x, y, z = (np.ascontiguousarray(v) for v in (x, y, z))
        return tuple(scan(x, y, z, k, one, two, inclusive, slack))
    parts_x, parts_y = (None if v is None else _parts(v) for v in (label_x, label_y))
    parts = parts_x if label_y is None else parts_y if label_x is None else _parts(_both(label_x, label_y))
    joint = _stacked(x, y, z)
    used = np.full(n, k, dtype=np.int64)
    reach = np.empty(n)
    if parts is None:
        reach[:] = nearest(joint, k)[:, -1]
    else:
        for rows in parts:
            most = min(k, len(rows) - 1)
            reach[rows] = nearest(joint[:, rows], most)[:, -1]
            used[rows] = most
    same = reach == 0
    limit = np.nextafter(reach + slack, np.inf) if inclusive else np.where(same, LEAST, reach)
    n_xz, n_yz, n_z = (
        _nearer(_stacked(*columns), limit, of) for columns, of in (((x, z), parts_x), ((y, z), parts_y), ((z,), None))
    )
    if inclusive:
        used = _nearer(joint, limit, parts)
    elif same.any():
        used[same] = _nearer(joint, limit, parts)[same] + 1
    return used, n_xz, n_yz, n_z


def nearest(columns: np.ndarray, k: int, euclidean: bool = False) -> np.ndarray:
    """Distances of each sample to its k nearest others, ascending, [n, k]; max-norm unless Euclidean.
    columns: [d, n]."""
    d, n = columns.shape
    out = np.empty((n, k))
    if d == 0:
        out[:] = 0.0
    elif d == 1:
        order = np.argsort(columns[0])
        _nearest_sorted(columns[0][order], order, out)
    elif _by_tree(d, n):
        nearest_by_tree(np.ascontiguousarray(columns), euclidean, out)
    else:
        return nearest_by_scan(np.ascontiguousarray(columns), k, euclidean)[0]
    return out


def _by_tree(d: int, n: int) -> bool:
    """Whether a tree is faster than a scan, by the measurements above."""
    return d <= MOST_FOR_TREES or d <= MOST_FOR_TREES + math.log(n / _EVEN, _MORE) + 1


def nearest_rows(columns: np.ndarray, k: int) -> np.ndarray:
    """Which k others are nearest to each sample by the max-norm, [n, k] int64, ascending by distance; [d, n] without
    ties."""
    n = columns.shape[1]
    if len(columns) > MOST_FOR_TREES:
        return nearest_by_scan(np.ascontiguousarray(columns), k)[1]
    from scipy.spatial import KDTree

    found = np.asarray(KDTree(columns.T).query(columns.T, k + 1, p=np.inf)[1])
    others = found != np.arange(n)[:, None]
    others[others.all(1), -1] = False  # the sample itself is not among them: copies of it are
    return found[others].reshape(n, k)


def within(columns: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """How many others lie within `reach` [n] of each sample by the max-norm, those at that distance with them: [n]."""
    limit = np.nextafter(reach, np.inf)
    if _by_tree(*columns.shape):
        return _nearer_of_all(columns, limit)
    return counts_by_scan(np.ascontiguousarray(columns), limit)


def _nearer(columns: np.ndarray, limit: np.ndarray, parts: list[np.ndarray] | None) -> np.ndarray:
    """How many others of the same label, whose rows are `parts`, lie strictly nearer than `limit`, [n]."""
    n = columns.shape[1]
    if parts is None:
        return _nearer_of_all(columns, limit)
    out = np.empty(n, dtype=np.int64)
    for rows in parts:
        out[rows] = _nearer_of_all(columns[:, rows], limit[rows])
    return out


def _nearer_of_all(columns: np.ndarray, limit: np.ndarray) -> np.ndarray:
    d, n = columns.shape
    if d == 0:
        return np.full(n, n - 1)
    out = np.empty(n, dtype=np.int64)
    if d == 1:
        order = np.argsort(columns[0])
        _counts_sorted(columns[0][order], order, limit, out)
    else:
        counts_by_tree(np.ascontiguousarray(columns), limit, out)
    return out


def _stacked(*columns: np.ndarray) -> np.ndarray:
    """The columns of several variables, those of one alone as they are."""
    some = [v for v in columns if len(v)]
    return np.concatenate(some) if len(some) > 1 else some[0] if some else columns[0]


def _both(label_x: np.ndarray, label_y: np.ndarray) -> np.ndarray:
    return np.unique(label_x * (label_y.max() + 1) + label_y, return_inverse=True)[1].ravel()


def _parts(label: np.ndarray) -> list[np.ndarray]:
    """The rows of each label."""
    short = label.astype(np.int16) if label.max() < 2**15 else label  # short numbers are sorted by their digits
    order = np.argsort(short, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(short[order])) + 1)


@njit(cache=True, error_model="numpy")
def _nearest_sorted(ordered, order, out):
    """The same for one column, `ordered` ascending and out's rows by `order`:
    the nearest are the next on either side."""
    n, k = out.shape
    for i in range(n):
        low, high, at = i - 1, i + 1, ordered[i]
        for m in range(k):
            below = at - ordered[low] if low >= 0 else np.inf
            above = ordered[high] - at if high < n else np.inf
            if below <= above:
                out[order[i], m] = below
                low -= 1
            else:
                out[order[i], m] = above
                high += 1


@njit(cache=True, error_model="numpy")
def _counts_sorted(ordered, order, limit, out):
    """out[order[i]] = how many others lie strictly nearer to ordered[i] than limit[order[i]] > 0. Bisection on the very
    differences that are compared: x + limit would round another way."""
    n = len(ordered)
    for i in range(n):
        at, r = ordered[i], limit[order[i]]
        low, high = 0, i
        while low < high:  # the first that is less than r below
            middle = (low + high) // 2
            if at - ordered[middle] < r:
                high = middle
            else:
                low = middle + 1
        first, low, high = low, i, n
        while low < high:  # the first that is r or more above
            middle = (low + high) // 2
            if ordered[middle] - at < r:
                low = middle + 1
            else:
                high = middle
        out[order[i]] = low - first - 1
