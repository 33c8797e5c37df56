"""dt.inspect: what these theories say about a model, as one result and one page; killed at any moment, it goes on."""

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.shapes import check_whole
from deeptheory.core.storage import read_json
from deeptheory.inspection import engine as on_model
from deeptheory.inspection.checkpoints import check_fits, checksum, state_of, states_of
from deeptheory.inspection.cost import Promise, facts, promise, seconds_of, shown, within
from deeptheory.inspection.engine import Setup, Unit
from deeptheory.inspection.inspection import Inspection
from deeptheory.inspection.instrument import Instrument
from deeptheory.inspection.instruments import chosen
from deeptheory.inspection.labels import Task
from deeptheory.inspection.progress import Progress
from deeptheory.inspection.sampling import sampled
from deeptheory.inspection.twins import UNTRAINED, Control, draws, twin
from deeptheory.inspection.workers import here, on_engine, result_path
from deeptheory.recording import Recorder
from deeptheory.recording.identity import digest_of
from deeptheory.recording.inputs import cut, first_tensor, mapped
from deeptheory.recording.sites import unwrap
from deeptheory.runs import Record
from deeptheory.runs.engines import Engine, opened
from deeptheory.runs.lock import locked

SAMPLES = 2000
Split = Literal["train", "test", "not said"]
SPLITS: tuple[Split, ...] = get_args(Split)


