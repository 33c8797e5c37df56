"""The plane over a recording, falls and fits, gradient phases, and the model of one neuron."""

import numpy as np
import pytest
import torch
import xarray as xr

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import fall, fits_before_compressing, fraction_of_information, one_neuron_information


@pytest.fixture(scope="module")
def data():
    return dt.datasets.icosahedron()


@pytest.fixture(scope="module")
def recordings(data):
    """The same three networks at three moments, once with activations, once with summaries only."""
    nets = dt.networks.Population.mlp([12, 4, 3, 2], seeds=[1, 2, 5])
    readout = dt.Binning(30, (-1, 1))
    full = dt.Recorder(nets, data.x, data.y, layers="layer*")
    lean = dt.Recorder(nets, data.x, data.y, layers="layer*", readouts=readout)
    for step in (0, 5, 20):
        full.snapshot(step)
        lean.snapshot(step)
        dt.networks.fit(nets, data.x, data.y, epochs=20, lr=0.01)
    return full.recording, lean.recording


def test_summaries_kept_are_those_of_the_activations(recordings):
    full, lean = recordings
    readout = dt.Binning(30, (-1, 1))
    a, b = (dt.information_plane(r, readout) for r in (full, lean))
    assert a.dataset().identical(b.dataset())
    assert a.dataset().sizes == {"seed": 3, "step": 3, "layer": 3}
    assert "3 networks, 3 steps, 3 layers" in repr(a)
    assert a.scalars()["i_x/layer1"] == pytest.approx(a.i_x[:, -1, 0].mean())


def test_a_plane_comes_back_from_its_dataset(recordings):
    readout = dt.Binning(30, (-1, 1))
    plane = dt.information_plane(recordings[1], readout)
    again = dt.information.InformationPlane.of(plane.dataset(), readout)
    assert again.dataset().identical(plane.dataset())
    with pytest.raises(InputError, match="was read out by"):
        dt.information.InformationPlane.of(plane.dataset(), dt.Exact())


@pytest.mark.parametrize("readout", [dt.Binning(30, (-1, 1)), dt.GaussianNoise(0.5)])
def test_its_null_and_the_readout_s_bounds_come_back_too(recordings, readout):
    some = slice(None, None, 53)
    a, y = recordings[0].activations("layer1", 0)[:, some], recordings[0].targets[some]
    plane = dt.information_plane(a, readout, targets=y, permutations=3)
    again = dt.information.InformationPlane.of(plane.dataset(), readout)
    assert np.array_equal(again.p_value, plane.p_value)
    assert np.array_equal(again.null_mean, plane.null_mean)
    assert again.extra.keys() == plane.extra.keys()
    assert again.dataset().identical(plane.dataset())


@pytest.mark.parametrize("permutations", [-1, 2.5])
def test_a_number_of_permutations_is_whole(recordings, permutations):
    with pytest.raises(InputError, match=f"permutations is {permutations}; needed: an integer"):
        dt.information_plane(recordings[0], dt.Exact(), permutations=permutations)


def test_the_order_of_information_holds_where_it_must(recordings):
    """Exact symbols obey the data-processing inequality from layer to layer; nothing exceeds H(X) or H(Y)."""
    plane = dt.information_plane(recordings[0], dt.Exact())
    assert (np.diff(plane.i_x, axis=2) <= 1e-9).all()
    assert (np.diff(plane.i_y, axis=2) <= 1e-9).all()
    assert plane.i_x.max() <= 12 + 1e-9
    assert plane.i_y.max() <= plane.h_y + 1e-9
    assert plane.h_y == pytest.approx(0.999157, abs=1e-6)


def test_global_bounds_span_all_layers_steps_and_networks(recordings):
    full, lean = recordings
    a = [full.activations(la) for la in full.layers]
    low, high = min(float(v.min()) for v in a), max(float(v.max()) for v in a)
    wide = dt.information_plane(full, dt.Binning(10, "global"))
    assert np.array_equal(wide.i_x, dt.information_plane(full, dt.Binning(10, (low, high))).i_x)
    with pytest.raises(InputError, match="kept summaries only, and not those of Binning.*global"):
        dt.information_plane(lean, dt.Binning(10, "global"))


def test_the_figure_has_a_frame_a_step_and_a_point_a_network(recordings):
    plane = dt.information_plane(recordings[1], dt.Binning(30, (-1, 1)))
    figure = plane.figure()
    assert [f.name for f in figure.frames] == ["0", "5", "20"]
    dots = [t for t in figure.frames[1].data if t.mode == "markers"]
    assert len(dots) == 3
    assert np.allclose(dots[0].x, plane.i_x[:, 1, 0], atol=1e-3)
    curves = plane.figure("curves")
    means = [t for t in curves.data if t.name == "layer2"]
    assert np.allclose(means[0].y, plane.i_x.mean(0)[:, 1], atol=1e-3)
    with pytest.raises(InputError, match="unknown figure"):
        plane.figure("bars")


