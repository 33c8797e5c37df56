"""Certified Chebyshev expansions: exp, log, sin, 1/x and their like as polynomials, with a bound of what is left out.

Source: Trefethen, Approximation Theory and Approximation Practice, theorem 8.2: with |f| <= M on the Bernstein ellipse
of parameter rho around the interval, interpolation in n + 1 Chebyshev points is off by at most 4 M rho^-n / (rho - 1).
M is in closed form for every function here; the best rho is searched. Trailing coefficients are then dropped as far as
their sum allows. Trap: the function must be analytic on the closed interval: sqrt at 0 is refused, as is |x|.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import acosh, atan, ceil, cos, cosh, erf, exp, inf, log, pi, sin, sinh, sqrt, tan, tanh
from typing import Any

from deeptheory.errors import InputError

MOST = 200  # largest degree tried
FINEST = 1e-12  # a tolerance below this asks for no finer expansions: their coefficients are floats
_RHOS = tuple(1 + 10 ** (k / 8) for k in range(-24, 33))


@dataclass(frozen=True)
class Function:
    """value(mp, z); size(mid, a, b): bound of |f| on the ellipse of half-axes a, b about mid, inf where not analytic;
    span(low, high): interval of its values; where: what its argument must be, in words."""

    value: Callable[[Any, Any], Any]
    size: Callable[[float, float, float], float]
    span: Callable[[float, float], tuple[float, float]]
    where: str = "any real number"


def _rising(f: Callable[[float], float]):
    return lambda low, high: (f(low), f(high))


def _wave(f: Callable[[float], float], top: float):
    """Values of a sine with a maximum at `top`, a minimum half a turn on."""

    def span(low: float, high: float) -> tuple[float, float]:
        def meets(at: float) -> bool:
            return ceil((low - at) / (2 * pi)) * 2 * pi + at <= high

        ends = f(low), f(high)
        return (-1.0 if meets(top + pi) else min(ends)), (1.0 if meets(top) else max(ends))

    return span


def _tan_size(mid: float, a: float, b: float) -> float:
    k = round(mid / pi)
    furthest = max(abs(mid - a - k * pi), abs(mid + a - k * pi))
    return inf if furthest >= pi / 2 else max(1.0, 1 / cos(furthest))


def _tan_span(low: float, high: float) -> tuple[float, float]:
    return (tan(low), tan(high)) if ceil((low - pi / 2) / pi) * pi + pi / 2 > high else (-inf, inf)


def _cosh_span(low: float, high: float) -> tuple[float, float]:
    most = cosh(max(abs(low), abs(high)))
    return (1.0 if low <= 0 <= high else cosh(min(abs(low), abs(high)))), most


def _sech_size(mid: float, a: float, b: float) -> float:
    """|cosh(x + iy)|^2 = sinh(x)^2 + cos(y)^2."""
    return inf if b >= pi / 2 else 1 / sqrt(sinh(_beyond(mid, a)) ** 2 + cos(b) ** 2)


def _sech_span(low: float, high: float) -> tuple[float, float]:
    near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
    return 1 / cosh(max(abs(low), abs(high))), 1 / cosh(near)


_SINC_TURNS, _SINC_LEAST, _SINC_NEXT = 4.493409457909064, -0.21723362821122166, 0.12837455352589  # first turn, next top


def _sinc_span(low: float, high: float) -> tuple[float, float]:
    def sinc(x: float) -> float:
        return sin(x) / x if x else 1.0

    near, far = (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
    if far <= _SINC_TURNS:
        return sinc(far), sinc(near)
    return _SINC_LEAST, max(sinc(near), _SINC_NEXT) if near < _SINC_TURNS else _SINC_NEXT


def _beyond(mid: float, a: float) -> float:
    """Distance of the ellipse from 0 along the axis, inf-safe: 0 where it reaches 0."""
    return max(abs(mid) - a, 0.0)


FUNCTIONS: dict[str, Function] = {
    "exp": Function(lambda mp, z: mp.exp(z), lambda m, a, b: exp(m + a), _rising(exp)),
    "log": Function(lambda mp, z: mp.log(z), lambda m, a, b: max(abs(log(m - a)), abs(log(m + a))) + pi / 2 if m > a else inf, _rising(log), "above 0"),
    "sin": Function(lambda mp, z: mp.sin(z), lambda m, a, b: cosh(b), _wave(sin, pi / 2)),
    "cos": Function(lambda mp, z: mp.cos(z), lambda m, a, b: cosh(b), _wave(cos, 0.0)),
    "tan": Function(lambda mp, z: mp.tan(z), _tan_size, _tan_span, "between two poles of tan"),
    "sinh": Function(lambda mp, z: mp.sinh(z), lambda m, a, b: cosh(abs(m) + a), _rising(sinh)),
    "cosh": Function(lambda mp, z: mp.cosh(z), lambda m, a, b: cosh(abs(m) + a), _cosh_span),
    "sech": Function(lambda mp, z: mp.sech(z), _sech_size, _sech_span),
    "sinc": Function(lambda mp, z: mp.sinc(z), lambda m, a, b: cosh(b), _sinc_span),
    "tanh": Function(lambda mp, z: mp.tanh(z), lambda m, a, b: max(1.0, tan(b)) if b < pi / 2 else inf, _rising(tanh)),
    "atan": Function(lambda mp, z: mp.atan(z), lambda m, a, b: (abs(m) + a) / (1 - b) ** 2 if b < 1 else inf, _rising(atan)),
    "asin": Function(lambda mp, z: mp.asin(z), lambda m, a, b: pi / 2 + acosh(2) if abs(m) + a < 1 else inf, lambda p, q: (-pi / 2, pi / 2), "between -1 and 1, ends left out"),
    "acos": Function(lambda mp, z: mp.acos(z), lambda m, a, b: pi + acosh(2) if abs(m) + a < 1 else inf, lambda p, q: (0.0, pi), "between -1 and 1, ends left out"),
    "erf": Function(lambda mp, z: mp.erf(z), lambda m, a, b: 1 + 2 / sqrt(pi) * b * exp(b * b), _rising(erf)),
}  # a new one: value, bound on an ellipse, span of values, one line  # fmt: skip


@lru_cache(maxsize=256)
def power(p: float) -> Function:
    """z^p for a p that is no whole number above 0: for z above 0, or away from 0 where p is whole."""
    whole = p == int(p)

    def size(mid: float, a: float, b: float) -> float:
        near, far = _beyond(mid, a), abs(mid) + a
        if near == 0 or (mid < 0 and not whole):
            return inf
        return max(near**p, far**p)

    def span(low: float, high: float) -> tuple[float, float]:
        if low <= 0 <= high or (low < 0 and not whole):
            return -inf, inf
        ends = low**p, high**p
        return min(ends), max(ends)

    def value(mp: Any, z: Any) -> Any:
        return z ** (int(p) if whole else mp.mpf(p))

    return Function(value, size, span, "away from 0" if whole else "above 0")


@dataclass(frozen=True)
class Expansion:
    """f(mid + radius t) = sum_k coefficients[k] T_k(t) within error, for |t| <= 1. span: of f."""

    coefficients: tuple[float, ...]
    error: float
    span: tuple[float, float]


def expand(name: str, function: Function, low: float, high: float, error: float) -> Expansion:
    """The expansion of lowest degree found with that error. InputError: not analytic there, or degree above 200."""
    low, high = float(low), float(high)
    try:
        span = function.span(low, high) if function.size((low + high) / 2, (high - low) / 2, 0.0) < inf else (-inf, inf)
    except OverflowError as overflow:
        raise InputError(f"{name} over [{low:.6g}, {high:.6g}] overflows; narrow the domain") from overflow
    if not (abs(span[0]) < inf and abs(span[1]) < inf):
        raise InputError(f"{name} is expanded over [{low:.6g}, {high:.6g}]; its argument must stay {function.where}: change the domain")  # fmt: skip
    if low == high:
        return Expansion(_interpolate(function, low, high, 0), 2.0**-50 * max(map(abs, span)), span)
    degree = _degree(function, (low + high) / 2, (high - low) / 2, error / 2)
    if degree is None:
        raise InputError(f"{name} over [{low:.6g}, {high:.6g}] to {error:.3g} takes a polynomial of degree above {MOST}; narrow the domain or raise the tolerance")  # fmt: skip
    coefficients, spent = list(_interpolate(function, low, high, degree)), error / 2
    kept = error / 4
    while len(coefficients) > 1 and kept - abs(coefficients[-1]) > 0:
        kept -= abs(coefficients.pop())
    for k, c in enumerate(coefficients):
        if c and kept - abs(c) > 0 and abs(c) < error * 1e-3:
            kept -= abs(c)
            coefficients[k] = 0.0
    spent += error / 4 - kept + 2.0**-50 * sum(map(abs, coefficients))
    return Expansion(tuple(coefficients), spent, span)


def _degree(function: Function, mid: float, radius: float, error: float) -> int | None:
    best = None
    for rho in _RHOS:
        try:
            m = function.size(mid, radius * (rho + 1 / rho) / 2, radius * (rho - 1 / rho) / 2)
        except OverflowError:
            continue
        if 0 < m < 1e300 and 4 * m / (rho - 1) < 1e300:
            n = max(0, ceil(log(4 * m / (rho - 1) / error) / log(rho)))
            best = n if best is None else min(best, n)
        elif m == 0:
            return 0
    return None if best is None or best > MOST else best


def _interpolate(function: Function, low: float, high: float, degree: int) -> tuple[float, ...]:
    """Chebyshev coefficients of the interpolant in degree + 1 points, computed with 40 digits, rounded once."""
    return _kept(function, low, high, degree)


@lru_cache(maxsize=512)
def _kept(function: Function, low: float, high: float, degree: int) -> tuple[float, ...]:
    import mpmath

    mp = mpmath.mp.clone()
    mp.dps = 40
    n = degree + 1
    mid, radius = (mp.mpf(low) + mp.mpf(high)) / 2, (mp.mpf(high) - mp.mpf(low)) / 2
    wave = [
        mp.cos(mp.pi * k / (2 * n)) for k in range(4 * n)
    ]  # cos is looked up: its arguments are multiples of pi / 2n
    values = [function.value(mp, mid + radius * wave[2 * j + 1]) for j in range(n)]
    out = []
    for k in range(n):
        c = mp.fsum(v * wave[k * (2 * j + 1) % (4 * n)] for j, v in enumerate(values)) * (2 if k else 1) / n
        out.append(0.0 if abs(c) < mp.mpf(10) ** -30 else float(c))
    return tuple(out)
