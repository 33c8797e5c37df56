"""The bench at every layer of a network, with its controls beside it: the same network untrained, and the pixels.

Source: Chang & Tsao 2017, supplement (a face network's layers as areas); the controls are what the paper could not ask
of brains. Pitfall: ramps, flat null planes and axes that beat exemplars are found in untrained networks, and often in
pixels, too: a layer's number means little without the same number of a network that has learnt nothing.
"""

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from deeptheory.axis.bench.code import AxisCode, axis_code
from deeptheory.axis.layers.layer import named_layers, noisy, record_units
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_whole
from deeptheory.recording.inputs import as_inputs
from deeptheory.recording.sites import unwrap

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

CONDITIONS = ("trained", "untrained", "pixels")
_DULL = 0.2  # of the most varying pixel's deviation: those below are background


Figure = Literal["preference", "tuned", "monotone", "flat", "tuned_dimensions", "axis", "explained"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerwiseAxisCode(Result):
    """trained, untrained: AxisCode by layer, in the order given; pixels: AxisCode of the stimuli themselves, or None.

    The number and the seed of the units are the same in both conditions. notes: which modules of the untrained copy
    keep parameters of the model, for reset_parameters is not there, or does not draw them again.
    """

    trained: dict[str, AxisCode]
    untrained: dict[str, AxisCode]
    pixels: AxisCode | None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        names = list(self.trained)
        beside = ", pixels" if self.pixels is not None else ""
        return f"LayerwiseAxisCode({len(names)} layers, {names[0]} to {names[-1]}, beside them untrained{beside})"

    def conditions(self) -> list[tuple[str, str, AxisCode]]:
        """(condition, layer, code) of all: "trained", "untrained", and last "pixels", whose layer is ""."""
        out = [("trained", k, c) for k, c in self.trained.items()] + [
            ("untrained", k, c) for k, c in self.untrained.items()
        ]
        return out + ([("pixels", "", self.pixels)] if self.pixels is not None else [])

    def table(self) -> "pandas.DataFrame":
        """One row per condition and layer.

        units (how many), tuned (fraction). Of the tuned units, NaN where none is: preference (median, for the first
        block), monotone and flat (fractions), tuned_dimensions (median). explained: variance decoded, mean over
        features, and "explained BLOCK". Where models were compared: axis_beats_exemplar, fraction of units with the
        larger r2, and "verdict NAME", fractions.
        """
        import pandas as pd

        return pd.DataFrame([{"condition": c, "layer": name, **_summary(code)} for c, name, code in self.conditions()])

    def figure(self, name: Figure = "preference") -> "plotly.graph_objects.Figure":
        """A column of the table against layers, trained and untrained; dotted: pixels.

        name: preference, tuned, monotone, flat, tuned_dimensions, axis (axis_beats_exemplar) or explained.
        InputError: another name, or "axis" where models were not compared.
        """
        from deeptheory.core.theme import NEUTRAL, new_figure, series_colors

        column, title = pick(_FIGURES, name, what="figure")
        table = self.table()
        if column not in table:
            raise InputError(f"figure {name!r} needs models=True; models were not compared")
        import plotly.graph_objects as go

        figure = new_figure(xaxis_title="layer", yaxis_title=title)
        for condition, color in zip(CONDITIONS[:2], series_colors(2)):
            part = table[table["condition"] == condition]
            y = [None if not np.isfinite(v) else round(float(v), 4) for v in part[column]]
            figure.add_trace(
                go.Scatter(x=part["layer"].tolist(), y=y, name=condition, mode="lines+markers", line_color=color)
            )
        if self.pixels is not None:
            value = float(table[column].iloc[-1])
            if np.isfinite(value):
                figure.add_hline(y=value, line={"dash": "dot", "color": NEUTRAL}, annotation_text="pixels")
        return figure

    def scalars(self) -> dict[str, float]:
        """The table's numbers by "condition/layer/column"; "pixels/column"."""
        return {
            "/".join(v for v in (c, name, key) if v): float(value)
            for c, name, code in self.conditions()
            for key, value in _summary(code).items()
        }


_FIGURES = {
    "preference": ("preference", "preference for the first block (median of tuned units)"),
    "tuned": ("tuned", "share of units that are tuned"),
    "monotone": ("monotone", "share of tuned units shown to ramp monotonically"),
    "flat": ("flat", "share of tuned units that are flat orthogonal to the axis"),
    "tuned_dimensions": ("tuned_dimensions", "features to which a tuned unit is tuned (median)"),
    "axis": ("axis_beats_exemplar", "share of units that an axis explains better than an exemplar"),
    "explained": ("explained", "explained variance, mean over features"),
}


def axis_code_by_layer(
    model: nn.Module,
    layers: Iterable[str],
    stimuli: Any,
    features: Any,
    *,
    blocks: Any = None,
    untrained: nn.Module | None = None,
    pixels: bool = True,
    pool: Any = "mean",
    channels: str | None = None,
    special: int | None = None,
    units: int | None = None,
    min_active_fraction: float | None = None,
    noise: Any = None,
    batch: int = 64,
    seed: int = 0,
    **options: Any,
) -> LayerwiseAxisCode:
    """axis_code of several layers, of the same layers untrained, and of pixels; -> LayerwiseAxisCode.

    model, stimuli, features [n, d], blocks, pool, channels, special, batch, options: as in axis_code_of; units (a
    number), min_active_fraction, noise: as in record_units. layers: names that dt.layers(model, x) lists. untrained: a
    network of the same layers; None: a copy of the model in which every module that has reset_parameters draws them
    again, by seed. pixels: axis_code of so many of the stimuli's own numbers as `units` (None: 100), see pixels_of.
    seed: of units, noise, untrained copy and axis_code. Source: Chang & Tsao 2017, supplement; the controls are ours.
    InputError: no layer, units that are no number of them, stimuli that are not one array (pixels=True), and as
    axis_code_of.
    """
    check_whole(seed=(seed, 0), units=(1 if units is None else units, 1))
    layers = named_layers(layers)
    if not layers:
        raise InputError("layers is empty; name at least one (dt.layers(model, x) lists all)")
    shown = pixels_of(stimuli, units or 100, seed)[0] if pixels else None  # what is refused is so before the work
    if shown is not None and noise is not None:
        shown = noisy(shown, noise, seed)  # of pixels below 0 there are no spikes
    notes: tuple[str, ...] = ()
    if untrained is None:
        untrained, notes = redrawn(model, seed)
    how = {
        "pool": pool,
        "channels": channels,
        "special": special,
        "units": units,
        "min_active_fraction": min_active_fraction,
        "noise": noise,
        "batch": batch,
        "seed": seed,
    }
    found = []
    for net in (model, untrained):
        cells = record_units(net, layers, stimuli, **how)
        found.append({
            name: axis_code(c.recorded, features, blocks, seed=seed, **options).noted(c.notes, c.positions) for name,
            c in cells.items()
        })  # fmt: skip
    alone = None
    if shown is not None:
        alone = axis_code(shown, features, blocks, seed=seed, **options)
    return LayerwiseAxisCode(trained=found[0], untrained=found[1], pixels=alone, notes=notes)


def pixels_of(stimuli: Any, units: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the stimulus array itself [n, unit] float64, and their positions [unit] in a flattened stimulus.

    stimuli: [n, ...]. Drawn by seed, in rising order, among those whose standard deviation over the stimuli is above a
    fifth of the largest one's; all of these where there are fewer than `units`.
    InputError: stimuli that are not one array [n, ...] of real numbers, that hold NaN or do not vary; units below 1.
    """
    check_whole(units=(units, 1), seed=(seed, 0))
    given = as_inputs(stimuli)
    if not isinstance(given, torch.Tensor):
        raise InputError("stimuli are not one array, so that they have no pixels; call with pixels=False")
    if given.ndim < 2 or not given.numel():
        raise InputError(f"stimuli have shape {list(given.shape)}; needed: [n, ...], with pixels")
    if given.is_complex():
        raise InputError(f"stimuli hold {given.dtype}; needed: real numbers, or pixels=False")
    values = given.flatten(1).to(torch.float64).cpu().numpy()
    check_finite(stimuli=values)
    power = np.frexp(np.abs(values).max())[1]  # exact, and squares stay in float64
    spread = np.where((values == values[0]).all(0), 0.0, np.ldexp(values, -power).std(0))  # a mean may be rounded
    varying = np.flatnonzero((spread > _DULL * spread.max()) & (spread > 0))
    if len(varying) == 0:
        raise InputError(f"none of the {values.shape[1]} pixels varies over the stimuli")
    rng = np.random.default_rng([seed, 15])
    at = np.sort(rng.choice(varying, min(units, len(varying)), replace=False))
    return values[:, at], at


def redrawn(model: nn.Module, seed: int) -> tuple[nn.Module, tuple[str, ...]]:
    """A copy whose modules drew their parameters again (reset_parameters), and a note on those that could not."""
    try:
        out = deepcopy(unwrap(model))
    except RuntimeError as error:  # tensors that were computed, as by nn.utils.weight_norm
        raise InputError(
            f"the model cannot be copied; give untrained=, a network of the same layers ({error})"
        ) from error
    kept, same = [], []
    devices = sorted({p.device.index or 0 for p in out.parameters() if p.device.type == "cuda"})
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed % 2**64)  # torch has no larger seeds, numpy has
        for name, module in out.named_modules():
            reset = getattr(module, "reset_parameters", None)
            own = list(module.parameters(recurse=False))
            if callable(reset):
                before = [p.detach().clone() for p in own]
                reset()
                if any(torch.equal(p, b) and not bool((b == b.flatten()[:1]).all()) for p, b in zip(own, before)):
                    same.append(name or "the model itself")  # as of nn.utils.spectral_norm, which hides its weight
            elif own:
                kept.append(name or "the model itself")
    reasons = {"which have no reset_parameters": kept, "which reset_parameters does not draw again": same}
    return out, tuple(
        f"the untrained copy keeps the parameters of {', '.join(names[:5])}{' and others' * (len(names) > 5)}, {why}"
        for why, names in reasons.items()
        if names
    )


def _summary(code: AxisCode) -> dict[str, float]:
    tuned = code.ramp.tuned
    index, dimensions = code.preference.index[tuned], code.preference.tuned_dimensions[tuned]
    explained, nan = code.decoding.explained, float("nan")
    out = {
        "units": len(code.units),
        "tuned": float(tuned.mean()),
        "preference": float(np.median(index)) if tuned.any() else nan,
        "monotone": float(code.ramp.monotone[tuned].mean()) if tuned.any() else nan,
        "flat": float(code.flatness.flat[tuned].mean()) if tuned.any() else nan,
        "tuned_dimensions": float(np.median(dimensions)) if tuned.any() else nan,
        "explained": float(np.nanmean(explained)) if not np.isnan(explained).all() else nan,
    }
    out |= {f"explained {name}": v for name, v in code.decoding.by_block.items()}
    if code.models is not None:
        out["axis_beats_exemplar"] = float((code.models.of("axis") > code.models.of("exemplar")).mean())
        out |= {f"verdict {k}": v for k, v in code.share.items()}
    return out
