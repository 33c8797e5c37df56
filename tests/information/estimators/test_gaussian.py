"""Notes of "gaussian" and "copula" come where samples speak against them: at their rate where nothing does."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.estimators.gaussian import not_normal


def normal(rng, n, d, r=0.6):
    x = rng.standard_normal((n, d))
    return x, r * x + np.sqrt(1 - r * r) * rng.standard_normal((n, d))


@pytest.mark.parametrize(("n", "d"), [(200, 1), (500, 5), (2000, 20)])
def test_normal_samples_are_seldom_doubted(n, d):
    """Once in a hundred by skew and tails, and once by regressions; units and order do not matter."""
    doubts = 0
    for seed in range(60):
        x, y = normal(np.random.default_rng([seed, n]), n, d)
        doubt = not_normal(x, y)
        units = 10.0 ** np.linspace(-150, 150, d)  # of each column its own
        assert not_normal((x * units)[::-1], 1e-150 * y[::-1]) == doubt
        doubts += bool(doubt)
    assert doubts <= 4


BENT = {
    "exponential": lambda rng, x, y: (np.exp(x), y),
    "long tails": lambda rng, x, y: (x / np.sqrt(rng.chisquare(3, (len(x), 1)) / 3), y),
    "uniform": lambda rng, x, y: (rng.uniform(size=x.shape), y),
    "square": lambda rng, x, y: (x, x**2 + 0.5 * y),
    "a common scale": lambda rng, x, y: tuple(v * np.exp(rng.standard_normal((len(x), 1))) for v in (x, y)),
    "a product": lambda rng, x, y: (x, y + x[:, :1] * x[:, 1:2]),
}


@pytest.mark.parametrize("shape", BENT)
def test_other_shapes_are_seen(shape):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x, y = BENT[shape](rng, *normal(rng, 1000, 3))
        got = dt.mutual_information(x, y, "gaussian")
        assert any("not jointly normal" in note for note in got.notes)


def test_scores_are_doubted_for_what_lies_between_columns_only():
    rng = np.random.default_rng(0)
    x, y = normal(rng, 1000, 3)
    assert dt.mutual_information(np.exp(x), y**3, "copula").notes == ()
    bent = dt.mutual_information(x, x**2 + 0.1 * y, "copula")
    assert any("not jointly normal" in note for note in bent.notes)
    one = dt.mutual_information(x[:, 0], x[:, 0] ** 2 + 0.1 * y[:, 0], "copula")
    assert one.direction == "lower"
    assert any("a lower bound" in note for note in one.notes)


def test_a_shape_in_a_column_of_small_numbers_is_seen():
    rng = np.random.default_rng(0)
    x, y = normal(rng, 1000, 3)
    y[:, 2] = 1e-12 * (x[:, 0] * x[:, 1] + 0.3 * y[:, 2])
    assert "beyond correlations" in not_normal(x, y, scores=True)


def test_few_samples_cannot_tell():
    x, y = normal(np.random.default_rng(0), 60, 2)
    assert any("too few to tell" in note for note in dt.mutual_information(x, y, "gaussian").notes)
    x, y = normal(np.random.default_rng(0), 300, 60)
    assert any("too few to tell" in note for note in dt.mutual_information(x, y, "copula").notes)
