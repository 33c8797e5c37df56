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


def ross(x, label, k) -> float:
    """Ross 2014, eq. 6, m counting the sample itself and those strictly nearer than its kth neighbour of the same
    label.
    """
    n, total = len(x), 0.0
    for i in range(n):
        mine = [j for j in range(n) if label[j] == label[i]]
        reach = sorted(distance(x[i], x[j]) for j in mine if j != i)[k - 1]
        m = 1 + sum(1 for j in range(n) if j != i and distance(x[i], x[j]) < reach)
        total += digamma(n) - digamma(len(mine)) + digamma(k) - digamma(m)
    return total / n


def labelled_distance(a, b, label_a, label_b) -> float:
    """Max-norm over the columns; another label is infinitely far."""
    return distance(a, b) if label_a == label_b else math.inf


def information(x, y, z, k, label_x=None, label_y=None, inclusive=False) -> float:
    """Counts around the kth neighbour in all of it (Frenzel & Pompe 2007), a label being a column whose values are the
    same or
    infinitely far: the last neighbour of its label where there are fewer, and where the distance is 0, all that are the
    same, itself with them (Gao et al. 2017). inclusive: up to and with the distance (Mesner & Shalizi 2020). x, y, z:
    [n, d]."""
    n, total = len(x), 0.0
    label_x = [0] * n if label_x is None else label_x
    label_y = [0] * n if label_y is None else label_y
    for i in range(n):
        others = [j for j in range(n) if j != i]
        dz = {j: distance(z[i], z[j]) for j in others}
        xz = {j: max(labelled_distance(x[i], x[j], label_x[i], label_x[j]), dz[j]) for j in others}
        yz = {j: max(labelled_distance(y[i], y[j], label_y[i], label_y[j]), dz[j]) for j in others}
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
