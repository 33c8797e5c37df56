"""Recorder: snapshots of a model's activations on a fixed set of probe inputs, the model left exactly as found."""

import hashlib
import json
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.memory import give_back
from deeptheory.names import unknown
from deeptheory.recording.preview import duplicate, refusal
from deeptheory.recording.recording import Recording
from deeptheory.recording.sites import (
    OUTPUT,
    Seen,
    as_found,
    as_inputs,
    batches,
    call,
    first_tensor,
    sample_count,
    unwrap,
    watching,
)
from deeptheory.stored import read_json, write_text


class Recorder:
    """Takes snapshots of a model on probe inputs; `recording` holds what was kept.

    model: any nn.Module; a torch.compile'd or data-parallel one is unwrapped. inputs: a tensor [n, ...], a tuple of
    arguments or a dict of keyword arguments; they are moved to the model's device, the model never moves. targets:
    labels [n] or p(y|x) [n, class], handed to the read-outs. layers: names or globs of what `dt.layers(model, x)`
    lists; None: the output of every nonlinearity, and the model's ("output"). readouts: objects with .summarise; only
    their summaries are kept and the activations dropped. store: a folder to which activations are streamed; else they
    stay in memory. select: function (name, output) -> the tensor, tuple or dict to look at, for modules with odd
    outputs. seed: names the seed axis of a single model (default 0). batch: samples a forward pass.
    gradients: a GradientRecorder whose table goes into the recording.

    InputError: no samples, targets of another length, an unknown layer (near names listed), a layer without a sample
    axis, a step recorded twice. StoreError: the store is of another recording, corrupt, or the disk is full.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Any,
        targets: Any = None,
        layers: str | Iterable[str] | None = None,
        readouts: Iterable[Any] | Any | None = None,
        store: str | Path | None = None,
        *,
        select: Callable[[str, Any], Any] | None = None,
        seed: int | None = None,
        batch: int | None = None,
        gradients: Any = None,
    ):
        self.model = unwrap(model)
        if isinstance(self.model, torch.jit.ScriptModule):
            raise InputError("a TorchScript module shows no activations to hooks; record the module it was made from")
        self.inputs, self.select, self.batch, self.gradients = as_inputs(inputs), select, batch, gradients
        self.n = sample_count(self.inputs)
        if batch is not None and batch < 1:
            raise InputError(f"batch is {batch}; needed: at least 1 sample a forward pass")
        if targets is not None and len(as_numpy(targets)) != self.n:
            raise InputError(f"targets have {len(as_numpy(targets))} rows, inputs {self.n}; one each is needed")
        self.layers = [layers] if isinstance(layers, str) else None if layers is None else list(layers)
        if readouts is not None and hasattr(readouts, "summarise"):
            readouts = [readouts]
        self.readouts = tuple(readouts or ())
        bad = next((r for r in self.readouts if not hasattr(r, "summarise")), None)
        if bad is not None:
            raise InputError(f"{bad!r} is no read-out; it needs .summarise(activations, targets)")
        if self.readouts and targets is None:
            raise InputError("read-outs need targets=, the labels of the inputs")
        if self.readouts and store is not None:
            raise InputError(
                "readouts= keeps only summaries and store= streams activations; give one of them: stored activations can be "
                "read out later with information_plane(recording, readout=)"
            )
        self.seeds = tuple(getattr(self.model, "seeds", None) or (0 if seed is None else int(seed),))
        self._population = hasattr(self.model, "seeds")
        self._rewritten: set[str] = set()
        self._stored = store is not None
        self._kept = Recording(
            seeds=self.seeds,
            targets=None if targets is None else as_numpy(targets),
            readouts=tuple(repr(r) for r in self.readouts),
            inputs=self.n,
            distinct=_distinct(first_tensor(self.inputs)),
            fingerprint=_fingerprint(self.inputs),
            store=store,
        )

    @property
    def recording(self) -> Recording:
        """What was recorded so far; grows with every snapshot."""
        if self.gradients is not None and self.gradients.steps:
            self._kept.gradients = self.gradients.dataset()
        return self._kept

    def snapshot(self, step: int) -> None:
        """Forward the probe inputs in eval mode and keep what was asked for under this step."""
        self._kept.check_new(int(step))
        activations = self.activations()
        if self.readouts:
            rows = {
                repr(r): {name: r.summarise(a, self._kept.targets) for name, a in activations.items()}
                for r in self.readouts
            }
            self._kept.add_summaries(int(step), rows)
            del activations
            give_back()
        else:
            self._kept.add(int(step), {name: a.cpu() for name, a in activations.items()})

    def activations(self) -> dict[str, torch.Tensor]:
        """The activations now, by layer name: [seed, sample, unit], on the model's device; nothing is kept."""
        if self._population and not hasattr(self.model, "theta"):  # networks under vmap hide their insides from hooks
            model: Any = self.model
            apart = [self._of(model.network(k), 1) for k in range(len(self.seeds))]
            return {name: torch.cat([a[name] for a in apart]) for name in apart[0]}
        return self._of(self.model, len(self.seeds) if self._population else 0)

    def _of(self, model: nn.Module, networks: int) -> dict[str, torch.Tensor]:
        population = self._population and hasattr(self.model, "theta")
        seeds = networks if population else None
        parts: dict[str, list[torch.Tensor]] = {}
        with as_found(model):
            for piece in batches(self.inputs, self.n, self.batch):
                for name, a in self._forward(model, piece, sample_count(piece), seeds).items():
                    parts.setdefault(name, []).append(a)
        out = {name: a[0] if len(a) == 1 else torch.cat(a, dim=1 if population else 0) for name, a in parts.items()}
        lead = (len(self.seeds), self.n) if population else (1, self.n)
        return {name: a.reshape(*lead, -1) for name, a in out.items()}

    def _forward(self, model: nn.Module, piece: Any, n: int, seeds: int | None) -> dict[str, torch.Tensor]:
        choose = chooser(self.layers)
        everything: list[tuple[str, bool]] = []

        def wanted(name: str, nonlinear: bool) -> str | None:
            everything.append((name, nonlinear))
            if not choose(name, nonlinear):
                return None
            return "clone" if name in self._rewritten else "keep"

        with watching(model, wanted, self.select) as seen:
            call(model, piece)
        rewritten = {s.name for s in seen if s.name not in self._rewritten and s.tensor._version != s.version}
        if rewritten:  # an in-place step came later: look again, copying those at once
            self._rewritten |= rewritten
            seen.clear()
            return self._forward(model, piece, n, seeds)
        out = self._chosen(seen, [name for name, _ in everything], n, seeds)
        seen.clear()  # what watched the model is a reference cycle: without this, tensors wait for the garbage collector
        return out

    def _chosen(self, seen: list[Seen], names: list[str], n: int, seeds: int | None) -> dict[str, torch.Tensor]:
        for pattern in self.layers or ():
            if not any(_matches(name, pattern) for name in names):
                raise InputError(
                    unknown(pattern, dict.fromkeys(names), what="layer")
                    + ". A module that the forward pass does not call shows nothing; dt.layers(model, x) lists all"
                )
        out: dict[str, torch.Tensor] = {}
        for s in seen:
            why = refusal(s, n, seeds)
            if why is None and self.layers is None and s.name != OUTPUT:
                why = duplicate(s, seen)
            elif why is not None and self.layers is not None:
                raise InputError(f"layer {s.name!r} cannot be recorded: {why}; choose with select= or other layers")
            if why is None:
                out[s.name] = s.tensor
        if not out:
            raise InputError("nothing to record: no layer gave real numbers by sample; dt.layers(model, x) says why")
        return out

    def callback(self, framework: str = "lightning", every: int = 1) -> Any:
        """A callback that takes a snapshot at the start of every `every`-th epoch and after the last one.

        framework: "lightning" or "transformers"; the class is made when called. MissingDependency: not installed.
        """
        from deeptheory.names import pick
        from deeptheory.recording.callbacks import CALLBACKS

        return pick(CALLBACKS, framework, what="framework")(self, every)

    def keep(self, path: Path) -> None:
        """Save what was recorded, for a training checkpoint; of a stored recording only which steps it had."""
        if self._stored:
            write_text(path / "steps.json", json.dumps(self._kept.steps))
        else:
            self._kept.save(path)

    def resume(self, path: Path) -> None:
        """Go on from such a save. InputError: it is of other inputs, seeds or read-outs."""
        if self._stored:
            self._kept.forget_after(read_json(path / "steps.json", "checkpoint"))
        else:
            self.restore(Recording.load(path))

    def restore(self, recording: Recording) -> None:
        """Go on from an earlier recording of the same probe. InputError: of other inputs, seeds or read-outs."""
        mine, theirs = self._kept.identity(), recording.identity()
        differ = [k for k in mine if mine[k] != theirs[k]]
        if differ:
            raise InputError(f"the recording differs from this recorder in {', '.join(differ)}; start another")
        self._kept = recording


def chooser(layers: Iterable[str] | str | None) -> Callable[[str, bool], bool]:
    """Whether a layer is wanted: by name or glob, or, where layers is None, every nonlinearity and the output."""
    if layers is None:
        return lambda name, nonlinear: nonlinear
    patterns = [layers] if isinstance(layers, str) else list(layers)
    return lambda name, nonlinear: any(_matches(name, p) for p in patterns)


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _fingerprint(inputs: Any) -> str:
    digest = hashlib.sha256()
    values = inputs.values() if isinstance(inputs, dict) else inputs if isinstance(inputs, tuple) else (inputs,)
    for v in values:
        if isinstance(v, torch.Tensor):
            digest.update(str(tuple(v.shape)).encode() + np.ascontiguousarray(as_numpy(v)).tobytes())
    return digest.hexdigest()


def _distinct(first: torch.Tensor | None) -> int:
    if first is None:
        return 0
    return len(np.unique(as_numpy(first).reshape(len(first), -1), axis=0))
