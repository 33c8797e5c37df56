"""Units that saw different stimuli: features that do not vary over them, and a bound that is their own."""

import numpy as np
import pytest

from deeptheory.axis import axis_code
from deeptheory.core.errors import InputError

R = np.random.default_rng(12)
S = R.standard_normal((100, 2))
SEEN = np.ones((100, 4), dtype=bool)
SEEN[60:, 0] = SEEN[:40, 3] = False
Y = np.where(SEEN, S[:, :1] + R.standard_normal((100, 4)), np.nan)
PLAIN = {"models": False, "permutations": 0}


@pytest.mark.parametrize("value", [0.1, 1 / 3, 0.7, 1e6 + 0.1, 3.0])
def test_nobody_is_tuned_to_a_feature_that_was_constant_for_it(value):
    s = np.column_stack([S, np.where(np.arange(100) < 60, value, 2 * value)])
    p = axis_code(Y, s, **PLAIN).preference.dimension_p
    assert np.isnan(p[0, 2])
    assert np.isfinite(p[1:]).all()


def test_a_unit_that_saw_no_feature_vary_is_named():
    s = np.where(np.arange(100) < 60, 0.1, R.standard_normal(100))[:, None]
    with pytest.raises(InputError, match="no feature varies over the 60 stimuli that unit 0 saw; leave it out"):
        axis_code(Y, s, groups=np.arange(100), **PLAIN)


def test_a_radius_is_over_the_bound_of_its_own_stimuli():
    near = np.where(np.arange(100)[:, None] < 60, 0.3, 3.0) * S
    y = np.where(SEEN, -np.linalg.norm(near - [20, 0], axis=1)[:, None] + 0.01 * R.standard_normal((100, 4)), np.nan)
    code = axis_code(y, near, folds=3, permutations=0)
    m, lengths = code.models, np.linalg.norm(near, axis=1)
    scale = np.sqrt(near.var(0).sum())
    assert m.bounds[3] > 2 * m.bounds[0]
    assert m.bounds[0] == pytest.approx(1.5 * np.median(lengths[:60]) / scale, rel=0.2)  # about a mean of their own
    assert m.bound == m.bounds.max()
    assert (m.radius[0] <= m.bounds * (1 + 1e-9)).all()
    assert m.table()["radius"].max() == pytest.approx(1)
    assert np.isfinite(code.controversial(4, candidates=50)).all()
