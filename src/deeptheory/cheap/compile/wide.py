"""Functions over intervals that one expansion would need hundreds of terms for: by squaring, doubling, and products.

exp(x) = exp(x / 2^k)^(2^k), two neurons a squaring. cos(2 x) = 2 cos(x)^2 - 1, and sin(x) = cos(x - pi / 2). 1 / x = (1 / b) /
(1 - r) with r = 1 - x / b, and 1 / (1 - r) = (1 + r)(1 + r^2)(1 + r^4) ... Each step doubles (the cosine's: makes four times)
the error that it is given, which the slack of its nodes adds up.
"""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, exp, inf, log, log1p, log2

from deeptheory.cheap.compile.expansions import Expansion, exactly, expand
from deeptheory.cheap.compile.functions import FUNCTIONS
from deeptheory.cheap.compile.graphs import Graph, Value, above, below, total

_MOST_STEPS = 40
Expanded = Callable[[Value, Expansion], Value]  # the polynomial of an argument


def reduced(graph: Graph, name: str, x: Value, low: float, high: float, error: float, expanded: Expanded) -> tuple[Value, float] | None:  # fmt: skip
    """The function of what is compiled for x, in [low, high], and its error; None where there is no such way."""
    if name == "exp":
        return _by_squares(graph, x, low, high, error, expanded)
    if name in ("sin", "cos"):
        return _by_doubling(graph, name, x, low, high, error, expanded)
    if name == "1/x":
        return _by_products(graph, x, low, high, error)
    return None


def _moved(
    graph: Graph, x: Value, shift: Fraction, scale: Fraction, low: float, high: float
) -> tuple[Value, float, float]:
    """(x - shift) scale, of compiled values, with its interval."""
    a, b = below((Fraction(low) - shift) * scale), above((Fraction(high) - shift) * scale)
    moved = total([(scale, x), (Fraction(1), Value(-shift * scale))])
    return graph.named(moved, a, b, 0.0), a, b


def _by_squares(graph: Graph, x: Value, low: float, high: float, error: float, expanded: Expanded):
    steps = max(1, ceil(log2((high - low) / 4)))
    top = exp(high)
    if steps > _MOST_STEPS or not 0 < top < 1e300:
        return None
    u, a, b = _moved(graph, x, Fraction(high), Fraction(1, 2**steps), low, high)
    first = expand("exp", FUNCTIONS["exp"], a, b, max(error / top / 2.0 ** (steps + 1), 1e-15))
    v = graph.named(expanded(u, first), *first.span, first.error, ())
    for k in range(steps):
        v = graph.products([[(v, 2)]])[0]
        v = graph.named(v, exp(max((low - high) * 2.0 ** (k + 1 - steps), -740.0)) * (1 - 1e-12), 1.0)
    slack = graph.bounds(v)[2] * top * (1 + 1e-12) + top * 2.0**-50
    return v.scaled(Fraction(top)), slack


def _by_doubling(graph: Graph, name: str, x: Value, low: float, high: float, error: float, expanded: Expanded):
    import mpmath

    mp = mpmath.mp.clone()
    mp.dps = 60
    turns = round((low + high) / 2 / 6.283185307179586)
    shift = exactly(2 * mp.pi * turns + (mp.pi / 2 if name == "sin" else 0))
    furthest = max(abs(float(Fraction(v) - shift)) for v in (low, high))
    steps = max(1, ceil(log2(furthest / 2)))
    if steps > _MOST_STEPS / 2:
        return None
    u, a, b = _moved(graph, x, shift, Fraction(1, 2**steps), low, high)
    first = expand("cos", FUNCTIONS["cos"], a, b, max(error / 4.0**steps / 2, 1e-15))
    v = graph.named(expanded(u, first), *first.span, first.error, ())
    for _ in range(steps):
        square = graph.products([[(v, 2)]])[0]
        v = graph.named(total([(Fraction(2), square), (Fraction(1), Value(Fraction(-1)))]), -1.0, 1.0)
    return v, graph.bounds(v)[2] + 2.0**-100 * furthest


def _by_products(graph: Graph, x: Value, low: float, high: float, error: float):
    sign = 1 if low > 0 else -1
    a, b = (low, high) if low > 0 else (-high, -low)
    if not 0 < a < b < inf:
        return None
    rate = log1p(-a / b)  # of R = 1 - a / b, the largest r
    steps = max(1, ceil(log2(max(log(max(a * error, 1e-300)) / rate, 2.0))))
    if steps > _MOST_STEPS:
        return None
    r = total([(Fraction(-sign) / Fraction(b), x), (Fraction(1), Value(Fraction(1)))])
    r = graph.named(r, 0.0, min(1.0, (1 - a / b) * (1 + 2.0**-50)), 0.0)
    whole, power = total([(Fraction(1), r), (Fraction(1), Value(Fraction(1)))]), r
    for k in range(1, steps):
        power = graph.products([[(power, 2)]])[0]
        power = graph.named(power, 0.0, min(1.0, exp(max(rate * 2.0**k, -740.0)) * (1 + 1e-9)), 0.0)
        more = total([(Fraction(1), power), (Fraction(1), Value(Fraction(1)))])
        whole = graph.products([[(whole, 1), (more, 1)]])[0]
        whole = graph.named(whole, 1.0, min(2.0 ** (k + 1), b / a) * (1 + 1e-12), 0.0)
    left = exp(max(rate * 2.0**steps, -740.0)) / a * (1 + 1e-9)
    return whole.scaled(Fraction(sign) / Fraction(b)), left
