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


def of_levels(levels, response, order):
    s = torch.as_tensor(np.stack([levels, np.zeros(len(levels))], 1))[order]
    stimuli: Any = SimpleNamespace(s=s)
    energy: Any = SimpleNamespace(theta=torch.tensor([[0.1 + 0.2, 1.0], [0.3, -1.0]], dtype=torch.float64))
    return both_arms(stimuli, torch.as_tensor(response)[None, order].repeat(2, 1), energy).numpy()


def test_stimuli_of_one_projection_are_not_dealt_out_by_their_order():
    """Of two levels, which have no middle, rows sorted by response gave both arms with 5.3 standard errors."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=400)
    two, three = rng.permutation(np.repeat([-0.7, 1.3], 200)), rng.permutation(np.repeat([-1, 0, 2], [120, 180, 100]))
    orders = [torch.arange(400), torch.as_tensor(np.argsort(noise)), torch.as_tensor(np.argsort(-noise))]
    assert all((of_levels(two, noise, order) == 0).all() for order in orders)
    for response, turns in ((np.abs(three) + 0.3 * noise, True), (three + 0.3 * noise, False)):
        found = [of_levels(three, response, order) for order in orders]
        np.testing.assert_allclose(found, found[0][:1].repeat(6).reshape(3, 2), rtol=1e-9)
        assert (found[0] > 3).all() == turns
