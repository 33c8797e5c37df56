"""Sums over a mixture of equal Gaussians: the kernels behind noise readouts and Goldfeld's estimator; in nats.

Distances are taken as differences (x^2 + y^2 - 2xy cancels in float32), each row holds its exponentials in cache, and
sums are shifted by the nearest center, so that nothing underflows that counts. Memory of order n.
"""

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.networks.population.elementary import FAST, exp32

_ZERO = np.float32(0)


@njit(**FAST)
def _squared_distances(point, centers, out):
    """out[j] = |point - centers[:, j]|^2; point: [d], centers: [d, n], all float32."""
    n = centers.shape[1]
    for j in range(n):
        out[j] = _ZERO
    for u in range(centers.shape[0]):
        row, at = centers[u], point[u]
        for j in range(n):
            difference = row[j] - at
            out[j] += difference * difference


@njit(**FAST)
def _dot(a, b):
    total = _ZERO
    for j in range(len(a)):
        total += a[j] * b[j]
    return total


@njit(cache=True, **FAST)
def pair_sums(h, inv, weights, near, far):
    """near[c, i] = sum_j weights[c, j] exp(-|h_i - h_j|^2 inv), far the same with inv / 4.

    h: [d, n] float32; weights: [c, n] float32; near, far: [c, n] float64. Error within 1e-5 relative.
    """
    n = h.shape[1]
    e, f, point = np.empty(n, dtype=np.float32), np.empty(n, dtype=np.float32), np.empty(h.shape[0], dtype=np.float32)
    scale = np.float32(-inv)
    for i in range(n):
        for u in range(h.shape[0]):
            point[u] = h[u, i]
        _squared_distances(point, h, e)
        for j in range(n):
            e[j] = exp32(e[j] * scale)
            f[j] = np.sqrt(np.sqrt(e[j]))
        for c in range(weights.shape[0]):
            near[c, i] = _dot(weights[c], e)
            far[c, i] = _dot(weights[c], f)


@njit(cache=True, error_model="numpy")
def log_densities(points, centers, given, own, which, me, inputs, inv, p_y, out):
    """Logarithms of mixture densities at points, up to the constant of one Gaussian, which differences do not see.

    centers: [d, b * inputs] float32, b blocks of one center an input. given: [m, d, r], r centers of each of m inputs;
    point e [m, d] was drawn from center me[e] of given[which[e]], which belongs to input own[e]; in the density of all
    inputs that input's own centers are the r of given. p_y: [c, inputs] float32. out [points, 4 + c]: log p(t); log
    p(t|x); both again with the point's own center left out (NaN where r = 1);
    then log of sum_x p(y|x) p(t|x) / inputs for each y.
    """
    n, r, classes = centers.shape[1], given.shape[2], p_y.shape[0]
    blocks = n // inputs
    d, by_input = np.empty(n, dtype=np.float32), np.empty(inputs, dtype=np.float32)
    own_d = np.empty(r, dtype=np.float32)
    for e in range(points.shape[0]):
        _squared_distances(points[e], centers, d)
        _squared_distances(points[e], given[which[e]], own_d)
        nearest = min(d.min(), own_d.min())
        # the own input's few centers in double precision: leaving one out may leave little
        shift = inv * np.float64(nearest)
        mine, others_of_mine, next_nearest = 0.0, 0.0, np.float32(np.inf)
        for k in range(r):
            mine += np.exp(shift - inv * np.float64(own_d[k]))
            if k != me[e]:
                next_nearest = min(next_nearest, own_d[k])
        for k in range(r):
            if k != me[e]:
                others_of_mine += np.exp(inv * (np.float64(next_nearest) - np.float64(own_d[k])))
        _by_input(d, nearest, np.float32(inv), by_input)
        by_input[own[e]] = np.float32(0)
        rest = 0.0
        for i in range(inputs):
            rest += by_input[i]
        rest /= blocks
        out[e, 0] = np.log((rest + mine / r) / inputs) - shift
        out[e, 1] = np.log(mine / r) - shift
        if r > 1:
            out[e, 3] = np.log(others_of_mine / (r - 1)) - inv * np.float64(next_nearest)
            without = np.log((rest + np.exp(out[e, 3] + shift)) / inputs) - shift
            out[e, 2] = max(without, out[e, 3] - np.log(inputs))  # the rest may underflow as well
        else:
            out[e, 2], out[e, 3] = np.nan, np.nan
        for c in range(classes):
            labeled = np.float64(_dot(p_y[c], by_input)) / blocks + np.float64(p_y[c, own[e]]) * mine / r
            out[e, 4 + c] = np.log(labeled / inputs) - shift


@njit(**FAST)
def _by_input(d, nearest, inv, out):
    """out[i] = sum over blocks of exp(-(d - nearest) inv)."""
    inputs = len(out)
    for i in range(inputs):
        out[i] = _ZERO
    for start in range(0, len(d), inputs):
        block = d[start : start + inputs]
        for i in range(inputs):
            out[i] += exp32((nearest - block[i]) * inv)
