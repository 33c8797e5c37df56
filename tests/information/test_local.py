"""Local values: their mean is the estimate, one by one what the formula says, and where there are none."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


def draws():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    y = x[:, :1] + rng.normal(size=(300, 1))
    return x, y, rng.integers(0, 4, 300)


@pytest.mark.parametrize("unit", ["bits", "nats"])
@pytest.mark.parametrize("method", ["ksg", "mixed", "gaussian", "labels", "plugin"])
def test_their_mean_is_the_value(method, unit):
    x, y, g = draws()
    a, b = {"labels": (x, g), "plugin": ((g + np.arange(300) // 100) % 4, g)}.get(method, (x, y))
    got = dt.mutual_information(a, b, method, unit=unit)
    assert got.local.shape == (300,)
    assert got.local.mean() == pytest.approx(got.value, abs=1e-10)
    shift = got.local.mean() - got.value  # nothing was put in to make it so: the terms of the mean are these
    assert abs(shift) < 1e-10
    words = dt.mutual_information(x, np.array(list("abcd"))[g], "ksg")
    assert words.local.mean() == pytest.approx(words.value, abs=1e-10)


def test_counts_are_log_ratios_of_frequencies():
    _, _, g = draws()
    h = (g + np.arange(300) // 150) % 4
    got = dt.mutual_information(g, h, "plugin").local
    for i in (0, 77, 299):
        joint = np.mean((g == g[i]) & (h == h[i]))
        assert got[i] == pytest.approx(np.log2(joint / np.mean(g == g[i]) / np.mean(h == h[i])), abs=1e-12)
    z = np.arange(300) % 3
    given = dt.conditional_mutual_information(g, h, z, method="plugin")
    assert given.local.mean() == pytest.approx(given.value, abs=1e-10)
    assert dt.entropy(g).local[5] == pytest.approx(-np.log2(np.mean(g == g[5])), abs=1e-12)


def test_normal_pairs_are_log_ratios_of_densities():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = 0.8 * x + 0.6 * rng.normal(size=4000)
    exact = (-0.5 * np.log(0.36) - (y - 0.8 * x) ** 2 / 0.72 + y**2 / 2) / np.log(2)
    assert dt.mutual_information(x, y, "gaussian").local == pytest.approx(exact, abs=0.5)
    assert np.corrcoef(dt.mutual_information(x, y, "ksg").local, exact)[0, 1] > 0.4


def test_entropies_by_neighbors():
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    for scale in (1.0, 1e200):
        got = dt.entropy(x * scale)
        assert got.local.mean() == pytest.approx(got.value, abs=1e-9)
    exact = (0.5 * np.log(2 * np.pi) + x**2 / 2) / np.log(2)
    assert np.corrcoef(dt.entropy(x).local, exact)[0, 1] > 0.6
    wide = np.c_[x, 1e6 * rng.normal(size=3000)]
    assert dt.entropy(wide).local.mean() == pytest.approx(dt.entropy(wide).value, abs=1e-9)


def test_a_sample_that_was_left_out_has_none():
    x, _, g = draws()
    g = g.copy()
    g[7] = 99
    got = dt.mutual_information(x, g, "labels")
    assert np.isnan(got.local[7])
    assert np.nanmean(got.local) == pytest.approx(got.value, abs=1e-10)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda x, y, g: dt.mutual_information(x, y), "'automatic' has no local values"),
        (lambda x, y, g: dt.mutual_information(x, y, "wkl"), "has no local values"),
        (lambda x, y, g: dt.mutual_information(x, y, "ksg", variant=2), "leave out variant=2"),
        (lambda x, y, g: dt.mutual_information(g, g, "plugin", correct="nsb"), "leave out correct='nsb'"),
        (lambda x, y, g: dt.entropy(x, "kl", weighted=True), "leave out weighted=True"),
        (lambda x, y, g: dt.mutual_information(x, x[:, :1], "gaussian"), "the estimate is inf"),
    ],
)
def test_where_there_are_none(make, match):
    with pytest.raises(InputError, match=match):
        _ = make(*draws()).local
