"""Models that can be named on the command line; and what is refused."""

import contextlib
import io
import os
import sys
import types
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.inspection.engine import measure
from deeptheory.inspection.model_sources import Source, read_model
from deeptheory.inspection.probe_sources import read_probe


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("was_run",))


@pytest.mark.parametrize("target", ["mine.py:make", "mine.py:Net", "mine.py:ready", "mine:make", "mine.py:with_probe"])
def test_factories(folder, target):
    source = read_model(target)
    assert len(source.model) == 3
    assert not source.model.training
    assert (source.targets is not None) == target.endswith("with_probe")
    assert source.title == target


@pytest.mark.parametrize(
    ("target", "match"),
    [
        ("mine.py:nothing", "has no 'nothing'; it has: Net, make"),
        ("mine.py:broken", "raised ValueError: not today"),
        ("mine.py:wants", "raised TypeError.*called without arguments"),
        ("mine.py:number", "gave a int"),
        ("mine.py:four", "gave 4 things"),
        ("missing.py:make", "there is no such file"),
        ("crash.py:make", "importing crash.py raised ZeroDivisionError"),
        ("no_such_package.models:make", "cannot be imported"),
        ("mine.py", "write file.py:NAME"),
        ("", "write file.py:NAME"),
        ("gone.pt2", "there is no such file"),
    ],
)
def test_other_targets_are_refused(folder, target, match):
    with pytest.raises(InputError, match=match):
        read_model(target)


def test_exported_and_scripted_files(folder):
    torch.manual_seed(0)
    model, x = Plain().eval(), torch.randn(30, 4)
    batch = torch.export.Dim("n", min=2, max=4096)
    torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: batch},)), "free.pt2")
    torch.export.save(torch.export.export(model, (x[:10],)), "fixed.pt2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch from 2.9 on says that TorchScript ends
        torch.jit.script(model).save("script.pt")
    np.save("square.npy", x.reshape(30, 2, 2).numpy())
    np.save("wide.npy", torch.ones(30, 7).numpy())
    for name, size in (("free.pt2", None), ("fixed.pt2", 10)):
        source = read_model(name)
        assert source.batch == size
        assert source.shape == (4,)
        given = read_probe("square.npy", source)
        assert np.array_equal(given.inputs, x.numpy())
        assert given.said == "square.npy (in the shape of the program's input)"
        with pytest.raises(InputError, match=r"takes inputs of shape \[n, 4\], and the probe has \[n, 7\]"):
            read_probe("wide.npy", source)
        found = measure(source.model, x, None, ["health"], twins=2, batch=size)["health"]
        assert found.at("relu", "rank").value == pytest.approx(
            measure(model, x, None, ["health"], twins=0)["health"].at("relu", "rank").value
        )
        assert found.rows[0].control == "weights permuted"
    source = read_model("script.pt")
    found = measure(source.model, x, None, ["health"], twins=2)["health"]
    assert {r.layer for r in found.rows} == {"output"}
    assert found.rows[0].control == "weights permuted"
    (folder / "bad.pt2").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be read as an exported program"):
        read_model("bad.pt2")


def test_an_exported_program_opens_no_pickle_either(folder):
    """torch.export.load unpickles what weights_only refuses; a file from elsewhere must not run code."""
    torch.export.save(torch.export.export(Plain().eval(), (torch.randn(3, 4),)), "good.pt2")
    evil = io.BytesIO()
    torch.save(Evil(), evil)
    with zipfile.ZipFile("good.pt2") as good, zipfile.ZipFile("evil.pt2", "w") as bad:
        names = [n for n in good.namelist() if "sample_inputs" in n]
        assert names
        for n in good.namelist():
            bad.writestr(n, evil.getvalue() if n in names else good.read(n))
    with pytest.raises(InputError, match="cannot be read as an exported program"):
        read_model("evil.pt2")
    assert not (folder / "was_run").exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ
    with contextlib.suppress(InputError):
        read_model("evil.pt2", trust=True)
    assert (folder / "was_run").exists()  # so the file was one that torch runs


def test_libraries_are_asked_for_the_name(folder, monkeypatch):
    asked = []

    def create_model(name, pretrained):
        asked.append((name, pretrained))
        if name == "none":
            raise RuntimeError("Unknown model (none)")
        return Plain()

    timm = types.ModuleType("timm")
    timm.create_model = create_model
    vision, models = types.ModuleType("torchvision"), types.ModuleType("torchvision.models")
    models.get_model = lambda name, weights: create_model(name, weights)
    vision.models = models
    for name, module in (("timm", timm), ("torchvision", vision), ("torchvision.models", models)):
        monkeypatch.setitem(sys.modules, name, module)
    assert read_model("timm:resnet18").said.startswith("random")
    assert read_model("timm:resnet18", download=True).said == "pretrained"
    assert read_model("torchvision:resnet18").title == "torchvision:resnet18"
    assert asked == [("resnet18", False), ("resnet18", True), ("resnet18", None)]
    with pytest.raises(InputError, match=r"timm:none cannot be made \(Unknown model"):
        read_model("timm:none")
    with pytest.raises(InputError, match=r"torchvision:none cannot be made"):
        read_model("torchvision:none")


class _Config:
    architectures = ("Classifier",)


class _Tokenizer:
    pad_token, eos_token = None, "end"

    def __call__(self, texts, padding, truncation, return_tensors):
        ids = torch.tensor([[len(t) % 7, len(t) % 5] for t in texts])
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def test_hf_models_come_from_this_machine_unless_allowed(folder, monkeypatch):
    asked = []

    class Loader:
        def __init__(self, made):
            self.made = made

        def from_pretrained(self, name, local_files_only):
            asked.append((name, local_files_only))
            if name == "far/away":
                raise OSError("not in the cache")
            return self.made()

    hf = types.ModuleType("transformers")
    hf.AutoConfig, hf.AutoModel, hf.AutoTokenizer = Loader(_Config), Loader(Plain), Loader(_Tokenizer)
    hf.Classifier = Loader(Plain)
    monkeypatch.setitem(sys.modules, "transformers", hf)
    source = read_model("hf:here")
    assert all(local for _, local in asked)
    with pytest.raises(InputError, match="not in the cache.*allow the download"):
        read_model("hf:far/away")
    (folder / "texts.csv").write_text("text,label\ngood thing,1\nbad,0\n")
    (folder / "texts.txt").write_text("1\tgood thing\n0\tbad\n")
    for name in ("texts.csv", "texts.txt"):
        given = read_probe(name, source)
        assert given.inputs["input_ids"].shape == (2, 2)
        assert [int(v) for v in given.targets] == [1, 0]
    with pytest.raises(InputError, match="holds text; it is read for hf: models"):
        read_probe("texts.csv", Source(model=Plain(), title="", said=""))


def test_a_library_that_is_not_there_is_told():
    with pytest.raises(MissingDependency, match="timm: needs the package timm"):
        read_model("timm:resnet18")
