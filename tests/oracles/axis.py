"""Slow, obviously right forms of the bench: loops as the papers write them, float64, nothing shared with the
package.
"""

import math

import numpy as np
from scipy.optimize import minimize


def sta(responses, features):
    """mean_n s(n) (f(n) - mean f), one unit after the other."""
    s = features - features.mean(0)
    out = []
    for k in range(responses.shape[1]):
        f = responses[:, k] - responses[:, k].mean()
        out.append(sum(s[n] * f[n] for n in range(len(s))) / len(s))
    return np.array(out)


def block_normalised(features, blocks):
    """Centred; each block over the root of its summed variance and of the number of blocks."""
    s = features - features.mean(0)
    out = s.copy()
    for index in blocks:
        out[:, index] = s[:, index] / math.sqrt(s[:, index].var(0).sum() * len(blocks))
    return out


def leave_one_out(responses, features):
    """Each feature of each stimulus by least squares on [responses, 1] of all the others."""
    n = len(responses)
    x = np.column_stack([responses, np.ones(n)])
    out = np.empty_like(features, dtype=float)
    for i in range(n):
        rest = np.arange(n) != i
        out[i] = x[i] @ np.linalg.lstsq(x[rest], features[rest], rcond=None)[0]
    return out


def identification(predicted, features, candidates, draws, seed):
    """Share of targets that are nearest to their prediction among N - 1 others drawn at random."""
    rng = np.random.default_rng(seed)
    right = 0
    for _ in range(draws):
        i = rng.integers(len(features))
        others = rng.choice(np.delete(np.arange(len(features)), i), candidates - 1, replace=False)
        own = np.linalg.norm(predicted[i] - features[i])
        right += all(np.linalg.norm(predicted[i] - features[j]) > own for j in others)
    return right / draws


def exemplar(y, s, bound, restarts, seed, penalty=(0.0, 0.0, 0.0, 0.0)):
    """Best R^2 of a cubic in |s - e|, |e| <= bound: general-purpose minimiser from many starts."""
    rng = np.random.default_rng(seed)
    y = (y - y.mean()) / y.std()
    typical = np.median(np.linalg.norm(s, axis=1))

    def error(e):
        x = np.linalg.norm(s - e, axis=1)
        z = (x - x.mean()) / x.std()
        phi = np.stack([np.ones_like(z), z, z**2 - 1, z**3 - 3 * z], 1)
        c = np.linalg.solve(phi.T @ phi + np.diag(penalty), phi.T @ y)
        return np.mean((y - phi @ c) ** 2)

    def inside(free):  # the ball, without a boundary for the minimiser to stumble over
        return bound * free / math.sqrt(1 + free @ free)

    best = math.inf
    for _ in range(restarts):
        e = rng.standard_normal(s.shape[1])
        e *= rng.uniform(0.1, 0.95) * min(bound, 3 * typical) / np.linalg.norm(e)
        free = e / math.sqrt(bound**2 - e @ e)
        found = minimize(lambda v: error(inside(v)), free, method="L-BFGS-B", options={"maxiter": 200})
        best = min(best, found.fun)
    return 1 - best


def _rows(kind, theta, s):
    """The output's terms [n, b] of one rival model, from its one-dimensional x, and the weight of each term's square.

    axis: cubic of w.s. angle: cubic of the cosine. energy: cubic of (w.s)^2 in even terms. norm x direction: the norm
    times a cubic of the cosine that is 0 at a right angle. Terms as Hermite polynomials of x in units of its spread.
    """
    norm = np.array([math.sqrt(sum(v * v for v in row)) for row in s])
    x = np.array([sum(a * b for a, b in zip(theta, row)) for row in s])
    if kind in ("angle", "norm x direction"):
        x = x / norm
    centre = x.mean() if kind in ("axis", "angle") else 0.0
    z = (x - centre) / math.sqrt(np.mean((x - centre) ** 2))
    if kind in ("axis", "angle"):
        return np.stack([np.ones_like(z), z, z**2 - 1, z**3 - 3 * z], 1), (0, 0, 10, 60)
    if kind == "energy":
        terms = [np.ones_like(z), z**2 - 1, z**4 - 6 * z**2 + 3, z**6 - 15 * z**4 + 45 * z**2 - 15]
        return np.stack(terms, 1), (0, 0, 250, 18000)
    m = norm / np.median(norm)
    return np.stack([np.ones_like(z), m * z, m * z**2, m * (z**3 - 3 * z)], 1), (0, 0, 10, 60)


def rival(kind, y, s, restarts, seed):
    """Best R^2 in sample of one model, all d parameters free: general-purpose minimiser of the penalised error,
    many starts.
    """
    rng = np.random.default_rng(seed)
    y = (y - y.mean()) / y.std()

    def solved(theta):
        phi, penalty = _rows(kind, theta, s)
        c = np.linalg.solve(phi.T @ phi + np.diag(penalty), phi.T @ y)
        return np.mean((y - phi @ c) ** 2), np.mean((y - phi @ c) ** 2) + np.dot(penalty, c**2) / len(y)

    best = (math.inf, math.inf)
    for _ in range(restarts):
        start = rng.standard_normal(s.shape[1])
        found = minimize(lambda v: solved(v)[1], start / np.linalg.norm(start), method="BFGS")
        if found.fun < best[1]:
            best = (solved(found.x)[0], found.fun)
    return 1 - best[0]


def norm_held_out(y, s, folds):
    """R^2 on left-out stimuli of a cubic of |s|; folds: lists of the indices left out."""
    y = (y - y.mean()) / y.std()
    length = np.array([math.sqrt(sum(v * v for v in row)) for row in s])
    errors = []
    for test in folds:
        train = np.setdiff1d(np.arange(len(y)), test)
        c = np.polynomial.Polynomial.fit(length[train], y[train], 3)
        errors += [(y[i] - c(length[i])) ** 2 for i in test]
    return 1 - np.mean(errors)


def quadratic_left_out(y, s, alphas, folds):
    """Best R^2 over penalties (of the mean eigenvalue) of all features and products of two, each fold left out in turn.

    The terms' means and deviations are those of all stimuli.
    """
    n, d = s.shape
    y = (y - y.mean()) / y.std()
    terms = [s[:, i] for i in range(d)] + [s[:, i] * s[:, j] for i in range(d) for j in range(i, d)]
    x = np.stack([(t - t.mean()) / t.std() for t in terms], 1)
    scale = np.trace(x.T @ x) / x.shape[1]
    best = -math.inf
    for alpha in alphas:
        errors = []
        for test in folds:
            rest = np.setdiff1d(np.arange(n), test)
            a, b = np.column_stack([np.ones(len(rest)), x[rest]]), y[rest]
            ridge = np.diag([0.0] + [alpha * scale] * x.shape[1])
            w = np.linalg.solve(a.T @ a + ridge, a.T @ b)
            errors += list((y[test] - w[0] - x[test] @ w[1:]) ** 2)
        best = max(best, 1 - np.mean(errors))
    return best
