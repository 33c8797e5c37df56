"""Pairs of known information: truths against printed ones and against quadrature, samples against what they should
be.
"""

import numpy as np
import pytest
from scipy import integrate, stats

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.datasets.tasks.ground_truth import half_cube, spiral, swiss_roll, two_humps, wiggly_x, wiggly_y

# nats, as printed by another implementation of the same tasks
PUBLISHED = {
    "normal-1x1": 0.413339, "normal-cdf-1x1": 0.413339, "additive-0.1": 1.709438, "additive-0.75": 0.333333,
    "bimodal-1x1": 0.413339, "wiggly-1x1": 0.413339, "half-cube-1x1": 0.413339, "student-1x1-dof1": 0.224171,
    "asinh-student-1x1-dof1": 0.224171, "swiss-roll-2x1": 0.413339, "dense-2x2": 0.293893, "dense-3x3": 0.413339,
    "dense-5x5": 0.592812, "dense-25x25": 1.292184, "dense-50x50": 1.624265, "student-2x2-dof1": 0.431946,
    "student-2x2-dof2": 0.193147, "student-3x3-dof2": 0.290922, "student-3x3-dof3": 0.178712,
    "student-5x5-dof2": 0.448151, "student-5x5-dof3": 0.298544, "asinh-student-2x2-dof1": 0.431946,
    "asinh-student-3x3-dof2": 0.290922, "asinh-student-5x5-dof2": 0.448151,
}  # fmt: skip
TWO_PAIRS = 1.021651
LIGHT = (
    "normal-1x1",
    "normal-cdf-1x1",
    "bimodal-1x1",
    "wiggly-1x1",
    "half-cube-1x1",
    "swiss-roll-2x1",
    "additive-0.75",
)


def test_there_are_forty_and_each_has_its_published_information():
    names = dt.datasets.ground_truths()
    assert len(names) == len(set(names)) == 40
    for name in names:
        nats = dt.datasets.ground_truth(name).mutual_information * np.log(2)
        known = TWO_PAIRS if "two-pairs" in name else PUBLISHED[name]
        assert nats == pytest.approx(known, abs=6e-7), name  # six decimals were printed


@pytest.mark.parametrize("name", dt.datasets.ground_truths())
def test_samples_have_their_shape_and_repeat_by_seed(name):
    truth = dt.datasets.ground_truth(name)
    x, y = truth.sample(50, seed=3)
    assert (x.shape, y.shape) == ((50, truth.dims[0]), (50, truth.dims[1]))
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    again, other = truth.sample(50, seed=3), truth.sample(50, seed=4)
    assert np.array_equal(again[0], x)
    assert not np.array_equal(other[0], x)


@pytest.mark.parametrize(("name", "dof"), [("student-1x1-dof1", 1), ("additive-0.1", None), ("additive-0.75", None)])
def test_information_by_quadrature(name, dof):
    """E log p(x, y) / p(x) p(y) where the densities are known, by integration over the plane."""
    if dof:
        joint, margin = stats.multivariate_t(shape=np.eye(2), df=dof), stats.t(dof)

        # polar: x, y = r (cos a, sin a), r = tan u: the tails are long
        def inside(u, a):
            r = np.tan(u)
            x, y = r * np.cos(a), r * np.sin(a)
            return joint.pdf([x, y]) * (joint.logpdf([x, y]) - margin.logpdf(x) - margin.logpdf(y)) * r / np.cos(u) ** 2

        nats = 4 * integrate.dblquad(inside, 0, np.pi / 2, 1e-9, np.pi / 2 - 1e-6, epsabs=1e-6)[0]
        tolerance = 1e-3  # what lies beyond the last angle
    else:
        eps = float(name.split("-")[1])
        y = (np.arange(200_000) + 0.5) / 200_000 * (1 + 2 * eps) - eps
        p = (np.minimum(y + eps, 1) - np.maximum(y - eps, 0)) / (2 * eps)  # density of y
        nats = -(p * np.log(p)).mean() * (1 + 2 * eps) - np.log(2 * eps)
        tolerance = 1e-4
    assert dt.datasets.ground_truth(name).mutual_information * np.log(2) == pytest.approx(nats, abs=tolerance)


