"""Untrained twins: a model's architecture with weights that were never trained, the control of every number.

Each module's own `reset_parameters` is called on a deep copy. A parameter that no reset reaches
(a class token, a layer scale, an exported or scripted module) keeps its values in another order, and the twin is called
so. Pitfall: `reset_parameters` is the module's default and need not be the initialization that the model was trained
from.
"""

import contextlib
import copy
import random
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection.weights import fitted
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import call

UNTRAINED, PERMUTED = "untrained", "weights permuted"


@dataclass(frozen=True, kw_only=True)
class Control:
    """What the twins are. control: "untrained", or "weights permuted" where most weights could only be permuted;
    said: in a sentence."""

    control: str
    said: str


def twin(model: nn.Module, seed: int) -> tuple[nn.Module, Control]:
    """A twin of a model, which is left as found, and what kind of twin it is.

    Random states of Python, numpy and torch are as before. InputError: the model cannot be copied.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch itself, copying an exported program
            other = copy.deepcopy(model)
    except Exception as error:
        raise InputError(
            f"the model cannot be copied ({type(error).__name__}: {error}); it gets no untrained twins"
        ) from error
    with seeded(other, seed), torch.inference_mode(False), torch.no_grad():
        return other, _restart(other, seed)


@contextlib.contextmanager
def seeded(model: nn.Module, seed: int) -> Iterator[None]:
    """The generators of Python, numpy and torch start from a seed, and are as before when the block ends."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})
    try:
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed % 2**64)
            random.seed(seed)
            np.random.seed(seed % 2**32)  # noqa: NPY002
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def draws(model: nn.Module, inputs: Any, grad: bool) -> bool:
    """Whether the forward pass draws random numbers, in eval mode: sampling, or a dropout that is always on. Left as
    found."""
    with as_found(model, grad):
        before = _states()
        call(model, inputs)
        return _states() != before


def _states() -> tuple[Any, ...]:
    numpy: Any = np.random.get_state()  # noqa: NPY002
    return random.getstate(), numpy[1].tobytes(), numpy[2], torch.get_rng_state().numpy().tobytes()


def _restart(model: nn.Module, seed: int) -> Control:
    held = {name: p.detach().clone() for name, p in model.named_parameters()}
    floats = {name: b for name, b in model.named_buffers() if b.is_floating_point() and b.layout == torch.strided}
    buffers = {name: b.clone() for name, b in floats.items()}
    marked = [p for p in model.parameters() if _markable(p)]
    for t in [*marked, *floats.values()]:
        t.fill_(torch.nan)  # what is still NaN afterwards, no reset has reached
    failed = _reset(model)
    generator = torch.Generator().manual_seed(seed % 2**64)
    kept, moved = [], []
    for name, p in model.named_parameters():
        if not _markable(p) or bool(torch.isnan(p).any()):
            moved.append(name)
            old = held[name]
            order = torch.randperm(old.numel(), generator=generator).to(old.device)
            p.data.copy_(old.reshape(-1)[order].reshape(old.shape) if old.layout == torch.strided else old)
    for name, b in floats.items():
        if bool(torch.isnan(b).any()):
            b.copy_(buffers[name])
            if name.rpartition(".")[2] not in ("running_mean", "running_var") and b.numel() > 1:
                kept.append(name)
    return _told(held, moved, kept, failed)


def _reset(model: nn.Module) -> list[str]:
    """Call every reset, children first as torch builds them; names of those that failed."""
    failed = []
    own = getattr(model, "_init_weights", None)  # transformers: one function for all kinds of module
    for name, module in sorted(model.named_modules(), key=lambda item: -item[0].count(".") if item[0] else 1):
        reset = getattr(module, "reset_parameters", None) or getattr(module, "_reset_parameters", None)
        if isinstance(module, torch.jit.ScriptModule):
            continue
        try:
            if callable(reset):
                reset()
        except Exception:  # one that wants arguments, or that reads what it is to replace
            failed.append(name or type(module).__name__)
        if callable(own) and name:
            with contextlib.suppress(Exception):  # of the same name, and made for something else
                own(module)
    return failed


def _markable(p: torch.Tensor) -> bool:
    return p.is_floating_point() and p.layout == torch.strided and not p.is_quantized and not p.is_meta


def _told(held: dict[str, torch.Tensor], moved: list[str], kept: list[str], failed: list[str]) -> Control:
    total = sum(p.numel() for p in held.values())
    share = sum(held[name].numel() for name in moved) / max(total, 1)
    notes = []
    if moved and share < 0.5:
        notes.append(
            f"{len(moved)} of {len(held)} parameter tensors have no reset and are permuted within themselves "
            f"({_some(moved)})"
        )
    if kept:
        notes.append(f"buffers kept as found: {_some(kept)}")
    if failed:
        notes.append(f"reset_parameters failed in {_some(failed)}")
    more = f"; {'; '.join(notes)}" if notes else ""
    if not held:
        return Control(control=UNTRAINED, said="the model has no parameters: its twins are the model itself")
    if share >= 0.5:
        return Control(
            control=PERMUTED,
            said=f"the same weights, permuted within each tensor ({len(moved)} of {len(held)} tensors have no "
            f"reset_parameters{more})",
        )
    return Control(
        control=UNTRAINED, said=f"the same architecture, initialized again by each module's own reset_parameters{more}"
    )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def checkpoint_of(model: nn.Module, state: Any, name: str) -> nn.Module:
    """A copy of the model with the weights of a checkpoint. InputError: they are of another architecture."""
    if isinstance(state, nn.Module):
        return state
    other = copy.deepcopy(model)
    try:
        other.load_state_dict(fitted(state, other.state_dict()))
    except (RuntimeError, TypeError, AttributeError) as error:
        first = str(error).strip().splitlines()
        raise InputError(
            f"checkpoint {name!r} does not fit the model: {' '.join(first[1:2] or first)[:300]}"
        ) from error
    return other
