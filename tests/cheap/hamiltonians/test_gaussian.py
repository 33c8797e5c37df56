"""Gaussian samples whose variables have units of their own."""

import numpy as np
import pytest

from deeptheory.cheap import hamiltonian_fit


@pytest.mark.parametrize("unit", [1e-9, 1e-4, 1e5])
def test_variables_in_other_units_do_not_repeat_each_other(unit):
    """A covariance whose variances differ by 1e12 was said to have no inverse."""
    x = np.random.default_rng(0).standard_normal((2_000, 2)) @ np.array([[1, 0.5], [0, 1]])
    near, far = (hamiltonian_fit(x * np.array([1, u])).table() for u in (1, unit))
    assert near["term"].tolist() == far["term"].tolist() == ["x0", "x0 x1", "x0^2", "x1", "x1^2"]
    power = np.array([0, 1, 0, 1, 2])
    np.testing.assert_allclose(far["theta"] * unit**power, near["theta"], rtol=1e-6)
    np.testing.assert_allclose(far["standard_error"] * unit**power, near["standard_error"], rtol=1e-6)
