"""Search for the worst error of a network against its formula: random points, corners, gradient ascent."""

import itertools

import numpy as np
import torch


def worst(network, truth, low, high, dtype=torch.float64, points=400, steps=30, seed=0):
    """Largest |network - truth| found in the box [low, high], both [n]. truth: float64 array [m, n] -> [m, outputs]."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    rng, n = np.random.default_rng(seed), len(low)
    corners = (
        np.array(list(itertools.product(*zip(low, high))))
        if n <= 8
        else np.where(rng.random((256, n)) < 0.5, low, high)
    )
    x = np.concatenate([low + (high - low) * rng.random((points, n)), corners, (low + high)[None] / 2])
    near = np.clip(corners + 0.02 * (high - low) * rng.standard_normal(corners.shape), low, high)
    x = np.concatenate([x, near, np.clip(1e-3 * rng.standard_normal((40, n)), low, high)])

    def inside(points):
        t = torch.as_tensor(points, dtype=dtype)
        return torch.minimum(torch.maximum(t, torch.as_tensor(low, dtype=dtype)), torch.as_tensor(high, dtype=dtype))

    def errors(t):
        with torch.no_grad():
            return np.abs(network(t).double().numpy() - truth(t.double().numpy())).max(1)

    t = inside(x)
    e = errors(t)
    best, box = float(e.max()), torch.as_tensor(high - low, dtype=dtype)
    t, step = t[torch.as_tensor(np.argsort(-e)[:16].copy())], 0.1
    e = errors(t)
    for _ in range(steps):  # ascent on the error by finite differences of the difference, signs only, steps that shrink
        gradient = torch.zeros_like(t)
        for i in range(n):
            h = torch.zeros(n, dtype=dtype)
            h[i] = 1e-3 * box[i]
            gradient[:, i] = torch.as_tensor(errors(inside(t + h)) - errors(inside(t - h)), dtype=dtype)
        new = inside(t + step * box * gradient.sign())
        ne = errors(new)
        better = ne > e
        t[torch.as_tensor(better)], e = new[torch.as_tensor(better)], np.where(better, ne, e)
        step *= 1 if better.any() else 0.5
        best = max(best, float(ne.max()))
    return best
