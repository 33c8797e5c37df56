"""A formula as a graph of gates: what is multiplied with what, in which layer, and between which bounds.

Sums cost nothing (they are weights), so a Value is a sum of nodes with exact rational coefficients, and only products
are nodes. Equal products are one node. Every node knows an interval of its true value, and its slack: how far the
compiled polynomial may be from the true formula there, because a function such as sin was expanded.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from deeptheory.cheap.groups import even_groups

Interval = tuple[float, float]
_UP = 1 + 2.0**-50  # outward rounding of float bounds


@dataclass(frozen=True)
class Value:
    """constant + sum of coefficient times node; terms sorted by node, without zeros."""

    constant: Fraction
    terms: tuple[tuple[int, Fraction], ...] = ()

    def __add__(self, other: "Value") -> "Value":
        return total([(Fraction(1), self), (Fraction(1), other)])

    def scaled(self, factor: Fraction) -> "Value":
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
    """kind: "input", "gate" (a monomial of values) or "named" (a value with closer bounds than its parts give)."""

    kind: str
    level: int  # hidden layer that makes it; 0 for inputs
    low: float
    high: float
    slack: float = 0.0
    factors: tuple[tuple[Value, int], ...] = ()
    value: Value | None = None


class Graph:
    """Nodes, each once. fan: most numbers that one gate multiplies."""

    def __init__(self, intervals: Sequence[Interval], fan: int = 2):
        self.nodes: list[Node] = [Node("input", 0, low, high) for low, high in intervals]
        self.fan = fan
        self._known: dict[object, int] = {}

    def input(self, k: int) -> Value:
        return Value(Fraction(0), ((k, Fraction(1)),))

    def level(self, value: Value) -> int:
        return max((self.nodes[n].level for n, _ in value.terms), default=0)

    def bounds(self, value: Value) -> tuple[float, float, float]:
        """Interval of the true value, and slack."""
        low = high = float(value.constant)
        slack = 0.0
        for n, c in value.terms:
            node, f = self.nodes[n], float(c)
            low += f * (node.low if f > 0 else node.high)
            high += f * (node.high if f > 0 else node.low)
            slack += abs(f) * node.slack
        wide = (abs(low) + abs(high)) * 2.0**-50 * (len(value.terms) > 1)
        return low - wide, high + wide, slack * _UP

    def named(self, value: Value, low: float, high: float, slack: float) -> Value:
        """The value as a node of its own, with these bounds; slack on top of what its parts have."""
        parts = self.bounds(value)[2]
        key = ("named", value, slack)
        if key not in self._known:
            self._known[key] = self._add(Node("named", self.level(value), low, high, parts + slack, value=value))
        return Value(Fraction(0), ((self._known[key], Fraction(1)),))

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def gate(self, factors: Mapping[Value, int]) -> Value:
        """The product of powers of values, made by one gate."""
        key = ("gate", frozenset(factors.items()))
        if key not in self._known:
            ordered = tuple(sorted(factors.items(), key=lambda f: (f[0].terms, f[0].constant)))
            low, high, sizes = 1.0, 1.0, []
            for v, r in ordered:
                a, b, slack = self.bounds(v)
                ends = _power(a, b, r)
                corners = [p * q for p in (low, high) for q in ends]
                low, high = min(corners), max(corners)
                sizes.append((max(abs(a), abs(b)), slack, r))
            slack = (prod((s + e) ** r for s, e, r in sizes) - prod(s**r for s, _, r in sizes)) * _UP
            slack = slack if any(e for _, e, _ in sizes) else 0.0
            level = 1 + max(self.level(v) for v, _ in ordered)
            wide = (abs(low) + abs(high)) * 2.0**-50
            self._known[key] = self._add(Node("gate", level, low - wide, high + wide, slack, factors=ordered))
        return Value(Fraction(0), ((self._known[key], Fraction(1)),))

    def products(self, wanted: Sequence[Sequence[tuple[Value, int]]]) -> list[Value]:
        """Products of powers, all at once so that they share gates; layer by layer, in as few as the fan allows."""
        items: dict[Value, int] = {}
        values: list[Value] = []

        def item(v: Value) -> int:
            if v not in items:
                items[v] = len(values)
                values.append(v)
            return items[v]

        factors, bags = [], []
        for product in wanted:
            factor, bag = Fraction(1), Counter()
            for v, r in product:
                lead = v.terms[0][1] if v.terms else v.constant
                factor *= lead**r
                if v.terms:
                    bag[item(v.scaled(1 / lead))] += r
            factors.append(factor)
            bags.append(bag)
        now = 0
        while any(b.total() > 1 for b in bags):
            self._round(bags, values, item, now)
            now += 1
        return [values[next(iter(b))].scaled(f) if b and f else Value(f if not b else Fraction(0)) for f, b in zip(factors, bags)]  # fmt: skip

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
