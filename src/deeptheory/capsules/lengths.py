"""The length of a capsule, the probability that its entity is there, as a layer: the last one of a classifier.

Source: Sabour, Frosst & Hinton 2017, section 3.
"""

import torch
from torch import nn

from deeptheory.capsules.squashing import at_least_float32
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError


class Lengths(nn.Module):
    """capsules [..., J, q] -> Euclidean lengths [..., J], the probabilities of presence.

    Source: Sabour et al. 2017, section 3. float32 or better inside, the dtype of the capsules outside, of whatever
    unit. The gradient of a capsule of length 0 is 0.
    """

    def forward(self, capsules: torch.Tensor) -> torch.Tensor:
        """capsules: [..., J, q] -> [..., J], NaN and infinite where they are.

        InputError: no floats, fewer than two axes.
        """
        capsules = as_tensor(capsules)
        if capsules.ndim < 2 or not capsules.is_floating_point():
            raise InputError(
                f"capsules are {capsules.dtype} of shape {list(capsules.shape)}; needed: floats [..., J, q]"
            )
        return lengths_of(capsules)


def lengths_of(capsules: torch.Tensor) -> torch.Tensor:
    """[..., q] -> [...], the dtype of the capsules: squares of large numbers do not overflow, nor vanish those of small
    ones.

    Where they would, a capsule is multiplied by a power of two first, which rounds nothing.
    """
    wide = at_least_float32(capsules)
    scale = scale_of(wide)
    return (torch.linalg.vector_norm(wide * scale, dim=-1) / scale.squeeze(-1)).to(capsules.dtype)


def scale_of(x: torch.Tensor) -> torch.Tensor:
    """[..., q], float32 or float64 -> [..., 1], a power of two that brings squares and products of each vector into
    the range of its dtype: 1 where they are in it. No gradient flows through it.
    """
    one = torch.ones_like(x[..., :1].sum(-1, keepdim=True)).detach()
    if not x.shape[-1]:
        return one
    far, factor = (2.0**480, 2.0**600) if x.dtype == torch.float64 else (2.0**40, 2.0**100)
    largest = torch.linalg.vector_norm(x.detach(), torch.inf, -1, keepdim=True)
    return torch.where(largest > far, one / factor, torch.where(largest < 1 / far, one * factor, one))
