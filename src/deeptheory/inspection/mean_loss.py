"""A mean loss as a function of the weights that are learned, and its Hessian times a vector: what the instrument
hessian and its functions are made from.

Products by two derivatives of the loss (Pearlmutter 1994), batches one after the other.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.recording.inputs import call, cut, sample_count, target_tensor
from deeptheory.recording.sites import tensors_in

BATCH = 64
_HUGE = 1e150  # squares beyond are infinite


def _squared(out: Tensor, y: Tensor) -> Tensor:
    if out.ndim > 2 and y.ndim > 2 and [k for k in out.shape if k > 1] != [k for k in y.shape if k > 1]:
        raise ValueError("its axes are in another order or of other sizes")  # a reshape would pair others
    return (out - y.reshape(out.shape)).square().sum() / len(out) / 2


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "squared": _squared,
}


class MeanLoss:
    """The mean loss of some inputs as a function of the parameters; its Hessian times a vector."""

    def __init__(self, model: nn.Module, given: Any, targets: Any, loss: Any):
        self.model, self.given, self.n = model, given, sample_count(given)
        self.parameters = learned(model)
        self.size = sum(p.numel() for p in self.parameters)
        self.loss: Any = loss if callable(loss) else pick(LOSSES, loss, what="loss")
        self.targets = target_tensor(targets, self.n)
        if self.targets.is_complex() and not callable(loss):
            raise InputError("targets are complex; needed: class indices, or real numbers")
        if loss == "cross_entropy" and not self.targets.is_floating_point():
            self.targets = self.targets.long()
            if bool((self.targets < 0).any()):  # torch leaves -100 out of each batch's mean, whatever is in the others
                raise InputError(f"targets hold {int(self.targets.min())}, no class index; leave out these samples")

    def times(self, vector: np.ndarray) -> np.ndarray:
        """H v, the batches one after the other."""
        first = self.parameters[0]
        v = torch.as_tensor(vector.ravel()).to(device=first.device)
        parts = [
            piece.view_as(p).to(p.dtype)
            for p, piece in zip(self.parameters, v.split([p.numel() for p in self.parameters]))
        ]
        out = torch.zeros(self.size, dtype=torch.float64, device=first.device)
        for start in range(0, self.n, BATCH):
            stop = min(self.n, start + BATCH)
            shown = output_of(self.model, cut(self.given, self.n, start, stop), stop - start)
            value = self._mean(shown, self.targets[start:stop].to(shown.device)) * ((stop - start) / self.n)
            if not bool(torch.isfinite(value)):
                raise InputError(f"the loss is {float(value.detach())}; the Hessian needs a finite one")
            slopes = torch.autograd.grad(value, self.parameters, create_graph=True, allow_unused=True)
            pairs = [(g, u) for g, u in zip(slopes, parts) if g is not None and g.requires_grad]
            if not pairs:
                continue  # a loss that is linear in the weights
            product = torch.stack([(g * u).sum() for g, u in pairs]).sum()
            second = torch.autograd.grad(product, self.parameters, allow_unused=True, materialize_grads=True)
            out += torch.cat([g.detach().double().ravel() for g in second])
        if not float(out.abs().max()) < _HUGE:  # NaN too
            raise InputError(f"the Hessian has entries of {float(out.abs().max()):g}; are inputs or weights too large?")
        return out.cpu().numpy()

    def _mean(self, shown: Tensor, targets: Tensor) -> Tensor:
        try:
            return self.loss(shown, targets)
        except (RuntimeError, IndexError, ValueError) as error:
            what = f"an output of shape {list(shown.shape)} with targets {list(targets.shape)}, {targets.dtype}"
            raise InputError(f"the loss does not take {what}: {str(error).splitlines()[0]}") from error


def learned(model: nn.Module) -> list[nn.Parameter]:
    """The parameters that have gradients. InputError: there is none."""
    found = [p for p in model.parameters() if p.requires_grad and p.is_floating_point() and p.numel()]
    if not found:
        raise InputError("the model has no parameter with gradients; a Hessian is by the weights that are learned")
    return found


def output_of(model: nn.Module, given: Any, n: int) -> Tensor:
    """The first floating tensor with a row per sample that the model gives. InputError: there is none."""
    shown = next(
        (t for _, t in tensors_in(call(model, given)) if t.is_floating_point() and t.ndim and len(t) == n), None
    )
    if shown is None:
        raise InputError("the model gives no floating tensor with a row per sample")
    return shown
