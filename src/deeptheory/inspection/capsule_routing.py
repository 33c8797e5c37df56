"""Capsule routing: do capsules choose among parents, do their votes agree, are parents dead? On request,
where there are routed layers.

Source: Sabour, Frosst & Hinton 2017 and Hinton, Sabour & Frosst 2018 (figure 2); the numbers are those of
`deeptheory.capsules.trace_routing` after the last iteration. Pitfall: coupling that stays uniform routes nothing, and
an untrained network has just that; a low entropy alone is no sign of parts that agree.
"""

import math
from typing import Any

import numpy as np

from deeptheory.capsules import trace_routing
from deeptheory.capsules.diagnostics import RoutingTrace
from deeptheory.core.errors import InputError
from deeptheory.inspection.instrument import Context, Finding, Instrument, Passes, Quantity, Reading
from deeptheory.inspection.rows import FEW, chosen_inputs
from deeptheory.recording.inputs import tensors_of


def run(context: Context) -> dict[str, list[Reading]]:
    """Means over the routed layers; the note names each."""
    names = [q.name for q in CAPSULE_ROUTING.quantities]
    inputs = chosen_inputs(context)
    if isinstance(inputs, dict):
        return _none(names, "inputs by name; routed layers are traced with positional ones")
    given = [v.to(context.device) for v in tensors_of(inputs)]
    try:
        traces = trace_routing(context.model, *given)
    except InputError as error:
        return _none(names, str(error))
    found = {
        "entropy": {name: _uniformity(t) for name, t in traces.items()},
        "agreement": {name: float(t.agreement[-1]) for name, t in traces.items()},
        "dead_parents": {name: float(t.dead[-1]) for name, t in traces.items()},
    }
    out = []
    for quantity, values in found.items():
        each = ", ".join(f"{name} {v:.3g}" for name, v in values.items())
        out.append(Reading(quantity=quantity, value=float(np.mean(list(values.values()))), note=f"mean of {each}"))
    return {"": out}


def _uniformity(trace: RoutingTrace) -> float:
    """Entropy of the coupling after the last iteration over that of the first, which is uniform: 1 of a single parent,
    NaN where no child is there."""
    return 1.0 if trace.entropy[0] == 0 else float(trace.entropy[-1] / trace.entropy[0])


def _none(names: list[str], why: str) -> dict[str, list[Reading]]:
    return {"": [Reading(quantity=q, value=math.nan, note=why) for q in names]}


def cost(context: Context) -> Passes:
    """One forward pass of 64 inputs, and every routed layer once more."""
    return Passes(forward=2 * min(FEW, context.n) / context.n)


def finding(result: Any) -> Finding | None:
    """Entropy and agreement next to those of the untrained networks."""
    found = {r.quantity: r for r in result.rows if r.checkpoint == result.checkpoints[-1] and not math.isnan(r.value)}
    if "entropy" not in found:
        return None
    text = (
        f"After routing, the coupling of a capsule has {found['entropy'].said()} of the entropy of uniform "
        f"coupling, and votes agree with their parents by a cosine of {found['agreement'].said()}"
    )
    return Finding(text=f"{text}.", quantity="entropy", weight=1.2)


CAPSULE_ROUTING = Instrument(
    name="capsule_routing",
    title="Capsule routing",
    question="Do capsules choose among their parents, and do their votes agree?",
    source="Sabour, Frosst & Hinton 2017; Hinton, Sabour & Frosst 2018",
    formula="H(c) / H(uniform)",
    quantities=(
        Quantity(
            name="entropy",
            title="Entropy of the coupling",
            about="over that of uniform coupling: 1 routes nothing, 0 chooses one parent",
            ends=(0.0, 1.0),
        ),
        Quantity(
            name="agreement",
            title="Agreement",
            about="cosine of vote and parent, weighted by coupling",
            ends=(-1.0, 1.0),
        ),
        Quantity(
            name="dead_parents",
            title="Dead parents",
            about="fraction of parent types with under a hundredth of an equal share",
            ends=(0.0, 1.0),
        ),
    ),
    limits=(
        "Means over 64 inputs and over the routed layers; the note names each layer, "
        "`deeptheory.capsules.trace_routing` shows every iteration.",
        "Only this package's routed layers are seen.",
    ),
    run=run,
    cost=cost,
    finding=finding,
    default=False,
)
