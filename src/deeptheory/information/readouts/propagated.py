"""Propagated noise: the readout of networks that add noise in every layer, where I(X;T) is a property of the network.

Source: Goldfeld et al. 2019. The activations handed in are S_l, before the layer's own noise and after that of the
layers below: what a `Population.mlp(..., noise=sigma)` shows. Every row of the probe passes with noise of its own.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.shapes import check_whole
from deeptheory.information.estimators.noisy_network import Propagation, check_sigma, propagated_information


@dataclass(frozen=True)
class PropagatedNoise:
    """Readout of networks whose layers add noise of their own: T = S + N(0, sigma^2), S handed in, X uniform.

    I(X;T) = E log p(t|x) / p(t) by sample propagation (Goldfeld et al. 2019, section 4), a property of the network.
    `noisy_network_information` does all at once for a network of functions. The probe of the Recorder is
    `x[readout.rows()]`, its targets `y[readout.rows()]`: `blocks` times every input, for p(t) (None: two times, or as
    often as makes 8,192 rows), then `repeats` times each of the `chosen` inputs, drawn from the seed (all where there
    are no more), for p(t|x). inputs: len(x). draws: Monte Carlo points per chosen input.
    InputError: sigma not above 0, a number below 1, fewer than 2 chosen.
    """

    sigma: float
    inputs: int
    _: KW_ONLY
    blocks: int | None = None
    chosen: int = 256
    repeats: int = 64
    draws: int = 4
    seed: int = 0

    def __post_init__(self):
        check_sigma(self.sigma)
        check_whole(inputs=(self.inputs, 1))
        self._how()

    def _how(self) -> Propagation:
        return Propagation(self.blocks, self.chosen, self.repeats, self.draws, self.seed)

    def rows(self) -> np.ndarray:
        """Numbers of the inputs, row by row of the probe: [rows] int64."""
        return self._how().rows(self.inputs)

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x, i_y, h_t (differential), occupied = 2^i_x, i_x_low, i_x_high (95 %), each [seed] float64; bits.

        activations: [seed, rows, unit] of S on rows(); targets: labels [rows] or p(y|x) [rows, class], y[rows()], or
        None for no i_y. The interval holds the Monte Carlo error and, with repeats above 1, the bracket between
        entropies with and without each point's own sample. InputError: other rows than rows(), values that are not
        finite or beyond 1e17 sigma.
        """
        return propagated_information(as_numpy(activations), self.sigma, self._how(), self.inputs, targets)
