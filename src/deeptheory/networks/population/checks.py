"""What a population is made with: seeds, a head, a dtype, networks of one shape; checked before anything is drawn."""

from collections.abc import Callable, Iterable
from typing import Any, Literal

import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_whole, whole_numbers

Head = Literal["softmax", "sigmoid", "linear", "median"]
HEADS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "softmax": lambda z: z.softmax(-1),
    "sigmoid": torch.sigmoid,
    "linear": lambda z: z,
    "median": lambda z: z,
}


def check_number(k: int, networks: int) -> None:
    """InputError: k is no number of a network, 0 to networks - 1."""
    check_whole(k=(k, 0))
    if k >= networks:
        raise InputError(f"k is {k}; there are networks 0 to {networks - 1}, numbered as in .seeds")


def check_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """The seeds as a tuple of ints. InputError: a bare number, none, one twice, one below 0 or not whole."""
    if not isinstance(seeds, Iterable) or isinstance(seeds, str | bytes):
        raise InputError(
            f"seeds is {seeds!r}; give each network its seed: seeds=[{seeds}] for one, seeds=range({seeds}) "
            "for that many"
        )
    given = list(seeds)
    out = tuple(whole_numbers("seeds", given, least=0).tolist())
    if not out:
        raise InputError("seeds is empty; a population needs at least one network")
    if twice := sorted({s for s in out if out.count(s) > 1}):
        raise InputError(f"seeds must be distinct; seen more than once: {twice}")
    return out


def check_head(head: str | None, outputs: int) -> str:
    """The head by name, chosen by the number of outputs where None. InputError: unknown, or a softmax over one."""
    if head is None:
        return "softmax" if outputs > 1 else "sigmoid"
    pick(HEADS, head, what="head")
    if head == "softmax" and outputs < 2:
        raise InputError(f"a softmax over {outputs} output is always 1; use head='sigmoid' or two outputs")
    return head


def check_dtype(dtype: Any) -> None:
    """InputError: no floating dtype of torch."""
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise InputError(f"dtype is {dtype!r}; needed: a floating dtype of torch, such as torch.float64")


def check_members(members: list[Any]) -> None:
    """InputError: what the factory gave is no module, keeps buffers, or is of another shape by seed."""
    other = next((m for m in members if not isinstance(m, nn.Module)), None)
    if other is not None:
        raise InputError(f"the factory gave a {type(other).__name__}; needed: a function that makes a torch.nn.Module")
    first = members[0]
    if any(True for _ in first.buffers()):
        names = ", ".join(n for n, _ in first.named_buffers())
        raise InputError(f"the module keeps buffers ({names}); a population takes modules without, use GroupNorm")
    shapes = [{n: p.shape for n, p in m.named_parameters()} for m in members]
    if any(s != shapes[0] for s in shapes):
        raise InputError("the factory gave networks of different shapes; a population needs one shape")
    if not shapes[0]:
        raise InputError("the factory gave networks without parameters; there is nothing to train")
