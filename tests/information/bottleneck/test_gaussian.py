"""Covariances without a column, and at the edge of float64."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.information import gaussian_bottleneck


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (2, 0), (0, 2)])
def test_no_columns_are_refused(dx, dy):
    with pytest.raises(InputError, match="one or more columns"):
        gaussian_bottleneck(np.eye(dx), np.eye(dy), np.zeros((dx, dy)), [2.0])


def test_variances_whose_sum_leaves_float64():
    one = gaussian_bottleneck(np.eye(2), np.eye(2), np.eye(2) / 2, [8.0])
    far = gaussian_bottleneck(1.6e308 * np.eye(2), np.eye(2), np.sqrt(1.6e308) * np.eye(2) / 2, [8.0])
    assert far.i_x == pytest.approx(one.i_x, rel=1e-12)
