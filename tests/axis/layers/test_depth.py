"""Cells of layers and the bench by depth: which units, their noise, the controls, and that a model is left as found."""

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.axis import Poisson, axis_code, axis_code_by_layer, pixels_of, record_units
from deeptheory.axis.layers.depth import redrawn
from deeptheory.core.errors import InputError


class Net(nn.Module):
    """A rectified map, a rectified vector."""

    def __init__(self):
        super().__init__()
        self.conv, self.relu1 = nn.Conv2d(1, 4, 3, padding=1), nn.ReLU()
        self.line, self.relu2 = nn.Linear(64, 12), nn.ReLU()

    def forward(self, x):
        return self.relu2(self.line(self.relu1(self.conv(x)).flatten(1)))


LAYERS = ["relu1", "relu2"]


@pytest.fixture(scope="module")
def setting():
    torch.manual_seed(0)
    model = Net()
    with torch.no_grad():
        model.conv.bias[0] = -50.0  # a channel that is always 0
    rng = np.random.default_rng(0)
    features = rng.standard_normal((280, 6))
    mixing = rng.standard_normal((6, 16))
    mixing[:, 0] = 0  # a pixel that never varies
    return model, (features @ mixing).reshape(280, 1, 4, 4).astype(np.float32), features


def test_cells_are_the_units_that_were_drawn(setting):
    model, x, _ = setting
    got = record_units(model, LAYERS, x, pool="all", units=5, seed=1, batch=33)
    with torch.no_grad():
        maps = model.relu1(model.conv(torch.as_tensor(x))).flatten(1).numpy()
    assert np.allclose(got["relu1"].responses, maps[:, got["relu1"].positions], atol=1e-6)
    assert got["relu1"].positions.tolist() == sorted(set(got["relu1"].positions.tolist()))
    assert got["relu1"].trials is None
    assert got["relu1"].recorded is got["relu1"].responses
    assert got["relu1"].notes[1] == "5 of 64 units, drawn by seed 1"
    everyone = record_units(model, ["relu2"], x)["relu2"]
    assert everyone.responses.shape == (280, 12)
    assert everyone.positions.tolist() == list(range(12))


def test_cells_that_never_answer_are_not_drawn(setting):
    model, x, _ = setting
    got = record_units(model, ["relu1"], x, pool="all", units=1000, min_active_fraction=0.3)["relu1"]
    assert (got.positions >= 16).all()  # the dead channel's sixteen places
    share = (got.responses[:256] > 0).mean(0)
    assert (share >= 0.3).all()
    assert got.notes[1].endswith("drawn by seed 0 among those above 0 for 0.3 of the stimuli")
    again = record_units(model, ["relu1"], x[:20], pool="all", units=got.positions[[2, 0]])["relu1"]
    assert np.allclose(again.responses, got.responses[:20][:, [2, 0]], atol=1e-6)
    assert again.notes[1] == "2 of 64 units, as asked"


def test_noise_is_the_layers_own_and_the_seeds(setting):
    model, x, _ = setting
    both = record_units(model, LAYERS, x, noise=Poisson(trials=3), seed=4)
    alone = record_units(model, ["relu2"], x, noise=Poisson(trials=3), seed=4)["relu2"]
    other = record_units(model, ["relu2"], x, noise=Poisson(trials=3), seed=5)["relu2"]
    assert both["relu2"].trials.shape == (280, 3, 12)
    assert np.array_equal(both["relu2"].trials, alone.trials)
    assert not np.array_equal(other.trials, alone.trials)


