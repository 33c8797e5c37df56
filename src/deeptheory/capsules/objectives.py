"""What capsule networks are trained on and judged by, in the form that `dt.networks.train` takes: f(module, batch) ->
loss.

Sources: Sabour, Frosst & Hinton 2017, sections 4.1 and 6; Hinton, Sabour & Frosst 2018, section 4.
"""

import math
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.capsules.losses import (
    CONVENTIONS,
    Convention,
    Schedule,
    margin_loss,
    reconstruction_loss,
    spread_loss,
    spread_margin,
)
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.core.arrays import as_numpy, as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_finite, check_real, check_shapes, check_whole
from deeptheory.networks.evaluation.scores import (
    Scores,
    as_labels,
    check_classes,
    check_scores,
    first_output,
    readable,
    whole,
)
from deeptheory.networks.single.modules import predict

Objective = Callable[[nn.Module, Any], torch.Tensor]


def capsule_objective(
    *,
    reconstruction: float = 0.0005,
    convention: Convention = "paper",
    precision: Literal["float32", "bfloat16"] = "float32",
) -> Objective:
    """f(module, batch) -> loss []: margin loss, and with a decoder the reconstruction of the true class's capsule.

    A batch is (images, labels [B]), or for overlaid digits (images, labels [B, 2], sources [B, 2, H, W]): the margin
    loss then has two classes present and the decoder draws each digit alone from its own capsule. reconstruction:
    weight of the squared error a pixel. The module is a `CapsuleNetwork`, or any that ends in capsules [B, J, q] or
    lengths [B, J]; without a decoder sources are not drawn. convention: as for `margin_loss`. precision: "bfloat16"
    lets torch.autocast run convolutions and decoder in it; routing, weights and the loss stay in float32. Source:
    Sabour et al. 2017, eq. 4 and section 4.1; section 6 for overlaid digits. InputError: another convention or
    precision; of the objective: labels that are no classes.
    """
    check_real(reconstruction=(reconstruction, -math.inf))
    pick(dict.fromkeys(CONVENTIONS), convention, what="convention")
    if precision not in ("float32", "bfloat16"):
        raise InputError(f"precision is {precision!r}; known: float32, bfloat16")

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, *sources = batch
        labels, decoder = as_tensor(labels), getattr(module, "decoder", None)
        if not sources:
            out = module(images, labels) if decoder is not None else module(images)
            loss = margin_loss(first_output(out), labels, convention=convention)
            return loss if decoder is None else loss + reconstruction_loss(out.reconstruction, images, reconstruction)
        if decoder is not None:
            check_shapes(labels=(labels, "B 2"))  # another digit would not be drawn
        out = module(images, labels[:, 0]) if decoder is not None else module(images)
        lengths = first_output(out)
        loss = margin_loss(lengths, both(labels, lengths.shape[1]), convention=convention)
        if decoder is None:
            return loss
        drawn = torch.cat([out.reconstruction, decoder(out.capsules, labels[:, 1])], 1)
        return loss + reconstruction_loss(drawn, sources[0], reconstruction)

    def faster(module: nn.Module, batch: Any) -> torch.Tensor:
        with torch.autocast(batch[0].device.type, torch.bfloat16):
            return objective(module, batch).float()

    return objective if precision == "float32" else faster


def spread_objective(
    steps: int, *, schedule: Schedule = "reference_code", convention: Convention = "paper"
) -> Objective:
    """f(module, batch) -> loss []: spread loss of the module's first output, its margin widening over the training.

    A batch is (images [B, C, H, W], labels [B] integers, step); step: of `steps`, from 0. schedule: as for
    `spread_margin`; convention: as for `spread_loss`. Source: Hinton et al. 2018, section 4, eq. 3. InputError: steps
    below 1, another schedule or convention; of the objective: labels that are no classes.
    """
    check_whole(steps=(steps, 1))
    spread_margin(0, steps, schedule=schedule)  # refuses what it does not know
    pick(dict.fromkeys(CONVENTIONS), convention, what="convention")

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, step = batch
        margin = spread_margin(step, steps, schedule=schedule)
        return spread_loss(first_output(module(images)), labels, margin, convention=convention)

    return objective


def probability_objective(kind: Literal["margin", "cross-entropy"] = "cross-entropy") -> Objective:
    """The two other losses on activations of Hinton et al. 2018, for `train`.

    Returns f(module, batch) -> loss [], the mean over the batch. kind: "margin" (of Sabour et al. 2017, summed over
    classes) or "cross-entropy" of activations divided by their sum, in nats; a part of 0 counts as the smallest normal
    float (87.3 nats in float32), with no gradient. A batch is (images [B, C, H, W], labels [B], ...); the module's
    first output is [B, classes], or capsules. InputError: another kind; of the objective: labels that are no classes,
    activations below 0 of which there is no part (on the CPU).
    """
    if kind not in ("margin", "cross-entropy"):
        raise InputError(f"kind is {kind!r}; known: margin, cross-entropy")

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, *_ = batch
        activations = first_output(module(images))
        if kind == "margin":
            return margin_loss(activations, labels)
        check_shapes(activations=(activations, "B K"))
        if activations.device.type == "cpu" and readable(activations) and bool((activations < 0).any()):
            raise InputError(
                f"activations run from {activations.min().item():.3g}; their parts of the sum are needed, of numbers "
                "of 0 or more: for logits see classifier_objective"
            )
        wide = at_least_float32(activations)
        total = wide.sum(1, keepdim=True)
        shares = wide / torch.where(total == 0, 1, total)
        labels = as_labels(labels, len(shares))
        check_classes(labels, shares.shape[1])
        return F.nll_loss(shares.clamp(min=torch.finfo(shares.dtype).tiny).log(), labels).to(activations.dtype)

    return objective