def test_the_curves_are_drawn_from_the_table(recordings):
    plane = dt.information_plane(recordings[1], dt.Binning(30, (-1, 1)))
    table = plane.table()
    assert len(table) == 27
    row = table[(table.seed == 5) & (table.step == 20) & (table.layer == "layer2")].iloc[0]
    assert row.i_x == plane.i_x[2, 2, 1]


@pytest.mark.parametrize("labels", [(0, 100_000), (0, 20_000, 10**9), ("a", "z"), (-1, 1), (False, True)])
@pytest.mark.parametrize("readout", [dt.Binning(5), dt.Exact(), dt.GaussianNoise(0.5)], ids=repr)
def test_what_labels_are_called_costs_nothing(labels, readout):
    rng = np.random.default_rng(0)
    a, codes = rng.normal(size=(1, 300, 3)), rng.integers(0, len(labels), 300)
    plain, named = (dt.information_plane(a, readout, targets=y) for y in (codes, np.array(labels)[codes]))
    assert np.array_equal(plain.i_y, named.i_y)
    assert plain.h_y == named.h_y


@pytest.mark.parametrize("readout", [dt.Binning(2, "unit"), dt.Quantized(1), dt.GaussianNoise(2.0)], ids=repr)
@pytest.mark.parametrize("classes", [65, 400, 2000])
def test_many_classes_are_counted_as_few_are(readout, classes):
    rng = np.random.default_rng(classes)
    n = 2 * classes
    a = rng.normal(size=(1, n, 2))
    y = np.concatenate([np.arange(classes), rng.integers(0, classes, classes)])
    plane = dt.information_plane(a, readout, targets=y)
    dense = readout.summarize(a, np.eye(classes)[y])  # as p(y|x), counted class by class
    assert plane.i_y.item() == pytest.approx(dense["i_y"][0], abs=1e-6)
    assert plane.i_y.item() <= plane.h_y + 1e-9


def test_an_empty_recording_is_told():
    recorder = dt.Recorder(torch.nn.Linear(2, 2), X[0], Y, readouts=dt.Exact())
    with pytest.raises(InputError, match="the recording is empty: no step was recorded"):
        dt.information_plane(recorder.recording, dt.Exact())
    with pytest.raises(InputError, match="the recording is empty"):
        dt.information_plane(dt.Recorder(torch.nn.Linear(2, 2), X[0], Y).recording, dt.Exact())


def test_other_targets_than_the_summaries_had_are_refused():
    recorder = dt.Recorder(torch.nn.Linear(2, 2), X[0], Y, readouts=dt.Exact())
    recorder.snapshot(0)
    assert dt.information_plane(recorder.recording, dt.Exact(), targets=Y).i_x.shape == (1, 1, 1)
    with pytest.raises(InputError, match="differ from those that the summaries were made with"):
        dt.information_plane(recorder.recording, dt.Exact(), targets=Y[::-1])
    with pytest.raises(InputError, match="permutations= deals labels out again and needs the activations"):
        dt.information_plane(recorder.recording, dt.Exact(), permutations=3)


def test_a_summary_that_makes_no_plane_is_told():
    recorder = dt.Recorder(torch.nn.Linear(2, 2), X[0], Y, readouts=dt.information.Cosines())
    recorder.snapshot(0)
    with pytest.raises(InputError, match="gives no i_x, i_y, h_t, occupied and makes no plane"):
        dt.information_plane(recorder.recording, dt.information.Cosines())


@pytest.mark.parametrize("n", [50, 400])
def test_a_plane_that_cannot_say_anything_says_so(n):
    """Wide layers under fine bins: one dot. The figure tells; noise by distance moves,
    and is not at the permuted labels' point."""
    rng = np.random.default_rng(n)
    y = np.arange(n) % 10
    a = rng.normal(size=(1, n, 500)) + 1.2 * rng.normal(size=(10, 500))[y]
    blind = dt.information_plane(a, dt.Binning(30), targets=y)
    assert blind.blind == ("layer",)
    said = next(note for note in blind.notes if note.startswith(f"all {n} inputs have a cell of their own"))
    assert f"log2 n = {np.log2(n):.4g}" in said
    assert "GaussianNoise(0.5, relative='distance')" in said
    drawn = " ".join(t.text for t in blind.figure().layout.annotations)
    assert f"all {n} inputs" in drawn
    assert "permuted labels" in drawn
    plane = dt.information_plane(a, dt.GaussianNoise(0.5, relative="distance"), targets=y, permutations=9)
    assert not plane.blind
    assert plane.i_y.item() > plane.null_mean.item() + 0.3
    assert plane.p_value.item() == pytest.approx(0.1)
    assert not any("all " in t.text for t in plane.figure().layout.annotations)


