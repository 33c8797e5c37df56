"""Photographed faces with landmarks, from a folder of the user's: pictures, and landmarks beside them or in one file.

`faces` is the folder "faces" in the data folder; `face_folder` any other. No photographs come with deeptheory: they are
somebody's faces. `dt.faces.ProceduralFaces` needs none.
"""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real, check_whole
from deeptheory.datasets.images.image_files import read_image
from deeptheory.datasets.images.landmark_files import (
    LANDMARK_FILES,
    number_of,
    read_landmarks,
    read_text,
    refuse_missing,
    table,
)
from deeptheory.datasets.paths import data_folder

if TYPE_CHECKING:
    import pandas

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FaceImages(Result):
    """Images of n faces with L landmarks each.

    images: [n, H, W] or [n, H, W, 3] uint8; landmarks: [n, L, 2] float64, pixels (x, y), the center of the first pixel
    at (0, 0); names: [n], the files' names without ending; source: where they were read from, in words.
    """

    images: np.ndarray
    landmarks: np.ndarray
    names: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        n, h, w = self.images.shape[:3]
        return f"FaceImages({n} of {h}x{w}, {self.landmarks.shape[1]} landmarks, from {self.source})"

    def table(self) -> "pandas.DataFrame":
        """One row per face: name, and left, top, right, bottom, the box around its landmarks in pixels."""
        import pandas as pd

        low, high = self.landmarks.min(1), self.landmarks.max(1)
        frame = pd.DataFrame({"name": self.names})
        frame[["left", "top"]], frame[["right", "bottom"]] = low, high
        return frame


def faces(size: int | None = None, *, color: bool = False) -> FaceImages:
    """The photographed faces of the folder "faces" in the data folder; size, color: as in face_folder.

    StoreError: there is no data folder, or no such folder in it, and as face_folder. InputError: a size below 8, or
    DEEPTHEORY_DATA is not a folder.
    """
    folder = data_folder()
    if folder is None or not (folder / "faces").is_dir():
        raise StoreError(
            "no folder 'faces' was found: set DEEPTHEORY_DATA to a folder that holds it, use face_folder(path), or "
            "dt.faces.ProceduralFaces, which needs no photographs"
        )
    found = face_folder(folder / "faces", size, color=color)
    return FaceImages(images=found.images, landmarks=found.landmarks, names=found.names, source="the data folder")


def where() -> str:
    """In words: where the faces would come from now."""
    folder = data_folder()
    if folder is not None and (folder / "faces").is_dir():
        return "the data folder"
    return "nowhere yet: set DEEPTHEORY_DATA to a folder with a folder 'faces' of pictures and landmarks"


def face_folder(
    folder: str | Path, size: int | None = None, *, color: bool = False, first_pixel: float = 0.0
) -> FaceImages:
    """Images of faces and their landmarks, in the order of their file names: uint8, and pixels (x, y).

    folder: holds pictures, with landmarks in landmarks.npz (points [n, L, 2], name [n]), in landmarks.csv (a line per
    face: name,x1,y1,x2,y2,...), or in a file NAME.pts, NAME.tem or NAME.csv next to each picture. Landmarks are those
    of the picture as it is shown (EXIF orientation heeded); pixels of 16 bits are divided by 257, floats in [0, 1]
    times 255. size: height in pixels to which all are brought (the width follows), by default as they are. color: [n,
    H, W, 3]; else gray. first_pixel: what the files call the center of the first pixel: 1 for programs that count from
    1. InputError: a size that is no integer of 8 or more, first_pixel no finite number. StoreError: no such folder, no
    picture with landmarks, pictures of different shapes, two pictures or sets of landmarks of one name, landmarks
    missing or mostly outside their picture, or a file that cannot be read.
    """
    from PIL import Image

    folder = Path(folder)
    check_whole(size=(8 if size is None else size, 1))
    check_real(first_pixel=(first_pixel, -np.inf))
    if size is not None and size < 8:
        raise InputError(f"size is {size}; a face needs at least 8 pixels")
    if not folder.is_dir():
        raise StoreError(f"{folder.name} is no folder")
    points = _landmarks(folder)
    pictures = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in _PICTURES]
    chosen = {p: points[key] for p in pictures if (key := p.name if p.name in points else p.stem) in points}
    if not chosen:
        raise StoreError(f"{folder.name} holds no picture with landmarks; {len(points)} sets of landmarks were found")
    stems = [p.stem for p in chosen if p.name not in points]
    twice = next((s for s in stems if stems.count(s) > 1), None)
    if twice is not None:
        which = " and ".join(p.name for p in chosen if p.stem == twice)
        raise StoreError(
            f"{which} have one set of landmarks between them; give landmarks by full file names, or remove one"
        )
    images, placed = [], []
    for p, at in chosen.items():
        picture = read_image(p, color=color)
        wide, high = picture.size
        to = (wide, high) if size is None else (max(1, round(size * wide / high)), size)
        images.append(np.asarray(picture if to == picture.size else picture.resize(to, Image.Resampling.LANCZOS)))
        at = at - first_pixel
        _inside(at, wide, high, p.name)
        placed.append((at + 0.5) * np.array(to) / (wide, high) - 0.5)
    shapes, counts = {i.shape for i in images}, {len(p) for p in placed}
    if len(shapes) > 1 or len(counts) > 1:
        raise StoreError(
            f"{folder.name} holds pictures of shapes {sorted(shapes)} with {sorted(counts)} landmarks; all "
            "must be alike "
            "(size= brings pictures of the same proportions to one size)"
        )
    return FaceImages(
        images=np.stack(images),
        landmarks=np.stack(placed),
        names=tuple(p.stem for p in chosen),
        source=folder.name,
    )


