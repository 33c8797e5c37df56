"""Signs that no rounding decides, and responses of any size."""

import numpy as np
import pytest

from deeptheory.axis import object_space

R = np.random.default_rng(0)
ONE = R.standard_normal((30, 1))


@pytest.mark.parametrize("c", [1, 0.1, 1 / 3, 7.7, 1e150])
def test_of_two_weights_as_large_the_first_is_positive(c):
    """Which of them was larger by a rounding depended on the unit: a third turned the component, and all quadrants."""
    found = object_space(np.concatenate([ONE, -ONE], 1) * c, 1)
    np.testing.assert_allclose(found.components, [[np.sqrt(0.5), -np.sqrt(0.5)]])


def test_quadrants_are_those_of_signs():
    """The angle of (-1, 1e-17) is rounded to half a turn, in the next quadrant."""
    axes = [[-1, 1e-17], [1e-17, 1], [1, -1e-17], [-1, -1e-17], [1e300, -1e-300], [-1e300, 1e-300]]
    edges = [[1, 0], [0, 1], [-1, 0], [0, -1], [1, -0.0], [-0.0, 1], [-1, -0.0], [-0.0, -1]]
    space = object_space(R.standard_normal((30, 4)), 2)
    assert space.quadrants(axes).tolist() == [1, 0, 3, 2, 3, 1]
    assert space.quadrants(edges).tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


def test_sums_of_the_largest_responses_stay_in_float64():
    y = R.uniform(1, 1.7, (30, 4))
    far, near = object_space(y * 2.0**1023, 2), object_space(y, 2)
    np.testing.assert_allclose(far.coordinates, near.coordinates, rtol=1e-9)
    np.testing.assert_allclose(far.mean, near.mean * 2.0**1023)
    np.testing.assert_allclose(far.encode(y[:5] * 2.0**1023), near.encode(y[:5]), rtol=1e-9)
