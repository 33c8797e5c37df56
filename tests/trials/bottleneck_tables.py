"""Joint tables of the kinds that people bring, for the bottleneck's trials."""

import numpy as np

import deeptheory as dt


def channel(p):
    """X uniform on two, through a symmetric channel of error p."""
    return np.array([[1 - p, p], [p, 1 - p]]) / 2


def erasure(m, e):
    """X uniform on m, Y = X or, with probability e, an erasure."""
    return np.hstack([np.eye(m) * (1 - e), np.full((m, 1), e)]) / m


def entropy(p):
    p = np.asarray(p, dtype=float)
    return float(-(p[p > 0] * np.log2(p[p > 0])).sum())


def soft():
    """The 12-bit rule with gamma 50: p(y|x) down to 5e-15 and to 0."""
    return dt.datasets.icosahedron(gamma=50).p_xy


def topics(rng, nx, ny):
    """Documents by words, of ten topics (issue 10's text-sized tables)."""
    p = rng.dirichlet(np.full(10, 0.2), nx) @ rng.dirichlet(np.full(ny, 0.1), 10)
    return p / p.sum()


def _of(p):
    return p / p.sum()


TABLES = {
    "topics": topics,
    "flat": lambda rng, nx, ny: rng.dirichlet(np.ones(ny), nx) / nx,
    "sparse": lambda rng, nx, ny: rng.dirichlet(np.full(ny, 0.1), nx) * rng.dirichlet(np.ones(nx))[:, None],
    "softmax": lambda rng, nx, ny: _of(np.exp(2 * rng.standard_normal((nx, ny)))),
    "counts": lambda rng, nx, ny: _of(rng.poisson(0.5, (nx, ny)) + np.eye(nx, ny)),
    "ring": lambda rng, nx, ny: _of(np.exp(3 * np.cos(2 * np.pi * (np.arange(nx)[:, None] / nx - np.arange(ny) / ny)))),
}
