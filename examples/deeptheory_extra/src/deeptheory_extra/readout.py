"""What does a layer tell through the signs of its units alone?"""

from dataclasses import dataclass

import deeptheory as dt


@dataclass(frozen=True)
class Signs:
    """One bit a unit: below 0, or not."""

    def summarize(self, activations, targets):
        """activations [seed, sample, unit], targets [sample] or None -> the numbers of a plane, each [seed]."""
        return dt.Binning(2, (-1, 1), clamp=True).summarize(activations, targets)
