"""Curves along the axis: a unit that has none, and units of measurement whose squares leave float64."""

import numpy as np
import pytest

from deeptheory.axis import axis_code

R = np.random.default_rng(4)
S = R.standard_normal((90, 3))
Y = S @ R.standard_normal((3, 4)) + R.standard_normal((90, 4))
DESIGN = np.array([[a, b, c, d] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1) for d in (-1, 1)] * 3, dtype=float)


@pytest.mark.parametrize(("y", "s"), [(2.0**270, 2.0**270), (2.0**-270, 2.0**-270)])
def test_curves_know_no_unit(y, s):
    plain, other = (
        axis_code(Y * a, S * b, normalize="none", models=False, permutations=9) for a, b in ((1, 1), (y, s))
    )
    assert np.array_equal(other.ramp.count, plain.ramp.count)
    assert np.allclose(other.ramp.centers, plain.ramp.centers, rtol=1e-9)
    assert np.allclose(other.ramp.mean / y, plain.ramp.mean, rtol=1e-9, equal_nan=True)
    assert np.allclose(other.axes.table()["sta_norm"] / y / s, plain.axes.table()["sta_norm"], rtol=1e-9)


@pytest.mark.parametrize("models", [False, True])
def test_a_product_of_balanced_factors_has_no_axis(models):
    y = np.column_stack([DESIGN[:, 0] * DESIGN[:, 1], DESIGN[:, 2] + 0.1 * R.standard_normal(48)])
    code = axis_code(y, DESIGN, groups=np.arange(48), models=models, permutations=19, folds=3)
    assert np.isnan(code.ramp.centers[0]).all()
    assert np.isnan(code.ramp.mean[0]).all()
    assert code.ramp.count.sum(1).tolist() == [0, 48]
    assert code.ramp.r[0] == pytest.approx(0, abs=1e-6)
    assert code.ramp.p[0] == 1
    assert np.isnan([code.flatness.share[0], code.flatness.p[0], code.flatness.p_single[0]]).all()
    assert np.isnan(code.flatness.longest[0]).all()
    assert not code.flatness.flat[0]
    assert np.isfinite(code.flatness.share[1])
    assert code.axes.reliability[1] > 0.8
    assert code.figure("ramp").data
