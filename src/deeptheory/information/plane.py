"""The information plane: I(X;T) against I(T;Y) of every layer, network and step, under one stated readout.

Source: Shwartz-Ziv & Tishby 2017, figures 2 and 3. A deterministic network has I(X;T) = H(X) or infinity: what moves
here is a property of network and readout together, and the notes say where that bites.
What is read off the plane (fit, compression) is in compression.py.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deeptheory.core.arrays import as_numpy, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.names import count_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.information.entering import class_weights
from deeptheory.information.readouts import Binning, GaussianNoise
from deeptheory.recording.identity import label_of

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

_MOST = 0.9  # of the inputs in cells of their own, from which on the figure says so


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationPlane(Result):
    """Arrays [seed, step, layer] float64, bits: i_x = I(X;T), i_y = I(T;Y), h_t = H(T); occupied: cells in use.

    extra: further arrays of the readout (bounds), by name. readout: its text. inputs: number of probe inputs; h_y:
    entropy of their labels, bits. null_mean, p_value: [seed, step, layer], of i_y with labels permuted, where asked
    for, else None: the mean of the draws, and (1 + draws at least as large) / (1 + draws). steps ascend; notes say
    where the readout sees nothing.
    """

    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    layers: tuple[str, ...]
    i_x: np.ndarray
    i_y: np.ndarray
    h_t: np.ndarray
    occupied: np.ndarray
    extra: dict[str, np.ndarray]
    null_mean: np.ndarray | None = None
    p_value: np.ndarray | None = None
    readout: str
    inputs: int
    h_y: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        sizes = {"network": self.seeds, "step": self.steps, "layer": self.layers}
        shape = ", ".join(count_of(len(v), k) for k, v in sizes.items())
        notes = f", {count_of(len(self.notes), 'note')}" if self.notes else ""
        return f"InformationPlane({shape}, {self.readout}, {count_of(self.inputs, 'input')}{notes})"

    @property
    def blind(self) -> tuple[str, ...]:
        """Layers in which every input has a cell of its own, in every network at every step.

        Nothing is seen of them here.
        """
        apart: Any = np.atleast_3d(_all_apart(self.occupied, self.inputs)).all((0, 1))
        return tuple(layer for layer, alone in zip(self.layers, apart) if alone)

    @property
    def nearly_blind(self) -> tuple[str, ...]:
        """Other layers in which some network at some step has over nine tenths as many cells as inputs."""
        most = self.occupied.max((0, 1))
        return tuple(n for n, count in zip(self.layers, most) if count > _MOST * self.inputs and n not in self.blind)

    def dataset(self) -> "xarray.Dataset":
        """i_x, i_y, h_t (bits), occupied, the readout's further arrays, null_mean and p_value over [seed, step, layer].

        attrs: readout, inputs, h_y, unit, notes.
        """
        import xarray as xr

        arrays = {"i_x": self.i_x, "i_y": self.i_y, "h_t": self.h_t, "occupied": self.occupied, **self.extra}
        for name, value in (("null_mean", self.null_mean), ("p_value", self.p_value)):
            if value is not None:
                arrays[name] = value
        return xr.Dataset(
            {name: (("seed", "step", "layer"), value) for name, value in arrays.items()},
            coords={"seed": list(self.seeds), "step": list(self.steps), "layer": list(self.layers)},
            attrs={
                "readout": self.readout,
                "inputs": self.inputs,
                "h_y": self.h_y,
                "unit": "bits",
                "notes": self.notes,
            },
        )

    @classmethod
    def of(cls, data, readout) -> "InformationPlane":
        """The plane again from such a Dataset (of several runs joined along seed, for instance) and its readout.

        The notes are made again. InputError: the Dataset was made under another readout, or lacks what a plane has.
        """
        lacks = [k for k in ("i_x", "i_y", "h_t", "occupied") if k not in data]
        lacks += [k for k in ("inputs", "h_y") if k not in data.attrs]
        if lacks:
            raise InputError(f"the Dataset lacks {', '.join(lacks)}; needed: what .dataset() of a plane gives")
        if data.attrs.get("readout") not in (label_of(readout), repr(readout)):
            raise InputError(f"the Dataset was read out by {data.attrs.get('readout')}, not {label_of(readout)}")
        main = {k: data[k].transpose("seed", "step", "layer").values for k in ("i_x", "i_y", "h_t", "occupied")}
        seeds, steps, layers = (data[c].values.tolist() for c in ("seed", "step", "layer"))
        others = [k for k in data.data_vars if k not in main and set(data[k].dims) == {"seed", "step", "layer"}]
        more = {str(k): data[k].transpose("seed", "step", "layer").values for k in others}
        return cls(
            seeds=tuple(seeds),
            steps=tuple(steps),
            layers=tuple(layers),
            **main,
            null_mean=more.pop("null_mean", None),
            p_value=more.pop("p_value", None),
            extra=more,
            readout=label_of(readout),
            inputs=int(data.attrs["inputs"]),
            h_y=float(data.attrs["h_y"]),
            notes=_notes(readout, main, int(data.attrs["inputs"]), layers, float(data.attrs["h_y"])),
        )

    def scalars(self) -> dict[str, float]:
        """Mean over networks at the last step, bits, by name and layer: `i_x/layer1`, `i_y/layer1`, ..."""
        out = {}
        for k, layer in enumerate(self.layers):
            out[f"i_x/{layer}"] = float(self.i_x[:, -1, k].mean())
            out[f"i_y/{layer}"] = float(self.i_y[:, -1, k].mean())
        return out

    def figure(self, kind: Literal["plane", "curves"] = "plane", bound: Any = None) -> "plotly.graph_objects.Figure":
        """The information plane, or its curves over training (plotly).

        kind: "plane": one point a network and layer, the mean path drawn, a slider over training; "curves": I(X;T) and
        I(T;Y) against the step, mean and range of the middle 80 % of networks. bound: a BottleneckCurve of the task,
        drawn into the "plane" alone. InputError: another kind.
        """
        from deeptheory.core.names import pick
        from deeptheory.information.drawing import draw_curves, draw_plane

        figure = pick({"plane": draw_plane, "curves": draw_curves}, kind, what="figure")(self)
        if bound is not None and kind == "plane":
            from deeptheory.information.layer_bound import add_bound

            add_bound(figure, bound, float(self.i_x.max()))
        return figure


def information_plane(
    recording, readout=None, *, targets=None, permutations: int = 0, seed: int = 0
) -> InformationPlane:
    """The information plane, I(X;T) and I(T;Y) in bits of every layer and step, of a recording under a readout.

    Source: Tishby & Zaslavsky 2015; Shwartz-Ziv & Tishby 2017, figure 2. X is the probe, each input equally likely.
    recording: a Recording, or activations of one layer, [sample, unit] or [seed, sample, unit], with targets given.
    readout: Binning, GaussianNoise, Quantized, Exact, or anything with .summarize; there is no default, since the
    result depends on it. targets: labels [sample], numbers or names, or p(y|x) [sample, class]; default: the
    recording's own. permutations: draws of the null in which labels are shuffled among inputs, from the seed (needs the
    activations). Where the recording kept only summaries, the readout must be one of those, by its type and values, and
    the targets are those that it had. InputError: no readout, one that was not kept or that gives no plane, nothing
    recorded, no targets or another number of them than inputs, permutations below 0 or no integer, or what the readout
    refuses.
    """
    check_whole(permutations=(permutations, 0), seed=(seed, 0))
    if readout is None or not hasattr(readout, "summarize"):
        raise InputError(
            f"readout is {readout!r}; state one, e.g. dt.Binning(30, 'layer'): for a deterministic network every "
            "finite I(X;T) is a property of network and readout"
        )
    source: Any = recording if hasattr(recording, "activations") else _Bare(recording, targets)
    kept = source.named(readout) if source.readouts else None
    if not source.steps:
        raise InputError("the recording is empty: no step was recorded; call recorder.snapshot(step) first")
    own = targets is None
    targets = source.targets if own else as_numpy(targets)
    if targets is None:
        raise InputError("the recording has no targets; pass targets=, the labels of its inputs")
    if kept is not None and not permutations:
        if not own and not _same_classes(targets, source.targets):
            raise InputError(
                "targets= differ from those that the summaries were made with; leave them out, "
                "or keep the activations (readouts=None)"
            )
        summary = source.summary(kept)
        arrays = {str(k): np.asarray(v.transpose("seed", "step", "layer").values) for k, v in summary.data_vars.items()}
        seeds, steps, layers = (summary[c].values.tolist() for c in ("seed", "step", "layer"))
    else:
        if not source.has_activations:
            known = ", ".join(source.readouts) or "none"
            raise InputError(
                f"this recording kept summaries only, and not those of {label_of(readout)}; kept: {known}. Hand the "
                "readout to the Recorder, or keep the activations (readouts=None)"
                if kept is None
                else "permutations= deals labels out again and needs the activations, and only summaries were kept; "
                "record with readouts=None"
            )
        seeds, steps, layers = list(source.seeds), list(source.steps), list(source.layers)
        arrays = _measure(source, readout, targets, permutations, seed)
    missing = [k for k in ("i_x", "i_y", "h_t", "occupied") if k not in arrays]
    if missing:
        raise InputError(
            f"{label_of(readout)} gives no {', '.join(missing)} and makes no plane; use recording.summary(readout)"
        )
    null_mean, p_value = arrays.pop("null_mean", None), arrays.pop("p_value", None)
    main = {k: arrays.pop(k) for k in ("i_x", "i_y", "h_t", "occupied")}
    inputs, h_y = len(targets), _entropy(class_weights(targets, len(targets)))
    return InformationPlane(
        seeds=tuple(seeds),
        steps=tuple(steps),
        layers=tuple(layers),
        **main,
        extra=arrays,
        null_mean=null_mean,
        p_value=p_value,
        readout=label_of(readout) if kept is None else kept,
        inputs=inputs,
        h_y=h_y,
        notes=_notes(readout, main, inputs, layers, h_y),
    )


def _measure(recording, readout, targets, permutations: int, seed: int) -> dict[str, np.ndarray]:
    if getattr(readout, "bounds", None) == "global":
        ends = [
            (float(a.min()), float(a.max()))
            for layer in recording.layers
            for a in (as_numpy(recording.activations(layer, step)) for step in recording.steps)
        ]
        readout = readout.on_range(min(e[0] for e in ends), max(e[1] for e in ends))
    shape = (len(recording.seeds), len(recording.steps), len(recording.layers))
    arrays: dict[str, np.ndarray] = {}
    for t, step in enumerate(recording.steps):
        for k, layer in enumerate(recording.layers):
            a = recording.activations(layer, step)
            row = dict(readout.summarize(a, targets))
            if permutations:
                row |= _null(readout, a, targets, row["i_y"], permutations, [seed, t, k])
            for name, value in row.items():
                arrays.setdefault(name, np.full(shape, np.nan))[:, t, k] = value
    return arrays


def _null(readout, a, targets, seen, permutations: int, seed: list[int]) -> dict[str, np.ndarray]:
    rng, targets = np.random.default_rng(seed), as_numpy(targets)
    draws = np.stack([readout.summarize(a, targets[rng.permutation(len(targets))])["i_y"] for _ in range(permutations)])
    p_value = (1 + (draws >= np.asarray(seen) - 1e-12).sum(0)) / (1 + permutations)
    return {"null_mean": draws.mean(0), "p_value": p_value}


def _notes(readout, main: dict[str, np.ndarray], n: int, layers: list[str], h_y: float) -> tuple[str, ...]:
    notes = []
    if isinstance(readout, Binning | GaussianNoise):
        notes.append(
            "the network is deterministic: I(X;T) here is the information that survives this readout, not a property "
            "of the network alone, and the data-processing inequality need not hold between layers" + _of_noise(readout)
        )
    apart: Any = _all_apart(main["occupied"], n).all((0, 1))
    alone = [layer for k, layer in enumerate(layers) if apart[k]]
    if alone:
        notes.append(
            f"all {n} inputs have a cell of their own at every step in {_names(alone)}: I(X;T) = log2 n = "
            f"{np.log2(n):.4g} and I(T;Y) = H(Y) = {h_y:.4g} bits there, whatever the labels: permuted labels give the "
            "same point, and nothing is seen of training. " + _COARSER
        )
    counts = main["occupied"].max((0, 1))
    crowded = [f"{layer} ({counts[k]:.0f})" for k, layer in enumerate(layers) if counts[k] > n / 5 and not apart[k]]
    if crowded:
        notes.append(
            f"the {n} inputs fall into so many cells, at most, that there I(T;Y) tends to H(Y) for any labels and "
            f"I(X;T) to log2 n: {_names(crowded)}; compare with permuted labels (permutations=)"
        )
    if isinstance(readout, Binning) and readout.clamp:
        notes.append("values outside the bounds were put into the end cells")
    if isinstance(readout, GaussianNoise):
        notes.append("i_y subtracts two upper bounds and is no bound itself; i_y_lower and i_y_upper are")
    return tuple(notes)


def _of_noise(readout: Any) -> str:
    """Where the noise of a readout is, and what its size is of."""
    if not isinstance(readout, GaussianNoise):
        return ""
    size = "in the units of activations, so that rescaled weights give another number"
    if readout.relative:
        size = f"in units of the layer's own {readout.relative if readout.relative is not True else 'deviation'}"
    return f"; the noise is added by the analysis, not in training, {size}"


_COARSER = (
    "Layers of many units need a readout that does not look at every unit with the same sharpness: "
    "dt.GaussianNoise(0.5, relative='distance')"
)


def _all_apart(occupied: np.ndarray, n: int) -> np.ndarray:
    """Where every input has a cell of its own; of noise, whose count is 2^I(X;T), to a thousandth."""
    return occupied > n * (1 - 1e-3) if np.any(occupied != np.round(occupied)) else occupied >= n


def _names(layers: list[str]) -> str:
    return ", ".join(layers[:8]) + (f" and {len(layers) - 8} more" if len(layers) > 8 else "")


def _same_classes(a: np.ndarray, b: np.ndarray | None) -> bool:
    return b is not None and np.shape(a) == np.shape(b) and bool(np.all(np.asarray(a) == np.asarray(b)))


def _entropy(p: np.ndarray) -> float:
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


class _Bare:
    """Activations of one layer at one step, in the form of a recording."""

    readouts: tuple[str, ...] = ()
    has_activations = True
    steps, layers = (0,), ("layer",)

    def __init__(self, activations, targets):
        check_paired(activations=activations, targets=targets)
        a = as_numpy(activations)
        if a.ndim not in (2, 3):
            raise InputError(f"activations have shape {list(a.shape)}; needed: [sample, unit] or [seed, sample, unit]")
        self._a = a[None] if a.ndim == 2 else a
        self.seeds, self.targets = tuple(range(len(self._a))), targets
        if targets is None:
            raise InputError("activations were given without targets=; I(T;Y) needs the labels")

    def activations(self, layer: str, step: int) -> np.ndarray:
        return self._a
