"""affNIST: MNIST digits under small random affine transformations on 40x40 pixels, from the published Matlab files.

Pitfalls: one picture is a column of 1,600 numbers, row by row; no checksum of the files is published, so structure is
checked.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.shapes import check_whole
from deeptheory.datasets.images.digits import Images, whole_column
from deeptheory.datasets.images.matlab import read_mat
from deeptheory.datasets.images.official import Official

_PAGE = "www.cs.toronto.edu/~tijmen/affNIST (32x, transformed)"
_FOLDERS = {"train": "training_and_validation_batches", "test": "test_batches"}


def affnist(folder: str | Path | None = None, *, part: Literal["train", "test"] = "test", batch: int = 1) -> Images:
    """One batch of affNIST, images [n, 40, 40] uint8 0 to 255, labels 0 to 9 (Tieleman 2013).

    10,000 of the test digits, or 60,000 of the others. Nothing is downloaded, and no checksum is known.
    part: "test" or "train" (training and validation together). batch: 1 to 32, each holds another transformation of
    every digit. folder: where the unzipped folder test_batches (or training_and_validation_batches) or test.mat lies;
    by default the data folder.
    InputError: an unknown part or batch. StoreError: the file is missing, corrupt, or of another structure.
    """
    if part not in _FOLDERS:
        raise InputError(f"part is {part!r}; known: {', '.join(_FOLDERS)}")
    check_whole(batch=(batch, 1))
    if batch > 32:
        raise InputError(f"batch is {batch}; there are batches 1 to 32")
    files, said = _official(part, batch).find(folder)
    path = files["digits"]
    mat = read_mat(path, ("image", "label_int"), struct="affNISTdata")
    columns, labels = mat["image"], mat["label_int"].reshape(-1)
    if columns.ndim != 2 or columns.shape != (1600, len(labels)):
        raise StoreError(
            f"{path.name} holds pictures {list(columns.shape)} and labels {list(labels.shape)}; [1600, n] and "
            "[n] belong there"
        )
    bytes_ = whole_column(columns.reshape(-1), columns.size, 0, 255, f"the pixels in {path.name}")
    return Images(
        name="affnist",
        images=np.ascontiguousarray(bytes_.reshape(columns.shape).astype(np.uint8).T).reshape(-1, 40, 40),
        labels=whole_column(labels, len(labels), 0, 9, f"the labels in {path.name}"),
        train=np.full(len(labels), part == "train"),
        source=f"the published files, batch {batch} ({said})",
        license="CC BY-SA 3.0 (derived from MNIST; the page states none of its own)",
    )


def where() -> str:
    """In words: where the files would come from now."""
    return _official("test", 1).where()


def _official(part: str, batch: int) -> Official:
    forms = [(f"{_FOLDERS[part]}/{batch}.mat", "")]
    if part == "test" and batch == 1:
        forms.append(("test.mat", ""))
    return Official("affnist", _PAGE, {"digits": tuple(forms)})
