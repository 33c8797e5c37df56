"""Recordings on disk and joined: whole or not there, and never silently of something else."""

import json

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError

X = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
Y = np.array([0, 1, 2, 0, 1, 2])


def model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def made(steps=(0, 1, 10), seed=0, **kwargs):
    recorder = dt.Recorder(model(seed), X, Y, seed=seed, **kwargs)
    for step in steps:
        recorder.snapshot(step)
    return recorder.recording


@pytest.mark.parametrize("readouts", [None, [dt.Exact(), dt.Binning(3)]])
def test_saved_is_loaded(tmp_path, readouts):
    recording = made(readouts=readouts)
    gradients = dt.GradientRecorder(None)
    gradients.add("0", mean_norm=[1.0], std_norm=[2.0], weight_norm=[3.0], batches=4, step=0)
    recording.gradients = gradients.dataset()
    recording.save(tmp_path / "r")
    back = dt.Recording.load(tmp_path / "r")
    for name in ("seeds", "steps", "layers", "readouts", "inputs", "distinct"):
        assert getattr(back, name) == getattr(recording, name), name
    assert np.array_equal(back.targets, Y)
    assert back.gradients.identical(recording.gradients)
    if readouts:
        assert back.summary(dt.Exact()).identical(recording.summary(dt.Exact()))
        assert "summaries of Exact()" in repr(back)
    else:
        assert torch.equal(back.activations("1"), recording.activations("1"))
        assert back.dataset().identical(recording.dataset())


def test_a_store_receives_every_step_at_once(tmp_path):
    recorder = dt.Recorder(model(), X, Y, store=tmp_path / "s")
    for step in (0, 7):
        recorder.snapshot(step)
        assert step in dt.Recording.load(tmp_path / "s").steps
    assert torch.equal(dt.Recording.load(tmp_path / "s").activations("1"), made((0, 7)).activations("1"))
    assert not any(v is not None for v in recorder.recording._activations.values())  # nothing stays in memory


def test_a_store_is_gone_on_with_and_another_s_is_refused(tmp_path):
    made((0, 1), store=tmp_path / "s")
    recorder = dt.Recorder(model(), X, Y, store=tmp_path / "s")
    assert recorder.recording.steps == (0, 1)
    with pytest.raises(InputError, match="step 1 is recorded already"):
        recorder.snapshot(1)
    recorder.snapshot(2)
    with pytest.raises(StoreError, match="differs in inputs; choose another folder"):
        dt.Recorder(model(), X + 1, Y, store=tmp_path / "s")
    with pytest.raises(StoreError, match="differs in seeds"):
        dt.Recorder(model(), X, Y, store=tmp_path / "s", seed=4)
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "thesis.tex").write_text("x")
    for where in (tmp_path / "t", tmp_path / "t" / "thesis.tex"):
        with pytest.raises(StoreError, match="is not empty and holds no recording"):
            dt.Recorder(model(), X, Y, store=where)


def test_another_order_of_layers_is_refused_and_relabels_nothing(tmp_path):
    made((0,), store=tmp_path / "s", layers=["0", "1"])
    recorder = dt.Recorder(model(), X, Y, store=tmp_path / "s", layers=["1"])
    with pytest.raises(InputError, match=r"step 1 shows layers \['1'\], earlier steps \['0', '1'\]"):
        recorder.snapshot(1)


def test_an_interrupted_write_is_not_a_step(tmp_path):
    made((0, 1), store=tmp_path / "s")
    (tmp_path / "s" / "activations" / ".2.new-99").mkdir()
    assert dt.Recording.load(tmp_path / "s").steps == (0, 1)


def test_a_corrupt_chunk_is_told(tmp_path):
    made((0, 1), store=tmp_path / "s")
    chunk = tmp_path / "s" / "activations" / "1.npy"
    data = bytearray(chunk.read_bytes())
    data[-9] ^= 0xFF
    chunk.write_bytes(bytes(data))
    back = dt.Recording.load(tmp_path / "s")
    back.activations("1", 0)
    back.activations("1", 1)  # its own bytes are whole
    with pytest.raises(StoreError, match="corrupt in output .checksum.; delete it to make it again"):
        back.activations("output", 1)


def test_a_full_disk_loses_nothing(tmp_path, monkeypatch):
    from deeptheory.recording import steps

    recorder = dt.Recorder(model(), X, Y, store=tmp_path / "s")
    recorder.snapshot(0)
    real = steps._sha256

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(steps, "_sha256", full)
    with pytest.raises(StoreError, match="No space left.*free space"):
        recorder.snapshot(1)
    monkeypatch.setattr(steps, "_sha256", real)
    assert sorted(p.name for p in (tmp_path / "s" / "activations").iterdir()) == ["0.json", "0.npy"]
    assert dt.Recording.load(tmp_path / "s").steps == (0,)
    recorder.snapshot(1)
    assert dt.Recording.load(tmp_path / "s").steps == (0, 1)


