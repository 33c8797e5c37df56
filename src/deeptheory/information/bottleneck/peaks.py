"""Where a cluster is still missing: the peaks above 1 of c(r) of mixture.py. Compiled kernels.

In theta = arcsin sqrt(r) the kernel exp(-beta KL(q || r)) of two labels is about a Gaussian of standard deviation
1/(2 sqrt beta) whatever q is, so that a grid a fraction of that apart sees every peak.
"""

import numpy as np
from numba import njit

_FINER = 5.0  # grid points to a standard deviation
_CLIMBERS = 24  # starts climbed at a time, those with the largest c
_CLIMB = 200  # steps of a climb at most


def grid(beta: float) -> np.ndarray:
    """Values of p(y = 1) at which to look for peaks up to that beta, ends included."""
    n = int(np.ceil(np.pi / 2 * 2 * np.sqrt(max(beta, 1.0)) * _FINER)) + 1
    return np.sin(np.linspace(0, np.pi / 2, n)) ** 2


@njit(cache=True, error_model="numpy")
def _log_c(a, q, qlq, top, beta, r):
    """log c at r = p(y=1); a = p / z, q: [n, 2]."""
    yes = np.log(r) if r > 0 else -1e30
    no = np.log1p(-r) if r < 1 else -1e30
    c = 0.0
    for x in range(len(a)):
        c += a[x] * np.exp(min(beta * (q[x, 0] * no + q[x, 1] * yes - qlq[x]) - top[x], 690.0))
    return np.log(c)


@njit(cache=True, error_model="numpy")
def on_line(p, q, qlq, z, top, r, k, beta, points, found, height):
    """Peaks of log c over two labels: fills found [cap, 2] and height [cap], returns (how many, largest log c).

    A peak where a cluster stands already, or below 0, is not handed out; it counts for the largest.
    """
    a = np.empty(len(p))
    for x in range(len(p)):
        a[x] = p[x] / z[x]
    n, count, best = len(points), 0, -np.inf
    values = np.empty(n)
    for i in range(n):
        values[i] = _log_c(a, q, qlq, top, beta, points[i])
        best = max(best, values[i])
    step = np.arcsin(np.sqrt(points[1]))
    for i in range(n):
        left = values[i - 1] if i > 0 else -np.inf
        right = values[i + 1] if i < n - 1 else -np.inf
        if not (values[i] >= left and values[i] > right):
            continue
        at, high = points[i], values[i]
        if 0 < i < n - 1:
            rise = max(high - left, high - right)
            if high + rise < -1e-3:  # the peak is at most one such rise above its grid point
                continue
            theta = np.arcsin(np.sqrt(at))
            low, up = max(theta - step, 0.0), min(theta + step, np.pi / 2)
            for _ in range(40):  # Newton in theta on the slope, by differences of the exact one, kept in its bracket
                slope, bend = _slope(a, q, qlq, top, beta, theta)
                if slope > 0:
                    low = theta
                else:
                    up = theta
                new = theta - slope / bend if bend < 0 else 0.5 * (low + up)
                if not low < new < up:
                    new = 0.5 * (low + up)
                if abs(new - theta) < 1e-12:
                    break
                theta = new
            at = np.sin(theta) ** 2
            high = _log_c(a, q, qlq, top, beta, at)
        best = max(best, high)
        new_one = high > 0
        for t in range(k):
            if abs(r[t, 1] - at) < 1e-9 * (at * (1 - at)) + 1e-300:
                new_one = False
        if new_one and count < len(height):
            found[count, 0], found[count, 1] = 1 - at, at
            height[count] = high
            count += 1
    return count, best


@njit(cache=True, error_model="numpy")
def _slope(a, q, qlq, top, beta, theta):
    """First and second derivative of c, over c, in theta, r = sin(theta)^2."""
    s, o = np.sin(theta), np.cos(theta)
    r = s * s
    yes, no = np.log(r), np.log1p(-r)
    c, c1, c2 = 0.0, 0.0, 0.0
    for x in range(len(a)):
        v = a[x] * np.exp(min(beta * (q[x, 0] * no + q[x, 1] * yes - qlq[x]) - top[x], 690.0))
        g = 2 * beta * (q[x, 1] * o / s - q[x, 0] * s / o)  # of the exponent
        h = -2 * beta * (q[x, 1] / (s * s) + q[x, 0] / (o * o))
        c += v
        c1 += v * g
        c2 += v * (g * g + h)
    return c1 / c, c2 / c


