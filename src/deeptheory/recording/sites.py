"""Where a forward pass shows an activation: module outputs by hooks, functional nonlinearities by a function mode.

Traps, each measured: hooks on leaf modules alone miss `torch.relu(x)`; a reused nn.ReLU is one module and two
activations; a compiled module calls no hook that was added after its first call; an in-place step rewrites a tensor
that a hook has already seen (its version counter tells).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from deeptheory.errors import InputError

OUTPUT = "output"
_MODULES = (
    nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Tanh,
    nn.Sigmoid, nn.Hardtanh, nn.Hardsigmoid, nn.Hardswish, nn.Softplus, nn.Softsign, nn.Tanhshrink, nn.Softshrink,
    nn.Hardshrink, nn.LogSigmoid, nn.Threshold, nn.GLU,
)  # fmt: skip
_FUNCTIONS = {
    "relu", "relu_", "relu6", "leaky_relu", "leaky_relu_", "prelu", "rrelu", "elu", "elu_", "selu", "celu", "gelu", "silu",
    "mish", "tanh", "tanh_", "sigmoid", "sigmoid_", "hardtanh", "hardtanh_", "hardsigmoid", "hardswish", "softplus",
    "softsign", "tanhshrink", "logsigmoid", "threshold", "glu",
}  # fmt: skip


@dataclass
class Seen:
    """One tensor met on the way: its name, the kind of thing that made it, and its version then."""

    name: str
    kind: str
    nonlinear: bool
    tensor: torch.Tensor
    version: int


def unwrap(model: nn.Module) -> nn.Module:
    """The module behind torch.compile, DataParallel and DistributedDataParallel."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if inner is None and isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


