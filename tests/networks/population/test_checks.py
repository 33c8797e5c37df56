"""What a population is made of is checked before it is; frozen parameters, dropout and noise are what they say."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.networks import Population, fit

X = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
Y = (X.sum(1) > 0).astype(int)


def frozen_first():
    made = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    made[0].requires_grad_(False)
    return made


class Spare(nn.Module):
    """A layer that no forward pass calls."""

    def __init__(self):
        super().__init__()
        self.spare, self.used = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.used(x)


def dropping():
    return nn.Sequential(nn.Linear(4, 50), nn.Dropout(0.5), nn.Linear(50, 2))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Population.mlp([4, 2], bits=2.5), "bits is 2.5; needed: an integer"),  # pyright: ignore[reportArgumentType]
        (lambda: Population.mlp([4, 2], bits=True), "bits is True; needed: an integer"),
        (lambda: Population.mlp([4, 2], dtype=torch.int64), "dtype is torch.int64; needed: a floating dtype"),
        (lambda: Population.of(nn.Linear(4, 2), [0]), "factory is a Linear; give a function that makes one"),
        (lambda: Population.of(lambda: nn.ReLU(), [0]), "networks without parameters"),
        (lambda: fit(Population.mlp([4, 2]).requires_grad_(False), X, Y, epochs=1), "all parameters are frozen"),
        (lambda: fit(Population.mlp([4, 2]), X, Y, epochs=1, gradient_batch=0), "gradient_batch is 0; needed"),
        (lambda: fit(Population.mlp([4, 2]), X, Y, epochs=1, gradient_batch=-3), "gradient_batch is -3; needed"),
        (lambda: fit(Population.mlp([4, 2]), X, Y, epochs=3, record_at=3), r"record_at is 3; needed: a list.*\[3\]"),  # pyright: ignore[reportArgumentType]
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_factory_that_gives_no_module_is_told():
    with pytest.raises(InputError, match="the factory gave a int; needed: a function that makes"):
        Population.of(lambda: 3, [0])  # pyright: ignore[reportArgumentType]


def test_frozen_parameters_stay_frozen():
    nets = Population.of(frozen_first, [0, 1])
    before = [p.detach().clone() for p in nets.parameters()]
    recorder = dt.GradientRecorder()
    fit(nets, X, Y, epochs=2, record_at=[0], gradients=recorder)
    assert [bool(torch.equal(a, b)) for a, b in zip(before, nets.parameters())] == [True, True, False, False]
    moments = recorder.dataset()
    assert moments.mean_norm.shape == (2, 1, 2)
    assert (moments.mean_norm.values[..., 0] == 0).all()
    assert (moments.mean_norm.values[..., 1] > 0).all()
    assert not nets.network(0).get_parameter("0.0.weight").requires_grad


def test_a_layer_that_takes_no_part_stays_as_it_is():
    nets = Population.of(Spare, [0])
    spare = nets.stacked[0].detach().clone()
    fit(nets, X, Y, epochs=2)
    assert torch.equal(spare, nets.stacked[0])


def test_dropout_acts_in_training_alone_and_is_drawn_by_the_seeds():
    found = []
    for state in (0, 1):
        torch.manual_seed(state)
        nets = Population.of(dropping, [0, 1]).eval()
        x = torch.as_tensor(X)
        assert torch.equal(nets(x), nets(x))
        assert torch.allclose(nets.network(1).eval()(x), nets(x)[1], atol=1e-6)
        seen = torch.get_rng_state()
        done = fit(nets, X, Y, epochs=3, batch=20, record_at=[0, 3])
        assert torch.equal(torch.get_rng_state(), seen)
        assert not nets.training
        found.append((done.train_loss, nets.stacked[0].detach().numpy()))
    for a, b in zip(*found):
        np.testing.assert_array_equal(a, b)
    plain = nn.functional.cross_entropy(nets.logits(x)[0][done.order[0, :48]], torch.as_tensor(Y[done.order[0, :48]]))
    assert done.train_loss[0, 1] == pytest.approx(float(plain.detach()), rel=1e-5)
    assert not torch.equal(nets.train()(x), nets(x))


@pytest.mark.parametrize("activation", ["relu", "softplus", "linear"])
def test_levels_without_bounds_are_refused_until_they_have_some(activation):
    nets, x = Population.mlp([4, 3, 2], activation, seeds=[0, 1], bits=4), torch.as_tensor(X)
    for call in (lambda: nets(x), lambda: nets.network(0)):
        with pytest.raises(InputError, match=f"bits with {activation} has no bounds before training"):
            call()
    nets.calibrate(x)
    assert nets(x).std(1).min() > 0
    assert Population.mlp([4, 3, 2], "tanh", seeds=[0], bits=4)(x).std(1).min() > 0


def test_noise_does_not_depend_on_the_batches_of_a_recorder():
    nets = Population.mlp([4, 8, 8, 2], seeds=[0, 2**45], noise=0.5)
    whole = dt.Recorder(nets, X).activations()
    for batch in (1, 7, 20):
        parts = dt.Recorder(nets, X, batch=batch).activations()
        for name, a in whole.items():
            torch.testing.assert_close(parts[name], a, atol=1e-5, rtol=1e-5)
    assert nets.rows is None


def test_the_penalty_does_not_depend_on_torch_s_default_dtype():
    found = []
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        try:
            nets = Population.mlp([4, 3, 2], seeds=[0], dtype=torch.float32)
            fit(nets, X, Y, epochs=2, orthonormal=0.3, engine="autograd")
        finally:
            torch.set_default_dtype(torch.float32)
        found.append(nets.theta.detach())
    assert torch.equal(*found)


def test_numpy_s_integers_go_into_a_checkpoint(tmp_path):
    for _ in range(2):
        nets = Population.mlp([4, 2], seeds=[0])
        how: dict[str, Any] = {"epochs": np.int64(2), "gradient_batch": np.int64(10), "record_at": [0]}
        fit(nets, X, Y, gradients=dt.GradientRecorder(), checkpoint=dt.networks.Checkpoint(tmp_path / "c", 0), **how)
