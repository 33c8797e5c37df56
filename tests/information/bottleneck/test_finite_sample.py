"""The worst-case curve of very many samples, and of inputs that are nearly always the same."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import finite_sample_bound

CURVE = dt.bottleneck_curve(np.array([[0.3, 0.1], [0.1, 0.2], [0.05, 0.25]]), np.geomspace(1, 100, 20), locate=False)


def test_more_samples_than_an_integer_of_64_bits_holds():
    assert finite_sample_bound(CURVE, 10**30).d_star == pytest.approx(0, abs=1e-12)
    for wrong in ({"n": 10**700}, {"n": 10, "constant": 1e308}, {"n": 10, "classes": 10**400}):
        with pytest.raises(InputError, match="leaves float64"):
            finite_sample_bound(CURVE, **wrong)


@pytest.mark.parametrize("rare", [1e-3, 1e-6, 1e-9])
def test_an_interior_minimum_is_interior_however_short_the_curve(rare):
    """I(X;T) of at most 3e-8 bits: all of it lay within 1e-6 bits of an end."""
    table = np.array([[1 - 3 * rare, 0], [0.1 * rare, 0.9 * rare], [0.5 * rare, 1.5 * rare]])
    curve = dt.bottleneck_curve(table / table.sum(), np.geomspace(1, 100, 20), locate=False)
    slopes = np.diff(curve.hull()[1]) / np.diff(curve.hull()[0])
    middle = (slopes[0] + slopes[-1]) / 2
    got = finite_sample_bound(curve, 10**6, constant=middle / np.log(2) * 1e3, classes=1)
    assert got.interior
    assert 0 < got.r_star < curve.h_x
