"""The bottleneck as one convex problem: the mixture of decoders that explains p(y|x) best. Compiled kernels, nats.

With d(x, r) = KL[p(y|x) || r], the least I(X;T) + beta E d over encoders and decoders is
    min over measures w on the simplex of r:   f(w) = - sum_x p(x) log sum_t w_t exp(-beta d(x, r_t)),
rate-distortion with every distribution r as a possible codeword (Harremoes & Tishby 2007). f is convex in w, so that
    c(r) = sum_x p(x) exp(-beta d(x, r)) / sum_t w_t exp(-beta d(x, r_t)) <= 1 for all r
is the sign of the global optimum, and f(w) - log max c is a lower bound on it whatever w is: a certificate that
Blahut-Arimoto iterations, which move within a fixed number of clusters, cannot give. Peaks of c above 1 are the
clusters still missing (Lindsay 1983, Wang 2007 for likelihoods of mixtures). Each round: add the peaks, find the best
weights (Newton with an active set), move all clusters (Newton on the self-consistent equations), drop what is empty.

With two labels r is one number and the peaks are searched on a grid finer than the kernel's width, so the certificate
is global (peaks.py). With more labels peaks are climbed from many starts (products.py): it then says that no start
found a better cluster.
"""

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.information.bottleneck.divergence import term
from deeptheory.information.bottleneck.linear import solve_in_place

FINE = 1e4  # a beta above which divergences are summed term by term
_BIG = 1e30  # stands for -log 0 where it is multiplied by exactly 0 or must lose every comparison


@njit(cache=True, error_model="numpy")
def exponents(q, qlq, r, k, beta, out):
    """out[:, :k] = -beta KL(q_x || r_t); about -_BIG where r_t misses a label that x has."""
    n, m = q.shape
    if beta > FINE:  # a difference of two sums is known to 1e-16, times beta
        for t in range(k):
            for x in range(n):
                s = 0.0
                for y in range(m):
                    s += term(q[x, y], r[t, y])
                out[x, t] = -beta * s
        return
    logs = np.empty(m)
    for t in range(k):
        for y in range(m):
            logs[y] = np.log(r[t, y]) if r[t, y] > 0 else -_BIG
        for x in range(n):
            s = -qlq[x]
            for y in range(m):
                s += q[x, y] * logs[y]
            out[x, t] = beta * s


@njit(cache=True, error_model="numpy")
def fill(p, q, qlq, r, w, k, beta, e, z, top):
    """f in nats. e[x, t] = exp(-beta d - top_x), z = sum_t w_t e, top_x the largest exponent of x."""
    n = len(p)
    exponents(q, qlq, r, k, beta, e)
    f = 0.0
    for x in range(n):
        high = e[x, 0]
        for t in range(1, k):
            high = max(high, e[x, t])
        total = 0.0
        for t in range(k):
            e[x, t] = np.exp(e[x, t] - high)
            total += w[t] * e[x, t]
        top[x], z[x] = high, total
        f -= p[x] * (high + np.log(total))
    return f


@njit(cache=True, error_model="numpy")
def _value(p, e, w, k, z):
    """- sum p log(e w) + sum w, whose least value has sum w = 1; infinite outside. Fills z."""
    f = 0.0
    for t in range(k):
        f += w[t]
    for x in range(len(p)):
        total = 0.0
        for t in range(k):
            total += w[t] * e[x, t]
        z[x] = total
        if total <= 0:
            return np.inf
        f -= p[x] * np.log(total)
    return f


