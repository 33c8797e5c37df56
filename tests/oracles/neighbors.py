"""Nearest-neighbor estimators as their papers write them: sorted lists, one sample after the other, nats."""

import math

from scipy.special import digamma


def ksg(x, y, k) -> float:
    """Kraskov et al. 2004, eq. 8; x, y: [n, d]."""
    n, total = len(x), 0.0
    for i in range(n):
        dx = [max(abs(a - b) for a, b in zip(x[i], x[j])) for j in range(n)]
        dy = [max(abs(a - b) for a, b in zip(y[i], y[j])) for j in range(n)]
        reach = sorted(max(dx[j], dy[j]) for j in range(n) if j != i)[k - 1]
        n_x = sum(1 for j in range(n) if j != i and dx[j] < reach)
        n_y = sum(1 for j in range(n) if j != i and dy[j] < reach)
        total += digamma(n_x + 1) + digamma(n_y + 1)
    return digamma(k) + digamma(n) - total / n


def kozachenko_leonenko(x, k) -> float:
    """psi(n) is written as log(n - 1), as Berrett et al. do; Euclidean balls."""
    n, d = len(x), len(x[0])
    volume = math.pi ** (d / 2) / math.gamma(d / 2 + 1)
    total = 0.0
    for i in range(n):
        rho = sorted(math.dist(x[i], x[j]) for j in range(n) if j != i)[k - 1]
        total += d * math.log(rho)
    return total / n + math.log(volume) + math.log(n - 1) - float(digamma(k))


def distance(a, b) -> float:
    return max((abs(u - v) for u, v in zip(a, b)), default=0.0)


def ross(x, label, k) -> float:
    """Ross 2014, eq. 6, m counting the sample itself and those strictly nearer than its kth neighbor of the same
    label.
    """
    n, total = len(x), 0.0
    for i in range(n):
        mine = [j for j in range(n) if label[j] == label[i]]
        reach = sorted(distance(x[i], x[j]) for j in mine if j != i)[k - 1]
        m = 1 + sum(1 for j in range(n) if j != i and distance(x[i], x[j]) < reach)
        total += digamma(n) - digamma(len(mine)) + digamma(k) - digamma(m)
    return total / n


def labeled_distance(a, b, label_a, label_b) -> float:
    """Max-norm over the columns; another label is infinitely far."""
    return distance(a, b) if label_a == label_b else math.inf


def information(x, y, z, k, label_x=None, label_y=None, inclusive=False) -> float:
    """Counts around the kth neighbor in all of it (Frenzel & Pompe 2007), a label being a column whose values are the
    same or
    infinitely far: the last neighbor of its label where there are fewer, and where the distance is 0, all that are the
    same, itself with them (Gao et al. 2017). inclusive: up to and with the distance (Mesner & Shalizi 2020). x, y, z:
    [n, d]."""
    n, total = len(x), 0.0
    label_x = [0] * n if label_x is None else label_x
    label_y = [0] * n if label_y is None else label_y
    for i in range(n):
        others = [j for j in range(n) if j != i]
        dz = {j: distance(z[i], z[j]) for j in others}
        xz = {j: max(labeled_distance(x[i], x[j], label_x[i], label_x[j]), dz[j]) for j in others}
        yz = {j: max(labeled_distance(y[i], y[j], label_y[i], label_y[j]), dz[j]) for j in others}
        both = {j: max(xz[j], yz[j]) for j in others}
        finite = sorted(d for d in both.values() if d < math.inf)[:k]
        reach = finite[-1]

        def near(d, reach=reach):
            return d <= reach if inclusive or reach == 0 else d < reach

        counts = [sum(1 for j in others if near(d[j])) for d in (both, xz, yz, dz)]
        if inclusive:
            total += digamma(counts[0]) - digamma(counts[1]) - digamma(counts[2]) + digamma(counts[3])
        else:
            used = counts[0] + 1 if reach == 0 else len(finite)
            total += digamma(used) - digamma(counts[1] + 1) - digamma(counts[2] + 1) + digamma(counts[3] + 1)
    return total / n


def ranks(values) -> list[int]:
    """The place of each value among the different ones."""
    order = sorted(set(values))
    return [order.index(v) for v in values]


def _neighbors(rows, i, k) -> list[int]:
    """The k others nearest to row i by the max-norm."""
    return sorted((j for j in range(len(rows)) if j != i), key=lambda j: distance(rows[i], rows[j]))[:k]


def ksg_rectangles(x, y, k) -> float:
    """Kraskov et al. 2004, eq. 9: each variable's own largest distance among the k neighbors of the pair, counted up to
    and with it."""
    n, total = len(x), 0.0
    both = [[*a, *b] for a, b in zip(x, y)]
    for i in range(n):
        near = _neighbors(both, i, k)
        for v in (x, y):
            reach = max(distance(v[i], v[j]) for j in near)
            total += digamma(sum(1 for j in range(n) if j != i and distance(v[i], v[j]) <= reach))
    return digamma(k) - 1 / k + digamma(n) - total / n


def lnc(x, y, k, threshold) -> float:
    """Gao, Ver Steeg & Galstyan 2015 for single columns x, y [n]: eq. 9's rectangle, replaced by the box along the
    principal axes of the neighbors where that is smaller by more than exp(threshold)."""
    import numpy as np

    n, total = len(x), 0.0
    rows = [[a, b] for a, b in zip(x, y)]
    for i in range(n):
        offsets = np.array([[rows[j][0] - rows[i][0], rows[j][1] - rows[i][1]] for j in _neighbors(rows, i, k)])
        extent = [max(abs(o[u]) for o in offsets) for u in (0, 1)]
        for u, reach in enumerate(extent):
            total += digamma(sum(1 for j in range(n) if j != i and abs(rows[j][u] - rows[i][u]) <= reach))
        axes = np.linalg.svd(offsets)[2]
        box = [max(abs(float(o @ a)) for o in offsets) for a in axes]
        ratio = sum(math.log(v) for v in box) - sum(math.log(v) for v in extent)
        total += ratio if ratio < threshold else 0.0
    return digamma(k) - 1 / k + digamma(n) - total / n