def test_spikes_have_the_rate_and_count_as_poisson_does():
    answers = np.random.default_rng(0).random((2000, 4)) + np.array([0, 5, 0, 0])
    answers[:, 3] = 0
    got = Poisson(rate=10, window=0.25, trials=4)(answers, 1)
    assert got.shape == (2000, 4, 4)
    assert got.mean((0, 1)) == pytest.approx([10, 10, 10, 0], rel=0.05)
    counts = got * 0.25
    assert np.array_equal(counts, counts.round())
    level = counts[:, :, 1]  # hardly modulated: variance equals mean
    assert level.var() == pytest.approx(level.mean(), rel=0.1)
    assert np.corrcoef(got.mean(1)[:, 0], answers[:, 0])[0, 1] > 0.5


def test_depth_is_the_bench_at_every_layer_and_beside_it_the_controls(setting):
    model, x, features = setting
    model.train()
    how = {"permutations": 30, "models": False, "seed": 2}
    got = axis_code_by_layer(
        model, LAYERS, x, features, blocks={"a": slice(0, 3), "b": slice(3, 6)}, units=8, pool="all", **how
    )
    assert model.training
    one = dt.axis_code_of(
        model, "relu2", x, features, blocks={"a": slice(0, 3), "b": slice(3, 6)}, units=8, pool="all", **how
    )
    assert np.allclose(got.trained["relu2"].axes.sta, one.axes.sta)
    assert np.array_equal(got.trained["relu2"].units, one.units)
    untrained, notes = redrawn(model, 2)
    assert notes == ()
    assert not torch.equal(untrained.conv.weight, model.conv.weight)
    other = dt.axis_code_of(
        untrained, "relu2", x, features, blocks={"a": slice(0, 3), "b": slice(3, 6)}, units=8, pool="all", **how
    )
    assert np.allclose(got.untrained["relu2"].axes.sta, other.axes.sta)
    values, at = pixels_of(x, 8, 2)
    assert np.array_equal(values, x.reshape(280, -1)[:, at].astype(float))
    assert 0 not in at
    alone = axis_code(values, features, {"a": slice(0, 3), "b": slice(3, 6)}, **how)
    assert np.allclose(got.pixels.axes.sta, alone.axes.sta)
    table = got.table()
    assert table[["condition", "layer"]].values.tolist() == [
        *(["trained", k] for k in LAYERS),
        *(["untrained", k] for k in LAYERS),
        ["pixels", ""],
    ]
    row = table.iloc[1]
    tuned = one.ramp.tuned
    assert row["preference"] == pytest.approx(np.median(one.preference.index[tuned]))
    assert row["flat"] == pytest.approx(one.flatness.flat[tuned].mean())
    assert row["explained a"] == pytest.approx(one.decoding.by_block["a"])
    assert len(got.figure("flat").data) == 2
    assert got.figure("preference").layout.shapes  # the line of the pixels
    assert got.scalars()["trained/relu2/flat"] == pytest.approx(row["flat"])
    assert "2 layers, relu1 to relu2, beside them untrained, pixels" in repr(got)


def test_models_by_depth(setting):
    model, x, features = setting
    got = axis_code_by_layer(
        model, ["relu2"], x, features, untrained=redrawn(model, 9)[0], pixels=False, units=3, folds=2, permutations=10
    )
    assert got.pixels is None
    code = got.trained["relu2"]
    beats = (code.models.of("axis") > code.models.of("exemplar")).mean()
    assert got.table()["axis_beats_exemplar"].iloc[0] == pytest.approx(beats)
    assert got.figure("axis").data[0].y[0] == pytest.approx(beats, abs=1e-4)