def test_other_schemas_and_strange_folders_are_refused(tmp_path):
    made().save(tmp_path / "r")
    about = json.loads((tmp_path / "r" / "recording.json").read_text())
    (tmp_path / "r" / "recording.json").write_text(json.dumps({**about, "schema": 99}))
    with pytest.raises(StoreError, match="schema 99; this version reads 2"):
        dt.Recording.load(tmp_path / "r")
    with pytest.raises(StoreError, match="is missing; this is not a complete recording"):
        dt.Recording.load(tmp_path / "nowhere")
    (tmp_path / "r" / "recording.json").write_text("{")
    with pytest.raises(StoreError, match="cannot be read"):
        dt.Recording.load(tmp_path / "r")


def test_saving_over_another_recording_is_refused(tmp_path):
    made().save(tmp_path / "r")
    made().save(tmp_path / "r")
    with pytest.raises(StoreError, match="differs in seeds"):
        made(seed=3).save(tmp_path / "r")


def test_recordings_join_along_seed_and_step():
    parts = [made(seed=k) for k in range(3)]
    joined = dt.Recording.concatenate(parts)
    assert joined.seeds == (0, 1, 2)
    assert torch.equal(joined.activations("1", 10)[1], parts[1].activations("1", 10)[0])
    later = dt.Recording.concatenate([made((0, 1)), made((5,))], dim="step")
    assert later.steps == (0, 1, 5)
    readout = dt.Exact()
    lean = dt.Recording.concatenate([made(seed=k, readouts=readout) for k in range(2)])
    assert dt.information_plane(lean, readout).i_x.shape == (2, 3, 2)


@pytest.mark.parametrize("other", [Y[::-1].copy(), np.array(list("abcabc")), None, np.eye(3)[Y]])
def test_other_targets_are_another_recording(other, tmp_path):
    """A control with shuffled labels must not get the real ones, nor the other way round."""

    def with_targets(y, seed=0, **how):
        recorder = dt.Recorder(model(seed), X, y, seed=seed, **how)
        recorder.snapshot(0)
        return recorder.recording

    for first, second in ((Y, other), (other, Y)):
        with pytest.raises(InputError, match="recordings differ in targets"):
            dt.Recording.concatenate([with_targets(first), with_targets(second, 1)])
    with_targets(Y, store=tmp_path / "s")
    with pytest.raises(StoreError, match="differs in targets"):
        dt.Recorder(model(), X, other, store=tmp_path / "s")
    with_targets(Y).save(tmp_path / "r")
    with pytest.raises(StoreError, match="differs in targets"):
        with_targets(other).save(tmp_path / "r")
    recorder = dt.Recorder(model(), X, other)
    with pytest.raises(InputError, match="differs from this recorder in targets"):
        recorder.restore(dt.Recording.load(tmp_path / "r"))
    assert dt.Recording.concatenate([with_targets(other), with_targets(other, 1)]).seeds == (0, 1)
    assert dt.Recorder(model(), X, Y.astype(np.int32), store=tmp_path / "s").recording.steps == (0,)  # equal values


