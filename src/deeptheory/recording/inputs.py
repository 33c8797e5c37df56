"""Probe inputs in the forms that people's loops have, brought to what a model is called with.

A tensor or array [n, ...], a DataFrame, a list of samples of one shape, a tuple of arguments or dict of keyword
arguments (nested ones too), a DataLoader or Dataset whose items are x, (x, ..., y) or dicts. Floating-point arrays that
are not torch's take the model's dtype, as a loop would cast them; tensors are left as they are.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.arrays import as_numpy, as_tensor, check_paired
from deeptheory.core.errors import InputError
from deeptheory.recording.misfits import misfit

_COPIED = (
    256 << 20
)  # bytes of inputs that are copied when they are handed in; larger ones are watched for changes instead
_LABELS = ("labels", "label", "targets", "target", "y")


def as_inputs(inputs: Any, model: nn.Module | None = None) -> Any:
    """Inputs as handed in: everything with samples becomes a tensor. InputError: none, no sample, or lists that do not
    stack.

    model: its floating dtype is taken by arrays that are not torch's.
    """
    return _checked(_entered(inputs, _float_of(model)))


def with_targets(inputs: Any, targets: Any, model: nn.Module | None = None) -> tuple[Any, Any]:
    """(inputs, targets), the targets from a DataLoader or Dataset where none were given. InputError: as `as_inputs`;
    the same row labels (pandas) in another order; targets of their own for a loader that shuffles.

    Items (x, y) or (x1, x2, ..., y) end with the target; dicts have it under labels, label, targets, target or y.
    """
    if not (isinstance(inputs, torch.utils.data.DataLoader | torch.utils.data.Dataset)):
        parts = (
            enumerate(inputs)
            if isinstance(inputs, tuple)
            else inputs.items()
            if isinstance(inputs, dict)
            else [("", inputs)]
        )
        check_paired(**{f"inputs {name}".strip(): part for name, part in parts}, targets=targets)
        return as_inputs(inputs, model), targets
    check_order(inputs, targets)
    with torch.random.fork_rng(devices=[]):  # a shuffling loader draws from the global generator
        items = list(_items(inputs))
    if not items:
        raise InputError("inputs hold no sample: the loader or dataset is empty")
    first = items[0]
    if isinstance(first, dict) or hasattr(first, "keys"):
        joined: Any = {k: _joined([item[k] for item in items]) for k in first}
        at = next((k for k in _LABELS if k in joined), None)
        found = None if at is None else joined.pop(at)
    elif isinstance(first, tuple | list):
        columns = [_joined([item[k] for item in items]) for k in range(len(first))]
        found = columns.pop() if len(columns) > 1 else None
        joined = columns[0] if len(columns) == 1 else tuple(columns)
    else:
        joined, found = _joined(items), None
    return as_inputs(joined, model), found if targets is None else targets


def check_order(loader: Any, targets: Any) -> None:
    """InputError: targets of their own for a DataLoader that gives its samples in an order that is drawn."""
    order = getattr(getattr(loader, "batch_sampler", None), "sampler", getattr(loader, "sampler", None))
    drawn = torch.utils.data
    if targets is None or not isinstance(
        order, drawn.RandomSampler | drawn.SubsetRandomSampler | drawn.WeightedRandomSampler
    ):
        return
    raise InputError(
        "the loader shuffles, and the targets have an order of their own; give a loader of (x, y), or one without "
        "shuffle=True"
    )


def as_targets(targets: Any) -> np.ndarray:
    """Targets as numbers, or, where they are names, as text. InputError: missing or masked ones."""
    if np.ma.is_masked(targets):
        raise InputError(f"targets mask {int(np.ma.getmaskarray(targets).sum())} values; leave out these samples")
    y: Any = as_numpy(targets.to_numpy() if hasattr(targets, "iloc") else targets)
    if y.dtype.kind in "fcmMO":
        missing = [v for v in y.ravel() if _absent(v)] if y.dtype == object else y[y != y].ravel()
        if len(missing):
            share = f"{len(missing)} of {y.size}{' are missing' * (y.dtype != object)}"
            raise InputError(f"targets hold {missing[0]} ({share}); leave out the samples without a label")
    if y.dtype == object:
        words = any(isinstance(v, str | bytes) for v in y.ravel())
        with contextlib.suppress(TypeError, ValueError, OverflowError):  # dates and the like are named, too
            merged = any(isinstance(v, int | np.integer) and int(float(v)) != v for v in y.ravel())
            y = y if words or merged else y.astype(np.float64)  # integers that float64 would merge are named, too
        y = np.array([str(v) for v in y.ravel()]).reshape(y.shape) if y.dtype == object else y
    return (y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y).copy()  # the recording's own: the caller's may change


def _absent(v: Any) -> bool:
    try:
        return v is None or bool(v != v)
    except TypeError:  # of pandas.NA, which is neither
        return True


def target_tensor(targets: Any, n: int) -> torch.Tensor:
    """Targets of n samples as a tensor, lists in torch's own dtype. InputError: no numbers, another length, masked."""
    if np.ma.is_masked(targets):
        raise InputError(f"targets mask {int(np.ma.getmaskarray(targets).sum())} values; leave out these samples")
    try:
        y = torch.as_tensor(targets) if isinstance(targets, list | tuple) else as_tensor(targets)
    except (InputError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"targets are no numbers ({error}); give class indices, or numbers") from error
    if not y.ndim or len(y) != n:
        raise InputError(f"targets have {len(y) if y.ndim else 'no'} rows, inputs {n}; one each is needed")
    return y


