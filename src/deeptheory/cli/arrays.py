"""One array from a file of a user's: .npy, .npz, .csv (.tsv, .txt) or .mat, by what its suffix says.

A file of several arrays needs a name: FILE:NAME. Text may have a byte-order mark, a heading, commas, semicolons, tabs
or blanks between numbers; empty cells and "nan" become NaN; decimal commas are refused, since 1,5 would be read as two
numbers.
"""

import re
from pathlib import Path

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.mat_files import check_mat

SUFFIXES = (".npy", ".npz", ".csv", ".tsv", ".txt", ".mat")
_MOST_DIGITS = 1000  # in text, of a number: Python refuses integers beyond 4,300
_INTEGER = re.compile(r"[+-]?[0-9]+")
_PICKLED = "holds Python objects (pickled), which are not read; save an array of numbers"


def read_array(given: str | Path) -> np.ndarray:
    """The array of numbers in the file.

    InputError: no such file, another suffix, several arrays and no name, no numbers.
    """
    path, name = _split(str(given))
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file ({', '.join(SUFFIXES)})")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path} ends in {suffix or 'nothing'!r}; read are {', '.join(SUFFIXES)}")
    read = {".npy": _npy, ".npz": _npz, ".mat": _mat}.get(suffix, _text)
    array = read(path, name)
    if array.dtype == object:
        raise InputError(f"{path} {_PICKLED}")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{path} holds {array.dtype} of shape {list(array.shape)}; needed: real numbers")
    return array


def read_labels(given: str | Path) -> np.ndarray:
    """One label per row, of any kind: as read_array, or a text file of one label per line. InputError: as there."""
    path, _ = _split(str(given))
    if path.suffix.lower() in (".csv", ".tsv", ".txt") and path.exists():
        lines = [line.strip() for line in _decoded(path).splitlines()]
        lines = [line for line in lines if line]
        check_gaps(path, len(lines), one_column=True)
        return np.array(lines)
    return read_array(given).ravel()


def names_rows(path: Path) -> bool:
    """Whether the first column of a text table has no heading while others do, as where pandas writes its index."""
    if not path.is_file():
        return False
    mark = mark_of(path)
    cells = [cell.strip().strip('"') for cell in _first(path).split(mark)] if mark and mark != r"\s+" else []
    return bool(cells) and not cells[0] and any(not number(cell) for cell in cells)


def mark_of(path: Path) -> str | None:
    """What stands between the cells of a text table, by its first line (blanks as a pattern); None: one cell a line."""
    mark = next((m for m in ("\t", ";", ",") if m in _first(path)), None)
    cells = {len(line.split()) for line in _decoded(path).splitlines() if line.strip()}
    return r"\s+" if mark is None and len(cells) == 1 and cells != {1} else mark


def _first(path: Path) -> str:
    return next((line for line in _decoded(path).splitlines() if line.strip()), "")


def file_of(given: str) -> Path:
    """The file of FILE or FILE:NAME."""
    return _split(given)[0]


def _split(given: str) -> tuple[Path, str | None]:
    head, _, name = given.rpartition(":")
    if head and name and Path(head).suffix.lower() in (".npz", ".mat"):
        return Path(head), name
    return Path(given), None


def _npy(path: Path, name: str | None) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        why = (
            _PICKLED
            if "pickle" in str(error) and path.read_bytes()[:6] == b"\x93NUMPY"
            else "is not a .npy file (numpy.save writes one)"
        )
        raise InputError(f"{path} {why}") from error
    if not isinstance(found, np.ndarray):
        raise InputError(f"{path} is an archive of arrays; name it .npz")
    return found


def _npz(path: Path, name: str | None) -> np.ndarray:
    from zipfile import is_zipfile

    if not is_zipfile(path):
        raise InputError(f"{path} is not a .npz file (numpy.savez writes one)")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:  # numpy leaves a damaged one open
            found = archive[_chosen(path, name, list(archive.files))]
        if not isinstance(found, np.ndarray):  # numpy gives the bytes of a member that is none of its own
            raise InputError(f"{path} holds a file that is no array; numpy.savez writes arrays")
        return found
    except InputError:
        raise
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        if "pickle" in str(error):
            raise InputError(f"{path} {_PICKLED}") from error
        raise InputError(f"{path} cannot be read ({type(error).__name__}: {error}); save it again") from error


