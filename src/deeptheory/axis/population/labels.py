"""Which of several labeled stimuli was shown? The nearest mean of other trials, window by window.

Source: the readout that recordings of IT are usually given (Zhang & Desimone's units in Meyers 2013): units were
recorded one by one, so trials are paired by label ("pseudo-trials"); every unit is divided by its standard deviation
over the training trials, and a test trial gets the label whose training mean is nearest. Pitfall: pairing loses the
noise that units share, which makes accuracy an upper estimate; and the standard deviation may be taken from training
trials only.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.population.rounding import still
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real

if TYPE_CHECKING:
    import pandas
    import xarray

_MOST = 1 << 24  # numbers held at a time


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelDecoding(Result):
    """How often a decoder names the label of a held-out trial.

    accuracy: [window], fraction; confusion: [window, label shown, label said], fractions of the label's test trials;
    chance: 1 / labels; trials: (how many trials of each label were learnt from, how many tested).
    """

    accuracy: np.ndarray
    confusion: np.ndarray
    chance: float
    trials: tuple[int, int]

    def __repr__(self) -> str:
        return (
            f"LabelDecoding({len(self.confusion[0])} labels, best window {self.accuracy.max():.3f}, chance "
            f"{self.chance:.3f})"
        )

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: accuracy over [window], confusion over [window, shown, said]."""
        import xarray as xr

        axes = ("window", "shown", "said")
        return xr.Dataset({"accuracy": (axes[:1], self.accuracy), "confusion": (axes, self.confusion)})

    def table(self) -> "pandas.DataFrame":
        """One row per window: accuracy and chance."""
        import pandas as pd

        return pd.DataFrame({"window": np.arange(len(self.accuracy)), "accuracy": self.accuracy, "chance": self.chance})


def label_decoding(trials: Any, train_fraction: float = 0.5) -> LabelDecoding:
    """Which label was shown, read from the units' responses in held-out trials; -> LabelDecoding.

    trials: [label, trial, unit] or [label, trial, unit, window], each window read on its own. Of each label's k trials
    the first int(k train_fraction), 29 of 100 for .29, are learnt from: units are divided by their standard deviation
    over these, and a test trial gets the label of the nearest mean (Euclidean; ties: the first). Units constant in
    training (but for rounding) are ignored.
    Source: Meyers 2013. Pitfall: units recorded one by one lose the noise that they share; accuracy is then too high.
    InputError: other shapes, one label, NaN, or no trial to learn from or to test.
    """
    x = as_floats(trials)
    x = x[..., None] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[0] < 2 or 0 in x.shape or not np.isfinite(x).all():
        raise InputError(
            f"trials have shape {list(np.shape(trials))}; needed: [2 or more labels, trial, unit(, window)], finite"
        )
    check_real(train_fraction=(train_fraction, 0))
    x = near_one(x, (0, 1))  # each unit
    labels, k = x.shape[0], int(x.shape[1] * train_fraction * (1 + 1e-12))  # .29 x 100 is 28.999999999999996
    if not 1 <= k < x.shape[1]:
        raise InputError(
            f"train_fraction is {train_fraction:g} of {x.shape[1]} trials; needed: at least one to learn from and one "
            "to test"
        )
    confusion = np.zeros((x.shape[3], labels, labels))
    for w in range(x.shape[3]):
        known, test = x[:, :k, :, w], x[:, k:, :, w]
        spread = known.std((0, 1))
        varied = ~still(known, trials, (0, 1)) & (spread > 0)  # of equal numbers it may be rounding
        spread = np.where(varied, spread, np.inf)  # a unit that never varied in training says nothing
        centers, probes = known.mean(1) / spread, test.reshape(-1, x.shape[2]) / spread
        step = max(1, _MOST // centers.size)  # trials at a time: differences to all centers fill the memory
        said = np.concatenate([
            ((probes[at : at + step, None] - centers) ** 2).sum(2).argmin(1) for at in range(0, len(probes), step)
        ])  # fmt: skip
        np.add.at(confusion[w], (np.repeat(np.arange(labels), x.shape[1] - k), said), 1)
    tested = x.shape[1] - k
    return LabelDecoding(
        accuracy=confusion.trace(axis1=1, axis2=2) / (labels * tested),
        confusion=confusion / tested,
        chance=1 / labels,
        trials=(k, tested),
    )
