"""Linear parts whose weights are not finite have no cost, and the other instruments theirs."""

import math

import torch
from torch import nn

from deeptheory.inspection.engine import measure


def test_weights_that_are_not_finite_are_told():
    first = nn.Linear(4, 3)
    nn.init.constant_(first.weight, math.nan)
    model = nn.Sequential(first, nn.Linear(3, 5))
    x = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))
    found = measure(model, x, None, instruments=["flattening", "health"], twins=0)
    for r in found["flattening"].rows:
        assert math.isnan(r.value)
        assert "NaN or infinite" in r.note
    assert found["health"].at("output", "non_finite").value == 1
