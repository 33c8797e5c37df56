"""Clusters of tables in which X tells nearly nothing of Y: only the trade-off's unit changes."""

import math

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information import bottleneck_branches, first_critical_beta


def faint(size):
    """p(x, y) = (1 + size w) / 15: I(X;Y) goes as the square of size, the critical betas as one over it."""
    w = np.random.default_rng(1).normal(size=(5, 3))
    w -= w.mean(0)
    w -= w.mean(1, keepdims=True)
    return (1 + size * w) / 15


@pytest.mark.parametrize("size", [1e-4, 1e-5, 1e-6, 1e-7, 1e-8])
@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("ib", {}),
        ("ib", {"clusters": 3}),
        ("dib", {}),
        ("dib", {"alpha": 0.5}),
        ("sequential", {}),
        ("agglomerative", {}),
    ],
)
def test_a_faint_dependence_is_clustered_as_a_plain_one(method, options, size):
    """At 20 times the first critical beta; costs that were differences of entropies gave 0, or one cluster each."""
    want, got = (dt.bottleneck(faint(s), 20 * first_critical_beta(faint(s)), method, **options) for s in (1e-3, size))
    assert got.lagrangian == pytest.approx(want.lagrangian, rel=1e-3)
    assert got.i_x == pytest.approx(want.i_x, rel=1e-3)


@pytest.mark.parametrize("size", [1e-6, 1e-8])
@pytest.mark.parametrize("method", ["sequential", "agglomerative"])
def test_an_infinite_trade_off_loses_the_same_part(method, size):
    """Two clusters, the least loss of I(T;Y): the same rows together."""
    want, got = (dt.bottleneck(faint(s), math.inf, method, clusters=2) for s in (1e-3, size))
    np.testing.assert_array_equal(got.encoder, want.encoder)
    assert got.lagrangian / size**2 == pytest.approx(want.lagrangian / 1e-6, rel=1e-3)


def test_branches_of_a_faint_dependence():
    want, got = (
        bottleneck_branches(faint(s), first_critical_beta(faint(s)) * np.array([0.9, 2, 20])) for s in (1e-3, 1e-7)
    )
    np.testing.assert_allclose(got.lagrangian, want.lagrangian, rtol=1e-3, atol=1e-3)
