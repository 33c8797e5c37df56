"""The local correction against the paper by loops, and where it is for: dependence beyond KSG's reach."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators.lnc import threshold
from oracles.neighbors import lnc


@pytest.mark.parametrize("noise", [1.0, 0.1, 1e-3])
@pytest.mark.parametrize("k", [3, 5])
def test_two_columns_agree_with_the_loops(noise, k):
    rng = np.random.default_rng(k)
    x = rng.uniform(size=80)
    y = x + noise * rng.uniform(-1, 1, 80)
    got = dt.mutual_information(x, y, "lnc", k=k, standardize=False)
    assert got.value == pytest.approx(lnc(x, y, k, threshold(k, 2)) / np.log(2), abs=1e-9)


def test_the_threshold_is_passed_once_in_200_even_neighborhoods():
    assert np.exp(threshold(5, 2)) == pytest.approx(0.34, abs=0.03)  # by simulation, fixed seed
    assert threshold(5, 2) < threshold(10, 2) < 0
    assert threshold(5, 2) == threshold(5, 2)


@pytest.mark.parametrize("noise", [1e-4, 1e-6])
def test_dependence_beyond_the_reach_of_counts(noise):
    """y = x + uniform noise on [-e, e]: e - log(2 e) nats, 12.3 and 18.9 bits; counts of 500 samples end near 7."""
    rng = np.random.default_rng(0)
    x = rng.uniform(size=500)
    y = x + rng.uniform(-noise, noise, 500)
    truth = (noise - np.log(2 * noise)) / np.log(2)
    assert dt.mutual_information(x, y, "ksg").value < truth - 4
    assert dt.mutual_information(x, y, "lnc").value == pytest.approx(truth, abs=0.6)


@pytest.mark.parametrize(
    ("x", "y", "options", "match"),
    [
        (5, 1, {}, "at most 4 columns of x and y together, not 6"),
        (2, 1, {"k": 3}, "k is 3 for 3 columns"),
        (1, 1, {"k": 0}, "k is 0"),
        (1, "words", {}, "holds words"),
    ],
)
def test_wrong_use(x, y, options, match):
    rng = np.random.default_rng(0)
    a = rng.normal(size=(60, x))
    b = np.array(["a", "b"] * 30) if y == "words" else rng.normal(size=(60, y))
    with pytest.raises(InputError, match=match):
        dt.mutual_information(a, b, "lnc", **options)


def test_a_constant_tells_nothing():
    got = dt.mutual_information(np.ones(50), np.random.default_rng(0).normal(size=50), "lnc")
    assert (got.value, got.low, got.high) == (0, 0, 0)


def test_columns_that_tell_nothing_new_are_left_out():
    """Two equal columns of x made T(X) infinite, and -4.5 bits of .3."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 1))
    y = 0.6 * x + 0.8 * rng.normal(size=(300, 1))
    alone = dt.mutual_information(x, y, "lnc").value
    for more in (np.c_[x, x], np.c_[x, 2 * x - 1], np.c_[x, x, x, x, x]):
        got = dt.mutual_information(more, y, "lnc")
        assert got.value == pytest.approx(alone, abs=1e-6)
        assert "linear functions of others are left out" in " ".join(got.notes)


@pytest.mark.parametrize("noise", [0.1, 0.01, 1e-4])
def test_the_interval_reaches_the_truth_between_counts_and_sheets(noise):
    """Where neighborhoods are neither small nor thin beside the noise (.01) the interval was .7 bit short."""
    truth = (noise - np.log(2 * noise)) / np.log(2)
    for seed in range(5):
        rng = np.random.default_rng(seed)
        x = rng.uniform(size=300)
        got = dt.mutual_information(x, x + rng.uniform(-noise, noise, 300), "lnc")
        assert got.low <= truth <= got.high
        if abs(got.value - truth) > 0.4:
            assert "too small" in " ".join(got.notes)
