"""Weights kept at each snapshot: the model's own bits, whole files, and no mixture of two trainings."""

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.recording.checkpoints import Checkpoints

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(4, 4), nn.Linear(4, 4), nn.BatchNorm1d(4)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(torch.relu(self.norm(self.a(x))))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_weights_come_back_bit_for_bit(tmp_path, dtype):
    model = Tied().to(dtype)
    kept = Checkpoints(tmp_path / "weights")
    kept.save(3, model)
    found = load_file(kept.path(3))
    assert found.keys() == model.state_dict().keys()
    assert all(torch.equal(found[k], v) for k, v in model.state_dict().items())
    assert kept.steps == (3,)
    assert not list((tmp_path / "weights").glob(".*"))


def test_a_recorder_keeps_weights_and_no_activations(tmp_path):
    model = Tied()
    recorder = dt.Recorder(model, X, weights=tmp_path / "weights")
    for step in (0, 10):
        recorder.snapshot(step)
        with torch.no_grad():
            model.a.weight.add_(1)
    assert recorder.steps == recorder.weights.steps == (0, 10)
    assert recorder.recording.steps == ()
    a, b = (load_file(recorder.weights.path(s))["a.weight"] for s in (0, 10))
    assert torch.equal(a + 1, b)
    assert "weights alone; 2 steps recorded" in repr(recorder)
    with pytest.raises(InputError, match="step 10 is recorded already"):
        recorder.snapshot(10)


def test_readouts_are_kept_next_to_weights(tmp_path):
    recorder = dt.Recorder(Tied(), X, torch.arange(8) % 2, readouts=dt.Exact(), weights=tmp_path / "weights")
    recorder.snapshot(1)
    assert recorder.steps == recorder.recording.steps == recorder.weights.steps == (1,)


def test_two_trainings_are_not_mixed(tmp_path):
    for step in (0, 5):
        Checkpoints(tmp_path).save(step, Tied())  # each as a session of its own that goes on
    again = Checkpoints(tmp_path)
    with pytest.raises(StoreError, match=r"holds steps after 2 \(5\) of another training"):
        again.save(2, Tied())
    again.forget_after([0])
    again.save(2, Tied())
    assert again.steps == (0, 2)


def test_what_cannot_be_kept_is_told(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"model \(ReLU\) has no weights to keep"):
        Checkpoints(tmp_path).save(0, nn.ReLU())
    with pytest.raises(InputError, match=r"weight 'weight' is without values \(meta\)"):
        Checkpoints(tmp_path).save(0, nn.Linear(2, 2, device="meta"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file is a file; name a folder"):
        Checkpoints(tmp_path / "file")
    with pytest.raises(InputError, match=r"record population\.network\(0\)"):
        dt.Recorder(dt.networks.Population.mlp([4, 3, 2], seeds=range(2)), X, weights=tmp_path)

    def full(tensors, path):
        raise OSError("no space left")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(StoreError, match=r"step-7\.safetensors could not be written \(no space left\)"):
        Checkpoints(tmp_path).save(7, Tied())
    assert not list(tmp_path.glob(".*"))


def test_a_training_checkpoint_takes_the_weights_back(tmp_path):
    recorder = dt.Recorder(Tied(), X, weights=tmp_path / "weights")
    recorder.snapshot(0)
    (tmp_path / "kept").mkdir()
    recorder.keep(tmp_path / "kept")
    recorder.snapshot(1)
    again = dt.Recorder(Tied(), X, weights=tmp_path / "weights")
    again.resume(tmp_path / "kept")
    assert again.steps == (0,)
    again.snapshot(1)
    assert again.weights.steps == (0, 1)
