"""What an inspection found: results by instrument, the layers, what it cost, and the page made of them."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.notebook import block, listed
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.results import Result
from deeptheory.core.storage import write_text
from deeptheory.inspection.checkpoints import steps_of
from deeptheory.inspection.instrument import Finding
from deeptheory.inspection.result import COLUMNS, InstrumentResult
from deeptheory.inspection.training import over_training

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

SCHEMA = 2
SIDE_BY_SIDE = 4  # checkpoints that are drawn as lines by depth
FILE = "inspection.json"
CANNOT = (
    "Intervals are over the samples of the probe, for this network only: another training run may differ by more.",
    "The twins have the initialization of reset_parameters, which need not be the one that this model was trained "
    "from; batch normalization in a twin uses its initial statistics (mean 0, variance 1).",
    "Nothing here says why a layer is as it is, or that a number causes the accuracy of the model.",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inspection(Result):
    """What dt.inspect found in a model.

    results: InstrumentResult by instrument. layers: a dict (name, kind, shape, bytes, kept, why) of every tensor that
    the forward pass shows, kept or skipped with the reason. measured: the layers with their pooling, the fields of
    Layer. facts: model, probe, seed, versions, cost in seconds. refused: instruments that did not run, with the reason.
    checkpoints: their names in order, ("",) without. notes: what limits all of it. gradients: the Dataset of a
    GradientRecorder, where a Recorder brought one.
    """

    title: str
    results: Mapping[str, InstrumentResult]
    layers: tuple[dict[str, Any], ...]
    measured: tuple[dict[str, Any], ...]
    facts: Mapping[str, Any]
    refused: Mapping[str, str]
    checkpoints: tuple[str, ...] = ("",)
    notes: tuple[str, ...] = ()
    gradients: Any = None

    def __repr__(self) -> str:
        several = f", {len(self.checkpoints)} checkpoints" if len(self.checkpoints) > 1 else ""
        return (
            f"Inspection({self.title}: {', '.join(self.results)} at {len(self.measured)} layers, {self.facts['n']} "
            f"samples, {self.facts['twins']} twins{several}, {self.facts['spent_seconds']:.3g} s)"
        )

    def _repr_html_(self) -> str:
        said = [f.text for _, f in self.findings()]
        refused = [f"{name} did not run: {why}" for name, why in self.refused.items()]
        return block(repr(self)) + listed(said, "ol") + listed([*refused, *self.notes])

    def findings(self, most: int = 5) -> list[tuple[str, Finding]]:
        """(instrument, what it found): at most `most`, those of the largest weight.

        One of each instrument is taken before a second of any, but for weights of 2 and more, which are always taken
        and come first; the others follow in the order of the instruments, not of their weights.
        """
        found = []
        for at, (name, r) in enumerate(self.results.items()):
            given = r.instrument.finding(r) if r.instrument.finding else None
            several = () if given is None else given if isinstance(given, tuple) else (given,)
            found += [(k > 0, -f.weight, at, k, name, f) for k, f in enumerate(several)]
        chosen = sorted(found, key=lambda t: (t[0] and t[1] > -2, t[1], t[2], t[3]))[:most]
        return [(name, f) for *_, name, f in sorted(chosen, key=lambda t: (t[1] > -2, t[2], t[3]))]

    def table(self) -> "pandas.DataFrame":
        """One row per instrument, checkpoint, layer and quantity; columns as of InstrumentResult.table."""
        import pandas as pd

        rows = [{"instrument": name, **j.row()} for name, r in self.results.items() for j in r.rows]
        return pd.DataFrame(rows, columns=["instrument", *COLUMNS])

    def dataset(self) -> "xarray.Dataset":
        """Every quantity that was measured by layer, over checkpoint and layer, with its interval and controls.

        Variables are named INSTRUMENT_QUANTITY, with the endings of InstrumentResult.dataset; NaN where a layer has
        none. Numbers of the model as a whole (hessian, propagation) are in .table() and .scalars() alone.
        """
        import xarray as xr

        parts = []
        for name, r in self.results.items():
            data = r.dataset()
            parts.append(data.rename({str(v): f"{name}_{v}" for v in data.data_vars}))
        return xr.merge(parts, join="outer").reindex(layer=[m["name"] for m in self.measured])

    @property
    def steps(self) -> tuple[float, ...] | None:
        """The steps of the checkpoints, where there are several and their names tell one each; None elsewhere."""
        return steps_of(self.checkpoints) if len(self.checkpoints) > 1 else None

    def scalars(self, checkpoint: str | None = None) -> dict[str, float]:
        """INSTRUMENT/QUANTITY/LAYER -> value, for any experiment tracker; numbers that are NaN are left out.

        Without /LAYER for the model as a whole. checkpoint: one of .checkpoints, None for the last. InputError: there
        is none of this name.
        """
        return {k: v for r in self.results.values() for k, v in r.scalars(checkpoint).items() if not math.isnan(v)}

    def figure(self) -> "plotly.graph_objects.Figure":
        """By depth: a row per quantity, with model, twins and permuted labels as lines (plotly).

        InputError: nothing was measured by layer.
        """
        from deeptheory.inspection.drawing import by_depth

        return by_depth(self.results.values())

    def write(self, out: str | Path | RemotePath) -> Folder:
        """Write inspection.json, inspection.csv and the page, report.html, into the folder `out`; the page's path.

        StoreError: the folder cannot be written. InputError: it is a file.
        """
        from deeptheory.report.inspection import write_inspection_page

        out = place(out)
        if out.exists() and not out.is_dir():
            raise InputError(f"{out} is a file; name a folder")
        write_text(out / FILE, json.dumps(self.document(), ensure_ascii=False, allow_nan=False))
        write_text(out / "inspection.csv", self.table().to_csv(index=False, lineterminator="\n"))
        return write_inspection_page(out)

    def document(self) -> dict[str, Any]:
        """All of it as JSON values; what is no finite number is text ("inf") or null.

        Rows in full of up to four checkpoints, of more only of the last; of all of them, series by step under
        "training"."""
        drawn = self.checkpoints if len(self.checkpoints) <= SIDE_BY_SIDE else self.checkpoints[-1:]
        instruments = []
        for name, r in self.results.items():
            i = r.instrument
            chances = {q.name: self.facts.get("chances", {}).get(f"{name}/{q.name}") for q in i.quantities}
            instruments.append({
                "name": name, "title": i.title, "question": i.question, "source": i.source, "formula": i.formula,
                    "limits": list(i.limits),
                "notes": list(r.notes),
                "quantities": [
                    {"name": q.name, "title": q.title, "unit": q.unit, "about": q.about, "log": q.log, "ends": q.ends,
                        "shown": q.shown, "chance": chances[q.name]}
                    for q in i.quantities
                ],
                "rows": [{**j.row(), "base": j.base, "part": j.part, "label": j.label, "control": j.control,
                    "beyond_twins": j.beyond_twins,
                        "beyond_permuted": j.beyond_permuted} for j in r.rows if j.checkpoint in drawn],
            })  # fmt: skip
        found = [{"instrument": name, **asdict(f)} for name, f in self.findings()]
        return _plain({
            "schema": SCHEMA, "title": self.title, "facts": dict(self.facts), "findings": found,
                "instruments": instruments,
            "refused": dict(self.refused), "layers": list(self.layers), "measured": list(self.measured),
            "checkpoints": list(drawn), "training": over_training(self.results, self.checkpoints, self.gradients),
                "notes": list(self.notes), "cannot": _cannot(self.facts),
        })  # fmt: skip


def _cannot(facts: Mapping[str, Any]) -> list[str]:
    k = facts["twins"]
    if not k:
        return list(CANNOT)
    odds = (
        f"With {k} twin{'s' * (k != 1)}, a network that was never trained lies outside their range in 2 of {k + 1} "
        "cases: the band shows what is ordinary, it is no test."
    )
    return [CANNOT[0], odds, *CANNOT[1:]]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()  # an instrument of a user's own may give numpy's numbers
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return None if math.isnan(value) else value if math.isfinite(value) else "inf" if value > 0 else "-inf"
    return value
