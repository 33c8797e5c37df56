"""Powers of two: exact, of any unit, the same for numpy and torch."""

import math

import numpy as np
import pytest
import torch

from deeptheory.core.powers import near_one, power_of, times_power

SIZES = [5e-324, 1e-310, 1e-200, 1e-12, 0.3, 1.0, 7.0, 1e100, 1.7e308]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("default", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_values_come_near_one_exactly(size, default, kind):
    before = torch.get_default_dtype()
    torch.set_default_dtype(default)
    try:
        x = size * np.array([[1.0, 0.25], [-0.5, 0.0]])
        exponent = math.frexp(size)[1]
        assert power_of(kind(x)) == exponent
        assert np.asarray(power_of(kind(x), 0)).tolist() == [math.frexp(v)[1] for v in np.abs(x).max(0)]
        scaled = np.asarray(near_one(kind(x)))
        np.testing.assert_array_equal(scaled, [[math.ldexp(v, -exponent) for v in row] for row in x])
        assert 0.5 <= np.abs(scaled).max() < 1
        np.testing.assert_array_equal(np.asarray(times_power(near_one(kind(x)), exponent)), x)
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
def test_what_has_no_size_stays(kind):
    zeros = np.zeros((2, 3))
    assert power_of(kind(zeros)) == 0
    np.testing.assert_array_equal(np.asarray(near_one(kind(zeros), 1)), zeros)
    assert power_of(kind(np.zeros((0, 3)))) == 0
    odd = np.array([[np.inf, 8.0], [1.0, np.nan]])
    np.testing.assert_array_equal(np.asarray(near_one(kind(odd))), odd)
    np.testing.assert_array_equal(np.asarray(near_one(kind(odd), 0)), odd)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_dtype_stays_and_gradients_flow(dtype):
    x = torch.tensor([3.0, -5.0], dtype=dtype, requires_grad=True)
    scaled = near_one(x)
    assert scaled.dtype == dtype
    scaled.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.125, 0.125]