@njit(cache=True, error_model="numpy")
def best_weights(p, e, w, k, z):
    """The w >= 0 [k] that minimize - sum p log(e w) for given clusters: multiplicative steps, then
    Newton steps cut at the boundary, in place."""
    n = len(p)
    g, trial, step = np.empty(k), np.empty(k), np.empty(k)
    h, free = np.empty((k, k)), np.empty(k, dtype=np.int64)
    for _ in range(
        8
    ):  # w_t c_t, which never raises f and finds the size of weights that are wrong by orders of magnitude
        _value(p, e, w, k, z)
        for t in range(k):
            c = 0.0
            for x in range(n):
                c += p[x] * e[x, t] / z[x]
            w[t] *= c
    f, ridge = _value(p, e, w, k, z), 1e-13
    for _ in range(100 + 2 * k):
        worst, count = 0.0, 0
        for t in range(k):
            c = 0.0
            for x in range(n):
                c += p[x] * e[x, t] / z[x]
            g[t] = 1 - c
            if w[t] > 0 or g[t] < -1e-12:
                free[count] = t
                count += 1
                worst = max(worst, abs(g[t]))
        if worst < 1e-13:
            break
        for t in range(k):
            step[t] = 0.0
        while True:  # the Newton step of the free weights; one that would leave 0 downwards at once is fixed
            for a in range(count):
                for b in range(a + 1):
                    s = 0.0
                    for x in range(n):
                        s += p[x] * e[x, free[a]] * e[x, free[b]] / (z[x] * z[x])
                    h[a, b] = s
                    h[b, a] = s
                h[a, a] += ridge * (1.0 + h[a, a])
                trial[a] = -g[free[a]]
            solve_in_place(h, trial, count)
            kept = 0
            for a in range(count):
                if not (w[free[a]] <= 0 and trial[a] < 0):
                    free[kept] = free[a]
                    trial[kept] = trial[a]
                    kept += 1
            if kept == count:
                break
            count = kept
        if count == 0:
            break
        slope = 0.0
        for a in range(count):
            step[free[a]] = trial[a]
            slope += g[free[a]] * trial[a]
        for t in range(k):  # the whole step, what falls below 0 put to 0: it empties many clusters at once
            trial[t] = max(w[t] + step[t], 0.0)
        new = _value(p, e, trial, k, z)
        if not new <= f + 1e-4 * slope:
            length = 1.0
            for t in range(k):  # else along the step to the first boundary, and shorter
                if step[t] < 0:
                    length = min(length, -w[t] / step[t])
            for _half in range(40):
                for t in range(k):
                    trial[t] = w[t] + length * step[t]
                    if trial[t] < 1e-16:
                        trial[t] = 0.0
                new = _value(p, e, trial, k, z)
                if new <= f + 1e-4 * length * slope + 1e-16:
                    break
                length *= 0.5
        emptied = False
        for t in range(k):
            emptied = emptied or (w[t] > 0 and trial[t] == 0)
        if not (new < f or (emptied and new <= f + 1e-15)):
            _value(p, e, w, k, z)
            if ridge > 1.0:
                break
            ridge *= 100.0  # clusters that are nearly alike: a shorter, safer step
            continue
        gained = f - new
        f = new
        for t in range(k):
            w[t] = trial[t]
        if gained < 1e-16 and not emptied and ridge > 1.0:
            break
        ridge = ridge * (0.1 if gained > 1e-12 else 100.0)
        ridge = min(max(ridge, 1e-13), 100.0)


@njit(cache=True, error_model="numpy")
def self_consistent_step(p, q, r, w, k, e, z):
    """One Blahut-Arimoto step of decoders and weights, from filled e and z, in place."""
    n, m = q.shape
    for t in range(k):
        mass = 0.0
        held = np.zeros(m)
        for x in range(n):
            share = p[x] * w[t] * e[x, t] / z[x]
            mass += share
            for y in range(m):
                held[y] += share * q[x, y]
        w[t] = mass
        if mass > 0:
            for y in range(m):
                r[t, y] = held[y] / mass


@njit(cache=True, error_model="numpy")
def descend(p, q, qlq, r, w, k, beta, e, z, top, rounds):
    """Blahut-Arimoto steps, two at a time and then a leap along them in log w and log r (Varadhan & Roland 2008), kept
    where f is lower. f never rises. In place; returns f, with e, z, top filled."""
    m = q.shape[1]
    r0, r1, w0, w1 = np.empty((k, m)), np.empty((k, m)), np.empty(k), np.empty(k)
    f = fill(p, q, qlq, r, w, k, beta, e, z, top)
    for _ in range(rounds):
        _copy(r, w, r0, w0, k)
        self_consistent_step(p, q, r, w, k, e, z)
        fill(p, q, qlq, r, w, k, beta, e, z, top)
        _copy(r, w, r1, w1, k)
        self_consistent_step(p, q, r, w, k, e, z)
        new = fill(p, q, qlq, r, w, k, beta, e, z, top)
        first, second = 0.0, 0.0
        for t in range(k):
            a = _log_ratio(w1[t], w0[t])
            b = _log_ratio(w[t], w1[t]) - a
            first, second = first + a * a, second + b * b
            for y in range(m):
                a = _log_ratio(r1[t, y], r0[t, y])
                b = _log_ratio(r[t, y], r1[t, y]) - a
                first, second = first + a * a, second + b * b
        if second > 0 and first > 1e-24:
            leap = min(max(np.sqrt(first / second), 1.0), 256.0)
            if leap > 1.0:
                for t in range(k):
                    a = _log_ratio(w1[t], w0[t])
                    b = _log_ratio(w[t], w1[t]) - a
                    w1[t] = w0[t] * np.exp(min(max(2 * leap * a + leap * leap * b, -3.0), 3.0))
                    for y in range(m):
                        a = _log_ratio(r1[t, y], r0[t, y])
                        b = _log_ratio(r[t, y], r1[t, y]) - a
                        r1[t, y] = r0[t, y] * np.exp(min(max(2 * leap * a + leap * leap * b, -3.0), 3.0))
                _normalize(r1, w1, k)
                leapt = fill(p, q, qlq, r1, w1, k, beta, e, z, top)
                if leapt < new:
                    _copy(r1, w1, r, w, k)
                    new = leapt
                else:
                    fill(p, q, qlq, r, w, k, beta, e, z, top)
        if f - new < 1e-14:
            break
        f = new
    return fill(p, q, qlq, r, w, k, beta, e, z, top)


