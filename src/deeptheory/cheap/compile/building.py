"""From a sympy expression to a graph of gates: as it is written, or multiplied out.

As written keeps factors and shared parts; multiplied out, all terms of one polynomial share products. Functions become
Chebyshev polynomials in their argument: T_2k = 2 T_k^2 - 1, T_(2k+1) = 2 T_k T_(k+1) - T_1, so that a polynomial of
degree n takes log2 n layers and every number stays in [-1, 1].
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deeptheory.cheap.compile import ranges
from deeptheory.cheap.compile.corners import DEGREES, corner, finest, power_at_zero
from deeptheory.cheap.compile.expansions import Expansion, TooWide, expand, value_at
from deeptheory.cheap.compile.functions import FUNCTIONS, Function, argument_of, power
from deeptheory.cheap.compile.graphs import Graph, Interval, Value, above, below, total
from deeptheory.cheap.compile.plans import Errors, Plan
from deeptheory.cheap.compile.wide import OWN_REACH, composed, reduced
from deeptheory.cheap.expressions import Exponents, Terms, number
from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy

MOST_TERMS = 3_000
_MOST_AT_ZERO = 8.0  # exponent of a power that is expanded from 0 on
_LONG = 48  # a polynomial of more terms is made in a way of its own, if there is one
_Made = tuple[Value, Interval, float, float]  # value, span, error in all, slope


def as_written(
    expressions: Sequence["sympy.Expr"], names: Sequence[str], box: Sequence[Interval], fan: int, errors: Errors
) -> Plan:
    """The graph of the expressions as they stand; every function is expanded to its error."""
    builder = _Builder(Graph(box, fan), names, errors)
    outputs = builder.values(expressions)
    feel = builder.graph.felt(outputs)
    felt = {}
    for key, (made, size) in builder.functions.items():
        felt[key] = sum(abs(float(c)) * feel[n] for n, c in made.terms), size
    return Plan(builder.graph, outputs, tuple(builder.expansions), felt)


class _Builder:
    def __init__(self, graph: Graph, names: Sequence[str], errors: Errors):
        self.graph, self.errors, self.names = graph, errors, list(names)
        self.expansions: list[tuple[str, int]] = []
        self.functions: dict[Any, tuple[Value, float]] = {}
        self._known: dict[Any, Value] = {}

    def values(self, expressions: Sequence["sympy.Expr"]) -> tuple[Value, ...]:
        """The outputs; the products at their top are made together, so that they share gates."""
        import sympy

        sums = [sympy.Add.make_args(e) for e in expressions]
        made = iter(self.graph.products([self._factors(a) for parts in sums for a in parts]))
        return tuple(total([(Fraction(1), next(made)) for _ in parts]) for parts in sums)

    def value(self, e: "sympy.Expr") -> Value:
        if e not in self._known:
            self._known[e] = self._value(e)
        return self._known[e]

    def _value(self, e: "sympy.Expr") -> Value:
        import sympy

        if not e.free_symbols:
            return Value(number(e))
        if isinstance(e, sympy.Symbol):
            return self.graph.input(self.names.index(str(e)))
        if isinstance(e, sympy.Add):
            parts = [self._factors(a) for a in e.args]
            return total(list(zip((Fraction(1),) * len(parts), self.graph.products(parts))))
        if isinstance(e, (sympy.Mul, sympy.Pow)):
            return self.graph.products([self._factors(e)])[0]
        return self._function(e, *argument_of(e))

    def _factors(self, e: "sympy.Expr") -> list[tuple[Value, int]]:
        import sympy

        if isinstance(e, sympy.Mul):
            return [f for a in e.args for f in self._factors(a)]
        if isinstance(e, sympy.Pow) and e.free_symbols:
            base, exponent = e.base, e.exp
            if exponent.is_Integer and int(exponent) > 0:
                return [(v, r * int(exponent)) for v, r in self._factors(base)]
        if isinstance(e, sympy.Pow):
            return [(self._power(e), 1)]
        return [(self.value(e), 1)]

    def _power(self, e: "sympy.Pow") -> Value:
        """A power that is not an integer above 0."""
        import sympy

        if not e.free_symbols:
            return Value(number(e))
        if e.exp.free_symbols:
            return self.value(sympy.exp(sympy.log(e.base) * e.exp, evaluate=False))
        p = float(number(e.exp))
        if p == int(p) and p < -1:  # one reciprocal, then gates
            return self.graph.products([[(self._function(1 / e.base, "1/x", power(-1.0), e.base), int(-p))]])[0]
        if 1 < p < 50 and p - int(p) == 0.5 and not (p < _MOST_AT_ZERO and self._meets_zero(e.base)):
            return self.graph.products(
                [[*((v, r * int(p)) for v, r in self._factors(e.base)), (self.value(sympy.sqrt(e.base)), 1)]]
            )[0]
        return self._function(e, _power_name(e.exp), power(p), e.base)

    def _meets_zero(self, base: "sympy.Expr") -> bool:
        low, high, _ = self._bounds(base)
        return abs(low) <= 1e-12 * max(abs(low), abs(high)) < high

    def _bounds(self, argument: "sympy.Expr") -> tuple[float, float, float]:
        """Interval of the true value, and how far what is compiled may be off."""
        low, high, off = self.graph.bounds(self.value(argument))
        if ranges.repeats(argument):
            box = tuple((n.low, n.high) for n in self.graph.nodes[: len(self.names)])
            closer = ranges.span(argument, tuple(self.names), box)
            low, high = max(low, closer[0]), min(high, closer[1])
        return low, high, off

    def _function(self, key: Any, name: str, function: Function, argument: "sympy.Expr") -> Value:
        x = self.value(argument)
        if not x.terms:
            return Value(value_at(name, function, x.constant))
        low, high, off = self._bounds(argument)
        if name == self.errors.own and max(abs(low), abs(high)) <= OWN_REACH and self.graph.constant(x) is None:
            slope = function.slope(low - off, high + off) * (1 + 1e-12)
            return self.graph.unit(x, *function.values(low, high), slope * off, slope)
        error = self.errors.of(key, function, low, high)
        how = name, function, x, low, high, off, error
        value, span, wrong, slope = self._cornered(*how) or self._smooth(*how)
        out = self.graph.named(value, *span, wrong, ((x, slope),))
        self.functions[key] = out, max(map(abs, span))
        return out

    def _smooth(
        self, name: str, function: Function, x: Value, low: float, high: float, off: float, error: float
    ) -> _Made:
        """By one polynomial, or where that would be long in a way of its own (wide.py)."""
        try:
            made, refused = expand(name, function, low, high, error, off), None
        except TooWide as wide:
            made, refused = None, wide
        if made is None or len(made.coefficients) > _LONG:
            found = reduced(self.graph, name, x, low - off, high + off, error, self._expanded)
            if made is None and found is None:
                found = composed(
                    self.graph, name, function, x, low - off, high + off, error, self._expanded, self.errors.own
                )
            if found is not None:
                self.expansions.append((name, 2))
                slope = function.slope(low - off, high + off) * (1 + 1e-12)
                return found[0], function.values(low, high), found[1] + slope * off, slope
        if made is None:
            raise refused or AssertionError
        self.expansions.append((name, len(made.coefficients) - 1))
        return self._expanded(x, made), made.span, made.error + made.slope * off, made.slope

    def _cornered(
        self, name: str, function: Function, x: Value, low: float, high: float, off: float, error: float
    ) -> _Made | None:
        """sqrt and other powers from 0 on, asin and acos up to 1: None elsewhere. An argument off by e moves sqrt by
        sqrt(e) at most; the formula is real, so that what lies beyond the corner by rounding alone does not exist."""
        import sympy

        close = 1e-12 * max(abs(low), abs(high))
        if name == "sqrt(x)" and abs(low) <= close < high:
            top = above(Fraction(high) + 2 * Fraction(off))
            size = top**0.5
            least = finest("sqrt") * size
            made = corner("sqrt", max(error / size, finest("sqrt")) if self.errors.shares else error / size)
            moved = total([(Fraction(1), x), (Fraction(1), Value(Fraction(off)))])
            ends, span, jump = (0.0, top), (0.0, high**0.5 * (1 + 1e-15)), (2 * off) ** 0.5
        elif name != "sqrt(x)" and 0.5 < (p := function.power or 0.0) < _MOST_AT_ZERO and abs(low) <= close < high:
            top = above(Fraction(high) + 2 * Fraction(off))
            size = top**p
            least = power_at_zero(p, DEGREES[-1]).error * size
            most = max(error, least) if self.errors.shares else error
            made = next((c for c in (power_at_zero(p, n) for n in DEGREES) if c.error * size <= most), None)
            moved = total([(Fraction(1), x), (Fraction(1), Value(Fraction(off)))])
            ends, span = (0.0, top), (0.0, high**p * (1 + 1e-14))
            jump = (2 * off) ** p if p < 1 else 2 * off * p * top ** (p - 1)
        elif name in ("asin", "acos") and max(abs(low), abs(high)) > 1 - 1e-9 and max(abs(low), abs(high)) <= 1 + 1e-12:
            size, moved, ends = 1.0, x.scaled(1 / (1 + Fraction(off))), (-1.0, 1.0)
            least = finest("asin")
            made = corner("asin", max(error, least) if self.errors.shares else error)
            span, jump = FUNCTIONS[name].values(max(low, -1.0), min(high, 1.0)), (8 * off) ** 0.5
        else:
            return None
        if made is None:
            raise InputError(
                f"{name} is expanded over [{low:.6g}, {high:.6g}]; its argument must stay "
                f"{FUNCTIONS.get(name, power(0.5)).where}: at its corner, where it has no slope, polynomials come no "
                f"closer than {least:.2g}; change the domain, or raise the tolerance"
            )
        self.expansions.append((name, len(made.coefficients) - 1))
        value = self._expanded(moved, Expansion(made.coefficients, made.error, span, *ends, 0.0)).scaled(Fraction(size))
        if name == "acos":
            value = total([(Fraction(-1), value), (Fraction(1), Value(number(sympy.pi) / 2))])
        slope = max(jump / off if off else 0.0, 8 * size / max(error, 1e-9))
        return value, span, made.error * size * (1 + 1e-12) + size * 2.0**-50 + jump, slope

    def _expanded(self, x: Value, made: Expansion) -> Value:
        """The polynomial of what is compiled for x, which lies in [made.low, made.high]."""
        if len(made.coefficients) == 1:
            return Value(Fraction(made.coefficients[0]))
        low, high = Fraction(made.low), Fraction(made.high)
        radius = (high - low) / 2
        t = total([(1 / radius, x), (Fraction(1), Value(-(low + high) / 2 / radius))])
        t = self.graph.named(t, -1.0, 1.0, 0.0)
        tower = {0: Value(Fraction(1)), 1: t}
        for k in _needed({k for k, c in enumerate(made.coefficients) if c}):
            tower[k] = self._next(tower, k)
        return total([(Fraction(c), tower[k]) for k, c in enumerate(made.coefficients) if c])

    def _next(self, tower: dict[int, Value], k: int) -> Value:
        half = k // 2
        made = self.graph.products([[(tower[half], 1), (tower[k - half], 1)]])[0]
        rest = Value(Fraction(-1)) if k % 2 == 0 else tower[1].scaled(Fraction(-1))
        return self.graph.named(total([(Fraction(2), made), (Fraction(1), rest)]), -1.0, 1.0, 0.0)


def _needed(wanted: set[int]) -> list[int]:
    """The k of 2 and more whose T_k are made on the way to those wanted, in order."""
    need, todo = set(), [k for k in wanted if k > 1]
    while todo:
        k = todo.pop()
        if k > 1 and k not in need:
            need.add(k)
            todo += [k // 2, k - k // 2]
    return sorted(need)


def _power_name(exponent: Any) -> str:
    p = number(exponent)
    usual = {"-1": "1/x", "1/2": "sqrt(x)", "-1/2": "1/sqrt(x)"}
    return usual.get(str(p), f"x^{exponent if p.denominator > 999 else p}")


@dataclass(frozen=True)
class Expanded:
    """One polynomial multiplied out, its bounds on the box, and its distance from the true formula."""

    terms: Terms
    low: float
    high: float
    slack: float


def multiplied_out(
    expressions: Sequence["sympy.Expr"], names: Sequence[str], box: Sequence[Interval], fan: int, errors: Errors
) -> Plan:
    """The graph of the expanded polynomials, functions expanded first. InputError: above 3,000 terms."""
    maker = _Multiplier(names, box, errors)
    made = [maker.polynomial(e) for e in expressions]
    graph = Graph(box, fan)
    monomials = sorted({k for p in made for k in p.terms if any(k)})
    values = graph.products([[(graph.input(i), r) for i, r in enumerate(k) if r] for k in monomials])
    by = dict(zip(monomials, values))
    outputs = []
    for p in made:
        v = total([(c, by[k]) if any(k) else (Fraction(1), Value(c)) for k, c in p.terms.items()])
        outputs.append(graph.named(v, p.low, p.high, p.slack) if v.terms or p.slack else v)
    widest = max((p.high - p.low for p in made), default=0.0)
    felt = {key: (max(1.0, widest / max(size, 1e-300)), size) for key, size in maker.functions.items()}
    return Plan(graph, tuple(outputs), tuple(maker.expansions), felt)


class _Multiplier:
    def __init__(self, names: Sequence[str], box: Sequence[Interval], errors: Errors):
        self.names, self.box, self.errors = list(names), list(box), errors
        self.functions: dict[Any, float] = {}
        self.work = 0  # products of terms so far
        self.expansions: list[tuple[str, int]] = []
        self._known: dict[Any, Expanded] = {}
        self._one: Exponents = (0,) * len(self.names)

    def polynomial(self, e: "sympy.Expr") -> Expanded:
        if e not in self._known:
            self._known[e] = self._polynomial(e)
        return self._known[e]

    def _constant(self, c: Fraction, slack: float = 0.0) -> Expanded:
        return Expanded({self._one: c} if c else {}, below(c), above(c), slack)

    def _polynomial(self, e: "sympy.Expr") -> Expanded:
        import sympy

        if not e.free_symbols:
            return self._constant(number(e))
        if isinstance(e, sympy.Symbol):
            i = self.names.index(str(e))
            if self.box[i][0] == self.box[i][1]:
                return self._constant(Fraction(self.box[i][0]))
            return Expanded({tuple(int(k == i) for k in range(len(self.names))): Fraction(1)}, *self.box[i], 0.0)
        if isinstance(e, sympy.Add):
            parts = [self.polynomial(a) for a in e.args]
            terms: Terms = {}
            for p in parts:
                for k, c in p.terms.items():
                    terms[k] = terms.get(k, Fraction(0)) + c
            low, high = (
                sum((Fraction(v) for v in ends), Fraction(0)) for ends in zip(*((p.low, p.high) for p in parts))
            )
            slack = sum(p.slack for p in parts) * (1 + 1e-12)
            return Expanded({k: c for k, c in terms.items() if c}, below(low), above(high), slack)
        if isinstance(e, sympy.Mul):
            out = self._constant(Fraction(1))
            for a in e.args:
                out = self._times(out, self.polynomial(a))
            return out
        if isinstance(e, sympy.Pow):
            return self._power(e)
        return self._function(e, *argument_of(e))

    def _times(self, p: Expanded, q: Expanded) -> Expanded:
        self.work += len(p.terms) * len(q.terms)
        if self.work > 100 * MOST_TERMS:
            raise InputError(f"multiplied out, the formula has more than {MOST_TERMS} terms; allow more layers")
        terms: Terms = {}
        for a, x in p.terms.items():
            for b, y in q.terms.items():
                k = tuple(i + j for i, j in zip(a, b))
                terms[k] = terms.get(k, Fraction(0)) + x * y
        if len(terms) > MOST_TERMS:
            raise InputError(f"multiplied out, the formula has more than {MOST_TERMS} terms; allow more layers")
        corners = [a * b for a in (p.low, p.high) for b in (q.low, q.high)]
        sizes = max(abs(p.low), abs(p.high)), max(abs(q.low), abs(q.high))
        slack = p.slack * sizes[1] + q.slack * sizes[0] + p.slack * q.slack
        wide = 2.0**-50 * (abs(min(corners)) + abs(max(corners)))
        low, high = min(corners) - wide, max(corners) + wide
        return Expanded({k: c for k, c in terms.items() if c}, low, high, slack * (1 + 1e-12))

    def _power(self, e: "sympy.Pow") -> Expanded:
        import sympy

        if e.exp.free_symbols:
            return self.polynomial(sympy.exp(sympy.log(e.base) * e.exp, evaluate=False))
        p = number(e.exp)
        if p.denominator == 1 and p > 0:
            base = self.polynomial(e.base)
            out, square, rest = self._constant(Fraction(1)), base, int(p)
            while rest:
                out = self._times(out, square) if rest % 2 else out
                rest //= 2
                square = self._times(square, square) if rest else square
            if int(p) % 2 == 0:
                most = max(abs(base.low), abs(base.high)) ** int(p)
                least = 0.0 if base.low <= 0 <= base.high else min(abs(base.low), abs(base.high)) ** int(p)
                out = Expanded(out.terms, least * (1 - 1e-15), most * (1 + 1e-15), out.slack)
            return out
        return self._function(e, _power_name(e.exp), power(float(p)), e.base)

    def _function(self, key: Any, name: str, function: Function, argument: "sympy.Expr") -> Expanded:
        x = self.polynomial(argument)
        low, high = x.low, x.high
        if ranges.repeats(argument):
            closer = ranges.span(argument, tuple(self.names), tuple(self.box))
            low, high = max(low, closer[0]), min(high, closer[1])
        if not any(any(k) for k in x.terms) and not x.slack:
            return self._constant(value_at(name, function, x.terms.get(self._one, Fraction(0))))
        made = expand(name, function, low, high, self.errors.of(key, function, low, high), x.slack)
        self.functions[key] = max(map(abs, made.span))
        self.expansions.append((name, len(made.coefficients) - 1))
        slack = made.error + made.slope * x.slack
        if len(made.coefficients) == 1:
            return Expanded({self._one: Fraction(made.coefficients[0])}, *made.span, slack)
        radius, mid = (Fraction(made.high) - Fraction(made.low)) / 2, (Fraction(made.high) + Fraction(made.low)) / 2
        t = Expanded({k: c / radius for k, c in x.terms.items()}, -1.0, 1.0, 0.0)
        t.terms[self._one] = t.terms.get(self._one, Fraction(0)) - mid / radius
        before, now = self._constant(Fraction(1)), t
        terms: Terms = {self._one: Fraction(made.coefficients[0])}
        for c in made.coefficients[1:]:
            for k, v in now.terms.items() if c else ():
                terms[k] = terms.get(k, Fraction(0)) + Fraction(c) * v
            twice = self._times(t, now)
            later: Terms = {k: 2 * v for k, v in twice.terms.items()}
            for k, v in before.terms.items():
                later[k] = later.get(k, Fraction(0)) - v
            before, now = now, Expanded(later, -1.0, 1.0, 0.0)
        return Expanded({k: c for k, c in terms.items() if c}, *made.span, slack)
