"""Arrays come as numpy or torch and are returned in kind; this file knows the crossing.

Pitfalls: bfloat16 has no numpy form; it crosses as float32, exactly. Masked values and pandas' missing ones become NaN:
numpy's own conversion would hand out what lies under the mask. Rows are paired by position, and row labels (pandas,
xarray) are lost on the way: `check_paired` asks them first.
"""

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError

Array = Any  # numpy.ndarray or torch.Tensor; torch is imported late, so the type is not spelled out


def is_torch(x: Any) -> bool:
    """Whether x is a torch tensor, asked without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch" or hasattr(x, "__torch_function__")


def as_tensor(x: Any):
    """x as a torch tensor on its own device and dtype; shares memory where it can. Lists become float64 or int64.

    Masked and missing values become NaN; uint16, uint32 and uint64, with which torch can hardly count, int64 (float64
    where a number is above its largest). InputError: text, dates, and objects that are no numbers.
    """
    import torch

    x = x if isinstance(x, torch.Tensor) else torch.as_tensor(_numbers(x))
    if x.dtype in (torch.uint16, torch.uint32, torch.uint64):
        beyond = x.dtype == torch.uint64 and bool((x.long() < 0).any())
        return x.double() if beyond else x.long()
    return x


def real_tensor(name: str, x: Any, dtype: Any = None):
    """x as a tensor of floats: integers and truth values, whose differences may wrap around, in `dtype` (float32).

    InputError: complex numbers, and as `as_tensor`.
    """
    import torch

    x = as_tensor(x)
    if x.is_complex():
        raise InputError(f"{name} holds {x.dtype}; needed: real numbers")
    return x if x.is_floating_point() else x.to(dtype or torch.float32)


def as_numpy(x: Any) -> np.ndarray:
    """x as a numpy array on the host, detached; bfloat16 becomes float32, what is masked NaN."""
    if not is_torch(x):
        return _unmasked(x) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)
    import torch

    x = x.detach().cpu()
    return (x.float() if x.dtype == torch.bfloat16 else x).numpy()


def as_floats(x: Any) -> np.ndarray:
    """x as float64 on the host, see `as_numpy`: what is masked or missing is NaN.

    InputError: no real numbers; integers that float64 would round, as of times in nanoseconds.
    """
    array = as_numpy(x) if is_torch(x) else _numbers(x)
    if array.dtype.kind == "c":
        raise InputError("needed are real numbers; these are complex")
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and array.size:
        _check_exact(array)
    return array.astype(np.float64, copy=False)


def _check_exact(array: np.ndarray) -> None:
    most = 2**53  # every integer up to there is a double
    if int(array.max()) <= most and int(array.min()) >= -most:
        return
    flat = array.ravel()
    far = flat[(flat > most) | (flat < -most)] if array.dtype.kind == "i" else flat[flat > most]
    _refuse_rounded(far[:10_000].tolist())


def _refuse_rounded(whole: Iterable[Any]) -> None:
    first = next((int(v) for v in whole if abs(int(v)) > 2**53 and int(float(v)) != v), None)
    if first is not None:
        raise InputError(
            f"{first} is an integer that float64 rounds to {int(float(first))}; take off an offset first "
            "(x - x.min()), or give floats if the rounding does not matter"
        )


def as_numbers(x: Any) -> np.ndarray:
    """x as real numbers on the host in their own dtype; what is masked, and objects, as float64. InputError: others."""
    array = as_numpy(x)
    return array if array.dtype.kind in "biuf" else as_floats(x)


def _unmasked(x: np.ma.MaskedArray) -> np.ndarray:
    if not np.ma.is_masked(x):
        return x.data
    return np.ma.filled(x if x.dtype.kind in "fcO" else x.astype(np.float64), np.nan)


def _numbers(x: Any) -> np.ndarray:
    """x as an array of a dtype and layout that torch takes: native byte order, no negative strides, no objects,
    writable (pandas gives views that are not)."""
    try:
        array = as_numpy(x)
        if array.dtype == object and array.ndim == 0:
            raise TypeError(f"{str(x)[:80]!r} is no array")
        if array.dtype == object:  # pandas' nullable numbers, lists that hold None
            _refuse_rounded(v for v in array.ravel() if isinstance(v, int | np.integer))
            pandas = type(x).__module__.partition(".")[0] == "pandas" and hasattr(x, "to_numpy")
            array = x.to_numpy(dtype=np.float64, na_value=np.nan) if pandas else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"needed are numbers in rows of one length; {type(x).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise InputError(f"needed are numbers; {type(x).__name__} holds {array.dtype}")
    if array.dtype.kind in "fc" and array.dtype.itemsize > (8 if array.dtype.kind == "f" else 16):
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.complex128)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array.copy() if any(step < 0 for step in array.strides) or not array.flags.writeable else array


def like(result: Any, reference: Any):
    """result in the kind of reference: numpy in, numpy out; a tensor comes back on the reference's device."""
    if is_torch(reference):
        return as_tensor(result).to(reference.device)
    return as_numpy(result)


