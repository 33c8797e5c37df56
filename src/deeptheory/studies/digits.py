"""Images of digits for studies: MNIST where it is found without a network, small digits otherwise,
and which rows train."""

from dataclasses import dataclass
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import MissingDependency
from deeptheory.runs import generator


def digits_found() -> Any:
    """MNIST where it is found without a network, and otherwise the 1,797 small digits."""
    try:
        return dt.datasets.mnist()
    except MissingDependency:
        return dt.datasets.digits()


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """x: [n, H, W] float32 in [0, 1]; y: [n]; train: rows that train, held: the others. said:
    what and how many, for the page."""

    x: np.ndarray
    y: np.ndarray
    train: np.ndarray
    held: np.ndarray
    said: str


def drawn_digits(settings: dict, samples: int) -> Drawn:
    """So many of the images that are found, drawn at random by the run's seed; a sixth of them is held out."""
    found = digits_found()
    rows = generator(settings["seed"], "pictures").permutation(len(found.images))[:samples]
    x = found.images[rows].astype(np.float32)
    cut = len(rows) - len(rows) // 6
    return Drawn(
        x=x / x.max(), y=found.labels[rows], train=np.arange(cut), held=np.arange(cut, len(rows)),
        said=f"{found.name}, {len(rows)} of {len(found.images)} pictures",
    )  # fmt: skip
