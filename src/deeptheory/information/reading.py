"""What users bring, read as rows: numbers of any dtype, or names (words, categories) as codes; pandas, torch,
numpy, lists."""

from numbers import Integral, Number
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError

_EXACT = 2**53  # doubles hold every integer up to here


def read(value: Any, name: str) -> tuple[np.ndarray, bool]:
    """[n, d], and whether the values are names (words, categories): then [n, 1] codes whose distances mean nothing."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise InputError(
            f"{name} masks {int(np.ma.getmaskarray(value).sum())} values; leave out rows with missing values"
        )
    codes = _categories(value, name)
    if codes is not None:
        return codes, True
    try:
        a = as_numpy(value)
    except (TypeError, ValueError) as error:  # ragged lists, dtypes without a numpy form
        raise InputError(
            f"{name} is no array of numbers ({error}); needed: [n] or [n, d], one row per sample"
        ) from error
    if a.ndim == 0:
        raise InputError(f"{name} is one {type(value).__name__}; needed: [n] or [n, d], one row per sample, dense")
    if a.dtype.kind == "O" or (a.dtype.kind in "US" and a.ndim == 2 and a.shape[1] == 1):
        a = _plain(a, name, getattr(value, "columns", None))
    if a.dtype.kind in "US" and a.ndim == 1:
        return np.unique(a, return_inverse=True)[1].reshape(-1, 1), True
    if a.dtype.kind not in "biuf":
        raise InputError(f"{name} holds {a.dtype}; needed: numbers, or one word a sample as its label")
    a = a[:, None] if a.ndim == 1 else a
    a = a.reshape(len(a), -1) if a.ndim > 2 and a.size else a  # images: one row each; `shape_notes` says so
    if a.ndim != 2 or a.shape[1] == 0:
        raise InputError(f"{name} has shape {list(a.shape)}; needed: [n] or [n, d], one row per sample")
    if a.dtype.kind == "f" and a.dtype.itemsize not in (4, 8):
        a = a.astype(np.float32 if a.dtype.itemsize == 2 else np.float64)
    return a.astype(np.uint8) if a.dtype.kind == "b" else from_least(a), False  # numpy does not subtract booleans


def from_least(a: np.ndarray) -> np.ndarray:
    """[n, d]: columns of integers beyond 2^53 (times in nanoseconds) less their least, exactly; doubles would round
    them. Information and entropies do not see the offset."""
    if a.dtype.kind not in "iu" or a.dtype.itemsize < 8 or not a.size:
        return a
    low, high = a.min(0), a.max(0)
    far = [
        j
        for j in np.flatnonzero((high > _EXACT) | (low < -_EXACT))
        if int(high[j]) - int(low[j]) <= np.iinfo(a.dtype).max
    ]
    out = a.copy() if far else a
    for j in far:
        out[:, j] = (a[:, j].astype(np.uint64) - low[j].astype(np.uint64)).astype(a.dtype)  # modulo 2^64
    return out


def shape_notes(**sides: Any) -> tuple[str, ...]:
    """A note for each side of more than two axes, which is read as rows."""
    out = []
    for name, side in sides.items():
        shape = list(getattr(side, "shape", np.shape(side)))
        if len(shape) > 2:
            columns = int(np.prod(shape[1:]))
            out.append(f"{name} has shape {shape}: each row was read as {columns} column{'s' * (columns != 1)}")
    return tuple(out)


def _categories(value: Any, name: str) -> np.ndarray | None:
    """Codes [n, 1] of a pandas categorical column (a Series, or a DataFrame of one), else None."""
    if getattr(value, "ndim", 0) == 2 and hasattr(value, "iloc") and value.shape[1] == 1:
        value = value.iloc[:, 0]
    codes = getattr(getattr(value, "cat", value), "codes", None)
    if codes is None or type(value).__module__.partition(".")[0] != "pandas":
        return None
    codes = np.asarray(codes, dtype=np.int64)
    if (codes < 0).any():
        raise InputError(
            f"{name} has no category in row {int((codes < 0).argmax())}; leave out rows with missing values"
        )
    return codes[:, None]


def _plain(a: np.ndarray, name: str, headings: Any) -> np.ndarray:
    """An object array as numbers or words. InputError naming the column that mixes kinds or misses values."""
    rows = a if a.ndim == 2 else a.reshape(len(a), -1)
    kinds = []
    for j in range(rows.shape[1]):
        title = f"column {headings[j]!r} of {name}" if headings is not None and len(headings) > 1 else name
        title = f"column {j} of {name}" if headings is None and rows.shape[1] > 1 else title
        words = numbers = 0
        for i, v in enumerate(rows[:, j]):
            if isinstance(v, str | bytes | np.str_):
                words += 1
            elif isinstance(v, Number | np.bool_) and not isinstance(v, complex):
                numbers += 1
            elif v is None or type(v).__name__ in ("NAType", "NaTType"):
                raise InputError(f"{title} has no value in row {i}; leave out rows with missing values")
            else:
                raise InputError(
                    f"{title} holds a {type(v).__name__} in row {i}; needed: numbers, or one word a sample"
                )
            if words and numbers:
                raise InputError(
                    f"{title} mixes words and numbers (row {i} holds {v!r}); make them all one or the other"
                )
        kinds.append("words" if words else "numbers")
    if set(kinds) == {"words"}:
        return rows[:, 0].astype(str) if rows.shape[1] == 1 else rows.astype(str)
    if "words" in kinds:
        where = kinds.index("words")
        title = headings[where] if headings is not None else where
        raise InputError(
            f"column {title!r} of {name} holds words beside columns of numbers; give labels as their own argument"
        )
    whole = all(isinstance(v, Integral | np.bool_) for v in rows.flat)
    try:
        return a.astype(np.int64 if whole else np.float64)
    except (OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{name} holds numbers that have no machine form ({error})") from error
