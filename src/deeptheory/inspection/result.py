"""What an instrument measured, each number joined with its controls.

Intervals are over the samples of the probe, for this network only. The twins are few: their least and largest value are
shown, and "beyond" means outside that whole range.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.inspection.instrument import Instrument, Layer, Reading

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

COLUMNS = (
    "checkpoint", "layer", "depth", "quantity", "value", "low", "high", "unit", "twin_mean", "twin_least", "twin_most",
    "twins", "permuted_mean", "permuted_low", "permuted_high", "permutations", "note",
)  # fmt: skip


PARTS = {"[CLS]": "class token", "[last]": "last step"}  # endings of layers that are a part of another


@dataclass(frozen=True, kw_only=True, eq=False)
class Joined:
    """One quantity of one layer (layer "" for the model as a whole) with its controls.

    value, low, high: of the model, with a 95 % interval over samples (NaN where none). twins: the same number of each
    untrained twin. permuted: under each permutation of the labels. label: the layer for people. of_input: it is the
    model's input, the same for every twin. control: what a twin is, in a word ("untrained", "weights permuted").
    """

    layer: str
    depth: int
    quantity: str
    value: float
    low: float
    high: float
    unit: str = "1"
    note: str = ""
    twins: tuple[float, ...] = ()
    permuted: tuple[float, ...] = ()
    control: str = "untrained"
    checkpoint: str = ""
    label: str = ""
    of_input: bool = False

    @property
    def base(self) -> str:
        """The layer's name without the ending that marks a part of it, "[CLS]" or "[last]"."""
        return self.layer.removesuffix(next((end for end in PARTS if self.layer.endswith(end)), ""))

    @property
    def part(self) -> str:
        """Where this is only that of the layer, "class token" or "last step"; else empty."""
        return next((said for end, said in PARTS.items() if self.layer.endswith(end)), "")

    @property
    def twin_mean(self) -> float:
        """Mean over the twins that gave a number, NaN where none did."""
        return _mean(self.twins)

    @property
    def twin_least(self) -> float:
        """The least value of a twin, NaN where none gave one."""
        return min(_finite(self.twins), default=math.nan)

    @property
    def twin_most(self) -> float:
        """The largest value of a twin, NaN where none gave one."""
        return max(_finite(self.twins), default=math.nan)

    @cached_property
    def permuted_mean(self) -> float:
        """Mean over the permutations of the labels, NaN without."""
        return _mean(self.permuted)

    @cached_property
    def permuted_low(self) -> float:
        """2.5 % quantile over the permutations, NaN without."""
        return _quantile(self.permuted, 0.025)

    @cached_property
    def permuted_high(self) -> float:
        """97.5 % quantile over the permutations, NaN without."""
        return _quantile(self.permuted, 0.975)

    @property
    def beyond_twins(self) -> bool | None:
        """Whether the interval (the value, where there is none) lies outside the whole range of the twins.

        None: no twin or no value, or the layer is the model's input.
        No test: of a network like its k twins, a value lies outside their range in 2 of k + 1 cases.
        """
        return None if self.of_input else self._beyond(self.twins)

    @property
    def beyond_permuted(self) -> bool | None:
        """Whether the interval (the value, where there is none) lies outside the range of all permutations.

        None: no permutation, or no value. No test: without any relation a value lies outside in 2 of k + 1 cases.
        """
        return self._beyond(self.permuted)

    def _beyond(self, control: tuple[float, ...]) -> bool | None:
        there = _finite(control)
        if not there or math.isnan(self.value):
            return None
        low = self.value if math.isnan(self.low) else self.low
        high = self.value if math.isnan(self.high) else self.high
        return low > max(there) or high < min(there)

    def said(self) -> str:
        """The number with interval and controls, for a sentence: "0.99 [0.98, 0.99] (untrained 0.59 to 0.81)".

        With permutations "permuted labels ..." follows; of_input: "the same for every network" stands for the twins.
        Without any: "(no control)". No interval where it is NaN; a value of NaN: "not measured (note)".
        """
        if math.isnan(self.value):
            return f"not measured ({self.note})"
        interval = "" if math.isnan(self.low) else f" [{short(self.low)}, {short(self.high)}]"
        controls = []
        if self.of_input:
            controls.append("the same for every network")
        elif _finite(self.twins):
            controls.append(f"{self.control} {span(self.twin_least, self.twin_most)}")
        if _finite(self.permuted):
            controls.append(f"permuted labels {span(self.permuted_low, self.permuted_high)}")
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{short(self.value)}{interval}{unit} ({'; '.join(controls) or 'no control'})"

    def row(self) -> dict[str, Any]:
        """As a row of InstrumentResult.table: its columns and their values."""
        return {
            "checkpoint": self.checkpoint, "layer": self.layer, "depth": self.depth, "quantity": self.quantity,
            "value": self.value, "low": self.low, "high": self.high, "unit": self.unit, "twin_mean": self.twin_mean,
            "twin_least": self.twin_least, "twin_most": self.twin_most, "twins": len(_finite(self.twins)),
            "permuted_mean": self.permuted_mean, "permuted_low": self.permuted_low, "permuted_high": self.permuted_high,
            "permutations": len(_finite(self.permuted)),
            "note": self.note,
        }  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class InstrumentResult(Result):
    """What one instrument found: rows by checkpoint, quantity and layer, in order of depth.

    rows: Joined, each with its controls; layer "" is the model as a whole. checkpoints: their names, ("",) without.
    Controls that are the same for all checkpoints (twins) are repeated in each.
    """

    instrument: Instrument
    rows: tuple[Joined, ...]
    checkpoints: tuple[str, ...] = ("",)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        layers = len({r.layer for r in self.rows if r.layer})
        several = f", {len(self.checkpoints)} checkpoints" if len(self.checkpoints) > 1 else ""
        return (
            f"InstrumentResult({self.instrument.name}: {len({r.quantity for r in self.rows})} quantities at "
            f"{layers} layers{several})"
        )

    def of(self, quantity: str, checkpoint: str | None = None) -> list[Joined]:
        """A quantity at every layer that has it, in order of depth. checkpoint: None for the last.

        InputError: it is no quantity of this instrument, or no checkpoint of this name.
        """
        self.instrument.quantity(quantity)
        return list(self._by_place.get((self._checkpoint(checkpoint), quantity), ()))

    @cached_property
    def _by_place(self) -> dict[tuple[str, str], list[Joined]]:
        """The rows of each checkpoint and quantity, in order of depth."""
        out: dict[tuple[str, str], list[Joined]] = {}
        for r in self.rows:
            out.setdefault((r.checkpoint, r.quantity), []).append(r)
        return {key: sorted(rows, key=lambda r: r.depth) for key, rows in out.items()}

    def at(self, layer: str, quantity: str, checkpoint: str | None = None) -> Joined:
        """A quantity at one layer, "" for the model as a whole. checkpoint: None for the last.

        InputError: it was not measured there, or as `of`.
        """
        found = {r.layer: r for r in self.of(quantity, checkpoint)}
        if layer not in found:
            raise InputError(f"{quantity} was not measured at {layer!r}; it was at {', '.join(found) or 'no layer'}")
        return found[layer]

    def _checkpoint(self, name: str | None) -> str:
        if name is None:
            return self.checkpoints[-1]
        if name not in self.checkpoints:
            raise InputError(f"unknown checkpoint {name!r}; there are: {', '.join(self.checkpoints)}")
        return name

    def table(self) -> "pandas.DataFrame":
        """One row per checkpoint, quantity and layer.

        checkpoint, layer, depth, quantity, value, low, high, unit; of the twins twin_mean, twin_least, twin_most and
        their number twins; of permuted labels permuted_mean, permuted_low and permuted_high (2.5 and 97.5 % quantiles)
        and their number permutations; note.
        """
        import pandas as pd

        return pd.DataFrame([r.row() for r in self.rows], columns=list(COLUMNS))

    def dataset(self) -> "xarray.Dataset":
        """Each quantity that was measured by layer as a variable over checkpoint and layer, with its controls.

        Those are NAME_low, _high, _twins [.., twin], _permuted [.., permutation]; NaN where there is none. Numbers of
        the model as a whole are in .table() alone.
        """
        import xarray as xr

        depth = {r.layer: r.depth for r in self.rows if r.layer}
        layers = sorted(depth, key=lambda name: depth[name])
        dims = ("checkpoint", "layer")
        out: dict[str, Any] = {}
        for q in dict.fromkeys(r.quantity for r in self.rows if r.layer):
            found = {(r.checkpoint, r.layer): r for r in self.rows if r.quantity == q}
            grid = [[found.get((c, name)) for name in layers] for c in self.checkpoints]
            for ending, field in (("", "value"), ("_low", "low"), ("_high", "high")):
                out[q + ending] = (dims, [[math.nan if r is None else getattr(r, field) for r in row] for row in grid])
            for axis, field in (("twin", "twins"), ("permutation", "permuted")):
                most = max((len(getattr(r, field)) for row in grid for r in row if r), default=0)
                if most:
                    values = [[_padded(() if r is None else getattr(r, field), most) for r in row] for row in grid]
                    out[f"{q}_{field}"] = ((*dims, axis), values)
        return xr.Dataset(out, coords={"checkpoint": list(self.checkpoints), "layer": layers})

    def scalars(self, checkpoint: str | None = None) -> dict[str, float]:
        """NAME/QUANTITY/LAYER -> value, NaN too, for any experiment tracker; without /LAYER for the model as a whole.

        checkpoint: None for the last. InputError: no such checkpoint.
        """
        which = self._checkpoint(checkpoint)
        return {
            "/".join(filter(None, (self.instrument.name, r.quantity, r.layer))): r.value
            for q in self.instrument.quantities
            for r in self._by_place.get((which, q.name), ())
        }

    def figure(self) -> "plotly.graph_objects.Figure":
        """The instrument's rows of the figure by depth (plotly). InputError: nothing was measured by layer."""
        from deeptheory.inspection.drawing import by_depth

        return by_depth([self])


