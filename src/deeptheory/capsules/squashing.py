"""Squash: a capsule's length becomes the probability that its entity is present; its direction stays.

Source: Sabour, Frosst & Hinton 2017, eq. 1; v = |s|^2 / (1 + |s|^2) * s / |s|.
Trap: s / |s| at s = 0 is NaN, in value or in gradient, in several public versions. Here 1/|s| is 1/sqrt(|s|^2 + 1e-12): value
and gradient at 0 are 0, and no component differs from eq. 1 by more than 5e-13.
"""

import torch

_EPS = 1e-12  # its power -3/2, which the gradient meets, is 1e18: finite in float32


def squash(s: torch.Tensor) -> torch.Tensor:
    """s: [..., d] -> v: [..., d], |v| < 1. bfloat16 and float16 are squashed in float32 and given back in their own type."""
    wide = at_least_float32(s)
    n2 = wide.square().sum(-1, keepdim=True)
    return (wide * (n2 / (1 + n2) * (n2 + _EPS).rsqrt())).to(s.dtype)


def squash_backward(s: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient of s, [..., d], from that of v: f g + 2 f' (s . g) s, with v = f(|s|^2) s."""
    n2 = s.square().sum(-1, keepdim=True)
    root = (n2 + _EPS).rsqrt()
    factor = n2 / (1 + n2) * root
    slope = root / (1 + n2).square() - 0.5 * factor * root.square()
    return factor * gradient + 2 * slope * (s * gradient).sum(-1, keepdim=True) * s


def at_least_float32(x: torch.Tensor) -> torch.Tensor:
    """x, widened to float32 if it is bfloat16 or float16."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