def row_labels(x: Any, axis: int = 0) -> Any:
    """The labels along an axis of a pandas Series or DataFrame, or of an xarray DataArray, as a pandas Index; else
    None.
    """
    if hasattr(x, "get_indexer"):
        return x
    if hasattr(x, "iloc"):
        return x.index if axis == 0 else getattr(x, "columns", None)
    if hasattr(x, "indexes") and hasattr(x, "dims") and len(x.dims) > axis:
        return x.indexes.get(x.dims[axis])
    return None


def check_paired(**arrays: Any) -> tuple[str, ...]:
    """Whether row labels agree with what is done: rows of these arrays are paired by position.

    Arrays without labels, labels that both sides do not share, and labels that agree row by row pass without a word.
    Notes: labels that are shifted by so many rows (a lag), or that a default index 0..n-1 contradicts. InputError: the
    same labels in another order, or labels of both sides that are listed in different rows without being shifted as a
    whole.
    """
    labels = {name: index for name, x in arrays.items() if (index := row_labels(x)) is not None}
    notes = [_compared(one, labels[one], two, labels[two]) for one, two in combinations(labels, 2)]
    return tuple(note for note in notes if note)


def _compared(one: str, a: Any, two: str, b: Any) -> str:
    if len(a) != len(b) or a.equals(b):  # other lengths are refused where shapes are checked
        return ""
    row = next((i for i, (u, v) in enumerate(zip(a, b)) if u is not v and u != v), None)
    if row is None:  # the same labels in another dtype
        return ""
    seen = f"row {row} is {a[row]!r} in {one} and {b[row]!r} in {two}"
    position = "or give .to_numpy() of both to pair them by position"
    if not (a.is_unique and b.is_unique):
        if Counter(a) == Counter(b):
            raise InputError(
                f"{one} and {two} have the same row labels, some of them repeated, in another order ({seen}); sort "
                f"both alike, {position}"
            )
        return ""
    place = {label: i for i, label in enumerate(b)}
    at = np.array([place.get(label, -1) for label in a])
    shared = np.flatnonzero(at >= 0)
    shifts = np.unique(at[shared] - shared)
    if len(shared) == len(a):
        raise InputError(
            f"{one} and {two} have the same row labels in another order ({seen}); align them by label "
            f"({two}.loc[{one}.index]), {position}"
        )
    if len(shifts) > 1 and not (_is_default(a) or _is_default(b)):
        raise InputError(
            f"{one} and {two} share {len(shared)} of {len(a)} row labels, in different rows ({seen}); keep the "
            f"rows that both have (.loc[{one}.index.intersection({two}.index)]), {position}"
        )
    if len(shifts) > 1:
        return f"{one} and {two} are paired by position, against their row labels: {seen}"
    if len(shifts) == 1 and shifts[0]:
        lag = abs(int(shifts[0]))
        return (
            f"{one} and {two} are paired by position, {lag} row{'s' * (lag > 1)} apart by their labels: a lag ({seen})"
        )
    return ""


def _is_default(index: Any) -> bool:
    """Whether nobody chose these labels: 0, 1, ..., n - 1."""
    return type(index).__name__ == "RangeIndex" and index[0] == 0 and index[-1] == len(index) - 1