def _items(source: Any) -> Iterator[Any]:
    if isinstance(source, torch.utils.data.DataLoader):
        yield from source
        return
    from torch.utils.data import DataLoader

    yield from DataLoader(source, batch_size=256, shuffle=False)


def _joined(parts: list[Any]) -> Any:
    """What several batches hold, as one. InputError: shapes that differ by batch."""
    first = parts[0]
    if isinstance(first, dict) or hasattr(first, "keys"):
        return {k: _joined([p[k] for p in parts]) for k in first}
    if isinstance(first, list | tuple) and all(isinstance(v, str) for p in parts for v in p):
        return np.array([v for p in parts for v in p])
    if isinstance(first, list | tuple) and any(isinstance(v, torch.Tensor | dict | list | tuple) for v in first):
        return tuple(_joined([p[k] for p in parts]) for k in range(len(first)))
    try:
        if isinstance(first, torch.Tensor):
            return torch.cat([p if p.ndim else p[None] for p in parts])
        return np.concatenate([np.asarray(p) for p in parts])
    except (RuntimeError, ValueError) as error:
        raise InputError(
            f"the loader's batches do not join into one ({error}); give batches of one shape, padded alike"
        ) from error


def _entered(value: Any, dtype: torch.dtype | None) -> Any:
    if isinstance(value, torch.Tensor):
        return _dense(value.detach())
    if hasattr(value, "iloc"):  # a pandas DataFrame or Series
        return _array(value.to_numpy(), dtype)
    if isinstance(value, dict) or hasattr(value, "keys"):
        return {k: _part(value[k], dtype) for k in list(value.keys())}
    if isinstance(value, tuple):
        return tuple(_part(v, dtype) for v in value)
    if isinstance(value, list) and value and all(isinstance(v, torch.Tensor) for v in value):
        shapes = {tuple(v.shape) for v in value}
        if len(shapes) > 1:
            raise InputError(
                f"inputs are a list of tensors of {len(shapes)} shapes, {sorted(shapes)[:3]}; pad or resize them to one"
            )
        return torch.stack([_dense(v.detach()) for v in value])
    return _array(value, dtype)


def _dense(t: torch.Tensor) -> torch.Tensor:
    if t.layout != torch.strided or t.is_nested:
        kind = "nested" if t.is_nested else str(t.layout).removeprefix("torch.")
        fix = "pad it, torch.nested.to_padded_tensor(x, 0)" if t.is_nested else "give x.to_dense()"
        raise InputError(f"inputs hold a tensor that is not dense ({kind}), of which samples cannot be taken; {fix}")
    return t


def _part(value: Any, dtype: torch.dtype | None) -> Any:
    """An argument among several: arrays become tensors, tuples and dicts are entered, all else goes as it is."""
    if isinstance(value, torch.Tensor | dict | tuple) or hasattr(value, "keys") or hasattr(value, "iloc"):
        return _entered(value, dtype)
    if isinstance(value, list) and value and all(isinstance(v, torch.Tensor) for v in value):
        return [_dense(v.detach()) for v in value]
    return _array(value, dtype) if hasattr(value, "shape") else value


def _array(value: Any, dtype: torch.dtype | None) -> torch.Tensor:
    try:
        a = as_numpy(value)  # what is masked is NaN
    except ValueError as error:
        raise InputError(f"inputs do not stack into one array ({error}); give samples of one shape") from error
    if a.dtype == object:
        try:
            a = a.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"inputs hold {type(a.flat[0]).__name__ if a.size else 'nothing'}; needed: numbers"
            ) from error
    if a.dtype.kind not in "fiubc":
        raise InputError(f"inputs are of dtype {a.dtype}; needed: numbers (turn text into tokens first)")
    out = as_tensor(np.array(a, order="C"))  # a copy: the probe must not change with the caller's array
    if dtype is None or not out.is_floating_point():
        return out
    cast = out.to(dtype)
    if bool((cast.isinf() & ~out.isinf()).any()):
        raise InputError(
            f"inputs reach {float(out[out.isfinite()].abs().max()):.3g}, and the model's {_kind(dtype)} ends at "
            f"{torch.finfo(dtype).max:.3g}; scale them, or give the model in another dtype"
        )
    return cast


