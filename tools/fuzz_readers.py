"""The readers of fuzz.py: for each a function that writes a good file into a folder, and one that reads such a file."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RNG = np.random.default_rng(0)


def _array(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scipy.io import savemat

        path, a = folder / f"a{suffix}", RNG.normal(size=(6, 3))
        if suffix == ".npy":
            np.save(path, a)
        elif suffix == ".npz":
            np.savez_compressed(path, a=a)
        elif suffix == ".mat":
            savemat(path, {"a": a})
        else:
            np.savetxt(path, a, delimiter=",", header="a,b,c", comments="")
        return path

    return make


def _read_array(path: Path) -> Any:
    from deeptheory.cli.arrays import read_array

    return read_array(path)


def _idx(folder: Path) -> Path:
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(range(32)))
    return path


def _read_idx(path: Path) -> Any:
    from deeptheory.datasets.images.mnist import read_idx

    return read_idx(path)


def _matrix(folder: Path) -> Path:
    path = folder / "norb.mat"
    path.write_bytes(np.array([0x1E3D4C55, 3, 2, 4, 4], "<i4").tobytes() + bytes(range(32)))
    return path


def _read_matrix(path: Path) -> Any:
    from deeptheory.datasets.images.small_norb import read_matrix

    return read_matrix(path)


def _image(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from PIL import Image

        path = folder / f"i{suffix}"
        Image.fromarray(RNG.integers(0, 255, (8, 9, 3), dtype=np.uint8)).save(path)
        return path

    return make


def _read_image(path: Path) -> Any:
    from deeptheory.datasets.images.image_files import read_image

    return read_image(path)


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return make


def _read_landmarks(path: Path) -> Any:
    from deeptheory.datasets import read_landmarks

    return read_landmarks(path)


def _read_formula(path: Path) -> Any:
    from deeptheory.cheap.text import parse

    return parse(path.read_bytes().decode("utf-8", "replace"))


def _stored(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for file in (ROOT / "docs" / "ledgers" / "runs" / "saxe-2018").iterdir():
            text = file.read_text()
            text = json.dumps(json.loads(text)[:2]) if file.name == "claims.json" else text
            (folder / file.name).write_text(text)
        return folder / name

    return make


def _read_ledger(path: Path) -> Any:
    from deeptheory.runs import Ledger

    return Ledger.load(path.parent)


def _read_record(path: Path) -> Any:
    from deeptheory.runs.record import read_record

    return read_record(path.parent)


def _weights(folder: Path) -> Path:
    from safetensors.numpy import save_file

    save_file({"0.weight": np.ones((2, 3), np.float32), "0.bias": np.ones(2, np.float32)}, folder / "w.safetensors")
    return folder / "w.safetensors"


def _read_weights(path: Path) -> Any:
    from deeptheory.inspection.weights import read_weights

    return read_weights(path)


def _one_file(folder: Path) -> Path:
    """One of the files in a folder and those below, by chance."""
    return random.choice(sorted(p for p in folder.rglob("*") if p.is_file()))


def _home(path: Path, name: str) -> Path:
    """The folder of that name which the file lies in."""
    return next(p for p in path.parents if p.name == name)


def _zarr(folder: Path) -> Path:
    import xarray as xr

    from deeptheory.core.storage import write_dataset

    write_dataset(xr.Dataset({"v": ("seed", np.arange(5.0))}, coords={"seed": range(5)}), folder / "d")
    return _one_file(folder / "d")


def _read_zarr(path: Path) -> Any:
    from deeptheory.core.storage import read_dataset

    return read_dataset(_home(path, "d"))


def _recording(folder: Path) -> Path:
    import torch

    import deeptheory as dt

    kept = dt.Recording([0, 1], np.arange(4) % 2, inputs=4)
    kept.add(0, {"a": torch.arange(16.0).reshape(2, 4, 2)})
    shutil.rmtree(folder / "rec", ignore_errors=True)
    kept.save(folder / "rec")
    return _one_file(folder / "rec")


def _read_recording(path: Path) -> Any:
    import deeptheory as dt

    kept = dt.Recording.load(_home(path, "rec"))
    return [kept.activations(layer, step) for layer in kept.layers for step in kept.steps]


def _space(folder: Path) -> Path:
    from deeptheory.faces import FaceSpace, ProceduralFaces

    if not (folder / "space").exists() or random.random() < 0.02:
        images, landmarks, _ = ProceduralFaces(size=16).sample(4, 0)
        FaceSpace.fit(images, landmarks, shape=1, appearance=1).save(folder / "first")
    shutil.rmtree(folder / "space", ignore_errors=True)
    shutil.copytree(folder / "first", folder / "space")
    return folder / "space" / random.choice(("space.json", "arrays.safetensors"))


def _read_space(path: Path) -> Any:
    from deeptheory.faces import FaceSpace

    return repr(FaceSpace.load(path.parent))


def _figure(folder: Path) -> Path:
    path = folder / "figures" / "f.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"figure": {"data": [{"type": "scatter", "x": [1, 2], "y": [2, 3]}], "layout": {}}}))
    return path


def _read_figure(path: Path) -> Any:
    from deeptheory.runs import read_figure

    return read_figure(path.parents[1], "f")


def _checkpoint(folder: Path) -> Path:
    import torch

    from deeptheory.networks import train

    torch.manual_seed(0)
    net = torch.nn.Linear(2, 1)
    shutil.rmtree(folder / "kept", ignore_errors=True)
    train(net, _pair, _square, steps=2, checkpoint=folder / "kept")
    files = sorted(p for p in (folder / "kept").rglob("*") if p.is_file())
    return files[random.randrange(len(files))]


def _pair(step: int, generator: Any) -> Any:
    import torch

    return torch.ones(3, 2), torch.ones(3, 1)


def _square(module: Any, batch: Any) -> Any:
    return (module(batch[0]) - batch[1]).square().mean()


def _read_checkpoint(path: Path) -> Any:
    import torch

    from deeptheory.networks import train

    home = path
    while home.name != "kept":
        home = home.parent
    torch.manual_seed(0)
    return train(torch.nn.Linear(2, 1), _pair, _square, steps=2, checkpoint=home)


def _pickled(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import torch

        torch.save({"0.weight": torch.ones(2, 3), "0.bias": torch.ones(2)}, folder / f"w{suffix}")
        return folder / f"w{suffix}"

    return make


def _read_probe(path: Path) -> Any:
    import torch

    from deeptheory.inspection.model_sources import Source
    from deeptheory.inspection.probe_sources import READERS as PROBES

    return PROBES[path.suffix](path, None, Source(model=torch.nn.Linear(3, 2), title="", said=""))


POINTS = "x,y\n1.5,2\n3,4\n5,6.25\n"
READERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]]] = {
    "npy": (_array(".npy"), _read_array),
    "npz": (_array(".npz"), _read_array),
    "mat": (_array(".mat"), _read_array),
    "csv": (_array(".csv"), _read_array),
    "idx": (_idx, _read_idx),
    "norb": (_matrix, _read_matrix),
    "png": (_image(".png"), _read_image),
    "jpg": (_image(".jpg"), _read_image),
    "landmarks-csv": (_text("l.csv", POINTS), _read_landmarks),
    "landmarks-pts": (_text("l.pts", "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n"), _read_landmarks),
    "landmarks-tem": (_text("l.tem", "2\n1 2\n3 4\n"), _read_landmarks),
    "formula": (_text("f.txt", "x*y**2 + sin(3*x) - 0.5*(x - 2)*y"), _read_formula),
    "claims": (_stored("claims.json"), _read_ledger),
    "run": (_stored("run.json"), _read_record),
    "safetensors": (_weights, _read_weights),
    "zarr": (_zarr, _read_zarr),
    "recording": (_recording, _read_recording),
    "face-space": (_space, _read_space),
    "figure": (_figure, _read_figure),
    "checkpoint": (_checkpoint, _read_checkpoint),
    "pt": (_pickled(".pt"), _read_weights),
    "probe-csv": (_array(".csv"), _read_probe),
    "probe-npz": (_array(".npz"), _read_probe),
}
