"""Nested leaving out as its sentence says: for every left-out row, every penalty, every other row, one regression."""

import numpy as np


def _fitted(x, s, rows, penalty):
    middle, level = x[rows].mean(0), s[rows].mean(0)
    a, b = x[rows] - middle, s[rows] - level
    w = a.T @ np.linalg.solve(a @ a.T + penalty * np.eye(len(rows)), b)
    return lambda row: level + (row - middle) @ w


def _spread(x, penalty):
    """In how many directions the residuals of that penalty lie, as a fraction of the rows: (trace M)^2 / trace M^2
    / n.
    """
    a = x - x.mean(0)
    m = np.eye(len(x)) - 1 / len(x) - a @ np.linalg.solve(a.T @ a + penalty * np.eye(a.shape[1]), a.T)
    return np.trace(m) ** 2 / np.trace(m @ m) / len(x)


def nested_ridge(x, s, alphas, spread=0.6):
    """s [n, d] predicted from x [n, u], each row by the penalty that predicts the others best, each of them left out as
    well; of the penalties whose residuals lie in many directions."""
    x = (x - x.mean(0)) / x.std(0)
    values = np.linalg.eigvalsh(x @ x.T)
    scale = values[values > 1e-10 * values[-1]].mean()
    alphas = [a for a in alphas if _spread(x, a * scale) >= spread or a == alphas[-1]]
    out = np.empty_like(s)
    for i in range(len(x)):
        rest = [j for j in range(len(x)) if j != i]
        loss = np.zeros((len(alphas), s.shape[1]))
        for k, alpha in enumerate(alphas):
            for j in rest:
                others = [m for m in rest if m != j]
                loss[k] += (s[j] - _fitted(x, s, others, alpha * scale)(x[j])) ** 2
        for d in range(s.shape[1]):
            out[i, d] = _fitted(x, s, rest, alphas[loss[:, d].argmin()] * scale)(x[i])[d]
    return out
