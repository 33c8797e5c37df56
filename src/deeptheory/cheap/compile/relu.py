"""ReLU, by a route of its own: squares from sawtooth functions, products from squares.

Source: Yarotsky 2017, propositions 2 and 3. With g the tent of [0, 1] and g_s its s-fold iterate,
x - sum_{s <= m} g_s(x) / 4^s lies in [x^2, x^2 + 4^-(m+1)], and uv = p^2 - q^2 with p = |u + v| / 2, q = |u - v| / 2.
So a product to accuracy eps takes about log4(1/eps) layers of five neurons: no fixed size does for every eps, as it
does for smooth activations, but weights stay small and rounding with them. That it takes so many is Telgarsky's count
of pieces: see relu_count.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from deeptheory.cheap.compile.activations import RELU
from deeptheory.cheap.compile.assembling import Block, check_weights
from deeptheory.cheap.compile.building import as_written
from deeptheory.cheap.compile.certificates import Certificate, bits_needed
from deeptheory.cheap.compile.expansions import FINEST
from deeptheory.cheap.compile.layouts import Cell, Layout, layout
from deeptheory.cheap.compile.network import CompiledNetwork
from deeptheory.cheap.compile.plans import Plan
from deeptheory.cheap.compile.problem import Problem, ToleranceError, refinements, scale_of
from deeptheory.cheap.compile.rounding import gamma, precision
from deeptheory.cheap.counting.counts import Count
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole

MOST_TEETH = 40
_SHIFT = 2.0  # of what is carried, over its scale: a wire may be a little larger than that


def relu_count(tolerance: float, depth: int | None = None) -> Count:
    """ReLU neurons to square a number of [0, 1] within `tolerance`: pieces needed against pieces that neurons make.

    depth: hidden layers; None: any. Bounds of the number, see Count; no fixed size does for every tolerance.

    One hidden layer of w units comes as near as 1 / (2 (2 w + 1)^2) and no nearer: w kinks make w + 1 pieces, of length
    sqrt(8 tolerance) at most; but a rising first piece would need a slope that no unit with a kink inside gives (the
    jumps are all above 0, the first slope is 0 or minus some of them), so it is level and half as long; a unit that
    gives it costs a kink. Deeper: a line is off by at least h^2 / 8 on length h and a layer of w units multiplies
    pieces by w + 1 at most (Telgarsky 2016). Upper: the one layer, carried on, or the sawtooth construction (Yarotsky
    2017).
    InputError: tolerance outside (0, 1/8), or depth no integer of 1 or more.
    """
    check_number(tolerance=tolerance)
    if not (isinstance(tolerance, (int, float)) and 0 < tolerance < 0.125):
        raise InputError(f"tolerance is {tolerance}; needed: between 0 and 1/8, which a line reaches")
    if depth is not None:
        check_whole(depth=(depth, 1))
    flat = max(1, math.ceil((1 / math.sqrt(2 * tolerance) * (1 - 1e-12) - 1) / 2))
    pieces = math.ceil(1 / math.sqrt(8 * tolerance) * (1 - 1e-12))
    teeth = max(1, math.ceil(-math.log(tolerance, 4) - 1 - 1e-12))
    saw = 2 + 3 * (teeth - 1)
    if depth == 1:
        low = high = flat
    elif depth is None:
        low = min(flat, max(1 + (flat > 1), math.ceil(math.log2(pieces) - 1e-12)))  # one unit alone is one layer
        high = min(saw, flat)
    else:
        width, wide = 1, max(1, pieces)  # the least width with (width + 1)^depth >= pieces, by bisection
        while width < wide:
            middle = (width + wide) // 2
            width, wide = (middle + 1, wide) if (middle + 1) ** depth < pieces else (width, middle)
        low = next(width * depth - k for k in range(depth, -1, -1) if (width + 1) ** (depth - k) * width**k >= pieces)
        low = max(low, depth)
        high = min(flat + depth - 1, saw + depth - teeth if depth >= teeth else flat + depth - 1)
    how = (
        f"one layer of {flat}" + ", carried on" * (depth not in (None, 1))
        if high != saw or depth == 1
        else f"sawtooth in {teeth} layers"
    )
    why = (
        f"one layer of {flat - 1} is off by {1 / (2 * (2 * flat - 1) ** 2):.3g} or more"
        if depth == 1
        else f"{pieces} pieces are needed and a layer of w units multiplies them by w + 1 at most"
    )
    return Count(
        lower=low,
        upper=high,
        lower_uniform=low,
        convention="relu",
        depth=depth,
        synapses=3 * high,
        degree=2,
        largest_group=2,
        proof=f"at least {low}: {why}; at most {high}: {how}",
    )


def compile_relu(
    problem: Problem,
    domain: dict[str, tuple[float, float]],
    tolerance: float,
    dtype: torch.dtype,
    *,
    depth: int | None,
    said: dict,
) -> CompiledNetwork:
    """The network of ReLU neurons; the entry point is compile_polynomial(..., activation="relu")."""
    name, bits, largest = precision(dtype)
    found = _search(problem, tolerance, depth)
    if found is None or found.total > tolerance:
        limit = "" if depth is None else f" with {depth} hidden layers"
        limit += "" if found else ", in which the formula does not fit"
        found = _settled(problem, found, depth) if found else _settled(problem, _search(problem, tolerance, None), None)
        raise ToleranceError(
            f"tolerance {tolerance:.3g} is out of reach for relu in {name}{limit}; the best reachable is "
            f"{found.total!r} with {found.layers} hidden layers: raise the "
            f"tolerance{' or the depth' * (depth is not None)}",
            found.total,
            found.layers,
        )
    saw, teeth, plan = found.saw, found.teeth, found.plan
    cut, off = saw.errors(teeth)
    slack, outputs = found.slack, len(said["expressions"])
    blocks = saw.blocks(teeth)
    made = len(blocks)
    if depth is not None and not blocks:
        first = _carried(outputs, saw.outputs + off)
        blocks.append(Block(saw.affine[0], saw.affine[1] + first.bias, first.outer, first.constant))
    while depth is not None and len(blocks) < depth:
        blocks.append(_carried(outputs, saw.outputs + off))
    off = off + (len(blocks) - made) * 12 * 2.0**-bits * (saw.outputs + off)
    affine = None if blocks else saw.affine
    most = check_weights(blocks or [Block(*saw.affine, *saw.affine)], largest, name)
    worst = int(np.argmax(off + slack))
    truncation = float(cut[worst] + slack[worst])
    rounding = float(off[worst] + slack[worst]) - truncation
    certificate = Certificate(
        truncation=truncation,
        rounding=rounding,
        total=truncation + rounding,
        outputs=tuple(float(v) for v in off + slack),
        domain=domain,
        largest_weight=most,
        dtype=name,
        bits=bits_needed(truncation, rounding, bits),
    )
    return CompiledNetwork(
        blocks, affine, activation=RELU, dtype=dtype, **said, expansions=plan.expansions, certificate=certificate
    )


@dataclass(frozen=True)
class _Found:
    """The certificate's total, what has it, and its layers."""

    total: float
    layers: int
    saw: "_Sawtooth"
    teeth: int
    slack: np.ndarray
    plan: Plan


