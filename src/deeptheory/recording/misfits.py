"""Why a model cannot take the inputs that it was given, in words: another width, another number of axes, other
arguments.

torch names the shapes of two matrices and no layer. The layer is the innermost module of the failed call whose
weights ask for a size; what it was given is in the traceback, so that nothing is run again."""

import inspect
import re
from typing import Any

import torch
from torch import nn

_ABOUT_SHAPES = re.compile(r"shape|size|dimension|channel|expected|out of range|broadcast|stride", re.IGNORECASE)
_WIDTHS: tuple[tuple[Any, str, int], ...] = (  # kind, the attribute that says what it takes, and on which axis
    (nn.Linear, "in_features", -1),
    ((nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), "in_channels", 1),
    (nn.modules.batchnorm._NormBase, "num_features", 1),
    (nn.GroupNorm, "num_channels", 1),
    (nn.RNNBase, "input_size", -1),
)


_AXES = {"Conv1d": ("length",), "Conv2d": ("height", "width"), "Conv3d": ("depth", "height", "width")}


def misfit(model: nn.Module, given: Any, error: Exception) -> str | None:
    """A sentence with the value seen, what was expected and the fix; None where the error is about something else.

    given: what the model was called with: a tensor, a tuple of arguments or a dict of keyword arguments.
    """
    if isinstance(error, TypeError):
        return _arguments(model, given)
    whole = _of_whole_numbers(model, given, error)
    if whole is not None:
        return whole
    seen, found = _shapes(given), _refusing(error)
    names = {id(m): name for name, m in model.named_modules()}
    if found is not None and id(found[0]) in names:
        module, x = found
        told = _told(module, x)
        if told is not None:
            where = f"{names[id(module)] or 'the model'} ({type(module).__name__})"
            direct = isinstance(given, torch.Tensor) and x.shape == given.shape
            got, takes, fix = told
            more = fix if direct else "give inputs of the size that the model was made for"
            return f"the model does not take inputs of shape {seen}: {where} takes {takes} and was given {got}; {more}"
    if _ABOUT_SHAPES.search(str(error)):
        said = str(error).strip().splitlines()[0][:300]
        return (
            f"the model does not take inputs of shape {seen} ({type(error).__name__}: {said}); give inputs of the size "
            "that it was made for"
        )
    return None


def _of_whole_numbers(model: nn.Module, given: Any, error: Exception) -> str | None:
    """Integers, where only numbers with a point are multiplied: pixels from 0 to 255 as they lie in a file."""
    p = next((p for p in model.parameters() if p.is_floating_point()), None)
    if p is None or "type" not in str(error) or not isinstance(given, torch.Tensor) or given.is_floating_point():
        return None
    return (
        f"the model ({_kind(p)}) does not take inputs of {_kind(given)}; convert them, x.astype('float32'), in "
        "the scale of its training"
    )


def _told(module: nn.Module, x: torch.Tensor) -> tuple[str, str, str] | None:
    """(what came, what is taken, the fix) where a module of known kind cannot take x."""
    if isinstance(module, nn.Embedding):
        return _tokens(module, x)
    for kind, attribute, axis in _WIDTHS:
        if not isinstance(module, kind):
            continue
        wanted = int(getattr(module, attribute))
        several = _AXES.get(type(module).__name__[:6].rstrip("T"))
        if several is not None and x.ndim != len(several) + 2:
            taken = ", ".join(["n", str(wanted), *several])
            fix = (
                "add the axis of channels, x[:, None]" if x.ndim == len(several) + 1 and wanted == 1 else "reshape them"
            )
            return _shape(x), f"[{taken}]", fix
        if x.ndim <= max(axis, 0) or x.shape[axis] != wanted:
            unit = "channel" if axis == 1 and several is not None else "value"
            came = x.shape[axis] if x.ndim > max(axis, 0) else 0
            return _counted(came, unit), _counted(wanted, unit), f"give inputs of {_counted(wanted, unit)}"
    return None


def _tokens(module: nn.Embedding, x: torch.Tensor) -> tuple[str, str, str] | None:
    top = module.num_embeddings - 1
    if x.is_floating_point():
        return f"{_kind(x)} numbers", f"integers from 0 to {top}", "convert them, x.astype(int)"
    if x.numel() and (int(x.min()) < 0 or int(x.max()) > top):
        return (
            f"{int(x.min())} to {int(x.max())}",
            f"integers from 0 to {top}",
            "use the tokenizer that it was trained with",
        )
    return None


def _refusing(error: Exception) -> tuple[nn.Module, torch.Tensor] | None:
    """The innermost module that was at work when it failed, with its input."""
    found, at = None, error.__traceback__
    while at is not None:
        values = at.tb_frame.f_locals
        module, x = values.get("self"), values.get("input")
        if isinstance(module, nn.Module) and isinstance(x, torch.Tensor):
            found = module, x
        at = at.tb_next
    return found


def _arguments(model: nn.Module, given: Any) -> str | None:
    """That the model is called with other arguments than its forward has."""
    named, listed = (given, ()) if isinstance(given, dict) else ({}, given if isinstance(given, tuple) else (given,))
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*listed, **named)
    except TypeError as error:
        seen = f"those named {', '.join(named)}" if named else _counted(len(listed), "argument")
        return f"the model's forward{signature} was given {seen} ({error}); give a tuple, or a dict by their names"
    return None


def _shapes(given: Any) -> str:
    parts = given.values() if isinstance(given, dict) else given if isinstance(given, tuple | list) else [given]
    return " and ".join([_shape(t) for t in parts if isinstance(t, torch.Tensor)][:4]) or "no tensor"


def _shape(t: torch.Tensor) -> str:
    return f"[{', '.join(['n', *map(str, t.shape[1:])])}]"


def _counted(n: int, unit: str) -> str:
    return f"{n} {unit}{'s' * (n != 1)}"


def _kind(t: torch.Tensor) -> str:
    return str(t.dtype).removeprefix("torch.")
