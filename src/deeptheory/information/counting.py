"""Discrete rows to information: group equal rows, count them, with and without the label; all in bits.

Fast path: one pass by compiled loops, rows packed into one 64-bit key where they fit and compared in full where they do
not, an open-addressing table that stays in cache. Slow reference: dictionaries, in the tests.
T is a function of X and every input counts once, so I(X;T) = H(T); I(T;Y) = H(T) + H(Y) - H(T,Y), Y given by
labels or exactly by p(y|x). Plug-in values: biased up with the number of occupied cells
(notes say so where it matters).
"""

from functools import lru_cache

import numpy as np

from deeptheory.core.compiled import njit

FIELDS = ("i_x", "i_y", "h_t", "occupied")


@lru_cache(maxsize=8)
def x_log_x(n: int) -> np.ndarray:
    """c log2 c for c = 0..n, so that counting needs no logarithm."""
    c = np.arange(n + 1, dtype=np.float64)
    return c * np.log2(np.maximum(c, 1))


@njit(cache=True, error_model="numpy")
def _search(v, edges, low, high):
    """First k in [low, high] with v <= edges[k], less one; not below 0."""
    while low < high:
        middle = (low + high) // 2
        if edges[middle] < v:
            low = middle + 1
        else:
            high = middle
    return max(low - 1, 0)


@njit(cache=True, error_model="numpy")
def cells(a, edges, uniform, out):
    """Cells of a [n, unit] among edges [unit or 1, n_cells + 1] into out; returns (NaN seen, values below, above).

    The right edge of a cell is closed, the first cell on both sides. uniform: the edges are evenly spaced, so that a
    product guesses the cell; of other edges, where each of four times as many even parts of the range begins among them
    says where to look. The edges decide.
    """
    n_cells = edges.shape[1] - 1
    nan, below, above = 0, 0, 0
    parts = 4 * n_cells if not uniform and a.shape[0] > n_cells else 0
    first = np.empty(parts + 1, dtype=np.int32)
    for u in range(a.shape[1]):
        e = edges[u if edges.shape[0] > 1 else 0]
        low, high = e[0], e[n_cells]
        scale = n_cells / (high - low)
        guess = uniform and 0 < scale < np.inf
        begins = parts and 0 < 4 * scale < np.inf
        if begins and (u == 0 or edges.shape[0] > 1):
            for b in range(parts + 1):
                first[b] = _search(low + b / (4 * scale), e, 0, n_cells)
        for r in range(a.shape[0]):
            v = np.float64(a[r, u])
            if low <= v <= high:
                if guess:
                    k = min(int((v - low) * scale), n_cells - 1)
                    k -= k > 0 and v <= e[k]
                    k += k < n_cells - 1 and v > e[k + 1]
                elif begins:
                    b = min(int((v - low) * (4 * scale)), parts - 1)
                    k = first[b]
                    if first[b + 1] - k > 2 or v <= e[k] or v > e[min(k + 3, n_cells)]:  # many edges, or rounding
                        k = _search(v, e, 0, n_cells)
                    else:
                        k += v > e[k + 1]
                        k += k < n_cells - 1 and v > e[k + 1]
                else:
                    k = _search(v, e, 0, n_cells)
            elif v < low:
                below += 1
                k = 0
            elif v > high:
                above += 1
                k = n_cells - 1
            else:
                nan += 1
                k = 0
            out[r, u] = k
    return nan, below, above


@njit(cache=True, error_model="numpy")
def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, error_model="numpy")
def group(rows, packed, radix, ids, keys, table, first):
    """Number equal rows [n, unit] int64 in the order in which they first appear: ids [n]; returns how many there are.

    packed: each entry lies in [0, radix) and radix^unit < 2^63, so a row is one number and one comparison; else rows
    that share a hash are compared in full.
    """
    table[:] = -1
    mask = np.uint64(len(table) - 1)
    found = 0
    for r in range(rows.shape[0]):
        key = np.uint64(0)
        for u in range(rows.shape[1]):
            if packed:
                key = key * np.uint64(radix) + np.uint64(rows[r, u])
            else:
                key = _mix(key + np.uint64(rows[r, u]) + np.uint64(0x9E3779B97F4A7C15))
        keys[r] = key
        at = _mix(key) & mask
        while True:
            g = table[at]
            if g < 0:
                table[at] = found
                first[found] = r
                ids[r] = found
                found += 1
                break
            other = first[g]
            same = keys[other] == key
            if same and not packed:
                for u in range(rows.shape[1]):
                    if rows[r, u] != rows[other, u]:
                        same = False
                        break
            if same:
                ids[r] = g
                break
            at = (at + np.uint64(1)) & mask
    return found