def test_the_figure_names_the_layers_of_which_it_sees_nothing():
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    wide, narrow = torch.nn.Linear(3, 400), torch.nn.Linear(400, 1)
    model = torch.nn.Sequential(wide, torch.nn.ReLU(), narrow, torch.nn.Sigmoid())
    recorder = dt.Recorder(model, rng.normal(size=(60, 3)), np.arange(60) % 2, readouts=dt.Binning(3))
    recorder.snapshot(0)
    plane = dt.information_plane(recorder.recording, dt.Binning(3))
    assert plane.blind == ("1",)
    assert any("sees nothing in 1: all 60 inputs" in t.text for t in plane.figure().layout.annotations)


def test_a_notebook_shows_how_much_it_leaves_out_and_the_notes(recordings):
    plane = dt.information_plane(recordings[1], dt.Binning(30, (-1, 1)))
    shown = plane._repr_html_()
    assert "20 of 27 rows" in shown
    assert "the network is deterministic" in shown


def test_fall_counts_after_the_maximum_only():
    assert fall(np.array([[0, 3, 5, 4, 4.5], [5, 1, 2, 3, 4], [1, 2, 3, 4, 5]])).tolist() == [1, 4, 0]


def test_fitting_before_compressing():
    i_x = np.array([[1, 4, 4, 3, 2, 1], [1, 4, 2, 1, 1, 1], [1, 4, 4, 4, 3.9, 3.8]], dtype=float)
    i_y = np.array([[0, 0.5, 1, 1, 1, 1], [0, 0.1, 0.2, 0.3, 0.9, 1.0], [0, 1, 1, 1, 1, 1]])
    assert fits_before_compressing(i_x, i_y).tolist() == [True, False, False]
    assert fraction_of_information(i_y, 0.5).tolist() == [2, 2, 2]


def moments(snr, steps):
    """A Dataset of one layer and one network a row of snr."""
    snr = np.asarray(snr, dtype=float)[:, :, None]
    ones = np.ones_like(snr)
    axes = ("seed", "step", "layer")
    arrays = {"mean_norm": (axes, snr), "std_norm": (axes, ones), "weight_norm": (axes, 2 * ones)}
    return xr.Dataset(arrays, coords={"seed": range(len(snr)), "step": steps, "layer": ["a"]})


def test_the_crossing_is_the_last_fall_through_one():
    steps = [0, 1, 3, 7, 15]
    rows = [[4, 2, 0.5, 0.2, 0.1], [0.5, 2, 0.5, 2, 0.5], [0.9, 0.5, 0.2, 0.1, 0.1], [4, 3, 2, 2, 1.5]]
    phases = dt.gradient_phases(moments(rows, steps))
    # from 2 at epoch 2 (counted from 1) to 1/2 at epoch 4: half way on both logarithmic axes
    assert phases.crossing[0, 0] == pytest.approx(2 * 2**0.5 - 1)
    assert 7 < phases.crossing[1, 0] < 15
    assert phases.crossing[2, 0] == 0
    assert np.isinf(phases.crossing[3, 0])
    assert phases.mean[0, 0, 0] == 2
    assert "1 of 4 crossings did not happen" in phases.notes[0]
    assert phases.table()["never"].tolist() == [1]
    assert phases.figure().data
    assert phases.dataset()["snr"].shape == (4, 5, 1)


def test_noise_alone_has_a_ratio_of_one_over_the_root_of_the_batches():
    torch.manual_seed(0)
    model = torch.nn.Linear(400, 50, bias=False)
    recorder = dt.GradientRecorder(model)
    for _ in range(16):
        model.weight.grad = torch.randn(50, 400)
        recorder.collect()
    recorder.snapshot(0)
    assert dt.gradient_phases(recorder.dataset()).snr.item() == pytest.approx(0.25, rel=0.05)


