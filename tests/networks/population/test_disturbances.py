"""Noise, quantized layers and the orthonormality penalty: both engines alike, bits that do not depend on companions."""

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.networks import Checkpoint
from deeptheory.networks.population.disturbances import POOL, TILE, pools, quantize, training_noise
from deeptheory.networks.population.engines import orthonormality

WIDTHS = [12, 9, 5, 2]
DATA = dt.datasets.icosahedron()
ROWS = np.random.default_rng(0).permutation(4096)[:300]


def trained(engine="auto", seeds=(3, 5), activation="tanh", epochs=3, noise=0.0, bits=None, bias=True, **more):
    nets = dt.networks.Population.mlp(
        WIDTHS, activation, seeds=seeds, init="torch_default", noise=noise, bits=bits, bias=bias
    )
    before = nets.theta.detach().clone()
    options = {"train_fraction": 0.8, "batch": 150, "lr": 0.01, "seed": 1, **more}
    dt.networks.fit(nets, DATA.x[ROWS], DATA.y[ROWS], epochs=epochs, engine=engine, **options)
    assert not torch.equal(before, nets.theta)
    return nets


CASES = [
    {"noise": 0.2},
    {"noise": 0.2, "activation": "relu"},
    {"orthonormal": 0.05},
    {"orthonormal": 0.05, "noise": 0.1, "optimizer": "sgd"},
    {"bias": False},
    {"bits": 8},
    {"bits": 8, "activation": "relu"},
    {"bits": 6, "activation": "linear"},
    {"bits": 4, "activation": "sigmoid"},
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_two_engines_agree(case):
    if case.get("bits"):  # by SGD: where a gradient is nearly 0, Adam would make of its sign a whole step
        case = {"optimizer": "sgd", "lr": 0.3, **case}
    hand, auto = trained("handwritten", **case), trained("autograd", **case)
    # a value at the border between two levels may be rounded either way: one sample of 150 then differs by a level
    loose = 1e-3 if case.get("bits") else 2e-5
    assert hand.theta.detach().numpy() == pytest.approx(auto.theta.detach().numpy(), abs=loose)
    assert hand.ranges.numpy() == pytest.approx(auto.ranges.numpy(), rel=1e-2)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_network_alone_is_the_same_bit_for_bit(case):
    together, alone = trained(seeds=(3, 5, 9), **case), trained(seeds=(5,), **case)
    assert torch.equal(together.theta[1], alone.theta[0])
    x = torch.as_tensor(DATA.x[:400]).float()
    with torch.no_grad():
        assert torch.equal(together(x)[1], alone(x)[0])


@pytest.mark.parametrize("case", [{"noise": 0.2}, {"bits": 8, "activation": "relu"}], ids=str)
def test_a_killed_run_goes_on_to_the_same_bits(case, tmp_path):
    whole = trained(epochs=6, **case)

    class KilledError(Exception):
        pass

    def kill(now, of):
        if now >= 3:
            raise KilledError

    kept = {"checkpoint": Checkpoint(tmp_path / "c", 0.0), "record_at": [1, 2, 3, 4, 5], **case}
    with pytest.raises(KilledError):
        trained(epochs=6, progress=kill, **kept)
    resumed = trained(epochs=6, **kept)
    assert torch.equal(whole.theta, resumed.theta)
    assert torch.equal(whole.ranges, resumed.ranges)


def test_noise_is_normal_fresh_each_step_and_fixed_at_a_look():
    pool = pools([1, 2])
    assert pool.shape == (2, POOL + TILE)
    draws = [training_noise(pool, np.array([1, 2], np.uint64), step, 0, 3000, 0, 6) for step in (0, 1)]
    for a in draws:
        assert abs(a.mean()) < 0.02
        assert a.std() == pytest.approx(1, abs=0.02)
        assert abs(np.corrcoef(a[0].ravel(), a[1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(draws[0].ravel(), draws[1].ravel())[0, 1]) < 0.03
    nets = dt.networks.Population.mlp(WIDTHS, seeds=range(2), noise=0.3)
    x = torch.as_tensor(DATA.x[:500]).float()
    with torch.no_grad():
        first, second = nets(x), nets(x)
        quiet = dt.networks.Population.mlp(WIDTHS, seeds=range(2))(x)
    assert torch.equal(first, second)
    assert not torch.allclose(first, quiet, atol=1e-3)


def test_a_noisy_layer_shows_its_output_before_its_own_noise():
    nets = dt.networks.Population.mlp(WIDTHS, seeds=[0], noise=0.3)
    quiet = dt.networks.Population.mlp(WIDTHS, seeds=[0])
    x = torch.as_tensor(DATA.x[:50]).float()
    noisy, plain = (dt.Recorder(n, x, DATA.y[:50], layers="layer*").activations() for n in (nets, quiet))
    assert torch.equal(noisy["layer1"], plain["layer1"])
    assert not torch.equal(noisy["layer2"], plain["layer2"])
    assert noisy["layer2"].abs().max() <= 1


@pytest.mark.parametrize("activation", ["tanh", "relu", "linear", "softplus"])
def test_quantized_layers_take_few_values_and_learn(activation):
    nets = trained(bits=3, activation=activation, epochs=60)
    shown = dt.Recorder(nets, DATA.x, DATA.y, layers="layer*").activations()
    for a in shown.values():
        for network in a:
            assert len(network.unique()) <= 8
    exact = dt.Exact().summarize(shown["layer2"], DATA.y)
    assert (exact["occupied"] <= 8**5).all()
    right = (nets.logits(torch.as_tensor(DATA.x[ROWS]).float()).argmax(-1) == torch.as_tensor(DATA.y[ROWS])).float()
    assert right.mean() > 0.7


def test_rounding_has_a_straight_gradient_inside_and_none_outside():
    h = torch.tensor([-2.0, -0.9, 0.1, 0.6, 3.0], requires_grad=True)
    out = quantize(h, torch.tensor(-1.0), torch.tensor(1.0), 2)
    assert out.tolist() == [-1, -1, 0, 1, 1]
    out.sum().backward()
    assert h.grad.tolist() == [0, 1, 1, 1, 0]
    assert quantize(torch.zeros(3), torch.tensor(0.0), torch.tensor(0.0), 255).tolist() == [0, 0, 0]  # no range yet


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_one_network_apart_is_the_same(activation):
    nets = trained(bits=5, activation=activation)
    x = torch.as_tensor(DATA.x[:100]).float()
    with torch.no_grad():
        assert nets.network(1)(x).numpy() == pytest.approx(nets(x)[1].numpy(), abs=0.04)  # a level, where sums differ
    noisy = dt.networks.Population.mlp(WIDTHS, seeds=[0], noise=0.5).network(0)
    torch.manual_seed(0)
    with torch.no_grad():
        draws = torch.stack([noisy(x) for _ in range(2)])
    assert not torch.equal(draws[0], draws[1])
    assert "noise 0.5" in repr(noisy)


def test_the_penalty_is_what_it_says_and_pulls_towards_orthonormal_weights():
    nets = dt.networks.Population.mlp(WIDTHS, seeds=[0, 1])
    for s in range(2):
        total = 0.0
        for w in (weight.detach() for weight, _ in nets.parts()[:-1]):
            gram = w[s] @ w[s].T if w.shape[1] <= w.shape[2] else w[s].T @ w[s]
            total += 0.5 * float(((gram - torch.eye(len(gram))) ** 2).sum())
        assert float(orthonormality(nets).detach()[s]) == pytest.approx(total, rel=1e-5)
    free, bound = trained(epochs=60), trained(epochs=60, orthonormal=1.0)
    assert float(orthonormality(bound).detach().max()) < 0.1 < float(orthonormality(free).detach().min())


def test_biases_can_stay_at_zero():
    for _, bias in trained(bias=False).parts():
        assert not bias.any()
    assert all(bias.any() for _, bias in trained().parts())
    assert "no biases" in repr(dt.networks.Population.mlp(WIDTHS, bias=False))


def test_a_view_in_another_precision_follows_training():
    nets = dt.networks.Population.mlp(WIDTHS, seeds=[0, 1])
    view = nets.seen_in("float64")
    recorder = dt.Recorder(view, DATA.x[:64], DATA.y[:64], layers="layer*")
    recorder.snapshot(0)
    dt.networks.fit(nets, DATA.x, DATA.y, epochs=1)
    recorder.snapshot(1)
    a = recorder.recording.activations("layer2", 1)
    assert a.dtype == torch.float64
    plain = nn.Sequential(*list(nets.network(1).double())[:4])
    assert a[1].numpy() == pytest.approx(plain(torch.as_tensor(DATA.x[:64]).double()).detach().numpy(), abs=1e-14)
    assert not torch.equal(a, recorder.recording.activations("layer2", 0))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.networks.Population.mlp(WIDTHS, noise=-1), "noise is -1"),
        (lambda: dt.networks.Population.mlp(WIDTHS, bits=0), "bits is 0"),
        (lambda: dt.networks.Population.mlp(WIDTHS, bits=8, noise=0.1), "noise and bits together"),
        (lambda: dt.networks.Population.mlp(WIDTHS, torch.sin, bits=8), "bits needs an activation with a name"),
        (lambda: dt.networks.Population.mlp(WIDTHS, noise=0.1).seen_in(torch.float64), "without noise"),
        (lambda: trained(orthonormal=-1), "orthonormal is -1"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
