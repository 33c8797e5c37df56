"""Cells whose code is known: which of the paper's measures tell codes apart, and how many cells each code needs (figures 4, 7)."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import spikes
from deeptheory.studies.chang_tsao_2017.stimuli import world

SIZES = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 205)
_ENOUGH = 0.8  # identification at which codes are compared
_RELIABILITY = 0.5


def simulated(settings, unit, inputs, workspace, progress):
    """One Dataset a member: identification by code and number of cells, and the control of the pixel components."""
    import xarray as xr

    curves = []
    for k, code in enumerate(("axis", "exemplar")):
        cells = dt.axis.simulate(
            code,
            n=settings["stimuli"],
            d=50,
            units=205,
            reliability=_RELIABILITY,
            seed=derive(unit, "simulated") % 2**31,
        )
        found = dt.axis_code(cells.responses, cells.features, normalize="none", shuffles=0, models=False, seed=unit)
        curves.append(found.identification(settings["candidates"], SIZES).accuracy[:, -1])
        progress(k + 1, 3)
    shown = world(settings, unit)
    pixels = dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)
    ratio = _pixel_control(settings, unit, shown.coordinates, pixels)
    return xr.Dataset(
        {"by_size": (("seed", "code", "size"), np.array([curves])), "eigenface": (("seed",), [ratio])},
        coords={"seed": [unit], "code": ["axis", "exemplar"], "size": list(SIZES)},
    )


def cells_needed(accuracy: np.ndarray, sizes: Any = SIZES) -> float:
    """The number of cells at which identification [size] first reaches _ENOUGH, between sizes linear; infinite if never."""
    above = np.flatnonzero(accuracy >= _ENOUGH)
    if not len(above):
        return float("inf")
    k = int(above[0])
    if k == 0:
        return float(sizes[0])
    part = (_ENOUGH - accuracy[k - 1]) / (accuracy[k] - accuracy[k - 1])
    return float(sizes[k - 1] + part * (sizes[k] - sizes[k - 1]))


def _pixel_control(settings: dict, unit: int, coordinates: np.ndarray, pixels: np.ndarray) -> float:
    """Variance of axis cells of the face space that pixel components explain, over that by the space itself."""
    rng = generator(unit, "axis cells")
    s = (coordinates - coordinates.mean(0)) / coordinates.std(0)
    drive = s @ rng.standard_normal((s.shape[1], 100)) / np.sqrt(s.shape[1])
    rates = spikes(np.log1p(np.exp(2 * drive)), settings, unit, "axis cells")
    explained = [
        dt.axis_code(rates, f, shuffles=0, models=False, seed=unit).axes.explained.mean() for f in (pixels, coordinates)
    ]
    return float(explained[0] / explained[1])
