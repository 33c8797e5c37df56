"""Cells whose code is known: how many cells each code needs, and what pixel components explain of axis cells (figures 4L, 7)."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import firing
from deeptheory.studies.chang_tsao_2017.stimuli import world

SIZES = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 205)
_ENOUGH = 0.8  # identification at which codes are compared
_RELIABILITY = 0.5


def simulated(settings, unit, inputs, workspace, progress):
    """One Dataset a member: accuracy by code, number of cells and reader; their ratio; the control of pixel components."""
    import xarray as xr

    seed = derive(unit, "simulated") % 2**31
    found = dt.axis.metric_efficiency(
        SIZES, n=settings["stimuli"], d=50, candidates=settings["candidates"], reliability=_RELIABILITY, seeds=(seed,)
    )
    progress(1, 2)
    shown = world(settings, unit)
    pixels = dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)
    eigenface = _pixel_control(settings, unit, shown.coordinates, pixels)
    progress(2, 2)
    return xr.Dataset(
        {
            "accuracy": (("seed", "code", "size", "reader"), found.accuracy),
            "ratio": (("seed",), found.ratio(_ENOUGH)),
            "eigenface": (("seed",), [eigenface]),
        },
        coords={"seed": [unit], "code": list(found.metrics), "size": list(SIZES), "reader": list(found.readers)},
    )


def _pixel_control(settings: dict, unit: int, coordinates: np.ndarray, pixels: np.ndarray) -> float:
    """Variance of axis cells of the face space that pixel components explain, minus that by the space itself."""
    rng = generator(unit, "axis cells")
    s = (coordinates - coordinates.mean(0)) / coordinates.std(0)
    drive = s @ rng.standard_normal((s.shape[1], 100)) / np.sqrt(s.shape[1])
    rates = firing(settings)(np.log1p(np.exp(2 * drive)), derive(unit, "axis cells") % 2**31)
    found: list[Any] = [dt.axis_code(rates, f, permutations=0, models=False, seed=unit) for f in (pixels, coordinates)]
    return float(found[0].axes.explained.mean() - found[1].axes.explained.mean())
