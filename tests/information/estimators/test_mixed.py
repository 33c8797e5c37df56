"""Mesner & Shalizi's counts against the loops, ties as they are."""

import numpy as np
import pytest
from scipy.special import digamma

import deeptheory as dt
from deeptheory.core.errors import InputError
from oracles.neighbors import information


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: (rng.normal(size=(50, 2)), rng.normal(size=(50, 1))),
        lambda rng: (np.maximum(rng.normal(size=(50, 2)), 0), rng.normal(size=(50, 1))),
        lambda rng: (rng.poisson(2, (50, 1)).astype(float), rng.poisson(2, (50, 2)).astype(float)),
    ],
    ids=["dense", "ReLU", "counts"],
)
@pytest.mark.parametrize("k", [1, 3])
def test_closed_counts_agree_with_the_loops(draw, k):
    x, y = draw(np.random.default_rng(k))
    nothing = [[] for _ in x]
    slow = information(x.tolist(), y.tolist(), nothing, k, inclusive=True) + digamma(50) - digamma(49)
    got = dt.mutual_information(x, y, "mixed", k=k, variant="mesner-shalizi", standardize=False)
    assert got.value == pytest.approx(slow / np.log(2), abs=1e-10)
    assert "Mesner & Shalizi" in got.method


def test_equal_pairs_are_their_entropy():
    g = np.random.default_rng(0).integers(0, 4, 400)
    got = dt.mutual_information(g, g, "mixed", variant="mesner-shalizi")
    assert got.value == pytest.approx(dt.entropy(g).value, abs=0.05)
    assert "ties as they are" in got.method


def test_another_variant_is_refused():
    x = np.arange(20.0)
    with pytest.raises(InputError, match="unknown variant 'ross'. Known: gao, mesner-shalizi"):
        dt.mutual_information(x, x, "mixed", variant="ross")
