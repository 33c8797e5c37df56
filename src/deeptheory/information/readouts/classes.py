"""How far a layer keeps classes apart: sums of squares within and between them, in one pass and without the layer.

Source: one-way analysis of variance over all units together; the share is epsilon squared (Kelley 1935), which is
0 in the mean where labels mean nothing, unlike between / total. Within-class variance that vanishes is neural
collapse's first sign (Papyan, Han & Donoho 2020, NC1). The means of all classes are held: 8 bytes a class and
unit, a small memory's worth; above it neighboring units are averaged, which `Recorder.cost()` says before.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number
from deeptheory.information.entering import as_activations
from deeptheory.information.readouts.keys import check_sizes

_SQUARED = 200  # powers of two within which float64 holds sums of squares with all their digits


@njit(cache=True, error_model="numpy")
def _add(a, codes, pool, shift, means, squares, counts):
    """Take rows a [n, unit] of classes codes [n] into means [class, ceil(unit / pool)], squared distances from them
    [class] and counts [class], each class from its own running mean (Welford 1962)."""
    n, units = a.shape
    pooled = np.empty(means.shape[1])
    for r in range(n):
        c = codes[r]
        for j in range(len(pooled)):
            stop = min((j + 1) * pool, units)
            total = 0.0
            for u in range(j * pool, stop):
                total += np.float64(a[r, u])
            pooled[j] = total / (stop - j * pool)
        counts[c] += 1
        part, square = 1 / counts[c], 0.0
        for j in range(len(pooled)):
            d = pooled[j] - shift[j]
            before = d - means[c, j]
            means[c, j] += before * part
            square += before * (d - means[c, j])
        squares[c] += square


@dataclass(frozen=True)
class ClassStatistics:
    """Variance within and between classes; a summary for a Recorder, not a readout of the plane.

    memory: bytes that one layer's class means may take (8 per class and unit); above, so many neighboring units are
    averaged first that they fit. Source: one-way analysis of variance over all units together; epsilon squared, Kelley
    1935. InputError: memory not above 0.
    """

    memory: float = 64 << 20

    def __post_init__(self):
        check_number(memory=self.memory)
        if not self.memory > 0:
            raise InputError(f"memory is {self.memory}; needed: bytes, above 0")

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """How far classes are apart in a layer, each number [seed] float64.

        within, between: mean squared distance of samples to their class's mean, and of those to the mean of all, each
        class by its samples (sums over units; population form; in the activations' unit squared). separation: epsilon
        squared, the share of the variance that classes explain, less what they would explain by chance; at most 1, 0 in
        the mean for shuffled labels. pool: units averaged into one. Infinite where float64 has no such square.

        activations: [seed, sample, unit]; targets: labels [sample], numbers or names. InputError: p(y|x), one class
        only, no class with two samples, NaN (labels too), nothing varies.
        """
        a = as_activations(activations)
        stream = self.start("", classes=len(set(as_numpy(targets).ravel().tolist())))
        stream.update(a, targets)
        return stream.result()

    def start(self, layer: str, classes: int | None = None) -> "_ClassStream":
        """A stream over one layer: update(activations, targets) with every batch, then result().

        classes: how many there will be, where known, so that units are averaged from the start.
        """
        return _ClassStream(self, layer, classes)

    def pool(self, units: int, classes: int) -> int:
        """How many neighboring units are averaged into one, 1 where all class means fit into the memory.

        InputError: units or classes no integer of 0 or more.
        """
        check_sizes(units=units, classes=classes)
        return int(min(max(1, -(-units * classes * 8 // self.memory)), max(units, 1)))

    def held(self, *, inputs: int, units: int, seeds: int, classes: int, itemsize: int) -> int:
        """Bytes that the stream of one layer keeps: of `inputs` samples, `units` units, `seeds` networks.

        classes: of the labels; itemsize: bytes of one activation. InputError: one is no integer of 0 or more.
        """
        check_sizes(inputs=inputs, units=units, seeds=seeds, classes=classes, itemsize=itemsize)
        return seeds * -(-units // self.pool(units, classes)) * 8 * (classes + 1)

    def said(self, units: int, classes: int) -> str:
        """What will be averaged, in a sentence; "" where nothing is."""
        pool = self.pool(units, classes)
        return (
            f"class means of {units} units and {classes} classes exceed {self.memory} bytes: "
            f"{pool} neighboring units are averaged into one"
            if pool > 1
            else ""
        )


class _ClassStream:
    passes = 1

    def __init__(self, settings: ClassStatistics, layer: str, classes: int | None):
        self._settings, self._layer, self._classes = settings, layer, classes
        self._codes: dict[Any, int] = {}
        self._pool = self._count = 0
        self._largest: Any = 0.0
        self._power: Any = 0

    def expect(self, classes: int) -> None:
        """How many classes there will be; the Recorder says so before the first batch."""
        self._classes = classes

    def update(self, activations: Any, targets: Any) -> None:
        a, y = as_activations(activations, self._count), as_numpy(targets)
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        if y.ndim != 1 or len(y) != a.shape[1]:
            raise InputError(f"class statistics need labels [{a.shape[1]}]; targets have shape {list(y.shape)}")
        missing = sum(v is None or v != v for v in y.tolist())
        if missing:
            raise InputError(f"{missing} of {len(y)} labels are missing (NaN or None); leave those samples out")
        if -100 in y.tolist():
            raise InputError("labels hold -100, which often stands for: no label; leave those samples out")
        codes = np.array([self._codes.setdefault(v, len(self._codes)) for v in y.tolist()], dtype=np.int64)
        a = self._scaled(a)
        if not self._pool:
            self._begin(a)
        if len(self._codes) > self._means.shape[1]:
            more = len(self._codes) - self._means.shape[1]
            self._means = np.concatenate([self._means, np.zeros((len(a), more, self._means.shape[2]))], axis=1)
            self._squares, self._counts = (
                np.concatenate([v, np.zeros((len(a), more))], axis=1) for v in (self._squares, self._counts)
            )
        for s in range(len(a)):
            _add(a[s], codes, self._pool, self._shift[s], self._means[s], self._squares[s], self._counts[s])
        self._count += len(y)

    def _scaled(self, a: np.ndarray) -> np.ndarray:
        """Activations by a power of two, each network's own, so that squares neither vanish nor overflow; what was
        taken before follows where a batch is of another size."""
        self._largest = np.maximum(self._largest, np.abs(a).max((1, 2)))
        power = np.frexp(self._largest.astype(np.float64))[1].astype(np.int64)
        power = np.where(np.abs(power) > _SQUARED, power, 0)
        change = self._power - power
        if self._pool and np.any(change):
            with np.errstate(under="ignore"):
                self._shift = np.ldexp(self._shift, change[:, None])
                self._means = np.ldexp(self._means, change[:, None, None])
                self._squares = np.ldexp(self._squares, 2 * change[:, None])
        self._power = power
        return np.ldexp(a.astype(np.float64), -power[:, None, None]) if power.any() else a

    def _begin(self, a: np.ndarray) -> None:
        """Means are taken from the first sample, so that a large common value costs no digits."""
        units, classes = a.shape[2], self._classes or 1
        self._pool = self._settings.pool(units, max(classes, len(self._codes)))
        groups = -(-units // self._pool)
        pad = np.concatenate(
            [a[:, 0].astype(np.float64), np.full((len(a), groups * self._pool - units), np.nan)], axis=1
        )
        self._shift = np.nanmean(pad.reshape(len(a), groups, self._pool), axis=2)
        self._means = np.zeros((len(a), max(classes, len(self._codes)), groups))
        self._squares, self._counts = np.zeros(self._means.shape[:2]), np.zeros(self._means.shape[:2])

    def result(self) -> dict[str, np.ndarray]:
        """See ClassStatistics.summarize."""
        n, classes = self._count, len(self._codes)
        if classes < 2 or classes >= n:
            raise InputError(f"{n} samples of {classes} classes; needed: two classes, and one of them with two samples")
        counts = self._counts[..., None][:, :classes]
        means = self._means[:, :classes]
        whole = (counts * means).sum(1, keepdims=True) / n
        within = self._squares[:, :classes].sum(1) / n
        between = (counts * (means - whole) ** 2).sum((1, 2)) / n
        total = within + between
        if not (total > 0).all():
            raise InputError(
                f"layer {self._layer!r} has the same values for every sample; classes explain no share of nothing"
            )
        separation = 1 - (within / (n - classes)) / (total / (n - 1))
        with np.errstate(over="ignore", under="ignore"):
            within, between = (np.ldexp(v, 2 * self._power) for v in (within, between))
        return {
            "within": within,
            "between": between,
            "separation": separation,
            "pool": np.full(len(within), float(self._pool)),
        }
