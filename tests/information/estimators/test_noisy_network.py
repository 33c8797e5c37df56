"""Sample propagation where the truth is exact: quadrature, linear-Gaussian networks, inputs far apart."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import (
    Clusters,
    Cosines,
    linear_information,
    noisy_network_information,
    noisy_neuron_information,
    one_neuron_information,
)
from deeptheory.information.estimators.noisy_network import Propagation, propagated_information
from deeptheory.information.mixtures import log_densities, pair_sums
from oracles import noisy as oracle

POINTS = [-3.0, -1.0, 1.0, 3.0]


@pytest.mark.parametrize("w", [0.2, 1.0, 3.0])
@pytest.mark.parametrize("sigma", [0.05, 0.4])
def test_one_noisy_neuron_is_its_integral(w, sigma):
    truth = oracle.scalar_chain(POINTS, [lambda v: np.tanh(w * v + 0.2)], sigma)[0]
    assert noisy_neuron_information([w], POINTS, sigma, bias=0.2)[0] == pytest.approx(truth, abs=1e-9)


def test_a_saturating_neuron_merges_its_points():
    got = noisy_neuron_information([0.01, 0.6, 50.0], POINTS, 0.05)
    assert got[0] < 0.3
    assert got[1] > 1.8
    assert got[2] == pytest.approx(1, abs=1e-9)  # four points, two places
    assert noisy_neuron_information([50.0], POINTS, 0.05, activation="linear")[0] == pytest.approx(2)


def test_softplus_in_the_binned_model_agrees_with_sampling():
    edges, rng = np.linspace(0, 4, 12), np.random.default_rng(0)
    cells = np.clip(np.searchsorted(edges, np.logaddexp(0, 1.5 * rng.standard_normal(400_000))) - 1, 0, 10)
    p = np.bincount(cells) / len(cells)
    sampled = -(p[p > 0] * np.log2(p[p > 0])).sum()
    assert one_neuron_information([1.5], edges, "softplus")[0] == pytest.approx(sampled, abs=0.01)


def chain(weights, biases):
    return [lambda t, w=w, b=b: torch.tanh(w * t + b) for w, b in zip(weights, biases)]


@pytest.mark.parametrize("sigma", [0.1, 0.3])
def test_a_chain_of_noisy_neurons_is_bracketed(sigma):
    """Two layers of one unit, where the second needs propagation; truth by quadrature."""
    weights, biases = (0.8, 1.5), (0.1, -0.3)
    functions = [lambda v, w=w, b=b: np.tanh(w * v + b) for w, b in zip(weights, biases)]
    truth = oracle.scalar_chain(POINTS, functions, sigma)
    x = torch.tensor(POINTS)[:, None]
    got = [
        noisy_network_information(chain(weights, biases), x, sigma, blocks=500, repeats=300, draws=500, seed=s)
        for s in range(8)
    ]
    for k, exact in enumerate(truth):
        assert sum(g[k].low <= exact <= g[k].high for g in got) >= 6  # of 95 % intervals
        assert np.mean([g[k].value for g in got]) == pytest.approx(exact, abs=0.015)
    assert truth[1] < truth[0]


def test_more_repeats_tighten_the_bracket():
    x = torch.tensor(POINTS)[:, None]
    widths = []
    for repeats in (4, 40, 400):
        got = noisy_network_information(chain((0.8, 1.5), (0, 0)), x, 0.3, repeats=repeats, draws=1000)[1]
        assert got.low < got.value < got.high
        widths.append(got.high - got.low)
    assert widths[0] > widths[1] > widths[2]


def test_a_linear_gaussian_network_is_found():
    rng = np.random.default_rng(0)
    w, v, sigma = rng.standard_normal((3, 5)), rng.standard_normal((2, 3)), 0.7
    x = torch.as_tensor(rng.standard_normal((3000, 5)))
    layers = [lambda t: t @ torch.as_tensor(w).T, lambda t: t @ torch.as_tensor(v).T]
    one, two = noisy_network_information(layers, x, sigma, repeats=200, chosen=400, draws=8)
    through = v @ (w @ w.T + sigma**2 * np.eye(3)) @ v.T + sigma**2 * np.eye(2)
    only_noise = sigma**2 * (v @ v.T + np.eye(2))
    exact = 0.5 * np.log2(np.linalg.det(through) / np.linalg.det(only_noise))
    assert one.value == pytest.approx(linear_information(w, sigma, np.eye(5)), abs=0.15)
    assert two.low - 0.1 <= exact <= two.high + 0.1  # 3000 inputs stand for a normal distribution
    assert two.high - two.low < 0.6


def test_inputs_far_apart_are_all_told_apart():
    x = 100 * torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    got = noisy_network_information([lambda t: t, lambda t: 2 * t], x, 0.1, repeats=8)
    assert [e.value for e in got] == pytest.approx([6, 6], abs=1e-6)
    assert got[1].high == pytest.approx(6)


def test_the_read_out_of_a_recording_agrees_with_the_function():
    readout = dt.PropagatedNoise(0.3, 4, blocks=2, repeats=50, draws=200)
    x = torch.tensor(POINTS)[readout.rows(), None]
    s = torch.tanh(x + 0.3 * torch.randn(len(x), 1, generator=torch.Generator().manual_seed(1)))
    got = readout.summarize(s[None], np.array([0, 0, 1, 1])[readout.rows()])
    layers = [lambda t: t, torch.tanh]
    assert got["i_x"][0] == pytest.approx(
        noisy_network_information(layers, torch.tensor(POINTS)[:, None], 0.3)[1].value, abs=0.15
    )
    assert set(got) == {"i_x", "i_y", "h_t", "occupied", "i_x_low", "i_x_high"}
    assert got["i_x_low"][0] <= got["i_x"][0] <= got["i_x_high"][0] <= 2
    assert 0 < got["i_y"][0] < 1
    assert got["occupied"][0] == pytest.approx(2 ** got["i_x"][0])


def test_label_information_of_a_noisy_layer_against_monte_carlo():
    rng = np.random.default_rng(0)
    s, y, sigma = rng.standard_normal((40, 2)), np.arange(40) % 3, 0.5
    readout = dt.PropagatedNoise(sigma, 40, blocks=1, repeats=1, draws=1000)
    got = readout.summarize(s[readout.rows()][None], y[readout.rows()])
    points = s[(at := rng.integers(0, 40, 4000))] + sigma * rng.standard_normal((4000, 2))
    gains = [oracle.mixture_log(p, s[y == y[k]], sigma) - oracle.mixture_log(p, s, sigma) for p, k in zip(points, at)]
    assert got["i_y"][0] == pytest.approx(np.mean(gains) / np.log(2), abs=0.05)


def test_kernels_agree_with_plain_sums():
    rng = np.random.default_rng(0)
    h = rng.standard_normal((3, 50)).astype(np.float32)
    weights = rng.dirichlet(np.ones(50), 2).astype(np.float32)
    near, far = np.empty((2, 50)), np.empty((2, 50))
    pair_sums(h, 0.7, weights, near, far)
    d = ((h.T[:, None].astype(float) - h.T[None]) ** 2).sum(-1)
    assert near == pytest.approx(weights.astype(float) @ np.exp(-0.7 * d), rel=1e-5)
    assert far == pytest.approx(weights.astype(float) @ np.exp(-0.7 / 4 * d), rel=1e-5)
    points = (h.T[:10] + 0.1).astype(np.float32)
    given = rng.standard_normal((5, 3, 4)).astype(np.float32)  # five chosen inputs, four samples each
    which, me = np.arange(10) % 5, np.arange(10) % 4
    own = 3 * which
    p_y = np.stack([np.arange(25) % 2, (np.arange(25) + 1) % 2]).astype(np.float32)
    out = np.empty((10, 6))
    log_densities(points, h, given, own, which, me, 25, 0.7, p_y, out)
    for e in range(10):
        point = points[e].astype(float)
        each = np.exp(-0.7 * ((point - h.T) ** 2).sum(-1)).reshape(2, 25).mean(0)  # p(t|x) by input, two blocks
        mine = np.exp(-0.7 * ((point[:, None] - given[which[e]]) ** 2).sum(0))
        each[own[e]] = mine.mean()
        without = np.delete(mine, me[e]).mean()
        assert out[e, 0] == pytest.approx(np.log(each.mean()), abs=1e-5)
        assert out[e, 1] == pytest.approx(np.log(mine.mean()), abs=1e-5)
        assert out[e, 3] == pytest.approx(np.log(without), abs=1e-5)
        for c in range(2):
            assert out[e, 4 + c] == pytest.approx(np.log((p_y[c] * each).sum() / 25), abs=1e-5)
        each[own[e]] = without
        assert out[e, 2] == pytest.approx(np.log(each.mean()), abs=1e-5)


def test_clusters_are_counted_from_distances():
    h = np.array([[0.0, 0], [0, 0.1], [5, 5], [5, 5.1]])[None]
    got = Clusters(1.0).summarize(h, [0, 0, 1, 1])
    assert got["apart"][0] == pytest.approx(1)  # half of all pairs, a sample with itself counted
    assert got["within"][0] == pytest.approx(0.1)
    assert got["between"][0] == pytest.approx(np.mean([np.hypot(5, a) for a in (5, 5.1, 4.9, 5)]))
    assert got["nearest"][0] == pytest.approx(0.1)
    spread = Clusters(1e-9).summarize(np.random.default_rng(0).standard_normal((2, 64, 3)), np.arange(64) % 2)
    assert spread["apart"] == pytest.approx([6, 6])


def test_cosines_agree_with_the_literal_loop():
    rng = np.random.default_rng(0)
    h, y = rng.standard_normal((2, 12, 5)), np.array([0, 0, 3, 3, 3, 1, 1, 1, 1, 0, 3, 1])
    h[0, 4] = 0  # a silent sample
    got = Cosines().summarize(h, y)
    for k in range(2):
        sums: dict[bool, list] = {True: [], False: []}
        for i in range(12):
            for j in range(12):
                if i != j:
                    length = np.linalg.norm(h[k, i]) * np.linalg.norm(h[k, j])
                    sums[bool(y[i] == y[j])].append(h[k, i] @ h[k, j] / length if length else 0.0)
        assert got["within"][k] == pytest.approx(np.mean(sums[True]), abs=1e-12)
        assert got["between"][k] == pytest.approx(np.mean(sums[False]), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: noisy_network_information([], [[1.0]], 0.1), "no layers"),
        (lambda: noisy_network_information([lambda t: t], torch.eye(3), 0.0), "sigma is 0.0"),
        (lambda: dt.PropagatedNoise(-1, 4), "sigma is -1"),
        (lambda: dt.PropagatedNoise(1, 4, repeats=3).summarize(np.zeros((1, 8, 1)), [0, 1] * 4), "8 rows; 4 inputs"),
        (lambda: dt.PropagatedNoise(1, 4, draws=0), "draws is 0"),
        (lambda: dt.PropagatedNoise(1, 4, chosen=1), "chosen is 1; needed: an integer, at least 2"),
        (lambda: noisy_neuron_information([1.0], POINTS, 0), "sigma is 0"),
        (lambda: noisy_neuron_information([1.0], [], 1), "points have shape"),
        (lambda: noisy_neuron_information([1.0], POINTS, 1, activation="tan"), "unknown activation 'tan'"),
        (lambda: Clusters(0), "radius is 0"),
        (lambda: Cosines().summarize(np.ones((1, 3, 1)), [1, 1, 1]), "targets hold one class only"),
        (lambda: Cosines().summarize(np.ones((1, 2, 1)), [0, 1]), "no class has two samples; cosines"),
        (lambda: Cosines().summarize(np.ones((1, 2, 1)), [[0.5, 0.5]] * 2), "cosines need labels"),
        (lambda: Clusters(1).summarize(np.zeros((1, 2, 1)), [0, 1]), "no class has two samples"),
        (lambda: Clusters(1).summarize(np.zeros((1, 2, 1)), [[0.5, 0.5]] * 2), "clusters need labels"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


@pytest.mark.parametrize("scale", [1e-200, 1e-20, 1e6, 1e150])
def test_units_and_offsets_of_activations_do_not_matter(scale):
    rng = np.random.default_rng(0)
    s = rng.standard_normal((1, 8 * 20, 3))
    first, other = (
        propagated_information(c * s + at, 0.4 * c, Propagation(4, 256, 4, 20), 20, np.arange(160) % 2)
        for c, at in ((1.0, 0.0), (scale, 1e3 * scale))
    )
    for name in ("i_x", "i_y", "i_x_low", "i_x_high"):
        assert other[name] == pytest.approx(first[name], abs=1e-4)
    assert other["h_t"] - first["h_t"] == pytest.approx(3 * np.log2(scale), abs=1e-4)
    with pytest.raises(InputError, match="standard deviations of the noise"):
        propagated_information(1e30 * s, 0.4, Propagation(4, 256, 4, 20), 20)


def test_modules_are_evaluated_and_left_as_found():
    """In training mode statistics of batches moved and dropout drew from no seed; float64 inputs raised an error."""
    x, few = np.random.default_rng(0).normal(size=(40, 3)), {"chosen": 10, "repeats": 8, "blocks": 2}
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5), torch.nn.Linear(3, 2))
    net[1].eval()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    one, two = (noisy_network_information([net], v, 0.5, **few)[0].value for v in (x, x.astype(np.float32)))
    net[1].train()
    assert noisy_network_information([net], x, 0.5, **few)[0].value == one == two
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert [m.training for m in net.modules()] == [True] * 4
    whole = np.random.default_rng(0).integers(0, 5, (40, 2))
    counted, same = (noisy_network_information([lambda t: t], v, 0.5, **few)[0].value for v in (whole, whole * 1.0))
    assert counted == pytest.approx(same, abs=1e-5)


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (torch.nn.Linear(2, 2), "layers is a Linear"),
        ([3], "layer 0 is a int"),
        ([lambda t: None], "layer 0 gave a NoneType"),
        ([lambda t: t, lambda t: (t,)], "layer 1 gave a tuple"),
        ([lambda t: t.sum()], "layer 0 gave a Tensor"),
    ],
)
def test_layers_are_functions_from_tensor_to_tensor(layers, said):
    with pytest.raises(InputError, match=said):
        noisy_network_information(layers, np.zeros((5, 2)), 0.5)


def test_integers_reach_a_first_layer_that_looks_them_up():
    """Tokens had become float32 on the way in."""
    torch.manual_seed(0)
    tokens = np.random.default_rng(0).integers(0, 10, (40, 3))
    table = torch.nn.Embedding(10, 2)
    asked = noisy_network_information([torch.nn.Sequential(table, torch.nn.Flatten())], tokens, 0.5)
    given = table(torch.as_tensor(tokens)).flatten(1).detach().numpy()
    assert asked[0].value == noisy_network_information([lambda t: t], given, 0.5)[0].value
    line = torch.nn.Linear(3, 2)  # multiplies them
    (asked,) = noisy_network_information([line], tokens, 0.5)
    assert asked.value == noisy_network_information([line], tokens.astype(np.float32), 0.5)[0].value
