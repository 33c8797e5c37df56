"""Neighbors in many columns: a scan over all pairs, exact, memory of order n.

Distances of a block of samples to all others are made in single precision first, twice as many at a time and on half
the memory. What they cannot decide, since it lies within their own rounding of the answer, is decided by the very
differences in double precision: a few pairs per sample, or the sample's whole row where there are many (ties).
The slow form: sorted lists of all distances, in the tests.

Rounding: columns are shifted by their median and scaled by one power of two, so that the largest number is at most 1.
For a pair at distance d or less, |c_j| <= |c_i| + d in every column, so that single precision is off by at most
2^-24 (2 |c_i| + d) from the numbers and 2^-24 d from their difference; `_loose` is twice that, which leaves room for
the rounding of thresholds.
"""

from typing import Any

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.estimators.trees import LOOPS
from deeptheory.networks.population.elementary import FAST

LEAST = 5e-324  # nearer than this: the same
_BLOCK, _PIECE, _FEW = 8, 256, 32  # samples at a time; others whose distances are made, or looked through, at a time
_SPARE = 5  # that many more than k are kept: they may change places with the kth
_NUMPY: Any = {"cache": True, "error_model": "numpy"}


def scan(x, y, z, k, label_x, label_y, inclusive, slack) -> np.ndarray:
    """What neighbors.counts_around says, [4, n]. x, y, z: [d, n] float64; a label of no entries is none."""
    out = np.empty((4, x.shape[1]), dtype=np.int64)
    _scan(x, y, z, k, label_x, label_y, inclusive, slack, *_coarse(x, y, z), out)
    return out


