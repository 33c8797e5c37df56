"""Moments of minibatch gradients, layer by layer, in any training loop.

Source: Shwartz-Ziv & Tishby 2017, section 3.3 and figure 4: over the minibatches of an epoch the norm of the mean
gradient and that of its fluctuation. Weight matrices only, no biases. Finding phases in them is information's work.
Which weights: every parameter of two or more axes, under its module's name where that has one such, else with its own
("rnn.weight_hh_l0", "attn.in_proj_weight"). Under weight_norm and other parametrizations the gradient is that of the
parameters underneath; of a pruned layer, that of its kept weights.
"""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.notebook import block
from deeptheory.core.shapes import as_step
from deeptheory.core.storage import read_dataset, write_dataset

if TYPE_CHECKING:
    import xarray
    from torch import nn

_NAMES = ("mean_norm", "std_norm", "weight_norm")


class GradientRecorder:
    """Norms of the mean and of the fluctuation of minibatch gradients, one pair per weight matrix and epoch.

    Call collect() after every backward() and before the optimizer's step, snapshot(step) at the end of an epoch.
    Kept over [seed, step, layer], float64, with g the gradient of a whole weight in one minibatch: mean_norm = ||mean
    of g over minibatches||, std_norm = root of the trace of their unbiased covariance (NaN for one minibatch),
    weight_norm = ||W|| at the snapshot, and batches. Source: Shwartz-Ziv & Tishby 2017, section 3.3 and figure 4.

    model: any nn.Module, one network; None or a Population where `networks.fit` fills it. layers: names as in
    `.layers`, no globs; None: all that are trained. Those are parameters of two or more axes, no biases: under their
    module's name ("0") where that has one such, called weight, else with their own ("rnn.weight_hh_l0"). seed: names
    the seed axis. A weight that takes no part in a minibatch's loss has gradient 0 there. .skipped: {layer: why} of
    those left out.
    InputError: no such layer, a frozen one asked for, no weight matrix at all or only frozen ones.
    """

    def __init__(self, model: "nn.Module | None" = None, layers: Iterable[str] | None = None, seed: int = 0):
        self.seeds: Sequence[int] = getattr(model, "seeds", None) or (int(seed),)
        self._weights: dict[str, Any] = {}
        self._model: Any = None
        self.skipped: dict[str, str] = {}
        if model is not None and not hasattr(model, "seeds"):
            found = _matrices(model)
            wanted = list(found) if layers is None else [layers] if isinstance(layers, str) else list(layers)
            for name in wanted:
                if name not in found:
                    raise InputError(unknown(name, found, what="layer with a weight matrix"))
                frozen = not found[name].requires_grad
                if frozen and layers is not None:
                    raise InputError(
                        f"layer {name!r} is frozen (requires_grad is False): it has no gradient; leave it out"
                    )
                if frozen:
                    self.skipped[name] = "frozen: requires_grad is False"
            self._weights = {name: found[name] for name in wanted if name not in self.skipped}
            if not self._weights:
                none = f"all {len(found)} weight matrices are frozen" if wanted else "layers names none"
                raise InputError(f"nothing to collect: {none if found else 'the model has no weight matrix'}")
            self._model = model
        self._sums: dict[str, list[Any]] = {}
        self._rows: dict[int, dict[str, dict[str, Any]]] = {}

    def __repr__(self) -> str:
        return f"GradientRecorder({len(self._weights)} layers, {len(self.skipped)} skipped; {len(self._rows)} steps)"

    def _repr_html_(self) -> str:
        return block(repr(self), None, [f"{name} is skipped: {why}" for name, why in self.skipped.items()])

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers whose gradients are collected."""
        return tuple(self._weights)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps with moments, in increasing order."""
        return tuple(sorted(self._rows))

    def collect(self) -> None:
        """Take in the gradients of one minibatch, each parameter's .grad as it is (zeroed before, and unscaled).

        InputError: there are none (call it between backward and step), or the model has another weight by now.
        """
        held = set() if self._model is None else {id(p) for p in self._model.parameters()}
        gone = next((name for name, w in self._weights.items() if id(w) not in held), None)
        if gone is not None:
            raise InputError(
                f"layer {gone!r} has another weight than when this recorder was made (replaced, or parametrized); make "
                "a GradientRecorder of the model as it is now"
            )
        if not any(w.grad is not None for w in self._weights.values()):
            frozen = [n for n, w in self._weights.items() if not w.requires_grad]
            why = f"; {', '.join(frozen[:4])} were frozen since" if frozen else ""
            raise InputError(
                f"layer {next(iter(self._weights))!r} has no gradient; call collect() after backward() and before "
                f"step(), and before zero_grad(){why}. If you did, none of the {len(self._weights)} layers takes part "
                "in the loss"
            )
        for name, weight in self._weights.items():
            held = self._sums.setdefault(name, [0.0, 0.0, 0])
            held[2] += 1
            away = (_doubles(weight.grad) if weight.grad is not None else 0.0) - held[0]
            if isinstance(away, float):  # no gradient so far
                continue
            b = held[2]  # Welford 1962: sums of squares would lose fluctuations below 1e-8 of the mean
            held[0] = held[0] + away / b
            held[1] = math.hypot(held[1], _norm(away) * math.sqrt((b - 1) / b))

    def snapshot(self, step: int) -> None:
        """Close the epoch: turn what was collected since the last snapshot into moments, and start afresh.

        InputError: nothing collected, a step twice or no integer; what was collected then stays.
        """
        step = as_step(step)
        if not self._sums:
            raise InputError("no gradient was collected since the last snapshot; call collect() after each backward()")
        for name, (mean, deviations, b) in self._sums.items():
            self.add(
                name,
                mean_norm=[0.0 if isinstance(mean, float) else _norm(mean)],
                std_norm=[deviations / math.sqrt(b - 1) if b > 1 else np.nan],
                weight_norm=[_norm(_doubles(self._weights[name]))],
                batches=b,
                step=step,
            )
        self._sums = {}

    def add(self, layer: str, *, mean_norm, std_norm, weight_norm, batches: int, step: int) -> None:
        """Take moments that were computed elsewhere, of one layer and step.

        mean_norm, std_norm, weight_norm: [seed]; the first call tells how many networks there are. batches: how many
        minibatches they are of. InputError: this layer and step are there already, a step that is no integer, another
        shape or number of networks.
        """
        step = as_step(step)
        if layer in self._rows.get(step, {}):
            raise InputError(f"step {step} of {layer!r} is recorded already; give every epoch a step of its own")
        given = {"mean_norm": mean_norm, "std_norm": std_norm, "weight_norm": weight_norm}
        values = {k: np.asarray(v, dtype=np.float64) for k, v in given.items()}
        flat = next((k for k, v in values.items() if v.ndim != 1), None)
        if flat is not None:
            raise InputError(f"{flat} of {layer!r} has shape {list(values[flat].shape)}; needed: [seed]")
        lengths = {len(v) for v in values.values()}
        if lengths != {len(self.seeds)}:
            if self._rows or len(lengths) > 1:
                raise InputError(f"moments of {layer!r} have {sorted(lengths)} networks, expected {len(self.seeds)}")
            self.seeds = tuple(range(lengths.pop()))  # filled from outside: the first tells
        self._rows.setdefault(step, {})[layer] = values | {"batches": int(batches)}

    def dataset(self) -> "xarray.Dataset":
        """mean_norm, std_norm, weight_norm [seed, step, layer] float64 and batches [step, layer], steps ascending.

        InputError: none yet, or steps that have other layers than the first.
        """
        import xarray as xr

        if not self._rows:
            raise InputError("no gradient moments yet; call collect() and snapshot(step), or pass gradients= to fit")
        layers = list(self._rows[self.steps[0]])
        other = next((s for s, row in self._rows.items() if row.keys() != set(layers)), None)
        if other is not None:
            raise InputError(f"step {other} has moments of {list(self._rows[other])}, step {self.steps[0]} of {layers}")
        data: dict[str, Any] = {
            name: (
                ("seed", "step", "layer"),
                np.stack([np.stack([self._rows[s][la][name] for la in layers], -1) for s in self.steps], 1),
            )
            for name in _NAMES
        }
        data["batches"] = (("step", "layer"), [[self._rows[s][la]["batches"] for la in layers] for s in self.steps])
        return xr.Dataset(data, coords={"seed": list(self.seeds), "step": list(self.steps), "layer": layers})

    def keep(self, path: str | Path) -> None:
        """Write .dataset() into a folder, for a training checkpoint; nothing where there are no moments yet.

        What was collected since the last snapshot is not in it. StoreError: the disk is full.
        """
        if self._rows:
            write_dataset(self.dataset(), Path(path))

    def resume(self, path: str | Path) -> None:
        """Go on from such a save: its moments replace those that are here; without a folder there are none.

        StoreError: it is corrupt.
        """
        self._rows, self._sums, path = {}, {}, Path(path)
        if not path.exists():
            return
        data = read_dataset(path)
        self.seeds = tuple(data["seed"].values.tolist())
        for t, step in enumerate(data["step"].values.tolist()):
            self._rows[step] = {
                layer: {n: data[n].values[:, t, k] for n in _NAMES} | {"batches": int(data["batches"].values[t, k])}
                for k, layer in enumerate(data["layer"].values.tolist())
            }


