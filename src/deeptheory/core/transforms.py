"""Whether torch traces or transforms what passes through: the one place that asks for names which torch keeps private.

torch has no public function that says whether a transform of torch.func (vmap, grad, jvp) or a dispatch mode is at
work, nor whether a tensor is one of a transform's wrappers. Whoever must not look at values, or must not call a
compiled kernel, has to know. Pitfall: a torch without these names fails when this file is imported, and nowhere else.
"""

import torch
from torch._C import _functorch, _is_tracing, _len_torch_dispatch_stack  # type: ignore[attr-defined]  # not in the stubs


def transforming() -> bool:
    """Whether torch.jit.trace, a transform of torch.func, forward-mode derivatives or a dispatch mode is at work."""
    return (
        _is_tracing()
        or _functorch.peek_interpreter_stack() is not None
        or torch.autograd.forward_ad._current_level >= 0
        or _len_torch_dispatch_stack() > 0
    )


def wrapped(x: torch.Tensor) -> bool:
    """Whether a tensor is a wrapper of a transform of torch.func, from which no value can be copied."""
    return _functorch.is_functorch_wrapped_tensor(x)


def many_in_one(x: torch.Tensor) -> bool:
    """Whether a tensor stands for many, as gradients do under is_grads_batched."""
    return _functorch.is_legacy_batchedtensor(x)


def unwrapped(x: torch.Tensor) -> torch.Tensor | None:
    """The tensor inside the wrappers of grad and jvp; None where it stands for many (vmap, is_grads_batched)."""
    if many_in_one(x):
        return None
    while wrapped(x):
        if _functorch.is_batchedtensor(x):
            return None
        x = _functorch.get_unwrapped(x)
    return x