def joined(
    instrument: Instrument,
    layers: Iterable[Layer],
    measured: dict[str, dict[str, list[Reading]]],
    twins: list[dict[str, list[Reading]]],
    control: str,
    notes: tuple[str, ...] = (),
) -> InstrumentResult:
    """measured: checkpoint -> layer -> readings; twins: the same of each twin. InputError: two readings of one quantity
    and layer, or of a quantity that the instrument does not name."""
    layers = list(layers)
    depth = {layer.name: layer.index for layer in layers}
    inputs = {layer.name for layer in layers if layer.role == "input"}
    labels = {layer.name: layer.label or layer.name for layer in layers}
    others = [{(name, r.quantity): r.value for name, readings in t.items() for r in readings} for t in twins]
    rows = []
    for checkpoint, by_layer in measured.items():
        seen = set()
        for name, readings in by_layer.items():
            for r in readings:
                q = instrument.quantity(r.quantity)
                if (name, r.quantity) in seen or (name and name not in depth):
                    raise InputError(
                        f"instrument {instrument.name} gave {r.quantity} at {name!r} twice, or at no layer of the model"
                    )
                seen.add((name, r.quantity))
                rows.append(
                    Joined(
                        layer=name,
                        depth=depth.get(name, -1),
                        quantity=r.quantity,
                        value=r.value,
                        low=r.low,
                        high=r.high,
                        unit=q.unit,
                        note=r.note,
                        twins=tuple(o.get((name, r.quantity), math.nan) for o in others),
                        permuted=r.permuted,
                        control=control,
                        checkpoint=checkpoint,
                        label=labels.get(name, "the model"),
                        of_input=name in inputs,
                    )
                )
    order = {q.name: k for k, q in enumerate(instrument.quantities)}
    place = {c: k for k, c in enumerate(measured)}
    rows.sort(key=lambda r: (place[r.checkpoint], order[r.quantity], r.depth))
    return InstrumentResult(instrument=instrument, rows=tuple(rows), checkpoints=tuple(measured), notes=notes)