def _search(problem: Problem, tolerance: float, depth: int | None) -> _Found | None:
    """The first that meets the tolerance, or the best; None where none fits in that depth."""
    best = None
    for plan in refinements(
        lambda errors: as_written(problem.expressions, problem.names, problem.box, 2, errors), tolerance, "relu"
    ):
        slack = np.array([plan.graph.bounds(v)[2] for v in plan.outputs])
        if slack.max(initial=0.0) > max(tolerance, FINEST * scale_of(plan)):
            continue
        saw = _Sawtooth(layout(plan), problem.sizes, problem.bits)
        for teeth in range(1, MOST_TEETH + 1):
            if depth is not None and saw.depth(teeth) > depth:
                break
            with np.errstate(all="ignore"):
                _, off = saw.errors(teeth)
            total = float((off + slack).max(initial=0.0))
            if not math.isfinite(total):
                continue
            total += _carrying(saw, teeth, depth, off, problem.bits)
            if best is None or total < best.total:
                best = _Found(total, saw.depth(teeth), saw, teeth, slack, plan)
            if total <= tolerance:
                return _Found(total, saw.depth(teeth), saw, teeth, slack, plan)
        if best is not None and slack.max(initial=0.0) < 0.02 * best.total:
            break
    return best


def _carrying(saw: "_Sawtooth", teeth: int, depth: int | None, off: np.ndarray, bits: int) -> float:
    """What layers that only carry the outputs on add."""
    more = max((depth or 0) - saw.depth(teeth), 0)
    return float((more * 12 * 2.0**-bits * (saw.outputs + off)).max(initial=0.0))


def _settled(problem: Problem, found: _Found | None, depth: int | None) -> _Found:
    """How functions are expanded depends on the tolerance: a value that is then met."""
    if found is None:
        raise InputError(
            f"{', '.join(map(str, problem.expressions))} is not expanded finely enough on this domain; narrow it"
        )
    for _ in range(8):
        again = _search(problem, found.total, depth)
        if again is None or found.total * 0.98 <= again.total <= found.total:
            break
        if again.total < found.total:
            more = _search(problem, again.total, depth)
            if more is None or more.total > again.total:
                break
        found = again
    return found


