"""What both routings check, and the precision they compute in.

Trap: bfloat16 couplings are wrong by 0.15 after three iterations of EM; autocast is therefore switched off in here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from deeptheory.errors import InputError
from deeptheory.shapes import check_finite


def check_iterations(iterations: int) -> None:
    """InputError: fewer than one iteration, or no whole number."""
    if not isinstance(iterations, int) or iterations < 1:
        raise InputError(
            f"iterations is {iterations!r}; routing needs a whole number of at least 1 (1: uniform coupling)"
        )


@contextmanager
def routing_precision(*tensors: Tensor | None) -> Iterator[tuple]:
    """The tensors in float32 (float64 if one of them is), with autocast off."""
    given = [t for t in tensors if t is not None]
    dtype = torch.float64 if any(t.dtype == torch.float64 for t in given) else torch.float32
    with torch.autocast(given[0].device.type, enabled=False):
        yield tuple(None if t is None else t.to(dtype) for t in tensors)


def check_result(result: Tensor, **inputs: Tensor | None) -> None:
    """InputError naming the input that holds NaN or infinity, asked only when the (small) result is not finite."""
    if torch.compiler.is_compiling() or bool(result.detach().sum().isfinite()):
        return
    check_finite(**{name: None if x is None else x.detach() for name, x in inputs.items()})
    if not bool(result.detach().isfinite().all()):
        largest = {n: float(x.detach().abs().max()) for n, x in inputs.items() if x is not None and x.numel()}
        raise InputError(f"routing overflowed on finite input (largest magnitudes: {largest}); scale the input down")
