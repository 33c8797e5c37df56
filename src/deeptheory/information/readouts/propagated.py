"""Propagated noise: the read-out of networks that add noise in every layer, where I(X;T) is a property of the network.

Source: Goldfeld et al. 2019. The activations handed in are S_l, before the layer's own noise and after that of the layers
below: what a `Population.mlp(..., noise=sigma)` shows. The probe is repeated in blocks, each propagated with fresh noise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.information.estimators.noisy_network import check_sigma, propagated_information


@dataclass(frozen=True)
class PropagatedNoise:
    """T = S + N(0, sigma^2) with S handed in; see `noisy_network_information` for a network of functions.

    repeats: how often the probe inputs stand in the recording, in whole blocks (numpy.tile(x, (repeats, 1))).
    evaluations: points of the Monte Carlo; its error falls with their root. InputError: sigma not above 0.
    """

    sigma: float
    repeats: int = 16
    evaluations: int = 2000
    seed: int = 0

    def __post_init__(self):
        check_sigma(self.sigma)

    def summarise(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x, i_y, h_t (differential), occupied = 2^i_x, i_x_low, i_x_high (95 %), each [seed]; bits."""
        return propagated_information(
            activations, self.sigma, targets, repeats=self.repeats, evaluations=self.evaluations, seed=self.seed
        )
