"""What somebody's network costs: neurons, synapses, weights and the bits that they span, layer by layer."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas
    from torch import nn

COLUMNS = ("layer", "kind", "in", "out", "synapses", "weights", "density", "largest", "smallest", "bits")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cost(Result):
    """What a network costs: neurons, synapses, weights and the bits that they span.

    rows: one per weight tensor, with the columns of .table(). neurons: outputs of all Linear, convolution and recurrent
    layers but the last. synapses: weights that are not 0.
    weights: all of them, biases and the scales of normalizations apart. biases: how many of those. weights + biases are
    all parameters, each once. bits: log2 of largest over smallest weight that is not 0, the most of any row: so many
    bits a fixed-point number needs to hold it, one more than the logarithm. notes: what is counted as a weight without
    neurons.
    """

    rows: tuple[dict[str, Any], ...]
    neurons: int
    synapses: int
    weights: int
    biases: int
    bits: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Cost({self.neurons} neurons, {self.synapses} synapses of {self.weights} weights, {len(self.rows)} layers)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per weight tensor: layer, kind, in, out, synapses, weights, density, largest, smallest, bits.

        synapses: weights that are not 0; density: their fraction; largest, smallest: of their absolute values; bits: 1
        + log2 of the ratio, rounded up.
        """
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(COLUMNS))


def cost(module: "nn.Module") -> Cost:
    """Neurons, synapses and bits of any network, in the order of its modules: every parameter is counted, once.

    An exported program (torch.export) counts too. A convolution's units are its channels; layers between which there is
    no activation count as layers all the same. Embeddings, attention's projections and parameters of a module of its
    own are weights; their units are no neurons, and a note says so. A network that says its own `neurons` (as compiled
    ones do) is believed. InputError: no torch module, a lazy layer without a size, no weights.
    """
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InputError(f"a {type(module).__name__} was given; needed: a torch module")
    unmade = [k for k, p in module.named_parameters() if isinstance(p, torch.nn.parameter.UninitializedParameter)]
    if unmade:
        raise InputError(f"{unmade[0]} has no size yet (a lazy layer); call the network once first")
    if hasattr(module, "graph") and not any(_kind(m) for m in module.modules()):
        return _of_graph(module)
    rows, units, other, biases = [], [], [], 0
    seen: set[int] = set()
    m: Any
    for name, m in module.named_modules():
        own = [(k, p) for k, p in m.named_parameters(recurse=False) if id(p) not in seen]
        seen.update(id(p) for _, p in own)
        kind = _kind(m)
        for k, p in own:
            if "bias" in k or "Norm" in type(m).__name__:
                biases += p.numel()
                continue
            layer = name or "network"
            rows.append(_row(layer if k == "weight" else f"{layer}.{k}", m, p))
            if not kind:
                other.append(layer if k == "weight" else f"{layer}.{k}")
        if kind:  # tied and reparametrized weights are another module's; the units are this one's
            units.append(m.hidden_size * m.num_layers * (1 + m.bidirectional) if kind == "recurrent" else _outputs(m))
    if not rows:
        raise InputError(f"{type(module).__name__} has no layer with weights (Linear or convolution); nothing to count")
    hidden = getattr(module, "neurons", None)
    return _cost(rows, int(hidden) if hidden is not None else sum(units[:-1]), biases, other)


def _outputs(m: Any) -> int:
    """Units of a linear layer or a convolution (its channels)."""
    return m.out_features if hasattr(m, "out_features") else m.out_channels


def _cost(rows: list[dict[str, Any]], neurons: int, biases: int, other: list[str]) -> Cost:
    synapses, weights = (sum(r[k] for r in rows) for k in ("synapses", "weights"))
    shown = ", ".join(other[:4]) + (f" and {len(other) - 4} more" if len(other) > 4 else "")
    notes = (f"weights without neurons of their own: {shown}",) if other else ()
    return Cost(
        rows=tuple(rows),
        neurons=neurons,
        synapses=synapses,
        weights=weights,
        biases=biases,
        bits=max(r["bits"] for r in rows),
        notes=notes,
    )


def _kind(m: Any) -> str:
    """What has units: "layer", "recurrent", or ""."""
    from torch import nn

    layers = (
        nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Bilinear, nn.ConvTranspose1d, nn.ConvTranspose2d,
        nn.ConvTranspose3d,
    )  # fmt: skip
    return "layer" if isinstance(m, layers) else "recurrent" if isinstance(m, nn.RNNBase) else ""


def _of_graph(module: Any) -> Cost:
    """An exported program: its linear nodes; those that feed another one or the output hold no neuron."""
    rows, neurons, biases = [], 0, 0
    values = dict(module.named_parameters()) | dict(module.named_buffers())
    made = [n for n in module.graph.nodes if n.op == "call_function" and "linear" in str(n.target)]
    for node in made:
        weight, *bias = (values[str(a.target)] for a in node.args[1:])
        out, into = weight.shape
        rows.append(
            {"layer": str(node.args[1].target).removesuffix(".weight"), "kind": "linear", "in": into, "out": out}
            | _weights(weight)
        )
        biases += sum(b.numel() for b in bias)
        if any(user not in made and user.op == "call_function" for user in node.users):
            neurons += out
    if not rows:
        raise InputError("the exported program holds no linear map; nothing to count")
    named = {id(values[str(a.target)]) for node in made for a in node.args[1:]}
    rest = [(k, p) for k, p in module.named_parameters() if id(p) not in named]
    for k, p in rest:
        if "bias" in k or p.ndim < 2:
            biases += p.numel()
        else:
            rows.append({"layer": k, "kind": "parameter", "in": p[0].numel(), "out": len(p)} | _weights(p))
    return _cost(rows, neurons, biases, [k for k, p in rest if "bias" not in k and p.ndim > 1])


def _row(name: str, module: Any, weight: Any) -> dict[str, Any]:
    out = weight.shape[0] if weight.ndim else 1
    into = weight[0].numel() if weight.ndim > 1 else 1
    return {
        "layer": name,
        "kind": type(module).__name__,
        "in": getattr(module, "in_features", None)
        or getattr(module, "in_channels", None)
        or getattr(module, "in1_features", None)
        or into,
        "out": getattr(module, "out_features", None) or getattr(module, "out_channels", None) or out,
    } | _weights(weight)


def _weights(weight: Any) -> dict[str, Any]:
    size = weight.detach().abs().double().flatten()
    alive = size[size > 0]
    ends = (float(alive.max()), float(alive.min())) if alive.numel() else (0.0, 0.0)
    return {
        "synapses": int(alive.numel()),
        "weights": int(size.numel()),
        "density": alive.numel() / max(size.numel(), 1),
        "largest": ends[0],
        "smallest": ends[1],
        "bits": math.ceil(math.log2(ends[0] / ends[1])) + 1 if alive.numel() else 0,
    }