def classifier_objective(model: nn.Module, batch: Any) -> torch.Tensor:
    """For a convolutional network: cross-entropy, or with several labels a logistic for each class; a scalar in nats.

    model: images -> logits [B, classes]. batch: (images [B, C, H, W], labels [B] or [B, k], ...); with [B, k] the
    binary cross-entropies are summed over classes. Mean over the batch. InputError: labels that are no classes, or one
    twice in an image.
    """
    images, labels, *_ = batch
    labels, logits = as_tensor(labels), model(images)
    if labels.ndim == 1:
        labels = as_labels(labels, len(logits))
        check_classes(labels, logits.shape[1])
        return F.cross_entropy(logits, labels)
    target = both(labels, logits.shape[1]).to(logits)
    return F.binary_cross_entropy_with_logits(logits, target, reduction="none").sum(1).mean()


def both(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Class numbers [B, 2] (or more) as zeros and ones [B, classes], float32.

    InputError: no classes, or one twice in an image.
    """
    check_shapes(labels=(labels, "B k"))
    labels = whole(labels)
    check_classes(labels, classes)
    present = F.one_hot(labels, classes).sum(1)
    if labels.device.type == "cpu" and bool((present > 1).any()):
        row = int((present > 1).any(1).nonzero()[0])
        raise InputError(
            f"labels name a class twice in row {row}: {labels[row].tolist()}; the classes of an image differ"
        )
    return present.to(torch.float32)


def error_rate(model: nn.Module, images: Any, labels: Any, *, batch: int = 256, scores: Scores = first_output) -> float:
    """Wrong answers in per cent, 0 to 100, over images [n, C, H, W] of floats, `batch` at a time, in eval mode.

    scores(output of the model) -> [n, K]: by default its first output, capsules [n, K, q] by their lengths. labels:
    [n] class numbers, the answer being the largest score; or [n, m] for m < K classes of each image, where the m
    largest must be those; or zeros and ones [n, K] (one-hot, or several present): again the largest must be those that
    are present. [n, K] is always read so, with two classes too.
    InputError: labels that do not fit or are no classes, pixels that are integers, an output that is no scores.
    """
    x, y = as_tensor(images), as_tensor(labels)
    if not x.is_floating_point():
        raise InputError(f"images are {x.dtype}; networks take floats: scale them, dt.datasets.downsample(images)")
    n = len(x)
    found = check_scores(scores(predict(model, x, batch=batch)), n).double()
    check_finite(scores=found)
    y = y.cpu()
    if y.ndim == 1:
        y = as_labels(y, n)
        check_classes(y, found.shape[1])
        wrong = found.argmax(1) != y
    else:
        wrong = _other_than(found, _present(y, n, found.shape[1]))
    return 100 * float(wrong.double().mean())


def _present(labels: torch.Tensor, n: int, classes: int) -> torch.Tensor:
    """[n, classes] bool: which classes are in each image."""
    check_shapes(labels=(labels, f"{n} m"))
    m = labels.shape[1]
    if m == classes:
        if not bool(((labels == 0) | (labels == 1)).all()) or not bool((labels == 1).any(1).all()):
            raise InputError(
                f"labels has shape {list(labels.shape)}, one column for each class; it needs zeros and ones, with "
                "a one in every row"
            )
        return labels == 1
    if m > classes:
        raise InputError(f"labels has shape {list(labels.shape)}; there are {classes} classes")
    return both(labels, classes) == 1


def _other_than(scores: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """[n] bool: the largest scores, as many as there are classes present, are not those of the classes present."""
    rank = scores.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return ((rank < present.sum(1, keepdim=True)) != present).any(1)


def decoded(model: nn.Module, capsules: Any, labels: Any, *, batch: int = 256) -> np.ndarray:
    """What the model's decoder draws from those capsules of those classes: [n, C, H, W], numpy, without gradient.

    capsules: [n, J, d]; labels: [n], the capsule that is drawn (Sabour et al. 2017, section 4.1), or [n, J], factors
    of all; `batch` at a time. InputError: a network without a decoder, capsules that are not finite, labels that are no
    classes, another number of them.
    """
    decoder = getattr(model, "decoder", None)
    if decoder is None:
        raise InputError("this network has no decoder, so that nothing can be drawn; make it with reconstruction=True")
    labels, capsules = as_tensor(labels), as_tensor(capsules)
    if capsules.ndim != 3:
        raise InputError(f"capsules have shape {list(capsules.shape)}; needed: [n, J, d]")
    check_finite(capsules=capsules)
    labels = as_labels(labels, len(capsules)) if labels.ndim < 2 else labels
    check_finite(labels=labels)
    return as_numpy(predict(decoder, capsules, labels, batch=batch))
