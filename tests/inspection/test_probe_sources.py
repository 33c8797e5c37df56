"""Probes that can be named on the command line; and what is refused."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.inspection.model_sources import Source
from deeptheory.inspection.probe_sources import read_probe


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


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
        ("a.npz", None, True), ("b.npz", None, False), ("c.npz", "kind", True), ("x.npy", "y.txt", True), ("x.npy",
            None, False),
        ("t.csv", None, True), ("t.csv", "label", True), ("pair.pt", None, True), ("dict.pt", None, True),
    ):  # fmt: skip
        found = read_probe(given, PLAIN, labels=target)
        assert np.asarray(found.inputs).tolist() == x.tolist(), given
        assert (found.targets is not None) == labels, given
    for given, target, match in (
        ("d.npz", None, "name the inputs x"), ("a.npz", "kind", "holds no 'kind'; it holds x, y"), ("t.csv", "lable",
            "did you mean label"),
        ("x.npy", "gone.txt", "no such file of labels"), ("gone.npz", None, "there is no such file"), ("nonsense",
            None, "unknown probe 'nonsense'"),
        ("ground_truth", None, "has no inputs with labels"), ("a.npz:x", None,
            "give the file, and the labels' name with --labels"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=match):
            read_probe(given, PLAIN, labels=target)
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
    gray = Source(model=nn.Conv2d(1, 2, 3), title="", said="")
    found = read_probe("pictures", color)
    assert found.inputs.shape == (7, 3, 8, 8)
    assert found.inputs.max() <= 1
    assert list(found.targets) == ["cat"] * 3 + ["dog"] * 4
    assert read_probe("pictures", gray, size=4).inputs.shape == (7, 1, 4, 4)
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
