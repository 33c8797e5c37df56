"""Who is watching: whether a call is traced or transformed, so that values cannot be looked at and compiled kernels
not be seen.
"""

from typing import Any

import torch
from torch._C import _functorch  # type: ignore[attr-defined]  # no public function says whether a transform is at work

_PLAIN = (torch.Tensor, torch.nn.Parameter)


def traced(*tensors: Any) -> bool:
    """Whether more than plain numbers pass through: torch.compile, export or jit.trace, a torch.func transform (vmap,
    grad, jvp), forward-mode derivatives, a dispatch mode (fake tensors, counters of operations), a tensor's subclass or
    many tensors in one (is_grads_batched).

    Values cannot be looked at then, compiled kernels would not be seen, and what is made must not be saved for other
    calls.
    """
    if torch.compiler.is_compiling():
        return True
    return (
        torch._C._is_tracing()
        or _functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
        or torch._C._len_torch_dispatch_stack() > 0
        or any(type(x) not in _PLAIN or _functorch.is_legacy_batchedtensor(x) for x in tensors)
    )