@njit(cache=True, error_model="numpy")
def by_climbing(p, q, qlq, z, top, r, k, beta, starts, found, height):
    """The same over any number of labels: from rows of `starts` and from around every cluster, r moves to
    the mean of q under its share of c, which never lowers c."""
    n, m = q.shape
    a = np.empty(n)
    for x in range(n):
        a[x] = p[x] / z[x]
    total = len(starts) + 2 * k
    place, value = np.empty((total, m)), np.empty(total)
    for i in range(len(starts)):
        for y in range(m):
            place[i, y] = starts[i, y]
    for t in range(k):
        _around(a, q, qlq, top, beta, r[t], place[len(starts) + 2 * t], place[len(starts) + 2 * t + 1])
    mean, best, count = np.empty(m), -np.inf, 0
    for i in range(total):
        value[i] = _climb_once(a, q, qlq, top, beta, place[i], mean)
        best = max(best, value[i])
    taken = np.zeros(total, dtype=np.bool_)
    for turn in range(_CLIMBERS + 2 * k):  # the highest starts, then those around clusters that were not among them
        i, highest = -1, -np.inf
        for j in range(total):
            if not taken[j] and (turn < _CLIMBERS or j >= len(starts)) and value[j] > highest:
                i, highest = j, value[j]
        if i < 0:
            continue
        taken[i] = True
        at = place[i]
        high = _climb_once(a, q, qlq, top, beta, at, mean)
        for _ in range(_CLIMB):
            for y in range(m):
                at[y] = mean[y]
            new = _climb_once(a, q, qlq, top, beta, at, mean)
            if new - high < 1e-13:
                high = max(high, new)
                break
            high = new
        best = max(best, high)
        new_one = high > 0
        for t in range(k):
            new_one = new_one and _apart(at, r[t], beta)
        for t in range(count):
            new_one = new_one and _apart(at, found[t], beta)
        if new_one and count < len(height):
            for y in range(m):
                found[count, y] = at[y]
            height[count] = high
            count += 1
    return count, best


@njit(cache=True, error_model="numpy")
def _apart(a, b, beta):
    """Whether two distributions are further apart than rounding, on the kernel's scale."""
    d = 0.0
    for y in range(len(a)):
        d += (np.sqrt(a[y]) - np.sqrt(b[y])) ** 2
    return beta * d > 1e-12


@njit(cache=True, error_model="numpy")
def _climb_once(a, q, qlq, top, beta, r, mean):
    """log c at r; mean: where the climb goes from there."""
    n, m = q.shape
    logs = np.empty(m)
    for y in range(m):
        logs[y] = np.log(r[y]) if r[y] > 0 else -1e30
    for y in range(m):
        mean[y] = 0.0
    c = 0.0
    for x in range(n):
        s = -qlq[x]
        for y in range(m):
            s += q[x, y] * logs[y]
        v = a[x] * np.exp(min(beta * s - top[x], 690.0))
        c += v
        for y in range(m):
            mean[y] += v * q[x, y]
    for y in range(m):
        mean[y] = mean[y] / c if c > 0 else r[y]
    return np.log(c)


@njit(cache=True, error_model="numpy")
def _around(a, q, qlq, top, beta, r, one, other):
    """Two points beside r, along the direction in which its members differ most (power iteration)."""
    n, m = q.shape
    share, direction, new = np.empty(n), np.empty(m), np.empty(m)
    logs = np.empty(m)
    for y in range(m):
        logs[y] = np.log(r[y]) if r[y] > 0 else -1e30
    far, who = -1.0, 0
    for x in range(n):
        s = -qlq[x]
        for y in range(m):
            s += q[x, y] * logs[y]
        share[x] = a[x] * np.exp(min(beta * s - top[x], 690.0))
        if -s * share[x] > far:
            far, who = -s * share[x], x
    for y in range(m):
        direction[y] = q[who, y] - r[y]
    for _ in range(12):
        for y in range(m):
            new[y] = 0.0
        for x in range(n):
            along = 0.0
            for y in range(m):
                if r[y] > 0:
                    along += (q[x, y] - r[y]) * direction[y] / r[y]
            for y in range(m):
                new[y] += share[x] * (q[x, y] - r[y]) * along
        size = 0.0
        for y in range(m):
            size += new[y] * new[y]
        if size == 0.0:
            break
        for y in range(m):
            direction[y] = new[y] / np.sqrt(size)
    reach = 1.0
    for y in range(m):
        if direction[y] != 0.0:
            reach = min(reach, r[y] / abs(direction[y]))
    total, other_total = 0.0, 0.0
    for y in range(m):
        one[y] = max(r[y] + 0.1 * reach * direction[y], 0.0)
        other[y] = max(r[y] - 0.1 * reach * direction[y], 0.0)
        total, other_total = total + one[y], other_total + other[y]
    for y in range(m):  # a direction of rounding errors does not sum to 0, and c means nothing off the simplex
        one[y], other[y] = one[y] / total, other[y] / other_total
