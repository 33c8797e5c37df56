"""The probe that a text names: arrays and tables in files, a folder of images by
class, a loader in a module, a built-in set.

Images become float32 in [0, 1], [n, channel, H, W]; a model that begins with a linear map of as many inputs gets them
flattened.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.core.names import unknown
from deeptheory.datasets.catalogue import CATALOGUE
from deeptheory.inspection.model_sources import Source, called, load_object

_X = ("x", "inputs", "images", "data", "input", "features", "X")
_Y = ("y", "labels", "targets", "label", "target", "class", "Y")
_TEXT = ("text", "sentence", "texts")
_PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


@dataclass(frozen=True, kw_only=True, eq=False)
class ProbeSource:
    """inputs and targets as dt.inspect takes them; said: what they are, for the page; first:
    None where already drawn."""

    inputs: Any
    targets: Any
    said: str


def read_probe(
    text: str, source: Source, *, labels: str | None = None, split: str = "not said", first: int | None = None,
        seed: int = 0, size: int | None = None
) -> ProbeSource:  # fmt: skip
    """The probe that `text` names. labels: a column of a table, a name in an .npz, or a file of labels. split: of a
    built-in set. first, seed: how many images of a folder are read. size: to which these are scaled, H = W.

    InputError: nothing of that name, several arrays and no choice, no such column, images of several sizes.
    """
    path = Path(text)
    suffix = path.suffix.lower()
    if text in CATALOGUE:
        _brings_its_own(labels, text)
        found = _built_in(text, split)
    elif path.is_dir():
        _brings_its_own(labels, text)
        found = _images(path, source.model, first, seed, size)
    elif suffix in (".npz", ".npy", ".csv", ".tsv", ".parquet", ".txt", ".pt"):
        if not path.is_file():
            raise InputError(f"{path}: there is no such file")
        found = READERS[suffix](path, labels, source)
    elif ":" in text:
        if text.rpartition(":")[0].lower().endswith(".npz"):
            raise InputError(f"probe is {text!r}; give the file, and the labels' name with --labels")
        _brings_its_own(labels, text)
        found = _loader(text)
    else:
        raise InputError(f"{unknown(text, [n for n in CATALOGUE if n in BUILT_IN], what='probe')}. Or a file (.npz, "
                         f".npy, .csv, .parquet), a folder of images by class, or module:loader")  # fmt: skip
    x, how = (_flattened(found.inputs, source.model),
        "flattened for the model's first linear map") if source.shape is None else (_shaped(found.inputs,
            source.shape), "in the shape of the program's input")  # fmt: skip
    said = found.said + (f" ({how})" if x is not found.inputs else "")
    return ProbeSource(inputs=x, targets=found.targets, said=said)


def _brings_its_own(labels: str | None, text: str) -> None:
    if labels is not None:
        raise InputError(f"--labels is {labels!r}, and {text} brings labels of its own; leave --labels out")


def _npz(path: Path, labels: str | None, source: Source) -> ProbeSource:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # numpy leaves a damaged one open
            names = list(archive.files)
            arrays = {name: archive[name] for name in names}
        if not all(isinstance(a, np.ndarray) for a in arrays.values()):
            raise ValueError("it holds a file that is no array")
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        if "pickle" in str(error):
            raise InputError(
                f"{path} holds Python objects (pickled), which are not read; save arrays of numbers or text"
            ) from error
        raise InputError(f"{path} cannot be read ({type(error).__name__}: {error}); save it again") from error
    y = labels if labels in names else None if labels else next((n for n in _Y if n in names), None)
    if labels and y is None:
        raise InputError(f"{path} holds no {labels!r}; it holds {', '.join(names)}")
    rest = [n for n in names if n != y]
    x = next((n for n in _X if n in rest), rest[0] if len(rest) == 1 else None)
    if x is None:
        raise InputError(f"{path} holds {', '.join(names) or 'nothing'}; name the inputs x and the labels y")
    return ProbeSource(inputs=arrays[x], targets=None if y is None else arrays[y], said=path.name)


def _npy(path: Path, labels: str | None, source: Source) -> ProbeSource:
    return ProbeSource(inputs=_loaded(path), targets=None if labels is None else _labels(Path(labels)), said=path.name)


def _loaded(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise InputError(
            f"{path} holds Python objects (pickled) or is no .npy file; numpy.save writes one of numbers"
        ) from error


def _labels(path: Path) -> np.ndarray:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file of labels")
    if path.suffix.lower() == ".npy":
        return _loaded(path)
    lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    return np.array([line for line in lines if line])


def _table(path: Path, labels: str | None, source: Source) -> ProbeSource:
    import pandas as pd

    try:
        frame = (
            pd.read_parquet(path)
            if path.suffix.lower() == ".parquet"
            else pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")
        )
    except ImportError as error:
        raise MissingDependency(
            f"{path.name} needs pyarrow, which is not installed (pip install pyarrow); a .csv needs nothing"
        ) from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path} cannot be read as a table ({str(error).splitlines()[0]})") from error
    columns = [str(c) for c in frame.columns]
    if labels is not None and labels not in columns:
        raise InputError(unknown(labels, columns, what="label column"))
    y = labels or next((c for c in columns if c.lower() in _Y), None)
    text = next((c for c in columns if c.lower() in _TEXT), None)
    targets = None if y is None else frame[y].to_numpy()
    if text is not None and text != y:
        return ProbeSource(
            inputs=_tokens(frame[text].astype(str).tolist(), source, path),
            targets=targets,
            said=f"{path.name}, column {text}",
        )
    x = frame.drop(columns=[y]) if y is not None else frame
    wrong = [c for c in x.columns if not pd.api.types.is_numeric_dtype(x[c])]
    if wrong:
        raise InputError(
            f"{path} has the column {wrong[0]!r} of {x[wrong[0]].dtype}; needed: numbers (name the labels with "
            f"--labels)"
        )
    if x.isna().to_numpy().any():
        raise InputError(f"{path} misses {int(x.isna().to_numpy().sum())} values; fill or drop those rows")
    return ProbeSource(inputs=x.to_numpy(dtype=np.float64), targets=targets, said=f"{path.name}, {x.shape[1]} columns")


def _lines(path: Path, labels: str | None, source: Source) -> ProbeSource:
    texts = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    y = None if labels is None else _labels(Path(labels))
    if texts and all("\t" in line for line in texts):
        y = np.array([line.partition("\t")[0] for line in texts]) if y is None else y
        texts = [line.partition("\t")[2] for line in texts]
    return ProbeSource(inputs=_tokens(texts, source, path), targets=y, said=path.name)


def _tokens(texts: list[str], source: Source, path: Path) -> dict[str, torch.Tensor]:
    if source.tokenizer is None:
        raise InputError(
            f"{path} holds text; it is read for hf: models whose tokenizer lies on this machine. "
            "Turn it into tokens first"
        )
    return source.tokenizer(texts)


def _tensors(path: Path, labels: str | None, source: Source) -> ProbeSource:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a pickle of more, or no file of torch's
        raise InputError(
            f"{path} holds more than tensors, or is no file of torch.save ({type(error).__name__})"
        ) from error
    if isinstance(found, dict):
        if labels is not None and labels not in found:
            raise InputError(f"{path} holds no {labels!r}; it holds {', '.join(map(str, found))}")
        y = next((found.pop(n) for n in (labels, *_Y) if n in found), None)
        x = found[next(iter(found))] if len(found) == 1 else next((found[n] for n in _X if n in found), found)
        return ProbeSource(inputs=x, targets=y, said=path.name)
    _brings_its_own(labels, path.name) if isinstance(found, tuple | list) else None
    y = None if labels is None else _labels(Path(labels))
    if isinstance(found, tuple | list) and len(found) == 2:
        return ProbeSource(inputs=found[0], targets=found[1], said=path.name)
    return ProbeSource(inputs=found, targets=y, said=path.name)


READERS: dict[str, Callable[[Path, str | None, Source], ProbeSource]] = {
    ".npz": _npz, ".npy": _npy, ".csv": _table, ".tsv": _table, ".parquet": _table, ".txt": _lines, ".pt": _tensors,
}  # fmt: skip


def _loader(text: str) -> ProbeSource:
    made = called(load_object(text, "probe"), text, "probe")
    if isinstance(made, tuple) and len(made) == 2 and not isinstance(made[1], tuple | dict):
        return ProbeSource(inputs=made[0], targets=made[1], said=text)
    return ProbeSource(inputs=made, targets=None, said=text)


def _built_in(name: str, split: str) -> ProbeSource:
    if name not in BUILT_IN:
        raise InputError(f"the set {name!r} has no inputs with labels for a model; known: {', '.join(BUILT_IN)}")
    data = CATALOGUE[name].get()
    if hasattr(data, "images"):
        images, labels = np.asarray(data.images, dtype=np.float32), np.asarray(data.labels)
        kept = np.ones(len(images), bool)
        if split != "not said" and not np.asarray(data.train).all():
            kept = np.asarray(data.train) if split == "train" else ~np.asarray(data.train)
        top = 16.0 if name == "digits" else 255.0 if images.max() > 1.5 else 1.0
        images = images[kept][:, None] if images.ndim == 3 else images[kept]
        return ProbeSource(inputs=images / np.float32(top), targets=labels[kept], said=f"{name}, values in [0, 1]")
    return ProbeSource(inputs=np.asarray(data.x, dtype=np.float32), targets=np.asarray(data.y), said=name)


BUILT_IN = ("digits", "mnist", "fashion-mnist", "cifar-10", "svhn", "icosahedron", "committee", "coil20")


def _images(folder: Path, model: nn.Module, first: int | None, seed: int, size: int | None) -> ProbeSource:
    from PIL import Image

    from deeptheory.datasets.images.image_files import read_image

    classes = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    files = [(p, c.name) for c in classes for p in sorted(c.rglob("*")) if p.suffix.lower() in _PICTURES]
    if not files:
        raise InputError(
            f"{folder} holds no images in folders by class ({', '.join(_PICTURES[:4])}, ...); "
            "put each class's into a folder of its name"
        )
    total = len(files)
    if first is not None and total > first:
        rows = np.sort(np.random.default_rng([seed, 2]).choice(total, size=first, replace=False))
        files = [files[k] for k in rows]
    color = _channels(model) != 1
    pictures = []
    for path, _ in files:
        picture = read_image(path, color=color)
        if size is not None:
            picture = picture.resize((size, size), Image.Resampling.BILINEAR)
        pictures.append(np.asarray(picture, dtype=np.float32) / 255)
    shapes = sorted({p.shape for p in pictures})
    if len(shapes) > 1:
        raise InputError(
            f"{folder} holds images of {len(shapes)} sizes, {shapes[0]} and {shapes[-1]} among them; "
            "pass --size to scale them"
        )
    x = np.stack(pictures)
    x = x.transpose(0, 3, 1, 2) if color else x[:, None]
    drawn = f"{len(files):,} of {total:,} images, drawn with seed {seed}" if len(files) < total else f"{total:,} images"
    scaled = "" if size is None else f", scaled to {size} x {size}"
    return ProbeSource(
        inputs=np.ascontiguousarray(x),
        targets=np.array([c for _, c in files]),
        said=f"{folder.name}: {drawn}{scaled}, values in [0, 1]",
    )


def _first_weights(model: nn.Module) -> nn.Module | None:
    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Embedding, nn.RNNBase)
    return next((m for m in model.modules() if isinstance(m, kinds)), None)


def _channels(model: nn.Module) -> int:
    first = _first_weights(model)
    return first.in_channels if isinstance(first, nn.Conv2d) else 3


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """The probe in the shape that an exported program takes. InputError: its samples have another number of values."""
    if not isinstance(x, np.ndarray | torch.Tensor) or tuple(x.shape[1:]) == shape:
        return x
    if int(np.prod(x.shape[1:])) != int(np.prod(shape)):
        wanted, seen = (", ".join(["n", *map(str, s)]) for s in (shape, x.shape[1:]))
        raise InputError(
            f"the exported program takes inputs of shape [{wanted}], and the probe has [{seen}]; give samples of "
            f"that size"
        )
    return x.reshape(len(x), *shape)


def _flattened(x: Any, model: nn.Module) -> Any:
    """Images as rows, where the model begins with a linear map of as many inputs as an image has values,
    and not of its last axis."""
    if not isinstance(x, np.ndarray | torch.Tensor) or x.ndim < 3:
        return x
    first = _first_weights(model)
    size = int(np.prod(x.shape[1:]))
    if (
        isinstance(first, nn.Linear)
        and first.in_features == size != x.shape[-1]
        and not any(isinstance(m, nn.Flatten) for m in model.modules())
    ):
        return x.reshape(len(x), -1)
    return x
