"""The null by shuffling where many shuffles give the very number that was seen."""

from itertools import permutations

import numpy as np
import pytest

from deeptheory.axis import axis_code

CODE = np.array([0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize("rates", [(0.0, 1.0, 5.3), (1 / 3, 2.9, 5.3), (0.1, 0.7, 0.2)])
def test_equal_statistics_count_as_equal(rates):
    """Of 720 orders, 48 tell the three classes apart as well as what was seen: p of 1 in 15, not what rounding says."""
    y, s = np.array(rates)[CODE][:, None], np.eye(3)[CODE]
    exact = np.mean([(np.diff(CODE[list(o)])[::2] == 0).all() for o in permutations(range(6))])
    p = axis_code(y, s, models=False, permutations=1999, groups=np.arange(6)).ramp.p
    assert exact == pytest.approx(48 / 720)
    assert p[0] == pytest.approx(exact, abs=4 * np.sqrt(exact / 1999))


@pytest.mark.parametrize("seed", [1, 8, 11])
def test_equal_preferences_count_as_equal(seed):
    y, s = np.random.default_rng(seed).standard_normal(3)[CODE][:, None], np.eye(3)[CODE]
    code = axis_code(y, s, {"a": [0], "b": [1, 2]}, models=False, permutations=999, groups=np.arange(6))
    z, f = code.decoding.actual, y[:, 0] - y.mean()
    sta = np.stack([f @ z[list(o)] for o in permutations(range(6))])
    a, b = np.abs(sta[:, 0]), np.hypot(sta[:, 1], sta[:, 2])
    value = (a - b) / (a + b)
    assert code.preference.value[0, 0] == pytest.approx(value[0], abs=1e-6)
    exact = min(1, 2 * min((value >= value[0] - 1e-9).mean(), (value <= value[0] + 1e-9).mean()))
    assert code.preference.p[0, 0] == pytest.approx(exact, abs=8 * np.sqrt(0.25 / 999))
