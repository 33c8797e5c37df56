"""Domains that are too wide to expand."""

import pytest

from deeptheory.cheap import ToleranceError, compile_polynomial
from deeptheory.core.errors import InputError


@pytest.mark.parametrize("activation", ["exp", "cos"])
def test_tanh_on_a_wide_domain_is_refused_before_the_work(activation):
    """At +-2^13 the network's own numbers overflowed, after 12 s; at +-2^12 the best reachable is said."""
    with pytest.raises(ToleranceError, match="the best reachable is"):
        compile_polynomial("tanh(x)", domain=(-(2**12), 2**12), tolerance=1e-2, activation=activation)
    with pytest.raises(InputError, match="too wide to expand"):
        compile_polynomial("tanh(x)", domain=(-(2**12) - 1, 2**12), tolerance=1e-2, activation=activation)
