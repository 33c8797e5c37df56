"""Lengths of vectors in any unit: squares of 1e25 overflow in float32, and those of 1e-25 vanish."""

import torch


def lengths_of(capsules: torch.Tensor) -> torch.Tensor:
    """[..., q] -> [...], the dtype of the capsules: squares of large numbers do not overflow, nor vanish those of small
    ones.

    Where they would, a capsule is multiplied by a power of two first, which rounds nothing.
    """
    wide = capsules if capsules.dtype == torch.float64 else capsules.float()
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