def nearest_by_scan(columns: np.ndarray, k: int, euclidean: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Distances of each sample to its k nearest others, ascending, and which they are: [n, k] both; max-norm unless
    Euclidean."""
    n = columns.shape[1]
    apart, rows = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    if euclidean:
        _nearest_euclidean(columns, apart, rows)
        return np.sqrt(apart), rows
    _nearest(columns, *_coarse(columns), apart, rows)
    return apart, rows


def counts_by_scan(columns: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """[n]: how many others lie strictly nearer than limit[i] > 0 by the max-norm."""
    out = np.empty(columns.shape[1], dtype=np.int64)
    _counts(columns, limit, *_coarse(columns), out)
    return out


def _coarse(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """All columns in single precision [d, n], the largest of each sample in size [n], and what they are scaled by.
    size is infinite where single precision decides nothing: numbers at the ends of what double precision holds."""
    d, n = sum(len(c) for c in columns), columns[0].shape[1]
    coarse, sizes, centers, largest, u = np.empty((d, n), dtype=np.float32), np.zeros(n), [], 0.0, 0
    for c in columns:
        centers.append(np.median(c, axis=1, keepdims=True) / 4)
        if len(c):  # quarters, so that no difference overflows
            largest = max(largest, *(float(np.abs(v / 4 - m).max()) for v, m in zip(c, centers[-1])))
    if not 1e-280 < largest < np.inf:
        return np.zeros((d, n), dtype=np.float32), np.full(n, np.inf), 0.0
    scale = 2.0 ** -np.frexp(largest)[1]
    for c, center in zip(columns, centers):
        for v, m in zip(c, center):
            coarse[u] = (v / 4 - m) * scale
            np.maximum(sizes, np.abs(coarse[u]), out=sizes)
            u += 1
    return coarse, sizes, scale / 4


@njit(**FAST)
def _loose(size, apart):
    """How far a scaled distance of about `apart` may be off in single precision."""
    return 2.0**-22 * (size + apart) + 2.0**-120


@njit(**FAST)
def _put_four(r, s, t, v, at_r, at_s, at_t, at_v, out):
    for j in range(len(out)):  # by the length of one array: other ends are not vectorized
        p = max(abs(r[j] - at_r), abs(s[j] - at_s))
        q = max(abs(t[j] - at_t), abs(v[j] - at_v))
        out[j] = max(out[j], max(p, q))


@njit(**FAST)
def _put_one(r, at, out):
    for j in range(len(out)):
        out[j] = max(out[j], abs(r[j] - at))


@njit(**LOOPS)
def _put(columns, i, first, last, piece):
    """piece[j] = max over columns of |column[first + j] - column[i]|, four columns at a time, so that `piece` is read
    and written a quarter as often."""
    d = len(columns)
    whole = d - d % 4
    for u in range(0, whole, 4):
        r, s = columns[u][first:last], columns[u + 1][first:last]
        t, v = columns[u + 2][first:last], columns[u + 3][first:last]
        _put_four(r, s, t, v, columns[u, i], columns[u + 1, i], columns[u + 2, i], columns[u + 3, i], piece)
    for u in range(whole, d):
        _put_one(columns[u][first:last], columns[u, i], piece)


@njit(**LOOPS)
def _block(coarse, first, rows, out):
    """out[b, j]: distance of sample first + b to sample j. A piece of the others at a time for all samples of the
    block, four columns at a time, so that both stay in the nearest cache."""
    d, n = coarse.shape
    whole = d - d % 4
    for start in range(0, n, _PIECE):
        stop = min(start + _PIECE, n)
        for b in range(rows):
            out[b, start:stop] = np.float32(0)
        for u in range(0, whole, 4):
            r, s = coarse[u][start:stop], coarse[u + 1][start:stop]
            t, v = coarse[u + 2][start:stop], coarse[u + 3][start:stop]
            for b in range(rows):
                i = first + b
                _put_four(
                    r, s, t, v, coarse[u, i], coarse[u + 1, i], coarse[u + 2, i], coarse[u + 3, i], out[b, start:stop]
                )
        for u in range(whole, d):
            for b in range(rows):
                _put_one(coarse[u][start:stop], coarse[u, first + b], out[b, start:stop])


@njit(**LOOPS)
def _exact(p, q, i, label, out):
    """out[j] = distance of samples i and j in the columns of p and q; infinite between labels."""
    n = p.shape[1]
    for start in range(0, n, _PIECE):
        stop = min(start + _PIECE, n)
        out[start:stop] = 0.0
        _put(p, i, start, stop, out[start:stop])
        _put(q, i, start, stop, out[start:stop])
    _part(label, i, out)


@njit(**LOOPS)
def _part(label, i, out):
    for j in range(len(label)):
        if label[j] != label[i]:
            out[j] = np.inf


@njit(**LOOPS)
def _larger(a, b, out):
    for j in range(len(out)):
        out[j] = max(a[j], b[j])


@njit(**LOOPS)
def _pair(p, q, i, j):
    out = 0.0
    for u in range(len(p)):
        out = max(out, abs(p[u, j] - p[u, i]))
    for u in range(len(q)):
        out = max(out, abs(q[u, j] - q[u, i]))
    return out


@njit(**_NUMPY | {"fastmath": {"reassoc", "nsz", "nnan"}})  # no distance is NaN; else the loop is not vectorized
def _least(d):
    out = d[0]
    for j in range(len(d)):
        out = min(out, d[j])
    return out


@njit(**LOOPS)
def _two_counts(d, low, high):
    """How many of a piece of d are below low, and how many at most high; numbers of its own precision, so that the
    loop is vectorized."""
    below, within = np.float32(0), np.float32(0)
    one, none = np.float32(1), np.float32(0)
    for j in range(len(d)):
        below += one if d[j] < low else none
        within += one if d[j] <= high else none
    return np.int64(below), np.int64(within)


@njit(**LOOPS)
def _below(d, limit):
    out = 0
    for j in range(len(d)):
        out += d[j] < limit
    return out


@njit(**_NUMPY)
def _insert(kth, who, apart, j):
    """Into the ascending list."""
    at = len(kth) - 1
    while at > 0 and kth[at - 1] > apart:
        kth[at], who[at] = kth[at - 1], who[at - 1]
        at -= 1
    kth[at], who[at] = apart, j


@njit(**_NUMPY)
def _smallest(d, skip, kth, who, least):
    """kth[:] = the len(kth) smallest of d but that at `skip`, ascending, and where they are. least: room for the
    smallest of each piece; that many of them as are asked for bound the answer, so that few pieces are gone through."""
    own, d[skip] = d[skip], np.inf
    n, last = len(d), len(kth) - 1
    kth[:], who[:] = np.inf, -1
    for m in range(len(least)):
        start = m * _FEW
        least[m] = _least(d[start : min(start + _FEW, n)])
        if least[m] < kth[last]:
            _insert(kth, who, least[m], m)
    top = kth[last]
    kth[:], who[:] = np.inf, -1
    for m in range(len(least)):
        if least[m] <= top and least[m] < kth[last]:
            for j in range(m * _FEW, min(m * _FEW + _FEW, n)):
                if d[j] < kth[last]:
                    _insert(kth, who, d[j], j)
    d[skip] = own


@njit(**_NUMPY)
def _nearest_of(apart, size, scale, i, x, y, z, label_x, label_y, coarse_kth, coarse_who, kth, who, row, other, least):
    """kth, who: the nearest others of sample i, exact, from its distances in single precision, of which the list is
    longer than kth. row, other: room."""
    _smallest(apart, i, coarse_kth, coarse_who, least)
    used = len(kth)
    while used > 1 and coarse_kth[used - 1] == np.inf:
        used -= 1
    reach = coarse_kth[used - 1]
    top = np.float32(reach + 2 * _loose(size, reach))  # all that may be among them
    if not top < coarse_kth[len(coarse_kth) - 1]:  # the list may not hold them
        _exact(x, z, i, label_x, row)
        _exact(y, z, i, label_y, other)
        _larger(row, other, row)
        _smallest(row, i, kth, who, least)
        return
    kth[:], who[:] = np.inf, -1
    last = len(kth) - 1
    for m in range(len(coarse_kth)):
        if coarse_kth[m] <= top:
            j = coarse_who[m]
            exact = max(_pair(x, z, i, j), _pair(y, z, i, j))
            if exact < kth[last]:
                _insert(kth, who, exact, j)


@njit(**_NUMPY)
def _count(apart, size, scale, i, x, y, z, label_x, label_y, limit, row, other):
    """How many, sample i with them, lie strictly nearer than `limit`, from distances in single precision. row, other:
    room."""
    loose = _loose(size, limit * scale)
    low, high = np.float32(limit * scale - loose), np.float32(limit * scale + loose)
    n = len(apart)
    found, unclear, most = 0, 0, n // 32 + 8 if high < np.inf else -1
    for start in range(0, n, _PIECE):
        stop = min(start + _PIECE, n)
        below, within = _two_counts(apart[start:stop], low, high)
        found += below
        unclear += within - below
        if unclear > most:
            break
        if within > below:
            for j in range(start, stop):
                if low <= apart[j] <= high and max(_pair(x, z, i, j), _pair(y, z, i, j)) < limit:
                    found += 1
    if unclear > most:
        _exact(x, z, i, label_x, row)
        _exact(y, z, i, label_y, other)
        _larger(row, other, row)
        found = _below(row, limit)
    return found


@njit(**_NUMPY)
def _scan(x, y, z, k, label_x, label_y, inclusive, slack, coarse, sizes, scale, out):
    n, dx, dy = x.shape[1], len(x), len(y)
    blocks = np.zeros((4, _BLOCK, n), np.float32)
    kth, who = np.empty(k), np.empty(k, np.int64)
    coarse_kth, coarse_who = np.empty(k + _SPARE, np.float32), np.empty(k + _SPARE, np.int64)
    least = np.empty((n + _FEW - 1) // _FEW)
    row, other, nobody, none = np.empty(n), np.empty(n), np.zeros(0, np.int64), x[:0]
    for first in range(0, n, _BLOCK):
        rows = min(_BLOCK, n - first)
        _block(coarse[:dx], first, rows, blocks[0])
        _block(coarse[dx : dx + dy], first, rows, blocks[1])
        if len(z):
            _block(coarse[dx + dy :], first, rows, blocks[2])
        for b in range(rows):
            i = first + b
            in_x, in_y, in_z, both = blocks[0, b], blocks[1, b], blocks[2, b], blocks[3, b]
            if len(z):
                _larger(in_x, in_z, in_x)
                _larger(in_y, in_z, in_y)
            _part(label_x, i, in_x)
            _part(label_y, i, in_y)
            _larger(in_x, in_y, both)
            _nearest_of(
                both, sizes[i], scale, i, x, y, z, label_x, label_y, coarse_kth, coarse_who, kth, who, row, other, least
            )
            used = k
            while used > 1 and kth[used - 1] == np.inf:
                used -= 1
            reach = kth[used - 1]
            limit = np.nextafter(reach + slack, np.inf) if inclusive else (reach if reach > 0 else LEAST)
            out[0, i], out[3, i] = used, n - 1
            for part in range(4):  # in x, in y, in z, in all; one call in a loop is compiled once
                if (part == 2 and not len(z)) or (part == 3 and reach > 0 and not inclusive):
                    continue
                with_x, with_y = part in (0, 3), part in (1, 3)
                found = _count(
                    blocks[part, b], sizes[i], scale, i, x if with_x else none, y if with_y else none, z,
                    label_x if with_x else nobody, label_y if with_y else nobody, limit, row, other,
                )  # fmt: skip
                if part == 3:
                    out[0, i] = found - (1 if inclusive else 0)
                else:
                    out[part + 1, i] = found - 1


@njit(**_NUMPY)
def _nearest(columns, coarse, sizes, scale, apart, rows_out):
    n, k = apart.shape
    block = np.empty((_BLOCK, n), np.float32)
    coarse_kth, coarse_who = np.empty(k + _SPARE, np.float32), np.empty(k + _SPARE, np.int64)
    least = np.empty((n + _FEW - 1) // _FEW)
    row, other, nobody, none = np.empty(n), np.empty(n), np.zeros(0, np.int64), columns[:0]
    for first in range(0, n, _BLOCK):
        rows = min(_BLOCK, n - first)
        _block(coarse, first, rows, block)
        for b in range(rows):
            i = first + b
            _nearest_of(
                block[b], sizes[i], scale, i, columns, none, none, nobody, nobody, coarse_kth, coarse_who, apart[i],
                rows_out[i], row, other, least,
            )  # fmt: skip


@njit(**_NUMPY)
def _counts(columns, limit, coarse, sizes, scale, out):
    n = columns.shape[1]
    block, row, other = np.empty((_BLOCK, n), np.float32), np.empty(n), np.empty(n)
    none, nobody = columns[:0], np.zeros(0, np.int64)
    for first in range(0, n, _BLOCK):
        rows = min(_BLOCK, n - first)
        _block(coarse, first, rows, block)
        for b in range(rows):
            i = first + b
            found = _count(block[b], sizes[i], scale, i, columns, none, none, nobody, nobody, limit[i], row, other)
            out[i] = found - 1


@njit(**_NUMPY)
def _nearest_euclidean(columns, apart, rows_out):
    """By squared distances, all in double precision."""
    n = columns.shape[1]
    row, least = np.empty(n), np.empty((n + _FEW - 1) // _FEW)
    for i in range(n):
        row[:] = 0.0
        for u in range(len(columns)):
            _add_squares(columns[u], columns[u, i], row)
        _smallest(row, i, apart[i], rows_out[i], least)


@njit(**FAST)
def _add_squares(column, at, out):
    for j in range(len(out)):
        out[j] += (column[j] - at) ** 2
