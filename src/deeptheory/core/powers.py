"""Powers of two bring values of any unit to the order of 1 and round nothing: squares of 1e-200 are 0, of 1e200
infinite, and sums of 1e308 too."""

from typing import Any, TypeVar

import numpy as np
import torch

Array = TypeVar("Array", np.ndarray, torch.Tensor)


def power_of(x: np.ndarray | torch.Tensor, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> Any:
    """The exponent of the largest |x| along the axis, an array or tensor of int32; of all x an int.

    That value over 2^exponent lies in [.5, 1). 0 of zeros, of nothing, and of values that are not finite.
    """
    if isinstance(x, torch.Tensor):
        axes = tuple(range(x.ndim)) if axis is None else axis
        largest = x.detach().abs().amax(axes, keepdim=keepdims) if x.numel() else x.detach().new_zeros(())
        exponent = torch.frexp(largest)[1]
        exponent = torch.where(torch.isfinite(largest), exponent, torch.zeros_like(exponent))
    else:
        largest = np.abs(x).max(axis, initial=0.0, keepdims=keepdims)
        exponent = np.where(np.isfinite(largest), np.frexp(largest)[1], 0)
    return int(exponent) if axis is None and not keepdims else exponent


def times_power(x: Array, power: Any) -> Array:
    """x 2^power, the power integers that broadcast against x; the dtype of x."""
    if not isinstance(x, torch.Tensor):
        return np.ldexp(x, power)
    # torch.ldexp(x, power) multiplies by the number 2^power, infinite where the product need not be, and its gradient
    # is 0 for powers below 0 (torch 2.13)
    power = torch.as_tensor(power, device=x.device)
    half = torch.div(power, 2, rounding_mode="floor")
    one = torch.ones_like(power, dtype=x.dtype)
    return x * torch.ldexp(one, half) * torch.ldexp(one, power - half)


def near_one(x: Array, axis: int | tuple[int, ...] | None = None) -> Array:
    """x over a power of two, so that the largest |x| along the axis lies in [.5, 1); zeros as they are."""
    return times_power(x, -power_of(x, axis, keepdims=axis is not None))