@contextmanager
def watching(model: nn.Module, wanted: Callable[[str, bool], str | None], select=None) -> Iterator[list[Seen]]:
    """While open, a call of the model fills the list with every tensor whose name `wanted` keeps.

    wanted(name, nonlinear) -> "clone" (copy at once: something rewrites it later), "keep", or None. Hooks are removed
    when the block ends, also after an exception.
    """
    seen: list[Seen] = []
    stack: list[tuple[str, nn.Module]] = []
    counts: dict[str, int] = {}
    handles = []

    def numbered(name: str) -> str:
        counts[name] = counts.get(name, 0) + 1
        return name if counts[name] == 1 else f"{name}#{counts[name]}"

    def note(name: str, kind: str, nonlinear: bool, value: Any) -> None:
        for suffix, tensor in _tensors(value if select is None else select(name, value)):
            full = name + suffix
            how = wanted(full, nonlinear)
            if how is not None:
                kept = tensor.detach().clone() if how == "clone" else tensor.detach()
                seen.append(Seen(full, kind, nonlinear, kept, tensor._version))

    def enter(name: str):
        return lambda module, args: stack.append((name, module))

    def leave(name: str):
        def hook(module, args, output):
            stack.pop()
            if name:
                note(numbered(name), type(module).__name__, _is_nonlinear(module), output)
            else:
                note(OUTPUT, type(module).__name__, True, output)

        return hook

    class Functions(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            name = getattr(func, "__name__", "")
            if name in _FUNCTIONS and stack and not _is_nonlinear(stack[-1][1]) and self.depth == 0:
                where = stack[-1][0]
                plain = name.rstrip("_")
                note(numbered(f"{where}.{plain}" if where else plain), f"torch.{plain}", True, out)
            return out

        depth = 0

    for name, module in model.named_modules(remove_duplicate=True):
        clean = ".".join(p for p in name.split(".") if p != "_orig_mod")
        if name and name.split(".")[-1] == "_orig_mod":
            continue  # the compiled wrapper above it carries the name
        handles.append(module.register_forward_pre_hook(enter(clean)))
        handles.append(module.register_forward_hook(leave(clean)))
    try:
        with Functions():
            yield seen
    finally:
        for handle in handles:
            handle.remove()


def _is_nonlinear(module: nn.Module) -> bool:
    """A module that is a nonlinearity, or says that its output is a layer's activation (`nonlinear = True`)."""
    return isinstance(module, _MODULES) or getattr(module, "nonlinear", False) is True


def _tensors(value: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor in a module's output, with the suffix that names it: "", ".0", ".hidden", ..."""
    if isinstance(value, torch.Tensor):
        yield "", value
    elif isinstance(value, dict):
        for key, item in value.items():
            for suffix, tensor in _tensors(item):
                yield f".{key}{suffix}", tensor
    elif isinstance(value, tuple | list):
        for k, item in enumerate(value):
            for suffix, tensor in _tensors(item):
                yield f".{k}{suffix}", tensor


@contextmanager
def as_found(model: nn.Module) -> Iterator[None]:
    """Eval mode, no gradients, eager; afterwards every train flag, buffer and random state is what it was."""
    import random

    import numpy as np

    flags = [(m, m.training) for m in model.modules()]
    buffers = [(b, b.detach().clone()) for b in model.buffers()]
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad(), torch.compiler.set_stance("force_eager"):
            for m, _ in flags:
                m.training = False
            yield
    finally:
        for m, flag in flags:
            m.training = flag
        with torch.no_grad():
            for b, value in buffers:
                if b.shape != value.shape or not torch.equal(b, value):
                    b.data = value if b.shape != value.shape else b.copy_(value)
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def call(model: nn.Module, inputs: Any) -> Any:
    """The model on inputs: a tensor, a tuple of arguments or a dict of keyword arguments, moved to the model's device."""
    parameter = next(iter(model.parameters()), None)
    device = None if parameter is None else parameter.device

    def moved(v):
        return v.to(device) if isinstance(v, torch.Tensor) and device is not None else v

    if isinstance(inputs, dict) or hasattr(inputs, "keys"):
        return model(**{k: moved(inputs[k]) for k in inputs})
    if isinstance(inputs, tuple):
        return model(*[moved(v) for v in inputs])
    return model(moved(inputs))


def as_inputs(inputs: Any) -> Any:
    """Inputs at the door: arrays become tensors. InputError: none, or no sample."""
    from deeptheory.arrays import as_tensor

    if isinstance(inputs, dict) or hasattr(inputs, "keys"):
        inputs = {k: as_tensor(inputs[k]) if hasattr(inputs[k], "shape") else inputs[k] for k in inputs}
    elif isinstance(inputs, tuple):
        inputs = tuple(as_tensor(v) if hasattr(v, "shape") else v for v in inputs)
    else:
        inputs = as_tensor(inputs)
    first = first_tensor(inputs)
    if first is None or first.ndim == 0 or len(first) == 0:
        seen = None if first is None else list(first.shape)
        raise InputError(f"inputs hold no sample (shape {seen}); needed: a tensor [n, ...], or a tuple or dict of them")
    return inputs


def first_tensor(inputs: Any) -> torch.Tensor | None:
    """The tensor whose first axis is the samples."""
    values = inputs.values() if isinstance(inputs, dict) else inputs if isinstance(inputs, tuple) else (inputs,)
    return next((v for v in values if isinstance(v, torch.Tensor)), None)


def sample_count(inputs: Any) -> int:
    """How many samples the inputs hold, 0 without a tensor among them."""
    first = first_tensor(inputs)
    return 0 if first is None else len(first)


def batches(inputs: Any, n: int, size: int | None) -> Iterator[Any]:
    """The inputs in pieces of `size` samples; whole where size is None."""
    if size is None or size >= n:
        yield inputs
        return

    def cut(v, start):
        return v[start : start + size] if isinstance(v, torch.Tensor) and v.ndim and len(v) == n else v

    for start in range(0, n, size):
        if isinstance(inputs, dict):
            yield {k: cut(v, start) for k, v in inputs.items()}
        elif isinstance(inputs, tuple):
            yield tuple(cut(v, start) for v in inputs)
        else:
            yield cut(inputs, start)
