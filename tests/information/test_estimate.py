"""Normalized forms of an information, by name, and what holds its samples."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import normalized_mutual_info_score

import deeptheory as dt
from deeptheory.core.errors import InputError


def labels(n=500):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 5, n)
    return x, np.where(rng.random(n) < 0.7, x % 3, rng.integers(0, 3, n))


@pytest.mark.parametrize(
    ("by", "theirs"),
    [
        ("min entropy", "min"),
        ("max entropy", "max"),
        ("mean entropy", "arithmetic"),
        ("geometric mean entropy", "geometric"),
    ],
)
def test_means_of_entropies_agree_with_scikit_learn(by, theirs):
    x, y = labels()
    got = dt.mutual_information(x, y, "plugin").normalized(by)
    assert got.value == pytest.approx(normalized_mutual_info_score(x, y, average_method=theirs), abs=1e-12)
    assert got.unit == "fraction"
    assert got.low <= got.value <= got.high
    assert by in got.method
    assert dt.mutual_information(x, y, "plugin", unit="nats").normalized(by).value == pytest.approx(got.value)


def test_each_side_and_both():
    x, y = labels()
    got = dt.mutual_information(x, y, "plugin")
    h_x, h_y = dt.entropy(x).value, dt.entropy(y).value
    assert got.normalized("x entropy").value == pytest.approx(got.value / h_x)
    assert got.normalized("y entropy").value == pytest.approx(got.value / h_y)
    assert got.normalized("joint entropy").value == pytest.approx(got.value / (h_x + h_y - got.value))
    z = np.random.default_rng(0).normal(size=500) + 3 * y
    of_labels = dt.mutual_information(z, y, "labels")
    assert of_labels.normalized("y entropy").value == pytest.approx(of_labels.value / h_y)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.9])
def test_a_normal_pair_has_its_correlation(rho):
    rng = np.random.default_rng(1)
    x = rng.normal(size=3000)
    y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=3000)
    got = dt.mutual_information(x, y, "gaussian").normalized("correlation")
    assert got.value == pytest.approx(rho, abs=0.05)
    assert got.low <= rho <= got.high


def test_a_constant_has_no_fraction():
    got = dt.mutual_information(np.ones(60, dtype=int), np.arange(60) % 3, "plugin").normalized()
    assert np.isnan(got.value)
    assert "no fraction of nothing" in " ".join(got.notes)


def test_a_value_below_0_has_no_correlation():
    estimate = dt.mutual_information(*labels(), lambda x, y: dt.Estimate(value=-0.1, low=-0.2, high=0.1, method="m"))
    got = estimate.normalized("correlation")
    assert got.value == 0
    assert "below 0" in " ".join(got.notes)


@pytest.mark.parametrize(
    ("make", "by", "match"),
    [
        (lambda x, y: dt.mutual_information(x, y), "min", "unknown normalization 'min'. Known: x entropy"),
        (lambda x, y: dt.entropy(x), "min entropy", "only an information between x and y"),
        (lambda x, y: dt.mutual_information(x + 0.5, y), "x entropy", "x is continuous and has no entropy"),
        (lambda x, y: replace(dt.mutual_information(x, y)), "min entropy", "does not hold its samples"),
    ],
)
def test_wrong_use(make, by, match):
    with pytest.raises(InputError, match=match):
        make(*labels()).normalized(by)


def test_an_image_is_read_as_columns_and_says_so():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.normal(size=(200, 1, 2, 3)) + y[:, None, None, None]
    for method in ("auto", "labels"):
        got = dt.mutual_information(x, y, method)
        assert got.value == dt.mutual_information(x.reshape(200, 6), y, method).value
        assert "x has shape [200, 1, 2, 3]: each row was read as 6 columns" in got.notes
    assert not any("shape" in n for n in dt.mutual_information(x.reshape(200, 6), y).notes)


def test_long_tails_are_noted_where_the_method_sees_them():
    rng = np.random.default_rng(0)
    x = rng.standard_cauchy(500)
    y = x + rng.normal(size=500)
    noted = dt.mutual_information(x, y, "gaussian")
    assert "columns of x and y have long tails" in " ".join(noted.notes)
    assert noted.local.shape == (500,)
    for got in (
        dt.mutual_information(x, y, "gaussian", ranks=True),
        dt.mutual_information(*rng.normal(size=(2, 500)), "ksg"),
    ):
        assert "long tails" not in " ".join(got.notes)