def _doubles(t: Any) -> Any:
    """Dense float64 values; of complex ones real and imaginary parts, on an axis of their own."""
    t = t.detach()
    t = t.to_dense() if t.is_sparse else t
    if t.is_complex():
        import torch

        t = torch.view_as_real(t.resolve_conj())
    return t.double()


def _norm(t: Any) -> float:
    """The Euclidean norm, where squares overflow or vanish, too."""
    largest = float(t.abs().max()) if t.numel() else 0.0
    return largest * float((t / largest).norm()) if 0.0 < largest < math.inf else largest


def _matrices(model: "nn.Module") -> "dict[str, nn.Parameter]":
    """Parameters of two or more axes by the name of their layer; shared ones once."""
    from deeptheory.recording.sites import clean, unwrap

    out: dict[str, nn.Parameter] = {}
    for path, module in unwrap(model).named_modules():
        path = clean(path)
        own = {k: p for k, p in module.named_parameters(recurse=False) if p.ndim >= 2}
        if path.endswith((".parametrizations", "parametrizations")) or not own:
            continue
        within, mark, tensor = path.rpartition("parametrizations.")
        layer = within.rstrip(".") if mark else path
        for name, p in own.items():
            if any(p is q for q in out.values()):
                continue
            name = f"{tensor}.{name}" if mark else name.removesuffix("_orig")
            alone = len(own) == 1 and name == "weight"
            out[layer if alone and layer else f"{layer}.{name}".lstrip(".")] = p
    return out
