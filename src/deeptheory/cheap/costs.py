"""What somebody's network costs: neurons, synapses, weights and the bits that they span, layer by layer."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deeptheory.errors import InputError
from deeptheory.results import Result

if TYPE_CHECKING:
    import pandas
    from torch import nn

COLUMNS = ("layer", "kind", "in", "out", "synapses", "weights", "density", "largest", "smallest", "bits")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Cost(Result):
    """rows: one a layer with weights. neurons: outputs of all such layers but the last. synapses: weights that are not 0.

    weights: all of them, biases apart. biases: how many. bits: log2 of largest over smallest weight that is not 0, the
    most of any layer: so many bits a fixed-point number needs to hold that layer.
    """

    rows: tuple[dict[str, Any], ...]
    neurons: int
    synapses: int
    weights: int
    biases: int
    bits: int

    def __repr__(self) -> str:
        return (
            f"Cost({self.neurons} neurons, {self.synapses} synapses of {self.weights} weights, {len(self.rows)} layers)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row a layer: synapses are weights that are not 0; bits are log2 of the largest over the smallest of them."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(COLUMNS))


def cost(module: "nn.Module") -> Cost:
    """Neurons, synapses and bits of any network of Linear and convolution layers, in the order of its modules.

    An exported program (torch.export) counts too. A convolution's units are its channels, and shared weights are counted once. Layers between which there is no
    activation count as layers all the same. InputError: no layer with weights.
    """
    from torch import nn

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Bilinear, nn.ConvTranspose1d, nn.ConvTranspose2d)
    found = [(name or "network", m) for name, m in module.named_modules() if isinstance(m, kinds)]
    if not found and hasattr(module, "graph"):
        return _of_graph(module)
    if not found:
        raise InputError(f"{type(module).__name__} has no layer with weights (Linear or convolution); nothing to count")
    rows = tuple(_row(name, m) for name, m in found)
    hidden = getattr(module, "neurons", None)
    return Cost(
        rows=rows,
        neurons=int(hidden) if hidden is not None else sum(r["out"] for r in rows[:-1]),
        synapses=sum(r["synapses"] for r in rows),
        weights=sum(r["weights"] for r in rows),
        biases=sum(m.bias.numel() for _, m in found if m.bias is not None),
        bits=max(r["bits"] for r in rows),
    )


def _of_graph(module: Any) -> Cost:
    """An exported program: its linear nodes; those that feed another one or the output hold no neuron."""
    rows, neurons, biases = [], 0, 0
    values = dict(module.named_parameters()) | dict(module.named_buffers())
    made = [n for n in module.graph.nodes if n.op == "call_function" and "linear" in str(n.target)]
    for node in made:
        weight, *bias = (values[str(a.target)] for a in node.args[1:])
        out, into = weight.shape
        rows.append({"layer": str(node.args[1].target).removesuffix(".weight"), "kind": "linear", "in": into, "out": out} | _weights(weight))  # fmt: skip
        biases += sum(b.numel() for b in bias)
        if any(user not in made and user.op == "call_function" for user in node.users):
            neurons += out
    if not rows:
        raise InputError("the exported program holds no linear map; nothing to count")
    synapses, weights = (sum(r[k] for r in rows) for k in ("synapses", "weights"))
    return Cost(rows=tuple(rows), neurons=neurons, synapses=synapses, weights=weights, biases=biases, bits=max(r["bits"] for r in rows))  # fmt: skip


def _row(name: str, module: Any) -> dict[str, Any]:
    return {
        "layer": name,
        "kind": type(module).__name__,
        "in": getattr(module, "in_features", None) or getattr(module, "in_channels", None) or module.in1_features,
        "out": getattr(module, "out_features", None) or module.out_channels,
    } | _weights(module.weight)


def _weights(weight: Any) -> dict[str, Any]:
    size = weight.detach().abs().double()
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
