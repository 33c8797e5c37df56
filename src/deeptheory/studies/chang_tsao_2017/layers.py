"""Each layer of a network as an area: preference, ramps, flatness and rival models of its cells (figures 1, 2, 4, supplement).

The same for the network before training and for pixels, which nobody trained.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.networks import FaceNet
from deeptheory.runs import generator
from deeptheory.studies.chang_tsao_2017.cells import record, spikes
from deeptheory.studies.chang_tsao_2017.stimuli import World, world

LAYERS = list(FaceNet.layers)
CONDITIONS = ("trained", "untrained")
_BENCH = ("preference", "tuned", "monotone", "flat", "relative", "dimensions")
_MODELS = ("axis", "exemplar", "ceiling")


def layers(settings: dict, member: int, trained: Any, untrained: Any, progress: Any) -> Any:
    """One Dataset over [seed, condition, layer, cell], and the same for pixels without the layer; see bench."""
    import xarray as xr

    shown = world(settings, member)
    pixels = dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)
    rows: dict[str, dict[str, list]] = {}
    done, total = 0, 2 * len(LAYERS) + 1
    for condition, net in zip(CONDITIONS, (trained, untrained)):
        responses = record(net, shown.images, LAYERS, settings["cells"], member)
        for name in LAYERS:
            found = bench(settings, member, shown, pixels, responses[name], f"{condition} {name}")
            for key, value in found.items():
                rows.setdefault(key, {}).setdefault(condition, []).append(value)
            done += 1
            progress(done, total)
    alone = bench(settings, member, shown, pixels, some_pixels(shown.images, settings["cells"], member), "pixels")
    dims = {"explained": ("feature",), "eigenface": (), "counts": ("verdict",)}
    variables: dict[str, Any] = {}
    for key, by in rows.items():
        axes = dims.get(key, ("model_cell",) if key in _MODELS else ("cell",))
        variables[key] = (("seed", "condition", "layer", *axes), np.array([[by[c] for c in CONDITIONS]]))
        variables[f"pixels_{key}"] = (("seed", *axes), np.array([alone[key]]))
    coords = {"seed": [member], "condition": list(CONDITIONS), "layer": LAYERS, "verdict": list(VERDICTS)}
    return xr.Dataset(variables, coords=coords)


VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", "cannot tell")


def bench(
    settings: dict, member: int, shown: World, pixels: np.ndarray, responses: np.ndarray, name: str
) -> dict[str, Any]:
    """What the axis code says of one area; cells that are missing or dead are NaN (numbers) or 0.

    preference: of shape against appearance. tuned, monotone, flat: 1 or 0. relative: variance in the orthogonal space over
    that along the axis. dimensions: features to which the cell is tuned. axis, exemplar: held-out R2 of the models, over
    the first cells; ceiling: of the same. explained: [feature], decoded. eigenface: variance explained by pixel components
    over that by the face space, mean over tuned cells.
    """
    rates = spikes(responses, settings, member, name)
    how = {"normalize": settings["normalize"], "seed": member, "folds": settings["folds"]}
    code = dt.axis_code(
        rates, shown.coordinates, shown.space.blocks, shuffles=settings["shuffles"], models=False, **how
    )
    few = rates[:, :, : settings["modelled"]]
    compared = dt.axis_code(few, shown.coordinates, shown.space.blocks, shuffles=settings["shuffles"], **how)
    by_pixels = dt.axis_code(rates, pixels, shuffles=0, models=False, **{**how, "normalize": "block"})
    cells, tuned = settings["cells"], code.ramp.tuned
    found = {
        "preference": code.preference.index,
        "tuned": tuned,
        "monotone": code.ramp.monotone,
        "flat": code.flatness.flat,
        "relative": code.flatness.relative,
        "dimensions": code.preference.tuned_dimensions,
    }
    out = {key: _placed(value, code.units, cells) for key, value in found.items()}
    models = compared.models
    assert models is not None
    for key, value in {"axis": models.of("axis"), "exemplar": models.of("exemplar"), "ceiling": models.ceiling}.items():
        out[key] = _placed(value, models.units, settings["modelled"])
    out["explained"] = code.decoding.explained
    out["counts"] = np.array([models.counts.get(v, 0) for v in VERDICTS])
    share = tuned if tuned.any() else np.ones(len(tuned), dtype=bool)
    rival = _placed(by_pixels.axes.explained, by_pixels.units, cells)[code.units][share]
    out["eigenface"] = np.nanmean(rival) / code.axes.explained[share].mean()
    return out


def some_pixels(images: np.ndarray, cells: int, member: int) -> np.ndarray:
    """[stimulus, cell]: pixels drawn at random among those that vary."""
    values = images.reshape(len(images), -1)
    varying = np.flatnonzero(values.std(0) > 0.2 * values.std(0).max())
    return values[:, generator(member, "pixels").choice(varying, min(cells, len(varying)), replace=False)]


def _placed(values: np.ndarray, units: np.ndarray, cells: int) -> np.ndarray:
    """values [k] of the units at these positions, NaN elsewhere: [cells] float."""
    out = np.full(cells, np.nan)
    out[units] = values
    return out
