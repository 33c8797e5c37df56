"""Many networks as one program: the same bits as each alone, and every piece of a network where it is expected."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.networks import Population, fit, log_epochs
from deeptheory.networks.population.initializers import INITIALIZERS


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (300, 6)).astype(np.float32)
    return x, (x.sum(1) + x[:, 0] > 3.2).astype(np.int64)


def small(seeds, activation="tanh", **kwargs):
    return Population.mlp([6, 5, 3, 2], activation=activation, seeds=seeds, **kwargs)


def test_logarithmic_epochs_are_those_of_the_released_code():
    epochs = log_epochs(8000, 400)
    assert len(epochs) == 274
    assert epochs[:4] == [0, 1, 2, 3]
    assert epochs[-1] == 7999
    assert log_epochs(1, 1) == [0]


@pytest.mark.parametrize("seeds", [range(1), range(2), range(3), range(10), [7, 2, 40]])
def test_a_network_is_the_same_bit_for_bit_whatever_its_companions(task, seeds):
    x, y = task
    together = small(seeds)
    history = fit(together, x, y, epochs=7, batch=64, record_at=[0, 7])
    for k, seed in enumerate(seeds):
        alone = small([seed])
        own = fit(alone, x, y, epochs=7, batch=64, record_at=[0, 7])
        assert torch.equal(together.theta[k], alone.theta[0])
        assert torch.equal(together(torch.as_tensor(x))[k], alone(torch.as_tensor(x))[0])
        assert np.array_equal(history.train_loss[k], own.train_loss[0])
        assert np.array_equal(history.test_accuracy[k], own.test_accuracy[0])


def test_the_paper_s_network_keeps_its_bits_in_a_population_of_fifty():
    x = np.random.default_rng(1).integers(0, 2, (700, 12)).astype(np.float32)
    y = (x.sum(1) > 6).astype(np.int64)
    widths = [12, 10, 7, 5, 4, 3, 2]
    many = Population.mlp(widths, seeds=range(50))
    fit(many, x, y, epochs=2, batch=512)
    for seed in (0, 17, 49):
        one = Population.mlp(widths, seeds=[seed])
        fit(one, x, y, epochs=2, batch=512)
        assert torch.equal(many.theta[seed], one.theta[0])


def test_seeds_give_different_networks_and_the_same_ones_again():
    a, b = small([0, 1]), small([0, 1])
    assert torch.equal(a.theta, b.theta)
    assert not torch.equal(a.theta[0], a.theta[1])


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers_have_the_spread_that_they_name(name):
    weight, bias = INITIALIZERS[name](400, 300, torch.Generator().manual_seed(0))
    assert weight.shape == (300, 400)
    truncated = 0.8796 * {"truncated_normal": 400**-0.5, "truncated_normal_fan_out": 300**-0.5}.get(name, 0)
    uniform = {"xavier": (6 / 700) ** 0.5, "torch_default": 400**-0.5}.get(name, 0) / 3**0.5
    assert float(weight.std()) == pytest.approx(truncated or uniform, rel=0.01)
    if truncated:
        assert float(weight.abs().max()) <= 2 * truncated / 0.8796
    if name != "torch_default":
        assert not bias.any()


@pytest.mark.parametrize("activation", ["tanh", "relu", "softplus", torch.sin])
def test_a_network_taken_out_computes_the_same(task, activation):
    nets = small(range(3), activation=activation)
    x = torch.as_tensor(task[0])
    for k in range(3):
        assert torch.allclose(nets.network(k)(x), nets(x)[k], atol=1e-6)
    before = nets.theta.clone()
    with torch.no_grad():
        next(nets.network(0).parameters()).add_(1)
    assert torch.equal(before, nets.theta)


def test_parts_are_views_of_theta_and_children_give_activations(task):
    nets = small([3])
    weight, bias = nets.parts()[1]
    assert weight.shape == (1, 3, 5)
    assert bias.shape == (1, 3)
    assert [name for name, _ in nets.named_children()] == ["layer1", "layer2", "layer3"]
    assert torch.allclose(nets(torch.as_tensor(task[0])).sum(-1), torch.tensor(1.0))


def test_dtype_moves_and_copies(task):
    nets = small([0, 1]).double()
    assert nets(torch.as_tensor(task[0])).dtype == torch.float64
    twin = copy.deepcopy(nets)
    assert torch.equal(twin(torch.as_tensor(task[0])), nets(torch.as_tensor(task[0])))


def test_any_small_module_becomes_a_population(task):
    x, y = task
    nets = Population.of(lambda: nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 2)), seeds=[4, 9])
    history = fit(nets, x, y, epochs=60, batch=64, lr=5e-3, record_at=[0, 60])
    assert (history.train_loss[:, -1] < 0.5 * history.train_loss[:, 0]).all()
    assert nets(torch.as_tensor(x)).shape == (2, 300, 2)
    assert torch.allclose(nets.network(1)(torch.as_tensor(x)), nets(torch.as_tensor(x))[1], atol=1e-6)
