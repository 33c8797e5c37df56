"""The plan of a compiled network: values, the gates that make them, and affine forms of values in between.

A Form is sum_j coefficient_j * value_j + const, exact (rationals), with an interval that holds over the domain. A node
is an input, a product of forms with exponents (exponents (1,) carry a form one layer on), or a ReLU piece. Equal nodes
are one node: that is how sub-expressions are shared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from math import prod

OUTWARD = 1e-12  # relative widening of every interval: more than the rounding of its arithmetic


@dataclass(frozen=True)
class Form:
    """An affine form; low, high: its range over the domain."""

    terms: tuple[tuple[int, Fraction], ...]
    const: Fraction
    low: float
    high: float
    error: float = 0.0  # how far it is from what it stands for: the expansion of a leaf

    @property
    def size(self) -> float:
        return max(abs(self.low), abs(self.high))


@dataclass
class Node:
    """kind: "input", "product", "abs" or "saw" (2 relu(g) - 4 relu(g - 1/2)). norm: the value is stored as value / norm."""

    kind: str
    forms: tuple[Form, ...]
    exponents: tuple[int, ...]
    level: int
    low: float
    high: float
    norm: Fraction = Fraction(1)  # exact: what is stored is the product of the scaled factors


@dataclass
class Graph:
    """Nodes by number; inputs come first, one for each variable."""

    nodes: list[Node] = field(default_factory=list)
    index: dict = field(default_factory=dict)

    def input(self, low: float, high: float) -> Form:
        self.nodes.append(Node("input", (), (), 0, *_widen(low, high)))
        return self.form({len(self.nodes) - 1: Fraction(1)})

    def form(self, terms: dict[int, Fraction], const=Fraction(0), bounds=None, error: float = 0.0) -> Form:
        """The form with these terms; bounds: a range known from elsewhere, intersected with the terms' own."""
        kept = tuple(sorted((j, c) for j, c in terms.items() if c))
        low = high = float(const)
        for j, c in kept:
            ends = float(c) * self.nodes[j].low, float(c) * self.nodes[j].high
            low, high = low + min(ends), high + max(ends)
        low, high = _widen(low, high)
        if bounds is not None:
            low, high = max(low, bounds[0]), min(high, bounds[1])
        return Form(kept, const, low, high, error)

    def constant(self, value) -> Form:
        return self.form({}, Fraction(value))

    def sum(self, parts: Iterable[tuple[Fraction, Form]], const=Fraction(0), bounds=None) -> Form:
        terms: dict[int, Fraction] = {}
        error = 0.0
        for weight, form in parts:
            const += weight * form.const
            error += abs(float(weight)) * form.error
            for j, c in form.terms:
                terms[j] = terms.get(j, Fraction(0)) + weight * c
        return self.form(terms, const, bounds, error)

    def level(self, form: Form) -> int:
        return max((self.nodes[j].level for j, _ in form.terms), default=0)

    def product(self, factors: Iterable[tuple[Form, int]], bounds=None) -> Form:
        """One gate: the product of forms to their exponents; scalars and constants are pulled out, equals merged."""
        scalar, merged = Fraction(1), {}
        for form, exponent in factors:
            if not form.terms:
                scalar *= form.const**exponent
                continue
            if len(form.terms) == 1 and not form.const:
                node, weight = form.terms[0]
                scalar *= weight**exponent
                error = form.error / abs(float(weight))
                form = self.form({node: Fraction(1)}, bounds=_scaled_bounds(form), error=error)
            merged[form] = merged.get(form, 0) + exponent
        if not merged or not scalar:
            return self.constant(scalar)
        items = sorted(merged.items(), key=lambda item: (-item[1], item[0].terms, item[0].const))
        if len(items) == 1 and items[0][1] == 1:
            return self.sum([(scalar, items[0][0])])
        node = self._node("product", tuple(f for f, _ in items), tuple(e for _, e in items), bounds)
        return self.form({node: scalar})

    def tree(self, factors: Iterable[tuple[Form, int]]) -> Form:
        """Products of two and squares only; x^r by halving, the lowest levels first (4 and 3 neurons a gate)."""
        counts: dict[Form, int] = {}
        for form, exponent in factors:
            counts[form] = counts.get(form, 0) + exponent
        if not counts:
            return self.constant(1)
        halves = [(f, r // 2) for f, r in counts.items() if r >= 2]
        queue = [f for f, r in counts.items() if r % 2]
        if halves:
            queue.append(self.product([(self.tree(halves), 2)]))
        while len(queue) > 1:
            queue.sort(key=self.level)
            queue = [self.product([(queue[0], 1), (queue[1], 1)]), *queue[2:]]
        return queue[0]

    def grouped(self, factors: Iterable[tuple[Form, int]], depth: int) -> Form:
        """At most `depth` layers of gates with any number of factors, grouped for the fewest neurons (RT Thm 5.1)."""
        counts: dict[Form, int] = {}
        for form, exponent in factors:
            counts[form] = counts.get(form, 0) + exponent
        items = sorted(counts.items(), key=lambda item: (-item[1], item[0].terms, item[0].const))
        if not items:
            return self.constant(1)
        signature = tuple(r for _, r in items)
        groups = best_grouping(signature, depth)[1]
        if groups == 1:
            return self.product(items)
        dealt = deal(signature, groups)
        made = [(self.product([(items[i][0], r) for i, r in group]), times) for group, times in dealt.items()]
        return self.grouped(made, depth - 1)

    def relu_piece(self, kind: str, form: Form) -> Form:
        return self.form({self._node(kind, (form,), (1,), None): Fraction(1)})

    def carry(self, form: Form) -> int:
        """The number of a node that holds `form` one layer later; the form's own error stays with who asked."""
        return self._node("product", (Form(form.terms, form.const, form.low, form.high),), (1,), None)

    def _node(self, kind, forms, exponents, bounds) -> int:
        key = (kind, tuple((f.terms, f.const, f.error) for f in forms), exponents)
        if key not in self.index:
            low, high = _RANGES[kind](forms, exponents)
            if bounds is not None:
                low, high = max(low, bounds[0]), min(high, bounds[1])
            norm = (
                prod((Fraction(unit(f)) ** r for f, r in zip(forms, exponents)), start=Fraction(1))
                if kind == "product"
                else Fraction(1)
            )
            level = 1 + max(self.level(f) for f in forms)
            self.nodes.append(Node(kind, forms, exponents, level, low, high, norm))
            self.index[key] = len(self.nodes) - 1
        return self.index[key]

    def settle(self, form: Form, level: int, sums: bool) -> Form:
        """The same form over nodes of exactly that level; what is older is carried on, as one running sum or singly."""
        terms = dict(form.terms)
        while any(self.nodes[j].level < level for j in terms):
            low = min(self.nodes[j].level for j in terms)
            late = {j: c for j, c in terms.items() if self.nodes[j].level == low}
            terms = {j: c for j, c in terms.items() if j not in late}
            if sums and len(late) > 1:
                node = self.carry(self.form(late))
                terms[node] = terms.get(node, Fraction(0)) + 1
                continue
            for j, c in late.items():
                node = self.carry(self.form({j: Fraction(1)}))
                terms[node] = terms.get(node, Fraction(0)) + c
        return Form(tuple(sorted((j, c) for j, c in terms.items() if c)), form.const, form.low, form.high, form.error)

    def placed(self, outputs: list[Form], depth: int, sums: bool) -> tuple[list[Form], list[list[int]]]:
        """Outputs over the last layer only, and the nodes of each layer 0 ... depth that they need."""
        outputs = [self.settle(f, depth, sums) for f in outputs]
        wanted: list[set[int]] = [set() for _ in range(depth + 1)]
        wanted[depth] = {j for f in outputs for j, _ in f.terms}
        for level in range(depth, 0, -1):
            for j in sorted(wanted[level]):
                node = self.nodes[j]
                node.forms = tuple(self.settle(f, level - 1, sums) for f in node.forms)
                wanted[level - 1] |= {i for f in node.forms for i, _ in f.terms}
        wanted[0] = {j for j, node in enumerate(self.nodes) if node.kind == "input"}
        return outputs, [sorted(w) for w in wanted]


def unit(form: Form) -> float:
    """What a form is divided by before it enters a gate, so that it fills [-1, 1]."""
    return form.size or 1.0


def deal(signature: tuple[int, ...], groups: int) -> dict[tuple[tuple[int, int], ...], int]:
    """Factors dealt round and round into groups, so that equal groups appear: group -> how many of them.

    A group is ((factor, exponent), ...).
    """
    piles: list[dict[int, int]] = [{} for _ in range(groups)]
    hand = [i for i, r in enumerate(signature) for _ in range(r)]
    for turn, i in enumerate(hand):
        pile = piles[turn % groups]
        pile[i] = pile.get(i, 0) + 1
    out: dict[tuple[tuple[int, int], ...], int] = {}
    for pile in piles:
        key = tuple(sorted(pile.items()))
        out[key] = out.get(key, 0) + 1
    return out


@cache
def best_grouping(signature: tuple[int, ...], depth: int) -> tuple[int, int]:
    """(neurons, groups in the first layer) for a product with these exponents in at most `depth` layers."""
    best = prod(r + 1 for r in signature), 1
    total = sum(signature)
    if depth == 1 or total <= 2:
        return best
    for groups in range(2, total):
        dealt = deal(signature, groups)
        first = sum(prod(r + 1 for _, r in group) if group != ((group[0][0], 1),) else 1 for group in dealt)
        rest = best_grouping(tuple(sorted(dealt.values(), reverse=True)), depth - 1)
        best = min(best, (first + rest[0], groups))
    return best


def _widen(low: float, high: float) -> tuple[float, float]:
    margin = OUTWARD * max(abs(low), abs(high))
    return low - margin, high + margin


def _scaled_bounds(form: Form) -> tuple[float, float]:
    c = float(form.terms[0][1])
    ends = form.low / c, form.high / c
    return _widen(min(ends), max(ends))


def _power(low: float, high: float, r: int) -> tuple[float, float]:
    ends = low**r, high**r
    if r % 2 == 0 and low < 0 < high:
        return 0.0, max(ends)
    return min(ends), max(ends)


def _product_range(forms, exponents):
    low, high = 1.0, 1.0
    for f, r in zip(forms, exponents):
        a, b = _power(f.low, f.high, r)
        corners = low * a, low * b, high * a, high * b
        low, high = min(corners), max(corners)
    return _widen(low, high) if exponents != (1,) else (low, high)


def _abs_range(forms, exponents):
    f = forms[0]
    return (0.0 if f.low < 0 < f.high else min(abs(f.low), abs(f.high))), f.size


_RANGES = {"product": _product_range, "abs": _abs_range, "saw": lambda forms, exponents: (0.0, 1.0)}
