"""The probe: its layers as a few samples show them, and one pass of all samples,
each layer's tensor handed on when it is there.

A plan of the layers is made from a few samples; a batch that shows others is either planned again, or an error with the
layer's name: a layer that runs for some samples only has no row a sample.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.core.memory import give_back
from deeptheory.core.names import unknown
from deeptheory.recording.dataflow import few_of
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import call, cut, own_copy, sample_count, tensors_of
from deeptheory.recording.operations import ACTIVATIONS
from deeptheory.recording.sites import Seen, is_nonlinear, looking
from deeptheory.recording.telling import Teller
from deeptheory.recording.tracing import Site, differ, sites

_PROBE = 3  # samples that tell which layers there are
_ONE_PASS = 1 << 30  # bytes shown by one forward pass above which the probe is cut into batches of half as much


class Changed(InputError):
    """A batch showed other layers than the plan."""

    @classmethod
    def units(cls, name: str, planned: tuple, now: tuple) -> "Changed":
        """A layer has other units (and dtype, where both are given) than in another batch or at an earlier snapshot."""
        was, found = (f"{units} units{''.join(f' of {d}' for d in dtype)}" for units, *dtype in (planned, now))
        return cls(f"layer {name!r} has {was} in one batch and {found} in another")


class Probe:
    """A model with its probe inputs, and which of its layers are wanted.

    layers: names or globs, or None for those with a role. batch: samples a forward pass, or None. seeds: how many
    networks stand on a leading axis (stacked), or are called one after the other. After `planned`: wanted,
    the sites by name.
    """

    def __init__(self, model: nn.Module, inputs: Any, layers: list[str] | None, batch: int | None, select: Any):
        self.model, self.layers, self.batch, self.select = model, layers, batch, select
        self.inputs = own_copy(inputs)
        self._versions = self._now()
        self.n = sample_count(self.inputs)
        population = hasattr(model, "seeds")
        self.seeds = len(getattr(model, "seeds", ())) or 1
        self.stacked = population and hasattr(model, "theta")
        self._apart = population and not self.stacked
        self.wanted: dict[str, Site] = {}
        self._sites: list[Site] | None = None
        self._planned = 0  # samples that the plan was made from
        self._names: set[str] = set()  # all that were met
        self._grad = False

    def planned(self, act: Callable[[], Any]) -> Any:
        """What act gives when the layers are known; where the batches show others than a few samples did,
        under a new plan."""
        self._check_inputs()
        new = self._sites is None
        if new:
            few, whole = min(self.n, _PROBE), min(self.n, self.batch or self.n)
            try:
                self._plan(few)
            except Exception:  # a model made for one number of samples, or tables with a row for each of them
                if few == whole:
                    raise
                self._plan(whole)
        try:
            return act()
        except Changed:
            whole = min(self.n, self.size)
            if new and self._planned == whole:
                raise
            self._plan(whole)
            return act()

    def _plan(self, n: int) -> None:
        model = self.networks()[0]
        inputs = cut(self.inputs, self.n, 0, n) if n < self.n else self.inputs
        (found, self._names), self._grad = seen_with_gradients(
            model, lambda: sites(model, inputs, self.select, self.seeds if self.stacked else None)
        )
        for pattern in self.layers or ():
            if not any(_matches(s.name, pattern) for s in found if s.shape or s.dtype):
                raise InputError(
                    unknown(pattern, dict.fromkeys(s.name for s in found if s.dtype), what="layer")
                    + ". A module that the forward pass does not call shows nothing; dt.layers(model, x) lists all"
                )
        choose = chooser(self.layers)
        wanted = [s for s in found if s.dtype and choose(s)]
        if self.layers is not None:
            bad = next((s for s in wanted if s.refusal), None)
            if bad is not None:
                raise InputError(
                    f"layer {bad.name!r} cannot be recorded: {bad.refusal}; choose with select= or other layers"
                )
        self.wanted = {s.name: s for s in wanted if s.refusal is None}
        if not self.wanted:
            raise InputError("nothing to record: no layer gave real numbers by sample; dt.layers(model, x) says why")
        self._sites, self._planned = [replace(s, first=None) for s in found], n
        if n < self.size < self.n:
            self._look_at_company(model)
        self.wanted = {name: replace(s, first=None) for name, s in self.wanted.items()}  # nothing is held

    def _look_at_company(self, model: nn.Module) -> None:
        """Which layers give the samples of the plan other values in a whole batch: three samples may hide it."""

        def see(s: Seen) -> None:
            site = self.wanted.get(s.name)
            if site is None or site.first is None or s.tensor.ndim != len(site.shape):
                return
            if differ(site.first, few_of(s.tensor.detach()), site.far):
                self.wanted[s.name] = replace(site, mixed=True)

        with as_found(model, self._grad), looking(model, see, self.select):
            call(model, cut(self.inputs, self.n, 0, self.size))

    @property
    def sites(self) -> list[Site]:
        """All that a few samples showed, after `planned`."""
        return list(self._sites or ())

    @property
    def looked_at(self) -> int:
        """Samples that the plan was made from."""
        return self._planned

    @property
    def grad(self) -> bool:
        """Whether the forward pass needs gradients, after `planned`."""
        return self._grad

    def networks(self) -> list[nn.Module]:
        """The modules to call: the model, or, of a population under vmap, which hides its insides, each network."""
        if self._apart:
            model: Any = self.model
            return [model.network(k) for k in range(self.seeds)]
        return [self.model]

    @property
    def size(self) -> int:
        """Samples a forward pass."""
        if self.batch is not None:
            return min(self.batch, self.n)
        shown = sum(s.bytes for s in self._sites or ()) / max(self._planned, 1)
        return self.n if shown * self.n <= _ONE_PASS else max(1, int(_ONE_PASS / 2 / shown))

    def run(
        self,
        model: nn.Module,
        take: Callable[[str, torch.Tensor, int], None],
        tell: Teller | None = None,
        most: int | None = None,
    ) -> None:
        """One pass of the probe: take(layer, tensor [seed, batch, unit], first sample),
        for each layer when it is there."""
        size = self.size
        lead = (self.seeds,) if self.stacked else ()
        known = self._names
        if size < self.n:
            grown = next((s for s in self.wanted.values() if s.pairs), None)
            if grown is not None:
                raise InputError(
                    f"layer {grown.name!r} has two axes that grow with the batch (shape {list(grown.shape)}: pairs of "
                    f"samples); batches would lose pairs: use batch={self.n}, other layers, or select="
                )
            mixed = next((s for s in self.wanted.values() if s.mixed), None)
            if mixed is not None:
                raise InputError(
                    f"layer {mixed.name!r} gives a sample other values in the company of other samples; batches would "
                    f"decide them: use batch={self.n} or layers before it (does the model take samples on another axis "
                    "than the first?)"
                )
        with as_found(model, self._grad):
            for start in range(0, self.n, size):
                stop, met = min(start + size, self.n), set()

                def see(s: Seen, start=start, stop=stop, met=met) -> None:
                    if s.name in self.wanted:
                        t, want = s.tensor.detach(), (*lead, stop - start)
                        if tuple(t.shape[: len(want)]) != want:
                            raise Changed(
                                f"layer {s.name!r} gave shape {list(t.shape)} for samples {start} to {stop - 1}; "
                                f"needed: {list(want)} first. It sees only some samples: leave it out (layers=), "
                                "or use select="
                            )
                        met.add(s.name)
                        take(s.name, t.reshape(self.seeds if self.stacked else 1, stop - start, -1), start)
                    elif (
                        self.layers is None and s.name not in known and (is_nonlinear(s.module) or s.op in ACTIVATIONS)
                    ):
                        raise Changed(_only_some(s.name, start, stop, "runs"))

                if self.stacked:
                    setattr(model, "rows", (start, self.n))  # noqa: B010  # the noise of these rows among all; put back
                with looking(model, see, self.select):
                    try:
                        call(model, self.inputs if size >= self.n else cut(self.inputs, self.n, start, stop))
                    except Exception as error:
                        error.add_note(f"raised in the forward pass of samples {start} to {stop - 1} of the probe")
                        raise
                lost = next((name for name in self.wanted if name not in met), None)
                if lost is not None:
                    raise Changed(_only_some(lost, start, stop, "does not run"))
                give_back()  # the gaps that one batch leaves in memory do not always fit the next
                if tell is not None:
                    tell.batch()
                if most is not None and stop >= most:
                    return

    def units(self, s: Site) -> int:
        """How many numbers a layer has a sample and network."""
        return int(np.prod(s.shape, dtype=np.int64)) // (self._planned * (self.seeds if self.stacked else 1))

    @property
    def shown(self) -> int:
        """Bytes of all tensors that one forward pass of a batch shows."""
        return sum(s.bytes for s in self._sites or ()) // max(self._planned, 1) * self.size

    @property
    def batches(self) -> int:
        """Forward passes of one network over the probe."""
        return -(-self.n // self.size)

    def _check_inputs(self) -> None:
        if self._now() != self._versions:
            raise InputError(
                "the probe inputs were changed in place since the Recorder was made; hand it a copy of them"
            )

    def _now(self) -> list[int]:
        return [t._version for t in tensors_of(self.inputs) if not t.is_inference()]


def chooser(layers: Iterable[str] | str | None) -> Callable[[Site], bool]:
    """Whether a layer is wanted: by name or glob, or, where layers is None, what has a role and can be recorded."""
    if layers is None:
        return lambda s: s.refusal is None and bool(s.role)
    patterns = [layers] if isinstance(layers, str) else list(layers)
    return lambda s: any(_matches(s.name, p) for p in patterns)


def seen_with_gradients(model: nn.Module, act: Callable[[], Any]) -> tuple[Any, bool]:
    """What act gives with the model as_found, and whether its forward pass needs gradients
    (it differentiates inside)."""
    try:
        with as_found(model):
            return act(), False
    except RuntimeError as error:
        if "require grad" not in str(error) and "require_grad" not in str(error):
            raise
    with as_found(model, grad=True):
        return act(), True


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)


def _only_some(name: str, start: int, stop: int, what: str) -> str:
    return (
        f"layer {name!r} {what} for samples {start} to {stop - 1}, unlike for others: it runs in some batches only. "
        "Leave it out (layers=), or record the samples for which it runs in a recorder of their own"
    )
