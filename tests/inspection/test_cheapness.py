"""R^2 of polynomials with constant columns, high degrees and rows of pandas."""

import numpy as np
import pandas as pd
import pytest

from deeptheory.core.errors import InputError
from deeptheory.inspection import polynomial_r2

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 6))
Y = np.c_[X[:, 0], X[:, 1] ** 2, RNG.normal(size=400)]


@pytest.mark.parametrize("value", [0.1, 1e7 + 0.1, 1e12, 1e15])
def test_a_constant_column_changes_no_number(value):
    """At 1e12 it left the others below the thresholds of what varies: R^2 of 0.61 and 0.09 for 1 and 1."""
    found = polynomial_r2(np.c_[X, np.full(400, value)], Y, 2)
    assert found == pytest.approx(polynomial_r2(X, Y, 2), abs=1e-9)


@pytest.mark.parametrize("offset", [1e9, 1e12])
def test_inputs_far_from_zero(offset):
    assert polynomial_r2(X + offset, Y, 2) == pytest.approx(polynomial_r2(X, Y, 2), abs=2e-3)


def test_monomials_of_a_high_degree_are_finite():
    """4 to the power of 600 is infinite: the output itself had an R^2 of 0."""
    x = np.r_[RNG.normal(size=(3998, 1)), [[-5.0], [5.0]]]
    assert polynomial_r2(x, np.sign(x), 500, components=1)[0] > 0.5


def test_rows_in_another_order_are_refused():
    with pytest.raises(InputError, match="another order"):
        polynomial_r2(pd.DataFrame(X), pd.DataFrame(Y).iloc[::-1], 1)


def test_a_seed_of_any_size():
    found = [polynomial_r2(X, Y, 1, seed=seed) for seed in (3, 2**64 + 3, 2**80)]
    assert np.isfinite(found).all()
    assert found[0].tolist() == found[1].tolist()
