"""Exact readouts: the activation's own values are the symbols, nothing is estimated.

For a deterministic network on n distinct inputs `Exact`
gives log2 n for every layer that merges none (Goldfeld et al. 2019, section 2): that is the truth about I(X;T), and
why other readouts exist. Rounded activations: quantized.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.information.entering import as_activations, discrete, numbered
from deeptheory.information.readouts.keys import KeyStream, check_sizes, hash_rows, held_keys


@dataclass(frozen=True)
class Exact:
    """Readout without bins: rows of activations that are equal in every bit (0 and -0 are the same) are one symbol.

    I(X;T) = H(T) of a deterministic layer in its own precision; log2 n where it merges none of n distinct inputs
    (Goldfeld et al. 2019, section 2).
    """

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x = h_t = H(T), i_y = I(T;Y), occupied (distinct rows), each [seed] float64; bits.

        activations: [seed, sample, unit]; targets and InputError: see Binning.summarize.
        """
        return discrete(_bits(as_activations(activations)), targets)

    def start(self, layer: str) -> "_ExactStream":
        """A stream over one layer: update(activations, targets) with every batch, then result()."""
        return _ExactStream()

    def held(self, *, inputs: int, units: int, seeds: int, classes: int, itemsize: int) -> int:
        """Bytes that the stream of one layer keeps: of `inputs` samples, `units` units, `seeds` networks.

        classes: of the labels; itemsize: bytes of one activation. InputError: one is no integer of 0 or more.
        """
        check_sizes(inputs=inputs, units=units, seeds=seeds, classes=classes, itemsize=itemsize)
        return held_keys(inputs, seeds)

    def symbols(self, activations: Any) -> np.ndarray:
        """Which inputs have equal rows: numbers [seed, sample] int64, from 0 in order of appearance in a network.

        activations: [seed, sample, unit]. InputError: another shape, a value that is not finite.
        """
        return numbered(_bits(as_activations(activations)))


class _ExactStream(KeyStream):
    def _keys(self, a: np.ndarray) -> np.ndarray:
        out = np.empty((*a.shape[:2], 2), dtype=np.uint64)
        for s in range(len(a)):
            v = a[s] + 0  # -0 becomes 0
            hash_rows(v.view(np.int32 if v.dtype == np.float32 else np.int64), out[s])
        return out


def _bits(a: np.ndarray) -> np.ndarray:
    a = a + 0  # -0 becomes 0
    return a.view(np.int32 if a.dtype == np.float32 else np.int64).astype(np.int64)