def inspect(
    model: nn.Module,
    inputs: Any,
    targets: Any = None,
    *,
    instruments: str | Instrument | Iterable[str | Instrument] | None = None,
    checkpoints: Mapping[Any, Any] | Iterable[Any] | str | Path | Recorder | None = None,
    out: str | Path | RemotePath | None = None,
    skip: str | Iterable[str] = (),
    layers: str | Iterable[str] | None = None,
    select: Any = None,
    first: int | None = SAMPLES,
    split: Split = "not said",
    task: Task = "auto",
    twins: int = 5,
    permutations: int = 20,
    budget: float | str | None = None,
    batch: int | None = None,
    seed: int = 0,
    device: str | None = None,
    dtype: str | None = None,
    title: str | None = None,
    probe: str = "",
    command: str = "dt.inspect(...)",
    before: Callable[[Setup, Promise, Mapping[str, str]], Any] | None = None,
    progress: Callable[[float, float], Any] | bool | None = None,
    since: float | None = None,
    engine: Engine | str = "serial",
    jobs: int | None = None,
) -> Inspection:
    """Put the instruments to every layer of a model, beside untrained twins and permuted labels; left exactly as found.

    model: any nn.Module (compiled, exported and data-parallel ones are unwrapped), one network; of a Population give
    .network(k). inputs, targets: as for Recorder: arrays [n, ...], DataFrame, Dataset, DataLoader (which may bring the
    targets), tuples and dicts of arguments; targets are [n] labels or numbers, [n, classes] probabilities (the largest
    counts), or None. first: at most so many samples, drawn with the seed (of a loader the first ones); None for all.
    task: "classes", "regression" or "auto" (text, booleans and integers of few values are classes). instruments: names
    (deeptheory.inspection.INSTRUMENTS) or Instruments of your own, None for all but hessian and capsule_routing; skip:
    names. checkpoints: {name or step: state dict, path or module}, a list of them, a folder of them, or a Recorder with
    weights=: each is measured on the same probe, the last is the one that sentences are about, and the page shows how
    the numbers moved. layers, select, batch: as for Recorder. split: whether the probe is of the "train" or the "test"
    set, for the notes. twins: untrained copies, by each module's reset_parameters; 0 where the model cannot be copied.
    permutations: of the labels, measured on the model alone. budget: seconds or "2min"; instruments that do not fit are
    left out, with the reason. device, dtype: measure a copy there ("cuda", "float64"). out: a run folder with the page;
    what a killed run has done is taken up again. title, probe, command: text for the page. before: called with (setup,
    promise, refused) before the first pass. progress: None for a bar or lines on stderr, False for silence, or a
    function (fraction, seconds left). since: the time.perf_counter() from which the cost is counted, None for now: what
    loads a model counts its loading. engine, jobs: where checkpoints and twins are measured, as for `reproduce`; the
    same bits.
    Returns an Inspection: .findings(), .table(), .dataset(), .figure(), .write(out); the source of each number is its
    instrument's (docs: instruments). One that fails is in .refused, with the reason. All that is random comes from the
    seed; the model and the global random states are left as they were.

    InputError: as Recorder; a Population; unknown instruments, split, task, device or dtype; a number that is no
    integer or too small; targets of another length or missing; weights that do not fit the model; nothing that can be
    run. StoreError: the folder holds another run.
    """
    since = time.perf_counter() if since is None else since
    if split not in SPLITS:
        raise InputError(f"split is {split!r}; known: {', '.join(SPLITS)}")
    check_whole(
        twins=(twins, 0), seed=(seed, 0), permutations=(permutations, 0), batch=(1 if batch is None else batch, 1)
    )
    twins, seed, permutations = int(twins), int(seed), int(permutations)  # of numpy, JSON takes none
    batch = batch if batch is None else int(batch)
    seconds = seconds_of(budget)
    model = unwrap(model)
    given, y, drawn = sampled(inputs, targets, first, seed, model)
    if device is not None or dtype is not None:
        model, given = _moved(model, given, device, dtype)
    setup = on_model.prepare(
        model, given, y, layers=layers, select=select, batch=batch, permutations=permutations, task=task, seed=seed
    )
    wanted = chosen(instruments, skip)
    refused = on_model.refusals(setup, wanted)
    wanted = {name: i for name, i in wanted.items() if name not in refused}
    if not wanted:
        raise InputError("nothing can be run: " + "; ".join(f"{name}: {why}" for name, why in refused.items()))
    states = states_of(checkpoints)
    weights = _weights_of(model, states)
    control, twins = _try_a_twin(setup, seed, twins)
    found = promise(setup, wanted, max(len(states), 1), twins)
    if seconds is not None:
        refused |= within(found, wanted, seconds)
        wanted = {name: i for name, i in wanted.items() if name not in refused}
        found = promise(setup, wanted, max(len(states), 1), twins)
    found = replace(found, planned=time.perf_counter() - since)
    if before is not None:
        before(setup, found, refused)
    settings = {
        "model": type(model).__name__, "weights": _identity(model, states, control), "probe": digest_of(setup.inputs),
            "targets": _digest(y), "n": setup.n,
        "layers": [p.layer.name for p in setup.places], "instruments": list(wanted), "twins": twins,
            "permutations": permutations,
        "task": task, "batch": batch, "split": split, "dtype": setup.context(model).dtype,
            "device": setup.context(model).device,
    }  # fmt: skip
    record = Record(
        study="inspect",
        scale="own model",
        seed=seed,
        seeds=[],
        settings=settings,
        changed={},
        threads=torch.get_num_threads(),
        command=command,
    )
    with contextlib.ExitStack() as stack:
        folder = place(stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out)
        at = opened(engine, jobs, folder)
        if out is None and ":" in engine:
            raise InputError(f"engine is {engine!r} and out is None; name a folder that the workers see")
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file; name a folder")
        mark = stack.enter_context(locked(folder))
        record = record.enter(folder, None)
        try:
            results, spent, failed = _run(
                setup,
                wanted,
                states,
                weights,
                twins,
                control,
                record,
                folder,
                found,
                progress,
                None if engine == "serial" else at,
                mark,
            )
        except (KeyboardInterrupt, Exception):
            if out is not None and progress is not False:
                print(f"stopped; what is done is in {folder}, and the same call goes on from there", file=sys.stderr)
            raise
        record.times["steps"] = {k: round(v, 3) for k, v in spent.items()}
        record.finish(folder)
        said = _facts(setup, record, found, spent, drawn, probe, split, twins, control, wanted)
        said["weights"] = list(weights.values())[-1][:12]
        inspection = Inspection(
            title=title or type(model).__name__,
            results=results,
            layers=setup.table,
            measured=tuple(dict(vars(layer)) for layer in setup.measured),
            facts=said,
            refused={**refused, **failed},
            checkpoints=tuple(weights),
            notes=_notes(setup, split, said),
            gradients=checkpoints.recording.gradients if isinstance(checkpoints, Recorder) else None,
        )
        if out is not None:
            inspection.write(folder)
    return inspection


