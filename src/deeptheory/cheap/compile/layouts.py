"""From a graph to hidden layers: which gates stand in which, what is carried through, and which sums lie between.

Between two layers lie wires: sums that the next layer's gates look at. They are linear, so that they cost no neuron;
folded into the weights they would cost digits (every layer would magnify rounding by 1 / scale). What a later layer
needs of an earlier one is carried by identity gates, added up first where that takes fewer of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from deeptheory.cheap.compile.graphs import Graph, Node, Value, total
from deeptheory.cheap.compile.plans import Plan


@dataclass(frozen=True)
class Wire:
    """A sum between layers: what its compiled value is at most, and how it is added up.

    parts: (index of a gate of the layer, coefficient). At the entry of the network the indices are inputs.
    """

    size: float
    constant: Fraction
    parts: tuple[tuple[int, Fraction], ...]


@dataclass(frozen=True)
class Cell:
    """A gate of a layer: exponents of the wires that it reads. carries: it is an identity. reach: it is one neuron
    whose activation is the function asked for, and its argument lies there."""

    wires: tuple[int, ...]
    exponents: tuple[int, ...]
    carries: bool = False
    reach: tuple[float, float] | None = None


@dataclass(frozen=True)
class Layout:
    """entry: sums of the inputs. cells[k], wires[k]: gates of hidden layer k + 1, and the sums behind it."""

    entry: tuple[Wire, ...]
    cells: tuple[tuple[Cell, ...], ...]
    wires: tuple[tuple[Wire, ...], ...]

    @property
    def depth(self) -> int:
        """Hidden layers."""
        return len(self.cells)


def layout(plan: Plan, depth: int | None = None) -> Layout:
    """The layers of a plan; depth: how many, at least those that it needs (more carry the outputs on)."""
    return _Layers(plan.graph).lay_out(plan.outputs, max(plan.depth, depth or 0))


class _Layers:
    def __init__(self, graph: Graph):
        self.graph = graph
        self._flat: dict[Value, Value] = {}
        self._size: dict[Value, float] = {}

    def flat(self, value: Value) -> Value:
        """The value as a sum of inputs and gates."""
        if value not in self._flat:
            parts = [(Fraction(1), Value(value.constant))]
            for n, c in value.terms:
                inner = self.graph.nodes[n].value
                parts.append((c, self.flat(inner) if inner is not None else Value(Fraction(0), ((n, Fraction(1)),))))
            self._flat[value] = total(parts)
        flat = self._flat[value]
        low, high, slack = self.graph.bounds(value)
        size = (max(abs(low), abs(high)) + slack) * (1 + 2.0**-50)
        self._size[flat] = min(size, self._size.get(flat, size))
        return flat

    def lay_out(self, outputs: Sequence[Value], depth: int) -> Layout:
        wanted: list[list[Value]] = [[] for _ in range(depth + 1)]
        wanted[depth] = [self.flat(v) for v in outputs]
        cells: list[tuple[Cell, ...]] = []
        wires: list[tuple[Wire, ...]] = []
        for t in range(depth, 0, -1):
            nodes = sorted({n for v in wanted[t] for n, _ in v.terms if self.graph.nodes[n].level == t})
            carried = self._carried(wanted[t], t)
            before: dict[Value, int] = {}
            made: list[Cell] = []
            for n in nodes:
                factors = [(self.flat(v), r) for v, r in self.graph.nodes[n].factors]
                at_wires = tuple(before.setdefault(v, len(before)) for v, _ in factors)
                made.append(Cell(at_wires, tuple(r for _, r in factors), reach=self._reach(self.graph.nodes[n])))
            made += [Cell((before.setdefault(self.flat(v), len(before)),), (1,), carries=True) for v in carried]
            at = {n: k for k, n in enumerate(nodes)}
            wires.append(tuple(self._wire(v, t, at, carried, len(nodes)) for v in wanted[t]))
            cells.append(tuple(made))
            wanted[t - 1] = list(before)
        entry = tuple(Wire(self._size[v], v.constant, v.terms) for v in wanted[0])
        return Layout(entry, tuple(cells[::-1]), tuple(wires[::-1]))

    def _reach(self, node: Node) -> tuple[float, float] | None:
        if node.kind != "unit":
            return None
        low, high, slack = self.graph.bounds(node.factors[0][0])
        return low - slack * (1 + 2.0**-50), high + slack * (1 + 2.0**-50)

    def _older(self, v: Value, t: int) -> Value:
        return Value(Fraction(0), tuple((n, c) for n, c in v.terms if self.graph.nodes[n].level < t))

    def _carried(self, wanted: Sequence[Value], t: int) -> list[Value]:
        """What layer t carries: the older parts of all sums, or the nodes in them, whichever are fewer."""
        older = [self._older(v, t) for v in wanted]
        sums = list(dict.fromkeys(v.scaled(1 / v.terms[0][1]) for v in older if v.terms))
        nodes = sorted({n for v in older for n, _ in v.terms})
        if len(nodes) < len(sums):
            return [Value(Fraction(0), ((n, Fraction(1)),)) for n in nodes]
        return sums

    def _wire(self, v: Value, t: int, at: dict[int, int], carried: Sequence[Value], first: int) -> Wire:
        parts = [(at[n], c) for n, c in v.terms if n in at]
        older = self._older(v, t)
        if older.terms:
            lead = older.terms[0][1]
            unit = older.scaled(1 / lead)
            if unit in carried:
                parts.append((first + carried.index(unit), lead))
            else:
                where = {u.terms[0][0]: k for k, u in enumerate(carried)}
                parts += [(first + where[n], c) for n, c in older.terms]
        return Wire(self._size[v], v.constant, tuple(parts))
