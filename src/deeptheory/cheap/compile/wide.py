"""Functions over intervals that one expansion would need hundreds of terms for: by squaring, doubling, and products.

exp(x) = exp(x / 2^k)^(2^k), two neurons a squaring. cos(2 x) = 2 cos(x)^2 - 1, and sin(x) = cos(x - pi / 2).
1 / x = (1 / b) / (1 - r) with r = 1 - x / b, and 1 / (1 - r) = (1 + r)(1 + r^2)(1 + r^4) ... Each step doubles
(the cosine's: makes four times) the error that it is given, which the slack of its nodes adds up. The same product
makes other powers, and log as a sum. tanh(2 x) = 2 u / (1 + u^2) with u = tanh(x), again and again; erf is a polynomial
of tanh. Of w = sqrt(1 + x^2): asinh(x) = log(x + w), atan(x) = 2 atan(x / (1 + w)). What saturates is cut off first
where two neurons can: relu and its like.
"""

from collections.abc import Callable
from fractions import Fraction
from math import asinh, atan, ceil, erfc, exp, hypot, inf, log, log1p, log2, sinh, tan

from deeptheory.cheap.compile.corners import BETA, erf_of_tanh
from deeptheory.cheap.compile.expansions import Expansion, TooWide, exactly, expand
from deeptheory.cheap.compile.functions import FUNCTIONS, RAMPS, TWICE, Function, power
from deeptheory.cheap.compile.graphs import Graph, Value, above, below, total

_MOST_STEPS = 40
_MOST_SQUARES = 28  # beyond, what gates lose (1e-9) has grown past use: 2 to 4 times each step
_MOST_DOUBLINGS = 12  # there the best reachable is 2,500 to 16,000; one more takes 12 s until it overflows
_ERF = (5, 9, 13, 17, 21, 25, 31, 41, 61, 81)  # degrees in tanh
OWN_REACH = 1e4  # of the argument of a neuron that is the function itself
_TAILS: dict[str, Callable[[float], float]] = {
    "tanh": lambda x: 2 * exp(-2 * x),
    "logistic": lambda x: exp(-x),
    "erf": erfc,
    "erfc": erfc,
}  # how much moves beyond x
Expanded = Callable[[Value, Expansion], Value]  # the polynomial of an argument


def reduced(
    graph: Graph, name: str, x: Value, low: float, high: float, error: float, expanded: Expanded
) -> tuple[Value, float] | None:
    """The function of what is compiled for x, in [low, high], and its error; None where there is no such way."""
    if name == "exp":
        return _by_squares(graph, x, low, high, error, expanded)
    if name in ("sin", "cos"):
        return _by_doubling(graph, name, x, low, high, error, expanded)
    if name == "1/x":
        return _by_products(graph, x, low, high, error)
    return None


def composed(
    graph: Graph,
    name: str,
    function: Function,
    x: Value,
    low: float,
    high: float,
    error: float,
    expanded: Expanded,
    own: str,
) -> tuple[Value, float] | None:
    """The same for functions that no polynomial of degree 200 makes there, in more gates: log, powers,
    tanh and their like.

    own: the function that one neuron is, if any.
    """
    made = _Composer(graph, expanded, own)
    x = graph.named(x, low, high, 0.0)  # as if it were exact: what its own error does, the caller adds
    if own in RAMPS and name in _TAILS:
        return made.bounded(made.clamped(name, function, x, low, high, error))
    if name == "log" or function.power is not None:
        return made.bounded(made.of(name, function, x, low, high, error))
    way = {
        "tanh": made.tanh,
        "logistic": made.logistic,
        "erf": made.erf,
        "erfc": made.erfc,
        "asinh": made.asinh,
        "atan": made.atan,
    }.get(name)
    return None if way is None else made.bounded(way(x, low, high, error))


