"""Readouts: how a layer's real-valued activations are looked at, which every finite I(X;T) depends on.

A readout has `summarize(activations [seed, sample, unit], targets) -> {name: [seed]}`, with i_x, i_y, h_t and occupied
among the names, and is known by its type and field values. One that need not see a layer whole has
`start(layer)`, a stream with `update(activations, targets)` for each batch and `result()`, and `look(activations)`
where `passes` is 2 (`recording.streams`). A new one is one file here and one line below.
"""

from deeptheory.information.readouts.binning import Binning
from deeptheory.information.readouts.classes import ClassStatistics
from deeptheory.information.readouts.exact import Exact
from deeptheory.information.readouts.noise import GaussianNoise
from deeptheory.information.readouts.propagated import PropagatedNoise
from deeptheory.information.readouts.quantized import Quantized

READOUTS = {
    "binning": Binning,
    "noise": GaussianNoise,
    "quantized": Quantized,
    "exact": Exact,
    "propagated": PropagatedNoise,
}

__all__ = ["READOUTS", "Binning", "ClassStatistics", "Exact", "GaussianNoise", "PropagatedNoise", "Quantized"]
