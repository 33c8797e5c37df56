"""Losses of both papers, in the paper's convention and in that of the released code, by name; and the spread loss's
margin.

Source: Sabour, Frosst & Hinton 2017, eq. 4 and section 4.1; Hinton, Sabour & Frosst 2018, eq. 3; released code of both.
Pitfall: the paper sums over classes; the released code halves the margin terms and takes the mean over classes too. The
reconstruction weight of 0.0005 a pixel is the same in both: against the summed margin loss it is 0.01 in the released
code.
"""

import math
from typing import Literal, get_args

import torch

from deeptheory.capsules.squashing import at_least_float32
from deeptheory.core.arrays import as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_number, check_real, check_shapes
from deeptheory.networks.evaluation.scores import as_labels, check_classes, readable

Convention = Literal["paper", "reference_code"]
CONVENTIONS: tuple[Convention, ...] = get_args(Convention)
Schedule = Literal["reference_code", "paper"]


def margin_loss(
    lengths: torch.Tensor,
    labels: torch.Tensor,
    *,
    convention: Convention = "paper",
    present: float = 0.9,
    absent: float = 0.1,
    down: float = 0.5,
) -> torch.Tensor:
    """Mean over the batch of sum_k T_k max(0, m+ - |v_k|)^2 + down (1 - T_k) max(0, |v_k| - m-)^2.

    Source: Sabour et al. 2017, eq. 4. lengths: [B, K], |v_k|. labels: [B] integers, or [B, K] zeros and ones (several
    may be present), or numbers between, which are T_k. present: m+; absent: m-; down: weight of absent classes. Returns
    a scalar, [], of the dtype of lengths, float32 or better inside, differentiable; NaN of an empty batch; NaN and
    infinity stay. convention: "reference_code" is half of
    it, and the mean over classes. InputError: shapes that do not fit, labels out of range (on the CPU), complex
    numbers, an unknown convention.
    """
    check_real(present=(present, -math.inf), absent=(absent, -math.inf), down=(down, -math.inf))
    given = real_tensor("lengths", lengths)
    lengths = at_least_float32(given)
    target = _targets(lengths, labels)
    each = (
        target * (present - lengths).clamp(min=0).square()
        + down * (1 - target) * (lengths - absent).clamp(min=0).square()
    )
    return _reduced(each, convention, 0.5).to(given.dtype)


def spread_loss(
    activations: torch.Tensor, labels: torch.Tensor, margin: float, *, convention: Convention = "paper"
) -> torch.Tensor:
    """Mean over the batch of sum_{i != t} max(0, margin - (a_t - a_i))^2, t the label.

    Source: Hinton et al. 2018, eq. 3. activations: [B, K], labels: [B] integers. margin: m, see `spread_margin`.
    Returns a scalar, [], of the dtype of activations, float32 or better inside, differentiable; NaN of an empty batch;
    NaN and infinity stay. convention: "reference_code" is the mean over classes too (the label's own class counts as
    one of them).
    InputError: shapes that do not fit, complex numbers, labels out of range (on the CPU), an unknown convention.
    """
    check_real(margin=(margin, -math.inf))
    labels, given = as_tensor(labels), real_tensor("activations", activations)
    activations = at_least_float32(given)
    check_shapes(activations=(activations, "B K"), labels=(labels, "B"))
    other = 1 - _targets(activations, labels)
    a_t = activations.gather(1, labels[:, None].long().to(activations.device))
    return _reduced(other * (margin - (a_t - activations)).clamp(min=0).square(), convention, 1.0).to(given.dtype)


def reconstruction_loss(reconstruction: torch.Tensor, images: torch.Tensor, weight: float = 0.0005) -> torch.Tensor:
    """weight times the squared error, summed over pixels, mean over the batch: a scalar, [].

    reconstruction, images: [B, ...]. Source: Sabour et al. 2017, section 4.1, with their weight. Pitfall: a mean over
    pixels makes it 784 times weaker on MNIST. float32 or better inside. NaN and infinity stay. InputError: shapes that
    differ, complex numbers, a weight that is not finite.
    """
    check_real(weight=(weight, -math.inf))
    reconstruction, images = real_tensor("reconstruction", reconstruction), real_tensor("images", images)
    if reconstruction.shape != images.shape or not images.ndim:
        raise InputError(
            f"reconstruction has shape {list(reconstruction.shape)}, images {list(images.shape)}; they must be the same"
        )
    dtype = torch.promote_types(reconstruction.dtype, images.dtype)
    error = at_least_float32(reconstruction) - at_least_float32(images)  # a sum over pixels is beyond float16
    return (weight * error.square().flatten(1).sum(1).mean()).to(dtype)


def spread_margin(step: float, steps: float | None = None, *, schedule: Schedule = "reference_code") -> float:
    """The spread loss's margin at a step.

    Source: Hinton et al. 2018, section 4, and their code. schedule: "reference_code": 0.2 + 0.79 logistic(min(10,
    step / 50000 - 4)), from .214, half way at step 200,000 of batches of 64 (526 epochs of smallNORB); with steps, half
    way at half of them and .976 at the end. "paper": from 0.2 linearly to 0.9 over the steps, then 0.9 (the text).
    step: from 0; steps: the number that the training will take. InputError: an unknown schedule, "paper" without steps,
    a negative step, steps <= 0, NaN.
    """
    pick(dict.fromkeys(get_args(Schedule)), schedule, what="margin schedule")
    check_number(step=step, steps=1 if steps is None else steps)
    if not 0 <= step < math.inf or not (steps is None or steps > 0):
        raise InputError(f"step is {step} and steps {steps}; both count from 0, and a training has 1 or more")
    step, steps = float(step), None if steps is None else float(steps)  # numpy's narrow integers would wrap around
    if schedule == "paper":
        if steps is None:
            raise InputError('the "paper" schedule runs over the whole training; give its number of steps')
        return 0.2 + 0.7 * min(1.0, step / steps)
    at = step if steps is None else 400_000 * step / steps
    return 0.2 + 0.79 / (1 + math.exp(-min(10.0, at / 50_000 - 4)))


def _targets(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """labels as zeros and ones [B, K], dtype of scores."""
    labels = as_tensor(labels)
    check_shapes(scores=(scores, "B K"))
    if labels.ndim == 1:
        labels = as_labels(labels, len(scores))
        check_classes(labels, scores.shape[1])
        classes = torch.arange(scores.shape[1], device=labels.device)
        return (labels[:, None] == classes).to(scores)  # one_hot reads values: no vmap
    check_shapes(scores=(scores, "B K"), labels=(labels, "B K"))
    if labels.device.type == "cpu" and labels.numel() and readable(labels):
        low, high = (float(x) for x in labels.aminmax()) if labels.dtype != torch.bool else (0, 1)
        if low < 0 or high > 1:
            raise InputError(
                f"labels [B, K] run from {low:g} to {high:g}; they say of each class whether it is there, 0 to 1. "
                "Class numbers are "
                "[B]; for several an image see `both`"
            )
    return labels.to(scores)


def _reduced(each: torch.Tensor, convention: str, factor: float) -> torch.Tensor:
    pick(dict.fromkeys(CONVENTIONS), convention, what="convention")
    return each.sum(1).mean() if convention == "paper" else factor * each.mean()
