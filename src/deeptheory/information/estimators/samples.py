"""The entry of every estimator from samples: what was handed in becomes [n, d] numbers or labels, or a clear error.

Pitfalls: a column that is constant in decimal (0.1) has a standard deviation of 1e-17, so constancy is asked of the range;
squares of 1e-200 are 0 and of 1e200 infinite, so columns are brought to the order of 1 by a power of two first.
"""

from collections.abc import Callable, Mapping
from numbers import Integral, Number
from typing import Any

import numpy as np

from deeptheory import statistics
from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.shapes import check_finite

SAMPLING_ERROR = "interval: sampling error only"
SAMPLING_NOTE = "the interval is sampling error only, from subsamples: a bias common to all of them is not in it"


def as_samples(least: int = 2, **arrays: Any) -> list[np.ndarray]:
    """Each array as [n, d] ([n] becomes [n, 1]), all of the same n, finite; words and categories, one a sample, as integers.

    Numbers stay in their own dtype (float16 becomes float32, an object column of numbers float64 or int64).
    InputError: other axes, different n, fewer than `least` samples, NaN or infinity, no numbers, mixed kinds in a column.
    """
    out, first = [], None
    for name, value in arrays.items():
        a = read(value, name)[0]
        if first is None:
            first = (name, len(a))
        if len(a) != first[1]:
            raise InputError(
                f"{name} has {len(a)} rows, {first[0]} has {first[1]}; they are paired samples, so both need the same n"
            )
        if len(a) < least:
            raise InputError(f"{name} has {len(a)} samples; this needs at least {least}")
        check_finite(**{name: a})
        out.append(a)
    return out


def read(value: Any, name: str) -> tuple[np.ndarray, bool]:
    """[n, d], and whether the values are names (words, categories): then [n, 1] codes whose distances mean nothing."""
    codes = _categories(value, name)
    if codes is not None:
        return codes, True
    try:
        a = as_numpy(value)
    except (TypeError, ValueError) as error:  # ragged lists, dtypes without a numpy form
        raise InputError(f"{name} is no array of numbers ({error}); needed: [n] or [n, d], one row a sample") from error
    if a.dtype.kind == "O" or (a.dtype.kind in "US" and a.ndim == 2 and a.shape[1] == 1):
        a = _plain(a, name, getattr(value, "columns", None))
    if a.dtype.kind in "US" and a.ndim == 1:
        return np.unique(a, return_inverse=True)[1].reshape(-1, 1), True
    if a.dtype.kind not in "biuf":
        raise InputError(f"{name} holds {a.dtype}; needed: numbers, or one word a sample as its label")
    a = a[:, None] if a.ndim == 1 else a
    if a.ndim != 2 or a.shape[1] == 0:
        raise InputError(f"{name} has shape {list(a.shape)}; needed: [n] or [n, d], one row a sample")
    if a.dtype.kind == "f" and a.dtype.itemsize not in (4, 8):
        a = a.astype(np.float32 if a.dtype.itemsize == 2 else np.float64)
    return a, False


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


def check_k(k: Any, n: int) -> None:
    """InputError: k, the number of neighbours, is no whole number in 1..n - 1."""
    check_whole(k, "k")
    if not 1 <= k < n:
        raise InputError(f"k is {k} for {n} samples; it lies in 1..{n - 1}")


def check_whole(value: Any, name: str, least: int | None = None) -> None:
    """InputError: no whole number, or below `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral | np.integer):
        raise InputError(f"{name} is {value!r}; needed: a whole number")
    if least is not None and value < least:
        raise InputError(f"{name} is {value}; needed: at least {least}")


def constant(a: np.ndarray) -> np.ndarray:
    """Which columns of [n, d] hold one value only."""
    return a.min(0) == a.max(0)


def scaled(a: np.ndarray, name: str) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1, float64. InputError: a constant column."""
    if constant(a).any():
        raise InputError(f"{name} is constant in column {int(constant(a).argmax())}; leave it out, it tells nothing")
    return rescaled(a)


def rescaled(a: np.ndarray) -> np.ndarray:
    """As `scaled`, a constant column as zeros: ties are nothing unusual here."""
    still = constant(a)
    a = moderate(a)
    a = a - a.mean(0)
    a[:, still] = 0.0
    spread = a.std(0)
    return a / np.where(spread > 0, spread, 1.0)


def moderate(a: np.ndarray) -> np.ndarray:
    """[n, d] float64, each column divided by a power of two, so exactly, to the order of 1."""
    a = a.astype(np.float64)
    return np.ldexp(a, -np.frexp(np.abs(a).max(0))[1])


def columns_of(a: np.ndarray) -> np.ndarray:
    """[n, d] -> [d, n] float64, in one piece, as the scans over neighbours take it."""
    return np.ascontiguousarray(a.T, dtype=np.float64)


def batch_interval(value: float, estimate: Callable[[np.ndarray], float], n: int, seed: int) -> tuple[float, float]:
    """95 % interval from ten disjoint batches (statistics.batch_interval). NaN where a batch would hold under 20."""
    return statistics.batch_interval(value, estimate, n, seed)


def has_ties(a: np.ndarray) -> bool:
    """Whether a row stands twice."""
    return len(np.unique(a, axis=0)) < len(a)


def check_options(options: Mapping[str, Any]) -> None:
    """InputError: k or seed that is no whole number, named with the value seen, before any estimator runs."""
    for name, least in (("k", None), ("seed", 0)):
        if name in options:
            check_whole(options[name], name, least)
