"""The checks that both routings share: precision, numbers that are not finite, what a layer is handed, who is watching.

Numbers are looked at on the CPU, in eager mode, and in the (small) output, where every NaN and infinity of the input
ends up; only then is the culprit looked for. On a GPU looking would make the host wait at every layer: there NaN
travels on, as in torch.
"""

import math
from contextlib import nullcontext
from typing import Any

import torch

from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.tracing import traced
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite, check_shapes


def full_precision(device: torch.device):
    """Context in which autocast is off: routing keeps to float32, for bfloat16 moments and logits are wrong by 0.15."""
    return torch.autocast(device.type, enabled=False) if _autocast(device) else nullcontext()


def _autocast(device: torch.device) -> bool:
    return device.type != "meta" and torch.is_autocast_enabled(device.type)  # torch knows no autocast of "meta"


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The dtype that autocast gives matrix products, or None where it is off."""
    return torch.get_autocast_dtype(device.type) if _autocast(device) else None


def result_dtype(x: torch.Tensor) -> torch.dtype:
    """float32 under autocast, as torch's own softmax and norms; else the caller's."""
    narrow = x.dtype in (torch.bfloat16, torch.float16)
    return torch.float32 if narrow and _autocast(x.device) else x.dtype


def check_outcome(out: torch.Tensor, **inputs: torch.Tensor | None) -> None:
    """InputError naming the input that holds NaN or infinity, or votes that overflow, if `out` is not finite."""
    if out.device.type != "cpu" or traced(out):
        return
    values = out.detach()
    # a sum shows NaN and infinity in fewer calls than isfinite; one that overflows is looked into
    if math.isfinite(values.sum().item()) or bool(values.isfinite().all()):
        return
    check_finite(**{name: None if x is None else x.detach() for name, x in inputs.items()})
    raise InputError(
        f"votes or their sums overflow {out.dtype}, though every input is finite; scale poses or weights down"
    )


def tensor_on(x: Any, device: Any) -> torch.Tensor:
    """x as a tensor on that device, whatever torch's default device is; what is masked is NaN."""
    return x.to(device) if isinstance(x, torch.Tensor) else as_tensor(x).to(device)


def floating(x: torch.Tensor) -> torch.Tensor:
    """x as real numbers: integers and truth values as float32 (what torch does with them depends on its default
    dtype).
    """
    return x if x.is_floating_point() else at_least_float32(x)


def in_one_dtype(x: torch.Tensor, *others: torch.Tensor | None) -> tuple[Any, ...]:
    """All in the widest of their dtypes, None as it is; under autocast, which chooses, as they are, but with float64,
    which autocast leaves alone.
    """
    if _autocast(x.device) and all(y is None or y.dtype != torch.float64 for y in (x, *others)):
        return x, *others
    for other in others:
        dtype = x.dtype if other is None else torch.promote_types(x.dtype, other.dtype)
        x = x if x.dtype == dtype else x.to(dtype)
    return x, *(y if y is None or y.dtype == x.dtype else y.to(x.dtype) for y in others)


def in_dtype_of(weight: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """x in the dtype of a torch layer's weights, which takes no other; under autocast, which chooses but for float64,
    as it is.
    """
    chosen = _autocast(x.device) and torch.float64 not in (x.dtype, weight.dtype)
    return x if chosen else x.to(weight.dtype)


def check_layer_input(name: str, x: Any, pattern: str) -> torch.Tensor:
    """x, integers as float32. InputError: no tensor, or another shape than the pattern's letters and numbers say."""
    if not isinstance(x, torch.Tensor):
        raise InputError(
            f"{name} is a {type(x).__module__}.{type(x).__name__}; a layer takes a tensor: torch.as_tensor({name})"
        )
    axes = pattern.split()
    if x.ndim == len(axes) - 1:
        raise InputError(
            f"{name} has shape {list(x.shape)}; it needs {len(axes)} axes, [{', '.join(axes)}]: one example "
            "needs a batch axis "
            f"as well, {name}[None]"
        )
    check_shapes(**{name: (x, pattern)})
    return floating(x)


def truth_values(name: str, mask: torch.Tensor) -> torch.Tensor:
    """mask as truth values; integers 0 and 1 are such. InputError: floats, which some read as 1 / 0 and others as 0 /
    -inf to be added to logits, and other integers."""
    if mask.dtype == torch.bool:
        return mask
    whole = not mask.is_floating_point() and not mask.is_complex()
    if whole and (mask.device.type != "cpu" or traced(mask) or bool(((mask == 0) | (mask == 1)).all())):
        return mask.bool()
    raise InputError(
        f"{name} has dtype {mask.dtype}"
        + (" and values other than 0 and 1" if whole else "")
        + "; it needs truth values, True for "
        f"those that take part: {name} == 1 of ones and zeros, {name} == 0 of a mask to be added to logits (0 or -inf)"
    )
