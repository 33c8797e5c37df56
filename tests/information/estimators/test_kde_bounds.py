"""Pairwise-distance bounds against the sums of the paper and the smoothed samples by Monte Carlo."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators.kde_bounds import _bounds
from oracles.information import mixture_entropy_bounds


def smoothed_information(x, y, width, rng, draws=20_000):
    """I of a pair drawn from the samples with noise: log densities of the three mixtures, in bits."""
    rows = rng.integers(0, len(x), draws)
    u, v = (a[rows] + width * rng.normal(size=(draws, a.shape[1])) for a in (x, y))
    logs = []
    for points, centers in ((u, x), (v, y), (np.c_[u, v], np.c_[x, y])):
        d = ((points[:, None] - centers[None]) ** 2).sum(-1) / (2 * width**2)
        logs.append(np.log(np.exp(-d).mean(1)))
    return float((logs[2] - logs[0] - logs[1]).mean() / np.log(2))


@pytest.mark.parametrize("width", [0.05, 0.3, 1.0])
def test_the_bounds_agree_with_the_sums_and_hold_the_information_of_the_mixture(width):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 2))
    y = x[:, :1] + 0.3 * rng.normal(size=(40, 1))
    weights = np.full(40, 1 / 40)
    (x_up, x_low), (y_up, y_low), (up, low) = (mixture_entropy_bounds(a, width, weights) for a in (x, y, np.c_[x, y]))
    got = _bounds(np.ascontiguousarray(x.T), np.ascontiguousarray(y.T), width)
    assert got == pytest.approx((x_low + y_low - up, x_up + y_up - up, x_up + y_up - low), abs=1e-9)
    assert got[0] - 0.05 <= smoothed_information(x, y, width, rng) <= got[2] + 0.05


def test_samples_in_clusters_are_tight():
    """Four clusters far apart in units of the noise: both bounds are what counts of the clusters say."""
    rng = np.random.default_rng(0)
    i = rng.integers(0, 4, 500)
    j = np.where(rng.random(500) < 0.8, i, rng.integers(0, 4, 500))
    lower, upper = (dt.mutual_information(i, j, "kde-bounds", bandwidth=0.01, bound=b) for b in ("lower", "upper"))
    counted = dt.mutual_information(i, j, "plugin").value
    assert lower.value == pytest.approx(counted, abs=1e-3)
    assert upper.value == pytest.approx(counted, abs=1e-3)
    assert (lower.direction, upper.direction) == ("lower", "upper")
    assert (lower.low, lower.high) == pytest.approx((upper.low, upper.high))


def test_what_the_bandwidth_does_is_said():
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    dense = dt.mutual_information(x, y, "kde-bounds", bandwidth=1)
    assert "bits apart" in " ".join(dense.notes)
    lone = dt.mutual_information(x, y, "kde-bounds", bandwidth=1e-6)
    assert lone.value > 5  # every sample a cluster of its own: towards log2(200)
    assert "y permuted shows" in " ".join(lone.notes)
    assert lone.low <= 0
    assert "Scott's rule" in dt.mutual_information(x, y, "kde-bounds").method


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"bandwidth": 0}, "bandwidth is 0; needed: a finite number above 0"),
        ({"bandwidth": float("nan")}, "bandwidth is nan"),
        ({"bandwidth": "scott"}, "bandwidth is 'scott'"),
        ({"bandwidth": 1e-300}, "bandwidth is 1e-300 standard deviations where a column spans"),
        ({"bandwidth": 1e-20, "standardize": False}, "no digit is left"),
        ({"bound": "both"}, "bound is 'both'; known: 'lower', 'upper'"),
    ],
)
def test_wrong_use(options, match):
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    with pytest.raises(InputError, match=match):
        dt.mutual_information(x, y, "kde-bounds", **options)
    with pytest.raises(InputError, match="x holds words"):
        dt.mutual_information(["a", "b"] * 25, y, "kde-bounds")


def test_units_are_those_of_the_bandwidth():
    """In the columns' own units, whatever their size: the same samples, the same noise."""
    x, y = np.random.default_rng(0).normal(size=(2, 100))
    one, *others = (
        dt.mutual_information(c * x, c * y, "kde-bounds", bandwidth=0.4 * c, standardize=False).value
        for c in (1.0, 1e-180, 1e180)
    )
    assert others == pytest.approx([one, one], abs=1e-9)
