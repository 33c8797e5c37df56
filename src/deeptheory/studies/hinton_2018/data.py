"""The views: rendered, or smallNORB or COIL-20 where their files are; and which of them are familiar and which new."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError

FAMILIAR_ELEVATIONS = (30, 35, 40)


def load(settings: dict) -> dt.datasets.Views:
    """All views, uint8 [n, C, size, size]. InputError: an unknown source."""
    source, size = settings["source"], settings["size"]
    if source == "multiview":
        return dt.datasets.multiview(settings["views"], size=size, seed=settings["seed"])
    if source not in ("smallnorb", "coil20"):
        raise InputError(f"source is {source!r}; known: multiview, smallnorb, coil20")
    views = dt.datasets.small_norb() if source == "smallnorb" else dt.datasets.coil20()
    return views


def parts(data: Any, condition: str) -> dict[str, np.ndarray]:
    """Row numbers: train, familiar (test, seen viewpoints), novel (test, new ones; none where all are seen).

    data: the Dataset of the step `views`. condition: "azimuth" (a third of a turn is familiar), "elevation" (the three lowest)
    or "all". Where the source has no test objects (COIL-20) every other view is held out.
    """
    azimuth, elevation = data["azimuth"].values, data["elevation"].values
    trains = data["train"].values
    if trains.all():
        trains = azimuth % 10 == 0
    familiar = {
        "azimuth": (azimuth >= 300) | (azimuth <= 40),
        "elevation": np.isin(elevation, FAMILIAR_ELEVATIONS) | (elevation.min() == elevation.max()),
        "all": np.ones(len(azimuth), dtype=bool),
    }[condition]
    return {
        "train": np.flatnonzero(trains & familiar),
        "familiar": np.flatnonzero(~trains & familiar),
        "novel": np.flatnonzero(~trains & ~familiar),
    }


def pictures(data: Any, rows: np.ndarray, settings: dict, generator: np.random.Generator | None = None) -> Any:
    """Network input of some rows, [n, C, H, W] in [0, 1]: the middle, or with a generator cut and lit anew where the settings say so."""
    x = data["image"].values[rows]
    if not settings["crop"]:
        return as_tensor(dt.datasets.scaled(x))
    x = dt.datasets.scaled(dt.datasets.cropped(x, settings["crop"], generator))
    return as_tensor(x if generator is None else dt.datasets.relit(x, generator))
