"""What canonical correlations leave out: the allowance holds it, and the interval of "auto" goes up to it."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.statistics import proportion_interval
from deeptheory.information.canonical import canonical


def pairs(rng, n, correlations):
    r = np.asarray(correlations)
    x = rng.standard_normal((n, len(r)))
    return x, r * x + np.sqrt(1 - r**2) * rng.standard_normal(x.shape)


@pytest.mark.parametrize(("weak", "columns"), [(0.12, 7), (0.08, 19), (0.1, 3)])
def test_the_rest_is_held_in_95_of_100(weak, columns):
    rng, truth = np.random.default_rng(columns), -0.5 * columns * np.log2(1 - weak**2)
    rests = []
    for _ in range(100):
        found = canonical(*pairs(rng, 600, [0.9] + columns * [weak]))
        assert found is not None
        if len(found.squared) == 1:
            rests.append(found.rest)
    held = int((np.array(rests) >= truth).sum())
    assert proportion_interval(held, len(rests), level=0.98).high >= 0.95
    assert len(rests) > 40
    assert np.median(rests) < 4 * truth


@pytest.mark.parametrize("d", [1, 3, 12])
def test_little_is_allowed_where_nothing_is_left(d):
    rng = np.random.default_rng(d)
    found = [canonical(*pairs(rng, 600, [0.9] + (d - 1) * [0.0])) for _ in range(60)]
    rests = [c.rest for c in found if c is not None]
    assert len(rests) == 60
    free = (d - 1) ** 2
    assert np.mean(rests) <= (2 * 1.645**2 + 1.5 * 1.645 * np.sqrt(2 * free + 11)) / (2 * 600 * np.log(2))


def test_the_interval_goes_up_to_what_weak_correlations_share():
    """Twenty pairs from .05 up: the lower ones lie within noise at n = 1,000, and without them intervals miss."""
    correlations = np.linspace(0.05, 0.65, 20)
    truth, held, without = -0.5 * np.log2(1 - correlations**2).sum(), 0, 0
    for seed in range(12):
        x, y = pairs(np.random.default_rng(seed), 1000, correlations)
        got, found = dt.mutual_information(x, y), canonical(x, y)
        assert "allowance" in got.method
        assert found is not None
        held += got.low <= truth <= got.high
        without += found.information + found.half >= truth
    assert held >= 10
    assert without <= 6


def test_counts_on_norms_are_a_lower_bound_and_say_so_where_directions_are_correlated():
    def student(rng, root):
        both = rng.standard_normal((3000, 10)) @ root / np.sqrt(rng.chisquare(2, (3000, 1)) / 2)
        return dt.mutual_information(both[:, :5], both[:, 5:])

    roots, noted = (np.eye(10), np.linalg.cholesky(np.full((10, 10), 0.05) + 0.95 * np.eye(10)).T), []
    for root in roots:
        got = [student(np.random.default_rng(seed), root) for seed in range(5)]
        assert all("norms" in e.method and e.direction == "lower" for e in got)
        noted.append(sum(any("directions" in note for note in e.notes) for e in got))
    assert noted[0] < noted[1] == 5
