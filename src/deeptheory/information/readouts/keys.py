"""Streams of discrete readouts: each sample's row of symbols becomes 128 bits, so that a layer of any width takes 16
bytes a sample. Two rows that differ share them with probability 2^-128;
rows whose symbols fit into 63 bits are numbered exactly.
"""

from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole
from deeptheory.information.counting import _mix, cells
from deeptheory.information.entering import as_activations, discrete

_BLOCK = 1024  # rows whose cells are found together


@njit(cache=True, error_model="numpy")
def hash_rows(rows, out):
    """Two words of every row [n, unit] of integers into out [n, 2] uint64."""
    for r in range(rows.shape[0]):
        a, b = np.uint64(0x243F6A8885A308D3), np.uint64(0x13198A2E03707344)
        for u in range(rows.shape[1]):
            v = np.uint64(rows[r, u])
            a = _mix(a + v + np.uint64(0x9E3779B97F4A7C15))
            b = _mix((b ^ v) * np.uint64(0xD6E8FEB86659FD93) + np.uint64(0xA0761D6478BD642F))
        out[r, 0], out[r, 1] = a, b


@njit(cache=True, error_model="numpy")
def hash_cells(a, edges, uniform, wrap, out):
    """Two words of the cells of every row of a [n, unit]; (NaN seen, values below, values above).
    See counting.cells, binned."""
    n, units = a.shape
    row = np.empty((min(n, _BLOCK), units), dtype=np.int32)
    radix = edges.shape[1] - 1
    packed = units * np.log2(radix) < 62.5
    nan, below, above = 0, 0, 0
    for begin in range(0, n, _BLOCK):
        block = a[begin : begin + _BLOCK]
        x, y, z = cells(block, edges, uniform, row)
        nan, below, above = nan + x, below + y, above + z
        if wrap and y:
            for r in range(len(block)):
                for u in range(units):
                    if block[r, u] < edges[u if edges.shape[0] > 1 else 0, 0]:
                        row[r, u] = radix - 1
        if packed:
            for r in range(len(block)):
                key = np.uint64(0)
                for u in range(units):
                    key = key * np.uint64(radix) + np.uint64(row[r, u])
                out[begin + r, 0], out[begin + r, 1] = key, np.uint64(0)
        else:
            hash_rows(row[: len(block)], out[begin : begin + len(block)])
    return nan, below, above


class KeyStream:
    """A layer's samples as 128-bit keys; `_keys(a)` gives [seed, batch, 2] uint64. See readouts' start."""

    passes = 1

    def __init__(self) -> None:
        self._seen: list[np.ndarray] = []
        self._targets: list[np.ndarray] = []
        self._count = 0

    def update(self, activations: Any, targets: Any) -> None:
        """Take a batch: activations [seed, batch, unit], their targets, copied if they can change. InputError: NaN, no
        targets or another number of them, and what the readout refuses."""
        a = as_activations(activations, self._count)
        if targets is None:
            raise InputError("targets are missing; I(T;Y) needs the labels of the probe inputs")
        y = as_numpy(targets)
        y = y.copy() if y.flags.writeable else y  # the caller may fill the same array with the next batch's
        if not y.ndim or len(y) != a.shape[1]:
            raise InputError(f"targets of a batch have shape {list(y.shape)}, its activations {a.shape[1]} samples")
        self._seen.append(self._keys(a))
        self._targets.append(y)
        self._count += a.shape[1]

    def result(self) -> dict[str, np.ndarray]:
        """i_x = h_t = H(T), i_y, occupied, each [seed]; bits. InputError: no batch was taken."""
        if not self._seen:
            raise InputError("no batch was taken; call update(activations, targets) with each of them first")
        return discrete(np.concatenate(self._seen, axis=1).view(np.int64), np.concatenate(self._targets))

    def _keys(self, a: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class Ranges:
    """Least and largest value of every network's layer or of its units, batch by batch; low,
    high: [seed, 1 or unit]."""

    def __init__(self, by_unit: bool):
        self._axis = 1 if by_unit else (1, 2)
        self.low: Any = None
        self.high: Any = None

    def look(self, a: np.ndarray) -> None:
        """Take a batch [seed, batch, unit]."""
        low, high = (f(a, axis=self._axis).astype(np.float64).reshape(len(a), -1) for f in (np.min, np.max))
        if self.low is not None and low.shape != self.low.shape:
            raise InputError(f"a batch has networks and units {list(a.shape[::2])}; those before it had others")
        self.low = low if self.low is None else np.minimum(self.low, low)
        self.high = high if self.high is None else np.maximum(self.high, high)

    def check_seen(self) -> None:
        """InputError: no batch was looked at."""
        if self.low is None:
            raise InputError("the range is not known; call look(activations) with every batch before the first update")


def check_sizes(**sizes: int) -> None:
    """InputError naming the first of a layer's sizes that is no integer of 0 or more."""
    check_whole(**{name: (size, 0) for name, size in sizes.items()})


def held_keys(inputs: int, seeds: int) -> int:
    """Bytes of the keys of so many samples of so many networks."""
    return 16 * inputs * seeds