def _mat(path: Path, name: str | None) -> np.ndarray:
    from scipy.io import loadmat

    try:
        check_mat(path)
        found = {k: v for k, v in loadmat(str(path)).items() if not k.startswith("__")}
    except NotImplementedError as error:
        raise InputError(
            f"{path} is a .mat file of version 7.3; save it with -v7, or write the array as .npy"
        ) from error
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise InputError(f"{path} is not a .mat file ({type(error).__name__}: {error})") from error
    array = np.asarray(found[_chosen(path, name, list(found))])
    return array


def _chosen(path: Path, name: str | None, names: list[str]) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return str(name)
    known = ", ".join(names) or "none"
    raise InputError(
        f"{path} holds {known}; name one: {path.name}:{names[0] if names else 'NAME'}"
        if name is None
        else f"{path} holds no {name!r}; it holds {known}"
    )


def _decoded(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text in UTF-8 ({error.reason}); save it as plain text") from error


def _text(path: Path, name: str | None) -> np.ndarray:
    lines = [line for line in _decoded(path).splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{path} is empty")
    if names_rows(path):
        raise InputError(
            f"{path} has a first column without a heading, as of row names; write it without (index=False)"
        )
    last = lines[-1]
    mark = next((m for m in ("\t", ";", ",") if any(m in line for line in lines)), None)
    if mark in ("\t", ";") and any("," in line for line in lines[1:]):
        raise InputError(f"{path} has decimal commas ({last[:40]!r}); write numbers with points")
    rows = [[cell.strip().strip('"') for cell in (line.split(mark) if mark else line.split())] for line in lines]
    if not all(number(cell) for cell in rows[0]):
        rows = rows[1:]  # a heading
    if not rows:
        raise InputError(f"{path} holds a heading and no numbers")
    for at, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise InputError(f"{path} has {len(rows[0])} columns in its first row and {len(row)} in row {at + 1}")
        bad = [cell for cell in row if not number(cell)]
        if bad:
            raise InputError(f"{path} holds {bad[0]!r} in row {at + 1}; needed: numbers (a column of names has to go)")
    check_gaps(path, len(rows), one_column=len(rows[0]) == 1)
    return _numbers(path, rows)


def _numbers(path: Path, rows: list[list[str]]) -> np.ndarray:
    """[n, d]: integers where every cell is one, as a table with a heading has them; else floats. InputError: what looks
    like pandas' own heading of column numbers, integers that a float would round."""
    whole = [[_INTEGER.fullmatch(cell) is not None for cell in row] for row in rows]
    long = next((cell for row in rows for cell in row if len(cell) > _MOST_DIGITS), "")
    if long:
        raise InputError(f"{path} holds a number of {len(long)} characters, {long[:20]}...; read are {_MOST_DIGITS}")
    wide = len(rows[0])
    if wide > 1 and rows[0] == [str(k) for k in range(wide)] and not any(map(all, whole[1:])) and len(rows) > 1:
        raise InputError(
            f"{path} begins with {', '.join(rows[0][:3])}{', ...' * (wide > 3)} above rows of other numbers, as where "
            "pandas writes the numbers of columns; write it without (header=False), or name the columns"
        )
    if all(map(all, whole)):
        exact = [[int(cell) for cell in row] for row in rows]
        if all(-(2**63) <= v < 2**63 for row in exact for v in row):
            return np.array(exact, dtype=np.int64)
    for row, marks in zip(rows, whole):
        for cell, is_whole in zip(row, marks):
            if is_whole and np.isinf(float(cell)):
                raise InputError(f"{path} holds {cell[:20]}..., an integer of {len(cell)} digits, beyond float64")
            if is_whole and len(cell) > 15 and int(cell) != int(float(cell)):
                raise InputError(f"{path} holds {cell}, which a float rounds to {float(cell):.0f}; take off an offset")
    return np.array([[float(cell) if cell else np.nan for cell in row] for row in rows])


def check_gaps(path: Path, rows: int, one_column: bool) -> None:
    """InputError: an empty line among the last `rows` rows of one column, which may be a missing value: left out, it
    would move all rows after it. Empty lines at either end, or between all rows alike, say nothing."""
    at = [k for k, line in enumerate(_decoded(path).splitlines()) if line.strip()][-rows:]
    steps = np.diff(at)
    if one_column and len(steps) and steps.min() < steps.max():
        where = at[int((steps > steps.min()).argmax())] + 2
        raise InputError(
            f"{path} is empty in line {where}, among rows of one column: a missing value? Leave that row out of all "
            "files, or the line"
        )


def number(cell: str) -> bool:
    """Whether a cell of text is a number, or empty. Names as 3_1 are none, though Python would read 31."""
    if "_" in cell:
        return False
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True
