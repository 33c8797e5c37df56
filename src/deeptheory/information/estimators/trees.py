"""A k-d tree of samples for neighbors in few dimensions, compiled: all samples are both the tree and the questions.

Why own code: scikit-learn's and scipy's trees answer for any point and metric; here every question is a sample of the
tree itself, asked leaf by leaf, and distances are the very differences that the counts compare, so that "strictly
nearer" means it. The slow form: sorted lists of all distances, in the tests.
"""

from typing import Any

import numpy as np

from deeptheory.core.compiled import njit

_LEAF = 16
LOOPS: Any = {"fastmath": {"reassoc", "contract", "nsz", "arcp"}, "error_model": "numpy", "cache": True}


@njit(cache=True, error_model="numpy")
def _select(order, column, low, high, middle):
    """Rearrange order[low:high] so that what stands at `middle` has its place by `column`, smaller ones before it."""
    high -= 1
    while low < high:
        pivot = column[order[(low + high) // 2]]
        i, j = low, high
        while i <= j:
            while column[order[i]] < pivot:
                i += 1
            while column[order[j]] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@njit(cache=True, error_model="numpy")
def _grow(columns, leaf):
    """columns [d, n] -> samples in the tree's order [d, n], that order, the nodes' ranges and boxes, how many levels
    split. Node m has children 2m + 1 and 2m + 2; each is halved at the median of its widest column."""
    d, n = columns.shape
    levels = 0
    while (n >> levels) > leaf:
        levels += 1
    nodes = 2 ** (levels + 1) - 1
    order = np.arange(n)
    start, stop = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    low, high = np.empty((nodes, d)), np.empty((nodes, d))
    stop[0] = n
    for m in range(nodes):
        widest, at = -1.0, 0
        for u in range(d):
            column = columns[u]
            least, most = np.inf, -np.inf
            for p in range(start[m], stop[m]):
                v = column[order[p]]
                least = min(least, v)
                most = max(most, v)
            low[m, u], high[m, u] = least, most
            if most - least > widest:
                widest, at = most - least, u
        if 2 * m + 2 < nodes:
            middle = (start[m] + stop[m]) // 2
            _select(order, columns[at], start[m], stop[m], middle)
            start[2 * m + 1], stop[2 * m + 1] = start[m], middle
            start[2 * m + 2], stop[2 * m + 2] = middle, stop[m]
    samples = np.empty((d, n))
    for u in range(d):
        for p in range(n):
            samples[u, p] = columns[u, order[p]]
    return samples, order, start, stop, low, high, levels


@njit(**LOOPS)
def nearest_by_tree(columns, euclidean, out):
    """out [n, k]: distances of each sample to its k nearest others, ascending; max-norm, or Euclidean.
    columns: [d, n]."""
    samples, order, start, stop, low, high, levels = _grow(columns, _LEAF)
    d, n = samples.shape
    k, first_leaf = out.shape[1], 2**levels - 1
    stack, bounds = np.empty(levels + 2, np.int64), np.empty(levels + 2)
    kth, own, apart = np.empty(k), np.empty(d), np.empty(2 * _LEAF)
    for i in range(n):
        for u in range(d):
            own[u] = samples[u, i]
        kth[:] = np.inf
        worst = np.inf
        stack[0], bounds[0], depth = 0, 0.0, 1
        while depth > 0:
            depth -= 1
            if bounds[depth] >= worst:
                continue
            m = stack[depth]
            while m < first_leaf:  # go down on the nearer side, the farther one waits
                left, right = 2 * m + 1, 2 * m + 2
                a, b = 0.0, 0.0  # the least distances to the two boxes
                for u in range(d):
                    at = own[u]
                    to_left = max(max(low[left, u] - at, at - high[left, u]), 0.0)
                    to_right = max(max(low[right, u] - at, at - high[right, u]), 0.0)
                    a = a + to_left * to_left if euclidean else max(a, to_left)
                    b = b + to_right * to_right if euclidean else max(b, to_right)
                if a < b or (a == b and i < stop[left]):  # equally near: where the sample itself is
                    near, far, gap = left, right, b
                else:
                    near, far, gap = right, left, a
                if gap < worst:
                    stack[depth], bounds[depth] = far, gap
                    depth += 1
                m = near
            first, size = start[m], stop[m] - start[m]
            for j in range(size):
                apart[j] = 0.0
            for u in range(d):
                at, column = own[u], samples[u]
                if euclidean:
                    for j in range(size):
                        apart[j] += (column[first + j] - at) ** 2
                else:
                    for j in range(size):
                        apart[j] = max(apart[j], abs(column[first + j] - at))
            if first <= i < first + size:
                apart[i - first] = np.inf
            for j in range(size):
                if apart[j] < worst:
                    at_most = k - 1
                    while at_most > 0 and kth[at_most - 1] > apart[j]:
                        kth[at_most] = kth[at_most - 1]
                        at_most -= 1
                    kth[at_most] = apart[j]
                    worst = kth[k - 1]
        for m in range(k):
            out[order[i], m] = np.sqrt(kth[m]) if euclidean else kth[m]


@njit(**LOOPS)
def counts_by_tree(columns, reach, out):
    """out[i] = how many others lie strictly nearer to sample i than reach[i] > 0, max-norm. columns: [d, n]."""
    samples, order, start, stop, low, high, levels = _grow(columns, _LEAF)
    d, n = samples.shape
    first_leaf = 2**levels - 1
    stack, own, apart = np.empty(levels + 2, np.int64), np.empty(d), np.empty(2 * _LEAF)
    for i in range(n):
        for u in range(d):
            own[u] = samples[u, i]
        r = reach[order[i]]
        found, depth = -1, 1  # the sample itself is not another
        stack[0] = 0
        while depth > 0:
            depth -= 1
            m = stack[depth]
            nearest, farthest = 0.0, 0.0
            for u in range(d):
                below, above = own[u] - low[m, u], high[m, u] - own[u]
                nearest = max(nearest, max(-below, -above))
                farthest = max(farthest, max(below, above))
            if nearest >= r:
                continue
            first, size = start[m], stop[m] - start[m]
            if farthest < r:
                found += size
            elif m < first_leaf:
                stack[depth], stack[depth + 1] = 2 * m + 1, 2 * m + 2
                depth += 2
            else:
                for j in range(size):
                    apart[j] = 0.0
                for u in range(d):
                    at, column = own[u], samples[u]
                    for j in range(size):
                        apart[j] = max(apart[j], abs(column[first + j] - at))
                for j in range(size):
                    found += apart[j] < r
        out[order[i]] = found