@njit(cache=True, error_model="numpy")
def _sorted_by_group(ids, found, start, order):
    """Rows of group g, ascending, into order[start[g]:start[g + 1]]; start: [found + 1 or longer]."""
    start[: found + 1] = 0
    for g in ids:
        start[g + 1] += 1
    for g in range(found):
        start[g + 1] += start[g]
    for r in range(len(ids) - 1, -1, -1):
        start[ids[r] + 1] -= 1
        order[start[ids[r] + 1]] = r
    for g in range(found):
        start[g] = start[g + 1]
    start[found] = len(ids)


@njit(cache=True, error_model="numpy")
def _from_labels(ids, found, labels, classes, table, start, order, cell, out):
    """out[:] = I(X;T), I(T;Y), H(T), occupied for group numbers ids [n] < found and labels [n] < classes.

    Counts are made group by group: memory of n and classes, never of their product. cell: [n] int64, room for labels.
    """
    n = len(ids)
    _sorted_by_group(ids, found, start, order)
    count = np.zeros(classes, dtype=np.int64)
    per_class = np.zeros(classes, dtype=np.int64)
    t, ty, y = 0.0, 0.0, 0.0
    for g in range(found):
        size = start[g + 1] - start[g]
        t += table[size]
        kinds = 0
        for k in range(start[g], start[g + 1]):
            c = labels[order[k]]
            if count[c] == 0:
                cell[kinds] = c
                kinds += 1
            count[c] += 1
        if kinds > 2:
            cell[:kinds].sort()  # sums in the order of classes
        elif kinds == 2 and cell[0] > cell[1]:
            cell[0], cell[1] = cell[1], cell[0]
        for k in range(kinds):
            c = cell[k]
            ty += table[count[c]]
            per_class[c] += count[c]
            count[c] = 0
    for c in range(classes):
        y += table[per_class[c]]
    log_n = np.log2(np.float64(n))
    h_t = log_n - t / n
    out[0], out[1], out[2], out[3] = h_t, log_n - (t + y - ty) / n, h_t, found


@njit(cache=True, error_model="numpy")
def _from_probabilities(ids, found, p_y, table, start, order, out):
    """The same for p(y|x) [n, class]; every input has probability 1/n."""
    n, classes = p_y.shape
    _sorted_by_group(ids, found, start, order)
    t, ty, y = 0.0, 0.0, 0.0
    for g in range(found):
        t += table[start[g + 1] - start[g]]
        for c in range(classes):
            q = 0.0
            for k in range(start[g], start[g + 1]):
                q += p_y[order[k], c]
            if q > 0:
                ty += q * np.log2(q)
    for c in range(classes):
        q = 0.0
        for r in range(n):
            q += p_y[r, c]
        if q > 0:
            y += q * np.log2(q)
    log_n = np.log2(np.float64(n))
    h_t = log_n - t / n
    out[0], out[1], out[2], out[3] = h_t, log_n - (t + y - ty) / n, h_t, found


@njit(cache=True, error_model="numpy")
def information(rows, packed, radix, labels, classes, p_y, table, out):
    """Whole readout of discrete rows [S, n, unit]; p_y [0, 0]: labels [n] decide. out: [S, 4]."""
    n = rows.shape[1]
    ids, first = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    keys = np.empty(n, dtype=np.uint64)
    size = 4
    while size < 2 * n:
        size *= 2
    slots = np.empty(size, dtype=np.int32)
    start, order, cell = np.empty(n + 1, dtype=np.int64), np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    for s in range(rows.shape[0]):
        found = group(rows[s], packed, radix, ids, keys, slots, first)
        if p_y.shape[0]:
            _from_probabilities(ids, found, p_y, table, start, order, out[s])
        else:
            _from_labels(ids, found, labels, classes, table, start, order, cell, out[s])


@njit(cache=True, error_model="numpy")
def binned(a, edges, uniform, wrap, labels, classes, p_y, table, out, bad):
    """Whole readout of a [S, n, unit] by bins, edges [S or 1, unit or 1, n_cells + 1]; out: [S, 4].

    bad[s] counts NaN, values below and values above; wrap: values below go to the last cell (the released code's).
    """
    n_seeds, n, units = a.shape
    radix = edges.shape[2] - 1
    packed = units * np.log2(radix) < 62.5
    rows = np.empty((1, n, units), dtype=np.int32)
    for s in range(n_seeds):
        e = edges[s if edges.shape[0] > 1 else 0]
        bad[s, 0], bad[s, 1], bad[s, 2] = cells(a[s], e, uniform, rows[0])
        if wrap and bad[s, 1]:
            for r in range(n):
                for u in range(units):
                    if a[s, r, u] < e[u if e.shape[0] > 1 else 0, 0]:
                        rows[0, r, u] = radix - 1
        information(rows, packed, radix, labels, classes, p_y, table, out[s : s + 1])
