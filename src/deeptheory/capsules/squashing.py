"""Squash: a capsule's length becomes the probability that its entity is present; its direction stays.

Source: Sabour, Frosst & Hinton 2017, eq. 1; v = |s|^2 / (1 + |s|^2) * s / |s|.
Pitfalls: s / |s| at s = 0 is NaN, in value or in gradient, in several public versions. Here 1/|s| is 1/sqrt(|s|^2 +
1e-12): value and gradient at 0 are 0, and no component differs from eq. 1 by more than 5e-13. |s|^2 overflows float32
at |s| = 1.8e19: a vector with a number above 1 is divided by its largest number first, t = m s with m <= 1, and |s|^2 =
|t|^2 / m^2.
"""

import torch

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError

_EPS = 1e-12  # its power -3/2, which the gradient meets, is 1e18: finite in float32


def squash(s: torch.Tensor) -> torch.Tensor:
    """s: [..., d] -> v = |s|^2 / (1 + |s|^2) s / |s|: [..., d], of the direction of s and a length in [0, 1).

    Source: Sabour et al. 2017, eq. 1. v and its gradient are 0 at s = 0, and no size of s overflows; rounding
    makes lengths of large s 1. bfloat16 and float16 are squashed in float32 and given back in their own type; integers
    are read as float32. NaN and infinity give NaN. InputError: complex numbers, no axis, d = 0.
    """
    s = as_tensor(s)
    if not s.ndim or not s.shape[-1]:
        raise InputError(f"s has shape {list(s.shape)}; squash needs capsules of at least one number, [..., d]")
    wide = at_least_float32(s)
    m = _shrinking(wide)
    t, m2 = wide * m, m * m
    n2 = t.square().sum(-1, keepdim=True)
    return (t * (n2 / (n2 + m2) * (n2 + _EPS * m2).rsqrt())).to(s.dtype if s.is_floating_point() else wide.dtype)


def squash_backward(s: torch.Tensor, gradient: torch.Tensor) -> torch.Tensor:
    """The gradient of s, [..., d], from that of v: m (f g + 2 f' (t . g) t), with v = f(|t|^2) t and t = m s."""
    m = _shrinking(s)
    t, m2 = s * m, m * m
    n2 = t.square().sum(-1, keepdim=True)
    root = (n2 + _EPS * m2).rsqrt()
    share = n2 / (n2 + m2)
    slope = root * (m2 / (n2 + m2).square() - 0.5 * share * root.square())
    return m * (share * root * gradient + 2 * slope * (t * gradient).sum(-1, keepdim=True) * t)


def at_least_float32(x: torch.Tensor) -> torch.Tensor:
    """x, widened to float32 unless it is float32 or float64. InputError: complex numbers."""
    if x.dtype in (torch.float32, torch.float64):
        return x
    if x.is_complex():
        raise InputError(
            f"capsules are real numbers; these are {x.dtype}: pass real and imaginary parts as two numbers of a pose"
        )
    return x.float()


def _shrinking(s: torch.Tensor) -> torch.Tensor:
    """1 over the largest number of each vector where that is above 1; no gradient flows through it, for v does not
    depend on it.
    """
    return torch.linalg.vector_norm(s.detach(), torch.inf, -1, keepdim=True).clamp(min=1).reciprocal()
