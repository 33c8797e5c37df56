"""The global optimum of the bottleneck, with a certificate, for one beta or a row of them. Compiled; see mixture.py.

Trap for who edits: the compiler's cache of this file watches this file alone, and holds what it calls in mixture.py and
peaks.py as it was. After a change there remove the *.nbc and *.nbi files from __pycache__.
"""

import numpy as np
from numba import njit

from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.mixture import MOST, best_weights, descend, fill, newton
from deeptheory.information.bottleneck.peaks import by_climbing, grid, on_line

_STARTS = 256  # rows of p(y|x) from which peaks are climbed, where there are more than two labels
_GONE = 1e-11  # mass below which a cluster is dropped
_TOLERANCE = 1e-10  # of the certificate, nats
_STUCK = 1e-8  # a larger gap is tried again from another side, nats
_ROUNDS = 60
_DESCENT = 12  # double steps after new clusters came
_NEWTON = 200  # unknowns that Newton steps are made for


@njit(cache=True, error_model="numpy")
def _tidy(r, w, k, beta):
    """Drop clusters without mass, join those that coincide; returns how many are left."""
    kept = 0
    for t in range(k):
        if w[t] <= _GONE:
            continue
        joined = False
        for s in range(kept):
            d = 0.0
            for y in range(r.shape[1]):
                d += (np.sqrt(r[t, y]) - np.sqrt(r[s, y])) ** 2
            if beta * d < 1e-11:
                total = w[s] + w[t]
                for y in range(r.shape[1]):
                    r[s, y] = (w[s] * r[s, y] + w[t] * r[t, y]) / total
                w[s] = total
                joined = True
                break
        if not joined:
            for y in range(r.shape[1]):
                r[kept, y] = r[t, y]
            w[kept] = w[t]
            kept += 1
    total = 0.0
    for t in range(kept):
        total += w[t]
    for t in range(kept):
        w[t] /= total
    return kept


@njit(cache=True, error_model="numpy")
def optimum(p, q, qlq, r, w, k, beta, places, tolerance):
    """Solve for one beta from k clusters in r [cap, m], w [cap], in place.

    places: the grid (two labels) or starts [s, m]. Returns k, gap in nats (f is at most so far above the optimum).
    """
    n, m = q.shape
    cap = len(w)
    e, z, top = np.empty((n, cap)), np.empty(n), np.empty(n)
    found, height = np.empty((cap, m)), np.empty(cap)
    gap, full = np.inf, 0
    for _round in range(_ROUNDS):
        if k * (1 + m) <= _NEWTON and n * k * k * (1 + m) * (1 + m) < 3e7:
            newton(p, q, qlq, r, w, k, beta, e, z, top, 12)
        else:
            descend(p, q, qlq, r, w, k, beta, e, z, top, 20)
        k = _tidy(r, w, k, beta)
        fill(p, q, qlq, r, w, k, beta, e, z, top)
        if m == 1:
            gap = 0.0
            break
        if m == 2:
            count, best = on_line(p, q, qlq, z, top, r, k, beta, places[:, 0], found, height)
        else:
            count, best = by_climbing(p, q, qlq, z, top, r, k, beta, places, found, height)
        gap = max(best, 0.0)
        if gap < max(tolerance, 1e-13 * beta):  # exponents are known to about 1e-15 beta
            break
        count = min(count, cap - k)
        if count == 0:
            full += 1
            if full > 3:  # no room for more: the gap says what that costs
                break
            descend(p, q, qlq, r, w, k, beta, e, z, top, 10)
            continue
        for t in range(k):  # newcomers begin with a little mass: some x may be out of reach of all the others
            w[t] *= 0.95
        for i in range(count):
            for y in range(m):
                r[k + i, y] = found[i, y]
            w[k + i] = 0.05 / count
        k += count
        fill(p, q, qlq, r, w, k, beta, e, z, top)
        best_weights(p, e, w, k, z)
        k = _tidy(r, w, k, beta)
        descend(p, q, qlq, r, w, k, beta, e, z, top, _DESCENT)
    return k, gap


