"""The vectorized functions against the mathematical library in float64."""

import numpy as np
from numba import njit

from deeptheory.networks.population.elementary import exp32, log1p32, tanh32


@njit
def all_three(x, e, out):
    for i in range(len(x)):
        out[0, i], out[1, i], out[2, i] = exp32(x[i]), tanh32(x[i]), log1p32(e[i])


def test_within_the_stated_error():
    x = np.concatenate([np.linspace(-86, 86, 20_001), np.linspace(-10, 10, 20_001)]).astype(np.float32)
    e = np.linspace(0, 1, len(x)).astype(np.float32)
    out = np.empty((3, len(x)), dtype=np.float32)
    all_three(x, e, out)
    exact = x.astype(np.float64)
    assert np.abs(out[0] / np.exp(exact) - 1).max() < 5e-7
    assert np.abs(out[1] - np.tanh(exact)).max() < 4e-7
    assert np.abs(out[2] - np.log1p(e.astype(np.float64))).max() < 4e-7


def test_the_ends_do_not_overflow():
    x = np.array([-1e4, 1e4, -np.inf, np.inf], dtype=np.float32)
    out = np.empty((3, 4), dtype=np.float32)
    all_three(x, np.zeros(4, np.float32), out)
    assert np.isfinite(out).all()
    assert out[1].tolist() == [-1, 1, -1, 1] or np.abs(np.abs(out[1]) - 1).max() < 4e-7
