"""Samples as they are handed in: integers that float64 rounds, two values as Potts levels, nothing left to fit."""

import numpy as np
import pytest

from deeptheory.cheap import hamiltonian_fit
from deeptheory.core.errors import InputError

_SPINS = np.random.default_rng(0).integers(0, 2, (200, 3))


@pytest.mark.parametrize("offset", [0, -(2**53) + 1, 2**53 - 1])
def test_spins_far_from_0_are_the_same_spins(offset):
    fit = hamiltonian_fit(offset + _SPINS, compare_assumptions=False)
    np.testing.assert_array_equal(fit.theta, hamiltonian_fit(_SPINS, compare_assumptions=False).theta)
    assert fit.known == (offset, offset + 1)


def test_integers_that_float64_rounds_to_one_are_no_spins_of_one_value():
    with pytest.raises(InputError, match="integer that float64 rounds"):
        hamiltonian_fit(2**53 + _SPINS)


def test_two_values_as_potts_levels_are_spins():
    """The likelihood of spins takes -1 and 1; levels 0 and 1 would pass for them."""
    with pytest.raises(InputError, match="two are spins, kind='binary'"):
        hamiltonian_fit(_SPINS, kind="potts")


def test_zero_and_negative_zero_are_one_value():
    x = _SPINS.astype(float)
    fits = [hamiltonian_fit(v, compare_assumptions=False) for v in (x, np.where(x == 0, -0.0, x))]
    assert fits[0].held_out == fits[1].held_out
    assert fits[0].excess_bits_over(fits[1]).value == 0


@pytest.mark.parametrize(
    ("samples", "options", "match"),
    [
        (_SPINS[:60], {"held_out_fraction": 0.999}, "none is left to fit"),
        ([[1, 0], [1]] * 60, {}, "rows of several lengths"),
    ],
)
def test_wrong_use(samples, options, match):
    with pytest.raises(InputError, match=match):
        hamiltonian_fit(samples, **options)
