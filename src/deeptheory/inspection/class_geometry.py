"""Class geometry: how far does each layer keep the classes apart, and how near is it to neural collapse?

Sources and numbers: neural_collapse.py. Pitfall: noise with more units than samples per class reads as collapse; every
number is shown next to the same for permuted labels, and NC1 is refused there.
"""

import math
from typing import Any

import torch
from torch import Tensor

from deeptheory.core.powers import power_of, times_power
from deeptheory.core.statistics import proportion_interval
from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading
from deeptheory.inspection.neural_collapse import (
    SAME_MEAN,
    Geometry,
    Value,
    linear_right,
    nearest_class,
    nearest_right,
    said_by_head,
)
from deeptheory.inspection.rows import Held, generator_of, kept_rows

_HELD = 16 << 20  # bytes of activations of one layer; of a larger probe a part of each class is held


class _Stream:
    """Holds the pooled activations of a part of each class that fits the memory, and measures at the end."""

    def __init__(self, layer: Layer, context: Context):
        assert context.classes is not None
        assert context.targets is not None
        self._layer, self._context, self._classes = layer, context, context.classes
        self._rows = kept_rows(context, max(2, _HELD // (4 * layer.units)))
        self._held = Held(self._rows, context.n)

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        self._held.take(batch)

    @torch.inference_mode(False)
    def result(self) -> list[Reading]:
        """Collapse, and accuracies of decoders."""
        x, codes = self._held.x.double(), self._context.labels[self._rows]
        names = ["nc1", "scatter_ratio", "linear", "nearest_mean", "equinorm", "equiangle", "maximal_angle"]
        names += ["nc3", "nc4"] if self._is_head else []
        if not bool(torch.isfinite(x).all()):
            return [_none(q, "some activations are not finite") for q in names]
        x = times_power(x, -(power := power_of(x)))
        if self._held.constant:
            return [_none(q, "the layer is constant") for q in names]
        part = (
            ""
            if len(x) == self._context.n
            else f"of {len(x)} of {self._context.n} samples, the same fraction of each class"
        )
        true = Geometry(x, codes[:, 0], self._classes)
        out = []
        shuffled = [Geometry(x, c, self._classes) for c in codes.T[1:]]
        for q in ("nc1", "scatter_ratio", "equinorm", "equiangle", "maximal_angle"):
            permuted = tuple(getattr(g, q)().value for g in shuffled)
            why = true.refusal if q == "nc1" else (true.middle or SAME_MEAN)
            out.append(_reading(q, getattr(true, q)(interval=True), permuted, why, part))
        test = torch.as_tensor(self._context.held_out).cpu()[self._rows]
        within = permuted_within(codes[:, 0], test, self._context.permutations, self._context.seed)
        out += self._decoded(x, within, test, part)
        if self._is_head:
            out += self._at_head(x, power, [true, *shuffled], within, test, part)
        return sorted(out, key=lambda r: names.index(r.quantity))

    @property
    def _is_head(self) -> bool:
        return not isinstance(self._context.head, str) and self._context.head.layer == self._layer.name

    def _decoded(self, x: Tensor, codes: Tensor, test: Tensor, part: str) -> list[Reading]:
        n = int(test.sum())
        if n == 0 or len(codes[~test, 0].unique()) < 2:
            return [
                _none(q, "too few samples of two classes for a fitted and a held-out half")
                for q in ("linear", "nearest_mean")
            ]
        out = []
        for q, decode in (("linear", linear_right), ("nearest_mean", nearest_right)):
            right = decode(x, codes, self._classes, test)
            found = proportion_interval(right[0], n)
            out.append(
                Reading(
                    quantity=q,
                    value=found.value,
                    low=found.low,
                    high=found.high,
                    permuted=tuple(k / n for k in right[1:]),
                    note=part,
                )
            )
        return out

    def _at_head(
        self, x: Tensor, power: int, geometries: list[Geometry], codes: Tensor, test: Tensor, part: str
    ) -> list[Reading]:
        head: Any = self._context.head
        w = head.weight.detach().double().cpu()
        b = torch.zeros(len(w)).double() if head.bias is None else head.bias.detach().double().cpu()
        if w.shape != (self._classes, x.shape[1]):
            why = f"the head has {w.shape[0]} outputs for {self._classes} classes"
            return [_none("nc3", why), _none("nc4", why)]
        distance = geometries[0].nc3(w, interval=True)
        permuted = tuple(g.nc3(w).value for g in geometries[1:])
        out = [_reading("nc3", distance, permuted, "the head or the class means are zero", part)]
        n = int(test.sum())
        if n == 0 or n == len(x):
            return [*out, _none("nc4", "too few samples for a fitted and a held-out half")]
        said = said_by_head(x[test], power, w, b)
        others = [int((said != nearest_class(x, c, self._classes, test)).sum()) for c in codes.T]
        found = proportion_interval(others[0], n)
        return [
            *out,
            Reading(
                quantity="nc4",
                value=found.value,
                low=found.low,
                high=found.high,
                permuted=tuple(k / n for k in others[1:]),
                note=part,
            ),
        ]


def permuted_within(codes: Tensor, test: Tensor, permutations: int, seed: int) -> Tensor:
    """codes [n], then as many columns of them permuted within the fitted and within the held-out half: permuted over
    both, a class that is frequent in one half would be rare in the other,
    and a decoder of noise right less often than by chance."""
    generator = generator_of(seed)
    columns = [codes]
    for _ in range(permutations):
        column = codes.clone()
        for half in (test.nonzero()[:, 0], (~test).nonzero()[:, 0]):
            column[half] = codes[half[torch.randperm(len(half), generator=generator)]]
        columns.append(column)
    return torch.stack(columns, dim=1)


def _none(quantity: str, why: str) -> Reading:
    return Reading(quantity=quantity, value=math.nan, note=why)


def _reading(quantity: str, found: Value, permuted: tuple[float, ...], why: str, part: str) -> Reading:
    if not math.isfinite(found.value):
        return _none(quantity, why)
    low, high = (
        (math.nan, math.nan) if math.isnan(found.low) else (min(found.low, found.value), max(found.high, found.value))
    )
    return Reading(quantity=quantity, value=found.value, low=low, high=high, permuted=permuted, note=part)


def start(layer: Layer, context: Context) -> _Stream | None:
    """A stream over a layer; the model's input too, as depth 0."""
    if context.classes is None or context.targets is None or context.classes < 2:
        return None
    return _Stream(layer, context)


def cost(context: Context) -> Passes:
    """Holds pooled activations, at most 16 MiB per layer."""
    return Passes(held=sum(min(_HELD, 4 * context.n * layer.units) for layer in context.layers))


def _chance(context: Context) -> float:
    assert context.targets is not None
    return float(torch.bincount(context.targets[:, 0]).max()) / context.n


def finding(result: Any) -> tuple[Finding, ...]:
    """Where a linear decoder reads the classes best, and how far the last layer that has the number is from
    collapse."""
    out = []
    linear = [r for r in result.of("linear") if not math.isnan(r.value)]
    if linear:
        first, best = linear[0], max(linear, key=lambda r: (r.value, r.beyond_twins is True))
        text = f"A linear decoder is right on {best.said()} of held-out samples at {best.label}"
        if best is not first:
            text += f", on {first.said()} at {first.label}"
        if best.beyond_permuted is not True:
            text += "; the control under permuted labels does not differ from it, so nothing follows"
        elif best.beyond_twins is False:
            text += (
                f"; the range of the twins ({best.control}) reaches into the interval, so this says nothing of "
                f"the training"
            )
        out.append(Finding(text=f"{text}.", quantity="linear", layer=best.layer, weight=2))
    head = {r.layer for r in result.of("nc3")}  # collapse is about the layer that feeds the head
    for quantity, name in (("nc1", "NC1"), ("scatter_ratio", "tr S_W / tr S_B")):
        there = [r for r in result.of(quantity) if not math.isnan(r.value)]
        if there:
            last = next((r for r in there if r.layer in head), there[-1])
            text = (
                f"Scatter within classes against scatter between them, {name}, is {last.said()} at {last.label}; "
                "collapse is 0"
            )
            if last.beyond_permuted is not True:
                text += ". Permuted labels do not differ from it, so nothing follows"
            out.append(Finding(text=f"{text}.", quantity=quantity, layer=last.layer, weight=1.5))
            break
    return tuple(out)


CLASS_GEOMETRY = Instrument(
    name="class_geometry",
    title="Class geometry",
    question="How far does each layer keep the classes apart, and how near is it to neural collapse?",
    source="Papyan, Han & Donoho 2020; scatter ratio after Tirer, Huang & Niles-Weed 2023",
    formula="NC1 = tr(S_W S_B⁺) / C",
    quantities=(
        Quantity(
            name="linear",
            title="Linear decoder",
            about="accuracy on the held-out half",
            ends=(0.0, 1.0),
            chance=_chance,
            shown=True,
        ),
        Quantity(
            name="nearest_mean",
            title="Nearest class mean",
            about="accuracy on the held-out half",
            ends=(0.0, 1.0),
            chance=_chance,
        ),
        Quantity(
            name="scatter_ratio",
            title="Within over between scatter",
            about="tr S_W / tr S_B: 0 is collapse, samples per class is noise",
            log=True,
            shown=True,
        ),
        Quantity(
            name="nc1",
            title="NC1, variability collapse",
            about="tr(S_W S_B⁺) / C: 0 is collapse; only with more samples per class than units",
            log=True,
            shown=True,
        ),
        Quantity(
            name="equinorm",
            title="NC2, equal norms",
            about="standard deviation over mean of the centered class means' norms; 0 is collapse",
        ),
        Quantity(
            name="equiangle",
            title="NC2, equal angles",
            about="standard deviation of the cosines between centered class means; 0 is collapse",
        ),
        Quantity(name="maximal_angle", title="NC2, maximal angle", about="mean |cosine + 1/(C - 1)|; 0 is collapse"),
        Quantity(
            name="nc3",
            title="NC3, self-duality",
            about="distance of head and class means, each of norm 1: 0 is collapse, 1.41 a random head",
        ),
        Quantity(
            name="nc4",
            title="NC4, nearest class mean",
            about="fraction of held-out samples that head and nearest class mean call otherwise",
        ),
    ),
    limits=(
        "Neural collapse is a statement about the training set: on held-out samples the same numbers are larger.",
        "Class means of n samples carry noise of their own, S_W / n: both numbers are below those of infinitely many "
        "samples. The interval is about what other probes of this size would give on average.",
        "Maps and tokens are averaged over positions first; what a decoder could read from positions is not seen.",
        "A decoder that fails says nothing about what a nonlinear one would read.",
    ),
    needs="classes",
    start=start,
    cost=cost,
    finding=finding,
)
