"""Recorder: snapshots of a model's activations on a fixed set of probe inputs, the model left exactly as found.

The probe goes through in batches. Each layer's tensor is handed on the moment it is there: copied into what is kept,
written to the store, or taken in by readouts, so that memory is the model, a batch and what the results need.
"""

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import nn

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.memory import give_back
from deeptheory.core.notebook import block
from deeptheory.core.shapes import as_step, check_whole
from deeptheory.core.storage import read_json, write_text
from deeptheory.recording.checkpoints import Checkpoints
from deeptheory.recording.identity import as_readouts, digest_of, distinct_of, key_of, names_of
from deeptheory.recording.inputs import as_targets, sample_count, with_targets
from deeptheory.recording.probe import Changed, Probe
from deeptheory.recording.recording import Recording
from deeptheory.recording.sites import unwrap
from deeptheory.recording.streams import held_bytes, start
from deeptheory.recording.telling import Cost, Teller, available, size


class Recorder:
    """Takes snapshots of a model on probe inputs; `recording` holds what was kept.

    A layer's activations are [seed, sample, unit]: all axes after the samples are flattened into units (a convolution
    [n, c, h, w] has c h w), in the dtype that the layer gives. Passes run in eval mode, without gradients; afterwards
    train flags, buffers, parameters, their gradients and all random states are as before.

    model: any nn.Module; a torch.compile'd or data-parallel one is unwrapped. inputs: a tensor or array [n, ...], a
    DataFrame, a list of samples, a tuple of arguments, a dict of keyword arguments, a DataLoader or Dataset (read
    once; it may bring the targets); moved to the model's device batch by batch, the model never moves. Floats that are
    not torch's take the model's dtype. targets: labels [n] of any kind or p(y|x) [n, class], handed to the readouts,
    which need them. layers: names or globs of what `dt.layers(model, x)` lists; None: the output of every activation,
    every block that adds to a residual stream, and the model's ("output"; a module of that name is "self.output").
    readouts: streams (`start`) or objects with .summarize; only their summaries are kept. store: a folder to which
    activations are streamed, and where one that holds this same recording is gone on with; else they stay in CPU
    memory. select: function (name, output) -> the tensor, tuple or dict to look at, for modules with odd outputs.
    seed: names the seed axis of a single model (default 0); a Population brings its own. batch: samples a forward pass;
    None: all, or fewer where a pass would show more than 1 GiB. gradients: a GradientRecorder whose table goes into the
    recording. weights: a folder that receives the state dict at every snapshot, one file per step, for
    `dt.inspect(..., checkpoints=recorder)`; activations are then kept only where readouts= or store= ask for
    something. progress(done, total): called after every batch; without it, lines on stderr from 20 s on.

    InputError: no samples, targets of another length or missing ones, readouts without targets or together with store,
    weights of a Population, a batch or seed that is no integer; and, from the first snapshot on: inputs that the model
    does not take or that were changed in place, an unknown layer (near names listed), a layer without a sample axis or
    that runs in some batches only, activations larger than the memory there is. StoreError: the store or the weights'
    folder is of another recording or training, corrupt, or the disk is full.
    """

    def __init__(
        self,
        model: nn.Module,
        inputs: Any,
        targets: Any = None,
        *,
        layers: str | Iterable[str] | None = None,
        readouts: Iterable[Any] | Any | None = None,
        store: str | Path | None = None,
        select: Callable[[str, Any], Any] | None = None,
        seed: int | None = None,
        batch: int | None = None,
        gradients: Any = None,
        weights: str | Path | None = None,
        progress: Callable[[int, int], Any] | None = None,
    ):
        self.model = unwrap(model)
        self.gradients, self.progress = gradients, progress
        check_whole(batch=(1 if batch is None else batch, 1), seed=(0 if seed is None else seed, None))
        given, targets = with_targets(inputs, targets, self.model)
        self.n = sample_count(given)
        y = None if targets is None else as_targets(targets)
        if y is not None and (y.ndim == 0 or len(y) != self.n):
            raise InputError(f"targets have {len(y) if y.ndim else 'no'} rows, inputs {self.n}; one each is needed")
        self.layers = [layers] if isinstance(layers, str) else None if layers is None else list(layers)
        self.readouts = as_readouts(readouts)
        if self.readouts and targets is None:
            raise InputError("readouts need targets=, the labels of the inputs")
        if self.readouts and store is not None:
            raise InputError(
                "readouts= keeps only summaries and store= streams activations; give one of them: stored activations "
                "can be read out later with information_plane(recording, readout=)"
            )
        self.weights = None if weights is None else Checkpoints(weights)
        if self.weights is not None and hasattr(self.model, "seeds"):
            raise InputError(
                "weights= keeps those of one network, and the model is a Population; record population.network(0)"
            )
        self.seeds = tuple(getattr(self.model, "seeds", None) or (0 if seed is None else int(seed),))
        self._probe = Probe(self.model, given, self.layers, batch, select)
        self.inputs = self._probe.inputs
        self._stored = store is not None
        self._kept = Recording(
            seeds=self.seeds,
            targets=y,
            readouts=names_of(self.readouts),
            keys=[key_of(r) for r in self.readouts],
            inputs=self.n,
            distinct=distinct_of(self.inputs),
            fingerprint=digest_of(self.inputs),
            store=store,
        )

    def __repr__(self) -> str:
        keeps = f"summaries of {', '.join(self._kept.readouts)}" if self.readouts else "activations"
        keeps = keeps if self._keeps_more else "weights alone"
        which = (
            "default layers"
            if self.layers is None
            else f"layers {', '.join(self.layers[:4])}{', ...' * (len(self.layers) > 4)}"
        )
        return (
            f"Recorder({type(self.model).__name__}, {self.n} inputs, {which}, {keeps}; {len(self.steps)} steps "
            "recorded)"
        )

    def _repr_html_(self) -> str:
        return block(repr(self)) + self.recording._repr_html_()

    @property
    def recording(self) -> Recording:
        """What was recorded so far, with the gradients' table; the same object grows with every snapshot."""
        if self.gradients is not None and self.gradients.steps:
            self._kept.gradients = self.gradients.dataset()
        return self._kept

    @property
    def _keeps_more(self) -> bool:
        """Whether anything but weights is kept."""
        return bool(self.readouts) or self._stored or self.weights is None

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps recorded so far, ascending; where only weights are kept, those of this session."""
        return self._kept.steps if self._keeps_more or self.weights is None else tuple(sorted(self.weights.saved))

    def snapshot(self, step: int) -> None:
        """Forward the probe inputs in eval mode and keep what was asked for under this step.

        step: any integer, in any order; results have steps ascending. A snapshot that fails keeps nothing of it in the
        recording. InputError: step is not an integer, or is there already; activations that are refused (shapes,
        memory), as in the class. StoreError: the disk is full.
        """
        step = as_step(step)
        self._kept.check_new(step)
        if self.weights is not None:
            if step in self.steps:
                raise InputError(f"step {step} is recorded already; give every snapshot a step of its own")
            self.weights.save(step, self.model)
        if self.readouts:
            self._kept.add_summaries(step, self._summaries())
            give_back()
        elif self._stored:
            self._store(step)
        elif self.weights is None:
            self._kept.take(step, {name: a.cpu() for name, a in self.activations().items()})

    def activations(self) -> dict[str, torch.Tensor]:
        """The activations now, by layer name: [seed, sample, unit], detached, on the model's device; nothing is kept.

        InputError: as in the class.
        """
        return self._probe.planned(self._whole)

    def cost(self) -> Cost:
        """Passes, bytes and seconds of one snapshot, from running its first batch; nothing is kept.

        InputError: as in the class, memory aside.
        """
        return self._probe.planned(self._cost)

    # what is done with a pass

    def _whole(self) -> dict[str, torch.Tensor]:
        networks = self._probe.networks()
        self._check_memory()
        out: dict[str, torch.Tensor] = {}
        tell = self._teller(1)
        for k, model in enumerate(networks):

            def take(name: str, a: torch.Tensor, start: int, k=k) -> None:
                if name not in out:
                    out[name] = torch.empty(len(self.seeds), self.n, a.shape[2], dtype=a.dtype, device=a.device)
                into = out[name][k : k + 1] if len(networks) > 1 else out[name]
                if into.shape[2] != a.shape[2]:
                    raise Changed.units(name, (into.shape[2],), (a.shape[2],))
                into[:, start : start + a.shape[1]] = a

            self._probe.run(model, take, tell)
        return {name: out[name] for name in self._probe.wanted}

    def _summaries(self) -> dict[str, dict[str, dict[str, Any]]]:
        return self._probe.planned(self._read_out)

    def _read_out(self, most: int | None = None) -> dict[str, dict[str, dict[str, Any]]]:
        tell = None if most is not None else self._teller(self._passes())
        by_network = [self._of_one(model, tell, most) for model in self._probe.networks()]
        if most is not None:
            return {}
        found = by_network[0]
        if len(by_network) > 1:
            found = {
                key: {k: np.concatenate([np.atleast_1d(as_numpy(b[key][k])) for b in by_network]) for k in row}
                for key, row in found.items()
            }
        names = self._kept.readouts
        return {names[j]: {layer: found[layer, j] for layer in self._probe.wanted} for j in range(len(self.readouts))}

    def _of_one(self, model: nn.Module, tell: Teller | None, most: int | None) -> dict[tuple[str, int], dict[str, Any]]:
        streams: dict[tuple[str, int], Any] = {
            (layer, j): start(r, layer) for layer in self._probe.wanted for j, r in enumerate(self.readouts)
        }
        for s in streams.values():
            if hasattr(s, "expect"):
                s.expect(self._classes())
        two = [key for key, s in streams.items() if getattr(s, "passes", 1) > 1]
        looked = self._probe.size >= self.n  # all samples at once: what must be looked at first is all there
        y = self._kept.targets
        if y is not None:  # streams keep slices of what cannot change, and copy the rest
            y = y.view()
            y.flags.writeable = False
        widths: dict[str, int] = {}

        def look(name: str, a: torch.Tensor, _: int) -> None:
            for layer, j in two:
                if layer == name:
                    streams[layer, j].look(a)

        def update(name: str, a: torch.Tensor, start: int) -> None:
            units = widths.setdefault(name, a.shape[2])
            if units != a.shape[2]:
                raise Changed.units(name, (units,), (a.shape[2],))
            if looked:
                look(name, a, start)
            for j in range(len(self.readouts)):
                streams[name, j].update(a, None if y is None else y[start : start + a.shape[1]])

        if two and not looked:
            self._probe.run(model, look, tell, most)
        self._probe.run(model, update, tell, most)
        return {} if most is not None else {key: s.result() for key, s in streams.items()}

    def _store(self, step: int) -> None:
        def act() -> None:
            S = len(self.seeds)
            shapes = {}
            for name, s in self._probe.wanted.items():
                shapes[name] = (
                    (S, self.n, self._probe.units(s)),
                    as_numpy(torch.empty(0, dtype=getattr(torch, s.dtype))).dtype,
                )
            tell = self._teller(1)
            with self._kept.writing(step, shapes) as writer:
                for k, model in enumerate(self._probe.networks()):

                    def take(name: str, a: torch.Tensor, start: int, k=k) -> None:
                        planned = (shapes[name][0][2], self._probe.wanted[name].dtype)
                        now = (a.shape[2], str(a.dtype).removeprefix("torch."))
                        if now != planned:
                            raise Changed.units(name, planned, now)
                        writer.put(name, start, a, k)

                    self._probe.run(model, take, tell)

        self._probe.planned(act)

    # what it costs

    def _passes(self) -> int:
        two = any(getattr(start(r, "layer"), "passes", 1) > 1 for r in self.readouts)
        return 2 if two and self._probe.size < self.n else 1

    def _bytes(self) -> tuple[int, int]:
        """Bytes held at the end of a snapshot by readouts or activations, and bytes of the activations themselves."""
        held = whole = 0
        for s in self._probe.wanted.values():
            itemsize = getattr(torch, s.dtype).itemsize
            units, networks = self._probe.units(s), len(self.seeds) if self._probe.stacked else 1
            whole += len(self.seeds) * self.n * units * itemsize
            size = {"units": units, "seeds": networks, "classes": self._classes(), "itemsize": itemsize}
            held += sum(held_bytes(r, inputs=self.n, **size) for r in self.readouts)
        return (held if self.readouts else 0 if self._stored else whole), whole

    def _classes(self) -> int:
        y = self._kept.targets
        return 0 if y is None else y.shape[1] if y.ndim > 1 else len(np.unique(y))

    def _teller(self, passes: int) -> Teller:
        p = self._probe
        what = (
            f"{passes} pass{'es' * (passes > 1)} over {p.n} inputs in batches of {p.size}, "
            f"{size(self._bytes()[0])} held"
        )
        return Teller(passes * p.batches * (1 if p.stacked else p.seeds), what, self.progress)

    def _cost(self) -> Cost:
        passes = self._passes() if self.readouts else 1
        held, whole = self._bytes()
        began = time.monotonic()
        if self.readouts:
            self._read_out(most=1)
        else:
            self._probe.run(self._probe.networks()[0], lambda name, a, start: None, most=1)
        seconds = time.monotonic() - began  # with two passes, the first batch went through twice
        notes = [
            f"{name}: {said}"
            for name, s in self._probe.wanted.items()
            for r in self.readouts
            if hasattr(r, "said") and (said := r.said(self._probe.units(s), self._classes()))
        ]
        return Cost(
            passes=passes,
            batches=self._probe.batches,
            layers=len(self._probe.wanted),
            held=held,
            batch_bytes=self._probe.shown,
            stored=whole if self._stored else 0,
            seconds=seconds * self._probe.batches * (1 if self.readouts else len(self._probe.networks())),
            notes=tuple(notes),
        )

    def _check_memory(self) -> None:
        whole, there = self._bytes()[1], available()
        if there is not None and whole > there:
            raise InputError(
                f"the activations of {len(self._probe.wanted)} layers for {self.n} inputs take {size(whole)}, and "
                f"{size(there)} of memory are free; hand over readouts=, a store=, fewer layers= or fewer inputs"
            )

    # for training loops

    def callback(self, framework: Literal["lightning", "transformers"] = "lightning", every: int = 1) -> Any:
        """A callback that takes a snapshot at the start of every `every`-th epoch and of the final model.

        framework: "lightning" or "transformers"; the class is made when called. Steps are epochs from 0, the first
        before any training; one that is recorded already is passed over. A training that ends within an epoch gives
        its final model the number of the next. MissingDependency: not installed. InputError: another framework, every
        below 1.
        """
        from deeptheory.core.names import pick
        from deeptheory.recording.callbacks import CALLBACKS

        return pick(CALLBACKS, framework, what="framework")(self, every)

    def keep(self, path: str | Path) -> None:
        """Save what was recorded into a folder, for a training checkpoint.

        Of what store= and weights= have written it saves only which steps there are; with it, the gradients' table.
        StoreError: the folder holds another recording, or the disk is full.
        """
        path = Path(path)
        path.mkdir(parents=True, exist_ok=True)
        if self.gradients is not None:
            self.gradients.keep(path / "gradients")
        if self.weights is not None:
            write_text(path / "weights.json", json.dumps(self.weights.steps))
        if self._stored:
            write_text(path / "steps.json", json.dumps(self._kept.steps))
        elif self._keeps_more:
            self.recording.save(path)

    def resume(self, path: str | Path) -> None:
        """Go on from such a save, which stays as it is; steps written after it to store= and weights= are removed.

        InputError: it is of other inputs, seeds, targets or readouts. StoreError: missing or corrupt.
        """
        path = Path(path)
        if self.gradients is not None:
            self.gradients.resume(path / "gradients")
        if self.weights is not None:
            self.weights.forget_after(read_json(path / "weights.json", "checkpoint"))
        if self._stored:
            self._kept.forget_after(read_json(path / "steps.json", "checkpoint"))
        elif self._keeps_more:
            self.restore(Recording.load(path))

    def restore(self, recording: Recording) -> None:
        """Go on from an earlier recording of the same probe, copied into memory; what was recorded so far is dropped.

        InputError: of other inputs, seeds, targets or readouts; the recorder has a store=, which is gone on with by
        making the recorder with that folder.
        """
        if self._stored:
            raise InputError("this recorder has a store= and goes on from what that holds; restore is for others")
        mine, theirs = self._kept.identity(), recording.identity()
        differ = [k for k in mine if mine[k] != theirs[k]]
        if differ:
            raise InputError(f"the recording differs from this recorder in {', '.join(differ)}; start another")
        self._kept = Recording.concatenate([recording], dim="step")  # the folder or object it came from does not grow
