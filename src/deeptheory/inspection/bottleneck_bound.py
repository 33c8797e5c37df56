"""Distance to the bottleneck bound: how many bits about the label would the best T of the same I(X;T) have? Where
p(x, y) is finite.

Source: Tishby & Zaslavsky 2015; the numbers are those of `dt.layer_bound`, at one network and step. The task's p(x, y)
must be known, one row per sample of the probe in its order, so the instrument is made from it:
`instruments=["health", bottleneck_bound(p_xy)]`.
Pitfall: where every input is alone in its bin the layer is the identity,
and any network is on the bound at I(X;T) = H(X).
"""

import math
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.information import Binning, bottleneck_curve
from deeptheory.information.bottleneck.joint import entropy
from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading
from deeptheory.inspection.rows import Held, chosen_rows

_PERMUTATIONS = 20


def bottleneck_bound(p_xy: Any, bins: int = 30) -> Instrument:
    """An instrument for the task p(x, y): each layer's I(X;T), I(T;Y), and bits below the bound.

    For `dt.inspect(..., instruments=[bottleneck_bound(p_xy)], first=None)`. Layers are read out by Binning(bins,
    "layer"): equal cells over the layer's own range. Quantities, in bits: i_x, i_y, and distance = max I(T';Y) at
    I(X;T') = i_x, minus i_y, not below 0; NaN, with a note, where the probe has not nx samples.
    p_xy: [nx, ny], probabilities or counts, as `dt.bottleneck_curve` takes them; row k belongs to sample k of the probe
    (first=None keeps them all and in order). Control: 20 permutations of p(y|x) among the inputs, where all inputs are
    equally likely (else the bound itself would change). Source: Tishby & Zaslavsky 2015.
    InputError: p_xy as there, bins as Binning.
    """
    readout = Binning(bins, "layer")
    curve = bottleneck_curve(p_xy)
    p = as_floats(p_xy)
    p = p / p.sum()

    class Stream:
        """The pooled activations of all inputs."""

        def __init__(self, layer: Layer, context: Context):
            self._context = context
            self._held = Held(chosen_rows(context, context.n), context.n)

        def update(self, batch: Batch) -> None:
            """Take a batch in."""
            self._held.take(batch)

        def result(self) -> list[Reading]:
            """Information of the binned layer, and the bound at the same I(X;T)."""
            if self._context.n != len(p):
                return _none(
                    f"the probe has {self._context.n} samples, p_xy {len(p)} rows; they are the same inputs, in order"
                )
            h = self._held.x.numpy()
            if not np.isfinite(h).all():
                return _none("some activations are not finite")
            symbols = readout.symbols(h[None])[0]
            i_x, i_y = informations(symbols, p)
            bound = float(curve.bound(i_x))
            permuted: tuple[float, ...] = ()
            if np.allclose(p.sum(1), 1 / len(p), rtol=1e-9):
                rng = np.random.default_rng(self._context.seed)
                number = _PERMUTATIONS if self._context.twin is None else 0
                permuted = tuple(bound - informations(symbols, p[rng.permutation(len(p))])[1] for _ in range(number))
            alone = len(np.unique(symbols)) == len(symbols)
            note = "every input is alone in its cell: on the bound whatever is trained" if alone else repr(readout)
            return [
                Reading(
                    quantity="distance",
                    value=max(0.0, bound - i_y),
                    permuted=tuple(max(0.0, v) for v in permuted),
                    note=note,
                ),
                Reading(quantity="i_x", value=i_x, note=note),
                Reading(quantity="i_y", value=i_y, note=note),
            ]

    def start(layer: Layer, context: Context) -> Stream:
        return Stream(layer, context)

    return Instrument(
        name="bottleneck_bound",
        title="Distance to the bottleneck bound",
        question="How many bits about the label would the best representation of the same I(X;T) have?",
        source="Tishby & Zaslavsky 2015",
        formula="max I(T';Y) at I(X;T') = I(X;T), less I(T;Y)",
        quantities=(
            Quantity(
                name="distance",
                title="Below the bound",
                unit="bits",
                about=f"with {bins} bins; 0 is optimal at that I(X;T)",
                shown=True,
            ),
            Quantity(name="i_x", title="I(X;T), bins", unit="bits"),
            Quantity(name="i_y", title="I(T;Y), bins", unit="bits"),
        ),
        limits=(
            "Where every input is alone in its cell, any network is on the bound, at I(X;T) = H(X).",
            "Far beyond the I(X;T) that the task needs the bound is flat: a small distance there says little.",
        ),
        start=start,
        cost=lambda context: Passes(held=sum(4 * context.n * layer.units for layer in context.layers)),
        finding=_finding,
    )


def informations(symbols: np.ndarray, p_xy: np.ndarray) -> tuple[float, float]:
    """I(X;T) and I(T;Y), bits, of a deterministic T: symbols [nx] from 0, p_xy [nx, ny] summing to 1."""
    p_ty = np.zeros((int(symbols.max()) + 1, p_xy.shape[1]))
    np.add.at(p_ty, symbols, p_xy)
    p_t = p_ty.sum(1)
    return entropy(p_t), entropy(p_t) + entropy(p_ty.sum(0)) - entropy(p_ty.ravel())


def _none(why: str) -> list[Reading]:
    return [Reading(quantity=q, value=math.nan, note=why) for q in ("distance", "i_x", "i_y")]


def _finding(result: Any) -> Finding | None:
    there = [r for r in result.of("distance") if not math.isnan(r.value) and "whatever is trained" not in r.note]
    if not there:
        return None
    best = min(there, key=lambda r: r.value)
    text = f"{best.label} is nearest to the bottleneck bound: {best.said()} below it"
    if best.beyond_permuted is not True:
        text += "; permuted labels do not differ from it, so nothing follows"
    return Finding(text=f"{text}.", quantity="distance", layer=best.layer)