def _kind(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _float_of(model: nn.Module | None) -> torch.dtype | None:
    if model is None:
        return None
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), None)


def _checked(inputs: Any) -> Any:
    first = first_tensor(inputs)
    if first is None or first.ndim == 0 or len(first) == 0:
        seen = None if first is None else list(first.shape)
        raise InputError(f"inputs hold no sample (shape {seen}); needed: a tensor [n, ...], or a tuple or dict of them")
    return inputs


def own_copy(inputs: Any) -> Any:
    """The inputs copied, where they are small enough, so that the caller's array may change; else as they are."""
    size = sum(v.numel() * v.element_size() for v in tensors_of(inputs))
    return inputs if size > _COPIED else mapped(inputs, torch.Tensor.clone)


def tensors_of(inputs: Any) -> Iterator[torch.Tensor]:
    """Every tensor among the inputs, nested ones too."""
    if isinstance(inputs, torch.Tensor):
        yield inputs
    elif isinstance(inputs, dict):
        for v in inputs.values():
            yield from tensors_of(v)
    elif isinstance(inputs, tuple | list):
        for v in inputs:
            yield from tensors_of(v)


def first_tensor(inputs: Any) -> torch.Tensor | None:
    """The tensor whose first axis is the samples."""
    return next(tensors_of(inputs), None)


def sample_count(inputs: Any) -> int:
    """How many samples the inputs hold, 0 without a tensor among them."""
    first = first_tensor(inputs)
    return 0 if first is None else len(first)


def batches(inputs: Any, n: int, size: int | None) -> Iterator[Any]:
    """The inputs in pieces of `size` samples; whole where size is None."""
    if size is None or size >= n:
        yield inputs
        return
    for start in range(0, n, size):
        yield cut(inputs, n, start, start + size)


def cut(inputs: Any, n: int, start: int, stop: int) -> Any:
    """Samples start to stop of every tensor whose first axis is the n samples."""
    return mapped(inputs, lambda v: v[start:stop] if v.ndim and len(v) == n else v)


def mapped(inputs: Any, act: Any) -> Any:
    """The inputs with act(tensor) in the place of every tensor."""
    if isinstance(inputs, torch.Tensor):
        return act(inputs)
    if isinstance(inputs, dict):
        return {k: mapped(v, act) for k, v in inputs.items()}
    if isinstance(inputs, tuple | list):
        parts = [mapped(v, act) for v in inputs]
        return type(inputs)(*parts) if hasattr(inputs, "_fields") else type(inputs)(parts)
    return inputs


def call(model: nn.Module, inputs: Any) -> Any:
    """The model on copies of the inputs, moved to its device: one that normalizes its input in place changes
    nobody's x.

    InputError: the model cannot take inputs of this shape or dtype, or these arguments.
    """
    parameter = next(iter(model.parameters()), None)
    device = None if parameter is None else parameter.device

    def handed(v: torch.Tensor) -> torch.Tensor:
        moved = v if device is None or v.device == device else v.to(device)
        return moved.clone() if moved is v else moved

    given = mapped(inputs, handed)
    try:
        if isinstance(given, dict):
            return model(**given)
        return model(*given) if isinstance(given, tuple) else model(given)
    except InputError:
        raise
    except (RuntimeError, ValueError, IndexError, TypeError, AssertionError) as error:
        if "type" in str(error):
            _say_dtypes(model, given, error)
        said = misfit(model, given, error)
        if said is not None:
            raise InputError(said) from error
        raise


def _say_dtypes(model: nn.Module, given: Any, error: Exception) -> None:
    """InputError: the model's parameters and the inputs differ in floating dtype, which is what torch complains of."""

    def kinds(tensors: Any) -> list[str]:
        return sorted({str(t.dtype).removeprefix("torch.") for t in tensors if t.is_floating_point()})

    mine, theirs = kinds(model.parameters()), kinds(tensors_of(given))
    if mine and theirs and mine != theirs:
        raise InputError(
            f"the model ({', '.join(mine)}) does not take these inputs ({', '.join(theirs)}): {error}; convert "
            "one of them (a model that was "
            "moved to another dtype needs a Recorder with inputs of that dtype)"
        ) from error
