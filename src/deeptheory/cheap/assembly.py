"""From a plan to a certificate, and from a certificate to weights.

Errors travel in units of each value's norm, so every factor of a gate lies in [-1, 1]:
    prod (1 + e_i)^r_i - 1 + the gate's own truncation and rounding
and a weighted sum of k terms adds gamma_(k+1) times the sum of their sizes, whatever the order of summation; zeros in a
dense matrix are added exactly. Truncation alone and the sum of both are carried side by side.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import expm1, inf, log1p
from typing import Any

import numpy as np
import torch

from deeptheory.cheap.gates import Gate, Library, Precision
from deeptheory.cheap.graph import Form, Graph, Node, unit
from deeptheory.cheap.network import Stage, linear


@dataclass(frozen=True)
class Plan:
    """A graph whose outputs lie in the last layer; layers[l]: the nodes of layer l, layer 0 the inputs."""

    graph: Graph
    outputs: tuple[Form, ...]
    layers: tuple[tuple[int, ...], ...]
    strategy: str

    @property
    def depth(self) -> int:
        return len(self.layers) - 1


@dataclass(frozen=True)
class Bound:
    truncation: float
    total: float
    largest_weight: float
    scale: float


@dataclass(frozen=True, eq=False)
class Piece:
    """ReLU neurons that compute their node exactly, up to `roundings` units of rounding."""

    rows: np.ndarray
    biases: np.ndarray
    out: np.ndarray
    lipschitz: float
    roundings: float
    largest_weight: float = 4.0
    scale: float = 1.0

    @property
    def neurons(self) -> int:
        return len(self.out)


def _piece(rows, biases, out, lipschitz, roundings) -> Piece:
    return Piece(np.array(rows, float)[:, None], np.array(biases, float), np.array(out, float), lipschitz, roundings)


PIECES = {
    "abs": _piece([1, -1], [0, 0], [1, 1], 1.0, 0.0),
    "saw": _piece([1, 1], [0, -0.5], [2, -4], 2.0, 6.0),
    "carry": _piece([1, -1], [0, 0], [1, -1], 1.0, 0.0),
    "carry up": _piece([1], [0], [1], 1.0, 0.0),
}


class ReluLibrary:
    """The same door as Library, for plans made of ReLU pieces."""

    scale = "auto"

    def __init__(self, precision: Precision):
        self.precision = precision


def chosen(node: Node, library: Library | ReluLibrary, budget: float) -> Gate | Piece:
    """The gate that makes a node."""
    if isinstance(library, Library):
        return library.gate(node.exponents, budget)
    if node.kind != "product":
        return PIECES[node.kind]
    return PIECES["carry up" if node.forms[0].low >= 0 else "carry"]


def neurons(plan: Plan, library: Library | ReluLibrary) -> int:
    """Hidden units of a plan, before any scale is chosen."""
    count = 0
    for layer in plan.layers[1:]:
        for j in layer:
            node = plan.graph.nodes[j]
            count += (
                library.pattern(node.exponents).neurons
                if isinstance(library, Library)
                else chosen(node, library, 0).neurons
            )
    return count


def measure(plan: Plan, library: Library | ReluLibrary, budget: float) -> Bound:
    """Certified error of the plan when every gate may err by `budget` (or as little as it can, if that is more)."""
    nodes, precision = plan.graph.nodes, library.precision
    errors: dict[int, tuple[float, float]] = dict.fromkeys(plan.layers[0], (0.0, 0.0))
    largest, scale = 1.0, inf
    for layer in plan.layers[1:]:
        for j in layer:
            node = nodes[j]
            gate = chosen(node, library, budget)
            entering = [_affine(f, unit(f), nodes, errors, precision) for f in node.forms]
            largest = max(largest, gate.largest_weight, *(e[2] for e in entering))
            scale = min(scale, gate.scale)
            errors[j] = _through(gate, node.exponents, entering, precision.u)
            if not errors[j][1] < 0.125:  # relative to the value's range: nothing is left of it
                return Bound(inf, inf, largest, scale)
    leaving = [_affine(f, 1.0, nodes, errors, precision) for f in plan.outputs]
    largest = max(largest, *(e[2] for e in leaving))
    if largest > precision.largest:
        return Bound(inf, inf, largest, scale)
    return Bound(max(e[0] for e in leaving), max(e[1] for e in leaving), largest, scale)


def _affine(form: Form, divisor: float, nodes, errors, precision) -> tuple[float, float, float]:
    """Truncation, total error and largest weight of form / divisor."""
    truncation = both = form.error / divisor
    size = abs(float(form.const)) / divisor
    largest, exact = size, len(form.terms) == 1 and not form.const
    for j, c in form.terms:
        weight = abs(float(c * nodes[j].norm)) / divisor
        truncation += weight * errors[j][0]
        both += weight * errors[j][1]
        size += weight * (_stored(nodes[j]) + errors[j][1])
        largest = max(largest, weight)
        exact = exact and weight in (0.5, 1.0, 2.0)
    roundings = 0 if exact else len(form.terms) + 1 + bool(form.const)
    rounding = precision.gamma(roundings) * size + roundings * precision.tiny * (1 + largest)
    return truncation * 1.0000001, (both + rounding) * 1.0000001, largest


def _stored(node: Node) -> float:
    return 1.0 if node.kind != "input" else max(abs(node.low), abs(node.high))


def _through(gate: Gate | Piece, exponents, entering, u: float) -> tuple[float, float]:
    if isinstance(gate, Piece):
        (truncation, both, _) = entering[0]
        return gate.lipschitz * truncation, gate.lipschitz * both + gate.roundings * u * (1 + both)
    truncation = expm1(sum(r * log1p(e[0]) for r, e in zip(exponents, entering)))
    both = expm1(sum(r * log1p(e[1]) for r, e in zip(exponents, entering)))
    own_truncation, own_rounding = _own(gate, _grid(max(e[1] for e in entering)))
    return truncation + own_truncation, both + own_truncation + own_rounding


def _grid(excess: float) -> float:
    """1 + excess rounded up, so that few distinct values need a bound."""
    step = 2.0**-12
    while step < excess:
        step *= 2
    return 1 + step


@lru_cache(maxsize=65536)
def _own(gate: Gate, reach: float) -> tuple[float, float]:
    return gate.truncation(reach), gate.rounding(reach)


def mildest(plan: Plan, library: Library | ReluLibrary, tolerance: float) -> tuple[float, Bound]:
    """The largest budget a gate (so the smallest weights) whose certificate is within tolerance; else the least error."""
    best = measure(plan, library, 0.0)
    if best.total > tolerance or library.scale != "auto" or isinstance(library, ReluLibrary):
        return 0.0, best
    low, high = 0.0, tolerance
    found = 0.0, best
    budget = high
    for _ in range(40):
        bound = measure(plan, library, budget)
        if bound.total <= tolerance:
            found, low = (budget, bound), budget
            break
        high, budget = budget, budget / 4
    for _ in range(4 if low else 0):  # a quarter octave is as fine as the scales are
        middle = (low * high) ** 0.5
        bound = measure(plan, library, middle)
        if bound.total <= tolerance:
            found, low = (middle, bound), middle
        else:
            high = middle
    return found


def build(plan: Plan, library: Library | ReluLibrary, budget: float, dtype: torch.dtype, activation: Any):
    """The hidden layers and the output layer, weights set."""
    stages, previous = [], plan.layers[0]
    nodes = plan.graph.nodes
    for layer in plan.layers[1:]:
        column = {j: i for i, j in enumerate(previous)}
        gates = [chosen(nodes[j], library, budget) for j in layer]
        factors: dict[tuple, int] = {}
        forms: list[Form] = []
        width = sum(g.neurons for g in gates)
        entries, bias, collect, start = [], np.zeros(width), np.zeros((len(layer), width)), 0
        for i, (j, gate) in enumerate(zip(layer, gates)):
            stop = start + gate.neurons
            for axis, form in enumerate(nodes[j].forms):
                key = (form.terms, form.const, unit(form))
                if key not in factors:
                    factors[key] = len(forms)
                    forms.append(form)
                entries.append((start, stop, factors[key], gate.rows[:, axis]))
            bias[start:stop] = gate.biases if isinstance(gate, Piece) else gate.bias
            collect[i, start:stop] = gate.out
            start = stop
        spread = np.zeros((width, len(forms)))
        for first, last, factor, rows in entries:
            spread[first:last, factor] += rows
        gather = linear(*_rows(forms, [unit(f) for f in forms], column, nodes), dtype)
        stages.append(Stage(gather, linear(spread, bias, dtype), linear(collect, None, dtype), activation))
        previous = layer
    column = {j: i for i, j in enumerate(previous)}
    return stages, linear(*_rows(plan.outputs, [1.0] * len(plan.outputs), column, nodes), dtype)


def _rows(forms, divisors, column, nodes):
    weight, bias = np.zeros((len(forms), len(column))), np.zeros(len(forms))
    for i, (form, divisor) in enumerate(zip(forms, divisors)):
        exact = Fraction(divisor)
        bias[i] = float(form.const / exact)
        for j, c in form.terms:
            weight[i, column[j]] = float(c * nodes[j].norm / exact)
    return weight, bias