def short(value: float) -> str:
    """A number for people: three digits that count, without an exponent where it can be."""
    if math.isnan(value) or math.isinf(value):
        return {True: "not a number"}.get(math.isnan(value), "infinite" if value > 0 else "-infinite")
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e5 or size < 1e-4:
        return f"{value:.2e}"
    if size >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if size < 1 else f"{value:.{2 if size < 10 else 1}f}".rstrip("0").rstrip(".")


def span(low: float, high: float) -> str:
    """As in "0.1 to 0.3"; one number where both read alike."""
    a, b = short(low), short(high)
    return a if a == b else f"{a} to {b}"


def _finite(values: Iterable[float]) -> list[float]:
    return [v for v in values if not math.isnan(v)]


def _mean(values: tuple[float, ...]) -> float:
    there = _finite(values)
    return float(np.mean(there)) if there else math.nan


def _quantile(values: tuple[float, ...], q: float) -> float:
    there = sorted(_finite(values))
    if not there or not math.isfinite(there[-1] - there[0]):
        return float(np.quantile(there, q)) if there else math.nan
    at = q * (len(there) - 1)  # as numpy.quantile, which takes fifty times longer for twenty numbers
    low, t = there[int(at)], at - int(at)
    high = there[min(int(at) + 1, len(there) - 1)]
    return float(low + (high - low) * t if t < 0.5 else high - (high - low) * (1 - t))


def _padded(values: tuple[float, ...], most: int) -> list[float]:
    return [*values, *[math.nan] * (most - len(values))]
