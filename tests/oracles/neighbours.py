"""Nearest-neighbour estimators as their papers write them: sorted lists, one sample after the other, nats."""

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


def gao(x, y, k) -> float:
    """Gao et al. 2017, as in the authors' program: every count has the sample itself with it."""
    n, total = len(x), 0.0
    for i in range(n):
        dx, dy = ([distance(v[i], v[j]) for j in range(n)] for v in (x, y))
        both = [max(pair) for pair in zip(dx, dy)]
        reach = sorted(both)[k]  # the first is the sample itself
        if reach == 0:
            counts = [d.count(0) for d in (both, dx, dy)]
        else:
            counts = [k] + [sum(1 for v in d if v < reach) for d in (dx, dy)]
        total += digamma(counts[0]) + math.log(n) - digamma(counts[1]) - digamma(counts[2])
    return total / n


def ross(x, label, k) -> float:
    """Ross 2014, eq. 6, m counting the sample itself and those strictly nearer than its kth neighbour of the same label."""
    n, total = len(x), 0.0
    for i in range(n):
        mine = [j for j in range(n) if label[j] == label[i]]
        reach = sorted(distance(x[i], x[j]) for j in mine if j != i)[k - 1]
        m = 1 + sum(1 for j in range(n) if j != i and distance(x[i], x[j]) < reach)
        total += digamma(n) - digamma(len(mine)) + digamma(k) - digamma(m)
    return total / n


def conditional(x, y, z, k, ties) -> float:
    """Frenzel & Pompe 2007 (ties False), Mesner & Shalizi 2020 (ties True)."""
    n, total = len(x), 0.0
    for i in range(n):
        others = [j for j in range(n) if j != i]
        dz = {j: distance(z[i], z[j]) for j in others}
        xz = {j: max(distance(x[i], x[j]), dz[j]) for j in others}
        yz = {j: max(distance(y[i], y[j]), dz[j]) for j in others}
        reach = sorted(max(xz[j], yz[j]) for j in others)[k - 1]
        if ties:
            tied = sum(1 for j in others if max(xz[j], yz[j]) <= reach)
            counts = [sum(1 for j in others if d[j] <= reach) for d in (xz, yz, dz)]
            total += digamma(tied) - digamma(counts[0]) - digamma(counts[1]) + digamma(counts[2])
        else:
            counts = [sum(1 for j in others if d[j] < reach) for d in (xz, yz, dz)]
            total += digamma(k) - digamma(counts[0] + 1) - digamma(counts[1] + 1) + digamma(counts[2] + 1)
    return total / n
