"""Spikes of responses of any size."""

import numpy as np
import pytest

from deeptheory.axis import Poisson

R = np.abs(np.random.default_rng(15).standard_normal((50, 4)))


@pytest.mark.parametrize("power", [-1000, -60, 60, 1020])
def test_rates_know_no_unit(power):
    assert np.array_equal(Poisson(trials=2)(np.ldexp(R, power), 0), Poisson(trials=2)(R, 0))
