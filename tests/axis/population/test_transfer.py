"""Axes of any unit, and features that vary in one of two sets of stimuli only."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, axis_transfer

R = np.random.default_rng(0)
S = R.standard_normal((60, 3))
Y = S @ R.standard_normal((3, 4)) + 0.3 * R.standard_normal((60, 4))


def code(y, s, normalize="none"):
    return axis_code(y, s, models=False, permutations=0, groups=np.arange(60), normalize=normalize)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("which", ["whitened", "ridge", "sta"])
@pytest.mark.parametrize("power", [300, -300])
def test_cosines_know_no_unit(which, power):
    """Squares of 2^600 and of 2^-600 left float64, and every cosine was NaN."""
    plain = axis_transfer(code(Y, S), code(Y[::-1], S[::-1] * [1, 2, 1]), which=which)[0]
    for features in (power, -power):
        y, s = Y * 2.0**power, S * 2.0**features
        found = axis_transfer(code(y, s), code(y[::-1], s[::-1] * [1, 2, 1]), which=which)[0]
        np.testing.assert_allclose(found, plain, rtol=1e-12)
    assert (plain <= 1).all()


@pytest.mark.parametrize("which", ["whitened", "ridge", "sta"])
def test_a_feature_that_never_varies_in_one_set_counts_in_neither(which):
    """Identical cells had .37 to .94 one way round, .98 to 1 the other."""
    fixed = S.copy()
    fixed[:, 2] = 1
    a, b = code(Y, S, "block"), code(Y, fixed, "block")
    one, other = axis_transfer(a, b, which=which)[0], axis_transfer(b, a, which=which)[0]
    np.testing.assert_allclose(one, other)
    assert (one > 0.9).all()
