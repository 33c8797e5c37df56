"""Upper bounds of one layer where ranks modulo a prime are less than ranks."""

import pytest

from deeptheory.cheap import neuron_count
from deeptheory.cheap.counting.ranks import PRIME


@pytest.mark.parametrize("convention", ["bias_free", "output_bias", "biases", "parity", "power"])
@pytest.mark.parametrize("form", [f"x**2 + {PRIME}*y**2", f"x**2/{PRIME} + y**2"])
def test_a_coefficient_that_the_prime_divides_takes_its_units_too(convention, form):
    """The construction of a form of rank 2 takes as many units as that of x^2 + 3 y^2."""
    plain = neuron_count("x**2 + 3*y**2", 1, convention=convention)
    assert neuron_count(form, 1, convention=convention).upper == plain.upper
