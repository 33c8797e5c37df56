"""Certified Chebyshev expansions: exp, log, sin, 1/x and their like as polynomials, with a bound of what is left out.

Source: Trefethen, Approximation Theory and Approximation Practice, theorem 8.2: with |f| <= M on the Bernstein ellipse
of parameter rho around the interval, interpolation in n + 1 Chebyshev points is off by at most 4 M rho^-n / (rho - 1).
M is in closed form for every function (functions.py); the best rho is searched. Coefficients are then dropped as far as
their sum allows. Where the values move by no more than the error, their middle is enough. Pitfall: an argument that was
compiled itself is off by some e; f is expanded over the interval widened by e, and what e does to f is |f'| e, apart.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil, inf, log, nextafter
from typing import Any

from deeptheory.cheap.compile.functions import FUNCTIONS, Function, power
from deeptheory.core.errors import InputError

__all__ = ["FINEST", "FUNCTIONS", "MOST", "Expansion", "Function", "expand", "power", "value_at"]

MOST = 200  # largest degree tried
FINEST = (
    1e-13  # of the outputs' size: a tolerance below this asks for no finer expansions, whose coefficients are floats
)
_RHOS = tuple(1 + 10 ** (k / 8) for k in range(-24, 97))
_TINY = 2.0**-1060  # what a float below the normal ones may lose


class TooWide(InputError):
    """Over so wide an interval the polynomial would be of a degree above MOST."""


@dataclass(frozen=True)
class Expansion:
    """f(mid + radius t) = sum_k coefficients[k] T_k(t) within error, for |t| <= 1, over [low, high]. span: of f over
    the interval that was asked; slope: bound of |f'| over [low, high]."""

    coefficients: tuple[float, ...]
    error: float
    span: tuple[float, float]
    low: float
    high: float
    slope: float


def expand(name: str, function: Function, low: float, high: float, error: float, off: float = 0.0) -> Expansion:
    """The expansion of lowest degree found with that error, for an argument in [low, high] that is compiled to within
    off.

    InputError: not analytic there, or degree above 200.
    """
    a, b = (nextafter(low - off, -inf), nextafter(high + off, inf)) if off else (low, high)
    mid, radius = (a + b) / 2, (b - a) / 2
    try:
        fine = function.size(mid, radius, 0.0) < inf
        span, wide = (function.values(low, high), function.values(a, b)) if fine else ((-inf, inf),) * 2
        slope = function.slope(a, b) if fine else inf
    except (OverflowError, ZeroDivisionError, ValueError) as overflow:
        raise InputError(f"{name} over [{a:.6g}, {b:.6g}] overflows; narrow the domain") from overflow
    if not (all(abs(v) < inf for v in (*span, *wide)) and slope < inf):
        raise InputError(
            f"{name} is expanded over [{a:.6g}, {b:.6g}]; its argument must stay {function.where}: change the domain"
        )
    slope *= 1 + 1e-12
    middle = (wide[0] + wide[1]) / 2
    reach = max(wide[1] - middle, middle - wide[0]) + abs(middle) * 2.0**-52
    if reach <= error or a == b:
        return Expansion((middle,), reach, span, a, b, slope)
    found = _degree(function, mid, radius, error / 2)
    if found is None:
        raise TooWide(
            f"{name} over [{a:.6g}, {b:.6g}] to {error:.3g} takes a polynomial of degree above {MOST}; narrow the "
            "domain or raise the tolerance"
        )
    degree, spent = found
    coefficients = list(_interpolate(function, a, b, degree))
    kept = error / 4
    while len(coefficients) > 1 and kept - abs(coefficients[-1]) > 0:
        kept -= abs(coefficients.pop())
    for k, c in enumerate(coefficients):
        if c and kept - abs(c) > 0 and abs(c) < error * 1e-3:
            kept -= abs(c)
            coefficients[k] = 0.0
    spent += error / 4 - kept + 2.0**-50 * sum(map(abs, coefficients)) + len(coefficients) * _TINY
    return Expansion(tuple(coefficients), spent * (1 + 1e-12), span, a, b, slope)


def _degree(function: Function, mid: float, radius: float, error: float) -> tuple[int, float] | None:
    """The least degree found, and its bound."""
    best = None
    for rho in _RHOS:
        try:
            m = function.size(mid, radius * (rho + 1 / rho) / 2, radius * (rho - 1 / rho) / 2)
        except (OverflowError, ZeroDivisionError, ValueError):
            continue
        if not m < 1e300 or not 4 * m / (rho - 1) < 1e300:
            continue
        m = max(m, 1e-300)
        n = max(0, ceil(log(4 * m / (rho - 1) / error) / log(rho)))
        if best is None or n < best[0]:
            best = n, 4 * m / (rho - 1) * rho**-n
    return None if best is None or best[0] > MOST else best


def value_at(name: str, function: Function, at: Fraction) -> Fraction:
    """f of an exact number, to 40 digits. InputError: not defined there."""
    mp = _digits()
    try:
        made: Any = function.value(mp, mp.mpf(at.numerator) / at.denominator)
        if not mp.isfinite(made) or mp.im(made) != 0:
            raise ValueError
        made = mp.re(made)
    except (ValueError, ZeroDivisionError, OverflowError) as error:
        raise InputError(
            f"{name} of {float(at):.6g} is no finite real number; its argument must stay {function.where}: "
            "change the domain"
        ) from error
    return exactly(made)


def exactly(made: Any) -> Fraction:
    """An mpmath number as the fraction that it is."""
    sign, mantissa, exponent, _ = made._mpf_
    whole = Fraction(-int(mantissa) if sign else int(mantissa))
    if abs(exponent) > 10_000:
        raise InputError("a number on the way is beyond what floats hold; scale the formula")
    return whole * Fraction(2) ** int(exponent)


def _digits() -> Any:
    import mpmath

    mp = mpmath.mp.clone()
    mp.dps = 40
    return mp


@lru_cache(maxsize=512)
def _interpolate(function: Function, low: float, high: float, degree: int) -> tuple[float, ...]:
    """Chebyshev coefficients of the interpolant in degree + 1 points, computed with 40 digits, rounded once; what is
    below 1e-30 of the largest is within the rounding of that one."""
    mp = _digits()
    n = degree + 1
    mid, radius = (mp.mpf(low) + mp.mpf(high)) / 2, (mp.mpf(high) - mp.mpf(low)) / 2
    wave = [
        mp.cos(mp.pi * k / (2 * n)) for k in range(4 * n)
    ]  # cos is looked up: its arguments are multiples of pi / 2n
    values = [function.value(mp, mid + radius * wave[2 * j + 1]) for j in range(n)]
    out = []
    for k in range(n):
        out.append(mp.fsum(v * wave[k * (2 * j + 1) % (4 * n)] for j, v in enumerate(values)) * (2 if k else 1) / n)
    least = max(map(abs, out)) * mp.mpf(10) ** -30
    return tuple(0.0 if abs(c) < least else float(c) for c in out)
