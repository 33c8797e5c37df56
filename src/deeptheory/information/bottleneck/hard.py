"""Kernels for hard clusters, where T is a function of X: single moves and merges, compiled, nats.

With phi(v) = v log v and a cluster of mass w that holds h_y of each label, H(T) - beta I(T;Y) is, but for a constant,
    sum_t (beta - 1) phi(w_t) - beta sum_y phi(h_ty),
a sum over clusters: a move or a merge changes two terms. The two factors are given as `a` and `b`; a = b = 1 is the
loss of I(T;Y) alone, the limit of a large beta. Where I(X;Y) is so small that it is lost in these differences, p_y [m]
is given (else it is empty), a is the factor of H(T), and the sum is
    sum_t -a phi(w_t) - b w_t KL[h_t / w_t || p_y].
"""

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.bottleneck.divergence import term


@njit(cache=True, error_model="numpy")
def _phi(v):
    return v * np.log(v) if v > 0 else 0.0


@njit(cache=True, error_model="numpy")
def _cost(w, h, a, b, p_y):
    if len(p_y):
        s = -a * _phi(w)
        for y in range(len(h)):
            s -= b * term(h[y], w * p_y[y])
        return s
    s = a * _phi(w)
    for y in range(len(h)):
        s -= b * _phi(h[y])
    return s


@njit(cache=True, error_model="numpy")
def _cost_with(w, h, p, q, sign, a, b, p_y):
    """The cost of the cluster with x added (sign 1) or taken out (sign -1)."""
    new = max(w + sign * p, 0.0)
    if len(p_y):
        s = -a * _phi(new)
        for y in range(len(h)):
            s -= b * term(max(h[y] + sign * p * q[y], 0.0), new * p_y[y])
        return s
    s = a * _phi(new)
    for y in range(len(h)):
        s -= b * _phi(max(h[y] + sign * p * q[y], 0.0))
    return s


@njit(cache=True, error_model="numpy")
def move(p, q, labels, k, a, b, p_y, orders):
    """Draw each x out and put it where the sum is least (Slonim, Friedman & Tishby 2002), in the given orders [s, n],
    until a whole order moves none. labels [n] < k, in place; an empty cluster may be filled. Returns sweeps made."""
    n, m = q.shape
    w, h, cost = np.zeros(k), np.zeros((k, m)), np.empty(k)
    size = np.zeros(k, dtype=np.int64)
    for x in range(n):
        size[labels[x]] += 1
        w[labels[x]] += p[x]
        for y in range(m):
            h[labels[x], y] += p[x] * q[x, y]
    for t in range(k):
        cost[t] = _cost(w[t], h[t], a, b, p_y)
    for sweep in range(len(orders)):
        moved = 0
        for x in orders[sweep]:
            old = labels[x]
            out = _cost_with(w[old], h[old], p[x], q[x], -1.0, a, b, p_y) if size[old] > 1 else 0.0
            best, best_gain, into_cost = old, 0.0, 0.0
            left = cost[old] - out
            for t in range(k):
                if t == old:
                    continue
                into = _cost_with(w[t], h[t], p[x], q[x], 1.0, a, b, p_y)
                gain = left + cost[t] - into
                if gain > best_gain + 1e-14:
                    best, best_gain, into_cost = t, gain, into
            if best != old:
                w[old] -= p[x]
                w[best] += p[x]
                for y in range(m):
                    h[old, y] -= p[x] * q[x, y]
                    h[best, y] += p[x] * q[x, y]
                size[old] -= 1
                size[best] += 1
                if size[old] == 0:
                    w[old] = 0.0
                    h[old] = 0.0
                cost[old], cost[best] = out, into_cost
                labels[x] = best
                moved += 1
        if moved == 0:
            return sweep + 1
    return len(orders)


@njit(cache=True, error_model="numpy")
def _merged(w, h, i, j, a, b, p_y):
    if len(p_y):
        s = -a * _phi(w[i] + w[j])
        for y in range(h.shape[1]):
            s -= b * term(h[i, y] + h[j, y], (w[i] + w[j]) * p_y[y])
        return s
    s = a * _phi(w[i] + w[j])
    for y in range(h.shape[1]):
        s -= b * _phi(h[i, y] + h[j, y])
    return s


@njit(cache=True, error_model="numpy")
def _nearest(w, h, cost, alive, i, a, b, p_y):
    best, who = np.inf, -1
    for j in range(i + 1, len(w)):
        if alive[j]:
            c = _merged(w, h, i, j, a, b, p_y) - cost[i] - cost[j]
            if c < best:
                best, who = c, j
    return best, who


@njit(cache=True, error_model="numpy")
def merge(p, q, a, b, p_y, into, price):
    """Merge the pair that costs least until one cluster is left (Slonim & Tishby 1999).

    Step s joins cluster into[s, 1] into into[s, 0] (numbers of rows) at price[s]. Memory of order n.
    """
    n, m = q.shape
    w, h, cost = p.copy(), np.empty((n, m)), np.empty(n)
    alive = np.ones(n, dtype=np.bool_)
    near, near_cost = np.empty(n, dtype=np.int64), np.empty(n)
    for i in range(n):
        h[i] = p[i] * q[i]
        cost[i] = _cost(w[i], h[i], a, b, p_y)
    for i in range(n):
        near_cost[i], near[i] = _nearest(w, h, cost, alive, i, a, b, p_y)
    for s in range(n - 1):
        i, best = -1, np.inf
        for x in range(n):
            if alive[x] and near[x] >= 0 and (i < 0 or near_cost[x] < best):
                i, best = x, near_cost[x]
        j = near[i]
        into[s, 0], into[s, 1], price[s] = i, j, best
        cost[i] = _merged(w, h, i, j, a, b, p_y)
        w[i] += w[j]
        h[i] += h[j]
        alive[j] = False
        for x in range(j):
            if not alive[x]:
                continue
            if x == i or near[x] == j or near[x] == i:
                near_cost[x], near[x] = _nearest(w, h, cost, alive, x, a, b, p_y)
            elif x < i:
                c = _merged(w, h, x, i, a, b, p_y) - cost[x] - cost[i]
                if c < near_cost[x]:
                    near_cost[x], near[x] = c, i
