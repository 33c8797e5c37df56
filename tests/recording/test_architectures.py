"""What there is to see in the architectures that people bring; torchlens, where it is installed, says what that is."""

import pytest
import torch

import deeptheory as dt
from architectures.models import ZOO
from deeptheory.recording.operations import IGNORED

KEPT = {  # by default: every activation, every block that adds to a residual stream, the output
    "MLP": {"1"},
    "LeNet": {"relu", "relu#2", "relu#3", "relu#4"},
    "VGG": {"features.2", "features.6", "features.9", "classifier.1"},
    "ResNet": {"relu", *(f"layers.{s}.relu{k}" for s in ("0.0", "0.1", "1.0") for k in ("", "#2", "#3"))},
    "MobileNet": {
        "hardswish",
        *(f"blocks.{k}{p}" for k in (0, 1) for p in ("", ".block.2", ".block.5", ".relu", ".hardsigmoid")),
    },
    "ConvNeXt": {f"stages.{k}{p}" for k in (0, 1) for p in ("", ".act")},
    "ViT": {f"blocks.{k}{p}" for k in (0, 1) for p in ("", ".attn", ".mlp", ".mlp.act")},
    "Swin": {f"blocks.{k}{p}" for k in (0, 1) for p in ("", ".mlp", ".mlp.act")},  # attention sees windows, not samples
    "MLP-Mixer": {f"blocks.0{p}" for p in ("", ".tokens", ".tokens.act", ".channels", ".channels.act")},
    "GRU": {"rnn.0"},
    "LSTM": {"rnn.0"},
    "BERT": {"layer.0", *(f"layer.{k}{p}" for k in (0, 1) for p in (".attn.0", ".gelu"))},  # layer.1 is output.last
    "GPT-2": {f"h.{k}{p}" for k in (0, 1) for p in ("", ".attn", ".mlp", ".mlp.act")},
    "U-Net": {"relu", "relu#2", "relu#3"},
    "VAE": {"silu", "exp", "relu"},
    "SIREN": {"sin", *(f"sin#{k}" for k in range(2, 6))},
    "experts": {"tanh", "add"},
    "PINN": {"tanh"},
    ".pt2": {"tanh"},
}


def made(name):
    torch.manual_seed(0)
    return ZOO[name]()


@pytest.mark.parametrize("name", ZOO)
def test_what_is_kept_by_default(name):
    model, x = made(name)
    table = dt.layers(model, x).table()
    kept = set(table[table.kept].name)
    assert {k for k in kept if k.partition(".")[0] != "output"} == KEPT[name]
    assert table.why.ne("").all()
    recorder = dt.Recorder(model, x)
    recorder.snapshot(0)
    assert set(recorder.recording.layers) == kept


@pytest.mark.parametrize("name", ZOO)
def test_every_operation_that_torchlens_lists_has_a_row(name):
    """By value: what torchlens saw is in a row of dt.layers (recorded, or skipped with a reason),
    or its kind is ignored."""
    tl = pytest.importorskip("torchlens")
    if name in ("VAE", "PINN", ".pt2"):
        pytest.skip("draws, differentiates, or guards its input: torchlens does not trace it")
    model, x = made(name)
    model.eval()
    seen = seen_values(model, x)
    lost = []
    with torch.no_grad():
        trace = tl.trace(model, x.clone())
    for layer in trace.layer_list:
        kind = (layer.func_name or "none").strip("_")
        value = layer.out
        if kind in ("none", *(k for kinds in IGNORED for k in kinds)) or not isinstance(value, torch.Tensor):
            continue
        if not any(v.shape == value.shape and v.dtype == value.dtype and torch.equal(v, value) for v in seen):
            lost.append((layer.layer_label, kind))
    assert not lost


def seen_values(model, x):
    """Every tensor that has a row, or is what a row's module computes in one step."""
    from deeptheory.recording.found import as_found
    from deeptheory.recording.inputs import call
    from deeptheory.recording.sites import looking

    out = []
    with as_found(model), looking(model, lambda s: out.append(s.tensor.detach().clone())):
        call(model, x)
    return out
