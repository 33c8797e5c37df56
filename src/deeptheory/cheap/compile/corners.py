"""sqrt at 0 and asin at +-1, where they have no slope, and erf as a function of tanh: polynomials, and what they miss.

With x = cos(theta) both are known series, sqrt((1 + x) / 2) = |cos(theta / 2)| and asin(x) = pi / 2 - theta,
smooth in theta. So the error is found on a grid of theta, and between its points bounded by the slopes of both sides.
It falls as 1 / degree only, and most of it has one sign at the corner, so that half is saved by a shift.

erf(atanh(t) / .8) has every derivative on [-1, 1] but is not analytic at its ends. In theta its second derivative is at
most 8.4: with x = atanh(t) / .8, q = exp(-x^2) cosh(.8 x)^2 <= 1 falls in |x|, and 2 |x| q <= 3.9.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

DEGREES = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 400)
_GRID = 1 << 16
BETA = 0.8  # erf(x) is expanded in tanh(BETA x)
_BENT = 8.4  # bound of the second derivative in theta of erf(atanh(cos theta) / BETA)


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
def erf_of_tanh(n: int) -> Corner:
    """erf(atanh(t) / BETA), of odd degree n at most 200."""
    from scipy.special import erf

    theta = np.pi * np.arange(_GRID + 1) / _GRID
    with np.errstate(divide="ignore"):
        exact = erf(np.arctanh(np.cos(theta)) / BETA)
    exact[0], exact[-1] = 1.0, -1.0
    c = np.fft.irfft(exact)[: n + 1] * 2
    c[::2] = 0.0
    waves = np.zeros(2 * _GRID)
    waves[: n + 1] = c
    off = np.abs(exact - np.fft.rfft(waves).real).max()
    bent = _BENT + float((np.arange(n + 1) ** 2 * np.abs(c)).sum())
    return Corner(tuple(float(v) for v in c), float(off + bent * (np.pi / _GRID) ** 2 / 8 + 1e-13))


@lru_cache(maxsize=256)
def power_at_zero(p: float, n: int) -> Corner:
    """((1 + t) / 2)^p = |cos(theta / 2)|^(2 p), p at least 1/2, of degree n.

    In theta its slope is at most p, and from p = 1 on its second derivative at most p^2.
    """
    theta = np.pi * np.arange(_GRID + 1) / _GRID
    exact = np.abs(np.cos(theta / 2)) ** (2 * p)
    exact[-1] = 0.0
    c = np.fft.irfft(exact)[: n + 1] * 2
    c[0] /= 2
    waves = np.zeros(2 * _GRID)
    waves[: n + 1] = c
    off = exact - np.fft.rfft(waves).real
    c[0] += (off.max() + off.min()) / 2
    worst, k, step = float(off.max() - off.min()) / 2, np.arange(n + 1), np.pi / _GRID
    between = (p + float((k * np.abs(c)).sum())) * step / 2
    if p >= 1:
        between = min(between, (p * p + float((k * k * np.abs(c)).sum())) * step**2 / 8)
    return Corner(tuple(float(v) for v in c), worst + between + 1e-13)


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