def _run(
    setup: Setup, wanted: Mapping[str, Instrument], states: Mapping[str, Any], weights: Mapping[str, str], twins: int,
        control: Control,
    record: Record, folder: Folder, found: Promise, progress: Any, at: Any, mark: str,
):  # fmt: skip
    """Every unit that is not there yet; then the results and the seconds by instrument, added up over sessions."""
    names = list(weights)
    keys = {
        name: f"model-{weights[name][:16]}" for name in names
    }  # by content: a folder that grew is measured only where it is new
    work = on_model.units(wanted, keys.values(), twins)
    named = {key: name for name, key in keys.items()}
    tell = Progress(progress, _shares(work, found, len(names), twins))
    done: dict[str, dict[str, on_model.Readings]] = {}
    spent: dict[str, float] = {}
    failed: dict[str, str] = {}
    waiting = [unit for unit in work if not result_path(folder, unit).exists()]
    for unit in work:
        if unit not in waiting:
            tell.skip(unit.name)
    try:
        if at is None:
            here(
                folder, waiting, tell, seed=record.seed, setup=setup, instruments=wanted, named=named, states=states
            )  # fmt: skip
        else:
            networks = {u.network: (named.get(u.network, ""), [v for v in waiting if v.network == u.network])
                        for u in waiting}  # fmt: skip
            for units in on_engine(
                at, folder, mark=mark, threads=record.threads, seed=record.seed, setup=setup, instruments=wanted,
                    networks=networks, states=states,
            ):  # fmt: skip
                for unit in units:
                    tell.begin(unit.name, 1)
                    tell.end()
        for unit in work:
            kept = read_json(result_path(folder, unit), "step of an inspection")
            failed = kept.get("failed", {}) | failed
            done.setdefault(unit.network, {}).update(on_model.decode(kept["found"]))
            for name, s in kept["seconds"].items():
                key = name if unit.number is None else f"{name} (twins)"
                spent[key] = spent.get(key, 0.0) + s
    finally:
        tell.close()
    wanted = {name: i for name, i in wanted.items() if name not in failed}
    if not wanted:
        raise InputError("no instrument could be run: " + "; ".join(f"{name}: {why}" for name, why in failed.items()))
    return on_model.join(setup, wanted, done, keys, twins, control.control), spent, failed


def _weights_of(model: nn.Module, states: Mapping[str, Any]) -> dict[str, str]:
    """A checksum of the weights by checkpoint, "" the model itself. InputError: one does not fit the model."""
    if not states:
        return {"": checksum(model)}
    out = {}
    for name, given in states.items():
        state = state_of(given)
        check_fits(model, state, name)
        out[name] = checksum(state)
    return out


def _identity(model: nn.Module, states: Mapping[str, Any], control: Control) -> str:
    """Which weights a run is about: with checkpoints only those that its twins are made of, if any."""
    return "those of the checkpoints" if states and control.control == UNTRAINED else checksum(model)


def _shares(work: list[Unit], found: Promise, networks: int, twins: int) -> dict[str, float]:
    """Promised seconds of each unit."""
    out = {}
    for unit in work:
        names = (
            {"shared pass", *unit.instruments}
            if found.prices[0].name == "shared pass" and unit.name.endswith("streams")
            else set(unit.instruments)
        )
        prices = [
            p
            for p in found.prices
            if p.name in names or (p.name == "shared pass" and unit.instruments and unit.name.endswith("streams"))
        ]
        seconds = sum(
            p.seconds / networks if unit.number is None else p.control_seconds / max(twins, 1) for p in prices
        )
        out[unit.name] = max(seconds, 1e-6)
    return out


def _try_a_twin(setup: Setup, seed: int, twins: int) -> tuple[Control, int]:
    if twins == 0:
        return Control(control="untrained", said="none were asked for"), 0
    try:
        return twin(setup.model, on_model.twin_seed(seed, 0))[1], twins
    except InputError as error:
        return Control(control="untrained", said=str(error)), 0


