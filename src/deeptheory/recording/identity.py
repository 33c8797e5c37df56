"""Whether two things are the same, by their values: readouts, inputs, targets. Never by a repr,
which may round or not exist."""

import contextlib
import hashlib
import json
from dataclasses import fields, is_dataclass
from functools import partial
from types import CodeType, MethodType
from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.recording.inputs import tensors_of
from deeptheory.recording.streams import is_readout


def key_of(thing: Any) -> str:
    """The type and all field values as text, equal for equal values: np.float64(0.1) is 0.1, 1.0 is 1, a list is a
    tuple. Functions count by their code with its constants, by their defaults and by what they close over."""
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


def distinct_of(inputs: Any) -> int:
    """How many samples differ, by a checksum of each: of all tensors that have a row for every sample; -0.0 is 0.0."""
    tensors = list(tensors_of(inputs))
    if not tensors:
        return 0
    n = len(tensors[0])
    flat = [t.reshape(n, -1) for t in tensors if t.ndim and t.numel() and len(t) == n and not t.is_meta]
    return len({hash(tuple(as_numpy(t[k] + 0).tobytes() for t in flat)) for k in range(n)})


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


def _plain(value: Any, inside: tuple[int, ...] = ()) -> Any:
    """The value as JSON can hold it. inside: the ids of what it is a part of, so that what holds itself has an end."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else repr(value)
    if isinstance(value, np.ndarray | torch.Tensor):
        return ["array", str(value.dtype), list(value.shape), digest_of(np.asarray(as_numpy(value)))]
    if id(value) in inside:
        return ["itself", inside[::-1].index(id(value))]
    inside = (*inside, id(value))
    if isinstance(value, tuple | list):
        return [_plain(v, inside) for v in value]
    if isinstance(value, dict):
        named = {k if isinstance(k, str) else f"no text: {json.dumps(_plain(k))}": v for k, v in value.items()}
        return {k: _plain(v, inside) for k, v in named.items()}
    if isinstance(value, set | frozenset):
        return sorted(json.dumps(_plain(v, inside), sort_keys=True) for v in value)
    if isinstance(value, partial):
        return ["partial", *(_plain(v, inside) for v in (value.func, value.args, value.keywords))]
    if isinstance(value, MethodType):
        return ["method", _plain(value.__func__, inside), _plain(value.__self__, inside)]
    if isinstance(value, type) or (callable(value) and hasattr(value, "__qualname__")):
        return ["function", value.__module__, value.__qualname__, *_does(value, inside)]
    if isinstance(value, np.random.Generator):
        return ["generator", _plain(value.bit_generator.state, inside)]
    kind, state = type(value), _state(value)
    written = [repr(value)] if not state and kind.__repr__ is not object.__repr__ else []  # complex, dates, dtypes
    return [kind.__module__, kind.__qualname__, {k: _plain(v, inside) for k, v in state.items()}, *written]


def _does(function: Any, inside: tuple[int, ...]) -> list[Any]:
    """What a function of Python does: its code, constants, names and defaults, and what it closes over."""
    code = getattr(function, "__code__", None)
    if code is None:
        return [""]
    held = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # one that is filled later
            held.append(_plain(cell.cell_contents, inside))
    return [_code(code), _plain(function.__defaults__, inside), _plain(function.__kwdefaults__, inside), held]


def _code(code: CodeType) -> list[Any]:
    constants = [_code(c) if isinstance(c, CodeType) else _plain(c) for c in code.co_consts]
    return [hashlib.sha256(code.co_code).hexdigest(), constants, list(code.co_names)]


def some_of(values: Any) -> str:
    """The first eight, for a message."""
    values = list(values) if not isinstance(values, str) else [values]
    return ", ".join(str(v) for v in values[:8]) + (", ..." if len(values) > 8 else "") if values else "none"
