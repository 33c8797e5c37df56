"""Who lies nearer: ties are equal to rounding of their own size."""

import numpy as np
import pytest
import torch

from deeptheory.axis.bench.identification import nearer

S = torch.as_tensor(np.random.default_rng(10).standard_normal((100, 2)))


@pytest.mark.parametrize("far", [1e3, 1e7, 1e9])
def test_an_outlier_makes_no_ties_of_the_others(far):
    s = torch.cat([S, torch.tensor([[far, 0.0]])])
    assert nearer(s, s).tolist() == [0] * 101
    moved = S.roll(1, 0)  # to another stimulus: that one is nearer, and whoever lies between
    expected = nearer(moved, S)
    assert np.array_equal(nearer(torch.cat([moved, s[-1:]]), s)[:100], expected)


@pytest.mark.parametrize("size", [1e-9, 1, 1e9])
def test_stimuli_shown_twice_count_half(size):
    s = size * torch.cat([S, S])
    assert nearer(s, s).tolist() == [0.5] * 200
    assert nearer(s + 100 * size, s).sum() == 2 * (2 * nearer(S + 100, S) + 0.5).sum()
