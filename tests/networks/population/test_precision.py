"""Inputs and targets in other units than the networks' dtype can hold are told, not rounded in silence."""

from typing import Any

import numpy as np
import pytest
import torch

from deeptheory.core.errors import DeeptheoryError, InputError
from deeptheory.networks import Population, fit
from deeptheory.networks.population.precision import check_precision
from deeptheory.networks.population.targets import as_targets

X = np.random.default_rng(0).normal(size=(60, 4))


def go(x: Any = X, y=X[:, 0], head: Any = "linear", dtype=torch.float32, **how):
    nets = Population.mlp([x.shape[1], 3, 1], seeds=[0, 1], head=head, dtype=dtype)
    return fit(nets, x, y, **{"epochs": 3, "record_at": [0, 3], "lr": 0.01, "batch": 20, **how})


@pytest.mark.parametrize("head", ["linear", "median"])
def test_targets_beyond_the_dtype_are_refused(head):
    with pytest.raises(InputError, match=r"y runs from .*e\+150 .*compute in float32, which ends at 3.4e\+38"):
        go(y=1e150 * X[:, 0], head=head)
    assert np.isfinite(go(y=1e100 * X[:, 0], head=head, dtype=torch.float64, lr=1e-9).train_loss).all()


@pytest.mark.parametrize("engine", ["handwritten", "autograd"])
def test_inputs_beyond_the_dtype_are_refused(engine):
    with pytest.raises(InputError, match=r"x runs from .*compute in float32"):
        go(x=1e39 * X, engine=engine)


@pytest.mark.parametrize("engine", ["handwritten", "autograd"])
def test_a_training_whose_steps_vanish_is_an_error(engine):
    """Targets of 1e25: squared gradients are infinite in float32, and Adam divides by their root."""
    with pytest.raises(DeeptheoryError, match="squared gradients became infinite before epoch 3"):
        go(y=1e25 * X[:, 0], engine=engine)


def test_a_loss_is_a_number_where_its_square_leaves_float32():
    one = go(y=1e17 * X[:, 0])
    large = go(y=1e20 * X[:, 0], optimizer="sgd", lr=1e-30)
    np.testing.assert_allclose(large.train_loss / 1e40, one.train_loss / 1e34, rtol=1e-5)


def test_what_rounding_takes_away_has_a_note():
    x = X.copy()
    x[:, 2] += 1e9
    assert go(x=x).notes[0].startswith("x: differences within 1 of 4 columns (2) are lost in float32: column 2 runs")
    x[:, 3] *= 1e-150
    assert "2 of 4 columns (2, 3) are lost" in go(x=x).notes[0]
    assert go(x=x, dtype=torch.float64).notes == ()
    assert go(y=1e9 + X[:, 0]).notes[0].startswith("y: differences within 1 of 1 columns (0)")
    assert go().notes == go(x=1e9 * X).notes == go(x=X + 1000).notes == go(x=X.astype(np.float16)).notes == ()


def test_what_the_dtype_holds_exactly_has_none():
    whole = np.arange(60)[:, None] % 2 * 128 + 2**30
    assert check_precision("x", whole, torch.float32) == ()
    assert check_precision("x", whole + whole % 3, torch.float64) == ()
    assert check_precision("x", np.zeros((5, 0)), torch.float32) == ()
    assert check_precision("x", np.full((5, 2), 0.1), torch.float32) == ()
    assert check_precision("x", X.astype(">f8"), torch.float32) == ()
    assert check_precision("x", X.astype(np.longdouble), torch.float32) == ()


def test_networks_in_float64_learn_targets_in_float64():
    y = as_targets(0.1 * X[:, 0], 60, 2, 1, "linear", torch.float64)
    assert y.dtype == np.float64
    np.testing.assert_array_equal(y[0, :, 0], 0.1 * X[:, 0])
    soft = np.full((60, 2), [0.1, 0.9])
    np.testing.assert_array_equal(as_targets(soft, 60, 2, 2, "softmax", torch.float64)[0], soft)
    assert as_targets(soft, 60, 2, 2, "softmax").dtype == np.float32
