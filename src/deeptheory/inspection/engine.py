"""The engine: every instrument on the model, on its untrained twins, and with permuted labels; then joined.

Streams of all instruments and layers share one pass over the probe (two where one must look first). Each network and
each probe of the model is a unit of its own, so that a run that was killed goes on with the next.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection.failing import InstrumentFailed
from deeptheory.inspection.instrument import Accumulator, Batch, Context, Head, Instrument, Layer, Reading
from deeptheory.inspection.instruments import chosen
from deeptheory.inspection.labels import Labels, Task, labels_of
from deeptheory.inspection.layers_met import Place, check_single, places
from deeptheory.inspection.result import InstrumentResult, joined
from deeptheory.inspection.twins import UNTRAINED, Control, seeded, twin
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import cut, first_tensor, own_copy, sample_count, with_targets
from deeptheory.recording.probe import Probe
from deeptheory.recording.sites import unwrap

Readings = dict[str, list[Reading]]  # by layer name


@dataclass(frozen=True, kw_only=True, eq=False)
class Setup:
    """A model with its probe, its labels and the layers to measure (names or globs as given, None: the default ones).

    table: every tensor met, kept or skipped, with the reason. grad: whether its forward pass needs gradients.
    """

    model: nn.Module
    inputs: Any
    n: int
    labels: Labels
    layers: list[str] | None
    select: Any
    batch: int | None
    seed: int
    places: tuple[Place, ...]
    head: Head | str
    head_module: str
    table: tuple[dict[str, Any], ...]
    grad: bool
    size: int

    @property
    def measured(self) -> tuple[Layer, ...]:
        """The layers, in order."""
        return tuple(p.layer for p in self.places)

    def context(self, network: nn.Module, number: int | None = None, permutations: bool = True) -> Context:
        """What an instrument is told of a network: the model (number None) or a twin."""
        codes = self.labels.codes
        codes = codes if codes is None or (permutations and number is None) else codes[:, :1]
        p = next(iter(network.parameters()), None)
        head = self.head
        if isinstance(head, Head) and self.head_module:
            module: Any = network.get_submodule(self.head_module)
            head = Head(
                weight=module.weight.detach(),
                bias=None if module.bias is None else module.bias.detach(),
                layer=head.layer,
            )
        return Context(
            model=network,
            n=self.n,
            classes=self.labels.classes,
            permutations=0 if codes is None else codes.shape[1] - 1,
            targets=codes,
            held_out=self.labels.held_out,
            inputs=self.inputs,
            layers=self.measured,
            head=head,
            seed=self.seed,
            device="cpu" if p is None else str(p.device),
            dtype="float32" if p is None else str(p.dtype).removeprefix("torch."),
            twin=number,
            label_values=self.labels.values,
        )


def prepare(
    model: nn.Module,
    inputs: Any,
    targets: Any = None,
    *,
    layers: str | Iterable[str] | None = None,
    select: Any = None,
    batch: int | None = None,
    permutations: int = 20,
    task: Task = "auto",
    seed: int = 0,
) -> Setup:
    """Look at the model once and plan: its layers, how each is pooled, the labels. Arguments as for `inspect`.

    InputError: as Recorder raises them; a Population; targets of another length.
    """
    model = unwrap(model)
    check_single(model)
    given, targets = with_targets(inputs, targets, model)
    n = sample_count(given)
    labels = labels_of(targets, n, permutations, seed, task)
    wanted = [layers] if isinstance(layers, str) else None if layers is None else list(layers)
    probe = Probe(model, given, wanted, batch, select)
    probe.planned(lambda: None)
    found, head, module = places(model, probe.inputs, probe.wanted, labels.classes, seed, probe.looked_at, probe.grad)
    kept = {p.site for p in found}
    table = []
    for s in probe.sites:
        row = {"name": s.name, "kind": s.kind, "shape": s.shape, "bytes": s.bytes // max(probe.looked_at, 1) * n}
        asked = "asked for" if s.name in kept else "not asked for"
        table.append(row | {"kept": s.name in kept, "why": s.why if wanted is None or s.refusal else asked})
    return Setup(
        model=model,
        inputs=probe.inputs,
        n=n,
        labels=labels,
        layers=wanted,
        select=select,
        batch=batch,
        seed=seed,
        places=found,
        head=head,
        head_module=module,
        table=tuple(table),
        grad=probe.grad,
        size=probe.size,
    )


def refusals(setup: Setup, instruments: Mapping[str, Instrument]) -> dict[str, str]:
    """Instruments that these targets do not allow, with the reason."""
    out = {}
    for name, i in instruments.items():
        if i.needs != "nothing" and setup.labels.codes is None:
            out[name] = "it needs targets, and none were given"
        elif i.needs == "classes" and setup.labels.classes is None:
            out[name] = "it needs classes, and the targets are numbers (task='classes' makes each value a class)"
        elif i.needs == "classes" and setup.labels.classes == 1:
            out[name] = "it needs at least two classes, and all samples are of one"
    return out


def streams(
    setup: Setup, network: nn.Module, instruments: Iterable[Instrument], context: Context, tell: Any = None
) -> tuple[dict[str, Readings], dict[str, float]]:
    """One pass (two where an instrument looks first): instrument -> layer -> readings; seconds by instrument."""
    chosen_ones = list(instruments)
    probe = Probe(network, setup.inputs, setup.layers, setup.batch, setup.select)

    def act() -> tuple[dict[str, Readings], dict[str, float]]:
        work = _Pass(setup, network, chosen_ones, context)  # made again if the layers had to be planned again
        return work.through(probe, tell), work.seconds

    return probe.planned(act)


class Clock:
    """Seconds since it was made. processor: those that this process computed, which no other process lengthens."""

    def __init__(self) -> None:
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def seconds(self, processor: bool = False) -> float:
        """How many."""
        return time.process_time() - self._processor if processor else time.perf_counter() - self._wall


class _Pass:
    """The accumulators of one network, fed from one or two passes. processor: which seconds are told."""

    def __init__(
        self, setup: Setup, network: nn.Module, instruments: list[Instrument], context: Context, processor: bool = False
    ):
        self._setup, self._network, self._context = setup, network, context
        self._instruments, self._processor = instruments, processor
        self._by_site: dict[str, list[Place]] = {}
        self._streams: dict[str, list[tuple[Instrument, Accumulator]]] = {}
        self.seconds = {i.name: 0.0 for i in instruments}
        for place in setup.places:
            if place.layer.role == "input" and context.twin is not None:
                continue  # a twin is given the same inputs
            begun = [(i, self._do(i, i.start, place.layer, context)) for i in instruments if i.start is not None]
            found = [(i, a) for i, a in begun if a is not None]
            if found:
                self._by_site.setdefault(place.site, []).append(place)
                self._streams[place.layer.name] = found
        self._fed: set[str] = set()
        mask = setup.inputs.get("attention_mask") if isinstance(setup.inputs, dict) else None
        self._mask = mask if isinstance(mask, torch.Tensor) and mask.ndim == 2 else None
        self._targets = context.targets

    def through(self, probe: Probe, tell: Any) -> dict[str, Readings]:
        """Run the passes and read the accumulators."""
        two = any(i.passes > 1 for i in self._instruments)
        for look in [True, False] if two else [False]:
            self._inputs(probe.size, look)
            with _head_input(
                self._network, self._setup, lambda name, x, start, look=look: self._take(name, x, start, look)
            ):
                probe.run(self._network, lambda name, a, start, look=look: self._take(name, a[0], start, look), tell)
        out: dict[str, Readings] = {i.name: {} for i in self._instruments}
        for layer, found in self._streams.items():
            for i, a in found:
                if layer in self._fed:
                    out[i.name][layer] = self._do(i, a.result)
        return out

    def _inputs(self, size: int, look: bool) -> None:
        if any(p.layer.role == "input" for p in self._by_site.get("", ())):
            x = first_tensor(self._setup.inputs)
            assert x is not None
            for start in range(0, self._setup.n, size):
                part = x[start : start + size]
                self._take("", part.reshape(len(part), -1), start, look)

    def _take(self, site: str, a: torch.Tensor, start: int, look: bool) -> None:
        stop = start + len(a)
        for place in self._by_site.get(site, ()):
            mask = None if self._mask is None else self._mask[start:stop].to(a.device)
            pooled, whole = place.columns(a, mask)
            y = None if self._targets is None else self._targets[start:stop].to(a.device)
            batch = Batch(pooled, whole, y, rows=torch.arange(start, stop))
            self._fed.add(place.layer.name)
            for i, accumulator in self._streams[place.layer.name]:
                if not look:
                    self._do(i, accumulator.update, batch)
                elif i.passes > 1:
                    self._do(i, accumulator.look, batch)  # type: ignore[attr-defined]  # what passes = 2 promises

    def _do(self, i: Instrument, act: Callable, *given: Any) -> Any:
        began = Clock()
        try:
            return act(*given)
        except Exception as error:
            raise InstrumentFailed(i.name, error) from error
        finally:
            self.seconds[i.name] += began.seconds(self._processor)


class _head_input:
    """While open, hands what goes into the linear head on as a layer of its own, where it is one."""

    def __init__(self, network: nn.Module, setup: Setup, take: Callable[[str, torch.Tensor, int], None]):
        self._wanted = next((p.site for p in setup.places if p.layer.role == "head input"), None)
        self._module = network.get_submodule(setup.head_module) if self._wanted is not None else None
        self._take, self._seen, self._handle = take, 0, None

    def __enter__(self) -> None:
        if self._module is not None:
            self._handle = self._module.register_forward_pre_hook(self._hook)

    def __exit__(self, *exc: Any) -> None:
        if self._handle is not None:
            self._handle.remove()

    def _hook(self, module: nn.Module, args: tuple) -> None:
        with torch._C.DisableTorchFunction():
            x = args[0].detach()
            self._take(str(self._wanted), x, self._seen)
            self._seen += len(x)


def probe_of_model(setup: Setup, network: nn.Module, instrument: Instrument, context: Context) -> Readings:
    """A probe of the model on one network, which is put into eval mode and left as found."""
    assert instrument.run is not None
    with as_found(network, setup.grad or instrument.gradients):
        try:
            return instrument.run(context)
        except Exception as error:
            raise InstrumentFailed(instrument.name, error) from error


@dataclass(frozen=True)
class Unit:
    """One piece of work: a network (a key of the model's or a checkpoint's, or a twin's) and the instruments that
    share its passes."""

    network: str
    number: int | None
    instruments: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its file."""
        what = "streams" if len(self.instruments) != 1 else self.instruments[0]
        return f"{self.network}.{what}"


def units(instruments: Mapping[str, Instrument], checkpoints: Iterable[str], twins: int) -> list[Unit]:
    """The work in order: the model or its checkpoints by key, each once, then the twins; of each, the shared pass,
    then each probe."""
    shared = tuple(name for name, i in instruments.items() if i.start is not None)
    alone = [name for name, i in instruments.items() if i.run is not None]
    out = []
    networks: list[tuple[str, int | None]] = [(key, None) for key in dict.fromkeys(checkpoints)]
    networks += [(f"twin-{k}", k) for k in range(twins)]
    for network, number in networks:
        here = [*([shared] if shared else []), *((name,) for name in alone)]
        for names in here:
            kept = tuple(n for n in names if number is None or instruments[n].twins)
            if kept:
                out.append(Unit(network, number, kept))
    return out


def perform(
    setup: Setup, network: nn.Module, unit: Unit, instruments: Mapping[str, Instrument], tell: Any = None
) -> tuple[dict[str, Readings], dict[str, float]]:
    """Do one unit: instrument -> layer -> readings; and seconds by instrument, the passes as "shared pass"."""
    context = setup.context(network, unit.number)
    first, began = instruments[unit.instruments[0]], time.perf_counter()
    with seeded(network, setup.seed):  # of a forward pass that draws
        if first.run is not None:
            found = {first.name: probe_of_model(setup, network, first, context)}
            return found, {first.name: time.perf_counter() - began}
        found, spent = streams(setup, network, [instruments[n] for n in unit.instruments], context, tell)
    return found, {"shared pass": time.perf_counter() - began - sum(spent.values()), **spent}


def encode(found: dict[str, Readings]) -> dict[str, Any]:
    """Readings as JSON values."""
    return {i: {layer: [asdict(r) for r in rs] for layer, rs in by.items()} for i, by in found.items()}


def decode(kept: dict[str, Any]) -> dict[str, Readings]:
    """The way back."""
    return {
        i: {layer: [Reading(**{**r, "permuted": tuple(r["permuted"])}) for r in rs] for layer, rs in by.items()}
        for i, by in kept.items()
    }


def join(
    setup: Setup,
    instruments: Mapping[str, Instrument],
    done: Mapping[str, dict[str, Readings]],
    checkpoints: Mapping[str, str],
    twins: int,
    control: str,
) -> dict[str, InstrumentResult]:
    """done: what each unit gave, by network and instrument. checkpoints: name -> its network's key in `done`."""
    out, inputs = {}, {p.layer.name for p in setup.places if p.layer.role == "input"}
    for name, i in instruments.items():
        mine = {c: done[key][name] for c, key in checkpoints.items() if name in done.get(key, {})}
        others = [done[f"twin-{k}"][name] for k in range(twins) if name in done.get(f"twin-{k}", {})]
        first = next(iter(mine.values()), {})
        at_input = {layer: rs for layer, rs in first.items() if layer in inputs}
        out[name] = joined(i, setup.measured, mine, [{**at_input, **t} for t in others], control)
    return out


def measure(
    model: nn.Module,
    inputs: Any,
    targets: Any = None,
    instruments: Any = None,
    *,
    twins: int = 5,
    seed: int = 0,
    **options: Any,
) -> dict[str, InstrumentResult]:
    """The results by instrument, without a page, a folder or a promise of cost. options: as for `prepare`."""
    setup = prepare(model, inputs, targets, seed=seed, **options)
    wanted = chosen(instruments)
    refused = refusals(setup, wanted)
    wanted = {name: i for name, i in wanted.items() if name not in refused}
    if not wanted:
        raise InputError("; ".join(f"{name}: {why}" for name, why in refused.items()))
    done: dict[str, dict[str, Readings]] = {}
    control = Control(control=UNTRAINED, said="")
    networks: dict[int | None, nn.Module] = {None: setup.model}
    for unit in units(wanted, ["model"], twins):
        if unit.number not in networks:
            other, control = twin(setup.model, twin_seed(seed, unit.number))
            networks = {None: setup.model, unit.number: other}
        done.setdefault(unit.network, {}).update(perform(setup, networks[unit.number], unit, wanted)[0])
    return join(setup, wanted, done, {"": "model"}, twins, control.control)


def twin_seed(seed: int, number: int | None) -> int:
    """The seed of a twin."""
    return (seed * 1_000_003 + 7919 * (1 + (number or 0))) % 2**31


def few(setup: Setup, n: int) -> Setup:
    """The same setup on its first n samples, for timing."""
    n = min(n, setup.n)
    labels = setup.labels
    codes = None if labels.codes is None else labels.codes[:n]
    small = replace(labels, codes=codes, held_out=labels.held_out[:n])
    return Setup(**{**vars(setup), "inputs": own_copy(cut(setup.inputs, setup.n, 0, n)), "n": n, "labels": small})
