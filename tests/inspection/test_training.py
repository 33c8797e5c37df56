"""Over training: each series is what the checkpoint gives alone, its twins are those of the model, and noise has a
floor."""

import json
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

import deeptheory as dt

RNG = torch.Generator().manual_seed(0)
X, Y = torch.randn(60, 4, generator=RNG), torch.arange(60) % 3


def net(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder, model = tmp_path_factory.mktemp("training"), net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    gradients = dt.GradientRecorder(model)
    recorder = dt.Recorder(model, X, Y, weights=folder / "weights", gradients=gradients)
    recorder.snapshot(0)
    for epoch in range(1, 4):
        for rows in torch.arange(60).split(15):
            optimizer.zero_grad()
            functional.cross_entropy(model(X[rows]), Y[rows]).backward()
            gradients.collect()
            optimizer.step()
        gradients.snapshot(epoch)
        recorder.snapshot(epoch)
    found = dt.inspect(
        model,
        X,
        Y,
        instruments=["health", "information"],
        checkpoints=recorder,
        out=folder / "run",
        twins=2,
        permutations=3,
        progress=False,
    )
    return model, recorder, found, folder / "run"


def test_each_series_is_what_the_checkpoint_gives_alone(trained):
    model, recorder, found, _ = trained
    series = {(s["instrument"], s["quantity"], s["layer"]): s for s in found.document()["training"]["series"]}
    assert ("information", "noise_i_y", "input") not in series  # which no training moves
    for k, step in enumerate(recorder.steps):
        model.load_state_dict(_state(recorder, step))
        alone = dt.inspect(model, X, Y, instruments=["health", "information"], twins=2, permutations=3, progress=False)
        for (instrument, quantity, layer), s in series.items():
            r = alone.results[instrument].at(layer, quantity)
            for field in ("value", "low", "high", "permuted_mean", "permuted_low", "permuted_high"):
                value = getattr(r, field)
                if s[field] and not math.isnan(value):
                    assert s[field][k] == value
                else:
                    assert not s[field] or s[field][k] is None
            assert (s["twin_least"], s["twin_most"]) == tuple(
                None if math.isnan(v) else v for v in (r.twin_least, r.twin_most)
            )


def _state(recorder, step):
    from safetensors.torch import load_file

    return load_file(recorder.weights.path(step))


def test_the_plane_is_the_instruments_numbers(trained):
    *_, found, _ = trained
    plane = next(p for p in found.document()["training"]["planes"] if p["readout"] == "noise")
    r = found.results["information"]
    for path in plane["paths"]:
        assert path["x"] == [r.at(path["layer"], "noise_i_x", c).value for c in found.checkpoints]
        assert path["y"] == [r.at(path["layer"], "noise_i_y", c).value for c in found.checkpoints]
        last = [r.at(path["layer"], q) for q in ("noise_i_x", "noise_i_y")]
        assert [tuple(t) for t in path["twins"]] == list(zip(last[0].twins, last[1].twins))
    cells = [x.value for x in r.rows if x.quantity == "noise_cells" and not x.of_input]
    assert plane["doubtful"] == sum(v > 0.2 for v in cells)
    assert plane["points"] == len(cells)


def test_gradient_phases_stand_with_the_floor_of_noise(trained):
    _, recorder, found, _ = trained
    phases = found.document()["training"]["phases"]
    data = recorder.recording.gradients
    assert phases["steps"] == [1, 2, 3]
    for p in phases["layers"]:
        expected = (data["mean_norm"] / data["std_norm"]).sel(layer=p["layer"]).values[0]
        assert p["snr"] == pytest.approx(list(expected))
        assert p["floor"] == 1 / math.sqrt(4)
    assert any("pure noise over 4 minibatches" in note for note in phases["notes"])


def test_gradients_that_tell_no_phases_take_nothing_else_with_them(tmp_path):
    model = net()
    gradients = dt.GradientRecorder(model)
    recorder = dt.Recorder(model, X, Y, weights=tmp_path / "weights", gradients=gradients)
    functional.cross_entropy(model(X), Y).backward()
    gradients.collect()
    gradients.snapshot(0)
    recorder.snapshot(0)
    dt.inspect(model, X, Y, instruments="health", checkpoints=recorder, out=tmp_path / "run", twins=0, progress=False)
    page = (tmp_path / "run" / "report.html").read_text()
    assert "No gradient phases: fluctuations are undefined: one minibatch per epoch" in page


def test_scalars_of_every_step_go_into_a_tracker(trained):
    *_, found, folder = trained
    logged = {int(c): found.scalars(c) for c in found.checkpoints}
    assert sorted(logged) == [0, 1, 2, 3]
    assert {frozenset(s) for s in logged.values()} == {frozenset(found.scalars())}
    assert all(isinstance(v, float) and math.isfinite(v) for s in logged.values() for v in s.values())
    assert logged[3] == found.scalars()
    assert found.results["health"].scalars("1")["health/rank/output"] == logged[1]["health/rank/output"]
    with pytest.raises(dt.errors.InputError, match="unknown checkpoint '7'"):
        found.scalars("7")
    kept = json.loads((folder / "inspection.json").read_text())
    assert kept["training"]["names"] == ["0", "1", "2", "3"]


def test_one_checkpoint_has_no_training():
    found = dt.inspect(net(), X, Y, instruments="health", twins=0, progress=False)
    assert found.document()["training"] is None
    assert found.steps is None
