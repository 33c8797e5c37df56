"""Reliability of axes in any unit of the responses."""

import numpy as np
import pytest

from deeptheory.axis import axis_code

R = np.random.default_rng(5)
S = R.standard_normal((90, 3))
Y = S @ R.standard_normal((3, 4)) + R.standard_normal((90, 4))


@pytest.mark.parametrize("unit", [2.0**-30, 2.0**-200, 2.0**200])
def test_reliability_knows_no_unit_of_the_responses(unit):
    """torch's cosine counts lengths below 1e-8 as 1e-8."""
    plain, other = (axis_code(Y * u, S, models=False, permutations=0).axes for u in (1, unit))
    assert np.array_equal(other.reliability, plain.reliability)
    assert np.array_equal(other.reliability_whitened, plain.reliability_whitened)
    assert plain.reliability.min() > 0.5
