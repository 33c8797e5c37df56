"""From what a network gives to the scores that decide, and labels in a form that can be compared with them.

Pitfall: labels that broadcast, that are truncated from floats, or that are zeros and ones taken for class numbers, give
a number without an error; each is refused here.
"""

from collections.abc import Callable
from typing import Any

import torch

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_shapes
from deeptheory.core.transforms import unwrapped
from deeptheory.core.vectors import lengths_of

Scores = Callable[[Any], torch.Tensor]


def first_output(output: Any) -> torch.Tensor:
    """The scores [n, K] of n samples for K classes in a network's output: a tensor, or the first of a tuple or list.

    A first output [n, K, q] is taken for capsules and gives their lengths (Sabour et al. 2017, section 2); any other is
    returned as it is. Gradients pass through. Nothing is checked here: what takes scores says what it refuses.
    """
    first = output[0] if isinstance(output, tuple | list) else output
    return lengths_of(first) if isinstance(first, torch.Tensor) and first.ndim == 3 else first


def check_scores(scores: Any, n: int) -> torch.Tensor:
    """scores, if they are a tensor [n, K]. InputError: else; the fix is `scores=`."""
    if not isinstance(scores, torch.Tensor) or scores.ndim != 2 or scores.shape[0] != n:
        seen = f"shape {list(scores.shape)}" if isinstance(scores, torch.Tensor) else f"type {type(scores).__name__}"
        raise InputError(
            f"the scores have {seen}; needed: [{n}, classes]. Say which output they are, such as scores=lambda "
            "output: output[1]"
        )
    return scores


def as_labels(labels: Any, n: int, name: str = "labels") -> torch.Tensor:
    """labels as [n] int64.

    InputError: another shape (one label never stands for all), numbers that are not whole, below 0.
    """
    y = as_tensor(labels)
    if y.ndim == 2 and len(y) == n:
        raise InputError(
            f"{name} has shape {list(y.shape)}; needed: one class number each, [{n}], such as one_hot.argmax(1)"
        )
    check_shapes(**{name: (y, str(n))})
    return whole(y, name)


def whole(y: torch.Tensor, name: str = "labels") -> torch.Tensor:
    """y as int64. InputError: truth values, numbers that are infinite or not whole, or (on the CPU) below 0."""
    if y.dtype == torch.bool or y.is_complex():
        raise InputError(f"{name} are {y.dtype}; needed: class numbers from 0")
    if not readable(y):
        return y.long()
    if y.dtype in (torch.uint16, torch.uint32, torch.uint64):  # which torch cannot compare
        y = y.long()
    if y.is_floating_point() and not bool((right := (y == y.round()) & (y.abs() < 2**63)).all()):
        raise InputError(f"{name} hold {float(y[~right][0]):.6g}; needed: whole class numbers from 0")
    if y.device.type == "cpu" and y.numel() and bool((y < 0).any()):
        raise InputError(f"{name} run from {int(y.min())} to {int(y.max())}; class numbers start at 0")
    return y.long()


def check_classes(y: torch.Tensor, classes: int, name: str = "labels") -> None:
    """InputError: a class number of `classes` or above; not looked for on a GPU, whose own check stops the program."""
    if y.device.type != "cpu" or not y.numel() or not readable(y):
        return
    low, high = (int(v) for v in y.aminmax())
    if low < 0 or high >= classes:
        raise InputError(f"{name} run from {low} to {high}; with {classes} classes they run from 0 to {classes - 1}")


def readable(y: torch.Tensor) -> bool:
    """Whether the values of y can be looked at: not while torch compiles, nor of many tensors in one (vmap), nor
    without any (meta).
    """
    if torch.compiler.is_compiling() or y.is_meta:
        return False
    return type(unwrapped(y)) in (torch.Tensor, torch.nn.Parameter)