def test_one_neuron_is_exact():
    edges = np.linspace(-1, 1, 31)
    w = [0.1, 0.5, 0.870, 2, 5, 10, 100, 1000]
    known = [2.644, 4.631, 4.8998, 4.157, 2.775, 2.044, 1.151, 1.020]
    assert one_neuron_information(w, edges) == pytest.approx(known, abs=6e-4)
    sampled = np.tanh(2 * np.random.default_rng(0).standard_normal((1, 200_000, 1)))
    y = np.arange(200_000) % 2
    assert dt.Binning(edges=edges).summarize(sampled, y)["i_x"][0] == pytest.approx(4.157, abs=0.01)
    growing = one_neuron_information(np.geomspace(0.1, 100, 40), np.arange(-1, 1000, 0.5), "relu")
    assert (np.diff(growing) > 0).all()


X = np.random.default_rng(0).uniform(-1, 1, (1, 10, 2))
Y = [0, 1] * 5


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.information_plane(X, None, targets=Y), "readout is None; state one"),
        (lambda: dt.information_plane(X, dt.Exact()), "without targets="),
        (lambda: dt.information_plane(X[0, 0], dt.Exact(), targets=Y), r"activations have shape \[2\]"),
        (lambda: dt.Exact().summarize(X[0], Y), r"have shape \[10, 2\]; needed: \[seed, sample, unit\]"),
        (lambda: dt.Exact().summarize(X[:, :0], Y), "none of them 0"),
        (lambda: dt.Exact().summarize(np.where(X > 0, np.nan, X), Y), r"activations hold nan \(seed 0, sample"),
        (lambda: dt.Exact().summarize(X, Y[:4]), r"targets have shape \[4\], activations 10 samples"),
        (
            lambda: dt.Exact().summarize(X, [np.nan, 1] * 5),
            "labels run from nan",
        ),  # [-1, 1] are two classes: codes do not matter
        (lambda: dt.Exact().summarize(X, [0.5, 1] * 5), "needed: integers"),
        (lambda: dt.Exact().summarize(X, [1] * 10), "targets hold one class only"),
        (lambda: dt.Exact().summarize(X, np.full((10, 2), 0.7)), "must be probabilities"),
        (lambda: dt.Exact().summarize(X, None), "targets are missing"),
        (lambda: dt.Binning(30, (-1, 1)).summarize(3 * X, Y), r"values lie outside \[-1, 1\] .*use bounds='layer'"),
        (lambda: dt.Binning(30, "global").summarize(X, Y), "needs every layer and step at once"),
        (lambda: dt.Binning(0), "n is 0"),
        (lambda: dt.Binning(), "n is None"),
        (lambda: dt.Binning(3, (1, -1)), "the first must be below the second"),
        (lambda: dt.Binning(3, "layers"), "unknown bounds 'layers'; did you mean layer"),
        (lambda: dt.Binning(3, spacing="log"), "unknown spacing"),
        (lambda: dt.Binning(3, (0, 1), spacing="count"), "finds the edges from the values"),
        (lambda: dt.Binning(3, "global", spacing="count"), "not 'global'"),
        (lambda: dt.Binning(edges=[0, 0, 1]), "edges must ascend"),
        (lambda: dt.Binning(3, edges=[0, 1]), "n is then not given"),
        (lambda: dt.GaussianNoise(0), "sigma is 0"),
        (lambda: dt.GaussianNoise(1, relative=True).summarize(0 * X, Y), "no scale for relative noise"),
        (lambda: dt.Quantized(0), "bits is 0"),
        (lambda: dt.Quantized(8, (1, 0)), "the first must be below"),
        (lambda: dt.gradient_phases(None), "no gradients were recorded"),
        (lambda: dt.gradient_phases(moments([[1, 1]], [0, 1]) * np.nan), "fluctuations are undefined"),
        (lambda: dt.gradient_phases(moments([[1, 1]], [3, 3])), "step 3 appears 2 times"),
        (lambda: dt.gradient_phases(moments([[1, 1]], [-1, 3])), "0 or above"),
        (lambda: dt.gradient_phases(moments([[1, 1]], [0, 1]).drop_vars("std_norm")), "have no std_norm"),
        (lambda: one_neuron_information(0, [0, 1]), "weight is 0"),
        (lambda: one_neuron_information(1, [1, 0]), "edges must ascend"),
        (lambda: one_neuron_information(1, [0, 1], "gelu"), "unknown activation"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


@pytest.mark.parametrize("lost", ["i_x", "occupied", "inputs", "h_y"])
def test_a_dataset_that_lacks_something_is_told(lost):
    readout = dt.Binning(3, "layer")
    data = dt.information_plane(np.random.default_rng(0).normal(size=(9, 2)), readout, targets=np.arange(9) % 2)
    data = data.dataset()
    part = data.drop_vars(lost) if lost in data else data.assign_attrs()
    part.attrs.pop(lost, None)
    with pytest.raises(InputError, match=f"lacks {lost}"):
        dt.information.InformationPlane.of(part, readout)
