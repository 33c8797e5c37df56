"""A full disk is a StoreError, in whichever words the library that writes has it."""

import pytest
import torch
from safetensors import SafetensorError
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import StoreError
from deeptheory.networks import Checkpoint, Population, fit, train

X = torch.rand(12, 3, generator=torch.Generator().manual_seed(0))


def full(*args, **kwargs):
    raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")


def test_safetensors_own_error_of_a_full_disk_is_told(monkeypatch, tmp_path):
    where = Checkpoint(tmp_path / "c", 0)
    monkeypatch.setattr("deeptheory.networks.single.module_checkpoint.save_file", full)
    monkeypatch.setattr("deeptheory.networks.population.checkpoint.save_file", full)
    monkeypatch.setattr("safetensors.torch.save_file", full)
    for call in (
        lambda: train(nn.Linear(3, 2), lambda k, g: X, lambda m, b: m(b).mean(), steps=2, checkpoint=where),
        lambda: fit(Population.mlp([3, 2], seeds=[0]), X, torch.arange(12) % 2, epochs=2, checkpoint=where),
        lambda: dt.Recorder(nn.Linear(3, 2), X, weights=tmp_path / "w").snapshot(0),
    ):
        with pytest.raises(StoreError, match=r"could not be written \(.*No space left"):
            call()
    assert not list((tmp_path / "w").iterdir())
