"""Which tensor was computed from which, in one forward pass: what is a factor of an activation, what adds to a stream.

The *root* of a tensor is the one of which it is a function entry by entry: x * sigmoid(x) has the root x, so the
product is the activation and the sigmoid a factor of it. A sum s + b with b computed from s writes to a residual
stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from deeptheory.core.transforms import wrapped
from deeptheory.recording.operations import ADDS, CLIPS, ELEMENTWISE, IGNORED, NONLINEAR
from deeptheory.recording.sites import Seen

_FEW, _COLUMNS = 3, 1000  # samples, and up to twice as many numbers of each, that are copied for comparison
_LEAST_BOUND = 1e-3  # clamp(min=1e-6) guards a division; clamp(min=0) is an activation
_SAME = frozenset({
    "dropout", "to", "float", "double", "half", "bfloat16", "type", "type_as", "contiguous", "requires_grad", "detach",
})  # fmt: skip
_MOVES = IGNORED.views | {"roll", "flip", "index_select"}

Key = tuple[int, int]  # a tensor's id, and how often it was rewritten in place


@dataclass
class Info:
    """A tensor's node, all nodes it was computed from (as bits), and its root; along the way from there: whether that
    is nonlinear, whether branches of it met again (whole), and the nonlinear tensors on it."""

    node: int
    before: int
    root: int
    curved: bool = False
    whole: bool = False
    parts: frozenset[Key] = frozenset()
    moved: tuple[Key, ...] = ()  # of a tensor that was only moved: itself as it was before each move, the last first


@dataclass
class Row:
    """A tensor as it was when it was met."""

    seen: Seen
    key: Key
    shape: tuple[int, ...]


@dataclass
class Trace:
    """Filled by `sites.looking`. Every tensor met is held, so that its id names it as long as this lives.

    rows: what was met, in order. wholes: activations made of several functions; factors: their parts, each with the
    whole. streams: sums that write to a residual stream: the path and module where, and the branch added, as it was and
    before it was moved. bounded:
    clips that are activations. values: shapes of what was met, and
    some numbers of its first samples.
    """

    rows: list[Row] = field(default_factory=list)
    wholes: set[Key] = field(default_factory=set)
    factors: dict[Key, Key] = field(default_factory=dict)
    streams: dict[Key, tuple[str, nn.Module | None, tuple[Key, ...]]] = field(default_factory=dict)
    bounded: set[Key] = field(default_factory=set)
    values: dict[str, tuple[tuple[int, ...], torch.Tensor | None]] = field(default_factory=dict)
    stack: list[tuple[str, nn.Module]] = field(default_factory=list)
    _info: dict[int, Info] = field(default_factory=dict)
    _turns: dict[int, int] = field(default_factory=dict)
    _held: list[torch.Tensor] = field(default_factory=list)
    _nodes: int = 0

    def from_inputs(self, key: Key) -> bool:
        """Whether a tensor was computed from the model's inputs, as far as was seen."""
        return key[0] in self._info

    def enter(self, given: Any) -> None:
        """Take the model's inputs as the first nodes."""
        for t in _tensors(given):
            self._new(t, 0)

    def see(self, s: Seen) -> None:
        """Take a row. What a module gives from where nothing is seen becomes a node."""
        self.rows.append(Row(s, self._key(s.tensor), tuple(s.tensor.shape)))
        t = s.tensor.detach()
        if not (wrapped(t) or t.is_nested or t.layout != torch.strided):
            self.values[s.name] = tuple(t.shape), few_of(t) if t.ndim and not t.is_meta else None
        if s.module is not None and id(s.tensor) not in self._info:
            self._new(s.tensor, 0)

    def flow(self, op: str, given: Any, out: Any) -> None:
        """Take a function's call. What is made of parameters and constants alone is none of the dataflow."""
        args = list(_tensors(given))
        known = [t for t in args if id(t) in self._info]
        outs = list(_tensors(out))
        if op in IGNORED.constants:
            return  # randn_like(x) is no function of x
        if op == "setitem" and known and isinstance(args[0], torch.Tensor):
            self._rewrite(args[0], known)
        elif known and len(outs) == 1 and op in ELEMENTWISE:
            self._elementwise(op, given, outs[0], args, known)
        elif known:
            moved = self._course(known[0]) if op in _MOVES else ()
            for t in outs:
                if not any(t is a for a in args):
                    self._new(t, self._before(known), moved=moved)

    def _elementwise(self, op: str, given: Any, out: torch.Tensor, args: list, known: list) -> None:
        if op in _SAME and any(out is t for t in args):
            return
        infos, keys, before = [self._info[id(t)] for t in known], [self._key(t) for t in known], self._before(known)
        if any(out is t for t in args):
            self._turns[id(out)] = self._turns.get(id(out), 0) + 1
        mine = self._key(out)
        if op in CLIPS and _is_bound(given):
            self.bounded.add(mine)
        if len({i.root for i in infos}) > 1 or all(out.shape != t.shape for t in known):
            if op in ADDS:
                self._stream(mine, out, known, infos)
            self._new(out, before)
            return
        scalars = all(t.numel() == 1 for t in args if id(t) not in self._info)
        curved, parts = any(i.curved for i in infos), frozenset().union(*(i.parts for i in infos))
        met = len(known) > 1 and curved
        whole = met or (any(i.whole for i in infos) and op not in NONLINEAR and scalars)
        if whole:
            parts |= frozenset(k for k, i in zip(keys, infos) if i.curved)
            for part in parts - {mine}:
                self.factors[part] = mine
                self.wholes.discard(part)
            self.wholes.add(mine)
            parts |= {mine}
        elif op in NONLINEAR:
            parts |= {mine}
        self._new(out, before, root=infos[0].root, curved=curved or op in NONLINEAR, whole=whole, parts=parts)

    def _stream(self, mine: Key, out: torch.Tensor, known: list, infos: list[Info]) -> None:
        if len(known) != 2 or known[0].shape != known[1].shape or not out.is_floating_point():
            return
        (a, b), (key_a, key_b) = infos, [self._course(t) for t in known]
        for stream, branch, key in ((a, b, key_b), (b, a, key_a)):
            if branch.before >> stream.node & 1:
                path, module = self.stack[-1] if self.stack else ("", None)
                self.streams[mine] = (path, module, key)

    def _course(self, t: torch.Tensor) -> tuple[Key, ...]:
        return (self._key(t), *self._info[id(t)].moved)

    def _rewrite(self, t: torch.Tensor, known: list) -> None:
        self._turns[id(t)] = self._turns.get(id(t), 0) + 1
        self._new(t, self._before(known))

    def _before(self, known: list) -> int:
        out = 0
        for t in known:
            out |= self._info[id(t)].before
        return out

    def _key(self, t: torch.Tensor) -> Key:
        self._held.append(t)
        return id(t), self._turns.get(id(t), 0)

    def _new(self, t: torch.Tensor, before: int, root: int | None = None, **more: Any) -> None:
        self._held.append(t)
        node, self._nodes = self._nodes, self._nodes + 1
        self._info[id(t)] = Info(node, before | 1 << node, node if root is None else root, **more)


def few_of(t: torch.Tensor) -> torch.Tensor:
    """Copies of some numbers of a tensor's first samples."""
    few = t[:_FEW].reshape(len(t[:_FEW]), -1)
    return few[:, :: max(1, few.shape[1] // _COLUMNS)].clone()


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for v in value:
            yield from _tensors(v)
    elif isinstance(value, dict):
        yield from _tensors(tuple(value.values()))


def _is_bound(given: Any) -> bool:
    """Whether a clip bounds at 0 or at a size that an activation has; a tiny one only guards a division."""
    args, kwargs = given
    bounds = [abs(v) for v in [*args, *kwargs.values()] if isinstance(v, int | float) and not isinstance(v, bool)]
    return not bounds or any(b == 0 or b >= _LEAST_BOUND for b in bounds)