@pytest.mark.parametrize("batch", [None, 1, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_stored_step_is_two_files_that_numpy_reads(tmp_path, batch, dtype):
    layers = ["0", "1", "2", "output"]
    recorder = dt.Recorder(model().to(dtype), X.to(dtype), Y, layers=layers, store=tmp_path / "s", batch=batch)
    for step in (0, 3):
        recorder.snapshot(step)
    assert sorted(p.name for p in (tmp_path / "s" / "activations").iterdir()) == ["0.json", "0.npy", "3.json", "3.npy"]
    said = json.loads((tmp_path / "s" / "activations" / "3.json").read_text())["layers"]
    whole = np.load(tmp_path / "s" / "activations" / "3.npy", mmap_mode="r")
    want = dt.Recorder(model().to(dtype), X.to(dtype), layers=layers).activations()
    for name in layers:
        held = said[name]
        part = whole.view(np.uint8)[held["start"] : held["stop"]].view(held["dtype"]).reshape(held["shape"])
        assert np.allclose(
            part,
            want[name].float() if dtype is torch.bfloat16 else want[name],
            atol=2e-2 if dtype is torch.bfloat16 else 1e-6,
        )


def test_layers_of_several_dtypes_are_stored_as_they_are(tmp_path):
    class Mixed(nn.Module):
        def forward(self, x):
            return {"single": torch.tanh(x), "double": torch.tanh(x.double()), "half": torch.tanh(x.half())}

    recorder = dt.Recorder(Mixed(), X, store=tmp_path / "s", batch=4)
    recorder.snapshot(0)
    back = dt.Recording.load(tmp_path / "s")
    dtypes = {name: back.activations(name, 0).dtype for name in back.layers}
    assert dtypes == {"output.single": torch.float32, "output.double": torch.float64, "output.half": torch.float16}
    assert torch.equal(back.activations("output.double", 0)[0], torch.tanh(X.double()))


@pytest.mark.parametrize("batch", [None, 2])
def test_populations_are_read_out_and_stored_in_batches(tmp_path, batch):
    for nets in (
        dt.networks.Population.mlp([3, 4, 3], seeds=[2, 7]),
        dt.networks.Population.of(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)), seeds=[2, 7]),
    ):
        readouts = [dt.Binning(3), dt.Exact(), dt.GaussianNoise(0.3)]
        full, lean = dt.Recorder(nets, X, Y), dt.Recorder(nets, X, Y, readouts=readouts, batch=batch)
        kept = dt.Recorder(nets, X, Y, store=tmp_path / type(nets).__name__, batch=batch)
        for recorder in (full, lean, kept):
            recorder.snapshot(0)
        for name in full.recording.layers:
            a = full.recording.activations(name, 0)
            assert torch.allclose(kept.recording.activations(name, 0), a, atol=1e-6)
            for r in readouts[1:]:
                got = lean.recording.summary(r).sel(layer=name, step=0)["i_x"].values
                assert np.allclose(got, r.summarize(a, Y)["i_x"], atol=1e-5)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.Recording.concatenate([]), "no recordings"),
        (lambda: dt.Recording.concatenate([made()], dim="layer"), "dim is 'layer'"),
        (lambda: dt.Recording.concatenate([made(), made()]), "seed 0 stands in two recordings"),
        (lambda: dt.Recording.concatenate([made((0,)), made((1,), seed=1)]), "differ in steps: 0 and 1"),
        (lambda: dt.Recording.concatenate([made(), made(seed=1)], dim="step"), "differ in seeds"),
        (lambda: made().activations("tanh", 0), "unknown layer 'tanh'"),
        (lambda: made().activations("1", 4), "step 4 was not recorded; recorded: 0, 1, 10"),
        (lambda: made().activations("1", True), "step is True; needed: an integer"),
        (lambda: made().activations("1", 1 + 0j), r"step is \(1\+0j\); needed: an integer"),
        (lambda: made().add(True, {}), "step is True; needed: an integer"),
        (lambda: made(()).add(0, {"a": None}), "activations of layer 'a': needed are numbers"),
        (lambda: made(()).add(0, {"a": np.ones((1, 6, 2)) * 1j}), "activations of layer 'a' are complex"),
        (lambda: made().summary(dt.Exact()), "unknown readout kept 'Exact"),
        (lambda: made((), readouts=dt.Exact()).summary(dt.Exact()), "nothing was recorded yet"),
        (lambda: made(()).dataset(), "nothing was recorded yet"),
        (lambda: made(readouts=[dt.Exact(), dt.Binning(2)]).dataset(), "2 readouts were kept"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_the_tree_holds_everything():
    recording = made()
    tree = recording.datatree()
    assert tree["activations/1/activation"].shape == (1, 3, 6, 4)
    lean = made(readouts=[dt.Exact(), dt.Binning(2)]).datatree()
    assert set(lean["summaries"].children) == {"Exact()", "Binning(2, 'layer')"}


def moments(step=0, layer="0", seed=0):
    gradients = dt.GradientRecorder(seed=seed)
    gradients.add(layer, mean_norm=[1.0], std_norm=[2.0], weight_norm=[3.0], batches=4 + seed, step=step)
    return gradients


def test_a_training_checkpoint_holds_the_gradients_and_does_not_grow(tmp_path):
    """What is recorded after a resumed checkpoint is in memory: another kill would else find steps from its future."""
    recorder = dt.Recorder(model(), X, Y, gradients=moments())
    recorder.snapshot(0)
    recorder.keep(tmp_path / "c")
    for _ in range(2):
        again = dt.Recorder(model(), X, Y, gradients=dt.GradientRecorder())
        again.resume(tmp_path / "c")
        again.snapshot(5)
        assert again.steps == (0, 5)
        assert again.recording.gradients.identical(moments().dataset())
        assert dt.Recording.load(tmp_path / "c").steps == (0,)


def test_what_is_restored_does_not_change_with_the_recorder(tmp_path):
    earlier = made((0,))
    recorder = dt.Recorder(model(), X, Y)
    recorder.restore(earlier)
    recorder.snapshot(1)
    assert (earlier.steps, recorder.steps) == ((0,), (0, 1))
    with pytest.raises(InputError, match="this recorder has a store= and goes on"):
        dt.Recorder(model(), X, Y, store=tmp_path / "s").restore(earlier)


def test_gradients_are_joined_with_the_minibatches_of_each_network():
    parts = [made((0,), seed=k, gradients=moments(seed=k)) for k in range(2)]
    joined = dt.Recording.concatenate(parts).gradients
    assert joined.batches.transpose("seed", "step", "layer").values.tolist() == [[[4]], [[5]]]
    parts[1].gradients = moments(step=3, seed=1).dataset()
    with pytest.raises(InputError, match="gradients cannot be joined along seed"):
        dt.Recording.concatenate(parts)


@pytest.mark.parametrize(("step", "shape"), [(1, (1, 6, 3)), (1, (6, 2)), (1, (2, 5, 2)), (2.5, (1, 5, 2))])
def test_added_activations_have_one_shape(step, shape):
    recording = dt.Recording([0])
    recording.add(0, {"a": np.zeros((1, 5, 2))})
    with pytest.raises(InputError, match="layer 'a' has shape|step is 2.5"):
        recording.add(step, {"a": np.zeros(shape)})
    assert recording.steps == (0,)
