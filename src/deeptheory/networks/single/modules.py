"""What one does with one module: begin it from a seed, look at all its outputs, count its parameters."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import nn

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole

Module = TypeVar("Module", bound=nn.Module)


def seeded(factory: Callable[[], Module], seed: int) -> Module:
    """factory() with torch's CPU generator set to the seed, so that weights are the seed's; the generator is put back.

    factory: a function without arguments that makes a module. Generators of GPUs are left alone: what it draws on a GPU
    is not the seed's; nor are Python's and numpy's. InputError: the seed is no integer from 0 to
    2^64 - 1.
    """
    check_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(seed))
        return factory()


def check_seed(seed: Any) -> None:
    """InputError: no seed of torch's generators, which are integers below 2^64."""
    check_whole(seed=(seed, 0))
    if seed >= 2**64:
        raise InputError(f"seed is {str(seed)[:40]}; torch's generators take integers below 2^64")


@contextmanager
def evaluating(module: Any) -> Iterator[None]:
    """Every part in eval mode; its own train flag is put back, after an error too. What is no module is left alone."""
    flags = [(part, part.training) for part in module.modules()] if isinstance(module, nn.Module) else []
    try:
        for part, _ in flags:
            part.training = False
        yield
    finally:
        for part, flag in flags:
            part.training = flag


def as_of(module: Any, x: torch.Tensor) -> torch.Tensor:
    """x on the module's device and, if it is of floats and all the module's are of one kind, in their dtype."""
    floats = [p for p in module.parameters() if p.is_floating_point()] if isinstance(module, nn.Module) else []
    if not floats:
        return x
    kinds = {p.dtype for p in floats}
    return x.to(floats[0].device, kinds.pop() if x.is_floating_point() and len(kinds) == 1 else x.dtype)


def predict(model: Callable[..., Any], *inputs: Any, batch: int = 256) -> Any:
    """The model's outputs on all rows of the inputs, in eval mode and without gradients, `batch` rows at a time.

    inputs: paired arrays [n, ...], numpy or torch, moved to the model's device (floats to its dtype, if it has one) a
    batch at a time. model: a module, or a function of batches, which is called as it is. Outputs may be a tensor, a
    tuple or a named tuple, of these again (None stays None); they come back joined along their first axis, as tensors
    in main memory. Train flags are put back. InputError: no row, lengths that differ, batch no integer of 1 or more, an
    output that is none of these, or that has no row for each of a batch (the states of an RNN, a mean, the networks of
    a Population), unless all rows go through at once.
    """
    check_whole(batch=(batch, 1))
    tensors = [as_tensor(x) for x in inputs]
    lengths = [len(t) if t.ndim else 0 for t in tensors]
    if not tensors or len(set(lengths)) != 1 or not lengths[0]:
        raise InputError(
            f"inputs have {lengths} rows; needed: one input or more, of the same number of rows, 1 or more"
        )
    with evaluating(model), torch.no_grad():
        pieces = [model(*(as_of(model, t[k : k + batch]) for t in tensors)) for k in range(0, lengths[0], batch)]
    return _joined(pieces, [min(batch, lengths[0] - k) for k in range(0, lengths[0], batch)])


def _joined(pieces: list[Any], rows: list[int]) -> Any:
    first = pieces[0]
    if first is None:
        return None
    if isinstance(first, torch.Tensor):
        other = next((p for p, n in zip(pieces, rows) if not p.ndim or (len(rows) > 1 and len(p) != n)), None)
        if other is not None:
            raise InputError(
                f"the model gave shape {list(other.shape)} for a batch of {rows[0]} rows; batches are joined along the "
                f"rows, so this needs one row each: choose that output, or batch={sum(rows)}"
            )
        return torch.cat([p.cpu() for p in pieces])
    if isinstance(first, tuple):
        parts = [_joined(list(column), rows) for column in zip(*pieces)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    raise InputError(f"the module gave {type(first).__name__}; outputs are tensors or tuples of tensors")


def parameter_count(module: nn.Module | Callable[[], nn.Module]) -> int:
    """The number of parameters, frozen ones too; one that is shared counts once, and buffers do not count.

    A factory is called without memory for them (device "meta"): the largest network costs nothing. InputError: it gives
    no module; parameters of a lazy module, which are not initialized yet.
    """
    if not isinstance(module, nn.Module):
        with torch.device("meta"):
            module = module()
    if not isinstance(module, nn.Module):
        raise InputError(f"the factory gave a {type(module).__name__}; needed: a torch.nn.Module")
    lazy = next((name for name, p in module.named_parameters() if nn.parameter.is_lazy(p)), None)
    if lazy is not None:
        raise InputError(f"{lazy} is not initialized yet (a lazy module); call the model once on a batch, then count")
    return sum(p.numel() for p in module.parameters())