def test_maps_can_be_undone():
    x = np.random.default_rng(0).standard_normal((400, 4))
    for i, j in ((0, 1), (1, 2)):
        turned = spiral(i, j)(x)
        assert (turned**2).sum(1) == pytest.approx((x**2).sum(1))
        assert spiral(j, i)(turned) == pytest.approx(x)  # the other way round: back
    assert np.abs(half_cube(x)) ** (2 / 3) * np.sign(half_cube(x)) == pytest.approx(x)
    line = np.linspace(-6, 6, 20_001)[:, None]
    for wave in (wiggly_x, wiggly_y):
        assert (np.diff(wave(line)[:, 0]) > 0).all()
    rolled = swiss_roll(x[:, :1])
    assert np.hypot(*rolled.T) * 21 == pytest.approx(1.5 * np.pi * (1 + 2 * stats.norm.cdf(x[:, 0])))
    humps = two_humps(0.3, 0, 5)(x[:, :1])
    mixture = 0.3 * stats.norm.cdf(humps) + 0.7 * stats.norm.cdf(humps - 5)
    assert mixture == pytest.approx(stats.norm.cdf(x[:, :1]), abs=1e-12)


def test_samples_have_the_moments_that_they_should():
    x, y = dt.datasets.ground_truth("dense-5x5").sample(40_000)
    seen = np.cov(np.concatenate([x, y], 1), rowvar=False)
    assert seen == pytest.approx(0.5 + 0.5 * np.eye(10), abs=0.04)
    x, y = dt.datasets.ground_truth("two-pairs-3x3").sample(40_000)
    assert np.corrcoef(x.T, y.T)[:3, 3:] == pytest.approx(np.diag([0.8, 0.8, 0]), abs=0.03)
    x, y = dt.datasets.ground_truth("student-2x2-dof2").sample(4000)
    assert stats.kstest(x[:, 0], stats.t(2).cdf).pvalue > 1e-3
    assert stats.kstest(y[:, 1], stats.t(2).cdf).pvalue > 1e-3
    x, y = dt.datasets.ground_truth("normal-cdf-1x1").sample(4000)
    assert stats.kstest(y[:, 0], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("name", LIGHT)
def test_neighbours_find_the_light_tailed_ones(name):
    """0.1 bit: KSG at n = 2000 in one dimension has a standard error of some 0.03 bits."""
    truth = dt.datasets.ground_truth(name)
    assert dt.mutual_information(*truth.sample(2000), "ksg").value == pytest.approx(truth.mutual_information, abs=0.1)


def test_canonical_correlations_find_the_normal_ones_and_miss_the_spiral():
    for name in ("dense-2x2", "dense-25x25", "two-pairs-25x25"):
        truth = dt.datasets.ground_truth(name)
        bias = truth.dims[0] * truth.dims[1] / (2 * 5000 * np.log(2))
        found = dt.mutual_information(*truth.sample(5000), "gaussian").value
        assert found - bias == pytest.approx(truth.mutual_information, abs=0.08)
    truth = dt.datasets.ground_truth("spiral-two-pairs-3x3")
    assert dt.mutual_information(*truth.sample(5000), "gaussian").value < 0.7 * truth.mutual_information


def test_it_shows_itself():
    truth = dt.datasets.ground_truth("swiss-roll-2x1")
    assert repr(truth) == "GroundTruth(swiss-roll-2x1, 2 x 1, I(X;Y) = 0.596323 bits)"
    assert truth.table()["dx"].tolist() == [2]
    assert truth.scalars() == {"mutual_information": truth.mutual_information}


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.datasets.ground_truth("swiss-rol"), "unknown ground truth 'swiss-rol'; did you mean"),
        (lambda: dt.datasets.ground_truth("normal-1x1").sample(0), "n is 0"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
