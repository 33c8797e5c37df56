"""Landmarks in files: .pts, .tem, .csv. A new format is one function and one line in LANDMARK_FILES.

Pitfall: some programs count pixels from 0 and some from 1; the numbers are taken as they stand, and `face_folder` says
how to shift them. Some write (0, 0) or (-1, -1) for a point that was not found; such points are refused by number.
"""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.core.names import pick

_X, _Y = ("x", "px", "x_px", "col", "column"), ("y", "py", "y_px", "row", "line")
_NUMBERED = ("", "point", "landmark", "id", "index", "name", "n", "no", "number", "label", "part")


def read_landmarks(path: str | Path) -> np.ndarray:
    """[L, 2] float64, (x, y), by the file's ending: .pts, .tem or .csv.

    .csv: separated by comma, semicolon (decimal commas are then read) or tab; with a heading, columns x and y are found
    by name in either order; without one there are exactly two columns, x first.
    InputError: another ending. StoreError: missing, not of that form, or points marked as missing.
    """
    path = Path(path)
    read = pick(LANDMARK_FILES, path.suffix.lower(), what="ending of a landmark file")
    text = read_text(path)
    try:
        points = read(text)
    except (ValueError, IndexError, TypeError, KeyError, csv.Error) as error:
        raise StoreError(f"{path.name} is no {path.suffix} file of landmarks ({error})") from error
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise StoreError(f"{path.name} holds numbers of shape {list(points.shape)}; needed: finite [L, 2]")
    refuse_missing(points, path.name)
    return points


def read_text(path: Path) -> str:
    """The file's text, UTF-8 with or without a byte order mark. StoreError: missing, or other bytes."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"{path.name} cannot be read ({error}); needed: text in UTF-8") from error


def refuse_missing(points: np.ndarray, name: str) -> None:
    """StoreError: a point that is not finite, or is (0, 0) or (-1, -1), as programs mark what they did not find."""
    marked = (points == 0).all(-1) | (points == -1).all(-1) | ~np.isfinite(points).all(-1)
    if marked.any():
        at = np.argwhere(marked)[0]
        seen = ", ".join(f"{v:g}" for v in points[tuple(at)])
        raise StoreError(
            f"{name}: {int(marked.sum())} of {marked.size} points are marked as missing, the first is ({seen}) "
            f"at {at.tolist()}; "
            "leave such faces out (a landmark that does lie there can be written as 0.001)"
        )


def table(text: str) -> list[list[str]]:
    """Rows of text separated by commas, semicolons (cells may hold decimal commas) or tabs, without empty lines.

    csv.Error: a quote that does not end.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = ";" if ";" in text else "\t" if "\t" in first else ","
    return [[c.strip() for c in row] for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]


def number_of(cell: str) -> float:
    """A cell as a number, with a decimal point or comma; empty is NaN, a missing mark. ValueError: words."""
    return float(cell.replace(",", ".")) if cell else float("nan")


def _pts(text: str) -> np.ndarray:
    """version: 1, n_points: L, then L lines "x y" between braces (the format of the 300-W pictures)."""
    found = re.search(r"n_points\s*:\s*(\d+)", text)
    if "n_points" in text and found is None:
        raise ValueError("n_points has no number behind it")
    inside = text[text.index("{") + 1 : text.index("}")]
    points = np.array([[float(v) for v in line.split()] for line in inside.strip().splitlines()])
    if found is not None and len(points) != int(found[1]):
        raise ValueError(f"{len(points)} points, its header promises {found[1]}")
    return points


def _tem(text: str) -> np.ndarray:
    """The number of points, then a line "x<tab>y" for each; what follows (lines to draw) is passed over.

    PsychoMorph.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    count = int(lines[0])
    rows = [[float(v) for v in line.split()[:2]] for line in lines[1 : 1 + count]]
    if len(rows) != count:
        raise ValueError(f"{len(rows)} points, its first line promises {count}")
    return np.array(rows)


def _csv(text: str) -> np.ndarray:
    """One point per line; see read_landmarks."""
    rows = table(text)
    if not rows:
        raise ValueError("it is empty")
    heading = [c.lower() for c in rows[0]]
    try:
        [float(c.replace(",", ".")) for c in rows[0]]
    except ValueError:
        columns = [[i for i, c in enumerate(heading) if c in names] for names in (_X, _Y)]
        others = [c for c in heading if c not in (*_X, *_Y, *_NUMBERED)]
        if any(len(found) != 1 for found in columns) or others:
            raise ValueError(f"its heading is {', '.join(rows[0])}; needed: one column x and one column y") from None
        (x,), (y,) = columns
        uneven = next((k for k, row in enumerate(rows, 1) if len(row) != len(heading)), None)
        if uneven:
            raise ValueError(
                f"line {uneven} has {len(rows[uneven - 1])} cells, the heading {len(heading)}; decimal commas: "
                "separate by semicolons"
            ) from None
        return np.array([[number_of(row[x]), number_of(row[y])] for row in rows[1:]])
    if {len(row) for row in rows} != {2}:
        raise ValueError(
            f"{len(rows[0])} columns without a heading; needed: x,y, or a heading that names x and y (decimal commas: "
            "separate by semicolons)"
        )
    return np.array([[number_of(c) for c in row] for row in rows])


LANDMARK_FILES: dict[str, Callable[[str], np.ndarray]] = {".pts": _pts, ".tem": _tem, ".csv": _csv}