@njit(cache=True, error_model="numpy")
def _copy(r, w, r_to, w_to, k):
    for t in range(k):
        w_to[t] = w[t]
        for y in range(r.shape[1]):
            r_to[t, y] = r[t, y]


@njit(cache=True, error_model="numpy")
def _normalize(r, w, k):
    weight = 0.0
    for t in range(k):
        weight += w[t]
    for t in range(k):
        w[t] /= weight
        total = 0.0
        for y in range(r.shape[1]):
            total += r[t, y]
        for y in range(r.shape[1]):
            r[t, y] /= total


@njit(cache=True, error_model="numpy")
def _log_ratio(new, old):
    return np.log(new / old) if new > 0 and old > 0 else 0.0


@njit(cache=True, error_model="numpy")
def _largest(v):
    worst = 0.0
    for i in range(len(v)):
        worst = max(worst, abs(v[i]))
        if v[i] != v[i]:
            return np.inf
    return worst


@njit(cache=True, error_model="numpy")
def newton(p, q, qlq, r, w, k, beta, e, z, top, steps):
    """Newton on the self-consistent equations in log w and log r, in place; returns f. Undone where f would rise.

    Unknowns a_t = log w_t, u_ty = log r_ty; with c_xt = p(x) p(t|x):
    sum_x c_xt = w_t (1 + beta (sum_y r_ty - 1)), sum_x c_xt q_xy = w_t r_ty;
    their solutions are normalized by themselves.
    """
    n, m = q.shape
    wide = 1 + m
    d = k * wide
    jac, rhs = np.empty((d, d)), np.empty(d)
    share, held = np.empty(k), np.empty((k, wide))
    r_new, w_new = np.empty((k, m)), np.empty(k)
    f = fill(p, q, qlq, r, w, k, beta, e, z, top)
    for _ in range(steps):
        for i in range(d):
            for j in range(d):
                jac[i, j] = 0.0
        for t in range(k):
            for i in range(wide):
                held[t, i] = 0.0
        for x in range(n):
            for t in range(k):
                share[t] = w[t] * e[x, t] / z[x]
            for t in range(k):
                if share[t] < 1e-18:
                    continue
                mass = p[x] * share[t]
                held[t, 0] += mass
                for y in range(m):
                    held[t, 1 + y] += mass * q[x, y]
                for s in range(k):
                    v = mass * ((1.0 if s == t else 0.0) - share[s])
                    if v == 0.0:
                        continue
                    for i in range(wide):
                        vi = v if i == 0 else v * q[x, i - 1]
                        if vi == 0.0:
                            continue
                        jac[t * wide + i, s * wide] += vi
                        for y in range(m):
                            jac[t * wide + i, s * wide + 1 + y] += beta * vi * q[x, y]
        for t in range(k):
            total = 0.0
            for y in range(m):
                total += r[t, y]
            row = t * wide
            excess = w[t] * (1 + beta * (total - 1))
            rhs[row] = -(held[t, 0] - excess)
            jac[row, row] -= excess
            for y in range(m):
                wr = w[t] * r[t, y]
                jac[row, row + 1 + y] -= beta * wr
                rhs[row + 1 + y] = -(held[t, 1 + y] - wr)
                jac[row + 1 + y, row] -= wr
                jac[row + 1 + y, row + 1 + y] -= wr
                if r[t, y] < 1e-290:  # a label that the cluster never has: log r stays
                    for j in range(d):
                        jac[row + 1 + y, j] = 0.0
                    jac[row + 1 + y, row + 1 + y] = 1.0
                    rhs[row + 1 + y] = 0.0
        if _largest(rhs) < 1e-15 or not solve_in_place(jac, rhs, d):
            break
        size = _largest(rhs)
        if not np.isfinite(size):
            break
        length, new = min(1.0, 2.0 / max(size, 1e-300)), np.inf
        for _shorter in range(3):
            for t in range(k):
                w_new[t] = w[t] * np.exp(length * rhs[t * wide])
                for y in range(m):
                    r_new[t, y] = r[t, y] * np.exp(length * rhs[t * wide + 1 + y])
            _normalize(r_new, w_new, k)
            new = fill(p, q, qlq, r_new, w_new, k, beta, e, z, top)
            if new <= f + 1e-14 * (1 + abs(f)):
                break
            length *= 0.25
        if not new <= f + 1e-14 * (1 + abs(f)):
            break
        f = new
        _copy(r_new, w_new, r, w, k)
        if size < 1e-11:
            break
    return fill(p, q, qlq, r, w, k, beta, e, z, top)
