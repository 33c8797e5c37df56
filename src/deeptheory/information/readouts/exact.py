"""Exact read-outs: the activation's own values are the symbols, nothing is estimated.

Source: Lorenzen, Igel & Nielsen 2022 (quantised networks). For a deterministic network on n distinct inputs `Exact`
gives log2 n for every layer that merges none: that is the truth about I(X;T), and why other read-outs exist.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.entering import as_activations, discrete, numbered
from deeptheory.names import pick


@dataclass(frozen=True)
class Exact:
    """Rows of activations that are equal in every bit (0 and -0 are the same) are one symbol."""

    def summarise(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x = h_t = H(T), i_y, occupied (distinct rows), each [seed]; bits. See Binning.summarise for the arguments."""
        return discrete(_bits(as_activations(activations)), targets)

    def symbols(self, activations: Any) -> np.ndarray:
        """Which inputs have equal rows: numbers [seed, sample] int64, from 0 in order of appearance in a network."""
        return numbered(_bits(as_activations(activations)))


def _bits(a: np.ndarray) -> np.ndarray:
    a = a + 0  # -0 becomes 0
    return a.view(np.int32 if a.dtype == np.float32 else np.int64).astype(np.int64)


@dataclass(frozen=True)
class Quantized:
    """The network's own uniform quantisation to 2^bits levels, ends included: value -> nearest level.

    bounds: (a, b), or "layer" / "unit" for the range seen (each network's own). Values outside (a, b) saturate, as a
    quantiser does. InputError: bits outside 1..32, bounds turned round.
    """

    bits: int
    bounds: str | tuple[float, float] = "layer"

    def __post_init__(self):
        if not 1 <= self.bits <= 32:
            raise InputError(f"bits is {self.bits}; it lies in 1..32")
        if isinstance(self.bounds, str):
            pick({"layer": 0, "unit": 0}, self.bounds, what="bounds")
        elif not self.bounds[0] < self.bounds[1]:
            raise InputError(f"bounds are {self.bounds}; the first must be below the second")

    def summarise(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x = h_t = H(T), i_y, occupied, each [seed]; bits. See Binning.summarise for the arguments."""
        return discrete(self._levels(activations), targets)

    def symbols(self, activations: Any) -> np.ndarray:
        """Which inputs have the same levels: numbers [seed, sample] int64, from 0 in order of appearance in a network."""
        return numbered(self._levels(activations))

    def _levels(self, activations: Any) -> np.ndarray:
        a = as_activations(activations).astype(np.float64)
        if isinstance(self.bounds, str):
            axis = 1 if self.bounds == "unit" else (1, 2)
            low, high = a.min(axis=axis, keepdims=True), a.max(axis=axis, keepdims=True)
        else:
            low, high = map(float, self.bounds)
        span = np.where(np.asarray(high) > low, np.asarray(high) - low, 1.0)
        return np.rint(np.clip((a - low) / span, 0, 1) * (2**self.bits - 1)).astype(np.int64)
