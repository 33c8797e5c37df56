"""What floating point loses, bounded: unit roundoffs, gamma_n, and numbers with few bits.

Source: Higham, Accuracy and Stability of Numerical Algorithms, chapter 3: a sum of products in any order, with or
without fused multiply-adds, is off by at most gamma_n sum |w||x|, gamma_n = n u / (1 - n u), n the roundings that a
term can meet. Adding an exact zero rounds nothing, so a zero weight counts for nothing.
The scale at which a gate's truncation and rounding balance, and how rounding grows with a gate's degree, are in
designs.py.
"""

import math
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError

_DTYPES = {"float64": (53, 1.7e308), "float32": (24, 3.4e38)}
TINY = {53: 2.0**-1022, 24: 2.0**-126}  # by bits: what is smaller may become 0


def precision(dtype: Any) -> tuple[str, int, float]:
    """Name, bits of the significand, largest number. InputError: neither float32 nor float64."""
    name = str(dtype).removeprefix("torch.")
    if name not in _DTYPES:
        raise InputError(f"dtype is {dtype}; certificates are given for torch.float64 and torch.float32")
    return (name, *_DTYPES[name])


def gamma(roundings, bits: int):
    """n u / (1 - n u) with u = 2^-bits."""
    n = np.asarray(roundings, dtype=np.float64) * 2.0**-bits
    return n / (1 - n)


def short(x: float, bits: int) -> float:
    """The number of that many significant bits nearest to x."""
    if x == 0 or not math.isfinite(x):
        return x
    m, e = math.frexp(x)
    return math.ldexp(round(math.ldexp(m, bits)), e - bits)


def representable(low: float, high: float, bits: int) -> tuple[float, float]:
    """The interval, and the numbers of the dtype nearest to its ends."""
    return min(low, short(low, bits)), max(high, short(high, bits))


def is_power_of_two(x) -> np.ndarray:
    """Where multiplying by x rounds nothing."""
    return np.abs(np.frexp(np.asarray(x, dtype=np.float64))[0]) == 0.5
