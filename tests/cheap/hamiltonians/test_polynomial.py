"""Real variables on an interval: offsets and units of the samples."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


def test_real_variables_far_from_0_or_of_other_units_are_told():
    """A ridge on raw powers made 10.3 of 6.1 bits at an offset of 100; a column of 1,000 times the unit 27.6."""
    x = np.random.default_rng(0).normal(size=(1000, 2))
    x[:, 1] += 0.5 * x[:, 0]

    def bits(values, **more):
        return dt.cheap.hamiltonian_fit(values, kind="real", compare_assumptions=False, **more).bits.value

    plain = bits(x)
    for offset in (-2, 1, 2):
        assert bits(x + offset) == pytest.approx(plain, abs=0.02)
    assert bits(x + 100, ridge=0) == pytest.approx(plain, abs=0.02)
    assert bits(x * 1e6) == pytest.approx(plain + 2 * np.log2(1e6), abs=1e-6)
    for offset in (-10, 100, 1e6):
        with pytest.raises(InputError, match="take off an offset first"):
            bits(x + offset)
    with pytest.raises(InputError, match=r"variable 1 spreads over 0\.00"):
        bits(x * [1, 1e-3])
