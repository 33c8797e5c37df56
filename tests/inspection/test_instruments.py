"""The instruments behind the engine: streams agree with the numeric cores, whatever the batch;
notes say what cannot be measured."""

import math
import re
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from architectures.models import ResNet
from deeptheory.inspection import (
    decoder_accuracy,
    engine,
    hessian_eigenvalues,
    mean_correlation,
    mean_field_kernel,
    neural_collapse,
    polynomial_r2,
)
from deeptheory.inspection.class_geometry import permuted_within
from deeptheory.inspection.engine import measure, prepare
from deeptheory.inspection.information import noise_information
from deeptheory.inspection.instruments import INSTRUMENTS, load
from deeptheory.recording.found import as_found

OURS = ("class_geometry", "information", "correlation", "propagation", "cheapness", "flattening")


def mlp(*widths, seed=0, activation=nn.Tanh):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [part for a, b in pairwise(widths) for part in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers[:-1])


def blobs(n=240, d=12, classes=4, seed=0, apart=1.5):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % classes
    x = rng.normal(size=(n, d)) + apart * rng.normal(size=(classes, d))[y]
    return torch.as_tensor(x, dtype=torch.float32), torch.as_tensor(y)


@pytest.fixture(scope="module")
def measured():
    """A trained perceptron, all default instruments, two twins."""
    x, y = blobs()
    net = mlp(12, 20, 10, 4)
    optimizer = torch.optim.Adam(net.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net, x, y, measure(net, x, y, instruments=list(OURS), twins=2, permutations=20)


def test_class_geometry_is_that_of_the_features(measured):
    net, x, y, results = measured
    with torch.no_grad():
        h = net[:4](x)
    head = net[4]
    truth = neural_collapse(h, y, weight=head.weight, bias=head.bias)
    found = results["class_geometry"]
    for name in ("nc1", "scatter_ratio", "equinorm", "equiangle", "maximal_angle", "nc3"):
        r = found.at("3", name)
        assert r.value == pytest.approx(getattr(truth, name), rel=1e-5)
        assert r.low <= r.value <= r.high
        assert len(r.permuted) == 20
        assert len(r.twins) == 2
    held = prepare(net, x, y).context(net).held_out.numpy()
    assert found.at("3", "linear").value == pytest.approx(decoder_accuracy(h, y, held))
    assert found.at("3", "nearest_mean").value == pytest.approx(decoder_accuracy(h, y, held, decoder="nearest mean"))
    assert found.at("3", "linear").beyond_permuted
    assert found.at("3", "scatter_ratio").beyond_permuted
    assert [r.layer for r in found.of("nc4")] == ["3"]


def test_readings_do_not_depend_on_the_batch(measured):
    net, x, y, results = measured
    streams = ["class_geometry", "information", "correlation", "cheapness"]
    other = measure(net, x, y, instruments=streams, twins=0, permutations=20, batch=37)
    for name in streams:
        for a, b in zip(results[name].rows, other[name].rows):
            assert (a.layer, a.quantity) == (b.layer, b.quantity)
            assert a.value == pytest.approx(b.value, rel=1e-4, abs=1e-5, nan_ok=True)


def test_noise_of_an_untrained_network_is_no_collapse():
    rng = np.random.default_rng(0)
    x, y = torch.as_tensor(rng.normal(size=(80, 30)), dtype=torch.float32), torch.arange(80) % 4
    found = measure(mlp(30, 600, 600, 4), x, y, instruments="class_geometry", twins=0)["class_geometry"]
    for r in found.of("nc1"):
        assert math.isnan(r.value) == (r.layer != "output")
        assert r.layer == "output" or "noise would read as collapse" in r.note
    assert not any(r.beyond_permuted for q in ("scatter_ratio", "linear", "nearest_mean") for r in found.of(q))
    assert "nothing follows" in load("class_geometry").finding(found)[0].text


def test_labels_are_permuted_within_each_half():
    codes, test = torch.arange(200) % 3, torch.arange(200) % 2 == 0
    columns = permuted_within(codes, test, 50, 0)
    assert torch.equal(columns[:, 0], codes)
    for column in columns.T:
        for half in (test, ~test):
            assert torch.equal(torch.bincount(column[half]), torch.bincount(codes[half]))
    assert len({tuple(c.tolist()) for c in columns.T}) == 51
    assert abs((columns[:, 1:] == codes[:, None]).double().mean() - 1 / 3) < 0.02


def test_a_large_probe_is_measured_in_part(monkeypatch):
    monkeypatch.setattr("deeptheory.inspection.class_geometry._HELD", 4 * 20 * 100)
    x, y = blobs(n=400)
    y[5:] = y[5:] % 3  # a rare class
    found = measure(mlp(12, 20, 4), x, y, instruments="class_geometry", twins=0)["class_geometry"]
    assert found.at("1", "linear").note.startswith("of 100 of 400 samples")
    assert found.at("output", "linear").note == ""
    monkeypatch.setattr(
        "deeptheory.inspection.class_geometry._HELD", 4 * 20 * 6
    )  # six samples, so that permuted labels lack a class
    few = measure(mlp(12, 20, 4), x, y, instruments="class_geometry", twins=0)["class_geometry"]
    assert np.isfinite(few.at("1", "scatter_ratio").value)


def test_what_cannot_be_measured_says_why():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.relu, self.last = nn.ReLU(), nn.Linear(4, 3)

        def forward(self, x):
            dead = self.relu(-1 - x.abs())
            bad = torch.tanh(x) / torch.where(x > 0, 0.0, 1.0)
            return self.last(dead), torch.relu(bad)

    x, y = torch.randn(60, 4, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 3
    results = measure(Odd(), x, y, instruments=list(OURS), twins=1)
    for name in OURS:
        for r in results[name].rows:
            assert not math.isnan(r.value) or r.note
    assert results["class_geometry"].at("relu", "linear").note == "the layer is constant"
    assert "not finite" in results["class_geometry"].at("output.1", "nc1").note
    assert "zeros only" in results["correlation"].at("relu", "correlation").note
    assert "none of the 4 units varies" in results["cheapness"].at("relu", "degree_1").note
    for name in OURS:
        load(name).finding(results[name])


def test_information_is_that_of_the_library(measured):
    net, x, y, results = measured
    with torch.no_grad():
        h = net[:2](x).numpy()
    noise = dt.GaussianNoise(0.5, relative="distance").summarize(h[None], y.numpy())
    bins = dt.Binning(30, (-1, 1)).summarize(h[None], y.numpy())
    found = results["information"]
    assert found.at("1", "noise_i_x").value == pytest.approx(noise["i_x"][0], abs=1e-4)
    assert found.at("1", "noise_i_y").value == pytest.approx(noise["i_y"][0], abs=1e-4)
    assert found.at("1", "binned_i_x").value == bins["i_x"][0]
    assert found.at("1", "binned_i_y").value == bins["i_y"][0]
    assert "Binning(30, (-1.0, 1.0))" in found.at("1", "binned_i_y").note
    assert "'layer'" in found.at("output", "binned_i_y").note
    assert found.at("1", "noise_i_y").beyond_permuted
    assert not found.at("1", "binned_i_y").beyond_permuted  # every input in a cell of its own
    assert found.at("1", "binned_alone").value == 1
    text = " ".join(f.text for f in load("information").finding(found))
    assert "whatever is trained" in text
    assert "compression from one checkpoint" in text


@pytest.mark.parametrize("n", [2, 9, 300])
def test_noise_information_of_several_columns(n):
    rng = np.random.default_rng(n)
    h = np.float32(rng.normal(size=(n, 5)) * [1e3, 1, 1, 1e-3, 0])
    labels = np.stack([np.arange(n) % 2, rng.integers(0, max(2, n // 3), n)], axis=1)
    i_x, i_y = noise_information(h, labels, 0.3)
    readout = dt.GaussianNoise(0.3, relative="distance")
    for k, column in enumerate(labels.T):
        if len(set(column)) > 1:
            truth = readout.summarize(h[None], column)
            assert (i_x, i_y[k]) == pytest.approx((truth["i_x"][0], truth["i_y"][0]), abs=1e-4)


def test_correlation_and_its_map(measured):
    net, x, y, results = measured
    from deeptheory.inspection.rows import chosen_rows

    rows = chosen_rows(prepare(net, x, y).context(net))
    with torch.no_grad():
        h = net[:2](x[rows])
    found = results["correlation"]
    assert found.at("1", "correlation").value == pytest.approx(mean_correlation(h), abs=1e-5)
    first = net[0]
    kernel = (x[rows].double() @ x[rows].double().T / 12).numpy()
    w, b = first.weight.detach().double(), first.bias.detach().double()
    kernel = mean_field_kernel(
        kernel, nn.Tanh(), weight_variance=float(12 * w.square().mean()), bias_variance=float(b.square().mean())
    )
    size = np.sqrt(np.diag(kernel))
    c = kernel / size / size[:, None]
    assert found.at("1", "mean_field").value == pytest.approx((c.sum() - 64) / 64 / 63, abs=1e-6)


def test_large_maps_are_read_in_part(monkeypatch, measured):
    net, x, y, results = measured
    monkeypatch.setattr("deeptheory.inspection.correlation._ENTRIES", 16)
    found = measure(net, x, y, instruments="correlation", twins=0)["correlation"]
    assert found.at("1", "correlation").note.startswith("16 of 20 values")
    assert found.at("1", "correlation").value == pytest.approx(
        results["correlation"].at("1", "correlation").value, abs=0.15
    )
    assert found.at("3", "correlation").value == results["correlation"].at("3", "correlation").value


def test_the_map_predicts_wide_untrained_networks():
    x, y = blobs()
    off = []
    for seed in range(4):
        shared = nn.ReLU()  # one module, called twice
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            inner = nn.Sequential(nn.Linear(1000, 1000), nn.Dropout(), shared)
            net = nn.Sequential(nn.Linear(12, 1000), shared, inner, nn.Linear(1000, 1000))
        found = measure(net, x, y, instruments="correlation", twins=0)["correlation"]
        assert [r.layer for r in found.of("mean_field")] == ["1", "1#2", "output"]
        off.append([r.value - found.at(r.layer, "correlation").value for r in found.of("mean_field")])
    assert np.abs(np.mean(off, axis=0)).max() < 0.03


def test_cheapness_is_that_of_the_units(measured):
    net, x, _, results = measured
    found = results["cheapness"]
    with torch.no_grad():
        h = net(x)
    assert found.at("output", "degree_1").value == pytest.approx(polynomial_r2(x, h, 1).mean(), abs=1e-6)
    assert "66 coefficients and 192 rows" in found.at("output", "degree_2").note
    assert "input" not in {r.layer for r in found.rows}


def test_flattening_finds_linear_parts():
    x, y = blobs()
    net = nn.Sequential(nn.Linear(12, 3), nn.Sequential(nn.Dropout(), nn.Linear(3, 12)), nn.ReLU(), nn.Linear(12, 4))
    found = measure(net, x, y, instruments="flattening", twins=0)["flattening"]
    r = found.of("flattening_cost")[0]
    assert r.value == 144 / 72
    assert "1 of 1 linear parts, from 0" in r.note
    assert found.of("cheapest_form")[0].value == 1
    assert "take 2 (no control) synapses" in load("flattening").finding(found).text
    net = nn.Sequential(nn.Linear(12, 50), nn.Linear(50, 12), nn.Tanh(), nn.Linear(12, 4))
    wide = measure(net, x, y, instruments="flattening", twins=0)["flattening"]
    assert wide.of("cheapest_form")[0].value == 144 / 1200


class _Many(nn.Module):
    """40 outputs, and one of them as a second head."""

    def __init__(self):
        super().__init__()
        self.body, self.head = mlp(12, 30, 40), nn.Linear(40, 1)

    def forward(self, x):
        h = self.body(x)
        return h, self.head(h)


def test_propagation_with_many_outputs():
    x, y = blobs()
    net = _Many()
    few = measure(net.body, x[:64], y[:64], instruments="propagation", twins=0)["propagation"]
    s = dt.inspection.jacobian_singular_values(net.body, x[:64])
    assert few.of("largest")[0].value == pytest.approx(float(s[:, 0].mean()), rel=0.02)
    assert few.of("mean_square")[0].value == pytest.approx(float(s.square().mean()), rel=0.1)
    assert "16 random vectors for 40 outputs" in few.of("mean_square")[0].note
    assert "all singular values are computed up to 32" in few.of("relative_variance")[0].note
    tokens = nn.Sequential(nn.Embedding(9, 4), nn.Flatten(), nn.Linear(8, 4))
    ids = torch.arange(80).view(40, 2) % 9
    refused = measure(tokens, ids, torch.arange(40) % 4, instruments="propagation", twins=0)["propagation"]
    assert "integers" in refused.of("largest")[0].note


def test_propagation_in_pieces(monkeypatch, measured):
    net, x, y, results = measured
    monkeypatch.setattr("deeptheory.inspection.propagation._ENTRIES", 100)
    pieces = measure(net, x, y, instruments="propagation", twins=0)["propagation"]
    for q in ("largest", "mean_square", "relative_variance"):
        assert pieces.of(q)[0].value == pytest.approx(results["propagation"].of(q)[0].value, rel=1e-4)


def test_hessian_of_a_model(measured):
    net, x, y, _ = measured
    assert "hessian" in INSTRUMENTS
    assert not load("hessian").default
    found = measure(net, x, y, instruments="hessian", twins=1)["hessian"]
    top = hessian_eigenvalues(net, x, y, k=9)
    assert found.of("largest")[0].value == pytest.approx(top[0], rel=0.01)
    assert found.of("gap")[0].value == pytest.approx(top[3] / top[4], rel=0.05)
    assert found.of("fisher_trace")[0].low > 0
    assert "largest eigenvalue" in load("hessian").finding(found).text
    numbers = measure(mlp(12, 8, 1), x, x[:, 0] * 1.5, instruments="hessian", twins=0)["hessian"]
    assert numbers.of("largest")[0].value > 0
    assert "needs classes" in numbers.of("fisher_trace")[0].note
    odd = measure(mlp(12, 8, 2), x, y, instruments="hessian", twins=0)["hessian"]  # 4 classes, 2 outputs
    assert "no Hessian of the cross entropy" in odd.of("largest")[0].note


class _Counted(nn.Module):
    """Counts the samples that go forward and backward; in no container, since a model's own ones are put back."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.counts = inner, SimpleNamespace(forward=0, backward=0)

    def forward(self, x):
        def back(g):
            self.counts.backward += len(g)

        self.counts.forward += len(x)
        out = self.inner(x)
        if out.requires_grad:
            out.register_hook(back)
        return out


def passes(classes, n=256):
    """Forward and backward passes of the probe by all default instruments on one network, as counted and as promised.
    Products with the Jacobian do not go through the output and are not counted."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = _Counted(ResNet(blocks=(2, 2, 2, 2), width=4, classes=classes))
        x, y = torch.randn(n, 3, 32, 32), torch.arange(n) % classes
    setup = prepare(net, x, y)
    context = setup.context(net)
    chosen = [load(name) for name in INSTRUMENTS if load(name).default]
    own = [i for i in chosen if i.run is not None]
    net.counts.forward = net.counts.backward = 0
    engine.streams(setup, net, [i for i in chosen if i.start is not None], context)
    for i in own:
        assert i.run is not None
        with as_found(net, grad=i.gradients):
            i.run(context)
    said = [i.cost(context) for i in own]
    forward = max(i.passes for i in chosen if i.start is not None) + sum(p.forward for p in said)
    return net.counts.forward / n, net.counts.backward / n, forward, sum(p.backward for p in said)


@pytest.mark.parametrize("classes", [10, 40])
def test_default_instruments_cost_ten_passes_at_most(classes):
    forward, backward, said_forward, said_backward = passes(classes)
    scale = 256 / 2000  # 64 inputs are differentiated: of 256 here, of 2,000 in the probe that the limit is about
    assert 1 <= forward <= said_forward + 0.05
    assert 0 < backward <= said_backward
    assert 1 + (said_forward - 1) * scale + said_backward * scale <= 10


def test_every_instrument_has_its_page_in_the_docs():
    folder = Path(__file__).parents[2] / "docs" / "instruments"
    index = (folder / "index.md").read_text()
    for name in INSTRUMENTS:
        text = (folder / f"{name}.md").read_text()
        for part in ("**Question.**", "**Formula.**", "**Source.**", "**When it lies.**"):
            assert part in text, (name, part)
        assert f"]({name}.md)" in index
        assert f"\n{name}\n" in index


@pytest.mark.parametrize(
    "page", sorted((Path(__file__).parents[2] / "docs" / "instruments").glob("*.md")), ids=lambda p: p.stem
)
def test_what_the_page_shows_runs(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        exec(compile(block, page.name, "exec"), {})


def test_the_nearest_class_mean_is_found_far_from_zero():
    from deeptheory.inspection.neural_collapse import nearest_of

    generator = torch.Generator().manual_seed(0)
    x, means = (torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in (50, 4))
    near = torch.cdist(x, means).argmin(1)
    for far in (0.0, 1e6, -1e9):  # squares of 1e9 have no digit left for distances of 1
        assert torch.equal(nearest_of(x + far, means + far), near)
