"""What an inspection will cost, said before it runs, and what it did cost.

Passes are counted; seconds come from timing pieces of the probe, each larger than the one before, until one takes most
of a second or the probe is whole. Pieces are timed in seconds of
the processor, and multiplied by how much longer the clock ran in the median piece: a stall in one is not multiplied. A
straight line through the last two gives the time of the whole, so that what does not grow is not multiplied.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import DeeptheoryError, InputError
from deeptheory.core.results import Result
from deeptheory.inspection.engine import Clock, Setup, _Pass, few
from deeptheory.inspection.instrument import Instrument, Passes
from deeptheory.recording.probe import Probe
from deeptheory.recording.telling import available, size

if TYPE_CHECKING:
    import pandas

_AIM = 0.7  # seconds after which a larger piece is not tried
_UNREADABLE = (DeeptheoryError, ArithmeticError, RuntimeError, ValueError, IndexError)  # by an instrument
_FIRST, _GROWTH = 4, 8  # samples; each piece is so many times the one before


@dataclass(frozen=True, kw_only=True, eq=False)
class Price:
    """Of one instrument. forward, backward: passes of the probe through the model; seconds: of those; control_seconds:
    of all twins; held: bytes. The pass that all streams share stands under "shared pass"."""

    name: str
    forward: float
    backward: float
    seconds: float
    control_seconds: float
    held: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Promise(Result):
    """What is to come. prices: one per instrument, the shared pass first. networks: how many are measured; twins: how
    many of those are controls. one_pass: seconds of one forward pass of the probe. planned: seconds that loading and
    planning took already."""

    prices: tuple[Price, ...]
    checkpoints: int
    twins: int
    one_pass: float
    planned: float = 0.0

    @property
    def seconds(self) -> float:
        """What measuring will take, controls too."""
        return sum(p.seconds + p.control_seconds for p in self.prices)

    @property
    def held(self) -> int:
        """Bytes that the instruments of the shared pass hold at its end."""
        return sum(p.held for p in self.prices)

    def __repr__(self) -> str:
        return f"Promise({', '.join(p.name for p in self.prices)}: about {self.seconds:.3g} s, {size(self.held)} held)"

    def table(self) -> "pandas.DataFrame":
        """One row per instrument."""
        import pandas as pd

        return pd.DataFrame([vars(p) for p in self.prices])


def promise(setup: Setup, instruments: Mapping[str, Instrument], checkpoints: int, twins: int) -> Promise:
    """Time a few samples and multiply. InputError: the instruments hold more than the memory that is free."""
    shared = [i for i in instruments.values() if i.start is not None]
    sizes, pieces = _pieces(setup, shared)
    forward, per_stream = _whole(sizes, pieces, setup.n)
    per_stream_twin: dict[str, float] = {}
    if twins and shared:
        few_labels = [_once(setup, shared, n, permutations=False, forwards=0) for n in sizes[-2:]]
        slower = median(p.slower for p in pieces)
        per_stream_twin = _whole(sizes[-2:], [replace(p, slower=slower) for p in few_labels], setup.n)[1]
    context = setup.context(setup.model)
    passes = max((i.passes for i in shared), default=0)
    prices = []
    if shared:
        prices.append(
            Price(
                name="shared pass",
                forward=passes,
                backward=0,
                seconds=checkpoints * passes * forward,
                control_seconds=twins * passes * forward,
                held=0,
            )
        )
    for name, i in instruments.items():
        own: Passes = i.cost(context)
        others = twins if i.twins else 0
        if i.start is not None:
            one, other = per_stream.get(name, 0.0), per_stream_twin.get(name, 0.0)
        else:
            one = other = (own.forward + 2 * own.backward) * forward
        prices.append(
            Price(
                name=name,
                forward=own.forward,
                backward=own.backward,
                seconds=checkpoints * one,
                control_seconds=others * other,
                held=own.held,
            )
        )
    found = Promise(prices=tuple(prices), checkpoints=checkpoints, twins=twins, one_pass=forward)
    there = available()
    if there is not None and found.held > there:
        raise InputError(
            f"the instruments would hold {size(found.held)} and {size(there)} of memory are free; measure fewer "
            "samples (first=), fewer layers (layers=) or fewer instruments (skip=)"
        )
    return found


def within(found: Promise, instruments: Mapping[str, Instrument], budget: float) -> dict[str, str]:
    """Instruments to leave out so that the rest fits the budget in seconds, with the reason: taken in order,
    each that still fits.

    InputError: not even one fits.
    """
    base = sum(p.seconds + p.control_seconds for p in found.prices if p.name == "shared pass")
    spent, left_out, has_pass = 0.0, {}, False
    for p in found.prices:
        if p.name not in instruments:
            continue
        own = p.seconds + p.control_seconds
        more = own + (base if instruments[p.name].start is not None and not has_pass else 0.0)
        if spent + more > budget:
            left_out[p.name] = (
                f"about {more:.2g} s did not fit the budget of {budget:g} s, of which {spent:.2g} s were taken"
            )
            continue
        spent += more
        has_pass = has_pass or instruments[p.name].start is not None
    if len(left_out) == len(instruments):
        raise InputError(
            f"no instrument fits a budget of {budget:g} s (all need about {found.seconds:.2g} s); "
            "measure fewer samples or twins"
        )
    return left_out


def _pieces(setup: Setup, shared: list[Instrument]) -> tuple[list[int], "list[_Piece]"]:
    """Numbers of samples, growing, and the time that each took."""
    n = min(_FIRST, setup.n) if setup.batch is None else min(setup.batch, setup.n)
    try:
        _once(setup, shared, n)  # warm
    except Exception:  # a model made for one number of samples
        if n == setup.size:
            raise
        n = setup.size
        _once(setup, shared, n)
    sizes, pieces = [n], [_steady(setup, shared, n)]
    while (n := sizes[-1]) < setup.n:
        m = min(setup.n, _GROWTH * n)
        m -= m % setup.batch if setup.batch is not None and m > setup.batch else 0
        now, before = pieces[-1].spent, pieces[-2].spent if len(pieces) > 1 else 0.0
        slope = (
            (now - before) / (n - sizes[-2]) if len(sizes) > 1 else 0.0
        )  # the first piece is mostly what does not grow
        at_most = now / n * m if len(sizes) == 1 else now + slope * (m - n)
        if m <= n or now > _AIM or at_most > (4 if len(sizes) == 1 else 2) * _AIM:
            break
        sizes.append(m)
        pieces.append(_steady(setup, shared, m))
    return sizes, pieces


def _whole(sizes: list[int], pieces: "list[_Piece]", whole: int) -> tuple[float, dict[str, float]]:
    """Seconds of one forward pass of the whole probe, and of each stream's own work on it:
    a line through the last two pieces."""
    slower = median(piece.slower for piece in pieces)
    n, small = (sizes[-2], pieces[-2]) if len(sizes) > 1 else (0, _Piece())
    m, large = sizes[-1], pieces[-1]

    def extended(a: float, b: float) -> float:
        slope = max(0.0, (b - a) / (m - n))
        return slower * (b + slope * (whole - m))

    return extended(small.forward, large.forward), {
        k: extended(small.streams.get(k, 0.0), v) for k, v in large.streams.items()
    }


@dataclass(frozen=True)
class _Piece:
    """Seconds of one piece: of the pass, and of each stream; slower: how many times longer the clock ran."""

    forward: float = 0.0
    streams: dict[str, float] = field(default_factory=dict)
    slower: float = 1.0

    @property
    def spent(self) -> float:
        """Seconds of all."""
        return self.forward + sum(self.streams.values())


def _steady(setup: Setup, shared: list[Instrument], n: int) -> _Piece:
    """A piece timed twice where it is short, the shorter of each: an allocator that tidies up takes a quarter
    of a second."""
    a = _once(setup, shared, n)
    if a.spent > _AIM:
        return a
    b = _once(setup, shared, n)
    streams = {k: min(v, b.streams.get(k, v)) for k, v in a.streams.items()}
    return _Piece(min(a.forward, b.forward), streams, min(a.slower, b.slower))


def _once(setup: Setup, shared: list[Instrument], n: int, permutations: bool = True, forwards: int = 3) -> _Piece:
    part = few(setup, n)
    probe = Probe(part.model, part.inputs, part.layers, part.batch, part.select)
    probe.planned(lambda: None)
    processor = part.context(part.model).device == "cpu"  # of another device the processor only waits
    clock, forward = Clock(), float("inf")
    for _ in range(forwards):  # memory that planning left behind is given back in the first
        began = Clock()
        probe.planned(lambda: probe.run(part.model, lambda name, a, start: None))
        forward = min(forward, began.seconds(processor))
        if clock.seconds(processor) > _AIM:
            break
    context = part.context(part.model, permutations=permutations)

    def streams_of(instruments: list[Instrument]) -> dict[str, float]:
        work = _Pass(part, part.model, instruments, context, processor)
        probe.planned(lambda: work.through(probe, None))
        return work.seconds

    spent: dict[str, float] = {}
    try:
        spent = streams_of(shared) if shared else {}
    except _UNREADABLE:
        for i in shared:  # one by one: what cannot read so few samples must not stop the others
            with contextlib.suppress(*_UNREADABLE):
                spent |= streams_of([i])
    slower = clock.seconds() / max(clock.seconds(True), 1e-9) if processor else 1.0
    return _Piece(forward, spent, slower)


def seconds_of(text: str | float | int | None) -> float | None:
    """A budget: a number of seconds, or text such as "90", "30s", "2min", "1.5 h". InputError: anything else,
    or nothing left."""
    if text is None:
        return None
    if isinstance(text, int | float) and not isinstance(text, bool):
        value = float(text)
    else:
        words = str(text).strip().lower()
        unit = next((u for u in ("seconds", "sec", "s", "minutes", "min", "m", "hours", "h") if words.endswith(u)), "")
        try:
            value = float(words.removesuffix(unit)) * {"m": 60, "h": 3600}.get(unit[:1], 1)
        except ValueError as error:
            raise InputError(f"budget is {text!r}; write seconds, or 30s, 2min, 1h") from error
    if not 0 < value < float("inf"):
        raise InputError(f"budget is {text!r}; needed: more than no time")
    return value


def shown(found: Promise) -> list[str]:
    """The promise as lines for a terminal."""
    lines = [f"{'':24}{'passes (forward, backward)':>28}{'seconds':>10}{'controls':>10}{'memory':>10}"]
    for p in found.prices:
        passes = f"{p.forward:.3g}, {p.backward:.3g}" if p.forward or p.backward else "in the shared pass"
        lines.append(f"{p.name:24}{passes:>28}{p.seconds:>10.2g}{p.control_seconds:>10.2g}{size(p.held):>10}")
    states = f"{found.checkpoints} checkpoints and " if found.checkpoints > 1 else ""
    lines.append(
        f"about {found.planned + found.seconds:.2g} s in all: {found.planned:.2g} s went into loading and planning, "
        f"{found.seconds:.2g} s to measure, with {states}{found.twins} twin{'s' * (found.twins != 1)}"
    )
    return lines


def facts(found: Promise) -> list[dict[str, Any]]:
    """The promise as JSON values."""
    return [dict(vars(p)) for p in found.prices]
