"""Health: which units do no work on this probe, and in how many directions does a layer vary?

Participation ratio PR = (tr S)^2 / tr S^2 of the covariance S of the pooled activations: d for d equal and independent
directions, 1 for one. Source of the correction for few samples: Srivastava 2005, unbiased tr Sigma^2 and (tr Sigma)^2
of normal data; uncorrected, n samples of d directions read about d n / (d + n). Pitfall: a unit that is silent
on n samples may still answer to rare inputs.
"""

import math
from typing import Any

import torch

from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading

_BOUNDS = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hardsigmoid": (0.0, 1.0),
    "softsign": (-1.0, 1.0),
    "erf": (-1.0, 1.0),
}
_END = 0.025  # of the range: within it of an end a value counts as saturated
_ROUNDING = 32  # units in the last place within which a layer is constant
_ROUNDED_ONCE = 2  # the same of half precision, whose sums are made in float32 and rounded once per layer
_MOSTLY = 0.95  # of a unit's values
_STILL = 1e-6  # of the layer's largest value: a unit that moves less is constant
_Z = 1.959964


class _Health:
    """Extremes and counts of every unit over all positions, and the pooled activations for the covariance."""

    def __init__(self, layer: Layer, context: Context):
        self._bounds = _BOUNDS.get(layer.nonlinearity)
        self._pooled = torch.empty(
            context.n, layer.units, dtype=torch.float64 if context.dtype == "float64" else torch.float32
        )
        half = context.dtype in ("float16", "bfloat16")
        self._rounding = (_ROUNDED_ONCE if half else _ROUNDING) * torch.finfo(getattr(torch, context.dtype)).eps
        self._least = self._most = self._bad = self._ended = None
        self._values = 0

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        w = batch.whole
        finite = torch.isfinite(w)
        least = torch.where(finite, w, math.inf).amin(dim=(0, 2))
        most = torch.where(finite, w, -math.inf).amax(dim=(0, 2))
        bad = (~finite).any(dim=2).any(dim=0)
        self._least = least if self._least is None else torch.minimum(self._least, least)
        self._most = most if self._most is None else torch.maximum(self._most, most)
        self._bad = bad if self._bad is None else self._bad | bad
        if self._bounds is not None:
            low, high = self._bounds
            near = _END * (high - low)
            ended = ((w <= low + near) | (w >= high - near)).sum(dim=(0, 2))
            self._ended = ended if self._ended is None else self._ended + ended
            self._values += w.shape[0] * w.shape[2]
        self._pooled[batch.rows] = batch.activations.to(self._pooled.dtype).cpu()

    def result(self) -> list[Reading]:
        """Shares of units, and the participation ratio."""
        assert self._least is not None
        assert self._most is not None
        assert self._bad is not None
        there = ~self._bad
        largest = float(torch.maximum(self._most.abs(), self._least.abs())[there].max()) if there.any() else 0.0
        still = there & ((self._most - self._least) <= _STILL * largest)
        dead = still & (torch.maximum(self._most.abs(), self._least.abs()) <= _STILL * largest)
        out = [Reading(quantity="non_finite", value=_share(self._bad))]
        if there.any():
            out += [
                Reading(quantity="dead", value=_share(dead)),
                Reading(quantity="constant", value=_share(still & ~dead)),
            ]
        else:
            none = "no unit gives finite values only"
            out += [Reading(quantity=q, value=math.nan, note=none) for q in ("dead", "constant")]
        if self._ended is not None:
            out.append(Reading(quantity="saturated", value=_share(self._ended >= _MOSTLY * self._values)))
        return [*out, participation(self._pooled, self._rounding)]


def participation(x: torch.Tensor, rounding: float = _ROUNDING * 2.0**-23) -> Reading:
    """Participation ratio of [n, units], corrected for n, with an interval by the delta method on its logarithm (too
    wide, never too short, where units and samples are as many: 150 of 150 held the truth at 60 units and 40 samples).

    rounding: of the largest value, within which the layer counts as constant.
    """
    x = x.double()
    n, units = x.shape
    if not torch.isfinite(x).all():
        return Reading(quantity="rank", value=math.nan, note="some activations are not finite")
    if n < 4:
        return Reading(quantity="rank", value=math.nan, note=f"{n} samples; at least 4 are needed")
    largest = float(x.abs().max())
    x = x - x.mean(dim=0)
    scale = float(x.abs().max())
    if float(x.square().mean().sqrt()) <= rounding * largest:  # its directions would be those of the rounding
        return Reading(quantity="rank", value=math.nan, note="the layer is constant, up to rounding")
    x = x / scale
    m = n - 1
    norms = (x * x).sum(dim=1)  # |x_i|^2, mean (m / n) tr S
    if units <= n:
        s = x.T @ x / m
        quadratic = ((x @ s) * x).sum(dim=1)  # x_i' S x_i, mean (m / n) tr S^2
        b = float((s * s).sum())
    else:
        g = x @ x.T
        quadratic = (g * g).sum(dim=1) / m
        b = float((g * g).sum()) / m**2
    a = float(norms.sum() / m) ** 2
    square = (b - a / m) / (1 + 1 / m - 2 / m**2)
    trace = a - 2 * square / m
    if square <= 0 or trace <= 0 or trace / square > 4 * n:
        return Reading(quantity="rank", value=math.nan, note=f"more directions than {n} samples can tell")
    value = min(trace / square, float(units))
    influence = 2 * norms / math.sqrt(trace) - 2 * quadratic / square  # of log PR, up to a constant
    error = float(influence.std()) / math.sqrt(n)
    return Reading(
        quantity="rank",
        value=value,
        low=value * math.exp(-_Z * error),
        high=max(value, min(value * math.exp(_Z * error), float(units))),
    )


