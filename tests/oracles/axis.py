"""Slow, obviously right forms of the bench: loops as the papers write them, float64, nothing shared with the package."""

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
