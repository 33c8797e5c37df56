"""Spikes of responses of any size."""

import numpy as np
import pytest

from deeptheory.axis import Poisson
from deeptheory.core.errors import InputError

R = np.abs(np.random.default_rng(15).standard_normal((50, 4)))


@pytest.mark.parametrize("power", [-1000, -60, 60, 1020])
def test_rates_know_no_unit(power):
    assert np.array_equal(Poisson(trials=2)(np.ldexp(R, power), 0), Poisson(trials=2)(R, 0))


def test_rates_of_a_window_too_short_for_float64_are_refused():
    with pytest.raises(InputError, match=r"window is 1e-310 s; rates of \d+ spikes in it leave float64"):
        Poisson(rate=1e308, window=1e-310)(np.ones((400, 1)), 0)
