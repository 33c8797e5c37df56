"""Entropies from distances: columns in other units than the rest, and more neighbors than a tenth of the samples."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information import conditional_entropy


@pytest.mark.parametrize("ratio", [20, 100, 300, 900, 1100])
def test_units_of_one_column_do_not_matter(ratio):
    """h of two normals, one in other units: 5.69 for 4.09 bits at 900, 3.96 from 1,000 on."""
    x = np.random.default_rng(0).normal(size=(600, 2))
    own = dt.entropy(x, standardize=True).value
    assert own == pytest.approx(dt.entropy(x).value, abs=0.02)
    assert dt.entropy(x * [1, ratio]).value - np.log2(ratio) == pytest.approx(own, abs=1e-9)
    assert dt.entropy(x / [1, ratio]).value + np.log2(ratio) == pytest.approx(own, abs=1e-9)


@pytest.mark.parametrize("ratio", [20, 100, 300, 900, 1100])
def test_units_of_what_is_known_do_not_matter(ratio):
    """H(X|Y) of normals: 2.81 for 1.55 bits where y was in units 300 times as small."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    y = x + rng.normal(size=600)
    own = conditional_entropy(x, y).value
    assert conditional_entropy(x, y * ratio).value == pytest.approx(own, abs=0.05)
    assert conditional_entropy(x, y / ratio).value == pytest.approx(own, abs=0.05)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("k", [20, 50])
def test_more_neighbors_than_a_batch_holds(k):
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    for got in (dt.entropy(x, k=k), conditional_entropy(x, y, k=k), dt.mutual_information(x, y, "wkl", k=k)):
        assert np.isfinite(got.value)
        assert np.isnan(got.low)
        assert any("fewer neighbors" in t for t in got.notes)