def test_parameters_that_cannot_be_drawn_again_are_named():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor, self.line = nn.Parameter(torch.ones(3)), nn.Linear(3, 3)

    copy, notes = redrawn(Odd(), 0)
    assert notes == ("the untrained copy keeps the parameters of the model itself, which have no reset_parameters",)
    assert torch.equal(copy.factor, torch.ones(3))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda m, x, f: axis_code_by_layer(m, [], x, f), "layers is empty"),
        (
            lambda m, x, f: axis_code_by_layer(m, ["relu2"], (torch.as_tensor(x),), f, models=False),
            "stimuli are not one array",
        ),
        (
            lambda m, x, f: axis_code_by_layer(m, ["relu2"], x, f, models=False, permutations=9).figure("axis"),
            "needs models=True",
        ),
        (
            lambda m, x, f: axis_code_by_layer(m, ["relu2"], x, f, models=False, permutations=9).figure("ax"),
            "unknown figure 'ax'",
        ),
        (lambda m, x, f: pixels_of(np.ones((5, 3), np.float32), 2), "none of the 3 pixels varies"),
        (lambda m, x, f: record_units(m, ["relu2"], x, units=[12]), r"units are \[12\]; layer 'relu2' has 12"),
        (lambda m, x, f: record_units(m, ["relu2"], x, units=13), "units is 13; layer 'relu2' has 12 units"),
        (
            lambda m, x, f: record_units(m, ["relu2"], x, min_active_fraction=1.1),
            "no unit of layer 'relu2' is above 0 for 1.1",
        ),
        (lambda m, x, f: record_units(m, ["conv"], x, noise=Poisson()), "none negative"),
        (lambda m, x, f: Poisson(rate=0), "rate is 0; needed: a finite number above 0"),
        (lambda m, x, f: Poisson()(np.ones(3), 0), r"responses have shape \[3\]"),
    ],
)
def test_wrong_use(setting, call, match):
    with pytest.raises(InputError, match=match):
        call(*setting)


def test_an_untrained_copy_that_stays_trained_says_so():
    """nn.utils.spectral_norm computes its weight at each call from one that reset_parameters never sees."""
    net = nn.Sequential(nn.utils.spectral_norm(nn.Linear(3, 8)), nn.BatchNorm1d(8), nn.PReLU(), nn.Linear(8, 2))
    copy, notes = redrawn(net, 0)
    assert torch.equal(copy[0].weight_orig, net[0].weight_orig)
    assert not torch.equal(copy[3].weight, net[3].weight)
    assert notes == ("the untrained copy keeps the parameters of 0, which reset_parameters does not draw again",)
    with pytest.warns(FutureWarning):
        computed = nn.utils.weight_norm(nn.Linear(3, 8))
    with pytest.raises(InputError, match="the model cannot be copied; give untrained="):
        redrawn(nn.Sequential(computed), 0)


def test_large_seeds_are_seeds_of_the_untrained_copy():
    net = nn.Sequential(nn.Linear(3, 8))
    assert torch.equal(redrawn(net, 2**64 + 5)[0][0].weight, redrawn(net, 5)[0][0].weight)


@pytest.mark.parametrize("unit", [2.0**-660, 2.0**660])
def test_pixels_are_chosen_in_any_unit(unit):
    images = np.random.default_rng(16).standard_normal((30, 6)) * [1, 2, 0.1, 3, 0, 1]
    assert np.array_equal(pixels_of(images * unit, 9)[1], pixels_of(images, 9)[1])


def test_pixels_that_are_constant_do_not_vary_by_rounding():
    with pytest.raises(InputError, match="none of the 4 pixels varies"):
        pixels_of(np.full((10, 4), 0.1), 2)


def test_stimuli_without_pixels_are_refused_before_the_model_runs():
    class Never(nn.Module):
        def forward(self, x, y):
            raise AssertionError

    with pytest.raises(InputError, match="stimuli are not one array"):
        axis_code_by_layer(Never(), ["a"], (torch.zeros(9, 2), torch.zeros(9, 2)), np.zeros((9, 2)))


def test_pixels_below_0_are_refused_as_spikes_before_the_model_runs():
    class Never(nn.Module):
        def forward(self, x):
            raise AssertionError

    stimuli = np.random.default_rng(0).standard_normal((30, 6))
    with pytest.raises(InputError, match="none negative"):
        axis_code_by_layer(Never(), ["a"], stimuli, np.zeros((30, 2)), noise=Poisson())
