"""sqrt at 0 and asin at +-1, where they have no slope: polynomials of high degree, and what they miss.

With x = cos(theta) both are known series, sqrt((1 + x) / 2) = |cos(theta / 2)| and asin(x) = pi / 2 - theta, smooth in theta.
So the error is found on a grid of theta, and between its points bounded by the slopes of both sides. It falls as 1 / degree
only, and most of it has one sign at the corner, so that half is saved by a shift.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

DEGREES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 400)
_GRID = 1 << 16


@dataclass(frozen=True)
class Corner:
    """Chebyshev coefficients, and the largest error on [-1, 1]."""

    coefficients: tuple[float, ...]
    error: float


def corner(name: str, error: float) -> Corner | None:
    """The least degree with that error; None: above 400."""
    return next((c for c in (_of_degree(name, n) for n in DEGREES) if c.error <= error), None)


def finest(name: str) -> float:
    """The least error."""
    return _of_degree(name, DEGREES[-1]).error


@lru_cache(maxsize=64)
def _of_degree(name: str, n: int) -> Corner:
    """sqrt: of (1 + t) / 2. asin: of t."""
    k = np.arange(1, n + 1)
    if name == "sqrt":
        c = np.concatenate([[2 / np.pi], 4 / np.pi * (-1.0) ** (k + 1) / (4.0 * k**2 - 1)])
    else:
        c = np.concatenate([[0.0], np.where(k % 2 == 1, 4 / np.pi / k.astype(float) ** 2, 0.0)])
    theta = np.pi * np.arange(_GRID + 1) / _GRID
    exact = np.cos(theta / 2) if name == "sqrt" else np.pi / 2 - theta
    waves = np.zeros(2 * _GRID)
    waves[: n + 1] = c
    made = np.fft.rfft(waves).real  # sum_k c_k cos(k pi j / grid)
    off = exact - made
    if name == "sqrt":
        c[0] += (off.max() + off.min()) / 2
        off = off - (off.max() + off.min()) / 2
    else:
        x = np.cos(theta)
        shifts = np.linspace(0, 1, 41) * off.max()
        best = min(shifts, key=lambda s: np.abs(off - s * x).max())
        c[1] += best
        off = off - best * x
    slope = (0.5 if name == "sqrt" else 1.0) + float((np.arange(n + 1) * np.abs(c)).sum())
    return Corner(tuple(float(v) for v in c), float(np.abs(off).max() + slope * np.pi / _GRID / 2 + 1e-13))
