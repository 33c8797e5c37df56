"""COIL-20: twenty objects on a turntable, 72 pictures each, five degrees apart.

Read from the published folder of PNG files, or from coil20.npz in the data folder. Every picture was scaled on its own,
so that its size says nothing about the object's.
"""

from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.datasets.images.digits import whole_column
from deeptheory.datasets.images.image_files import read_image
from deeptheory.datasets.images.views import Views
from deeptheory.datasets.paths import data_folder, in_data_folder

_PAGE = "www.cs.columbia.edu/CAVE/software/softlib/coil-20.php"
_FOLDER = "coil-20-proc"
_LICENSE = "non-commercial research, as the authors ask"


def coil20(folder: str | Path | None = None) -> Views:
    """1,440 images of 20 objects, [n, 1, H, W] uint8 (Nene, Nayar & Murase 1996).

    labels are the objects, 0 to 19, azimuth 0 to 355 degrees in steps of 5; all are marked for training.
    folder: one that holds coil20.npz (images [n, H, W], object [n], azimuth_degrees [n]) or the folder coil-20-proc
    with obj1__0.png to obj20__71.png; by default the data folder. No checksum is known: structure is checked.
    StoreError: neither is there, or it is corrupt or incomplete.
    InputError: DEEPTHEORY_DATA is not a folder.
    """
    place = data_folder() if folder is None else Path(folder)
    if place is not None and (place / "coil20.npz").is_file():
        images, labels, azimuth = _from_npz(place / "coil20.npz")
        source = "coil20.npz in the data folder"
    elif place is not None and (place / _FOLDER).is_dir():
        images, labels, azimuth = _from_pictures(place / _FOLDER)
        source = "the published pictures"
    else:
        raise StoreError(
            f"coil20.npz or {_FOLDER} is not in the data folder (DEEPTHEORY_DATA); get the pictures from {_PAGE}"
        )
    none = np.zeros(len(labels), dtype=np.int64)
    return Views(
        name="coil20",
        images=images[:, None],
        labels=labels,
        train=np.ones(len(labels), dtype=bool),
        source=f"{source} (structure only, no checksum is known)",
        license=_LICENSE,
        instance=none,
        azimuth=azimuth,
        elevation=none,
        light=none,
    )


def where() -> str:
    """In words: where the pictures would come from now."""
    folder = data_folder()
    if in_data_folder("coil20.npz") or (folder is not None and (folder / _FOLDER).is_dir()):
        return "the data folder"
    return f"nowhere yet: get it from {_PAGE} and set DEEPTHEORY_DATA"


def _from_npz(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    try:
        with path.open("rb") as file, np.load(file) as z:
            images, labels, azimuth = (np.asarray(z[k]) for k in ("images", "object", "azimuth_degrees"))
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise StoreError(f"{path.name} cannot be read ({error}); get it again") from error
    if images.ndim != 3 or images.dtype != np.uint8 or not labels.shape == azimuth.shape == images.shape[:1]:
        raise StoreError(
            f"{path.name} holds images {images.dtype} {list(images.shape)}, object {list(labels.shape)}, azimuth "
            f"{list(azimuth.shape)}; bytes [n, H, W], [n] and [n] belong there"
        )
    labels = whole_column(labels, len(images), 0, 19, f"the objects in {path.name}")
    azimuth = whole_column(azimuth, len(images), 0, 355, f"the azimuths in {path.name}")
    return images, labels, azimuth


def _from_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    images, labels, azimuth = [], [], []
    for item in range(20):
        for turn in range(72):
            path = folder / f"obj{item + 1}__{turn}.png"
            try:
                images.append(np.asarray(read_image(path)))
            except StoreError as error:
                raise StoreError(f"{_FOLDER}/{path.name} cannot be read ({error}); get the folder again") from error
            labels.append(item)
            azimuth.append(5 * turn)
    if len({i.shape for i in images}) != 1:
        raise StoreError(f"the pictures in {_FOLDER} have sizes {sorted({i.shape for i in images})}; they have one")
    return np.stack(images), np.array(labels), np.array(azimuth)
