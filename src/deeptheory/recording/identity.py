"""Whether two things are the same, by their values: readouts, inputs, targets. Never by a repr,
which may round or not exist."""

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.recording.inputs import tensors_of
from deeptheory.recording.streams import is_readout


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


def distinct_of(first: torch.Tensor | None) -> int:
    """How many inputs differ, by a checksum of each."""
    if first is None:
        return 0
    flat = first.reshape(len(first), -1)
    return len({hash(as_numpy(row).tobytes()) for row in flat})


def as_readouts(given: Any) -> tuple[Any, ...]:
    """The readouts, one of each. InputError: one that is none."""
    if isinstance(given, type):
        raise InputError(
            f"{given.__name__} is a class; hand over a readout made from it, such as {given.__name__}(...)"
        )
    several = (given,) if is_readout(given) else tuple(given or ()) if not isinstance(given, str) else (given,)
    bad = next((r for r in several if not is_readout(r)), None)
    if bad is not None:
        raise InputError(f"{bad!r} is no readout; it needs .start(layer) or .summarize(activations, targets)")
    return tuple({key_of(r): r for r in several}.values())


def names_of(readouts: tuple[Any, ...]) -> list[str]:
    """A name for each; where two readouts of other values are shown alike, the later ones say that they are others."""
    out: list[str] = []
    for label in map(label_of, readouts):
        same = sum(label == o or o.startswith(f"{label} (another, ") for o in out)
        out.append(f"{label} (another, {same + 1})" if same else label)
    return out


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


def some_of(values: Any) -> str:
    """The first eight, for a message."""
    values = list(values) if not isinstance(values, str) else [values]
    return ", ".join(str(v) for v in values[:8]) + (", ..." if len(values) > 8 else "") if values else "none"
