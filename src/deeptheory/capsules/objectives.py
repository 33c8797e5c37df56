"""What capsule networks are trained on and judged by, in the form that `dt.networks.train` takes: f(module, batch) -> loss.

Sources: Sabour, Frosst & Hinton 2017, sections 4.1 and 6; Hinton, Sabour & Frosst 2018, section 4.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.arrays import as_numpy, as_tensor
from deeptheory.capsules.losses import margin_loss, reconstruction_loss, spread_loss, spread_margin
from deeptheory.errors import InputError
from deeptheory.networks.modules import outputs

Objective = Callable[[nn.Module, Any], torch.Tensor]


def capsule_objective(*, reconstruction: float = 0.0005, convention: str = "paper") -> Objective:
    """Margin loss, and with a decoder the reconstruction of the true class's capsule.

    A batch is (images, labels [B]), or for overlaid digits (images, labels [B, 2], sources [B, 2, H, W]): the margin loss then has
    two classes present and the decoder draws each digit alone from its own capsule. reconstruction: weight of the squared error
    a pixel. The module is a `CapsuleNetwork`.
    """

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, *sources = batch
        decoder = getattr(module, "decoder", None)
        if not sources:
            out = module(images, labels) if decoder is not None else module(images)
            loss = margin_loss(out.lengths, labels, convention=convention)
            return loss if decoder is None else loss + reconstruction_loss(out.reconstruction, images, reconstruction)
        out = module(images, labels[:, 0])
        loss = margin_loss(out.lengths, both(labels, out.lengths.shape[1]), convention=convention)
        if decoder is None:
            return loss
        drawn = torch.cat([out.reconstruction, decoder(out.capsules, labels[:, 1])], 1)
        return loss + reconstruction_loss(drawn, sources[0], reconstruction)

    return objective


def spread_objective(steps: int, *, schedule: str = "released", convention: str = "paper") -> Objective:
    """Spread loss whose margin widens over the training. A batch is (images, labels, step); see `spread_margin`."""

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, step = batch
        margin = spread_margin(step, steps, schedule=schedule)
        return spread_loss(module(images)[0], labels, margin, convention=convention)

    return objective


def probability_objective(kind: str = "cross-entropy") -> Objective:
    """The paper's two other losses on activations: "margin" (of Sabour et al.) or "cross-entropy" of activations divided by their sum.

    A batch is (images, labels, ...). InputError: another kind.
    """
    if kind not in ("margin", "cross-entropy"):
        raise InputError(f"kind is {kind!r}; known: margin, cross-entropy")

    def objective(module: nn.Module, batch: Any) -> torch.Tensor:
        images, labels, *_ = batch
        activations = module(images)[0]
        if kind == "margin":
            return margin_loss(activations, labels)
        shares = activations / activations.sum(1, keepdim=True).clamp(min=1e-12)
        return F.nll_loss(shares.clamp(min=1e-12).log(), labels)

    return objective


def classifier_objective(module: nn.Module, batch: Any) -> torch.Tensor:
    """For a convolutional network: cross-entropy of (images, labels [B], ...), or with two labels [B, 2] a logistic for each class."""
    images, labels, *_ = batch
    logits = module(images)
    if labels.ndim == 1:
        return F.cross_entropy(logits, labels)
    return F.binary_cross_entropy_with_logits(logits, both(labels, logits.shape[1]), reduction="none").sum(1).mean()


def both(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Labels [B, 2] as zeros and ones [B, classes]."""
    return F.one_hot(labels, classes).amax(1).float()


def error_rate(module: nn.Module, images: Any, labels: Any, batch: int = 256) -> float:
    """Share of wrong answers, in per cent, over images [n, C, H, W].

    labels: [n], the answer being the largest score (length, activation, logit), or [n, 2], where the two largest must be the two.
    """
    scores = outputs(module, images, batch=batch)
    scores = scores[0] if isinstance(scores, tuple) else scores
    labels = as_tensor(labels)
    if labels.ndim == 1:
        wrong = scores.argmax(1) != labels
    else:
        wrong = (scores.topk(labels.shape[1], 1).indices.sort(1).values != labels.sort(1).values).any(1)
    return 100 * float(wrong.double().mean())


def decoded(network: nn.Module, capsules: Any, labels: Any, batch: int = 256) -> np.ndarray:
    """What the network's decoder draws from those capsules of those classes: [n, C, H, W], numpy. capsules: [n, J, d]; labels: [n]."""
    return as_numpy(outputs(network.decoder, capsules, as_tensor(labels).long(), batch=batch))  # type: ignore[arg-type]
