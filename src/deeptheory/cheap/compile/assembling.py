"""From layers to numbers: a scale for every gate, the weights, and the certificate that follows from them.

Errors run from wire to wire: a gate passes on prod (|u| + e) - prod |u|, adds its truncation on the widened range, what
its weights' rounding does, and what its arithmetic loses; a wire adds up |coefficient| times those and its own sum's
rounding. Scales start large (small weights) and shrink only as far as the tolerance asks, most where the output feels
it most.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np

from deeptheory.cheap.compile.activations import Activation, own_function
from deeptheory.cheap.compile.designs import Design, Own, best_bias, best_scale, scaled
from deeptheory.cheap.compile.layouts import Cell, Layout, Wire
from deeptheory.cheap.compile.rounding import TINY, gamma, is_power_of_two, short
from deeptheory.cheap.compile.stencils import Stencil, stencil
from deeptheory.core.errors import InputError

_WIDEST = (
    32.0  # of a unit's argument: errors that reach farther are beyond use, and bounds over so wide a range take minutes
)
_FINEST = 60  # halvings of the truncation that a gate may have


@dataclass(frozen=True)
class Block:
    """One hidden layer as numbers: units = act(inner x + bias); wires = outer units + constant."""

    inner: np.ndarray
    bias: np.ndarray
    outer: np.ndarray
    constant: np.ndarray


@dataclass(frozen=True)
class Bound:
    """By output: what truncation alone can do, and everything together."""

    truncation: np.ndarray
    total: np.ndarray


class Assembly:
    """A layout with an activation, at some precision; .designs are chosen by .fit(tolerance)."""

    def __init__(self, plan: Layout, activation: Activation, inputs: Sequence[float], bits: int):
        self.layout, self.activation, self.bits = plan, activation, bits
        self.inputs = np.asarray(inputs, dtype=np.float64)  # bound of |x_i|
        self.sizes = [np.array([w.size for w in ws]) for ws in (plan.entry, *plan.wires)]
        self.entry = np.zeros((len(plan.entry), len(self.inputs)))
        self.entry_constant = np.array([float(w.constant) for w in plan.entry])
        for k, w in enumerate(plan.entry):
            for i, c in w.parts:
                self.entry[k, i] = float(c)
        self.frames = [
            [_frame(activation, c.exponents, bits) if c.reach is None else _OWN for c in cells] for cells in plan.cells
        ]
        self.coefficients = [[[(g, float(c)) for g, c in w.parts] for w in ws] for ws in plan.wires]
        self.designs: list[list[Design | Own]] = []

    @property
    def neurons(self) -> int:
        """Hidden units, of all layers."""
        return sum(len(grid.units) for frames in self.frames for grid, _, _ in frames)

    def finest(self) -> Bound:
        """The bound with every gate at its own best scale: the least that this layout reaches."""
        self.designs = self._designed(_FINEST, 0.0, self._sensitivities())
        return self.bound()

    def fit(self, tolerance: np.ndarray) -> Bound:
        """Scales as large as the tolerance (by output) allows; those of .finest() must meet it."""
        felt = self._sensitivities()
        least = float(tolerance.min())
        low, high = 0, _FINEST  # halvings: at `high` it is met
        while low < high:
            middle = (low + high) // 2
            self.designs = self._designed(middle, least, felt)
            low, high = (low, middle) if bool((self.bound().total <= tolerance).all()) else (middle + 1, high)
        self.designs = self._designed(high, least, felt)
        found = self.bound()
        if not bool((found.total <= tolerance).all()):
            found = self.finest()
        return found

    def _designed(self, halvings: int, tolerance: float, felt: list[list[float]]) -> list[list[Design | Own]]:
        out = []
        for t, cells in enumerate(self.layout.cells):
            size = self.sizes[t]
            out.append(
                [
                    self._design(c, f, size[list(c.wires)], s, tolerance * 2.0**-halvings)
                    for c, f, s in zip(cells, self.frames[t], felt[t])
                ]
            )
        return out

    def _design(self, cell: Cell, frame: "Frame", size: np.ndarray, felt: float, share: float) -> Design | Own:
        """The gate whose truncation, as the output feels it, is about that share; never finer than its own best."""
        if cell.reach is not None:
            return Own(self.activation, own_function(self.activation), cell.reach, self.bits)
        grid, bias, best = frame
        scale = best
        if share > 0 and not _exact(self.activation, grid, bias):
            per = (
                _curvature(self.activation, grid, bias, self.bits)
                * math.prod(float(x) ** r for x, r in zip(size, cell.exponents))
                * felt
            )
            scale = min(1.0, max(best, math.sqrt(share / per))) if per > 0 else 1.0
        return Design(self.activation, grid, bias, scaled(scale, size), self.bits)

    def _sensitivities(self) -> list[list[float]]:
        """How much the outputs feel an error of each gate, to first order; the sum over outputs."""
        felt: list[list[float]] = []
        wires = np.ones(len(self.layout.wires[-1])) if self.layout.wires else np.ones(0)
        for t in range(self.layout.depth - 1, -1, -1):
            cells, size = self.layout.cells[t], self.sizes[t]
            gates = np.zeros(len(cells))
            for w, parts in zip(wires, self.coefficients[t]):
                for g, c in parts:
                    gates[g] += abs(c) * w
            before = np.zeros(len(size))
            for g, cell in zip(gates, cells):
                x, r = size[list(cell.wires)], np.array(cell.exponents)
                for k, i in enumerate(cell.wires):
                    others = np.prod(np.delete(x, k) ** np.delete(r, k))
                    before[i] += g * r[k] * x[k] ** (r[k] - 1) * others
            felt.append(gates.tolist())
            wires = before
        return felt[::-1]

    def bound(self) -> Bound:
        """Errors from wire to wire, with the designs as they are."""
        off = cut = np.zeros(len(self.layout.entry))
        for t, cells in enumerate(self.layout.cells):
            size = self.sizes[t]
            lost = [self._gate_errors(t, c, d, size, off, cut) for c, d in zip(cells, self.designs[t])]
            off, cut = self._wire_errors(t, lost)
        if not self.layout.cells:
            gross = np.abs(self.entry) @ self.inputs + np.abs(self.entry_constant)
            rounds = np.array([_roundings(w, self.bits) for w in self.layout.entry])
            off = gamma(rounds, self.bits) * gross + (rounds > 0) * TINY[self.bits] * (1 + len(self.inputs) + gross)
        return Bound(cut * (1 + 1e-12), off * (1 + 1e-12))

    def _gate_errors(self, t: int, cell: Cell, made: Design | Own, size: np.ndarray, off: np.ndarray, cut: np.ndarray):
        at = list(cell.wires)
        x, e, c = size[at], off[at], cut[at]
        if isinstance(made, Own):
            slope, widest = made.over(float(e[0]))
            truncation, through, through_cut = 0.0, slope * float(e[0]), slope * float(c[0])
        elif not float((np.abs(made.weights) @ (x + e)).max(initial=0.0)) <= _WIDEST:
            return (np.inf,) * 5
        else:
            truncation = made.truncation(x + e)
            _, through = _product(x, e, cell.exponents)
            _, through_cut = _product(x, c, cell.exponents)
            widest, _ = _product(x + e, 0 * e, cell.exponents)
        w = np.abs(made.weights)
        if t:
            reach = w @ (x + e)
            gross = reach + abs(made.bias)
            wide = (w != 0).sum(1) - 1 + (made.bias != 0) + (~(is_power_of_two(w) | (w == 0))).any(1)
        else:
            seen = np.abs(self.entry[at])
            reach, gross = w @ x, w @ (seen @ self.inputs + np.abs(self.entry_constant[at])) + abs(made.bias)
            plain = (
                bool(((seen == 0) | (seen == 1)).all())
                and not self.entry_constant[at].any()
                and len(at) == int((seen != 0).sum())
            )
            summands = (w @ (seen != 0) != 0).sum(1)
            wide = (
                summands - 1 + (made.bias != 0) + ((~(is_power_of_two(w) | (w == 0))).any(1) if plain else 3 + len(at))
            )
        if isinstance(made, Own):
            units, summed, constant, values = made.losses(float(e[0]), float(gross[0]), float(wide[0]))
        else:
            units, summed, constant, values = made.losses(reach, gross, wide)
        own = truncation + made.weight_error() * (widest + truncation) + units
        return through + own, through_cut + truncation, summed, constant, values

    def _wire_errors(self, t: int, lost: list) -> tuple[np.ndarray, np.ndarray]:
        off, cut = [], []
        units = [len(d.stencil.units) for d in self.designs[t]]
        for w, parts in zip(self.layout.wires[t], self.coefficients[t]):
            terms = sum(units[g] for g, _ in parts) + 1
            each, fixed = float(gamma(terms + 1, self.bits)), float(gamma(terms + 5, self.bits))
            plain = not parts and _roundings(w, self.bits) == 0  # a constant that the dtype holds
            e = 0.0 if plain else fixed * abs(float(w.constant))
            e += TINY[self.bits] * (terms + sum(lost[g][4] for g, _ in parts)) * (not plain)
            e += sum(abs(c) * (lost[g][0] + each * lost[g][2] + fixed * lost[g][3]) for g, c in parts)
            off.append(e)
            cut.append(sum(abs(c) * lost[g][1] for g, c in parts))
        return np.nan_to_num(off, nan=np.inf, posinf=np.inf), np.nan_to_num(cut, nan=np.inf, posinf=np.inf)

    def blocks(self) -> list[Block]:
        """The weights. InputError: one that overflows is left to the caller, who knows the dtype."""
        out = []
        for t, (cells, designs) in enumerate(zip(self.layout.cells, self.designs)):
            before = len(self.sizes[t])
            counts = [len(d.stencil.units) for d in designs]
            first = np.concatenate([[0], np.cumsum(counts)]).astype(int)
            inner, bias = np.zeros((first[-1], before)), np.zeros(first[-1])
            for k, (cell, d) in enumerate(zip(cells, designs)):
                inner[first[k] : first[k + 1], list(cell.wires)] = d.weights
                bias[first[k] : first[k + 1]] = d.bias
            if t == 0:
                bias = bias + inner @ self.entry_constant
                inner = inner @ self.entry
            wires = self.layout.wires[t]
            outer, constant = np.zeros((len(wires), first[-1])), np.array([float(w.constant) for w in wires])
            for i, parts in enumerate(self.coefficients[t]):
                for g, c in parts:
                    d = designs[g]
                    factor = d.shortened(c * d.factor)
                    outer[i, first[g] : first[g + 1]] = [factor * float(s) for s in d.stencil.signs]
                    if d.has_constant:
                        constant[i] += factor * d.stencil.constant * d.activation.derivative(0, d.bias)
            out.append(Block(inner, bias, outer, constant))
        return out


def _roundings(wire: Wire, bits: int) -> int:
    """Roundings that a summand of a plain sum meets, weights included; none for a constant that the dtype holds."""
    numbers = [c for _, c in wire.parts]
    held = all(Fraction(short(float(c), bits)) == c and not 0 < abs(c) < TINY[bits] for c in (*numbers, wire.constant))
    sums = max(len(numbers) - 1, 0) + (bool(numbers) and wire.constant != 0)
    return sums + (not all(is_power_of_two(float(c)) and abs(c) >= 1 for c in numbers)) + 2 * (not held)


Frame = tuple[Stencil, float, float]  # stencil, bias, best scale
_OWN: Frame = Own.stencil, 0.0, 1.0


@lru_cache(maxsize=1024)
def _frame(activation: Activation, exponents: tuple[int, ...], bits: int) -> Frame:
    bias = best_bias(activation, exponents, bits)
    grid = stencil(exponents, activation.parity(bias))
    return grid, bias, best_scale(activation, exponents, bias, bits)


@lru_cache(maxsize=1024)
def _curvature(activation: Activation, grid: Stencil, bias: float, bits: int) -> float:
    """Truncation of the gate for inputs of size 1, divided by the square of a small scale."""
    one, small = np.ones(len(grid.exponents)), 2.0**-10
    return Design(activation, grid, bias, small * one, bits).truncation(one) / small**2


def _exact(activation: Activation, grid: Stencil, bias: float) -> bool:
    return activation.reflects and bias == 0 and grid.degree == 1


def _product(x: np.ndarray, e: np.ndarray, exponents: Sequence[int]) -> tuple[float, float]:
    """prod x^r, and prod (x + e)^r - prod x^r without cancellation."""
    p, d = 1.0, 0.0
    for v, o, r in zip(x.tolist(), e.tolist(), exponents):
        for _ in range(r):
            d = d * (v + o) + p * o
            p *= v
    return p, d


def check_weights(blocks: Sequence[Block], largest: float, dtype: Any) -> float:
    """The largest weight. InputError: above what the dtype holds."""
    most = max(
        (float(np.abs(a).max(initial=0.0)) for b in blocks for a in (b.inner, b.bias, b.outer, b.constant)), default=0.0
    )
    if not most < largest:
        raise InputError(
            f"the largest weight would be {most:.3g}, above what {dtype} holds ({largest:.2g}); allow more layers, a "
            "smaller domain or a larger tolerance"
        )
    return most
