"""Every rival model against its slow form: all parameters free, many restarts of a general minimizer, one unit at a
time.
"""

import numpy as np
import pytest
import torch

from deeptheory.axis import axis_code, simulate
from deeptheory.axis.models.fitting import Design, look
from deeptheory.axis.models.generators import GENERATORS, Stimuli
from deeptheory.axis.models.quadratic import _ALPHAS
from oracles import axis as oracle

CODES = {"axis": 0.25, "exemplar": 0.25, "norm x direction": 0.25, "energy": 0.25}


@pytest.fixture(scope="module")
def cells():
    sim = simulate(CODES, n=150, d=3, units=4, reliability=0.8, seed=6)
    code = axis_code(sim.responses, sim.features, normalize="none", folds=3, permutations=10)
    return sim.responses, sim.features - sim.features.mean(0), code.models


def in_sample(models, name, unit, n, parameters):
    """R^2 on the stimuli that were fitted to: aic = n log(error) + 2 (parameters + 1)."""
    return 1 - np.exp((models.aic[models.names.index(name), unit] - 2 * (parameters + 1)) / n)


@pytest.mark.parametrize("unit", range(4))
@pytest.mark.parametrize("name", ["axis", "norm x direction", "energy", "angle"])
def test_a_fit_is_no_worse_than_many_restarts(cells, name, unit):
    y, s, models = cells
    best = oracle.rival(name, y[:, unit], s, 12, seed=unit)
    ours = in_sample(models, name, unit, len(s), 3 + 3)
    assert best - 0.005 <= ours <= best + 0.005  # not better, either: it is the same model


@pytest.mark.parametrize("unit", range(4))
def test_an_exemplar_fit_is_no_worse_than_many_restarts(cells, unit):
    y, s, models = cells
    best = oracle.exemplar(y[:, unit], s, models.bound, 12, seed=unit, penalty=(0, 0, 10, 60))
    ours = in_sample(models, "exemplar", unit, len(s), 3 + 4)
    assert best - 0.005 <= ours <= best + 0.005


def test_norm_and_quadratic_are_scored_on_what_was_left_out(cells):
    y, s, models = cells
    order = torch.randperm(len(s), generator=torch.Generator().manual_seed(0))
    folds = [part.numpy() for part in order.tensor_split(3)]
    z = s @ np.linalg.eigh(s.T @ s)[1][:, ::-1]  # products are those of the principal directions
    for unit in range(4):
        assert models.of("norm")[unit] == pytest.approx(oracle.norm_held_out(y[:, unit], s, folds), abs=1e-4)
        by_hand = oracle.quadratic_left_out(y[:, unit], z, _ALPHAS, folds)
        assert models.of("quadratic")[unit] == pytest.approx(by_hand, abs=1e-4)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_gradient_is_that_of_the_loss(name):
    rng = np.random.default_rng(0)
    s = torch.as_tensor(rng.standard_normal((60, 4)))
    y = torch.as_tensor(rng.standard_normal((3, 60)))
    design = Design(GENERATORS[name], Stimuli.of(s))
    theta = torch.as_tensor(rng.standard_normal((3, 4)))
    # penalties act in units of x's own spread, which turns with theta: without them the projected gradient is exact
    design.penalty = torch.zeros_like(design.penalty)
    at = look(design, y, theta)
    for k in range(4):
        step = torch.zeros_like(theta)
        step[:, k] = 1e-5
        slope = (look(design, y, theta + step).error - look(design, y, theta - step).error) / 2e-5
        np.testing.assert_allclose(-2 * at.gradient[:, k].numpy(), slope.numpy(), atol=1e-8)


def test_the_norm_model_says_nothing_of_lengths_far_from_those_that_it_saw():
    """One stimulus a tenth longer than all others, of one length, put its r2 at -2e12."""
    rng = np.random.default_rng(0)
    s = rng.standard_normal((60, 4))
    s = np.concatenate([s, -s]) / np.linalg.norm(np.concatenate([s, s]), axis=1, keepdims=True)
    s[0] *= 1.1
    y = s[:, :1] + 0.3 * rng.standard_normal((120, 1))
    found = axis_code(y, s, folds=5, permutations=0, groups=np.arange(120)).models
    assert -20 < found.of("norm")[0] < 0.1  # a cubic beyond what it saw is still no good
