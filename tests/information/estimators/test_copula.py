"""The Gaussian copula against the determinants of correlations of ranks, and its direction."""

import numpy as np
import pytest
from scipy.stats import norm, rankdata

import deeptheory as dt
from deeptheory.core.errors import InputError


@pytest.mark.parametrize(("dx", "dy"), [(1, 1), (2, 3)])
def test_it_is_the_ratio_of_determinants(dx, dy):
    rng = np.random.default_rng([dx, dy])
    x = rng.standard_t(2, size=(200, dx))
    y = np.exp(rng.normal(size=(200, dy)) + np.arctan(x[:, :1]))
    u = norm.ppf(rankdata(np.c_[x, y], axis=0) / 201)
    r = np.corrcoef(u, rowvar=False)
    det = np.linalg.det
    truth = -0.5 * np.log2(det(r) / det(r[:dx, :dx]) / det(r[dx:, dx:]))
    assert dt.mutual_information(x, y, "copula", correct=False).value == pytest.approx(truth, abs=1e-9)


def test_the_direction_is_a_bound_where_one_side_is_normal():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300, 2))
    assert dt.mutual_information(x[:, 0], y, "copula").direction == "lower"
    assert dt.mutual_information(x, y, "copula").direction == "consistent"
    tied = dt.mutual_information(np.round(x[:, 0]), np.round(y[:, 0]), "copula")
    assert tied.direction == "consistent"
    assert "repeat" in tied.notes[-1]


def test_marginals_do_not_matter():
    rng = np.random.default_rng(0)
    x = rng.normal(size=300)
    y = x + rng.normal(size=300)
    first = dt.mutual_information(x, y, "copula").value
    assert dt.mutual_information(np.exp(3 * x), -(y**3), "copula").value == pytest.approx(first, abs=1e-9)


def test_columns_that_tell_nothing_new_are_left_out():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 300))
    alone = dt.mutual_information(x, y, "copula")
    more = dt.mutual_information(np.c_[x, np.exp(x), np.ones(300)], y, "copula")
    assert more.value == pytest.approx(alone.value, abs=1e-9)
    assert "left out" in " ".join(more.notes)
    assert dt.mutual_information(np.ones(300), y, "copula").high == 0
    assert dt.mutual_information(x, np.exp(x), "copula").value == np.inf


def test_wrong_use():
    with pytest.raises(InputError, match="y holds words, 'copula' needs numbers"):
        dt.mutual_information(np.arange(20.0), ["a", "b"] * 10, "copula")
    with pytest.raises(InputError, match="4 samples for 2 columns"):
        dt.mutual_information([1.0, 2, 3, 5], [2.0, 1, 3, 7], "copula")