def _carried(n: int, size: np.ndarray) -> Block:
    """One more layer that carries the outputs."""
    shift = 2.0 ** np.ceil(np.log2(np.maximum(size, 2.0**-100)) + 1)
    return Block(np.eye(n), shift, np.eye(n), -shift)


def _overshot(d):
    """How far below (1 + d)^2 the sawtooth function is at 1 + d: x^2 is replaced by 1 + 3 d / 2 there."""
    return d / 2 + d * d


class _Sawtooth:
    """A layout made of ReLU layers: for each layer of gates one that takes absolute values and `teeth` that saw."""

    def __init__(self, plan: Layout, inputs: Sequence[float], bits: int):
        self.layout, self.bits, self.u = plan, bits, 2.0**-bits
        self.inputs = np.asarray(inputs, dtype=np.float64)
        self.sizes = [np.array([w.size for w in ws]) for ws in (plan.entry, *plan.wires)]
        self.outputs = self.sizes[-1]
        self.entry = np.zeros((len(plan.entry), len(self.inputs)))
        for k, w in enumerate(plan.entry):
            for i, c in w.parts:
                self.entry[k, i] = float(c)
        self.affine = self.entry, np.array([float(w.constant) for w in plan.entry])
        self.scales: list[np.ndarray] = []

    def depth(self, teeth: int) -> int:
        return self.layout.depth * (teeth + 1)

    def errors(self, teeth: int) -> tuple[np.ndarray, np.ndarray]:
        """Truncation, and everything together, by output; sets the scales that the weights are made with."""
        gross = np.abs(self.entry) @ self.inputs + np.abs(self.affine[1])
        seen = (self.entry != 0).sum(1)
        off = gamma(seen + seen.max(initial=0) + 4, self.bits) * gross  # two wires are added up in one sum
        cut = np.zeros(len(off))
        self.scales = []
        for t, cells in enumerate(self.layout.cells):
            size = self.sizes[t]
            scale = self._scale(size, off, teeth)
            self.scales.append(scale)
            lost = [self._cell(c, teeth, size, off, cut, scale) for c in cells]
            new_off, new_cut = [], []
            for w in self.layout.wires[t]:
                parts = [(g, abs(float(c))) for g, c in w.parts]
                rounds = float(gamma(8 * len(parts) + 4, self.bits))
                e = rounds * abs(float(w.constant))
                new_off.append(e + sum(c * (lost[g][0] + rounds * lost[g][2]) for g, c in parts))
                new_cut.append(sum(c * lost[g][1] for g, c in parts))
            off, cut = np.array(new_off), np.array(new_cut)
        return cut * (1 + 1e-12), off * (1 + 1e-12)

    def _scale(self, size: np.ndarray, off: np.ndarray, teeth: int) -> np.ndarray:
        """Powers of two that wires are divided by: up to them, or a little beyond where that costs less
        than a tooth."""
        widest = np.maximum(size + off, 2.0**-100)
        scale = 2.0 ** np.floor(np.log2(widest))
        return np.where(_overshot(widest / scale - 1) <= 4.0 ** -(teeth + 1), scale, 2 * scale)

    def _cell(self, cell: Cell, teeth: int, size: np.ndarray, off: np.ndarray, cut: np.ndarray, scale: np.ndarray):
        at = list(cell.wires)
        s, x, e, c = scale[at], size[at], off[at], cut[at]
        if cell.carries or cell.reach:  # relu(w) or relu(w + s) - s, and once more at every tooth
            return float(e[0]) + (teeth + 1) * 6 * self.u * float(4 * s[0]), float(c[0]), float(6 * s[0])
        if cell.exponents == (2,):
            a = b = 0
        else:
            a, b = 0, 1
        whole = float(s[a] * s[b])
        through = float(x[a] * e[b] + x[b] * e[a] + e[a] * e[b])
        through_cut = float(x[a] * c[b] + x[b] * c[a] + c[a] * c[b])
        beyond = float(np.max(_overshot(np.maximum((x + e) / s - 1, 0))))
        truncation = 4.0 ** -(teeth + 1) + beyond
        return through + whole * (truncation + self._noise(teeth)), through_cut + whole * truncation, 8 * whole

    def _noise(self, teeth: int) -> float:
        """Rounding of p^2 - q^2 for p, q in [0, 1]: a tent doubles what came and adds its own;
        weights are powers of two."""
        u = self.u
        tent, total = 8 * u, 16 * u  # p or q: sums of two halves, and the two together
        for s in range(1, teeth + 1):
            tent = 2 * tent + 6 * u + 4 * float(gamma(3, self.bits))
            total += 2 * tent * 4.0**-s + (6 + 8 * 4.0**-s) * float(gamma(8, self.bits)) + 8 * u
        return total

    def blocks(self, teeth: int) -> list[Block]:
        out: list[Block] = []
        for t, cells in enumerate(self.layout.cells):
            out += self._layer(t, cells, teeth)
        return out

    def _layer(self, t: int, cells: Sequence[Cell], teeth: int) -> list[Block]:
        """Blocks of one layer of gates. Wires inside: p (and q) of every gate, then carried values."""
        scale = self.scales[t]
        chains: list[tuple[int, float]] = []  # (cell, +1 for p, -1 for q)
        rows, bias, units_of = [], [], []
        for k, cell in enumerate(cells):
            if cell.carries or cell.reach:
                row = np.zeros(len(scale))
                row[cell.wires[0]] = 1 / scale[cell.wires[0]]
                rows.append(row)
                bias.append(_SHIFT if cell.carries else 0.0)
                units_of.append((k, "carry" if cell.carries else "ramp"))
                continue
            signs = (1.0,) if cell.exponents == (2,) else (1.0, -1.0)
            for sign in signs:
                row = np.zeros(len(scale))
                if len(signs) == 1:
                    row[cell.wires[0]] = 1 / scale[cell.wires[0]]
                else:
                    row[cell.wires[0]], row[cell.wires[1]] = (
                        0.5 / scale[cell.wires[0]],
                        sign * 0.5 / scale[cell.wires[1]],
                    )
                rows += [row, -row]
                bias += [0.0, 0.0]
                units_of += [(len(chains), "chain")] * 2
                chains.append((k, sign))
        inner, shift = np.array(rows).reshape(-1, len(scale)), np.array(bias)
        if t == 0:
            shift = shift + inner @ self.affine[1]
            inner = inner @ self.entry
        carries = [k for k, c in enumerate(cells) if c.carries or c.reach]
        outer, constant = np.zeros((len(chains) + len(carries), len(rows))), np.zeros(len(chains) + len(carries))
        for j, (which, kind) in enumerate(units_of):
            row = which if kind == "chain" else len(chains) + carries.index(which)
            outer[row, j] = 1.0
            if kind == "carry":
                constant[row] = -_SHIFT
        blocks = [Block(inner, shift, outer, constant)]
        gates = [k for k in range(len(cells)) if k not in carries]
        for s in range(1, teeth + 1):
            blocks.append(self._tooth(s, chains, gates, len(carries), last=s == teeth))
        blocks[-1] = self._finish(t, cells, blocks[-1], gates, carries)
        return blocks

    def _tooth(
        self, s: int, chains: Sequence[tuple[int, float]], gates: Sequence[int], carried: int, last: bool
    ) -> Block:
        """One tooth. In: the chains' g, from the second on a sum a gate, carried values. Out: the same."""
        sums = len(gates) if s > 1 else 0
        n_in, n = len(chains) + sums + carried, len(chains)
        units = 2 * n + sums + carried
        inner, bias = np.zeros((units, n_in)), np.zeros(units)
        for i in range(n):
            inner[2 * i, i] = inner[2 * i + 1, i] = 1.0
            bias[2 * i + 1] = -0.5
        for k in range(sums + carried):
            inner[2 * n + k, n + k] = 1.0
            bias[2 * n + k] = _SHIFT
        keep = 0 if last else n
        outer, constant = np.zeros((keep + len(gates) + carried, units)), np.zeros(keep + len(gates) + carried)
        for i, (cell, sign) in enumerate(chains):
            row = keep + gates.index(cell)
            if not last:
                outer[i, 2 * i], outer[i, 2 * i + 1] = 2.0, -4.0
            outer[row, 2 * i] += -2.0 * sign * 4.0**-s + (sign if s == 1 else 0.0)
            outer[row, 2 * i + 1] += 4.0 * sign * 4.0**-s
        for k in range(sums):
            outer[keep + k, 2 * n + k] = 1.0
            constant[keep + k] = -_SHIFT
        for k in range(carried):
            outer[keep + len(gates) + k, 2 * n + sums + k] = 1.0
            constant[keep + len(gates) + k] = -_SHIFT
        return Block(inner, bias, outer, constant)

    def _finish(
        self, t: int, cells: Sequence[Cell], last: Block, gates: Sequence[int], carries: Sequence[int]
    ) -> Block:
        """The last tooth's sums, scaled back and added up to the wires."""
        scale, where = self.scales[t], {k: i for i, k in enumerate([*gates, *carries])}
        wires = self.layout.wires[t]
        mix, constant = np.zeros((len(wires), len(where))), np.array([float(w.constant) for w in wires])
        for i, w in enumerate(wires):
            for g, c in w.parts:
                cell = cells[g]
                whole = math.prod(scale[a] ** r for a, r in zip(cell.wires, cell.exponents))
                mix[i, where[g]] = float(c) * whole
        return Block(last.inner, last.bias, mix @ last.outer, mix @ last.constant + constant)
