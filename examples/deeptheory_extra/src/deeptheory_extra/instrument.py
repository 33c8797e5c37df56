"""How sparse is each layer's code?

Treves & Rolls 1991: a = (E r)^2 / E r^2 of the rectified activations r of one sample over its units, the mean over
samples; 1 where all units answer alike, 1 / units where one does. Pitfall: a layer that is silent has none.
"""

import math

import torch

from deeptheory.inspection.instrument import Batch, Context, Instrument, Layer, Quantity, Reading


class _Sparseness:
    """Sum over samples of each one's sparseness, and how many samples answer at all."""

    def __init__(self, layer: Layer, context: Context):
        self._sum, self._samples = 0.0, 0

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        r = torch.relu(batch.activations.double())
        answers = (r > 0).any(dim=1)
        r = r[answers]
        self._sum += float((r.mean(dim=1) ** 2 / (r**2).mean(dim=1)).sum())
        self._samples += int(answers.sum())

    def result(self) -> list[Reading]:
        """The mean over the samples to which any unit answers."""
        if not self._samples:
            return [Reading(quantity="sparseness", value=math.nan, note="no unit is above 0 for any sample")]
        return [Reading(quantity="sparseness", value=self._sum / self._samples)]


SPARSENESS = Instrument(
    name="sparseness",
    title="Sparseness",
    question="How many of its units does a layer use for one sample?",
    source="Treves & Rolls 1991, Network 2:371",
    formula="a = (E r)² / E r²",
    quantities=(
        Quantity(
            name="sparseness",
            title="Sparseness",
            about="1: all units alike; 1 / units: one unit a sample",
            ends=(0.0, 1.0),
            shown=True,
        ),
    ),
    limits=("What is below 0 counts as silent: of little use for layers whose activations have both signs.",),
    start=_Sparseness,
)
