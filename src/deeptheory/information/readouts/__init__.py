"""Readouts: how a layer's real-valued activations are looked at, which every finite I(X;T) depends on.

A readout has `summarize(activations [seed, sample, unit], targets) -> {name: [seed]}`, with i_x, i_y, h_t and occupied
among the names, and is known by its type and field values. One that need not see a layer whole has
`start(layer)`, a stream with `update(activations, targets)` for each batch and `result()`, and `look(activations)`
where `passes` is 2 (`recording.streams`). A new one is one file here and one line below;
packages add theirs by entry points "deeptheory.readouts".
"""

from typing import Any

from deeptheory.core.plugins import Registry
from deeptheory.information.readouts.binning import Binning
from deeptheory.information.readouts.classes import ClassStatistics
from deeptheory.information.readouts.exact import Exact
from deeptheory.information.readouts.noise import GaussianNoise
from deeptheory.information.readouts.propagated import PropagatedNoise
from deeptheory.information.readouts.quantized import Quantized


def accept(name: str, loaded: Any) -> Any:
    """A plug-in's readout, a class. TypeError: anything else."""
    if not (isinstance(loaded, type) and callable(getattr(loaded, "summarize", None))):
        raise TypeError(f"it is a {type(loaded).__name__}; needed: a class with summarize(activations, targets)")
    return loaded


READOUTS: Registry[Any] = Registry(
    "readouts",
    {
        "binning": Binning,
        "noise": GaussianNoise,
        "quantized": Quantized,
        "exact": Exact,
        "propagated": PropagatedNoise,
    },
    accept=accept,
)

__all__ = ["READOUTS", "Binning", "ClassStatistics", "Exact", "GaussianNoise", "PropagatedNoise", "Quantized"]
