"""smallNORB: 50 toys of five kinds, stereo pairs on a grid of azimuth, elevation and lighting, in NORB's binary
matrices.

Pitfalls: pictures come in pairs of one moment (two cameras); divided as single pictures half of what the paper's
networks saw is lost. The azimuth in the file counts steps of 10 degrees, the elevation steps of 5 from 30. The test
toys are other toys.
"""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets.images.digits import whole_column
from deeptheory.datasets.images.official import Official
from deeptheory.datasets.images.views import Views

_STEM = {
    "train": "smallnorb-5x46789x9x18x6x2x96x96-training-",
    "test": "smallnorb-5x01235x9x18x6x2x96x96-testing-",
}
_MD5 = {  # published gzip, and what is in it
    ("train", "dat"): ("66054832f9accfe74a0f4c36a75bc0a2", "8138a0902307b32dfa0025a36dfa45ec"),
    ("train", "cat"): ("23c8b86101fbf0904a000b43d3ed2fd9", "fd5120d3f770ad57ebe620eb61a0b633"),
    ("train", "info"): ("51dee1210a742582ff607dfd94e332e3", "19faee774120001fc7e17980d6960451"),
    ("test", "dat"): ("e4ad715691ed5a3a5f138751a4ceb071", "e9920b7f7b2869a8f1a12e945b2c166c"),
    ("test", "cat"): ("5aa791cd7e6016cf957ce9bdb93b8603", "fd5120d3f770ad57ebe620eb61a0b633"),
    ("test", "info"): ("a9454f3864d7fd4bb3ea7fc3eb84924e", "7c5b871cc69dcadec1bf6a18141f5edc"),
}
_ELEMENTS = {0x1E3D4C55: np.dtype("<u1"), 0x1E3D4C54: np.dtype("<i4"), 0x1E3D4C56: np.dtype("<i2")}


def _official(parts: tuple[str, ...]) -> Official:
    forms = {}
    for (part, kind), (packed, plain) in _MD5.items():
        if part in parts:
            name = f"{_STEM[part]}{kind}.mat"
            forms[f"{part} {kind}"] = ((f"{name}.gz", f"md5:{packed}"), (name, f"md5:{plain}"))
    base = "https://cs.nyu.edu/~ylclab/data/norb-v1.0-small/"
    urls = {name: base + name for part in forms.values() for name, _ in part if name.endswith(".gz")}
    return Official("smallnorb", "cs.nyu.edu/~ylclab/data/norb-v1.0-small", forms, urls)


OFFICIAL = _official(("train", "test"))


def small_norb(
    folder: str | Path | None = None,
    *,
    part: Literal["train", "test", "both"] = "both",
    download: bool = False,
    verify: bool = True,
) -> Views:
    """24,300 + 24,300 stereo pairs of toys, images [n, 2, 96, 96] uint8, the two cameras as channels.

    Five toys of a kind for training (`.train`), five others for test; azimuth and elevation in degrees.
    Kinds 0 to 4: four-legged animals, human figures, airplanes, trucks, cars (LeCun, Huang & Bottou 2004). part:
    "train", "test" or "both" (900 MB in memory). folder: where the files lie, gzipped or not; by default the data
    folder, then the cache. download: get them into the cache first (250 MB). verify: False takes files that are not the
    published ones.
    InputError: an unknown part. StoreError: a file is missing, corrupt, not the published bytes, or could not be had.
    """
    if part not in ("train", "test", "both"):
        raise InputError(f"part is {part!r}; known: train, test, both")
    parts = ("train", "test") if part == "both" else (part,)
    official = _official(parts)
    if download:
        official.fetch()
    files, said = official.find(folder, verify)
    pieces = [_read(files, name) for name in parts]
    counts = [len(p[0]) for p in pieces]
    shapes = {p[0].shape[1:] for p in pieces}
    if len(shapes) > 1:
        raise StoreError(f"smallNORB's parts hold pictures of shapes {sorted(shapes)}; they have one")
    images, labels, info = (np.concatenate(column) for column in zip(*pieces))
    return Views(
        name="smallnorb",
        images=images,
        labels=whole_column(labels, len(images), 0, 4, "the categories of smallNORB"),
        train=np.repeat([name == "train" for name in parts], counts),
        source=f"the published files ({said})",
        license="research only, as the authors ask",
        instance=info[:, 0].astype(np.int64),
        elevation=30 + 5 * info[:, 1].astype(np.int64),
        azimuth=10 * info[:, 2].astype(np.int64),
        light=info[:, 3].astype(np.int64),
    )


def where() -> str:
    """In words: where the files would come from now."""
    return OFFICIAL.where()


def _read(files: dict[str, Path], part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dat, cat, info = (read_matrix(files[f"{part} {kind}"]) for kind in ("dat", "cat", "info"))
    cat = cat.reshape(-1)
    shapes = f"pictures {list(dat.shape)}, categories {list(cat.shape)}, info {list(info.shape)}"
    if (
        dat.ndim != 4
        or dat.shape[1] != 2
        or len({len(dat), len(cat), len(info)}) != 1
        or info.shape[1:] != (4,)
        or dat.dtype != np.uint8
    ):
        raise StoreError(f"smallNORB's {part} files do not belong together: {shapes}")
    return dat, cat, info


def read_matrix(path: Path) -> np.ndarray:
    """The array in one of NORB's binary matrices, gzipped or not: magic number, number of axes, at least three sizes,
    data.

    StoreError: another magic number, or not as many bytes as the header promises.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            raw = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise StoreError(f"{path.name} cannot be read ({error}); get it again") from error
    magic, axes = struct.unpack_from("<iI", raw) if len(raw) >= 20 else (0, 0)
    element = _ELEMENTS.get(magic)
    if element is None or not 1 <= axes <= 8:
        raise StoreError(f"{path.name} begins with {raw[:8].hex()}; no binary matrix of bytes or integers begins so")
    start = 8 + 4 * max(3, axes)  # fewer axes than three are filled up with ones
    if len(raw) < start:
        raise StoreError(f"{path.name} ends within its header; it is cut short")
    shape = struct.unpack_from(f"<{axes}i", raw, 8)
    if len(raw) - start != math.prod(shape) * element.itemsize or min(shape) < 0:
        raise StoreError(f"{path.name} holds {len(raw) - start} bytes, its header promises {list(shape)} of {element}")
    return np.frombuffer(raw, dtype=element, offset=start).reshape(shape)
