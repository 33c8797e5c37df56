"""The global optimum of the bottleneck, with a certificate, for one beta or a row of them.

Two labels: compiled, below and in mixture.py and peaks.py. More labels, or more clusters than that holds: products.py.
A beta so large that every row of p(y|x) is a cluster of its own: at once, with a bound that is a closed form.
"""

import math

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.bottleneck.divergence import divergences
from deeptheory.information.bottleneck.joint import Joint, informations
from deeptheory.information.bottleneck.mixture import FINE, best_weights, descend, fill, newton
from deeptheory.information.bottleneck.peaks import grid, on_line
from deeptheory.information.bottleneck.products import Clock, Optimum, solve

_MOST = 64  # clusters that the compiled solver holds
_GONE = 1e-11  # mass below which a cluster is dropped, over beta where that is above 1
_TOLERANCE = 1e-10  # of the certificate, nats
_STUCK = 1e-8  # a larger gap is tried again from another side, nats
_ROUNDS = 60
_DESCENT = 12  # double steps after new clusters came
_NEWTON = 200  # unknowns that Newton steps are made for
_NOTHING = 1e-13  # nats by which clusters must be better than none
_LN2 = math.log(2)
_APART = 1e-13  # nats: what all other rows may add to c(r) where each row is a cluster


@njit(cache=True, error_model="numpy")
def _tidy(r, w, k, beta):
    """Drop clusters without mass, join those that coincide; returns how many are left."""
    kept = 0
    for t in range(k):
        if w[t] * max(beta, 1.0) <= _GONE:
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
    """Solve for one beta and two labels from k clusters in r [cap, 2], w [cap], in place.

    places: the grid of angles. Returns k, gap in nats (f is at most so far above the optimum).
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
        count, best = on_line(p, q, z, top, r, k, beta, places, found, height)
        gap = max(best, 0.0)
        if gap < max(tolerance, 1e-13 * min(beta, FINE)):  # exponents are known to about 1e-15 beta, up to FINE
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


def solve_path(
    joint: Joint,
    betas: np.ndarray,
    *,
    start: Optimum | None = None,
    most: int | None = None,
    certify: bool | None = None,
    clock: Clock | None = None,
) -> list[Optimum]:
    """The optimum at each of ascending betas, each from the one before, the first from `start`. most: clusters at most,
    None for as many as it has; certify: as in products.solve. Fewer entries where time ran out."""
    clock = clock or Clock()
    least = nearest(joint) if float(np.max(betas)) > 100 else 0.0
    trivial = Optimum(joint.p_y[None], np.ones(1), 0.0)
    most = None if most is not None and most >= len(joint.p) else most
    out: list[Optimum] = []
    for beta in betas.tolist():
        limit = separate(joint, beta, least) if most is None else None
        if beta <= 1 or joint.i_xy == 0:  # I(T;Y) <= I(X;T)
            out.append(trivial)
        elif limit is not None:
            out.append(limit)
        else:
            before = out[-1] if out else start if most is None else trivial
            found = _solved(joint, beta, before, most, certify, clock)
            nothing = beta * joint.i_xy * _LN2 - found.value(joint, beta) < _NOTHING
            out.append(trivial._replace(gap=found.gap, stopped=found.stopped) if nothing else found)
        if clock.over():
            break
    if len(joint.columns) == 2 and most is None:
        _from_above(joint, betas[: len(out)], out)
    return out


def separate(joint: Joint, beta: float, least: float) -> Optimum | None:
    """Every row a cluster of its own, where beta is so large that this is the optimum; else None. least:
    as nearest() says.

    KL >= H^2, the squared Hellinger distance, so that at any r all rows but the nearest are at least h/2 away, h the
    least distance between two rows: c(r) <= 1 + (n - 1) exp(-beta h^2 / 4), which bounds the gap.
    """
    n = len(joint.p)
    others = (n - 1) * math.exp(-min(beta * least / 4, 700.0))
    return Optimum(joint.q, joint.p, others) if others < _APART else None


def nearest(joint: Joint) -> float:
    """The least squared Hellinger distance between two rows of p(y|x)."""
    root, least = np.sqrt(joint.q), np.inf
    for k in range(0, len(root), 256):
        part = root[k : k + 256]
        apart = 2 - 2 * part @ root.T
        apart[np.arange(len(part)), k + np.arange(len(part))] = np.inf
        near = np.argwhere(apart <= max(float(apart.min()), 0.0) + 1e-6)[:10_000]
        exact = ((part[near[:, 0]] - root[near[:, 1]]) ** 2).sum(1)
        least = min(least, float(exact.min(initial=np.inf)))
    return least


def limited(joint: Joint, beta: float, start: Optimum, most: int, certify: bool | None, clock: Clock) -> Optimum:
    """The best found from `start` with no more than `most` clusters; the gap counts from the optimum without that
    limit."""
    return _solved(joint, beta, start, most, certify, clock)


def _solved(joint: Joint, beta: float, start: Optimum | None, most: int | None, certify, clock: Clock) -> Optimum:
    cap = min(_MOST, len(joint.p) + 8) if most is None else most
    if len(joint.columns) > 2 or cap > _MOST or (start is not None and len(start.w) > cap):
        return solve(joint, beta, start, most=most, certify=certify, clock=clock)
    q_log_q = (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)
    r, w, k = np.zeros((cap, 2)), np.zeros(cap), 1
    r[0], w[0] = joint.p_y, 1.0
    if start is not None:
        k = len(start.w)
        r[:k], w[:k] = start.r, start.w
    k, gap = optimum(joint.p, joint.q, q_log_q, r, w, k, beta, grid(beta, joint.q), _TOLERANCE)
    if most is None and gap > _STUCK and k > cap - 2 and cap < len(joint.p):  # more clusters than it holds
        return solve(joint, beta, certify=certify, clock=clock)
    return Optimum(r[:k].copy(), w[:k].copy(), gap)


def _from_above(joint: Joint, betas: np.ndarray, out: list[Optimum]) -> None:
    """Just past a jump the way up is nearly flat: what is stuck is tried again from a larger beta."""
    for b in [i for i, o in enumerate(out) if o.gap > _STUCK][::-1]:
        beta = float(betas[b])
        start = out[b + 1] if b + 1 < len(out) and out[b + 1].gap <= _STUCK else None
        for higher in (1.3, 1.1, 1.03, 1.01) if start is None else ():
            start = _solved(joint, beta * higher, start, None, None, Clock())
        again = _solved(joint, beta, start, None, None, Clock())
        if again.gap < out[b].gap:
            out[b] = again


def encoder_of(joint: Joint, r: np.ndarray, w: np.ndarray, beta: float) -> np.ndarray:
    """p(t|x) = w_t exp(-beta KL[q_x || r_t]) / Z of the merged rows, [n, k]."""
    if len(w) == len(joint.p) and np.array_equal(r, joint.q) and separate(joint, beta, nearest(joint)) is not None:
        return np.eye(len(w))
    with np.errstate(divide="ignore"):
        score = np.log(w) - beta * divergences(joint.q, r, 800 / beta if beta > FINE else 0.0)
    e = np.exp(score - score.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def informations_of(joint: Joint, found: Optimum, beta: float) -> tuple[float, float]:
    """I(X;T) and I(T;Y) in bits of the encoder of an optimum."""
    got = informations(joint, encoder_of(joint, found.r, found.w, beta))
    return got["i_x"], got["i_y"]
