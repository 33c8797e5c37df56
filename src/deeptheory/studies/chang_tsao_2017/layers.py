"""Each layer of a network as an area: preference, ramps, flatness and rival models of its cells (figures 1, 2, 4, supplement).

The same for the network before training and for pixels, which nobody trained.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.networks import FaceNet
from deeptheory.studies.chang_tsao_2017.cells import recorded
from deeptheory.studies.chang_tsao_2017.stimuli import world

LAYERS = list(FaceNet.layers)
CONDITIONS = ("trained", "untrained")
VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", "undetermined")
CURVED = "relu6"  # whose curves are kept
_MODELS = ("axis", "exemplar", "ceiling")
_CURVES = {
    "ramp_x": "ramp_bin",
    "ramp_y": "ramp_bin",
    "ramp_count": "ramp_bin",
    "flat_x": "flat_bin",
    "flat_y": "flat_bin",
}


def layers(settings: dict, member: int, trained: Any, untrained: Any, progress: Any) -> Any:
    """One Dataset over [seed, condition, layer, cell], and the same for pixels without the layer; see measured and compared.
    Curves, [seed, condition, cell, bin], are those of the layer CURVED."""
    import xarray as xr

    shown = world(settings, member)
    pixels = dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)

    def bench(features, blocks, cells=None, **options):
        how = recorded(settings, member, cells) | {"folds": settings["folds"], "normalize": settings["normalize"]}
        return dt.axis.axis_code_by_layer(trained, LAYERS, shown.images, features, blocks, untrained=untrained, **how | options)  # fmt: skip

    coordinates, blocks = shown.coordinates, shown.space.blocks
    code = bench(coordinates, blocks, permutations=settings["permutations"], models=False)
    progress(1, 3)
    rivals = bench(pixels, None, permutations=0, models=False, normalize="block")
    progress(2, 3)
    few = bench(coordinates, blocks, settings["modelled"], permutations=settings["permutations"])
    progress(3, 3)
    found = {}
    for (condition, name, one), (_, _, rival), (_, _, model) in zip(code.conditions(), rivals.conditions(), few.conditions()):  # fmt: skip
        found[condition, name] = measured(settings, one, rival) | compared(settings, model)
    curves = {(c, name): curves_of(settings, one) for c, name, one in code.conditions() if name in (CURVED, "")}
    dims = {"explained": ("feature",), "eigenface": (), "counts": ("verdict",), "sta": ("cell", "feature")}
    variables: dict[str, Any] = {}
    for key in found["pixels", ""]:
        axes = dims.get(key, ("model_cell",) if key in _MODELS else ("cell",))
        each = np.array([[[found[c, name][key] for name in LAYERS] for c in CONDITIONS]])
        variables[key] = (("seed", "condition", "layer", *axes), each)
        variables[f"pixels_{key}"] = (("seed", *axes), np.array([found["pixels", ""][key]]))
    for key, bins in _CURVES.items():
        axes = ("cell", bins)
        variables[key] = (("seed", "condition", *axes), np.array([[curves[c, CURVED][key] for c in CONDITIONS]]))
        variables[f"pixels_{key}"] = (("seed", *axes), curves["pixels", ""][key][None])
    coords = {"seed": [member], "condition": list(CONDITIONS), "layer": LAYERS, "verdict": list(VERDICTS)}
    return xr.Dataset(variables, coords=coords)


def measured(settings: dict, code: Any, rival: Any) -> dict[str, Any]:
    """What the axis code says of one area; cells that are missing or dead are NaN.

    preference: of shape against appearance. tuned, flat: 1 or 0. monotone: 1, 0 for a cell shown to reverse, NaN for one that
    its responses do not determine. relative: variance in the orthogonal space over that along the axis. dimensions: features
    to which the cell is tuned. r: correlation with the projection onto the axis. sta: [cell, feature], of unit length.
    explained: [feature], decoded. eigenface: variance explained by pixel components minus that by the face space (held out:
    either may be negative, so that a ratio says nothing), mean over tuned cells (over all, where none is).
    """
    cells, tuned = settings["cells"], code.ramp.tuned
    out = {
        key: _placed(value, len(code.units), cells)
        for key, value in {
            "preference": code.preference.index,
            "tuned": tuned,
            "monotone": np.where(code.ramp.shape == "undetermined", np.nan, code.ramp.monotone),
            "flat": code.flatness.flat,
            "relative": code.flatness.relative,
            "dimensions": code.preference.tuned_dimensions,
            "r": code.ramp.r,
            "sta": code.axes.sta / np.linalg.norm(code.axes.sta, axis=1, keepdims=True),
        }.items()
    }
    out["explained"] = code.decoding.explained
    share = tuned if tuned.any() else np.ones(len(tuned), dtype=bool)
    out["eigenface"] = rival.axes.explained[share].mean() - code.axes.explained[share].mean()
    return out


def compared(settings: dict, code: Any) -> dict[str, Any]:
    """axis, exemplar: [model_cell] held-out R2 of the models; ceiling: of the same cells. counts: [verdict] cells."""
    models, cells = code.models, settings["modelled"]
    rows = {"axis": models.of("axis"), "exemplar": models.of("exemplar"), "ceiling": models.ceiling}
    out = {key: _placed(value, len(code.units), cells) for key, value in rows.items()}
    out["counts"] = np.array([models.counts.get(v, 0) for v in VERDICTS])
    return out


def curves_of(settings: dict, code: Any) -> dict[str, np.ndarray]:
    """Responses [cell, bin] in spikes a second along the axis (ramp) and along the longest orthogonal one (flat), and where the
    bins lie. The flat ones come standardised: mean and deviation of each cell are those of its ramp's bins."""
    mean, sem, count = code.ramp.mean, code.ramp.sem, code.ramp.count
    total = count.sum(1)
    rate = (np.nan_to_num(mean) * count).sum(1) / total
    within = np.nan_to_num(sem) ** 2 * count * np.maximum(count - 1, 0)
    spread = np.sqrt((within + np.nan_to_num((mean - rate[:, None]) ** 2) * count).sum(1) / total)
    rows = {
        "ramp_x": code.ramp.centers,
        "ramp_y": mean,
        "ramp_count": count,
        "flat_x": code.flatness.curve_x,
        "flat_y": rate[:, None] + spread[:, None] * code.flatness.curve,
    }
    return {key: _placed(value, len(code.units), settings["cells"]) for key, value in rows.items()}


def _placed(values: np.ndarray, found: int, cells: int) -> np.ndarray:
    """values [found, ...] first, NaN after them: [cells, ...] float."""
    out = np.full((cells, *values.shape[1:]), np.nan)
    out[:found] = values
    return out
