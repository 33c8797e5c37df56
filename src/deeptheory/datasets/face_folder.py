"""Photographed faces with landmarks, from a folder of the user's: pictures, and landmarks beside them or in one file.

`faces` is the folder "faces" in the data folder; `face_folder` any other. No photographs come with deeptheory: they are
somebody's faces. `dt.faces.ProceduralFaces` needs none.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.datasets.landmark_files import LANDMARK_FILES, read_landmarks
from deeptheory.datasets.places import data_folder
from deeptheory.errors import InputError, StoreError
from deeptheory.results import Result

_PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FaceImages(Result):
    """Pictures of n faces. images: [n, H, W] or [n, H, W, 3] uint8; landmarks: [n, L, 2] float64, pixels (x, y), the centre
    of the first pixel at (0, 0); names: [n], the files' names without ending."""

    images: np.ndarray
    landmarks: np.ndarray
    names: tuple[str, ...]
    source: str

    def __repr__(self) -> str:
        n, h, w = self.images.shape[:3]
        return f"FaceImages({n} of {h}x{w}, {self.landmarks.shape[1]} landmarks, from {self.source})"

    def table(self) -> Any:
        """One row a face: name, and the box around its landmarks in pixels."""
        import pandas as pd

        low, high = self.landmarks.min(1), self.landmarks.max(1)
        frame = pd.DataFrame({"name": self.names})
        frame[["left", "top"]], frame[["right", "bottom"]] = low, high
        return frame


def faces(size: int | None = None, *, colour: bool = False) -> FaceImages:
    """The photographed faces of the folder "faces" in the data folder; size, colour: as in face_folder.

    StoreError: there is no data folder, or no such folder in it.
    """
    folder = data_folder()
    if folder is None or not (folder / "faces").is_dir():
        raise StoreError(
            "no folder 'faces' was found: set DEEPTHEORY_DATA to a folder that holds it, use face_folder(path), or "
            "dt.faces.ProceduralFaces, which needs no photographs"
        )
    found = face_folder(folder / "faces", size, colour=colour)
    return FaceImages(images=found.images, landmarks=found.landmarks, names=found.names, source="the data folder")


def where() -> str:
    """In words: where the faces would come from now."""
    folder = data_folder()
    if folder is not None and (folder / "faces").is_dir():
        return "the data folder"
    return "nowhere yet: set DEEPTHEORY_DATA to a folder with a folder 'faces' of pictures and landmarks"


def face_folder(
    path: str | Path, size: int | None = None, *, colour: bool = False, first_pixel: float = 0.0
) -> FaceImages:
    """Pictures of faces and their landmarks, in the order of their names.

    path: a folder of pictures, with landmarks in landmarks.npz (points [n, L, 2], name [n]), in landmarks.csv (a line a
    face: name,x1,y1,x2,y2,...), or in a file NAME.pts, NAME.tem or NAME.csv beside each picture. size: height in pixels
    to which all are brought (the width follows), by default as they are. colour: [n, H, W, 3]; else grey. first_pixel:
    what the files call the centre of the first pixel: 1 for programs that count from 1.
    InputError: a size below 8. StoreError: no such folder, no picture with landmarks, pictures of different shapes, or a
    file that cannot be read.
    """
    from PIL import Image

    folder = Path(path)
    if size is not None and size < 8:
        raise InputError(f"size is {size}; a face needs at least 8 pixels")
    if not folder.is_dir():
        raise StoreError(f"{folder.name} is no folder")
    points = _landmarks(folder)
    chosen = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in _PICTURES and p.stem in points]
    if not chosen:
        raise StoreError(f"{folder.name} holds no picture with landmarks; {len(points)} sets of landmarks were found")
    images, placed = [], []
    for p in chosen:
        try:
            with Image.open(p) as opened:
                picture = opened.convert("RGB" if colour else "L")
        except OSError as error:
            raise StoreError(f"{p.name} cannot be read ({error})") from error
        wide, high = picture.size
        to = (wide, high) if size is None else (round(size * wide / high), size)
        images.append(np.asarray(picture if to == picture.size else picture.resize(to, Image.Resampling.LANCZOS)))
        placed.append((points[p.stem] - first_pixel + 0.5) * np.array(to) / (wide, high) - 0.5)
    shapes, counts = {i.shape for i in images}, {len(p) for p in placed}
    if len(shapes) > 1 or len(counts) > 1:
        raise StoreError(
            f"{folder.name} holds pictures of shapes {sorted(shapes)} with {sorted(counts)} landmarks; all must be alike "
            "(size= brings pictures of the same proportions to one size)"
        )
    return FaceImages(
        images=np.stack(images), landmarks=np.stack(placed), names=tuple(p.stem for p in chosen), source=folder.name
    )


def _landmarks(folder: Path) -> dict[str, np.ndarray]:
    """Landmarks [L, 2] by name of picture."""
    packed, listed = folder / "landmarks.npz", folder / "landmarks.csv"
    if packed.is_file():
        try:
            with np.load(packed) as z:
                names, points = [str(n) for n in z["name"]], np.asarray(z["points"], dtype=np.float64)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise StoreError(
                f"landmarks.npz cannot be read ({error}); it holds points [n, L, 2] and name [n]"
            ) from error
        if points.ndim != 3 or points.shape[2] != 2 or len(points) != len(names):
            raise StoreError(
                f"landmarks.npz holds points {list(points.shape)} and {len(names)} names; [n, L, 2] and [n] belong there"
            )
        return dict(zip(names, points))
    if listed.is_file():
        return _listed(listed)
    files = [p for p in sorted(folder.iterdir()) if p.suffix.lower() in LANDMARK_FILES]
    return {p.stem: read_landmarks(p) for p in files}


def _listed(path: Path) -> dict[str, np.ndarray]:
    out = {}
    for k, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        name, *numbers = line.split(",")
        try:
            values = np.array([float(v) for v in numbers])
            out[Path(name).stem] = values.reshape(-1, 2)
        except ValueError as error:
            if k > 0:  # the first line may be a heading
                raise StoreError(f"landmarks.csv, line {k + 1}: {error}; needed: name,x1,y1,x2,y2,...") from error
    return out
