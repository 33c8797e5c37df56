"""Between which bounds a formula lies on a box, closer than interval arithmetic alone: by cutting the box.

Interval arithmetic forgets that the terms of x^2 + y^2 - 2 x y cos(s - t) belong together and cannot exclude a negative
value. On small boxes it forgets less (the excess falls in proportion to their size), so boxes that may hold the least
or the greatest value are halved again and again. Every operation is rounded outwards: 4 units for functions, of which
numpy's are off by less than 1. Whatever is met that has no interval form here leaves the bounds infinite.
"""

from functools import lru_cache
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.cheap.compile.functions import FUNCTIONS, Function
from deeptheory.cheap.compile.graphs import Interval

if TYPE_CHECKING:
    import sympy

_BOXES = 6000  # looked at in one round
_ROUNDS = 24
_CLOSE = 1e-3  # of the range: how near the bounds come to values that are met
Pair = tuple[np.ndarray, np.ndarray]
_RISING = {"exp": np.exp, "tanh": np.tanh, "atan": np.arctan, "sinh": np.sinh}


@lru_cache(maxsize=256)
def span(expression: "sympy.Expr", names: tuple[str, ...], box: tuple[Interval, ...]) -> Interval:
    """Bounds of the expression's values; -inf, inf where it is not defined throughout."""
    used = [k for k, n in enumerate(names) if n in {str(s) for s in expression.free_symbols}]
    at = {names[k]: i for i, k in enumerate(used)}
    low, high = (np.array([[box[k][e] for k in used]]) for e in (0, 1))
    whole, settled = (high - low)[0], [np.inf, -np.inf]
    bounds = (-np.inf, np.inf)
    met = [np.inf, -np.inf]
    for _ in range(_ROUNDS):
        with np.errstate(all="ignore"):
            bottom, top = _values(expression, at, low, high)
            least, most = _values(expression, at, (low + high) / 2, (low + high) / 2)
        if any(np.isnan(v).any() for v in (bottom, top, least, most)):
            return -np.inf, np.inf
        met = [min(met[0], float(most.min())), max(met[1], float(least.max()))]
        bounds = min(settled[0], float(bottom.min())), max(settled[1], float(top.max()))
        slack = _CLOSE * (met[1] - met[0])
        wide = (bottom < met[0] - slack) | (top > met[1] + slack)
        if not wide.any() or 2 * wide.sum() > _BOXES:
            break
        settled = [bottom[~wide].min(initial=settled[0]), top[~wide].max(initial=settled[1])]
        low, high = _halved(low[wide], high[wide], whole)
    return float(bounds[0]), float(bounds[1])


def _halved(low: np.ndarray, high: np.ndarray, whole: np.ndarray) -> Pair:
    """Each box cut across its side that is longest for the whole box's."""
    sides = np.argmax((high - low) / np.where(whole > 0, whole, 1.0), axis=1)
    rows = np.arange(len(low))
    cut = (low[rows, sides] + high[rows, sides]) / 2
    below, above = high.copy(), low.copy()
    below[rows, sides] = cut
    above[rows, sides] = cut
    return np.concatenate([low, above]), np.concatenate([below, high])


def repeats(expression: "sympy.Expr") -> bool:
    """Whether a variable stands in it more than once: else interval arithmetic forgets nothing."""
    return any(expression.count(v) > 1 for v in expression.free_symbols)


def _values(e: Any, at: dict[str, int], low: np.ndarray, high: np.ndarray) -> Pair:
    """Interval of the values over each box; low, high: [boxes, variables]."""
    import sympy

    if not e.free_symbols:
        c = np.full(len(low), float(e))
        return _outwards(c, c, 1)
    if isinstance(e, sympy.Symbol):
        return low[:, at[str(e)]], high[:, at[str(e)]]
    parts = [_values(a, at, low, high) for a in e.args]
    if isinstance(e, sympy.Add):
        out = parts[0]
        for p in parts[1:]:
            out = _outwards(out[0] + p[0], out[1] + p[1], 1)
        return out
    if isinstance(e, sympy.Mul):
        out = parts[0]
        for p in parts[1:]:
            corners = [x * y for x in out for y in p]
            out = _outwards(np.minimum.reduce(corners), np.maximum.reduce(corners), 1)
        return out
    name = type(e).__name__
    if isinstance(e, sympy.Pow) and not e.exp.free_symbols:
        return _raised(*parts[0], e.exp)
    if name in _RISING:
        return _outwards(_RISING[name](parts[0][0]), _RISING[name](parts[0][1]), 4)
    if name == "log":
        below = parts[0][0] <= 0
        made = _outwards(np.log(parts[0][0]), np.log(parts[0][1]), 4)
        return np.where(below, -np.inf, made[0]), np.where(below, np.inf, made[1])
    if name in ("sin", "cos"):
        return _wave(*parts[0], pi / 2 if name == "sin" else 0.0)
    function = FUNCTIONS.get(name)
    if function is not None and len(parts) == 1 and len(low) <= 2000:
        ends = [_span_of(function, a, b) for a, b in zip(*parts[0])]
        return np.array([a for a, _ in ends]), np.array([b for _, b in ends])
    return np.full(len(low), -np.inf), np.full(len(low), np.inf)


def _span_of(function: Function, low: float, high: float) -> Interval:
    try:
        inside = function.size((low + high) / 2, (high - low) / 2, 0.0) < np.inf
        return function.values(float(low), float(high)) if inside else (-np.inf, np.inf)
    except (OverflowError, ValueError, ZeroDivisionError):
        return -np.inf, np.inf


def _raised(low: np.ndarray, high: np.ndarray, exponent: Any) -> Pair:
    p = float(exponent)
    if not exponent.is_Integer or p < 0:
        undefined = (low <= 0) & (high >= 0) if exponent.is_Integer else (low < 0) | ((low == 0) & (p < 0))
        ends = low**p, high**p
        made = _outwards(np.minimum(*ends), np.maximum(*ends), 4)
        return np.where(undefined, -np.inf, made[0]), np.where(undefined, np.inf, made[1])
    ends = low**p, high**p
    made = _outwards(np.minimum(*ends), np.maximum(*ends), 4)
    return (np.where((low <= 0) & (high >= 0) & (p % 2 == 0), 0.0, made[0]), made[1])


def _wave(low: np.ndarray, high: np.ndarray, top: float) -> Pair:
    """cos(x - top); what is near a turning point counts as meeting it."""
    ends = np.cos(low - top), np.cos(high - top)
    near = 1e-12 * (1 + np.maximum(abs(low), abs(high)))

    def meets(where: float) -> np.ndarray:
        return np.ceil((low - near - where) / (2 * pi)) <= np.floor((high + near - where) / (2 * pi))

    made = _outwards(np.minimum(*ends) - near, np.maximum(*ends) + near, 4)
    return np.where(meets(top + pi), -1.0, made[0]), np.where(meets(top), 1.0, made[1])


def _outwards(low: np.ndarray, high: np.ndarray, units: int) -> Pair:
    return low - (units * 2.0**-52) * abs(low) - 1e-300, high + (units * 2.0**-52) * abs(high) + 1e-300
