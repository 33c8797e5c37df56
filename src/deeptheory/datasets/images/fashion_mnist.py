"""Fashion-MNIST: pictures of clothes in the format of MNIST.

Debian's package dataset-fashion-mnist holds the same four files, gzipped again: content is checked, not the gzip around
it.
"""

from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.datasets.images.digits import Images, check_sha256, whole_column
from deeptheory.datasets.images.mnist import read_idx
from deeptheory.datasets.images.official import Official

_BASE = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"
_MD5 = {  # of the published gzips
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}
_DEBIAN = Path("/usr/share/datasets/fashion-mnist")
# of the 70,000 pictures, training first, as Debian packages them
_SHA256 = "0fbbfcb392782b3b702472ead3688778e1509e8cf40f5c24d9d3303618b193ab"
_LABELS_SHA256 = "8ab940a680640f36c0bf1d2549cb2f3b3d4068c12547116cc7b1161b1d26663d"  # of their 70,000 labels as bytes

OFFICIAL = Official(
    name="fashion-mnist",
    page="github.com/zalandoresearch/fashion-mnist",
    parts={name: ((f"{name}.gz", ""), (name, "")) for name in _MD5},
    urls={f"{name}.gz": f"{_BASE}{name}.gz" for name in _MD5},
)


def fashion_mnist(folder: str | Path | None = None, *, download: bool = False, verify: bool = True) -> Images:
    """70,000 images of clothes, [n, 28, 28] uint8 0 to 255, labels 0 to 9 (Xiao, Rasul & Vollgraf 2017).

    The first 60,000 are for training (`.train`).
    folder: where the four idx files lie, gzipped or not; by default the data folder, the cache, Debian's package.
    download: get them into the cache first (30 MB; a folder given is still what is read). verify: False takes files
    that are not the published ones, such as a part of them.
    StoreError: a file is missing, corrupt, not the published content, or could not be had.
    InputError: DEEPTHEORY_DATA is not a folder.
    """
    if download:
        _fetch()
    files, _ = OFFICIAL.find(_DEBIAN if folder is None and _needs_debian() else folder, verify=False)
    arrays = [read_idx(files[name]) for name in _MD5]
    for (name, array), axes in zip(zip(_MD5, arrays), (3, 1, 3, 1)):
        if array.ndim != axes:
            raise StoreError(f"{name} has {array.ndim} axes, {axes} belong there; the files are mixed up")
    counts = [[len(a) for a in arrays[part : part + 2]] for part in (0, 2)]
    if any(pictures != labels for pictures, labels in counts) or arrays[0].shape[1:] != arrays[2].shape[1:]:
        said = " and ".join(f"{pictures} with {labels}" for pictures, labels in counts)
        pictures, labels = (sum(column) for column in zip(*counts))
        raise StoreError(
            f"Fashion-MNIST has {pictures} pictures and {labels} labels ({said}, of {list(arrays[0].shape[1:])} and "
            f"{list(arrays[2].shape[1:])} pixels); the files do not belong together"
        )
    images = np.concatenate(arrays[::2])
    labels = whole_column(np.concatenate(arrays[1::2]), len(images), 0, 9, "the labels of Fashion-MNIST")
    if verify:
        check_sha256(images, _SHA256, "Fashion-MNIST")
        check_sha256(labels.astype(np.uint8), _LABELS_SHA256, "the labels of Fashion-MNIST")
    return Images(
        name="fashion-mnist",
        images=images,
        labels=labels,
        train=np.arange(len(images)) < len(arrays[0]),
        source="the published files" if verify else "files not checked",
        license="MIT",
    )


def where() -> str:
    """In words: where the files would come from now."""
    return "the package dataset-fashion-mnist" if _needs_debian() else OFFICIAL.where()


def _needs_debian() -> bool:
    return OFFICIAL.where().startswith("nowhere") and _DEBIAN.is_dir()


def _fetch() -> None:
    parts = {name: ((f"{name}.gz", f"md5:{md5}"),) for name, md5 in _MD5.items()}
    Official(OFFICIAL.name, OFFICIAL.page, parts, OFFICIAL.urls).fetch()
