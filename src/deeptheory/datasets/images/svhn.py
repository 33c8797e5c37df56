"""SVHN: house numbers cropped to one digit, from the published Matlab files.

Pitfalls: the axes come as [row, column, color, picture]; a zero is labeled 10.
"""

from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.datasets.images.digits import Images, whole_column
from deeptheory.datasets.images.matlab import read_mat
from deeptheory.datasets.images.official import Official

_BASE = "http://ufldl.stanford.edu/housenumbers/"
_MD5 = {"train": "e26dedcc434d2e4c54c9b2d4a06d8373", "test": "eb5a983be6a315427106f1b164d9cef3"}

OFFICIAL = Official(
    name="svhn",
    page="ufldl.stanford.edu/housenumbers",
    parts={part: ((f"{part}_32x32.mat", f"md5:{md5}"),) for part, md5 in _MD5.items()},
    urls={f"{part}_32x32.mat": f"{_BASE}{part}_32x32.mat" for part in _MD5},
)


def svhn(folder: str | Path | None = None, *, download: bool = False, verify: bool = True) -> Images:
    """73,257 + 26,032 digits from house numbers, images [n, 3, 32, 32] uint8 (Netzer et al. 2011).

    Format 2, without "extra"; labels 0 to 9 (the files call a zero 10). The first 73,257 are for training (`.train`).
    folder: where train_32x32.mat and test_32x32.mat lie; by default the data folder, then the cache. download: get them
    into the cache first (250 MB). verify: False takes files that are not the published ones.
    StoreError: a file is missing, corrupt, not the published bytes, or could not be had. InputError: DEEPTHEORY_DATA is
    not a folder.
    """
    if download:
        OFFICIAL.fetch()
    files, said = OFFICIAL.find(folder, verify)
    pieces = []
    for part in _MD5:
        mat = read_mat(files[part], ("X", "y"))
        x, y = mat["X"], mat["y"].reshape(-1)
        if x.shape != (32, 32, 3, len(y)) or x.dtype != np.uint8:
            raise StoreError(
                f"{files[part].name} holds X {list(x.shape)} {x.dtype} and y {list(y.shape)}; bytes [32, 32, 3, n] "
                "belong there, and labels 1 to 10"
            )
        labels = whole_column(y, len(y), 1, 10, f"{files[part].name} holds y, and labels 1 to 10 belong there: its y")
        pieces.append((x.transpose(3, 2, 0, 1), labels % 10))
    images, labels = (np.ascontiguousarray(np.concatenate(column)) for column in zip(*pieces))
    return Images(
        name="svhn",
        images=images,
        labels=labels,
        train=np.arange(len(images)) < len(pieces[0][0]),
        source=f"the published files ({said})",
        license="non-commercial use, as the authors ask",
    )


def where() -> str:
    """In words: where the files would come from now."""
    return OFFICIAL.where()