def _moved(model: nn.Module, inputs: Any, device: str | None, dtype: str | None) -> tuple[nn.Module, Any]:
    import copy

    kind = None if dtype is None else getattr(torch, dtype, None)
    if dtype is not None and not (isinstance(kind, torch.dtype) and kind.is_floating_point):
        raise InputError(f"dtype is {dtype!r}; write float32, float64, bfloat16 or float16")
    try:
        other = copy.deepcopy(model).to(device=device, dtype=kind)
    except (RuntimeError, AssertionError) as error:
        raise InputError(f"device is {device!r}: {str(error).splitlines()[0]}") from error
    if kind is not None:
        inputs = mapped(inputs, lambda v: v.to(kind) if v.is_floating_point() else v)
    return other, inputs


def _digest(targets: Any) -> str:
    if targets is None:
        return ""
    return digest_of(np.asarray(as_numpy(targets.to_numpy() if hasattr(targets, "iloc") else targets)))


def _facts(
    setup: Setup,
    record: Record,
    found: Promise,
    spent: Mapping[str, float],
    drawn: str,
    probe: str,
    split: str,
    twins: int,
    control: Control,
    wanted: Mapping[str, Instrument],
) -> dict[str, Any]:
    context = setup.context(setup.model)
    labels = setup.labels
    chances = {
        f"{name}/{q.name}": float(q.chance(context))
        for name, i in wanted.items()
        for q in i.quantities
        if q.chance is not None
    }
    return {
        "model": type(setup.model).__name__, "parameters": sum(p.numel() for p in setup.model.parameters()),
            "n": setup.n, "drawn": drawn,
        "probe": probe, "checksum": record.settings["probe"][:12], "split": split,
        "targets": labels.said, "classes": labels.classes, "class_names": list(labels.names[:50]),
            "class_counts": list(labels.counts[:50]),
        "seed": record.seed, "device": context.device, "dtype": context.dtype, "threads": record.threads,
            "batch": setup.size,
        "twins": twins, "control": control.control, "twins_said": control.said, "permutations": context.permutations,
        "head": _head_said(setup),
        "command": record.command, "promised_seconds": found.planned + found.seconds, "promised": facts(found),
        "planning_seconds": found.planned, "spent_seconds": found.planned + sum(spent.values()),
        "spent": dict(spent), "versions": dict(record.versions), "machine": dict(record.machine),
            "started": record.times["started"],
        "chances": chances, "kept": sum(bool(r["kept"]) for r in setup.table), "met": len(setup.table),
    }  # fmt: skip


def _head_said(setup: Setup) -> str:
    if isinstance(setup.head, str):
        return setup.head
    layer = next(p.layer for p in setup.places if p.layer.name == setup.head.layer)
    reads = "a layer of its own" if layer.role == "head input" else layer.label
    return f"{setup.head_module} (Linear), whose input is {reads}"


def _notes(setup: Setup, split: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    out = []
    labels = setup.labels
    if split == "not said" and labels.codes is not None:
        out.append(
            "Which split this probe is was not said. Class geometry and accuracy on training data say how the model "
            "fits; on held-out data, how it generalizes."
        )
    if not said["twins"]:
        out.append(f"No untrained twins: {said['twins_said']}. What is shown has no such control.")
    if draws(setup.model, cut(setup.inputs, setup.n, 0, setup.size), setup.grad):
        out.append(
            "The forward pass draws random numbers, in eval mode too: another seed gives other numbers, which no "
            "interval here covers."
        )
    if labels.counts and min(labels.counts) < 10 and len(labels.counts) > 1:
        out.append(
            f"The rarest class has {min(labels.counts)} sample{'s' * (min(labels.counts) != 1)}; "
            "numbers by class say little about it."
        )
    x = first_tensor(setup.inputs)
    if x is not None and x.is_floating_point():
        bad = int((~torch.isfinite(x.reshape(len(x), -1)).all(dim=1)).sum())
        if bad:
            out.append(f"{bad} of the {setup.n} samples of the probe hold values that are not finite; leave them out.")
    if setup.n < 100:
        out.append(
            f"The probe has {setup.n} samples; intervals are wide, and those by large-sample formulas too short."
        )
    return tuple(out)


def promised(found: Promise, refused: Mapping[str, str]) -> list[str]:
    """The lines that are shown before a run."""
    return [*shown(found), *(f"not run: {name}: {why}" for name, why in refused.items())]
