"""A noisy network of one unit a layer, its information by plain quadrature on a grid; bits."""

import numpy as np


def scalar_chain(points, functions, sigma, step=0.02, reach=8.0):
    """I(X;T_l) of T_l = f_l(T_{l-1}) + N(0, sigma^2) for each layer, X uniform over the points."""
    centers = np.array([functions[0](p) for p in points], dtype=np.float64)
    weights = np.eye(len(points))  # of centers given x
    out = []
    for level in range(len(functions)):
        t = np.arange(centers.min() - reach * sigma, centers.max() + reach * sigma, step * sigma)
        kernel = np.exp(-((t[:, None] - centers[None]) ** 2) / (2 * sigma**2)) / np.sqrt(2 * np.pi * sigma**2)
        given = kernel @ weights.T  # [t, x]
        total = given.mean(1)
        gain = np.where(given > 0, given * np.log2(np.where(given > 0, given, 1) / total[:, None]), 0.0)
        out.append(float(gain.sum() * step * sigma / len(points)))
        if level + 1 < len(functions):
            centers = np.array([functions[level + 1](v) for v in t])
            weights = (given * step * sigma).T
    return out


def mixture_log(point, centers, sigma):
    """log of the mean of exp(-|t - s|^2 / 2 sigma^2), by math alone."""
    terms = [-sum((a - b) ** 2 for a, b in zip(point, c)) / (2 * sigma**2) for c in centers]
    top = max(terms)
    return top + np.log(np.mean([np.exp(v - top) for v in terms]))
