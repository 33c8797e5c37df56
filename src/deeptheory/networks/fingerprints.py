"""What a call was made with, by value, so that nobody goes on with a checkpoint of other arguments.

Arrays count by dtype, shape and bytes, numbers by value, containers and dataclasses by their parts. Functions have no
value that can be read; what they give on known inputs stands for them (a schedule's factors, the first step's loss).
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy

_ASKED = 10_000  # steps at which a schedule is asked


def digest(*values: Any) -> str:
    """Sixteen characters that differ when any of the values does."""
    found = hashlib.sha256()
    for value in values:
        _add(found, value)
    return found.hexdigest()[:16]


def of_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Its class and every setting of every group but lr, which has a name of its own, and the parameters, which
    count with the module.
    """
    groups = [
        {k: _plain(v) for k, v in sorted(group.items()) if k not in ("params", "lr")} | {"params": len(group["params"])}
        for group in optimizer.param_groups
    ]
    return {"class": name_of(type(optimizer)), "groups": groups}


def of_schedule(schedule: Callable[[int], float] | None, steps: int) -> str | None:
    """By its factors at every step, or at ten thousand of them."""
    if schedule is None:
        return None
    at = np.unique(np.linspace(0, steps - 1, min(steps, _ASKED)).astype(np.int64))
    return digest([float(schedule(int(k))) for k in at])


def of_tensors(tensors: Mapping[str, torch.Tensor]) -> str:
    """By name, dtype, shape and bytes."""
    return digest(dict(tensors))


def name_of(value: Any) -> str:
    """Of a class or function; without the module, which is __main__ in one process and an import in the next, or an
    address.
    """
    return (value if hasattr(value, "__qualname__") else type(value)).__qualname__


def _plain(value: Any) -> Any:
    """A setting in a form that JSON can hold."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, torch.Tensor) and value.numel() == 1:
        return float(value)
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return digest(value)


def _add(found: Any, value: Any) -> None:
    found.update(type(value).__name__.encode() + b"\0")
    if isinstance(value, torch.Tensor | np.ndarray | np.generic):
        array = np.ascontiguousarray(as_numpy(value))
        found.update(f"{value.dtype} {list(array.shape)} ".encode())
        found.update(repr(array.tolist()).encode() if array.dtype.hasobject else array.tobytes())
    elif value is None or isinstance(value, bool | int | float | complex | str | bytes):
        found.update(repr(value).encode() + b"\0")
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            _add(found, str(key))
            _add(found, value[key])
    elif isinstance(value, list | tuple):
        found.update(str(len(value)).encode())
        for part in value:
            _add(found, part)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            _add(found, (field.name, getattr(value, field.name)))
    else:
        found.update(name_of(value).encode())