def _share(mask: torch.Tensor) -> float:
    return float(mask.double().mean())


def start(layer: Layer, context: Context) -> _Health | None:
    """A stream over a layer; the model's input has no units of its own."""
    return None if layer.role == "input" else _Health(layer, context)


def cost(context: Context) -> Passes:
    """Holds the pooled activations of every layer."""
    return Passes(
        held=sum(
            (8 if context.dtype == "float64" else 4) * context.n * layer.units
            for layer in context.layers
            if layer.role != "input"
        )
    )


def finding(result: Any) -> tuple[Finding, ...]:
    """Where most units are dead, and where the layer varies in the fewest directions."""
    out = []
    dead = [r for r in result.of("dead") if not math.isnan(r.value)]
    if dead:
        worst = max(dead, key=lambda r: r.value)
        if worst.value > 0:
            text = f"{worst.value:.0%} of the units of {worst.label} are dead on this probe"
            if worst.twins:
                low, high = f"{worst.twin_least:.0%}", f"{worst.twin_most:.0%}"
                text += f" ({worst.control}: {low if low == high else f'{low} to {high}'})"
            out.append(
                Finding(
                    text=f"{text}; {len([r for r in dead if r.value > 0])} of {len(dead)} layers have any.",
                    quantity="dead",
                    layer=worst.layer,
                )
            )
        else:
            twins = [v for r in dead for v in r.twins if not math.isnan(v)]
            control = f" ({dead[0].control}: up to {max(twins):.0%} of a layer)" if twins else ""
            out.append(
                Finding(
                    text=f"No unit is dead on this probe, at {len(dead)} layer{'s' * (len(dead) != 1)}{control}.",
                    quantity="dead",
                    weight=0.5,
                )
            )
    bad = [r for r in result.of("non_finite") if r.value > 0]
    if bad:
        out.insert(
            0,
            Finding(
                text=f"{bad[0].value:.0%} of the units of {bad[0].label} give values that are not finite, the first of "
                f"{len(bad)} such layers; what follows it says little.",
                quantity="non_finite",
                layer=bad[0].layer,
                weight=9,
            ),
        )
    rank = [r for r in result.of("rank") if not math.isnan(r.value)]
    if rank:
        low, high = min(rank, key=lambda r: r.value), max(rank, key=lambda r: r.value)
        text = f"Activity varies in {low.said()} directions at {low.label}"
        if high is not low:
            text += f" and in {high.said()} at {high.label}"
        out.append(Finding(text=f"{text} (participation ratio).", quantity="rank", layer=low.layer))
    return tuple(out)


HEALTH = Instrument(
    name="health",
    title="Health",
    question="Which units do no work on this probe, and in how many directions does each layer vary?",
    source="Participation ratio of the covariance, corrected for the number of samples (Srivastava 2005)",
    formula="PR = (tr S)² / tr S²",
    quantities=(
        Quantity(
            name="dead",
            title="Dead units",
            about="fraction that is 0 for every sample and position, up to a millionth of the layer's largest value",
            ends=(0.0, 1.0),
            shown=True,
        ),
        Quantity(
            name="constant",
            title="Constant units",
            about="fraction with one value other than 0, up to a millionth of the layer's largest value",
        ),
        Quantity(
            name="saturated",
            title="Saturated units",
            about="fraction with 95 % of their values at an end of a bounded range",
        ),
        Quantity(name="non_finite", title="Units that are not finite", about="fraction with a NaN or an infinity"),
        Quantity(
            name="rank", title="Effective rank", about="participation ratio of the pooled activations", shown=True
        ),
    ),
    limits=(
        "A unit that is silent on n samples may answer to inputs rarer than 3/n (95 % limit): the fraction of dead "
        "units is one of this probe.",
        "The effective rank is of activations averaged over positions or tokens; "
        "a map varies in more directions than its mean.",
        "The correction of the effective rank for few samples is exact for normal data and approximate for others.",
    ),
    start=start,
    cost=cost,
    finding=finding,
)
