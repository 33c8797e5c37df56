"""Ceilings: no default of torch decides, and a unit without any variance has none."""

import numpy as np
import pytest
import torch

from deeptheory.axis import axis_code, bootstrap, signal_power, split_half
from deeptheory.core.errors import InputError

R = np.random.default_rng(11)
TRIALS = R.standard_normal((40, 1, 3)) + R.standard_normal((40, 7, 3))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_dtype_does_not_matter(dtype):
    """Halves of 7 trials have 3: 1/3 was rounded to the default dtype."""
    plain = split_half(TRIALS)
    torch.set_default_dtype(dtype)
    try:
        assert np.array_equal(split_half(TRIALS), plain)
    finally:
        torch.set_default_dtype(torch.float32)


def test_a_unit_that_has_one_mean_for_all_stimuli_has_no_ceiling():
    same = np.repeat(R.standard_normal((1, 3, 2)), 8, 0)
    assert np.isnan([split_half(same), signal_power(same), *bootstrap(same, 20)]).all()


def test_no_reliability_is_no_number():
    with pytest.raises(InputError, match=r"reliability has shape \[0\]"):
        axis_code(TRIALS[:, 0], R.standard_normal((40, 2)), reliability=[], models=False, permutations=0)


def test_the_error_of_the_ceiling_is_that_of_leaving_stimuli_out():
    """Stimuli shown 2 to 6 times: the infinitesimal jackknife against the one that leaves out each in turn."""
    from deeptheory.axis.bench.reliability import _log_noise, _parts

    rng = np.random.default_rng(0)
    n = 400
    x = rng.normal(size=(n, 1, 3)) + 0.7 * rng.normal(size=(n, 6, 3))
    x[np.arange(6) >= rng.integers(2, 7, n)[:, None]] = np.nan
    parts = _parts(torch.as_tensor(x))
    error = _log_noise(*parts)[1].numpy()
    rest = ~torch.eye(n, dtype=torch.bool)
    each = np.stack([_log_noise(*(p[rows] for p in parts))[0].numpy() for rows in rest])
    left_out = np.sqrt((n - 1) / n * ((each - each.mean(0)) ** 2).sum(0))
    np.testing.assert_allclose(error, left_out, rtol=0.02)
