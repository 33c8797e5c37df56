"""Arrays come as numpy or torch and are returned in kind; this file knows the crossing.

Trap: bfloat16 has no numpy form; it crosses as float32, exactly. Masked values and pandas' missing ones become NaN: numpy's own
conversion would hand out what lies under the mask.
"""

from typing import Any

import numpy as np

from deeptheory.core.errors import InputError

Array = Any  # numpy.ndarray or torch.Tensor; torch is imported late, so the type is not spelled out


def is_torch(x: Any) -> bool:
    """Whether x is a torch tensor, asked without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch" or hasattr(x, "__torch_function__")


def as_tensor(x: Any):
    """x as a torch tensor on its own device and dtype; shares memory where it can. Lists become float64 or int64.

    Masked and missing values become NaN. InputError: text, dates, and objects that are no numbers.
    """
    import torch

    return x if isinstance(x, torch.Tensor) else torch.as_tensor(_numbers(x))


def as_numpy(x: Any) -> np.ndarray:
    """x as a numpy array on the host, detached; bfloat16 becomes float32, what is masked NaN."""
    if not is_torch(x):
        return _unmasked(x) if isinstance(x, np.ma.MaskedArray) else np.asarray(x)
    import torch

    x = x.detach().cpu()
    return (x.float() if x.dtype == torch.bfloat16 else x).numpy()


def as_floats(x: Any) -> np.ndarray:
    """x as float64 on the host, see `as_numpy`: what is masked or missing is NaN. InputError: no real numbers."""
    array = as_numpy(x) if is_torch(x) else _numbers(x)
    if array.dtype.kind == "c":
        raise InputError("needed are real numbers; these are complex")
    return array.astype(np.float64, copy=False)


def _unmasked(x: np.ma.MaskedArray) -> np.ndarray:
    if not np.ma.is_masked(x):
        return x.data
    return np.ma.filled(x if x.dtype.kind in "fcO" else x.astype(np.float64), np.nan)


def _numbers(x: Any) -> np.ndarray:
    """x as an array of a dtype and layout that torch takes: native byte order, no negative strides, no objects."""
    try:
        array = as_numpy(x)
        if array.dtype == object and array.ndim == 0:
            raise TypeError(f"{str(x)[:80]!r} is no array")
        if array.dtype == object:  # pandas' nullable numbers, lists that hold None
            pandas = type(x).__module__.partition(".")[0] == "pandas" and hasattr(x, "to_numpy")
            array = x.to_numpy(dtype=np.float64, na_value=np.nan) if pandas else array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"needed are numbers in rows of one length; {type(x).__name__}: {error}") from error
    if array.dtype.kind not in "biufc":
        raise InputError(f"needed are numbers; {type(x).__name__} holds {array.dtype}")
    if array.dtype.kind in "fc" and array.dtype.itemsize > (8 if array.dtype.kind == "f" else 16):
        array = array.astype(np.float64 if array.dtype.kind == "f" else np.complex128)
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array.copy() if any(step < 0 for step in array.strides) else array


def like(result: Any, reference: Any):
    """result in the kind of reference: numpy in, numpy out; a tensor comes back on the reference's device."""
    if is_torch(reference):
        return as_tensor(result).to(reference.device)
    return as_numpy(result)
