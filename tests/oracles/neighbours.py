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
