"""Units as cells: which are recorded, and how a response becomes spikes.

A cell is one unit at one place of a layer, drawn at random among those that answer at least a twentieth of the faces, not
always alike. Its response is scaled to a mean rate and counted as Poisson spikes in a window, several trials a face: so
numbers that depend on noise (how many dimensions a cell is tuned to, how far a population goes) can stand beside cells'.
"""

from collections.abc import Sequence

import numpy as np

import deeptheory as dt
from deeptheory.arrays import as_numpy, as_tensor
from deeptheory.runs import generator

_CHUNK = 200
_ANSWERED = 0.05


def record(
    model, images: np.ndarray, layers: Sequence[str], cells: int, seed: int, chosen_on: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Responses [stimulus, cell] by layer without noise; fewer than `cells` where a layer has no more that answer.

    chosen_on: the images whose first few decide which units are recorded, by default the images themselves.
    """
    first = activations(model, (images if chosen_on is None else chosen_on)[:_CHUNK], layers)
    chosen = {name: choose(values, cells, seed, name) for name, values in first.items()}
    del first
    parts: dict[str, list[np.ndarray]] = {name: [] for name in layers}
    for at in range(0, len(images), _CHUNK):
        for name, values in activations(model, images[at : at + _CHUNK], layers).items():
            parts[name].append(values[:, chosen[name]])
    return {name: np.concatenate(rows) for name, rows in parts.items()}


def activations(model, images: np.ndarray, layers: Sequence[str]) -> dict[str, np.ndarray]:
    """All units [stimulus, unit] by layer."""
    recorder = dt.Recorder(model, as_tensor(images.astype(np.float32)), layers=list(layers))
    return {name: as_numpy(values)[0] for name, values in recorder.activations().items()}


def choose(values: np.ndarray, cells: int, seed: int, name: str) -> np.ndarray:
    """Positions of the cells among the units of values [stimulus, unit]."""
    answers = (values > 0).mean(0) >= _ANSWERED
    living = np.flatnonzero(answers & (values.std(0) > 1e-6 * np.abs(values).max()))
    return np.sort(generator(seed, "cells", name).choice(living, min(cells, len(living)), replace=False))


def spikes(responses: np.ndarray, settings: dict, seed: int, name: str) -> np.ndarray:
    """Rates [stimulus, trial, cell] in spikes a second of responses [stimulus, cell], none of them negative."""
    rates = settings["rate"] * responses.clip(0) / responses.clip(0).mean(0)
    shape = (len(rates), settings["trials"], rates.shape[1])
    counts = generator(seed, "spikes", name).poisson(settings["window"] * rates[:, None], shape)
    return counts / settings["window"]
