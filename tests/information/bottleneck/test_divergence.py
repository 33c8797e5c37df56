"""Divergences of rows that are nearly alike."""

import numpy as np
import pytest

from deeptheory.information.bottleneck.divergence import divergence, divergences


@pytest.mark.parametrize("size", [1e-2, 1e-5, 1e-7, 1e-9])
@pytest.mark.parametrize("beta", [1e5, 1e16, 1e19])
def test_near_divergences_are_summed_term_by_term(size, beta):
    """The matrix product is wrong by 2e-16, which at a beta of 1e19 was taken for a divergence of its own."""
    rng, p = np.random.default_rng(0), np.array([0.2, 0.3, 0.5])
    w = rng.normal(size=(4, 3))
    q = p * (1 + size * (w - (w @ p)[:, None]))
    want = divergence(q[:, None], q).sum(-1)
    assert (np.abs(divergences(q, q, 800 / beta) - want) <= 1e-9 * want + 1e-15 * (want > 800 / beta)).all()
