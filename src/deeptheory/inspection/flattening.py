"""Flattening: what would it cost to write successive linear maps of the model as one?

Source: Lin, Tegmark & Rolnick 2017, section III: flattening a deep linear network costs synapses, from none to N^2 /
(2 N log2 N) for the Fourier transform. Pitfall: linear maps that follow each other are rare outside of bottlenecks and
adapters; a nonlinearity, a sum or a normalization between them ends the part. Entries are counted as 0 only where they
are 0: pruned weights count, small ones do not.
"""

import math
from collections.abc import Iterator
from typing import Any

from torch import nn

from deeptheory.cheap import FlatteningCost, flattening_cost
from deeptheory.core.errors import InputError
from deeptheory.inspection.instrument import Context, Finding, Instrument, Passes, Quantity, Reading

_MOST = 4096  # columns of a matrix whose product and rank are computed
_PASSED = (nn.Identity, nn.Dropout)


def linear_parts(model: Any) -> list[tuple[str, nn.Sequential]]:
    """Runs of two or more linear maps that follow each other in a Sequential, nested ones too,
    by the path of the first."""
    out: list[tuple[str, nn.Sequential]] = []
    inside: set[int] = set()
    for path, module in model.named_modules():
        if type(module) is not nn.Sequential or id(module) in inside:
            continue
        run: list[tuple[str, nn.Linear]] = []
        for name, child in [*_in_order(module, path, inside), ("", None)]:
            if type(child) is nn.Linear:
                run.append((name, child))
            elif not isinstance(child, _PASSED):
                if len(run) > 1:
                    out.append((run[0][0], nn.Sequential(*(m for _, m in run))))
                run = []
    return out


def _in_order(module: nn.Sequential, path: str, inside: set[int]) -> Iterator[tuple[str, Any]]:
    for name, child in module._modules.items():
        here = f"{path}.{name}" if path else name
        if type(child) is nn.Sequential:
            inside.add(id(child))
            yield from _in_order(child, here, inside)
        else:
            yield here, child


def run(context: Context) -> dict[str, list[Reading]]:
    """Synapses of the products over synapses of the factors, all linear parts together."""
    parts = linear_parts(context.model)
    names = ("flattening_cost", "cheapest_form")
    if not parts:
        why = "no two linear maps follow each other in a Sequential"
        return {"": [Reading(quantity=q, value=math.nan, note=why) for q in names]}
    largest = [max(max(m.weight.shape) for m in p) for _, p in parts]  # type: ignore[attr-defined]  # Linears
    small = [part for part, size in zip(parts, largest) if size <= _MOST]
    try:
        costs: list[FlatteningCost] = [flattening_cost(p) for _, p in small]
    except InputError as error:  # weights that are not finite
        return {"": [Reading(quantity=q, value=math.nan, note=str(error)) for q in names]}
    deep = sum(c.deep for c in costs)
    if not deep:
        why = f"matrices above {_MOST} columns, or no weight other than 0"
        return {"": [Reading(quantity=q, value=math.nan, note=why) for q in names]}
    note = f"{len(small)} of {len(parts)} linear parts, from {', '.join(path for path, _ in small[:4])}"
    return {
        "": [
            Reading(quantity="flattening_cost", value=sum(c.flat for c in costs) / deep, note=note),
            Reading(quantity="cheapest_form", value=sum(c.least for c in costs) / deep, note=note),
        ]
    }


def finding(result: Any) -> Finding | None:
    """Said only where there is a linear part."""
    there = [r for r in result.of("flattening_cost") if not math.isnan(r.value)]
    if not there:
        return None
    text = (
        f"Written as one map each, the linear parts take {there[0].said()} synapses for one that they have "
        f"({there[0].note})."
    )
    return Finding(text=text, quantity="flattening_cost", weight=0.5)


FLATTENING = Instrument(
    name="flattening",
    title="Flattening of linear parts",
    question="What would it cost to write successive linear maps as one?",
    source="Lin, Tegmark & Rolnick 2017, section III",
    formula="C = synapses flat / synapses deep",
    quantities=(
        Quantity(name="flattening_cost", title="Flattening cost", about="above 1 the deep form is cheaper"),
        Quantity(
            name="cheapest_form",
            title="Cheapest of three forms",
            about="of deep, flat and factored by rank, over deep: below 1 the part is written wastefully",
        ),
    ),
    limits=(
        "Only linear maps that follow each other in a Sequential are seen; "
        "those inside attention and convolutions are not.",
        "Dropout between them counts as nothing, as it does in eval mode.",
    ),
    run=run,
    cost=lambda context: Passes(),
    finding=finding,
)
