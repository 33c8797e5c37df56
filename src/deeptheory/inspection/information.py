"""Information: what does a layer know about the input and about the label, under which readout,
and does that readout say anything?

Sources: Shwartz-Ziv & Tishby 2017 (bins); Kolchinsky & Tracey 2017 and Saxe et al. 2018 (noise). Two readouts,
chosen for the layer: 30 bins over its range (over the nonlinearity's own range where it is bounded), and Gaussian noise
of half the samples' root mean squared distance from their mean. Bits, of 1,000 inputs at most.
Pitfall: where every input is alone in its cell, I(X;T) is log2 n and I(T;Y) is H(Y) whatever was trained, and permuted
labels read the same. Compression is a change during training: one checkpoint cannot show it,
and nothing here speaks of it.
"""

import math
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import labels_array
from deeptheory.core.statistics import batch_interval
from deeptheory.information import Binning
from deeptheory.information.entering import discrete
from deeptheory.information.mixtures import pair_sums
from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading
from deeptheory.inspection.rows import Held, kept_rows

ROWS = 1000
BINS, SIGMA = 30, 0.5
LADDER = (0.1, 0.2, 0.5, 1.0, 2.0)  # noise, coarser and coarser
CROWDED = 0.2  # cells per input above which a readout tells inputs apart rather than kinds of input
_CELLS = (
    40  # inputs per cell from which a tenth of the inputs still varies like all of them (BATCHES parts, 4 per cell)
)
_MASSES = 1024  # classes times columns of labels that are read at once
_ENDS = {"tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0), "hardsigmoid": (0.0, 1.0)}


def cells_of_their_own(symbols: Any) -> float:
    """Fraction of inputs that are alone in their cell.

    symbols: [n] of any kind, equal for inputs that a readout does not distinguish (of one seed of Binning.symbols,
    say). At 1, I(X;T) is log2 n bits for any network. InputError: another shape, no input, masked symbols.
    """
    given = labels_array("symbols", symbols)
    if given.ndim != 1 or not len(given):
        raise InputError(f"symbols have shape {list(given.shape)}; needed: [n], one per input, at least 1")
    _, where, counts = np.unique(given, return_inverse=True, return_counts=True)
    return float((counts[where] == 1).mean())


def noise_information(activations: np.ndarray, labels: np.ndarray, sigma: float) -> tuple[float, np.ndarray]:
    """(I(X;T) upper bound, I(T;Y) for each column of labels) of dt.GaussianNoise(sigma, relative="distance");
    bits, float32 inside.

    activations: [n, units]; labels: [n, columns], integers from 0. All columns in one pass over pairs of inputs.
    Kolchinsky & Tracey 2017: I(T;Y) is a difference of two upper bounds, and no bound itself.
    A constant layer has 0 and 0.
    """
    size = float(np.abs(activations).max()) or 1.0  # squares of 1e200 are infinite
    h = activations / activations.dtype.type(size)
    h = h - h.mean(0)
    scale = math.sqrt(float(h.var(axis=0, dtype=np.float64).sum()))
    if not scale > 0:
        return 0.0, np.zeros(labels.shape[1])
    n = len(h)
    weights, share = [np.ones(n) / n], []
    for column in labels.T:
        there = [np.where(column == c, 1.0, 0.0) for c in np.unique(column)]
        weights += [m / m.sum() for m in there]
        share.append([m.mean() for m in there])
    masses = np.stack(weights)
    near, far = np.empty(masses.shape), np.empty(masses.shape)
    pair_sums(
        np.ascontiguousarray((h / scale).T, dtype=np.float32), 1 / (2 * sigma**2), masses.astype(np.float32), near, far
    )
    entropies = [-(w[w > 0] * np.log2(v[w > 0])).sum() for w, v in zip(masses, near)]
    upper, at, i_y = float(entropies[0]), 1, []
    for p in share:
        i_y.append(upper - float(np.dot(p, entropies[at : at + len(p)])))
        at += len(p)
    return upper, np.array(i_y)


class _Stream:
    """Pooled activations of up to 1,000 inputs."""

    def __init__(self, layer: Layer, context: Context):
        self._layer, self._context = layer, context
        self._rows = kept_rows(context, ROWS)
        self._held = Held(self._rows, context.n)

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        self._held.take(batch)

    def result(self) -> list[Reading]:
        """Information under both readouts, how many inputs are alone, and which noise would say something."""
        h = self._held.x.numpy()
        names = [q.name for q in INFORMATION.quantities]
        if not np.isfinite(h).all():
            return [Reading(quantity=q, value=math.nan, note="some activations are not finite") for q in names]
        if self._held.constant:
            return [Reading(quantity=q, value=math.nan, note="the layer is constant") for q in names]
        labels = self._context.labels[self._rows].numpy()
        columns = 1 + min(labels.shape[1] - 1, max(1, _MASSES // (self._context.classes or 2)))
        labels = labels[:, :columns]
        return [*self._noise(h, labels), *self._bins(h, labels)]

    def _noise(self, h: np.ndarray, labels: np.ndarray) -> list[Reading]:
        n = len(h)
        i_x, i_y = noise_information(h, labels, SIGMA)
        label = f"GaussianNoise({SIGMA:g}, relative='distance') on {n} inputs"
        cells = 2**i_x / n
        note = (
            label
            if cells <= CROWDED
            else f"{label}: {2**i_x:.0f} cells for {n} inputs, so it tells inputs apart rather than kinds"
        )
        low = [batch_interval(v, f, n, seed=self._context.seed) for v, f in (
            (i_x, lambda rows: noise_information(h[rows], labels[rows, :1], SIGMA)[0]),
            (float(i_y[0]), lambda rows: float(noise_information(h[rows], labels[rows, :1], SIGMA)[1][0])),
        )]  # fmt: skip
        low[0] = low[0] if 2**i_x <= n / _CELLS else (math.nan, math.nan)
        telling = next(
            (
                s
                for s in LADDER
                if 2 ** (i_x if s == SIGMA else noise_information(h, labels[:, :1], s)[0]) / n <= CROWDED
            ),
            math.nan,
        )
        none = f"at {LADDER[-1]:g} and below there are still more than {CROWDED:.0%} as many cells as inputs"
        return [
            Reading(quantity="noise_i_y", value=float(i_y[0]), low=low[1][0], high=low[1][1],
                permuted=tuple(map(float, i_y[1:])), note=note),
            Reading(quantity="noise_i_x", value=i_x, low=low[0][0], high=low[0][1], note=note),
            Reading(quantity="noise_cells", value=cells, note=label),
            Reading(quantity="telling_noise", value=telling,
                note=none if math.isnan(telling) else "times the root mean squared distance"),
        ]  # fmt: skip

    def _bins(self, h: np.ndarray, labels: np.ndarray) -> list[Reading]:
        n = len(h)
        ends = _ENDS.get(self._layer.nonlinearity)
        inside = ends is not None and self._layer.pooling == "none" and h.min() >= ends[0] and h.max() <= ends[1]
        readout = Binning(BINS, ends if inside and ends is not None else "layer")
        symbols = readout.symbols(h[None])[0]

        def both(rows: Any, column: int = 0) -> tuple[float, float]:
            if len(np.unique(labels[rows, column])) < 2:
                return math.nan, 0.0
            found = discrete(symbols[rows][None, :, None], labels[rows, column])
            return float(found["i_x"][0]), float(found["i_y"][0])

        i_x, i_y = both(slice(None))
        permuted = tuple(both(slice(None), k)[1] for k in range(1, labels.shape[1]))
        alone = cells_of_their_own(symbols)
        label = f"{readout!r} on {n} inputs"
        note = (
            label
            if alone <= CROWDED
            else f"{label}: {alone:.0%} of them alone in their cell, so it tells inputs apart rather than kinds"
        )
        low = low_y = (math.nan, math.nan)
        if 2**i_x <= n / _CELLS:
            low = batch_interval(i_x, lambda rows: both(rows)[0], n, seed=self._context.seed)
            low_y = batch_interval(i_y, lambda rows: both(rows)[1], n, seed=self._context.seed)
        return [
            Reading(quantity="binned_i_y", value=i_y, low=low_y[0], high=low_y[1], permuted=permuted, note=note),
            Reading(quantity="binned_i_x", value=i_x, low=low[0], high=low[1], note=note),
            Reading(quantity="binned_alone", value=alone, note=label),
        ]


def start(layer: Layer, context: Context) -> _Stream | None:
    """A stream over a layer, the model's input too."""
    if context.targets is None or context.classes is None or context.classes < 2:
        return None
    return _Stream(layer, context)


def cost(context: Context) -> Passes:
    """Holds the pooled activations of 1,000 inputs."""
    return Passes(held=sum(4 * min(context.n, ROWS) * layer.units for layer in context.layers))


def finding(result: Any) -> tuple[Finding, ...]:
    """Where the bins say nothing, and what the noisy readout says of the label."""
    out = []
    alone = [r for r in result.of("binned_alone") if not math.isnan(r.value)]
    every = [r for r in alone if r.value == 1]
    if every:
        text = (
            f"At {len(every)} of {len(alone)} layers {BINS} bins tell all inputs apart: I(X;T) = log2 n and I(T;Y) "
            "= H(Y) there whatever is trained. Nothing is said of compression from one checkpoint"
        )
        out.append(Finding(text=f"{text}.", quantity="binned_alone", layer=every[0].layer, weight=0.9))
    there = [r for r in result.of("noise_i_y") if r.beyond_permuted and r.value > max(r.permuted)]
    if there:
        best = max(there, key=lambda r: r.value)
        text = (
            f"Under Gaussian noise of {SIGMA:g} of the samples' root mean squared distance, {best.label} has the "
            f"most about the label: {best.said()}"
        )
        out.append(Finding(text=f"{text}.", quantity="noise_i_y", layer=best.layer, weight=1))
    return tuple(out)


INFORMATION = Instrument(
    name="information",
    title="Information",
    question="What does each layer know about input and label, and does the readout say anything?",
    source="Shwartz-Ziv & Tishby 2017; Kolchinsky & Tracey 2017; Saxe et al. 2018",
    formula="I(T;Y) = h(T) - h(T|Y)",
    quantities=(
        Quantity(
            name="noise_i_y",
            title="I(T;Y), noise",
            unit="bits",
            about=f"Gaussian noise of {SIGMA:g} of the samples' distance",
            chance=lambda context: 0.0,
            shown=True,
        ),
        Quantity(
            name="noise_i_x",
            title="I(X;T), noise",
            unit="bits",
            about=f"Gaussian noise of {SIGMA:g} of the samples' distance",
            shown=True,
        ),
        Quantity(
            name="noise_cells",
            title="Cells per input, noise",
            about=f"2^I(X;T) / n: above {CROWDED:g} the readout tells inputs apart, not kinds",
        ),
        Quantity(
            name="telling_noise",
            title="Noise that would say something",
            about="the least of 0.1, 0.2, 0.5, 1, 2 with few cells per input",
        ),
        Quantity(
            name="binned_i_y", title="I(T;Y), bins", unit="bits", about=f"{BINS} bins", chance=lambda context: 0.0
        ),
        Quantity(name="binned_i_x", title="I(X;T), bins", unit="bits", about=f"{BINS} bins"),
        Quantity(
            name="binned_alone",
            title="Inputs alone in their cell, bins",
            about="at 1 the bins say nothing of the network",
            ends=(0.0, 1.0),
        ),
    ),
    limits=(
        "The network is deterministic: a finite I(X;T) is a property of network and readout together, and the "
        "data-processing inequality need not hold between layers.",
        "One checkpoint says nothing of compression, which is a change during training: record several, "
        "and look at the plane.",
        "I(T;Y) under noise subtracts two upper bounds and is no bound itself; with bins it is biased upward, "
        "as its permuted labels show.",
        "Intervals are for sampling alone (ten disjoint parts of the inputs); the bias common to all parts is not in "
        f"them. There is none where there are more cells than one for {_CELLS} inputs: "
        "a tenth of them then varies less than all do.",
    ),
    needs="classes",
    start=start,
    cost=cost,
    finding=finding,
)
