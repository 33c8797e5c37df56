"""How capsule layers begin: the authors' own way, by name, and one that keeps lengths and gradients through any depth.

Sources: "paper": the released code of Sabour et al. 2017 (truncated normal of std 0.1, biases 0.1). "scaled" is ours,
from the squash: v = s |s| / (1 + |s|^2) has slope 2 |s| / (1 + |s|^2)^2 along s and |s| / (1 + |s|^2) across it. Near 0
both vanish, so that layers whose s begins small hand on neither lengths nor gradients: with the paper's values the
first layer's gradient falls 50 times with every hidden layer, and four of them never learn. Where |s| is 1 both slopes
are 1/2, the most that both can be, and |v| is 1/2.
Pitfall: votes as large as they would have to be for |s| = 1 without a bias make couplings hard from the start, and deep
stacks of such layers learn slowly (measured); so the bias carries the length and votes stay smaller.
"""

import math
from typing import get_args

import torch
from torch import nn

from deeptheory.capsules.routing.em import check_choice
from deeptheory.capsules.routing.variants import Init

INITS: tuple[Init, ...] = get_args(Init)
GAIN = 1.0  # of the length of a sum of votes over that of a child, at uniform coupling
_BIAS = 0.1
_NOISE, _LAST_NOISE = 0.2, 2.0  # of each of 4 products whose sum is an entry of a vote


def check_init(init: str) -> None:
    """InputError: an unknown name."""
    check_choice(init, INITS, what="init")


def truncated_normal_(weight: torch.Tensor, std: float) -> torch.Tensor:
    """In place: normal, drawn again beyond two standard deviations, as TensorFlow's."""
    return nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std)


def routed_(weight: torch.Tensor, bias: torch.Tensor | None, parents: float, init: str) -> None:
    """Weights [N, J, q, p] of N children that are routed to `parents` each, and biases [J, q], in place.

    "scaled": at uniform coupling 1 / parents the sum of N votes of children of length l has the length GAIN l, in a
    mean of squares; biases are unit vectors of random direction. Without biases votes alone reach a length that the
    squash keeps: 2 l.
    """
    if init == "paper":
        truncated_normal_(weight, 0.1)
        if bias is not None:
            nn.init.constant_(bias, _BIAS)
        return
    n, _, q, _ = weight.shape
    nn.init.normal_(weight, std=(2.0 if bias is None else GAIN) * parents / math.sqrt(n * q))
    if bias is not None:
        nn.init.normal_(bias)
        with torch.no_grad():
            bias.div_(torch.linalg.vector_norm(bias, dim=-1, keepdim=True).clamp(min=1e-6))


def votes_(weight: torch.Tensor, last: bool) -> tuple[float, float]:
    """Weights [N, J, d, d] of matrix capsules (d = 4) or of vectors (d = 16), in place; and what b_u and b_a begin
    with.

    The identity and noise: at first every child votes for its own pose, so that neighbors agree, poses pass through any
    depth unshrunk, and types differ by the noise. The last layer tells classes apart by noise alone.
    """
    noise = (_LAST_NOISE if last else _NOISE) * 2 / math.sqrt(weight.shape[-1])
    nn.init.normal_(weight, std=noise)
    if not last:
        with torch.no_grad():
            weight.add_(torch.eye(weight.shape[-1], dtype=weight.dtype, device=weight.device))
    return -0.9, 0.0


def poses_(pose: nn.Conv2d, activation: nn.Conv2d, begin: str) -> None:
    """The 1x1 convolutions of primary matrix capsules, in place; biases 0.

    "scaled": after `features_` poses are of the order of 1/2, of the variance floor of the variant "balanced" 1, so
    that assignments begin soft, and activations lie on both sides of 1/2. "paper": std 0.5 and 3, whatever comes in.
    """
    root = math.sqrt(pose.weight[0].numel())
    for layer, std in (
        (pose, 1 / root if begin == "scaled" else 0.5),
        (activation, 4 / root if begin == "scaled" else 3.0),
    ):
        truncated_normal_(layer.weight, std)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def primary_(convolution: nn.Conv2d, types: int, dim: int, init: str, released: bool) -> None:
    """The convolution that is cut into capsules of `dim`, in place.

    "scaled": inputs of mean square 1/4 (pixels in [0, 1] after `features_`) give |s| = 1; biases 0.
    """
    weight, bias = convolution.weight, convolution.bias
    if init == "paper":
        truncated_normal_(weight, 0.1 if released else 0.1 / types)
    else:
        nn.init.normal_(weight, std=2 * (types if released else 1) / math.sqrt(dim * weight[0].numel()))
    if bias is not None:
        nn.init.constant_(bias, _BIAS if init == "paper" else 0.0)


def features_(convolution: nn.Conv2d, init: str) -> None:
    """The first convolution, followed by a ReLU. "scaled": He et al. 2015, which keeps the mean square; biases 0."""
    if init == "paper":
        truncated_normal_(convolution.weight, 0.05)
    else:
        nn.init.normal_(convolution.weight, std=math.sqrt(2 / convolution.weight[0].numel()))
    if convolution.bias is not None:
        nn.init.constant_(convolution.bias, _BIAS if init == "paper" else 0.0)
