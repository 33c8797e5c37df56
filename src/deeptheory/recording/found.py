"""A model exactly as found: what is put back after looking into it, whatever its forward pass wrote.

Forward passes write into more than buffers: `nn.Embedding(max_norm=)` and clipped weights rewrite parameters, caches
and counters are plain tensors, arrays, lists and queues. Each is compared and, where it was written to, copied back
into the very memory it had, so that views and pending backward passes stay right.
"""

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import InputError

_COPIED = (
    256 << 20
)  # bytes of parameters that are copied beforehand; of larger models they are watched for changes instead
_DEPTH = 3  # containers within containers


@contextmanager
def as_found(model: nn.Module, grad: bool = False) -> Iterator[None]:
    """Eval mode, eager, without gradients (grad: with them); afterwards the model and every random state are as before.

    Put back: train flags, parameters, buffers, each module's own attributes (counters, tensors, arrays, lists, caches),
    gradients of parameters, the states of Python's, numpy's and torch's generators. Inference mode, when on, is
    left for the time of the block. InputError: the forward pass rewrote parameters of a model too large to copy
    (256 MiB), or a buffer or tensor that is.
    """
    modules = [m for m in model.modules() if not isinstance(m, torch.jit.ScriptModule)]
    scripted = [(m, m.training) for m in model.modules() if isinstance(m, torch.jit.ScriptModule)]
    parameters = dict(model.named_parameters())
    small = sum(p.numel() * p.element_size() for p in parameters.values() if not _is_odd(p)) <= _COPIED
    tensors = [*model.buffers(), *(parameters.values() if small else ())]
    watched = {} if small else {f"parameter {name!r}": p for name, p in parameters.items()}
    watched |= {f"buffer {name!r}": t for name, t in model.named_buffers() if _is_large(t)}
    watched |= {
        f"tensor {f'{path}.{name}'.lstrip('.')!r}": t
        for path, m in model.named_modules()
        for name, t in m.__dict__.items()
        if isinstance(t, torch.Tensor) and _is_large(t)
    }
    versions = {name: _version(t) for name, t in watched.items()}
    apart = {id(t) for t in (*parameters.values(), *model.buffers())}
    with torch.inference_mode(False):
        put_back = [_keeper(t) for t in tensors]
        put_back += [_keeper(v, apart) for m in modules for v in m.__dict__.values()]
    held = [(m, dict(m.__dict__)) for m in modules]
    grads = [(p, p.grad) for p in parameters.values()] if grad else []
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = sorted({p.device.index or 0 for p in parameters.values() if p.device.type == "cuda"})
    try:
        with (
            torch.inference_mode(False),
            torch.random.fork_rng(devices=devices),
            torch.set_grad_enabled(grad),
            torch.compiler.set_stance("force_eager"),
        ):
            for p, _ in grads:
                p.grad = None
            for m in modules:
                m.training = False
            for m, flag in scripted:
                if flag:
                    m.eval()
            yield
    finally:
        for m, attributes in held:
            now = m.__dict__
            for name in [k for k in now if k not in attributes]:
                del now[name]
            for name, value in attributes.items():
                if now.get(name, held) is not value:
                    now[name] = value
        for back in put_back:
            if back is not None:
                back()
        for m, flag in scripted:
            if flag:
                m.train()
        for p, g in grads:
            p.grad = g
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
    changed = next((name for name, seen in versions.items() if _version(watched[name]) != seen), None)
    if changed is not None:
        raise InputError(
            f"the forward pass rewrote the {changed} (max_norm=, clipped weights, a running mean?), and "
            "the model is too large to be copied beforehand: it is no longer as it was; record a copy of the model"
        )


def _keeper(value: Any, apart: set[int] | frozenset = frozenset(), depth: int = _DEPTH) -> Callable[[], None] | None:
    """What puts a value's content back as it is now; None for what cannot change in place, or is kept apart (ids)."""
    if isinstance(value, torch.Tensor):
        return None if id(value) in apart or _is_odd(value) else _tensor_keeper(value)
    if isinstance(value, np.ndarray):
        if not value.flags.writeable or value.nbytes > _COPIED:
            return None
        content = value.copy()
        return lambda: np.copyto(value, content)
    if not isinstance(value, list | dict | set | deque | tuple) or depth == 0:
        return None
    inner = [_keeper(v, apart, depth - 1) for v in (value.values() if isinstance(value, dict) else value)]
    return _refiller(value, [k for k in inner if k is not None])


def _is_large(t: torch.Tensor) -> bool:
    """Too large to be copied, so that it is watched instead."""
    return not _is_odd(t) and t.numel() * t.element_size() > _COPIED


def _tensor_keeper(t: torch.Tensor) -> Callable[[], None] | None:
    if _is_large(t):
        return None
    memory, content = t.detach(), t.detach().clone()

    def back() -> None:
        with torch.inference_mode(t.is_inference()), torch.no_grad():
            if t.data_ptr() != memory.data_ptr() or t.shape != memory.shape or t.stride() != memory.stride():
                t.data = memory
            if not torch.equal(t, content):
                t.data.copy_(content)  # .data: no new version, so that a pending backward pass goes on

    return back


def _refiller(value: Any, inner: list[Callable[[], None]]) -> Callable[[], None] | None:
    content = value.copy() if hasattr(value, "copy") else None  # a tuple has none
    if content is None and not inner:
        return None

    def back() -> None:
        if content is not None and not (len(value) == len(content) and _same_items(value, content)):
            value.clear()
            value.update(content) if isinstance(value, dict | set) else value.extend(content)
        for keeper in inner:
            keeper()

    return back


def _same_items(value: Any, content: Any) -> bool:
    if isinstance(value, dict):
        return all(a is b and value[a] is content[b] for a, b in zip(value, content))
    if isinstance(value, set):
        return value == content
    return all(a is b for a, b in zip(value, content))


def _is_odd(t: torch.Tensor) -> bool:
    """A tensor without plain memory of its own: sparse, quantized, meta, or a subclass that is none."""
    return (
        t.layout != torch.strided or t.is_meta or t.is_quantized or t.is_nested or type(t.detach()) is not torch.Tensor
    )


def _version(p: torch.Tensor) -> tuple[int, int]:
    return (0, 0) if _is_odd(p) else (0 if p.is_inference() else p._version, p.data_ptr())