def _landmarks(folder: Path) -> dict[str, np.ndarray]:
    """Landmarks [L, 2] by name of picture."""
    packed, listed = folder / "landmarks.npz", folder / "landmarks.csv"
    if packed.is_file():
        try:
            with packed.open("rb") as file, np.load(file) as z:
                names, points = [str(n) for n in z["name"]], np.asarray(z["points"], dtype=np.float64)
        except Exception as error:  # a damaged file raises whatever its bytes lead to
            raise StoreError(
                f"landmarks.npz cannot be read ({error}); it holds points [n, L, 2] and name [n]"
            ) from error
        if points.ndim != 3 or points.shape[2] != 2 or len(points) != len(names):
            raise StoreError(
                f"landmarks.npz holds points {list(points.shape)} and {len(names)} names; [n, L, 2] and [n] belong "
                "there"
            )
        refuse_missing(points, "landmarks.npz")
        return _once(names, points, "landmarks.npz")
    if listed.is_file():
        return _listed(listed)
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in LANDMARK_FILES]
    return _once([p.stem for p in files], [read_landmarks(p) for p in files], folder.name)


def _once(names: list[str], points: Any, where: str) -> dict[str, np.ndarray]:
    bare = next((n for n, p in zip(names, points) if not len(p)), None)
    if bare is not None:
        raise StoreError(f"{where} has no landmark of {bare!r}; needed: one or more")
    twice = next((n for n in names if names.count(n) > 1), None)
    if twice is not None:
        raise StoreError(f"{where} has landmarks of {twice!r} more than once; each picture has one set")
    return dict(zip(names, points))


def _is_number(cell: str) -> bool:
    try:
        return bool(cell) and np.isfinite(number_of(cell))
    except ValueError:
        return False


def _inside(at: np.ndarray, wide: int, high: int, name: str) -> None:
    """StoreError: over a fifth of the landmarks lie outside their picture."""
    outside = ((at < -0.5) | (at > (wide - 0.5, high - 0.5))).any(1)
    if outside.mean() > 0.2:
        turned = ((at[:, ::-1] < -0.5) | (at[:, ::-1] > (wide - 0.5, high - 0.5))).any(1)
        hint = "; as (y, x) they would lie inside: swap the columns" if turned.mean() < outside.mean() / 3 else ""
        raise StoreError(
            f"{name} is {wide} by {high} pixels, and {int(outside.sum())} of its {len(at)} landmarks lie outside{hint}"
        )


def _listed(path: Path) -> dict[str, np.ndarray]:
    names, points = [], []
    try:
        rows = table(read_text(path))
    except csv.Error as error:
        raise StoreError(f"landmarks.csv cannot be read ({error}); needed: name,x1,y1,x2,y2,...") from error
    for k, (name, *numbers) in enumerate(rows):
        try:
            values = np.array([number_of(v) for v in numbers]).reshape(-1, 2)
        except ValueError as error:
            if k > 0 or any(_is_number(v) for v in numbers):  # the first line may be a heading, all of words
                raise StoreError(f"landmarks.csv, line {k + 1}: {error}; needed: name,x1,y1,x2,y2,...") from error
            if any(v.lower().lstrip("_ ").startswith("y") for v in numbers[::2]):
                raise StoreError(
                    "landmarks.csv has a heading that puts y first; needed: name,x1,y1,x2,y2,..."
                ) from error
            continue
        refuse_missing(values, f"landmarks.csv, line {k + 1}")
        names.append(name)
        points.append(values)
    return _once(names, points, "landmarks.csv")
