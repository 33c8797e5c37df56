"""Noise relative to a layer that does not vary."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.information import GaussianNoise


@pytest.mark.parametrize("relative", [True, "distance"])
@pytest.mark.parametrize("value", [0.1, 1.1, 7.7, 1e-200])
def test_a_constant_layer_has_no_scale_whatever_its_value(relative, value):
    """The standard deviation of eighteen times .1 is 1.4e-17, of eighteen times .3 it is 0."""
    with pytest.raises(InputError, match="constant layer"):
        GaussianNoise(0.5, relative=relative).summarize(np.full((1, 6, 3), value), [0, 1, 0, 1, 0, 1])


def test_equal_samples_of_different_units_are_constant_by_distance():
    rows = np.broadcast_to([0.1, 0.7, 1.1], (1, 6, 3))
    with pytest.raises(InputError, match="constant layer"):
        GaussianNoise(0.5, relative="distance").summarize(rows, [0, 1, 0, 1, 0, 1])
