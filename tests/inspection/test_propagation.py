"""Jacobians of any size, and of models whose samples see each other in ways that are easily missed."""

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import jacobian_moments, jacobian_singular_values
from deeptheory.inspection.engine import measure

X = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))


class Scaled(nn.Module):
    """A linear map times a number."""

    def __init__(self, scale, dtype=torch.float32):
        super().__init__()
        weight = torch.randn(12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float32).to(dtype)
        self.weight, self.scale = nn.Parameter(weight), scale

    def forward(self, x):
        return x @ self.weight * self.scale


@pytest.mark.parametrize(
    ("power", "dtype"),
    [(-83, torch.float32), (-110, torch.float32), (83, torch.float32), (-700, torch.float64), (700, torch.float64)],
)
def test_the_unit_of_the_output_does_not_matter(power, dtype):
    """The norm of 1e-25 is 0 in float32: the largest singular value was 0, or NaN where it is large."""
    x = X.to(dtype)
    one, other = (jacobian_moments(Scaled(2.0**p, dtype), x, steps=6).largest for p in (0, power))
    assert (other * 2.0**-power).tolist() == pytest.approx(one.tolist(), rel=1e-6 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_dtype_draws_no_other_start(dtype):
    truth, before = jacobian_moments(Scaled(1), X, steps=3).largest, torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        found = jacobian_moments(Scaled(1), X, steps=3).largest
    finally:
        torch.set_default_dtype(before)
    # another start moves it by .4 %; torch 2.8 rounds float32 otherwise by 4e-8, and from 2.9 on nothing moves
    assert found.tolist() == pytest.approx(truth.tolist(), rel=1e-7 if torch.__version__ < "2.9" else 0)


class OverTime(nn.Module):
    """A recurrent network whose first axis is time, given samples there."""

    def __init__(self):
        super().__init__()
        self.inner = nn.RNN(12, 3)

    def forward(self, x):
        return self.inner(x)[0]


class Centered(nn.Module):
    """Outputs that see the mean over samples, and sum to 0."""

    def forward(self, x):
        h = x - x.mean(0)
        return torch.cat([h, -h], 1)


class Summed(nn.Module):
    def forward(self, x):
        return x.cumsum(0)


@pytest.mark.parametrize("model", [OverTime(), Centered(), Summed()])
def test_samples_that_see_each_other_are_refused(model):
    with pytest.raises(InputError, match="samples see each other"):
        jacobian_singular_values(model, X)


def test_outputs_that_sum_to_a_constant_are_taken():
    model = nn.Sequential(nn.Linear(12, 3), nn.Softmax(1))
    assert jacobian_singular_values(model, X).shape == (5, 3)


@pytest.mark.parametrize("scale", [1e-100, 1e-170])
def test_the_spread_of_small_singular_values(scale):
    found = [
        measure(Scaled(k, torch.float64), X.double(), None, instruments="propagation", twins=0)["propagation"]
        for k in (1, scale)
    ]
    one, other = (f.of("relative_variance")[0] for f in found)
    assert other.value == pytest.approx(one.value, rel=1e-9), other.note
    assert np.isfinite(one.value)
