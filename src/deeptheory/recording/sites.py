"""Where a forward pass shows a tensor: module outputs by hooks, functions by a function mode; and the model as found.

Pitfalls, each measured: hooks on leaf modules alone miss `torch.relu(x)`; a reused nn.ReLU is one module and two
activations; a compiled module calls no hook that was added after its first call; an in-place step rewrites a tensor
that a hook has already seen, so what is kept is copied at once; a TorchScript module takes no hooks.
"""

from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from itertools import chain, count
from types import FunctionType
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from deeptheory.core.errors import InputError
from deeptheory.recording.operations import ACTIVATION_MODULES, ACTIVATIONS, ignored, plain

OUTPUT = "output"


@dataclass
class Seen:
    """One tensor met on the way: its name (that of the call, then which tensor of its output), the kind of thing that
    made it, the path of the module it was made in, and that module if this is a module's output,
    or the function's name."""

    name: str
    call: str
    kind: str
    tensor: torch.Tensor
    where: str
    module: nn.Module | None = None
    op: str = ""


def unwrap(model: Any) -> nn.Module:
    """The module behind torch.compile, DataParallel, DistributedDataParallel and torch.export's ExportedProgram."""
    if isinstance(model, torch.export.ExportedProgram):
        model = model.module()
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            break
        model = inner
    if not isinstance(model, nn.Module):
        raise InputError(f"model is a {type(model).__name__}; needed: a torch.nn.Module (or an ExportedProgram)")
    if isinstance(model, torch.jit.ScriptModule):
        raise InputError("a TorchScript module shows no activations to hooks; record the module it was made from")
    lazy = next((name for name, p in model.named_parameters() if nn.parameter.is_lazy(p)), None)
    if lazy is not None:
        raise InputError(f"{lazy} is not initialized yet (a lazy module); call the model once on a batch, then record")
    return model


def unused(name: str, given: Container[str]) -> str:
    """The name, with a number where it is given already."""
    return next(n for n in chain([name], (f"{name}#{k}" for k in count(2))) if n not in given)


def clean(name: str) -> str:
    """A module's path without the wrappers that torch.compile and data parallelism add."""
    return ".".join(p for p in name.split(".") if p != "_orig_mod")


@contextmanager
def looking(model: nn.Module, see: Callable[[Seen], None], select=None, trace: Any = None) -> Iterator[None]:
    """While open, a call of the model hands every tensor that a module or a function gives to `see`, in order.

    trace: is told what goes into the model (enter), every function with what goes in and out (flow), and in which
    modules the pass is (stack). Hooks are removed when the block ends, also after an exception.
    Nothing that `see` computes is seen.
    """
    stack: list[tuple[str, nn.Module]] = []
    if trace is not None:
        trace.stack = stack
    counts: dict[str, int] = {}
    given: set[str] = set()
    handles = []

    def numbered(name: str) -> str:
        name = f"self.{name}" if name.partition(".")[0] == OUTPUT else name  # what the model gives has that name
        counts[name] = counts.get(name, 0) + 1
        return name if counts[name] == 1 else f"{name}#{counts[name]}"

    def note(name: str, kind: str, value: Any, where: str, module: nn.Module | None, op: str = "") -> None:
        for suffix, tensor in tensors_in(value if select is None else select(name, value)):
            own = unused(
                name + suffix, given
            )  # enc.0 is the first child of enc, and the first of two tensors that enc gives
            given.add(own)
            see(Seen(own, name, kind, tensor, where, module, op))

    def enter(name: str):
        def hook(module, args, kwargs):
            stack.append((name, module))
            if not name and trace is not None:
                trace.enter((args, kwargs))

        return hook

    def leave(name: str):
        def hook(module, args, output):
            while stack and stack.pop()[1] is not module:  # a child that failed, and was caught, left itself behind
                pass
            with torch._C.DisableTorchFunction():
                again = not name and any(m is module for _, m in stack)  # a model that calls itself
                called = numbered(name) if name else numbered("itself") if again else OUTPUT
                note(called, type(module).__name__, output, "itself" if again else name, module)

        return hook

    def called(op: str, args: Any, out: Any) -> None:
        if trace is not None:
            trace.flow(op, args, out)
        if ignored(op) or not stack or is_nonlinear(stack[-1][1]):
            return
        if isinstance(out, torch.Tensor) or (isinstance(out, tuple | list) and any(map(torch.is_tensor, out))):
            where = stack[-1][0]
            note(numbered(f"{where}.{op}" if where else op), f"torch.{op}", out, where, None, op)

    for name, module in model.named_modules(remove_duplicate=True):
        if isinstance(module, torch.jit.ScriptModule):
            continue
        if name and name.split(".")[-1] == "_orig_mod":
            continue  # the compiled wrapper above it carries the name
        handles.append(module.register_forward_pre_hook(enter(clean(name)), with_kwargs=True))
        handles.append(module.register_forward_hook(leave(clean(name))))
    try:
        with _Functions(called):
            yield
    finally:
        for handle in handles:
            handle.remove()


