"""Propagated noise: the readout of networks that add noise in every layer, where I(X;T) is a property of the network.

Source: Goldfeld et al. 2019. The activations handed in are S_l, before the layer's own noise and after that of the
layers below: what a `Population.mlp(..., noise=sigma)` shows. Every row of the probe passes with noise of its own.
"""

from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.information.estimators.noisy_network import Propagation, check_sigma, propagated_information


@dataclass(frozen=True)
class PropagatedNoise:
    """T = S + N(0, sigma^2) with S handed in; `noisy_network_information` does all at once for a network of functions.

    The probe of the Recorder is `x[readout.rows()]`, its targets `y[readout.rows()]`: `blocks` times every
    input (None: see Propagation), then `repeats` times each of the `chosen` ones. inputs: len(x). draws:
    Monte Carlo points a chosen input.
    InputError: sigma not above 0, a number below 1.
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
        self._how()

    def _how(self) -> Propagation:
        return Propagation(self.blocks, self.chosen, self.repeats, self.draws, self.seed)

    def rows(self) -> np.ndarray:
        """Numbers of the inputs, row by row of the probe."""
        return self._how().rows(self.inputs)

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x, i_y, h_t (differential), occupied = 2^i_x, i_x_low, i_x_high (95 %), each [seed]; bits.

        activations: [seed, rows, unit] on rows(); targets: [inputs]. InputError: other rows than rows().
        """
        return propagated_information(as_numpy(activations), self.sigma, self._how(), self.inputs, targets)
