"""What can be named on the command line: models, weights and probes; and what is refused."""

import contextlib
import io
import os
import pickle
import sys
import types
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.inspection.engine import measure
from deeptheory.inspection.model_sources import Source, read_model
from deeptheory.inspection.probe_sources import read_probe
from deeptheory.inspection.weights import read_weights

FILE = """
import torch
from torch import nn
class Net(nn.Sequential):
    def __init__(self, width=5):
        super().__init__(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
def make():
    torch.manual_seed(0)
    return Net()
def with_probe():
    return make(), torch.ones(7, 4), torch.arange(7) % 2
def broken():
    raise ValueError("not today")
def wants(argument):
    return Net()
def number():
    return 3
def four():
    return make(), 1, 2, 3
ready = make()
def pairs():
    return torch.ones(6, 4), [0, 1, 0, 1, 0, 1]
class Data(torch.utils.data.Dataset):
    def __len__(self): return 9
    def __getitem__(self, k): return torch.full((4,), float(k)), k % 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "crash.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


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


def test_weights_are_read_and_pickles_refused(folder):
    from safetensors.torch import save_file

    net = read_model("mine.py:make").model
    with torch.no_grad():
        net[0].weight.fill_(0.25)
    save_file(net.state_dict(), "w.safetensors")
    torch.save(net.state_dict(), "w.pt")
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, "w.ckpt")
    torch.save(net, "whole.pt")
    for name in ("w.safetensors", "w.pt", "w.ckpt"):
        found = read_model("mine.py:make", folder / name)
        assert (found.model[0].weight == 0.25).all()
        assert found.said == f"weights of {name}"
    with pytest.raises(InputError, match="holds more than weights; unpickling it can run any code"):
        read_weights(folder / "whole.pt")
    with pytest.raises(InputError, match=r"holds no program: weights alone, or a pickled module"):
        read_model("whole.pt")
    with pytest.raises(InputError, match="holds no program"):
        read_model("w.safetensors")
    with pytest.raises(InputError, match=r"there is no such file"):
        read_weights(folder / "no.pt")
    with pytest.raises(InputError, match=r"ends in '.py'"):
        read_weights(folder / "mine.py")
    with pytest.raises(InputError, match="does not fit the model"):
        read_model("mine.py:with_probe", _saved(folder, {"0.weight": torch.ones(2, 2)}))
    with pytest.raises(InputError, match="holds no state dict"):
        read_weights(_saved(folder, {"epoch": 3, "loss": 0.5}))
    with pytest.raises(InputError, match="holds a list"):
        read_weights(_saved(folder, [1, 2]))
    (folder / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        read_weights(folder / "bad.safetensors")
    (folder / "bad.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="bad.pt"):
        read_weights(folder / "bad.pt")


def _saved(folder, thing):
    torch.save(thing, folder / "other.pt")
    return folder / "other.pt"


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("was_run",))


def test_a_pickle_runs_only_when_trusted(folder):
    with (folder / "evil.pt").open("wb") as f:
        pickle.dump(Evil(), f)
    torch.save({"a": Evil()}, "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(InputError):
            read_model("mine.py:make", folder / name)
        with pytest.raises(InputError):
            read_model(name)
    assert not (folder / "was_run").exists()


def test_exported_and_scripted_files(folder):
    torch.manual_seed(0)
    model, x = Plain().eval(), torch.randn(30, 4)
    batch = torch.export.Dim("n", min=2, max=4096)
    torch.export.save(torch.export.export(model, (x,), dynamic_shapes=({0: batch},)), "free.pt2")
    torch.export.save(torch.export.export(model, (x[:10],)), "fixed.pt2")
    with pytest.warns(DeprecationWarning, match="TorchScript|torch.jit"):
        torch.jit.script(model).save("script.pt")
    for name, size in (("free.pt2", None), ("fixed.pt2", 10)):
        source = read_model(name)
        assert source.batch == size
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


PLAIN = Source(model=Plain(), title="plain", said="")


def test_arrays_and_tables(folder):
    x, y = np.arange(24.0).reshape(6, 4), np.array(list("abcabc"))
    np.savez("a.npz", x=x, y=y)
    np.savez("b.npz", whatever=x)
    np.savez("c.npz", x=x, kind=y)
    np.savez("d.npz", one=x, two=x)
    np.save("x.npy", x)
    (folder / "y.txt").write_text("\n".join(y))
    pd.DataFrame(x, columns=list("pqrs")).assign(label=y).to_csv("t.csv", index=False)
    torch.save((torch.tensor(x), torch.arange(6)), "pair.pt")
    torch.save({"x": torch.tensor(x), "labels": torch.arange(6)}, "dict.pt")
    for given, target, labels in (
        ("a.npz", None, True), ("b.npz", None, False), ("c.npz", "kind", True), ("x.npy", "y.txt", True), ("x.npy", None, False),
        ("t.csv", None, True), ("t.csv", "label", True), ("pair.pt", None, True), ("dict.pt", None, True),
    ):  # fmt: skip
        found = read_probe(given, PLAIN, target=target)
        assert np.asarray(found.inputs).tolist() == x.tolist(), given
        assert (found.targets is not None) == labels, given
    for given, target, match in (
        ("d.npz", None, "name the inputs x"), ("a.npz", "kind", "holds no 'kind'; it holds x, y"), ("t.csv", "lable", "did you mean label"),
        ("x.npy", "gone.txt", "no such file of labels"), ("gone.npz", None, "there is no such file"), ("nonsense", None, "unknown probe 'nonsense'"),
        ("ground_truth", None, "has no inputs with labels"), ("a.npz:x", None, "give the file, and the labels' name with --target"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=match):
            read_probe(given, PLAIN, target=target)
    pd.DataFrame({"a": [1.0, None], "y": [0, 1]}).to_csv("holes.csv", index=False)
    with pytest.raises(InputError, match="misses 1 values"):
        read_probe("holes.csv", PLAIN)
    pd.DataFrame({"a": ["u", "v"], "y": [0, 1]}).to_csv("words.csv", index=False)
    with pytest.raises(InputError, match="has the column 'a'"):
        read_probe("words.csv", PLAIN)
    np.save("objects.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="holds Python objects"):
        read_probe("objects.npy", PLAIN)
    np.savez("objects.npz", x=np.array([{}, {}], dtype=object))
    with pytest.raises(InputError, match="holds Python objects"):
        read_probe("objects.npz", PLAIN)
    torch.save(Plain(), "module.pt")
    with pytest.raises(InputError, match="holds more than tensors"):
        read_probe("module.pt", PLAIN)
    (folder / "empty.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_probe("empty.csv", PLAIN)


def test_parquet_says_what_it_needs(folder, monkeypatch):
    (folder / "t.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(pd, "read_parquet", lambda path: (_ for _ in ()).throw(ImportError("no engine")))
    with pytest.raises(MissingDependency, match=r"t\.parquet needs pyarrow"):
        read_probe("t.parquet", PLAIN)
    monkeypatch.setattr(pd, "read_parquet", lambda path: pd.DataFrame({"a": [1.0, 2.0], "y": [0, 1]}))
    assert read_probe("t.parquet", PLAIN).inputs.tolist() == [[1.0], [2.0]]


def test_loaders_of_a_module(folder):
    found = read_probe("mine.py:pairs", PLAIN)
    assert found.targets == [0, 1, 0, 1, 0, 1]
    data = read_probe("mine:Data", PLAIN)
    assert len(data.inputs) == 9
    with pytest.raises(InputError, match="has no 'nothing'"):
        read_probe("mine.py:nothing", PLAIN)


def test_a_folder_of_images_by_class(folder):
    from PIL import Image

    rng = np.random.default_rng(0)
    for k, name in enumerate(("cat", "dog")):
        (folder / "pictures" / name).mkdir(parents=True)
        for j in range(3 + k):
            Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).save(
                folder / "pictures" / name / f"{j}.png"
            )
    color = Source(model=nn.Conv2d(3, 2, 3), title="", said="")
    grey = Source(model=nn.Conv2d(1, 2, 3), title="", said="")
    found = read_probe("pictures", color)
    assert found.inputs.shape == (7, 3, 8, 8)
    assert found.inputs.max() <= 1
    assert list(found.targets) == ["cat"] * 3 + ["dog"] * 4
    assert read_probe("pictures", grey, size=4).inputs.shape == (7, 1, 4, 4)
    assert read_probe("pictures", color, first=4, seed=1).said.startswith("pictures: 4 of 7 images, drawn with seed 1")
    Image.fromarray(rng.integers(0, 255, (9, 8, 3), dtype=np.uint8)).save(folder / "pictures" / "dog" / "9.png")
    with pytest.raises(InputError, match="images of 2 sizes.*pass --size"):
        read_probe("pictures", color)
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images in folders by class"):
        read_probe("empty", color)


def test_built_in_sets_fit_the_model():
    rows = Source(model=nn.Linear(64, 3), title="", said="")
    maps = Source(model=nn.Conv2d(1, 3, 3), title="", said="")
    flat = read_probe("digits", rows)
    assert flat.inputs.shape == (1797, 64)
    assert "flattened" in flat.said
    assert read_probe("digits", maps).inputs.shape == (1797, 1, 8, 8)
    assert read_probe("icosahedron", rows).inputs.shape == (4096, 12)