_PAIRED = {"max": "maximum", "min": "minimum"}  # of two tensors, entry by entry


class _Functions(TorchFunctionMode):
    """Tells of every torch function that Python calls; not of those that these call."""

    def __init__(self, called: Callable[[str, Any, Any], None]):
        super().__init__()
        self._called = called

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is functional.multi_head_attention_forward:  # Python all through: its steps are worth seeing
            with self:
                return _MULTI_HEAD(*args, **kwargs)
        out = func(*args, **kwargs)
        op = plain(func)
        if op in _PAIRED and len(args) > 1 and isinstance(args[1], torch.Tensor):
            op = _PAIRED[op]
        self._called(op, (args, kwargs), out)
        return out


# the same function, blind to the mode that watches it: called with the mode on, it shows its own steps
_MULTI_HEAD = FunctionType(
    functional.multi_head_attention_forward.__code__,
    {**functional.multi_head_attention_forward.__globals__, "has_torch_function": lambda _: False},
    "multi_head_attention_forward",
    functional.multi_head_attention_forward.__defaults__,
    functional.multi_head_attention_forward.__closure__,
)
_MULTI_HEAD.__kwdefaults__ = functional.multi_head_attention_forward.__kwdefaults__


@contextmanager
def watching(model: nn.Module, wanted: Callable[[str, bool], str | None], select=None) -> Iterator[list[Seen]]:
    """While open, a call of the model fills the list with a copy of every tensor whose name `wanted(name, nonlinear)`
    keeps."""
    seen: list[Seen] = []

    def see(s: Seen) -> None:
        nonlinear = s.name == OUTPUT or is_nonlinear(s.module) or s.op in ACTIVATIONS
        if wanted(s.name, nonlinear) is not None:
            s.tensor = s.tensor.detach().clone()
            seen.append(s)

    with looking(model, see, select):
        yield seen


def is_nonlinear(module: nn.Module | None) -> bool:
    """A module that is a nonlinearity, or says that its output is a layer's activation (`nonlinear = True`)."""
    return isinstance(module, ACTIVATION_MODULES) or getattr(module, "nonlinear", False) is True


def tensors_in(value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor in a module's output, with the suffix that names it: "", ".0", ".hidden", ..."""
    if isinstance(value, torch.Tensor):
        yield "", value
        return
    if isinstance(value, dict) or hasattr(value, "keys"):
        items = [(key, value[key]) for key in value]
    elif isinstance(value, tuple | list):
        items = list(enumerate(value))
    elif is_dataclass(value) and not isinstance(value, type):
        items = [(f.name, getattr(value, f.name)) for f in fields(value)]
    else:
        return
    for key, item in items:
        for suffix, tensor in tensors_in(item):
            yield f".{key}{suffix}", tensor
