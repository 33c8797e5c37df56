"""Over training: every number of every checkpoint as a series over steps, with its controls; the information plane;
gradient phases.

Sources: Shwartz-Ziv & Tishby 2017, figures 2 to 4. Pitfall: twins are untrained, so theirs is one number per layer,
the same at every step; permuted labels are measured at each step anew. Pure noise over B minibatches has a
signal-to-noise ratio of about 1/sqrt(B), not 0."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeptheory.information import gradient_phases
from deeptheory.inspection.checkpoints import steps_of
from deeptheory.inspection.information import BINS, CROWDED, SIGMA
from deeptheory.inspection.result import InstrumentResult, Joined

READOUTS = {  # of the plane: I(X;T), I(T;Y), and what says whether the readout tells anything
    "noise": ("noise_i_x", "noise_i_y", "noise_cells", f"Gaussian noise of {SIGMA:g} of the samples' distance"),
    "bins": ("binned_i_x", "binned_i_y", "binned_alone", f"{BINS} bins"),
}


def over_training(
    results: Mapping[str, InstrumentResult], checkpoints: Sequence[str], gradients: Any = None
) -> dict[str, Any] | None:
    """As JSON values: names, steps (None where the names tell none), series, planes and phases; None for a single
    checkpoint without gradients. gradients: the Dataset of a GradientRecorder.

    InputError: as gradient_phases.
    """
    if len(checkpoints) < 2 and gradients is None:
        return None
    several = len(checkpoints) > 1
    return {
        "names": list(checkpoints),
        "steps": steps_of(checkpoints),
        "series": [s for name, r in results.items() for s in _series(name, r, checkpoints)] if several else [],
        "planes": _planes(results["information"], checkpoints) if several and "information" in results else [],
        "phases": None if gradients is None else _phases(gradients),
    }


def _series(name: str, result: InstrumentResult, checkpoints: Sequence[str]) -> list[dict[str, Any]]:
    """One per quantity and layer: a list over checkpoints for what changes, one number for what does not."""
    out = []
    for q in result.instrument.quantities:
        rows: dict[str, dict[str, Joined]] = {}
        for c in result.checkpoints:
            for r in result.of(q.name, c):
                rows.setdefault(r.layer, {})[c] = r
        for layer, found in rows.items():
            if any(r.of_input for r in found.values()):
                continue  # the probe itself, which no training moves
            one = next(iter(found.values()))
            over = {
                f: _over(found, checkpoints, f)
                for f in ("value", "low", "high", "permuted_mean", "permuted_low", "permuted_high")
            }
            out.append({
                "instrument": name, "quantity": q.name, "layer": layer, "label": one.label, "depth": one.depth,
                    "control": one.control,
                **over, "twin_mean": one.twin_mean, "twin_least": one.twin_least, "twin_most": one.twin_most,
                    "twins": len(one.twins),
            })  # fmt: skip
    return out


def _over(found: dict[str, Joined], checkpoints: Sequence[str], field: str) -> list[float]:
    """A field over checkpoints; [] where none has it."""
    values = [getattr(found[c], field) if c in found else math.nan for c in checkpoints]
    return [] if all(math.isnan(v) for v in values) else values


def _planes(result: InstrumentResult, checkpoints: Sequence[str]) -> list[dict[str, Any]]:
    """The information plane under each readout: a path per layer over checkpoints, and the point of each twin."""
    out = []
    for readout, (x, y, doubt, title) in READOUTS.items():
        paths = []
        for layer in dict.fromkeys(r.layer for r in result.rows if r.quantity == x and not r.of_input):
            on = {c: {q: _at(result, layer, q, c) for q in (x, y, doubt)} for c in checkpoints}
            first = next((row[x] for row in on.values() if row[x] is not None), None)
            if first is None:
                continue
            doubts = [row[doubt].value for row in on.values() if row[doubt] is not None and row[doubt].value > CROWDED]
            paths.append({
                "layer": layer, "label": first.label, "depth": first.depth, "control": first.control,
                **{k: [math.nan if on[c][q] is None else on[c][q].value for c in checkpoints] for k, q in (("x", x),
                    ("y", y))},
                "doubtful": len(doubts),
                "twins": list(zip(first.twins, getattr(next((row[y] for row in on.values() if row[y] is not None),
                    None), "twins", ()))),
                "permuted": [math.nan if on[c][y] is None else on[c][y].permuted_mean for c in checkpoints],
            })  # fmt: skip
        if paths:
            out.append({
                "readout": readout, "title": title, "paths": paths, "doubtful": sum(p["doubtful"] for p in paths),
                "points": len(paths) * len(checkpoints),
            })  # fmt: skip
    return out


def _at(result: InstrumentResult, layer: str, quantity: str, checkpoint: str) -> Joined | None:
    if checkpoint not in result.checkpoints:
        return None
    return next((r for r in result.of(quantity, checkpoint) if r.layer == layer), None)


def _phases(gradients: Any) -> dict[str, Any]:
    """Signal-to-noise ratio by layer over steps (the mean over networks, where there are several), and the floor that
    noise has."""
    found = gradient_phases(gradients)
    layers = []
    for k, name in enumerate(found.layers):
        batches = gradients["batches"].sel(layer=name).values if "batches" in gradients else None
        layers.append({
            "layer": name, "snr": _mean(found.snr[:, :, k]), "crossing": float(_mean(found.crossing[:, k : k + 1])[0]),
            "floor": None if batches is None else float(1 / np.sqrt(np.min(batches))),
        })  # fmt: skip
    return {"steps": list(found.steps), "layers": layers, "notes": list(found.notes)}


def _mean(values: np.ndarray) -> list[float]:
    """Over networks, of those that have a number."""
    there = ~np.isnan(values)
    counts = there.sum(axis=0)
    return np.where(counts, np.where(there, values, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan).tolist()
