"""The optimum for more than two labels, or many clusters: the same steps as mixture.py as matrix products.

Every row of p(y|x) begins as a cluster of its own; the best weights alone empty most of them (a convex problem in few
dimensions), accelerated Blahut-Arimoto steps move the rest, clusters that come to coincide are joined, which changes
nothing, and rows from which a climb finds c(r) above 1 are added as clusters again (c, f: see mixture.py).
Sources: Tishby, Pereira & Bialek 1999; Varadhan & Roland 2008 (the leaps). Nats.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deeptheory.information.bottleneck.divergence import FAR, divergences
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.mixture import FINE, newton

_STARTS = 1000  # rows that begin as clusters, and from which peaks are climbed
_ROUNDS = 60
_DESCENT = 100  # double steps per round
_SLOW = 60  # steps of a climb for the highest
_HIGHEST = 64
_NEWCOMERS = 20  # clusters added at a time
_GONE = 1e-12  # mass below which a cluster is dropped, over beta where that is above 1
_ALIKE = 1e-7  # beta times squared Hellinger distance, below which clusters are joined
_NEWTON = 200  # unknowns that Newton steps are made for
_ENOUGH = 1e-9  # nats: what a round must gain to be followed by another, where nobody asked for a certificate
_CLOSE = 1e-7  # nats: a gap below which one idle round ends it
_PATIENCE = 4  # idle rounds otherwise
_CERTIFIED = 1e-8  # nats


class Optimum(NamedTuple):
    """r: p(y|t) [k, m], w: p(t) [k]; gap: nats by which f may be above the least, NaN where nothing was searched;
    stopped: whether time ran out."""

    r: np.ndarray
    w: np.ndarray
    gap: float
    stopped: bool = False

    def value(self, joint: Joint, beta: float) -> float:
        """f, nats: I(X;T) + beta I(X;Y|T) of the encoder that goes with r and w, or a little more."""
        return _Fit(joint, beta, self.r, self.w).f


class Clock:
    """Time that is left, and who is told how far it is. seconds: None for no limit; progress(done, most)."""

    def __init__(self, seconds: float | None = None, progress: Callable[[int, int], Any] | None = None):
        self._end = None if seconds is None else time.monotonic() + seconds
        self.progress = progress

    def over(self) -> bool:
        """Whether no time is left."""
        return self._end is not None and time.monotonic() >= self._end

    def quiet(self) -> "Clock":
        """The same time, of which nobody is told."""
        clock = Clock()
        clock._end = self._end
        return clock

    def tell(self, done: int, most: int) -> None:
        """Say how far it is."""
        if self.progress is not None:
            self.progress(done, most)


class _Fit:
    """A point (r, w) with what follows from it: e = exp(-beta KL - top) [n, k], z = e w [n], f."""

    def __init__(self, joint: Joint, beta: float, r: np.ndarray, w: np.ndarray):
        self.joint, self.beta, self.r, self.w = joint, beta, r, w
        self.e, self.top = _kernel(joint, r, beta)
        self.z = self.e @ w
        with np.errstate(divide="ignore"):
            self.f = float(-(joint.p @ (self.top + np.log(self.z))))

    def step(self) -> tuple[np.ndarray, np.ndarray]:
        """One Blahut-Arimoto step: new decoders and weights."""
        share = self.e * (self.joint.p / self.z)[:, None]
        c = share.sum(0)
        r = share.T @ self.joint.q
        return np.where(c[:, None] > 0, r / np.where(c > 0, c, 1)[:, None], self.r), self.w * c


def _exponents(joint: Joint, r: np.ndarray, beta: float) -> np.ndarray:
    if beta > FINE:
        return -beta * divergences(joint.q, r, 800 / beta)
    log_r = np.where(r > 0, np.log(np.where(r > 0, r, 1)), -FAR)
    return beta * (joint.q @ log_r.T - (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)[:, None])


def _kernel(joint: Joint, r: np.ndarray, beta: float) -> tuple[np.ndarray, np.ndarray]:
    e = _exponents(joint, r, beta)
    top = e.max(1)
    e -= top[:, None]
    return np.exp(e, out=e), top


def solve(
    joint: Joint,
    beta: float,
    start: Optimum | None = None,
    *,
    most: int | None = None,
    certify: bool | None = None,
    clock: Clock | None = None,
) -> Optimum:
    """The optimum at one beta, from `start` or from every row as a cluster. most: clusters may not become more.

    certify: True: until no climb finds a peak above 1e-8 nats; None: until a round gains less than 1e-9; False: where
    the first descent ends, without looking for missing clusters.
    """
    clock = clock or Clock()
    rows = _some_rows(joint)
    r, w = (joint.q[rows], joint.p[rows] / joint.p[rows].sum()) if start is None else (start.r, start.w)
    fit = _weighted(_Fit(joint, beta, r, w), clock)
    gap, small, idle = np.nan, False, 0
    for k in range(_ROUNDS):
        before = fit.f
        fit = _joined(_descended(fit, clock))
        fit, small = _polished(fit)
        clock.tell(k + 1, _ROUNDS)
        if clock.over():
            return Optimum(fit.r, fit.w, gap, True)
        if certify is False:
            break
        places, height = _peaks(fit, rows)
        gap = max(float(height.max(initial=0.0)), 0.0)
        enough = 1e-10 if small else _CERTIFIED
        if gap < max(enough, 1e-13 * min(beta, FINE)):
            break
        idle = idle + 1 if before - fit.f < _ENOUGH else 0
        if certify is None and not small and idle >= (1 if gap < _CLOSE else _PATIENCE):
            break
        new = height > 0
        places, mass = _together(places[new], np.expm1(np.minimum(height[new], 1.0)), beta, 1e-2)
        room = _NEWCOMERS if most is None else min(_NEWCOMERS, most - len(fit.w))
        if room < 1:
            break
        chosen = np.argsort(-mass, kind="stable")[:room]
        w = np.concatenate([0.95 * fit.w, np.full(len(chosen), 0.05 / len(chosen))])
        fit = _weighted(_Fit(joint, beta, np.concatenate([fit.r, places[chosen]]), w), clock)
    return Optimum(fit.r, fit.w, gap)


def descended(joint: Joint, beta: float, encoder: np.ndarray, rounds: int, clock: Clock) -> Optimum:
    """Where iterations lead from an encoder p(t|x) [n, k]; no cluster is added."""
    w = joint.p @ encoder
    used = w > 0
    fit = _Fit(joint, beta, ((encoder * joint.p[:, None]).T @ joint.q)[used] / w[used, None], w[used])
    for _ in range(rounds):
        before = fit.f
        fit = _joined(_descended(fit, clock))
        if before - fit.f < 1e-12 or clock.over():
            break
    return Optimum(fit.r, fit.w, np.nan)


def _some_rows(joint: Joint) -> np.ndarray:
    if len(joint.p) <= _STARTS:
        return np.arange(len(joint.p))
    return np.sort(np.random.default_rng(0).choice(len(joint.p), _STARTS, replace=False, p=joint.p))


def _weighted(fit: _Fit, clock: Clock) -> _Fit:
    """The best weights of the clusters that are there, by multiplicative steps and leaps along them;
    empty ones dropped."""
    p, e, w, f = fit.joint.p, fit.e, fit.w, np.inf
    for _ in range(300):
        first = (p / (e @ w)) @ e
        one = w * first
        second = (p / (e @ one)) @ e
        two = one * second
        a = np.log(np.where(first > 0, first, 1))
        b = np.log(np.where(second > 0, second, 1)) - a
        bend = float((w * b * b).sum())
        leap = min(max(np.sqrt(float((w * a * a).sum()) / bend), 1.0), 64.0) if bend > 0 else 1.0
        far = w * np.exp(np.clip(2 * leap * a + leap * leap * b, -30, 30))
        far /= far.sum()
        values = [_cost(p, e @ v) for v in (two, far)]
        if not np.isfinite(min(values)):
            break
        w, new = (far, values[1]) if values[1] < values[0] else (two, values[0])
        if not f - new > 1e-10 or clock.over():
            break
        f = new
    return _dropped(fit.joint, fit.beta, fit.r, w)


def _cost(p: np.ndarray, z: np.ndarray) -> float:
    """-sum p log z; infinite where a row, however rare, would be left without a cluster."""
    return -float(p @ np.log(z)) if z.min() > 1e-290 else np.inf


def _dropped(joint: Joint, beta: float, r: np.ndarray, w: np.ndarray) -> _Fit:
    kept = w > _GONE / max(beta, 1.0)
    return _Fit(joint, beta, r[kept], w[kept] / w[kept].sum())


def _descended(fit: _Fit, clock: Clock) -> _Fit:
    """Two Blahut-Arimoto steps at a time and then a leap along them in log w and log r, where f is lower."""
    for _ in range(_DESCENT):
        one = _Fit(fit.joint, fit.beta, *fit.step())
        two = _Fit(fit.joint, fit.beta, *one.step())
        a, b = _log_ratio(one.r, fit.r), _log_ratio(one.w, fit.w)
        a2, b2 = _log_ratio(two.r, one.r) - a, _log_ratio(two.w, one.w) - b
        first, second = float((a * a).sum() + (b * b).sum()), float((a2 * a2).sum() + (b2 * b2).sum())
        if second > 0 and first > 1e-26:
            leap = min(max(np.sqrt(first / second), 1.0), 256.0)
            if leap > 1:
                r = fit.r * np.exp(np.clip(2 * leap * a + leap * leap * a2, -3, 3))
                w = fit.w * np.exp(np.clip(2 * leap * b + leap * leap * b2, -3, 3))
                far = _Fit(fit.joint, fit.beta, r / r.sum(1, keepdims=True), w / w.sum())
                if far.f < two.f:
                    two = far
        gained = fit.f - two.f
        if not gained >= 0:
            return fit
        fit = two
        if (fit.w <= _GONE / max(fit.beta, 1.0)).any():
            fit = _dropped(fit.joint, fit.beta, fit.r, fit.w)
        if gained < 1e-13 or clock.over():
            break
    return fit


def _log_ratio(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    there = (new > 0) & (old > 0)
    return np.where(there, np.log(np.where(there, new, 1) / np.where(there, old, 1)), 0.0)


def _joined(fit: _Fit) -> _Fit:
    r, w = _together(fit.r, fit.w, fit.beta, _ALIKE)
    return fit if len(w) == len(fit.w) else _Fit(fit.joint, fit.beta, r, w)


def _together(r: np.ndarray, w: np.ndarray, beta: float, alike: float) -> tuple[np.ndarray, np.ndarray]:
    """Clusters nearer than `alike` as one, the heaviest first."""
    order = np.argsort(-w, kind="stable")
    root, free = np.sqrt(r), np.ones(len(w), dtype=bool)
    places, mass = [], []
    for t in order:
        if free[t]:
            group = np.flatnonzero(free & (beta * ((root - root[t]) ** 2).sum(1) < alike))
            free[group] = False
            total = w[group].sum()
            places.append(w[group] @ r[group] / total)
            mass.append(total)
    return np.array(places), np.array(mass)


def _small(fit: _Fit) -> bool:
    (n, m), k = fit.joint.q.shape, len(fit.w)
    return k * (1 + m) <= _NEWTON and n * k * k * (1 + m) ** 2 <= 3e7


def _polished(fit: _Fit) -> tuple[_Fit, bool]:
    """Newton steps to rounding, where the problem is small; whether it is."""
    if not _small(fit):
        return fit, False
    n, k = len(fit.joint.p), len(fit.w)
    r, w = np.ascontiguousarray(fit.r).copy(), fit.w.copy()
    q, e = fit.joint.q, np.empty((n, k))
    q_log_q = (q * np.log(np.where(q > 0, q, 1))).sum(1)
    after = newton(fit.joint.p, q, q_log_q, r, w, k, fit.beta, e, np.empty(n), np.empty(n), 20)
    return (_joined(_dropped(fit.joint, fit.beta, r, w)), True) if after <= fit.f + 1e-12 else (fit, True)


def _peaks(fit: _Fit, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where climbs of log c end and how high that is: r moves to the mean of q under its share of c,
    which never lowers c."""
    joint, a = fit.joint, fit.joint.p / fit.z
    starts = np.concatenate([joint.q[rows], _near(fit)])

    def share(r):
        v = np.minimum(_exponents(joint, r, fit.beta) - fit.top[:, None], 690.0)
        v = np.exp(v, out=v) * a[:, None]
        return v, v.sum(0)

    def climb(r, steps):
        v, c = share(r)
        for _ in range(steps):
            moved = np.where(c[:, None] > 0, (v.T @ joint.q) / np.where(c > 0, c, 1)[:, None], r)
            v, new = share(moved)
            r, gained = moved, float(np.max(new - c))
            c = new
            if gained < 1e-13:
                break
        return r, c

    place, c = climb(starts, 10)
    highest = np.argsort(-c, kind="stable")[:_HIGHEST]
    place[highest], c[highest] = climb(place[highest], _SLOW)
    with np.errstate(divide="ignore"):
        return place, np.log(c)


