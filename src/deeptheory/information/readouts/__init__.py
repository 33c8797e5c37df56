"""Read-outs: how a layer's real-valued activations are looked at, which every finite I(X;T) depends on.

A read-out has `summarise(activations [seed, sample, unit], targets) -> {name: [seed]}`, with i_x, i_y, h_t and occupied
among the names, and a repr that says all its settings. A new one is one file here and one line below.
"""

from deeptheory.information.readouts.binning import Binning
from deeptheory.information.readouts.exact import Exact, Quantized
from deeptheory.information.readouts.noise import GaussianNoise
from deeptheory.information.readouts.propagated import PropagatedNoise

READOUTS = {
    "binning": Binning,
    "noise": GaussianNoise,
    "quantised": Quantized,
    "exact": Exact,
    "propagated": PropagatedNoise,
}

__all__ = ["READOUTS", "Binning", "Exact", "GaussianNoise", "PropagatedNoise", "Quantized"]
