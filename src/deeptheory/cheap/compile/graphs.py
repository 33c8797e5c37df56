"""A formula as a graph of gates: what is multiplied with what, in which layer, and between which bounds.

Sums cost nothing (they are weights), so a Value is a sum of nodes with exact rational coefficients, and only products
are nodes. Equal products are one node. Every node knows an interval of its true value, and its slack: how far the
compiled polynomial may be from the true formula there, because a function such as sin was expanded. A node may come out
as a constant, and keeps its slack all the same: what multiplies it passes that on.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter

from deeptheory.cheap.counting.groups import even_groups

Interval = tuple[float, float]
_UP = 1 + 2.0**-50  # outward rounding of float bounds
_FEW = 8  # sums of so many terms are bounded exactly, longer ones with a margin


@dataclass(frozen=True)
class Value:
    """constant + sum of coefficient times node; terms sorted by node, without zeros."""

    constant: Fraction
    terms: tuple[tuple[int, Fraction], ...] = ()

    def __add__(self, other: "Value") -> "Value":
        return total([(Fraction(1), self), (Fraction(1), other)])

    def scaled(self, factor: Fraction) -> "Value":
        """The value times a factor."""
        if not factor:
            return Value(Fraction(0))
        return Value(self.constant * factor, tuple((n, c * factor) for n, c in self.terms))


def total(parts: Sequence[tuple[Fraction, Value]]) -> Value:
    """A weighted sum of values."""
    constant, terms = Fraction(0), {}
    for factor, v in parts:
        constant += factor * v.constant
        for n, c in v.terms:
            terms[n] = terms.get(n, 0) + factor * c
    return Value(constant, tuple(sorted((n, c) for n, c in terms.items() if c)))


@dataclass(frozen=True)
class Node:
    """kind: "input", "gate" (a monomial of values), "unit" (one neuron of the network's own activation, of a value) or
    "named" (a value with bounds and slack of its own). feels: values whose errors reach it, and how much at most, where
    its sum does not show them."""

    kind: str
    level: int  # hidden layer that makes it; 0 for inputs
    low: float
    high: float
    slack: float = 0.0
    factors: tuple[tuple[Value, int], ...] = ()
    value: Value | None = None
    feels: tuple[tuple[Value, float], ...] | None = None


class Graph:
    """Nodes, each once. fan: most numbers that one gate multiplies."""

    def __init__(self, intervals: Sequence[Interval], fan: int = 2):
        self.nodes: list[Node] = [Node("input", 0, low, high) for low, high in intervals]
        self.fan = fan
        self._known: dict[object, int] = {}

    def input(self, k: int) -> Value:
        """An input; one whose interval is a point is that number."""
        node = self.nodes[k]
        return Value(Fraction(node.low)) if node.low == node.high else Value(Fraction(0), ((k, Fraction(1)),))

    def level(self, value: Value) -> int:
        """Hidden layers that a value needs."""
        return max((self.nodes[n].level for n, _ in value.terms), default=0)

    def constant(self, value: Value) -> Fraction | None:
        """What is compiled for it, where that is a number; None where it depends on the inputs."""
        total_of = value.constant
        for n, c in value.terms:
            inner = self.nodes[n].value
            made = self.constant(inner) if inner is not None else None
            if made is None:
                return None
            total_of += c * made
        return total_of

    def bounds(self, value: Value) -> tuple[float, float, float]:
        """Interval of the true value, rounded outwards, and slack."""
        slack = 0.0
        for n, c in value.terms:
            slack += abs(float(c)) * self.nodes[n].slack
        if len(value.terms) <= _FEW:
            ends = [value.constant, value.constant]
            for n, c in value.terms:
                node = self.nodes[n]
                a, b = Fraction(node.low), Fraction(node.high)
                ends[0] += c * (a if c > 0 else b)
                ends[1] += c * (b if c > 0 else a)
            return below(ends[0]), above(ends[1]), slack * _UP
        low = high = float(value.constant)
        gross = abs(low)
        for n, c in value.terms:
            node, f = self.nodes[n], float(c)
            low += f * (node.low if f > 0 else node.high)
            high += f * (node.high if f > 0 else node.low)
            gross += abs(f) * max(abs(node.low), abs(node.high))
        wide = gross * len(value.terms) * 2.0**-51
        return low - wide, high + wide, slack * _UP

    def size(self, value: Value) -> float:
        """Bound of what is compiled for it."""
        low, high, slack = self.bounds(value)
        return max(abs(low), abs(high)) + slack

    def named(self, value: Value, low: float, high: float, slack: float | None = None, feels=None) -> Value:
        """The value as a node of its own, with these bounds and slack (None: its parts')."""
        if slack is None:
            slack = self.bounds(value)[2]
        key = ("named", value, low, high, slack, feels)
        if key not in self._known:
            self._known[key] = self._add(Node("named", self.level(value), low, high, slack, value=value, feels=feels))
        return Value(Fraction(0), ((self._known[key], Fraction(1)),))

    def unit(self, argument: Value, low: float, high: float, slack: float, slope: float) -> Value:
        """The network's own activation of a value, one neuron."""
        key = ("unit", argument)
        if key not in self._known:
            made = Node(
                "unit", 1 + self.level(argument), low, high, slack, ((argument, 1),), feels=((argument, slope),)
            )
            self._known[key] = self._add(made)
        return Value(Fraction(0), ((self._known[key], Fraction(1)),))

    def _add(self, node: Node) -> int:
        if not (abs(node.low) < inf and abs(node.high) < inf and node.slack < inf):
            raise OverflowError
        self.nodes.append(node)
        return len(self.nodes) - 1

    def gate(self, factors: Mapping[Value, int]) -> Value:
        """The product of powers of values, made by one gate."""
        key = ("gate", frozenset(factors.items()))
        if key not in self._known:
            ordered = tuple(sorted(factors.items(), key=lambda f: (f[0].terms, f[0].constant)))
            low, high, slack = self._product(ordered)
            level = 1 + max(self.level(v) for v, _ in ordered)
            self._known[key] = self._add(Node("gate", level, low, high, slack, factors=ordered))
        return Value(Fraction(0), ((self._known[key], Fraction(1)),))

    def _product(self, factors: Sequence[tuple[Value, int]]) -> tuple[float, float, float]:
        """Interval of a product of powers, and its slack: prod (|v| + e)^r - prod |v|^r without cancellation."""
        low, high, size, slack = 1.0, 1.0, 1.0, 0.0
        for v, r in factors:
            a, b, e = self.bounds(v)
            corners = [p * q for p in (low, high) for q in _power(a, b, r)]
            low, high = min(corners), max(corners)
            for _ in range(r):
                slack = slack * (max(abs(a), abs(b)) + e) + size * e
                size *= max(abs(a), abs(b))
        wide = (abs(low) + abs(high)) * 2.0**-50 * sum(r for _, r in factors)
        return (0.0 if low == 0 else low - wide), (0.0 if high == 0 else high + wide), slack * _UP

    def felt(self, outputs: Sequence[Value]) -> list[float]:
        """By node: how much the outputs feel an error of it at most, summed over outputs, to first order."""
        out = [0.0] * len(self.nodes)

        def feel(value: Value, weight: float) -> None:
            for n, c in value.terms:
                out[n] += weight * abs(float(c))

        for v in outputs:
            feel(v, 1.0)
        for n in range(len(self.nodes) - 1, -1, -1):
            node = self.nodes[n]
            if not out[n]:
                continue
            if node.feels is not None:
                for v, weight in node.feels:
                    feel(v, out[n] * weight)
            elif node.value is not None:
                feel(node.value, out[n])
            for v, r in node.factors if node.kind == "gate" else ():
                others = 1.0
                for w, s in node.factors:
                    others *= self.size(w) ** (s - (w == v))
                feel(v, out[n] * r * others)
        return out

    def products(self, wanted: Sequence[Sequence[tuple[Value, int]]]) -> list[Value]:
        """Products of powers, all at once so that they share gates; layer by layer, in as few as the fan allows."""
        items: dict[Value, int] = {}
        values: list[Value] = []

        def item(v: Value) -> int:
            if v not in items:
                items[v] = len(values)
                values.append(v)
            return items[v]

        factors, bags, fixed = [], [], []
        for product in wanted:
            factor, bag, held = Fraction(1), Counter(), []
            for v, r in product:
                if (
                    v.terms and self.constant(v) is not None
                ):  # compiled as a number, though the true value moves a little
                    held.append((v, r))
                    continue
                lead = v.terms[0][1] if v.terms else v.constant
                lead = Fraction(1) if v.terms and r > _FEW else lead  # its power would be a long number
                factor *= powered(lead, r)
                if v.terms:
                    bag[item(v.scaled(1 / lead))] += r
            factors.append(factor)
            bags.append(bag)
            fixed.append(held)
        now = 0
        while any(b.total() > 1 for b in bags):
            self._round(bags, values, item, now)
            now += 1
        made = [values[next(iter(b))] if b else Value(Fraction(1)) for b in bags]
        return [self._with(held, v, f) if held else v.scaled(f) for held, v, f in zip(fixed, made, factors)]

    def _with(self, held: Sequence[tuple[Value, int]], rest: Value, factor: Fraction) -> Value:
        """factor times the rest times values that are compiled as numbers."""
        own = Fraction(1)
        for v, r in held:
            own *= powered(self.constant(v) or Fraction(0), r)
        parts = [*held, *([(rest, 1)] if rest.terms else [])]
        low, high, slack = self._product(parts)
        f = abs(float(factor)) * _UP
        ends = sorted((float(factor) * low, float(factor) * high))
        wide = 2.0**-50 * max(map(abs, ends))
        feels = []
        for v, r in parts:
            others = f
            for w, t in parts:
                others *= self.size(w) ** (t - (w == v))
            feels.append((v, r * others))
        return self.named(rest.scaled(factor * own), ends[0] - wide, ends[1] + wide, f * slack, tuple(feels))

    def _round(self, bags: list[Counter], values: list[Value], item, now: int) -> None:
        """Let every product multiply what it has by layer `now`."""
        made: list[Counter] = [Counter() for _ in bags]
        left: list[list[int]] = []
        for bag, new in zip(bags, made):
            ready = [i for i in bag if self.level(values[i]) <= now] if bag.total() > 1 else []
            if sum(bag[i] for i in ready) < 2:
                left.append([])
                continue
            rest = []
            for i in sorted(ready):
                if self.fan == 2 and bag[i] > 1:
                    new[item(self.gate({values[i]: 2}))] += bag[i] // 2
                    bag[i] %= 2
                rest += [i] * bag[i]
            left.append(rest)
        bundles = self._pairs(left) if self.fan == 2 else [_bundles(rest, self.fan) for rest in left]
        for bag, new, groups in zip(bags, made, bundles):
            for group in groups:
                new[item(self.gate(Counter(values[i] for i in group)))] += 1
                bag.subtract(group)
            bag.update(new)
            for i in [i for i, c in bag.items() if c == 0]:
                del bag[i]

    def _pairs(self, left: list[list[int]]) -> list[list[tuple[int, ...]]]:
        """Pairs within each list, those first that most lists hold."""
        sets, out = [set(rest) for rest in left], [[] for _ in left]
        counts = Counter((i, j) for s in sets for i in s for j in s if i < j)
        while counts:
            pair = min(counts, key=lambda p: (-counts[p], p))
            for s, pairs in zip(sets, out):
                if pair[0] in s and pair[1] in s:
                    counts.subtract((i, j) for i in s for j in s if i < j and (i in pair or j in pair))
                    s.difference_update(pair)
                    pairs.append(pair)
            counts = Counter({p: c for p, c in counts.items() if c > 0})
        return out


def powered(number: Fraction, r: int) -> Fraction:
    """number^r; OverflowError: too long to write out."""
    if r * (number.numerator.bit_length() + number.denominator.bit_length() - 2) > 100_000:
        raise OverflowError
    return number**r


def below(x: Fraction) -> float:
    """The float at or next below."""
    f = float(x)
    return f if Fraction(f) <= x else nextafter(f, -inf)


def above(x: Fraction) -> float:
    """The float at or next above."""
    f = float(x)
    return f if Fraction(f) >= x else nextafter(f, inf)


def _bundles(rest: list[int], fan: int) -> list[tuple[int, ...]]:
    if len(rest) < 2:
        return []
    out, at = [], 0
    for size in even_groups(len(rest), -(-len(rest) // fan)):
        if size > 1:
            out.append(tuple(rest[at : at + size]))
        at += size
    return out


def _power(low: float, high: float, r: int) -> Interval:
    ends = sorted((low**r, high**r))
    return (0.0, ends[1]) if r % 2 == 0 and low <= 0 <= high else (ends[0], ends[1])
