"""Who is watching: whether a call is traced or transformed, so that values cannot be looked at and compiled kernels
not be seen.
"""

from typing import Any

import torch

from deeptheory.core.transforms import many_in_one, transforming

_PLAIN = (torch.Tensor, torch.nn.Parameter)


def traced(*tensors: Any) -> bool:
    """Whether more than plain numbers pass through: torch.compile, export or jit.trace, a torch.func transform (vmap,
    grad, jvp), forward-mode derivatives, a dispatch mode (fake tensors, counters of operations), a tensor's subclass or
    many tensors in one (is_grads_batched).

    Values cannot be looked at then, compiled kernels would not be seen, and what is made must not be saved for other
    calls.
    """
    if torch.compiler.is_compiling():  # first: the rest cannot be traced
        return True
    return transforming() or any(type(x) not in _PLAIN or many_in_one(x) for x in tensors)
