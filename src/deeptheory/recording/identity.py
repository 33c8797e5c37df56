"""Whether two things are the same, by their values: readouts, inputs, targets. Never by a repr,
which may round or not exist."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy
from deeptheory.recording.inputs import tensors_of


def key_of(thing: Any) -> str:
    """The type and all field values as text, equal for equal values: np.float64(0.1) is 0.1, 1.0 is 1,
    a list is a tuple."""
    return json.dumps(_plain(thing), sort_keys=True)


def label_of(thing: Any) -> str:
    """How the thing is shown: its repr, where its class wrote one, with numpy's scalars as numbers;
    else type and fields."""
    written = type(thing).__repr__
    if written is not object.__repr__ and not (
        is_dataclass(thing) and hasattr(written, "__wrapped__")
    ):  # dataclass wraps its own
        return repr(thing)
    return f"{type(thing).__name__}({', '.join(f'{k}={_shown(v)}' for k, v in _state(thing).items())})"


def digest_of(values: Any) -> str:
    """A checksum of the tensors among inputs, or of targets; "" for None."""
    if values is None:
        return ""
    digest = hashlib.sha256()
    for v in tensors_of(values) if not isinstance(values, np.ndarray) else [values]:
        a = as_numpy(v)
        if a.dtype.kind in "iub":
            a = a.astype(np.int64)
        if a.dtype.kind in "OUS":
            digest.update(json.dumps([str(s) for s in a.ravel()]).encode())
        else:
            digest.update(str(tuple(a.shape)).encode() + np.ascontiguousarray(a).tobytes())
    return digest.hexdigest()


def _state(thing: Any) -> dict[str, Any]:
    if is_dataclass(thing):
        return {f.name: getattr(thing, f.name) for f in fields(thing)}
    slots = [s for c in type(thing).__mro__ for s in getattr(c, "__slots__", ())]
    return {**{s: getattr(thing, s) for s in slots if hasattr(thing, s)}, **getattr(thing, "__dict__", {})}


def _shown(value: Any) -> str:
    return repr(value.item() if isinstance(value, np.generic) else value)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        return int(value) if float(value).is_integer() else repr(float(value))
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_plain(v), sort_keys=True) for v in value)
    if isinstance(value, np.ndarray | torch.Tensor):
        return ["array", str(value.dtype), list(value.shape), digest_of(np.asarray(as_numpy(value)))]
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        code = getattr(value, "__code__", None)
        return [
            "function",
            value.__module__,
            value.__qualname__,
            "" if code is None else hashlib.sha256(code.co_code).hexdigest(),
        ]
    kind = type(value)
    return [kind.__module__, kind.__qualname__, {k: _plain(v) for k, v in _state(value).items()}]