def _near(fit: _Fit) -> np.ndarray:
    """More places to climb from: next to each cluster, along the direction in which its members differ most
    (where one is about to split); half way to p(y) and to the nearest other cluster,
    since a climb never regains a label that is 0."""
    joint, r, k = fit.joint, fit.r, len(fit.w)
    member = fit.e * fit.w * (joint.p / fit.z)[:, None]  # p(x, t)
    scale = np.where(r > 0, 1 / np.sqrt(np.where(r > 0, r, 1)), 0.0)
    direction = np.random.default_rng(0).standard_normal(r.shape)
    for _ in range(12):  # power iterations on all clusters' covariances at once
        u = direction * scale
        along = member * (joint.q @ u.T - (r * u).sum(1))
        direction = (along.T @ joint.q - along.sum(0)[:, None] * r) * scale
        size = np.sqrt((direction**2).sum(1, keepdims=True))
        direction = np.where(size > 0, direction / np.where(size > 0, size, 1), 0.0)
    direction = np.where(r > 0, direction * np.sqrt(r), 0.0)
    direction -= direction.sum(1, keepdims=True) * r
    moves = np.abs(direction) > 1e-14
    room = np.where(moves, r / np.where(moves, np.abs(direction), 1), np.inf).min(1, keepdims=True)
    step = np.where(np.isfinite(room), np.minimum(0.1 * room, 1 / np.sqrt(max(fit.beta, 1.0))), 0.0) * direction
    out = [joint.p_y[None], r + step, r - step, (r + joint.p_y) / 2]
    if k > 1:
        near = np.sqrt(r) @ np.sqrt(r).T
        np.fill_diagonal(near, -np.inf)
        out.append((r + r[near.argmax(1)]) / 2)
    found = np.maximum(np.concatenate(out), 0.0)
    return found / found.sum(1, keepdims=True)
