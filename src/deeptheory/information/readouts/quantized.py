"""The network's own levels: activations that are rounded are finite symbols, and every information is exact.

Source: Lorenzen, Igel & Nielsen 2022: T takes finitely many values, so that I(X;T) = H(T) for a deterministic network.
"""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import ends_of
from deeptheory.information.entering import as_activations, discrete, numbered
from deeptheory.information.readouts.keys import KeyStream, Ranges, check_sizes, hash_rows, held_keys


@dataclass(frozen=True)
class Quantized:
    """Readout by the network's own uniform quantization to 2^bits levels, ends included: value -> nearest level.

    Halfway, the even one. bounds: (a, b), or "layer" / "unit" for the range seen (each network's own). Values outside
    (a, b) saturate, as a quantizer does; what is constant has level 0. Source: Lorenzen, Igel & Nielsen 2022.
    InputError: bits no integer in 1..32, bounds reversed or not finite, an unknown name.
    """

    bits: int
    bounds: str | tuple[float, float] = "layer"

    def __post_init__(self):
        real = isinstance(self.bits, Real) and not isinstance(self.bits, bool)
        if not (real and 1 <= self.bits <= 32 and int(self.bits) == self.bits):
            raise InputError(f"bits is {self.bits!r}; needed: an integer in 1..32")
        if isinstance(self.bounds, str):
            pick({"layer": 0, "unit": 0}, self.bounds, what="bounds")
        else:
            try:
                low, high = ends_of("bounds", self.bounds)
            except InputError:
                low = high = 0.0
            if not low < high:
                raise InputError(f"bounds are {self.bounds}; the first must be below the second, both finite")
        object.__setattr__(self, "bits", int(self.bits))
        if not isinstance(self.bounds, str):
            object.__setattr__(self, "bounds", tuple(float(b) for b in self.bounds))

    def start(self, layer: str) -> "_QuantizedStream":
        """A stream over one layer; with bounds "layer" or "unit" it reads every batch before the first update."""
        return _QuantizedStream(self)

    def held(self, *, inputs: int, units: int, seeds: int, classes: int, itemsize: int) -> int:
        """Bytes that the stream of one layer keeps: of `inputs` samples, `units` units, `seeds` networks.

        classes: of the labels; itemsize: bytes of one activation. InputError: one is no integer of 0 or more.
        """
        check_sizes(inputs=inputs, units=units, seeds=seeds, classes=classes, itemsize=itemsize)
        return held_keys(inputs, seeds) + (16 * units * seeds if self.bounds == "unit" else 0)

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """i_x = h_t = H(T), i_y = I(T;Y), occupied (rows of levels in use), each [seed] float64; bits.

        activations: [seed, sample, unit]; targets and InputError: see Binning.summarize.
        """
        return discrete(self._levels(activations), targets)

    def symbols(self, activations: Any) -> np.ndarray:
        """Which inputs have the same levels: numbers [seed, sample] int64, from 0 in order of appearance in a network.

        activations: [seed, sample, unit]. InputError: another shape, a value that is not finite.
        """
        return numbered(self._levels(activations))

    def _levels(self, activations: Any) -> np.ndarray:
        a = as_activations(activations)
        if isinstance(self.bounds, str):
            ranges = Ranges(self.bounds == "unit")
            ranges.look(a)
            return self._on(a, ranges.low[:, None], ranges.high[:, None])
        return self._on(a, *map(float, self.bounds))

    def _on(self, a: np.ndarray, low: Any, high: Any) -> np.ndarray:
        """Levels on a range, each end of shape [seed, 1, unit or 1] or a number."""
        with np.errstate(over="ignore"):
            widest = np.asarray(high) - low
        half = 1.0 if np.isfinite(widest).all() else 0.5  # a range from -1e308 to 1e308 is wider than float64
        low, high = np.multiply(low, half), np.multiply(high, half)
        span = np.where(high > low, high - low, 1.0)
        with np.errstate(over="ignore"):
            place = (a.astype(np.float64) * half - low) / span
        return np.rint(np.clip(place, 0, 1) * (2**self.bits - 1)).astype(np.int64)


class _QuantizedStream(KeyStream):
    def __init__(self, settings: Quantized):
        super().__init__()
        self._settings = settings
        self.passes = 2 if isinstance(settings.bounds, str) else 1
        self._ranges = Ranges(settings.bounds == "unit")

    def look(self, activations: Any) -> None:
        """Take in the range of a batch."""
        self._ranges.look(as_activations(activations))

    def _keys(self, a: np.ndarray) -> np.ndarray:
        bounds: Any = self._settings.bounds
        if isinstance(bounds, str):
            self._ranges.check_seen()
        low, high = (self._ranges.low[:, None], self._ranges.high[:, None]) if isinstance(bounds, str) else bounds
        out = np.empty((*a.shape[:2], 2), dtype=np.uint64)
        for r in range(a.shape[1]):  # a sample at a time: levels take twice the memory of the values
            levels = self._settings._on(a[:, r : r + 1], low, high)
            for s in range(len(a)):
                hash_rows(levels[s], out[s, r : r + 1])
        return out
