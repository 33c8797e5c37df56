"""The score test of the norm where all norms are equal: nothing to test, whatever rounding leaves."""

from itertools import product

import numpy as np
import pytest

from deeptheory.axis import axis_code

R = np.random.default_rng(6)


@pytest.mark.parametrize("levels", [(-1.0, 1.0), (0.0, 1.0), (0.1, 0.7)])
def test_features_of_equal_length_have_no_norm_effect(levels):
    s = np.array(list(product(levels, repeat=6)))
    y = s @ R.standard_normal((6, 3)) + 0.3 * R.standard_normal((64, 3))
    code = axis_code(y, s, folds=4, permutations=19)
    assert np.isnan(code.models.norm_p).all()
    assert all("equal length" in reason for reason in code.models.reason)
