"""A k-d tree of samples for neighbours in few dimensions, compiled: all samples are both the tree and the questions.

Why own code: scikit-learn's and scipy's trees answer for any point and metric; here every question is a sample of the tree
itself, asked leaf by leaf, and distances are the very differences that the counts compare, so that "strictly nearer" means it.
The slow form: sorted lists of all distances, in the tests.
"""

import numpy as np
from numba import njit

_LEAF = 12


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
    """columns [d, n] -> samples in the tree's order [n, d], that order, the nodes' ranges and boxes, how many levels split.
    Node m has children 2m + 1 and 2m + 2; each is halved at the median of its widest column."""
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
    samples = np.empty((n, d))
    for p in range(n):
        for u in range(d):
            samples[p, u] = columns[u, order[p]]
    return samples, order, start, stop, low, high, levels


@njit(cache=True, error_model="numpy")
def _gap(sample, low, high, euclidean):
    """The least distance of a sample to a box: largest difference, or sum of squares."""
    out = 0.0
    for u in range(len(sample)):
        at = sample[u]
        apart = max(low[u] - at, at - high[u])
        if apart > 0:
            if euclidean:
                out += apart * apart
            elif apart > out:
                out = apart
    return out


@njit(cache=True, error_model="numpy")
def nearest_by_tree(columns, euclidean, out):
    """out [n, k]: distances of each sample to its k nearest others, ascending; max-norm, or Euclidean. columns: [d, n]."""
    samples, order, start, stop, low, high, levels = _grow(columns, _LEAF)
    n, d = samples.shape
    k, first_leaf = out.shape[1], 2**levels - 1
    stack, bounds = np.empty(levels + 2, np.int64), np.empty(levels + 2)
    kth = np.empty(k)
    for i in range(n):
        own = samples[i]
        kth[:] = np.inf
        stack[0], bounds[0], depth = 0, 0.0, 1
        while depth > 0:
            depth -= 1
            if bounds[depth] >= kth[k - 1]:
                continue
            m = stack[depth]
            while m < first_leaf:  # go down on the nearer side, the farther one waits
                left, right = 2 * m + 1, 2 * m + 2
                a = _gap(own, low[left], high[left], euclidean)
                b = _gap(own, low[right], high[right], euclidean)
                if (a, i >= stop[left]) <= (b, i < start[right]):  # equally near: where the sample itself is
                    near, far, gap = left, right, b
                else:
                    near, far, gap = right, left, a
                if gap < kth[k - 1]:
                    stack[depth], bounds[depth] = far, gap
                    depth += 1
                m = near
            for j in range(start[m], stop[m]):
                if j == i:
                    continue
                reach = kth[k - 1]
                apart = 0.0
                if euclidean:
                    for u in range(d):
                        apart += (samples[j, u] - own[u]) ** 2
                else:
                    for u in range(d):
                        apart = max(apart, abs(samples[j, u] - own[u]))
                if apart < reach:
                    at = k - 1
                    while at > 0 and kth[at - 1] > apart:
                        kth[at] = kth[at - 1]
                        at -= 1
                    kth[at] = apart
        for m in range(k):
            out[order[i], m] = np.sqrt(kth[m]) if euclidean else kth[m]


@njit(cache=True, error_model="numpy")
def counts_by_tree(columns, reach, out):
    """out[i] = how many others lie strictly nearer to sample i than reach[i] > 0, max-norm. columns: [d, n]."""
    samples, order, start, stop, low, high, levels = _grow(columns, _LEAF)
    n, d = samples.shape
    first_leaf = 2**levels - 1
    stack = np.empty(levels + 2, np.int64)
    for i in range(n):
        own, r = samples[i], reach[order[i]]
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
            if farthest < r:
                found += stop[m] - start[m]
            elif m < first_leaf:
                stack[depth], stack[depth + 1] = 2 * m + 1, 2 * m + 2
                depth += 2
            else:
                for j in range(start[m], stop[m]):
                    inside = True
                    for u in range(d):
                        inside &= abs(samples[j, u] - own[u]) < r
                    found += inside
        out[order[i]] = found
