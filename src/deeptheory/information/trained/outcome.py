"""From what the folds measured to an Estimate: value, interval, and the doubts that specification demands.

The value is the mean over folds, weighted by their rows. The interval holds sampling error, from what each row (or
each group of rows) adds, and the spread of folds, whose networks differ in first weights and training rows, where that
is larger; a bias is in neither. Information is not below 0, so an interval that ends below 0 is carried up to it, and
a note says so; the value stays as it is. One far below 0 says nothing, and its interval has no upper end.
"""

import math
from dataclasses import dataclass

import numpy as np

from deeptheory.core.results import Direction, Estimate
from deeptheory.information.estimators.limits import impossible
from deeptheory.information.trained.coordinates import Pair

LN2 = float(np.log(2))
_NORMAL = 1.959964
_BROKEN = -0.5  # bits; networks that found nothing, or what is not there, end nearer to 0
HOLDS = "sampling error and spread over networks; a bias is not in it"


@dataclass(frozen=True)
class Outcome:
    """value [S] in nats, rows [S] measured, influence: one array [rows] per fold, pieces: alike, of what rows belong
    to."""

    value: np.ndarray
    influence: list[np.ndarray]
    pieces: list[np.ndarray]

    @property
    def mean(self) -> float:
        """Over folds, by their rows; nats."""
        return float(np.average(self.value, weights=[len(i) for i in self.influence]))

    @property
    def half(self) -> float:
        """Half the 95 % interval; nats."""
        n = sum(map(len, self.influence))
        apart = np.array([0.0])
        for influence, piece in zip(self.influence, self.pieces):
            apart = np.append(apart, np.bincount(np.unique(piece, return_inverse=True)[1].ravel(), influence))
        several = np.count_nonzero([len(p) for p in self.pieces])
        sampling = float((apart**2).sum()) / n**2
        spread = float(np.var(self.value, ddof=1)) / several
        return _NORMAL * float(np.sqrt(max(sampling, spread)))


def learned(networks: int, steps: int | str) -> str:
    """For an estimate's method: who learned how long, and on what it is measured."""
    return f"{networks} networks of {steps} steps, each measured on rows it never saw"


def estimate(got: Outcome, method: str, direction: Direction, notes: tuple[str, ...], pair: Pair) -> Estimate:
    """The Estimate in bits."""
    value, half = got.mean / LN2, got.half / LN2
    notes += impossible(value, x=pair.raw[0], y=pair.raw[1])
    low, high = value - half, value + half
    if value < _BROKEN:
        notes += (
            f"held-out rows give {value:.2g} bits: a few pairs that the networks misjudge decide it, as they can where "
            "there is much to share; it says nothing, and the interval has no upper end; 'infonce' and 'doe' stay near",
        )
        high = math.inf
    elif high < 0:
        notes += (
            f"held-out rows give less than nothing ({value:.2g} bits): the networks learned what is not there; the "
            "interval is carried up to 0, below which no information is",
        )
        high = 0.0
    if half == 0:
        notes += (
            "nothing was learned that the rows which decide bear out: the networks stayed as they began, and 0 says "
            "that nothing was found, not that nothing is there",
        )
    return Estimate(
        value=value, low=low, high=high, method=f"{method}; interval: {HOLDS}", direction=direction, notes=notes
    )
