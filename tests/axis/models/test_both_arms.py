"""Both ends of an axis against the middle: the statistic by plain loops, on codes whose answer is known."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from deeptheory.axis.models.both_arms import PARTS, both_arms


def by_loops(t, y, groups):
    """Of one unit: fifths by rank, their means, and the error of a difference from deviations summed by group."""
    n = len(t)
    part = np.argsort(np.argsort(t)) * PARTS // n
    mean = np.array([y[part == p].mean() for p in range(PARTS)])
    found = []
    for sign in (1, -1):
        inner = 1 + int(np.argmin(sign * mean[1:-1]))
        arms = []
        for end in (0, PARTS - 1):
            squares = 0.0
            for g in set(groups):
                rows = groups == g
                at_end, at_inner = rows & (part == end), rows & (part == inner)
                left = (y[at_end] - mean[end]).sum() / (part == end).sum()
                left -= (y[at_inner] - mean[inner]).sum() / (part == inner).sum()
                squares += left**2
            arms.append(sign * (mean[end] - mean[inner]) / np.sqrt(squares))
        found.append(min(arms))
    return max(found)


@pytest.mark.parametrize("grouped", [False, True])
@pytest.mark.parametrize("n", [60, 83])
def test_against_loops(n, grouped):
    rng = np.random.default_rng(n)
    s, theta = rng.normal(size=(n, 4)), rng.normal(size=(3, 4))
    t = theta @ s.T
    y = np.stack([t[0] ** 2, t[1], -(t[2] ** 2)]) + 0.5 * rng.normal(size=(3, n))
    groups = np.arange(n) // 4 if grouped else np.arange(n)
    stimuli: Any = SimpleNamespace(s=torch.as_tensor(s))
    energy: Any = SimpleNamespace(theta=torch.as_tensor(theta))
    found = both_arms(stimuli, torch.as_tensor(y), energy, torch.as_tensor(groups) if grouped else None)
    np.testing.assert_allclose(found.numpy(), [by_loops(t[u], y[u], groups) for u in range(3)], rtol=1e-10)
    assert found[0] > 3
    assert found[2] > 3
    assert found[1] < 2  # a monotone response has one arm
