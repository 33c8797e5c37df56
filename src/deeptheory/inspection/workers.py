"""The units of an inspection, here or on an engine of the runs, where each worker has one network at a time.

What a unit finds is written into the run folder by whoever found it, and read there. Model, probe and weights travel to
the workers with the task; weights that lie in a file are read there, so a worker must see that file under the same
path.
"""

import json
import math
import pickle
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

from torch import nn

from deeptheory.core.places import Folder
from deeptheory.core.storage import write_text
from deeptheory.inspection.checkpoints import state_of
from deeptheory.inspection.engine import Readings, Setup, Unit, encode, perform, twin_seed
from deeptheory.inspection.failing import InstrumentFailed
from deeptheory.inspection.instrument import Instrument
from deeptheory.inspection.progress import Progress
from deeptheory.inspection.twins import checkpoint_of, twin
from deeptheory.runs.engines import Work
from deeptheory.runs.work import limited_threads, stop_if_orphaned


def result_path(folder: Folder, unit: Unit) -> Any:
    """Where a unit's result lies."""
    return folder / "steps" / f"{unit.name}.json"


def network_of(setup: Setup, unit: Unit, states: Mapping[str, Any], name: str, seed: int) -> nn.Module:
    """The network that a unit is about: a twin, the checkpoint of that name, or where there are none the model."""
    if unit.number is not None:
        return twin(setup.model, twin_seed(seed, unit.number))[0]
    return checkpoint_of(setup.model, state_of(states[name]), name) if states else setup.model


def do_unit(
    folder: Folder,
    setup: Setup,
    network: nn.Module,
    unit: Unit,
    instruments: Mapping[str, Instrument],
    failed: dict[str, str],
    tell: Any = None,
) -> None:
    """Do the unit and write what was found. Instruments that raise, or have before, go into `failed`, with why."""
    found, seconds = _without_failing(setup, network, unit, instruments, failed, tell)
    stop_if_orphaned()
    raised = {name: failed[name] for name in unit.instruments if name in failed}
    write_text(result_path(folder, unit), json.dumps({"found": encode(found), "seconds": seconds, "failed": raised}))


def _without_failing(
    setup: Setup, network: nn.Module, unit: Unit, wanted: Mapping[str, Instrument], failed: dict[str, str], tell: Any
) -> tuple[dict[str, Readings], dict[str, float]]:
    while names := tuple(n for n in unit.instruments if n not in failed):
        try:
            return perform(setup, network, replace(unit, instruments=names), wanted, tell)
        except InstrumentFailed as error:
            failed[error.instrument] = error.said
    return {}, {}


def here(
    folder: Folder,
    units: Iterable[Unit],
    tell: Progress,
    *,
    seed: int,
    setup: Setup,
    instruments: Mapping[str, Instrument],
    named: Mapping[str, str],
    states: Mapping[str, Any],
) -> None:
    """Do the units in this process, one copy of a network at a time. named: key of a network -> its checkpoint."""
    failed: dict[str, str] = {}
    held: tuple[str, nn.Module | None] = ("", None)
    for unit in units:
        if held[0] != unit.network:
            held = ("", None)
            held = unit.network, network_of(setup, unit, states, named.get(unit.network, ""), seed)
        network = held[1]
        assert network is not None
        passes = max((instruments[n].passes for n in unit.instruments), default=1)
        tell.begin(unit.name, passes * math.ceil(setup.n / setup.size))
        do_unit(folder, setup, network, unit, instruments, failed, tell)
        tell.end()


@dataclass(frozen=True, kw_only=True)
class NetworkTask:
    """The units of one network, as they travel to a worker: see runs.work.Task. shared: Setup and instruments, packed
    once for all networks; own: the network's weights by name, packed."""

    folder: Folder
    mark: str
    threads: int
    units: tuple[Unit, ...]
    name: str
    seed: int
    shared: bytes
    own: bytes

    def do(self) -> None:
        """Do all units of the network."""
        setup, instruments = pickle.loads(self.shared)  # noqa: S301  # packed by the run that sent this task
        own = pickle.loads(self.own)  # noqa: S301  # likewise
        network, failed = network_of(setup, self.units[0], own, self.name, self.seed), {}
        with limited_threads(self.threads):
            for unit in self.units:
                do_unit(self.folder, setup, network, unit, instruments, failed)


def on_engine(
    at: AbstractContextManager[Work],
    folder: Folder,
    *,
    mark: str,
    threads: int,
    seed: int,
    setup: Setup,
    instruments: Mapping[str, Instrument],
    networks: Mapping[str, tuple[str, Sequence[Unit]]],
    states: Mapping[str, Any],
) -> Iterator[tuple[Unit, ...]]:
    """Do the units of all networks, key -> (name of its checkpoint, units); yields those of a network that are done."""
    known = _only_here([*map(type, setup.model.modules()), setup.select, *(f for i in instruments.values()
                        for f in (i.start, i.run))])  # fmt: skip
    shared, tasks = _packed((setup, dict(instruments)), known), []
    for name, units in networks.values():
        own = {name: states[name]} if units[0].number is None and states else {}
        tasks.append(NetworkTask(
            folder=folder, mark=mark, threads=threads, units=tuple(units), name=name, seed=seed, shared=shared,
            own=_packed(own, known)))  # fmt: skip
    if not tasks:  # what is done needs no engine
        return
    with at as work:
        for task, _ in work(tasks):
            yield task.units


def _packed(what: Any, known: list[ModuleType]) -> bytes:
    """Pickled, the modules that are known here alone with it."""
    pickler = _cloudpickle()
    for module in known:
        pickler.register_pickle_by_value(module)
    try:
        return pickler.dumps(what)
    finally:
        for module in known:
            pickler.unregister_pickle_by_value(module)


def _cloudpickle() -> Any:
    try:
        return import_module("cloudpickle")
    except ImportError:  # older versions of joblib bring one of their own
        return import_module("joblib.externals.cloudpickle")


def _only_here(things: Iterable[Any]) -> list[ModuleType]:
    """Modules of these classes and functions that no worker could import, such as one read from a file by its path."""
    names = dict.fromkeys(str(getattr(thing, "__module__", "")) for thing in things if thing is not None)
    return [sys.modules[name] for name in names if name in sys.modules and name != "__main__" and not _found(name)]


def _found(name: str) -> bool:
    """Whether another process would find the module by its name; one read from a file by its path is here alone."""
    parent = name.rpartition(".")[0]
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else None
    return name in sys.builtin_module_names or PathFinder.find_spec(name, path) is not None
