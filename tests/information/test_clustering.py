"""Distances between samples, whatever the unit of a network's activations."""

import numpy as np
import pytest

from deeptheory.information import Clusters

ROWS = np.array([[[0.0, 0.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]])
LABELS = [0, 0, 1, 1]


@pytest.mark.parametrize("radius", [1e-3, 1e-150, 1e-170, 1e-300])
def test_equal_rows_are_nearer_than_any_radius(radius):
    """Each sample has one copy: half of the pairs are near, 1 bit; the square of 1e-170 is no float above 0."""
    assert Clusters(radius).summarize(ROWS, LABELS)["apart"][0] == pytest.approx(1.0)


@pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e100, 1e200])
def test_a_network_is_measured_in_its_own_unit(scale):
    """Distances of one network do not depend on those of another that is recorded with it."""
    rows = np.random.default_rng(0).normal(size=(1, 4, 3))
    alone = Clusters(1e-3 * scale).summarize(rows * scale, LABELS)
    both = Clusters(1e-3 * scale).summarize(np.concatenate([rows, rows * scale]), LABELS)
    for name, value in alone.items():
        assert both[name][1] == value[0], name
    assert alone["nearest"][0] / scale == pytest.approx(Clusters(1e-3).summarize(rows, LABELS)["nearest"][0])
