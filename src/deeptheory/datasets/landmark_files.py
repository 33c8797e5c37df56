"""Landmarks in files: .pts, .tem, .csv. A new format is one function and one line in LANDMARK_FILES.

Trap: some programs count pixels from 0 and some from 1; the numbers are taken as they stand, and `face_folder` says how to
shift them.
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deeptheory.errors import StoreError
from deeptheory.names import pick


def read_landmarks(path: str | Path) -> np.ndarray:
    """[L, 2] float64, (x, y) as in the file, by its ending: .pts, .tem or .csv.

    InputError: another ending. StoreError: missing, or not of that form.
    """
    path = Path(path)
    read = pick(LANDMARK_FILES, path.suffix.lower(), what="ending of a landmark file")
    try:
        text = path.read_text(encoding="utf-8", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path.name} cannot be read ({error})") from error
    try:
        points = read(text)
    except (ValueError, IndexError) as error:
        raise StoreError(f"{path.name} is no {path.suffix} file of landmarks ({error})") from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise StoreError(f"{path.name} holds numbers of shape {list(points.shape)}; needed: finite [L, 2]")
    return points


def _pts(text: str) -> np.ndarray:
    """version: 1, n_points: L, then L lines "x y" between braces (the format of the 300-W pictures)."""
    count = int(re.search(r"n_points\s*:\s*(\d+)", text)[1]) if "n_points" in text else None  # type: ignore[index]
    inside = text[text.index("{") + 1 : text.index("}")]
    points = np.array([[float(v) for v in line.split()] for line in inside.strip().splitlines()])
    if count is not None and len(points) != count:
        raise ValueError(f"{len(points)} points, its header promises {count}")
    return points


def _tem(text: str) -> np.ndarray:
    """The number of points, then a line "x<tab>y" for each; what follows (lines to draw) is passed over. PsychoMorph."""
    lines = [line for line in text.splitlines() if line.strip()]
    count = int(lines[0])
    rows = [[float(v) for v in line.split()[:2]] for line in lines[1 : 1 + count]]
    if len(rows) != count:
        raise ValueError(f"{len(rows)} points, its first line promises {count}")
    return np.array(rows)


def _csv(text: str) -> np.ndarray:
    """One point a line, "x,y"; a first line of words is passed over."""
    rows = [line.replace(";", ",").split(",") for line in text.splitlines() if line.strip()]
    try:
        [float(v) for v in rows[0]]
    except ValueError:
        rows = rows[1:]
    return np.array([[float(v) for v in row[:2]] for row in rows])


LANDMARK_FILES: dict[str, Callable[[str], np.ndarray]] = {".pts": _pts, ".tem": _tem, ".csv": _csv}
