"""The functions that formulas may hold: values to any number of digits,
and bounds of their sizes and slopes in closed form.

An expansion needs a bound of |f| on an ellipse of the complex plane; the errors that reach it through its argument need
one of |f'| on the interval. Pitfall: the argument must stay where f is analytic: sqrt at 0 is refused, as is |x|.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    ceil,
    cos,
    cosh,
    erf,
    erfc,
    exp,
    expm1,
    hypot,
    inf,
    log,
    log1p,
    pi,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy

Span = tuple[float, float]


@dataclass(frozen=True)
class Function:
    """value(mp, z); size(mid, a, b): bound of |f| on the ellipse of half-axes a, b about mid, inf where not analytic;
    span(low, high): interval of its values; slope(low, high): bound of |f'| there; where: what its argument must be, in
    words; range: values that it never leaves; power: its exponent, where it is one."""

    value: Callable[[Any, Any], Any]
    size: Callable[[float, float, float], float]
    span: Callable[[float, float], Span]
    slope: Callable[[float, float], float]
    where: str = "any real number"
    range: Span = (-inf, inf)
    power: float | None = None

    def values(self, low: float, high: float) -> Span:
        """Its span, rounded outwards. -inf, inf: not defined throughout."""
        a, b = self.span(low, high)
        wide = 2.0**-50 * max(abs(a), abs(b)) if abs(a) < inf and abs(b) < inf else 0.0
        return max(a - wide, self.range[0]), min(b + wide, self.range[1]) if b < inf else b


def _rising(f: Callable[[float], float]):
    return lambda low, high: (f(low), f(high))


def _falling(f: Callable[[float], float]):
    return lambda low, high: (f(high), f(low))


def _wave(f: Callable[[float], float], top: float):
    """Values of a sine with a maximum at `top`, a minimum half a turn on."""

    def span(low: float, high: float) -> Span:
        if max(abs(low), abs(high)) > 1e7:  # turns are not told from each other safely
            return -1.0, 1.0

        def meets(at: float) -> bool:
            return ceil((low - at) / (2 * pi)) * 2 * pi + at <= high

        ends = f(low), f(high)
        return (-1.0 if meets(top + pi) else min(ends)), (1.0 if meets(top) else max(ends))

    return span


def _tan_furthest(low: float, high: float) -> float:
    k = round((low + high) / 2 / pi)
    return max(abs(low - k * pi), abs(high - k * pi))


def _tan_size(mid: float, a: float, b: float) -> float:
    furthest = _tan_furthest(mid - a, mid + a)
    return inf if furthest >= pi / 2 else max(1.0, 1 / cos(furthest))


def _tan_span(low: float, high: float) -> Span:
    return (tan(low), tan(high)) if _tan_furthest(low, high) < pi / 2 else (-inf, inf)


def _tan_slope(low: float, high: float) -> float:
    furthest = _tan_furthest(low, high)
    return inf if furthest >= pi / 2 else 1 / cos(furthest) ** 2


def _beyond(mid: float, a: float) -> float:
    """Distance of the ellipse from 0 along the axis: 0 where it reaches 0."""
    return max(abs(mid) - a, 0.0)


def _near(low: float, high: float) -> float:
    return 0.0 if low <= 0 <= high else min(abs(low), abs(high))


def _far(low: float, high: float) -> float:
    return max(abs(low), abs(high))


def _sech_size(mid: float, a: float, b: float) -> float:
    """|cosh(x + iy)|^2 = sinh(x)^2 + cos(y)^2."""
    return inf if b >= pi / 2 else 1 / sqrt(_sinh(_beyond(mid, a)) ** 2 + cos(b) ** 2)


def _sinh(x: float) -> float:
    return sinh(min(x, 300.0))


def _sech(x: float) -> float:
    return 1 / cosh(min(abs(x), 700.0)) if abs(x) < 700 else 0.0


_SINC_TURNS, _SINC_LEAST, _SINC_NEXT = 4.493409457909064, -0.21723362821122166, 0.12837455352589  # first turn, next top


def _sinc_span(low: float, high: float) -> Span:
    def sinc(x: float) -> float:
        return sin(x) / x if x else 1.0

    near, far = _near(low, high), _far(low, high)
    if far <= _SINC_TURNS:
        return sinc(far), sinc(near)
    return _SINC_LEAST, max(sinc(near), _SINC_NEXT) if near < _SINC_TURNS else _SINC_NEXT


def _log_size(m: float, a: float, b: float) -> float:
    return max(abs(log(m - a)), abs(log(m + a))) + pi / 2 if m > a else inf


def _atan_size(m: float, a: float, b: float) -> float:
    """atan z = int_0^z dt / (1 + t^2), Re(1 + t^2) >= 1 - b^2; to the right of 1 + b at most pi / 2 + 1."""
    if _beyond(m, a) > 1 + b:
        return pi / 2 + 1
    return hypot(abs(m) + a, b) / (1 - b) ** 2 if b < 1 else inf


def _atanh_size(m: float, a: float, b: float) -> float:
    """(log(1 + z) - log(1 - z)) / 2, both logarithms of numbers to the right of 0."""
    left = 1 - abs(m) - a
    return log((2 + b) / left) / 2 + pi / 2 if left > 0 else inf


def _asinh_size(m: float, a: float, b: float) -> float:
    return log1p(2 * hypot(abs(m) + a, b)) + pi / 2 if b < 1 or abs(m) > a else inf


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x)) if x > -700 else 0.0


def _logistic_slope(low: float, high: float) -> float:
    return 1 / (2 * cosh(min(_near(low, high), 600.0) / 2)) ** 2


def _logistic_size(m: float, a: float, b: float) -> float:
    """1 + exp(-z) is to the right of 1 for |Im z| <= pi / 2, and then not nearer to 0 than sin(Im z)."""
    return 1.0 if b <= pi / 2 else 1 / sin(b) if b < pi else inf


def _planck(x: float) -> float:
    """x / (exp(x) - 1)."""
    return 1.0 if x == 0 else 0.0 if x > 700 else x / expm1(x)


def _planck_size(m: float, a: float, b: float) -> float:
    """With sinh(x / 2) >= x / 2 and sin(y / 2) >= y / pi: pi / 2 exp(-x / 2) for x >= 0; P(z) = P(-z) - z."""
    if b >= pi:
        return inf
    left = m - a
    return pi / 2 * exp(-min(left, 1400.0) / 2) if left >= 0 else pi / 2 + hypot(max(-left, m + a), b)


def _twice(u: float) -> float:
    return 2 * u / (1 + u * u)


def _twice_span(p: float, q: float) -> Span:
    return (-1.0 if p <= -1 <= q else min(_twice(p), _twice(q))), (1.0 if p <= 1 <= q else max(_twice(p), _twice(q)))


def _twice_slope(p: float, q: float) -> float:
    """2 (1 - u^2) / (1 + u^2)^2, at most 2 at 0, and beyond 1 at most 1/4."""
    return 2 / (1 + _near(p, q) ** 2) ** 2


def _erf_size(m: float, a: float, b: float) -> float:
    return 1 + 2 / sqrt(pi) * b * exp(b * b)


def _erf_slope(low: float, high: float) -> float:
    return 2 / sqrt(pi) * exp(-(min(_near(low, high), 26.0) ** 2))


def _arc_slope(low: float, high: float) -> float:
    """Of asin, acos."""
    far = _far(low, high)
    return 1 / sqrt((1 - far) * (1 + far)) if far < 1 else inf


FUNCTIONS: dict[str, Function] = {
    "exp": Function(lambda mp, z: mp.exp(z), lambda m, a, b: exp(m + a), _rising(exp), lambda p, q: exp(q),
        range=(0, inf)),
    "log": Function(lambda mp, z: mp.log(z), _log_size, lambda p, q: (log(p), log(q)) if p > 0 else (-inf, inf),
        lambda p, q: 1 / p if p > 0 else inf, "above 0"),
    "sin": Function(lambda mp, z: mp.sin(z), lambda m, a, b: cosh(b), _wave(sin, pi / 2), lambda p, q: 1.0,
        range=(-1, 1)),
    "cos": Function(lambda mp, z: mp.cos(z), lambda m, a, b: cosh(b), _wave(cos, 0.0),
        lambda p, q: min(1.0, _far(p, q)), range=(-1, 1)),
    "tan": Function(lambda mp, z: mp.tan(z), _tan_size, _tan_span, _tan_slope, "between two poles of tan"),
    "sinh": Function(lambda mp, z: mp.sinh(z), lambda m, a, b: cosh(abs(m) + a), _rising(sinh),
        lambda p, q: cosh(_far(p, q))),
    "cosh": Function(lambda mp, z: mp.cosh(z), lambda m, a, b: cosh(abs(m) + a),
        lambda p, q: (cosh(_near(p, q)), cosh(_far(p, q))), lambda p, q: sinh(_far(p, q)), range=(1, inf)),
    "sech": Function(lambda mp, z: mp.sech(z), _sech_size, lambda p, q: (_sech(_far(p, q)), _sech(_near(p, q))),
        lambda p, q: 0.5, range=(0, 1)),
    "sinc": Function(lambda mp, z: mp.sinc(z), lambda m, a, b: cosh(b), _sinc_span, lambda p, q: 0.4363, range=(-1, 1)),
    "tanh": Function(lambda mp, z: mp.tanh(z), lambda m, a, b: max(1.0, tan(b)) if b < pi / 2 else inf, _rising(tanh),
        lambda p, q: _sech(_near(p, q)) ** 2, range=(-1, 1)),
    "atan": Function(lambda mp, z: mp.atan(z), _atan_size, _rising(atan), lambda p, q: 1 / (1 + _near(p, q) ** 2),
        range=(-1.5707963267948968, 1.5707963267948968)),
    "asin": Function(lambda mp, z: mp.asin(z), lambda m, a, b: pi / 2 + acosh(2) if abs(m) + a < 1 else inf,
        lambda p, q: (asin(max(p, -1.0)), asin(min(q, 1.0))), _arc_slope, "between -1 and 1, ends left out"),
    "acos": Function(lambda mp, z: mp.acos(z), lambda m, a, b: pi + acosh(2) if abs(m) + a < 1 else inf,
        lambda p, q: (acos(min(q, 1.0)), acos(max(p, -1.0))), _arc_slope, "between -1 and 1, ends left out"),
    "asinh": Function(lambda mp, z: mp.asinh(z), _asinh_size, _rising(asinh), lambda p, q: 1 / hypot(1, _near(p, q))),
    "acosh": Function(lambda mp, z: mp.acosh(z),
        lambda m, a, b: log(2 * hypot(m + a, b)) + pi / 2 if m - a > 1 else inf,
        lambda p, q: (acosh(p), acosh(q)) if p >= 1 else (-inf, inf),
        lambda p, q: 1 / sqrt((p - 1) * (p + 1)) if p > 1 else inf, "above 1", (0, inf)),
    "atanh": Function(lambda mp, z: mp.atanh(z), _atanh_size,
        lambda p, q: (atanh(p), atanh(q)) if _far(p, q) < 1 else (-inf, inf),
        lambda p, q: 1 / ((1 - _far(p, q)) * (1 + _far(p, q))) if _far(p, q) < 1 else inf,
        "between -1 and 1, ends left out"),
    "erf": Function(lambda mp, z: mp.erf(z), _erf_size, _rising(erf), _erf_slope, range=(-1, 1)),
    "erfc": Function(lambda mp, z: mp.erfc(z), lambda m, a, b: 1 + _erf_size(m, a, b), _falling(erfc), _erf_slope,
        range=(0, 2)),
    "logistic": Function(lambda mp, z: 1 / (1 + mp.exp(-z)), _logistic_size, _rising(_logistic), _logistic_slope,
        range=(0, 1)),
    "planck": Function(lambda mp, z: z / mp.expm1(z) if z else mp.mpf(1), _planck_size, _falling(_planck),
        lambda p, q: 1.0 if p < 0 else 0.5, range=(0, inf)),
}  # a new one: value, bound on an ellipse, span of values, bound of the slope, one line  # fmt: skip
TWICE = Function(
    lambda mp, z: 2 * z / (1 + z * z),
    lambda m, a, b: 2 * hypot(abs(m) + a, b) / (1 - b) ** 2 if b < 1 else inf,
    _twice_span,
    _twice_slope,
    range=(-1, 1),
)  # tanh(2 x) of tanh(x)


@lru_cache(maxsize=256)
def power(p: float) -> Function:
    """z^p for a p that is not an integer above 0: for z above 0, or away from 0 where p is whole."""
    whole = p == int(p)

    def size(mid: float, a: float, b: float) -> float:
        near, far = _beyond(mid, a), hypot(abs(mid) + a, b)
        if near == 0 or (mid < 0 and not whole):
            return inf
        return max(near**p, far**p)

    def span(low: float, high: float) -> Span:
        if low <= 0 <= high or (low < 0 and not whole):
            return -inf, inf
        ends = low**p, high**p
        return min(ends), max(ends)

    def slope(low: float, high: float) -> float:
        near = _near(low, high)
        return abs(p) * max(near ** (p - 1), _far(low, high) ** (p - 1)) if near > 0 else inf

    def value(mp: Any, z: Any) -> Any:
        return z ** (int(p) if whole else mp.mpf(p))

    return Function(value, size, span, slope, "away from 0" if whole else "above 0", power=p)


def _ramp(off: float, slope: float) -> tuple[Function, float]:
    """max(x, 0), but for that much."""
    return Function(
        lambda mp, z: z, lambda m, a, b: inf, lambda p, q: (-off, max(q, 0.0) + off), lambda p, q: slope
    ), off


_CORNERED = {
    "Abs": "|x|", "sign": "sign", "Heaviside": "Heaviside", "Max": "Max", "Min": "Min", "Piecewise": "Piecewise",
    "floor": "floor", "ceiling": "ceiling",
}  # fmt: skip
RAMPS = {
    "relu": _ramp(0.0, 1.0),
    "silu": _ramp(0.2785, 1.1),
    "gelu": _ramp(0.1701, 1.13),
    "softplus": _ramp(0.6932, 1.0),
}


def argument_of(e: "sympy.Expr") -> tuple[str, Function, "sympy.Expr"]:
    """Name, function and argument of an applied function. InputError: one that is not known, or not smooth."""
    name = type(e).__name__
    if name in FUNCTIONS and len(e.args) == 1:
        return name, FUNCTIONS[name], e.args[0]  # type: ignore[return-value]  # sympy calls it Basic
    if name in _CORNERED:
        raise InputError(
            f"{_CORNERED[name]} is not smooth, so no polynomial comes close to it at its corners; "
            "write the formula without it"
        )
    raise InputError(f"{name} is no function that is expanded; known: {', '.join(FUNCTIONS)}, 1/x, sqrt and powers")