class _Composer:
    """Each method: the function of x in [low, high], a value that bears its error as slack."""

    def __init__(self, graph: Graph, expanded: Expanded, own: str):
        self.graph, self.expanded, self.own = graph, expanded, own

    def bounded(self, made: Value) -> tuple[Value, float]:
        return made, self.graph.bounds(made)[2]

    def of(self, name: str, function: Function, x: Value, low: float, high: float, error: float) -> Value:
        """By one polynomial where one does, else by products or sums over a wide interval."""
        off = self.graph.bounds(x)[2]
        try:
            made = expand(name, function, low, high, error, off)
            value, wrong, slope = self.expanded(x, made), made.error, made.slope
        except TooWide:
            a, b = low - off, high + off
            slope = function.slope(a, b) * (1 + 1e-12)
            if a <= 0 <= b or (name != "log" and function.power is None):
                raise
            value, wrong = (
                self._sum(x, a, b, error) if name == "log" else self._product(x, a, b, error, function.power or 0.0)
            )
        return self.graph.named(value, *function.values(low, high), wrong + slope * off)

    def clamped(self, name: str, function: Function, x: Value, low: float, high: float, error: float) -> Value:
        """f of x cut off to where f still moves: x between a and b is a + (ramp(c (x - a)) - ramp(c (x - b))) / c."""
        ramp, off = RAMPS[self.own]
        far = next(k / 2 for k in range(2, 2000) if _TAILS[name](k / 2) <= error / 4)
        a, b = max(low, -far), min(high, far)
        if not a < b:
            raise TooWide(f"{name} over [{low:.6g}, {high:.6g}] is too wide to expand; narrow the domain")
        slope = function.slope(a, b)
        c = Fraction(2) ** ceil(log2(8 * off * slope / error)) if off else Fraction(1)
        parts = [(Fraction(1), Value(Fraction(a)))]
        for end, sign in ((a, 1), (b, -1)):
            moved = total([(c, x), (Fraction(1), Value(-c * Fraction(end)))])
            ends = below(c * (Fraction(low) - Fraction(end))), above(c * (Fraction(high) - Fraction(end)))
            parts.append((sign / c, self.graph.unit(moved, *ramp.values(*ends), 0.0, ramp.slope(*ends))))
        v = self.graph.named(total(parts), a, b, 2 * off / float(c))
        made = self.of(name, function, v, a, b, error / 4)
        return self.graph.named(made, *function.values(low, high), self.graph.bounds(made)[2] + _TAILS[name](far))

    def _squares(self, x: Value, a: float, b: float, left: float) -> tuple[list[tuple[Value, float]], float]:
        """r, r^2, r^4, ... of r = 1 - x / b and their largest values, as far as the next would be below left; that."""
        rate = log1p(-a / b)
        steps = max(1, ceil(log2(max(log(left) / rate, 2.0))))
        if steps > _MOST_SQUARES:
            raise TooWide(f"an argument in [{a:.6g}, {b:.6g}] is too wide to expand; narrow the domain")
        r = total([(-1 / Fraction(b), x), (Fraction(1), Value(Fraction(1)))])
        r, most = self.graph.named(r, 0.0, min(1.0, (1 - a / b) * (1 + 2.0**-50)), 0.0), 1 - a / b
        out = [(r, most)]
        for k in range(1, steps):
            r = self.graph.products([[(r, 2)]])[0]
            most = min(1.0, exp(max(rate * 2.0**k, -740.0)) * (1 + 1e-9))
            r = self.graph.named(r, 0.0, most, 0.0)
            out.append((r, most))
        return out, exp(max(rate * 2.0**steps, -740.0)) * (1 + 1e-9)

    def _sum(self, x: Value, a: float, b: float, error: float) -> tuple[Value, float]:
        """log(x / b) = log(1 - r) = log(1 - r^(2^n)) - sum of log(1 + r^(2^k)) over k < n."""
        squares, rest = self._squares(x, a, b, error / 4)
        parts = [(Fraction(1), Value(exactly(_mp().log(_mp().mpf(b)))))]
        for r, most in squares:
            made = expand("log", FUNCTIONS["log"], 1.0, 1 + most, error / 2 / len(squares))
            one = self.expanded(total([(Fraction(1), r), (Fraction(1), Value(Fraction(1)))]), made)
            parts.append((Fraction(-1), self.graph.named(one, 0.0, log1p(most) * (1 + 1e-12), made.error)))
        value = total(parts)
        return value, self.graph.bounds(value)[2] + 1.2 * rest + 2.0**-100

    def _product(self, x: Value, a: float, b: float, error: float, p: float) -> tuple[Value, float]:
        """(x / b)^p = (1 - r)^p = (1 - r^(2^n))^p times the product of (1 + r^(2^k))^-p over k < n."""
        sign = 1
        if b < 0:
            sign, x, a, b = (-1) ** (int(p) % 2), x.scaled(Fraction(-1)), -b, -a
        top = exactly(_mp().mpf(b) ** _mp().mpf(p))
        size = float(top) * max((a / b) ** p, 1.0)
        if not 0 < size < inf or abs(p) > 16:
            raise TooWide(f"x^{p:g} over [{a:.6g}, {b:.6g}] is too wide to expand; narrow the domain")
        left = min(error / size / 4 / abs(p) / 1.2 ** (abs(p) + 1), 0.1)
        squares, rest = self._squares(x, a, b, left)
        whole, low, high = Value(Fraction(1)), 1.0, 1.0
        function = power(-p)
        for r, most in squares:
            ends = sorted((1.0, (1 + most) ** -p))
            made = expand("x^p", function, 1.0, 1 + most, max(error / size * ends[0] / 2 / len(squares), 1e-15))
            one = self.expanded(total([(Fraction(1), r), (Fraction(1), Value(Fraction(1)))]), made)
            one = self.graph.named(one, ends[0] * (1 - 1e-12), ends[1] * (1 + 1e-12), made.error)
            whole = self.graph.products([[(whole, 1), (one, 1)]])[0]
            least, most_ = sorted((1.0, (a / b) ** p))
            low, high = max(low * ends[0], least) * (1 - 1e-12), min(high * ends[1], most_) * (1 + 1e-12)
            whole = self.graph.named(whole, low, high)
        value = whole.scaled(top * sign)
        return value, self.graph.bounds(value)[2] + size * (abs(p) * 1.2 ** (abs(p) + 1) * rest + 2.0**-100)

    def tanh(self, x: Value, low: float, high: float, error: float) -> Value:
        function, far = FUNCTIONS["tanh"], max(abs(low), abs(high))
        for own, scale in (("tanh", 1), ("logistic", 2)):
            if self.own == own and far <= OWN_REACH:
                unit = FUNCTIONS[own]
                made = self.graph.unit(
                    x.scaled(Fraction(scale)),
                    *unit.values(scale * low, scale * high),
                    0.0,
                    unit.slope(scale * low, scale * high),
                )
                if scale == 2:
                    made = total([(Fraction(2), made), (Fraction(1), Value(Fraction(-1)))])
                return self.graph.named(made, *function.values(low, high), 0.0)
        steps = max(0, ceil(log2(far)))
        if steps > _MOST_DOUBLINGS:
            raise TooWide(f"tanh over [{low:.6g}, {high:.6g}] is too wide to expand; narrow the domain")
        share = error / (steps + 1)
        scale = 2.0**-steps
        first = expand("tanh", function, low * scale, high * scale, max(share * scale, 1e-15))
        u = self.graph.named(
            self.expanded(x.scaled(Fraction(scale)), first), *function.values(low * scale, high * scale), first.error
        )
        for _ in range(steps):
            scale *= 2
            a, b, off = self.graph.bounds(u)
            made = expand("tanh", TWICE, a, b, max(share * scale, 1e-15), off)
            u = self.graph.named(
                self.expanded(u, made), *function.values(low * scale, high * scale), made.error + made.slope * off
            )
        return u

    def logistic(self, x: Value, low: float, high: float, error: float) -> Value:
        u = self.tanh(x.scaled(Fraction(1, 2)), low / 2, high / 2, 2 * error)
        half = total([(Fraction(1, 2), u), (Fraction(1), Value(Fraction(1, 2)))])
        return self.graph.named(half, *FUNCTIONS["logistic"].values(low, high))

    def erf(self, x: Value, low: float, high: float, error: float) -> Value:
        made = next((c for c in map(erf_of_tanh, _ERF) if c.error <= error / 2), None)
        if made is None:
            raise TooWide(
                f"erf over [{low:.6g}, {high:.6g}] is expanded to {erf_of_tanh(_ERF[-1]).error:.2g}; "
                "narrow the domain or raise the tolerance"
            )
        steep = float(sum(k * k * abs(c) for k, c in enumerate(made.coefficients)))
        u = self.tanh(x.scaled(Fraction(BETA)), low * BETA * (1 + 1e-15), high * BETA * (1 + 1e-15), error / 2 / steep)
        off = self.graph.bounds(u)[2]
        wide = 1 + off  # the polynomial is one of u in [-1, 1]: u is taken a little smaller
        value = self.expanded(
            u.scaled(1 / Fraction(wide)), Expansion(made.coefficients, made.error, (-1.0, 1.0), -1.0, 1.0, 1.5)
        )
        return self.graph.named(value, *FUNCTIONS["erf"].values(low, high), made.error + 2 * steep * off)

    def erfc(self, x: Value, low: float, high: float, error: float) -> Value:
        value = total([(Fraction(-1), self.erf(x, low, high, error)), (Fraction(1), Value(Fraction(1)))])
        return self.graph.named(value, *FUNCTIONS["erfc"].values(low, high))

    def _longer(self, x: Value, low: float, high: float, error: float) -> tuple[Value, float, float]:
        """w = sqrt(1 + x^2) and its ends."""
        near = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        far = max(abs(low), abs(high))
        square = total([(Fraction(1), self.graph.products([[(x, 2)]])[0]), (Fraction(1), Value(Fraction(1)))])
        a, b = (1 + near * near) * (1 - 1e-15), (1 + far * far) * (1 + 1e-15)
        square = self.graph.named(square, a, b, 0.0)
        return self.of("sqrt(x)", power(0.5), square, a, b, error), hypot(1, near), hypot(1, far)

    def asinh(self, x: Value, low: float, high: float, error: float) -> Value:
        if abs(low) > abs(high):
            return self.asinh(x.scaled(Fraction(-1)), -high, -low, error).scaled(Fraction(-1))
        if low < -1:  # log of x + w would be one of a difference
            return self._asinh_of_half(x, low, high, error)
        a = (low + hypot(1, low) if low >= 0 else 1 / (hypot(1, low) - low)) * (1 - 1e-12)
        b = (high + hypot(1, high)) * (1 + 1e-12)
        w, _, _ = self._longer(x, low, high, min(error / 4, 0.1) * a)
        v = self.graph.named(total([(Fraction(1), x), (Fraction(1), w)]), a, b)
        made = self.of("log", FUNCTIONS["log"], v, a, b, error / 2)
        return self.graph.named(made, *FUNCTIONS["asinh"].values(low, high))

    def _asinh_of_half(self, x: Value, low: float, high: float, error: float) -> Value:
        """asinh(x) = 2 asinh(x / sqrt(2 (1 + w)))."""
        w, least, most = self._longer(x, low, high, min(error / high / 2, 0.1))
        q = total([(Fraction(2), w), (Fraction(1), Value(Fraction(2)))])
        a, b = 2 + 2 * least, (2 + 2 * most) * (1 + 1e-15)
        q = self.graph.named(q, a, b)
        root = self.of("1/sqrt(x)", power(-0.5), q, a, b, error / high / 8)
        y = self.graph.products([[(x, 1), (root, 1)]])[0]
        least, most = (sinh(asinh(e) / 2) * (1 + 1e-14) for e in (low, high))
        y = self.graph.named(y, least, most)
        try:
            half = self.of("asinh", FUNCTIONS["asinh"], y, least, most, error / 4)
        except TooWide:
            off = self.graph.bounds(y)[2]
            half = self.asinh(self.graph.named(y, least, most, 0.0), least - off, most + off, error / 4)
            half = self.graph.named(half, asinh(least), asinh(most), self.graph.bounds(half)[2] + off)
        return self.graph.named(half.scaled(Fraction(2)), *FUNCTIONS["asinh"].values(low, high))

    def atan(self, x: Value, low: float, high: float, error: float) -> Value:
        """From -1/2 on by pi / 4 and that of 1 - 2 / (1 + x), with no square of x; else by half the angle."""
        if low < -0.5 and high < 0.5:
            return self.atan(x.scaled(Fraction(-1)), -high, -low, error).scaled(Fraction(-1))
        function, inverse = FUNCTIONS["atan"], power(-1.0)
        if low >= -0.5:
            v = total([(Fraction(1), x), (Fraction(1), Value(Fraction(1)))])
            v = self.graph.named(v, (1 + low) * (1 - 1e-15), (1 + high) * (1 + 1e-15), 0.0)
            a, b, _ = self.graph.bounds(v)
            part = self.of("1/x", inverse, v, a, b, error / 8)
            t = total([(Fraction(-2), part), (Fraction(1), Value(Fraction(1)))])
            twice, turn = 1, exactly(_mp().pi / 4)
        else:
            far = max(abs(low), abs(high))
            w, least, most = self._longer(x, low, high, min(error / far, 0.1))
            v = self.graph.named(
                total([(Fraction(1), w), (Fraction(1), Value(Fraction(1)))]), 1 + least, (1 + most) * (1 + 1e-15)
            )
            part = self.of("1/x", inverse, v, 1 + least, (1 + most) * (1 + 1e-15), error / far / 8)
            t = self.graph.products([[(x, 1), (part, 1)]])[0]
            twice, turn = 2, Fraction(0)
        shift = float(turn)
        ends = [max(min(tan((atan(e) - shift) / twice), 1.0), -1.0) for e in (low, high)]
        t = self.graph.named(t, ends[0] - 1e-12, ends[1] + 1e-12)
        made = self.of("atan", function, t, ends[0] - 1e-12, ends[1] + 1e-12, error / 4)
        value = total([(Fraction(twice), made), (Fraction(1), Value(turn))])
        return self.graph.named(value, *function.values(low, high))


def _mp():
    import mpmath

    mp = mpmath.mp.clone()
    mp.dps = 50
    return mp


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
