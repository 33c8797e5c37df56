"""Where a cluster is still missing, with two labels: the peaks above 1 of c(r) of mixture.py. Compiled kernels.

In theta = arcsin sqrt(r) the kernel exp(-beta KL(q || r)) of two labels is about a Gaussian of standard deviation
1/(2 sqrt beta) whatever q is, so that a grid a fraction of that apart sees every peak. A peak of a sum of such kernels
lies within about one standard deviation of some kernel's own place, so that only those surroundings are searched: the
grid does not grow with beta.
"""

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.bottleneck.divergence import term

_FINER = 5.0  # grid points per standard deviation
_WIDE = 4.0  # standard deviations around each place


def angles(q: np.ndarray) -> np.ndarray:
    """arcsin sqrt q(y = 1) of rows [n, 2], exact near both ends."""
    return np.arctan2(np.sqrt(q[:, 1]), np.sqrt(q[:, 0]))


def grid(beta: float, q: np.ndarray) -> np.ndarray:
    """Ascending angles at which to look for peaks at that beta, for rows q [n, 2]."""
    width = 0.5 / np.sqrt(max(beta, 1.0))
    whole = int(np.ceil(np.pi / 2 / width * _FINER)) + 1
    if whole <= 2 * _FINER * _WIDE * len(q):
        return np.linspace(0, np.pi / 2, whole)
    steps = np.arange(-_FINER * _WIDE, _FINER * _WIDE + 1) * (width / _FINER)
    around = np.sort(np.clip((angles(q)[:, None] + steps).ravel(), 0, np.pi / 2))
    kept = [0]
    for k in range(1, len(around)):  # neighboring places share points
        if around[k] - around[kept[-1]] > 0.5 * width / _FINER:
            kept.append(k)
    return around[kept]


@njit(cache=True, error_model="numpy")
def _log_c(a, q, top, beta, theta):
    """log c at r = (cos^2, sin^2) theta; a = p / z, q: [n, 2]."""
    s, o = np.sin(theta), np.cos(theta)
    c = 0.0
    for x in range(len(a)):
        kl = term(q[x, 0], o * o) + term(q[x, 1], s * s)
        c += a[x] * np.exp(min(-beta * kl - top[x], 690.0))
    return np.log(c)


@njit(cache=True, error_model="numpy")
def on_line(p, q, z, top, r, k, beta, points, found, height):
    """Peaks of log c over two labels: fills found [cap, 2] and height [cap], returns (how many, largest log c).

    A peak where a cluster stands already, or below 0, is not handed out; it counts for the largest.
    """
    a = np.empty(len(p))
    for x in range(len(p)):
        a[x] = p[x] / z[x]
    n, count, best = len(points), 0, -np.inf
    values = np.empty(n)
    for i in range(n):
        values[i] = _log_c(a, q, top, beta, points[i])
        best = max(best, values[i])
    for i in range(n):
        left = values[i - 1] if i > 0 else -np.inf
        right = values[i + 1] if i < n - 1 else -np.inf
        if not (values[i] >= left and values[i] > right):
            continue
        theta, high = points[i], values[i]
        if 0 < i < n - 1:
            rise = max(high - left, high - right)
            if high + rise < -1e-3:  # the peak is at most one such rise above its grid point
                continue
            low, up = points[i - 1], points[i + 1]
            for _ in range(40):  # Newton in theta on the slope, kept in its bracket
                slope, bend = _slope(a, q, top, beta, theta)
                if slope > 0:
                    low = theta
                else:
                    up = theta
                new = theta - slope / bend if bend < 0 else 0.5 * (low + up)
                if not low < new < up:
                    new = 0.5 * (low + up)
                if abs(new - theta) < 1e-12 * theta:
                    break
                theta = new
            high = _log_c(a, q, top, beta, theta)
        best = max(best, high)
        new_one = high > 0
        for t in range(k):
            if abs(np.arctan2(np.sqrt(r[t, 1]), np.sqrt(r[t, 0])) - theta) * np.sqrt(beta) < 3e-6:
                new_one = False
        if new_one and count < len(height):
            found[count, 0], found[count, 1] = np.cos(theta) ** 2, np.sin(theta) ** 2
            height[count] = high
            count += 1
    return count, best


@njit(cache=True, error_model="numpy")
def _slope(a, q, top, beta, theta):
    """First and second derivative of c, over c, in theta."""
    s, o = np.sin(theta), np.cos(theta)
    c, c1, c2 = 0.0, 0.0, 0.0
    for x in range(len(a)):
        kl = term(q[x, 0], o * o) + term(q[x, 1], s * s)
        v = a[x] * np.exp(min(-beta * kl - top[x], 690.0))
        g = 2 * beta * (q[x, 1] - s * s) / (s * o)  # of the exponent
        h = -2 * beta * (q[x, 1] / (s * s) + q[x, 0] / (o * o))
        c += v
        c1 += v * g
        c2 += v * (g * g + h)
    return c1 / c, c2 / c