def solve_path(joint: Joint, betas: np.ndarray, most: int = MOST, tolerance: float = _TOLERANCE):
    """For ascending betas, each from the one before: number of clusters [b], their p(y|t) [b, cap, m] and p(t) [b, cap],
    gap [b] in nats."""
    cap = min(most, len(joint.p) + 8)
    m, qlq = joint.q.shape[1], (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)
    clusters, gaps = np.zeros(len(betas), dtype=np.int64), np.zeros(len(betas))
    r_all, w_all = np.zeros((len(betas), cap, m)), np.zeros((len(betas), cap))
    places = _places(joint, betas.max())
    r, w, k = np.zeros((cap, m)), np.zeros(cap), 1
    r[0], w[0] = joint.p_y, 1.0
    for b, beta in enumerate(betas.tolist()):
        k, gaps[b] = optimum(joint.p, joint.q, qlq, r, w, k, beta, places, tolerance)
        clusters[b], r_all[b, :k], w_all[b, :k] = k, r[:k], w[:k]  # beyond k stands what an earlier round left
    for b in np.flatnonzero(gaps > _STUCK)[::-1]:  # just past a jump the way up is nearly flat: come from above
        beta = float(betas[b])
        if b + 1 < len(betas) and gaps[b + 1] <= _STUCK:
            r, w, k = r_all[b + 1].copy(), w_all[b + 1].copy(), int(clusters[b + 1])
        else:
            r, w, k = np.zeros((cap, m)), np.zeros(cap), 1
            r[0], w[0] = joint.p_y, 1.0
            for higher in (1.3, 1.1, 1.03, 1.01):
                k, _ = optimum(joint.p, joint.q, qlq, r, w, k, beta * higher, places, tolerance)
        k, gap = optimum(joint.p, joint.q, qlq, r, w, k, beta, places, tolerance)
        if gap < gaps[b]:
            w_all[b] = 0.0
            clusters[b], r_all[b, :k], w_all[b, :k], gaps[b] = k, r[:k], w[:k], gap
    return clusters, r_all, w_all, gaps


def _places(joint: Joint, beta: float) -> np.ndarray:
    if joint.q.shape[1] == 2:
        return np.ascontiguousarray(grid(beta)[:, None])
    if len(joint.q) <= _STARTS:
        return joint.q
    chosen = np.random.default_rng(0).choice(len(joint.q), _STARTS, replace=False, p=joint.p)
    return np.ascontiguousarray(joint.q[np.sort(chosen)])


def encoder_of(joint: Joint, r: np.ndarray, w: np.ndarray, beta) -> np.ndarray:
    """p(t|x) = w_t exp(-beta KL[q_x || r_t]) / Z of the merged rows, [n, k]; or [b, n, k] for r [b, k, m], beta [b]."""
    log_w = np.where(w > 0, np.log(np.where(w > 0, w, 1)), -_FAR)
    log_r = np.where(r > 0, np.log(np.where(r > 0, r, 1)), -_FAR)
    qlq = (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)
    trade = np.asarray(beta)[..., None, None]
    score = log_w[..., None, :] + trade * (joint.q @ np.swapaxes(log_r, -1, -2) - qlq[:, None])
    e = np.exp(score - score.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def informations_of(joint: Joint, r: np.ndarray, w: np.ndarray, betas: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """I(X;T) and I(T;Y) [b] in bits of the encoders of r [b, k, m], w [b, k]."""
    encoder = encoder_of(joint, r, w, betas)
    held = encoder * joint.p[:, None]
    p_t, p_ty = held.sum(1), np.swapaxes(held, 1, 2) @ joint.q
    i_x = _x_log_x(p_t, -1) + (joint.p * -_x_log_x(encoder, -1)).sum(-1)
    i_y = joint.h_y + _x_log_x(p_ty, (-1, -2)) - _x_log_x(p_t, -1)
    return np.maximum(-i_x, 0) + 0.0, np.maximum(i_y, 0) + 0.0


def _x_log_x(v: np.ndarray, axis) -> np.ndarray:
    return (v * np.log2(np.where(v > 0, v, 1))).sum(axis)


_FAR = 1e30  # stands for -log 0
