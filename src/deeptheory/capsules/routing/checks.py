"""The checks that both routings share: precision, and numbers that are not finite.

Numbers are looked at on the CPU, in eager mode, and in the (small) output, where every NaN and infinity of the input ends up; only
then is the culprit looked for. On a GPU looking would make the host wait at every layer: there NaN travels on, as in torch.
"""

from contextlib import nullcontext

import torch

from deeptheory.errors import InputError
from deeptheory.shapes import check_finite


def full_precision(device: torch.device):
    """Context in which autocast is off: routing keeps to float32, for bfloat16 moments and logits are wrong by 0.15."""
    return torch.autocast(device.type, enabled=False) if torch.is_autocast_enabled(device.type) else nullcontext()


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The dtype that autocast gives matrix products, or None where it is off."""
    return torch.get_autocast_dtype(device.type) if torch.is_autocast_enabled(device.type) else None


def result_dtype(x: torch.Tensor) -> torch.dtype:
    """float32 under autocast, as torch's own softmax and norms; else the caller's."""
    narrow = x.dtype in (torch.bfloat16, torch.float16)
    return torch.float32 if narrow and torch.is_autocast_enabled(x.device.type) else x.dtype


def check_outcome(out: torch.Tensor, **inputs: torch.Tensor | None) -> None:
    """InputError naming the input that holds NaN or infinity, or votes that overflow, if `out` is not finite."""
    if torch.compiler.is_compiling() or out.device.type != "cpu" or bool(out.detach().isfinite().all()):
        return
    check_finite(**{name: None if x is None else x.detach() for name, x in inputs.items()})
    raise InputError(
        f"votes or their sums overflow {out.dtype}, though every input is finite; scale poses or weights down"
    )
