"""Units as cells: a response becomes spikes, counted in a window, several trials a stimulus.

Chang & Tsao 2017 recorded 150 ms pictures three to five times each; the released responses are spike counts in windows
of 251 ms, 7.5 and 10.9 spikes a second on average in two areas. Numbers that depend on noise (how many features a unit
is tuned to, how far a population goes) can stand beside cells' once units fire as they do. Pitfall: a spike train has
no negative rate, so that a layer must be looked at after its rectification.
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.shapes import check_real, check_whole


@dataclass(frozen=True)
class Poisson:
    """rate: spikes a second, the mean of every unit over the stimuli; window: seconds; trials: of each stimulus.

    Poisson(...)(responses [n, unit], seed) -> rates [n, trial, unit] in spikes a second: each unit's responses are
    scaled to its mean rate, and Poisson counts of them in the window divided by it. A unit that is always 0 stays so.
    The window is that of Chang & Tsao 2017's data. InputError: rate or window not above 0, trials no integer above 0.
    """

    rate: float = 10.0
    window: float = 0.251
    trials: int = 4

    def __post_init__(self) -> None:
        check_real(rate=(self.rate, 0), window=(self.window, 0))
        check_whole(trials=(self.trials, 1))

    def __call__(self, responses: np.ndarray, seed: int) -> np.ndarray:
        """Noisy trials of responses [n, unit], none negative: rates [n, trial, unit], float64, drawn by seed.

        InputError: another shape, none, negative or not finite responses, rates beyond float64.
        """
        check_whole(seed=(seed, 0))
        r = as_floats(responses)
        if r.ndim != 2 or not r.size or not ((r >= 0) & (r < np.inf)).all():
            raise InputError(
                f"responses have shape {list(r.shape)}, lowest {r.min() if r.size else np.nan:g}; needed: [n, "
                "unit], finite, none negative (rectify first)"
            )
        r = near_one(r, 0)
        mean = r.mean(0)
        rates = self.rate * r / np.where(mean > 0, mean, 1)
        if not self.window * rates.max() < 1e18:
            raise InputError(
                f"window x rate reaches {self.window * rates.max():.3g} spikes; numpy draws counts below 1e18"
            )
        counts = np.random.default_rng([seed, 14]).poisson(
            self.window * rates[:, None], (len(r), self.trials, r.shape[1])
        )
        if not float(counts.max()) / float(self.window) < np.inf:
            raise InputError(f"window is {self.window} s; rates of {counts.max()} spikes in it leave float64")
        return counts / self.window
