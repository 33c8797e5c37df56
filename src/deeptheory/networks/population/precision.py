"""Whether numbers survive in the dtype that networks compute in: float32 ends at 3e38 and keeps seven digits.

Pitfall: a cast says nothing. A time stamp of 1e9 seconds is a constant in float32 for a minute, and what lies below
1e-45 is 0.
"""

import numpy as np
import torch

from deeptheory.core.errors import InputError

_LEAST = 16  # steps of the dtype that a column must span, where rounding changes it at all


def check_precision(name: str, values: np.ndarray, dtype: torch.dtype) -> tuple[str, ...]:
    """A note on columns of values [n, ...] whose differences are lost in rounding to dtype; () where none are.

    InputError: values that are finite, and infinite in dtype.
    """
    rows, kind = values.reshape(len(values), -1), str(dtype).removeprefix("torch.")
    if not rows.size or values.dtype.kind == "b" or values.dtype.name == kind:
        return ()
    low, high = rows.min(0), rows.max(0)
    ends = np.stack([low, high]).astype(np.float64)
    if not bool(torch.from_numpy(ends).to(dtype).isfinite().all()):
        most = torch.finfo(dtype).max
        raise InputError(
            f"{name} runs from {ends.min():.3g} to {ends.max():.3g}; the networks compute in {kind}, which ends at "
            f"{most:.3g}: scale {name}, or make the networks in another dtype"
        )
    with np.errstate(over="ignore"):
        close = ends[1] - ends[0] < _LEAST * np.maximum(
            torch.finfo(dtype).eps * np.abs(ends).max(0), torch.finfo(dtype).smallest_normal
        )
    close &= high > low
    lost = [k for k in np.flatnonzero(close) if bool((_rounded(rows[:, k], dtype) != rows[:, k]).any())]
    if not lost:
        return ()
    first, which = lost[0], f"{len(lost)} of {rows.shape[1]} columns ({', '.join(map(str, lost[:4]))}"
    return (
        f"{name}: differences within {which}{', ...' * (len(lost) > 4)}) are lost in {kind}: column {first} runs from "
        f"{ends[0, first]:.9g} to {ends[1, first]:.9g}; take off the offset, or scale it",
    )


def _rounded(column: np.ndarray, dtype: torch.dtype) -> np.ndarray:
    native = np.float64 if column.dtype.kind == "f" else np.int64
    return torch.from_numpy(np.ascontiguousarray(column, dtype=native)).to(dtype).double().numpy()
