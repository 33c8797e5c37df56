"""What the other two tabs draw: one neuron's exact information against its weight, and the product gate's error
against its scale.

Sources: Saxe et al. 2018, section 2, and Goldfeld et al. 2019, section 3 (one neuron); Lin, Tegmark & Rolnick 2017,
equation 11 (the gate; that rounding grows as the scale falls is ours)."""

from typing import Any, cast

import numpy as np

WEIGHTS = np.geomspace(0.1, 1000, 121)
NEURON_ACTIVATIONS = ("tanh", "relu", "softplus", "linear")
NEURON_BINS = (10, 30, 100)
NEURON_SIGMAS = (0.01, 0.05, 0.2)
POINTS = (-3.0, -1.0, 1.0, 3.0)  # the inputs of the noisy neuron
GATE_ACTIVATIONS = ("silu", "gelu", "softplus", "tanh", "sigmoid", "exp")
GATE_DTYPES = ("float32", "float64")
SCALES = 2.0 ** np.arange(-24, 2.5, 0.5)
_REACH = (
    8  # standard deviations of the input that cells of an unbounded unit cover; the end cells take what lies beyond
)
_GRID = 41  # inputs on each side of the square where the gate is tried


def neuron_table() -> dict[str, Any]:
    """I(X;T) in bits by activation and readout, one number per weight, rounded to four decimals."""
    looks = [*(f"bins-{n}" for n in NEURON_BINS), *(f"noise-{s}" for s in NEURON_SIGMAS)]
    bits = {
        a: {look: [round(neuron_bits(w, a, look), 4) for w in WEIGHTS] for look in looks} for a in NEURON_ACTIVATIONS
    }
    return {"w": [_short(w) for w in WEIGHTS], "points": POINTS, "bits": bits}


def neuron_bits(w: float, activation: str, look: str) -> float:
    """I(X;T) in bits of one unit at one weight, exact.

    look: "bins-N" (x normal with variance 1, T = bin(f(w x)), N equal cells over [-1, 1] for tanh, and cells of the
    same width as far as values reach for the others) or "noise-S" (x one of POINTS, T = f(w x) + N(0, S^2)).
    """
    from deeptheory.information import noisy_neuron_information, one_neuron_information

    kind, size = look.split("-")
    if kind == "noise":
        return float(noisy_neuron_information(w, POINTS, float(size), activation=cast(Any, activation)))
    n = int(size)
    edges = np.linspace(-1, 1, n + 1) if activation == "tanh" else _cells(2 / n, _REACH * w)
    return float(one_neuron_information(w, edges, cast(Any, activation)))


def gate_table() -> dict[str, Any]:
    """By activation and dtype, per scale: the certificate's truncation and rounding, and the largest error found on a
    grid of inputs; auto: the scale that the package would choose; neurons, bias."""
    import torch

    from deeptheory.cheap import product_gate

    out: dict[str, dict[str, Any]] = {}
    for activation in GATE_ACTIVATIONS:
        for name in GATE_DTYPES:
            dtype = getattr(torch, name)
            gates = [product_gate(activation, float(scale), dtype) for scale in SCALES]
            chosen = product_gate(activation, dtype=dtype)
            out.setdefault(activation, {})[name] = {
                "truncation": [_short(g.certificate.truncation) for g in gates],
                "rounding": [_short(g.certificate.rounding) for g in gates],
                "found": [_short(_largest_error(g, dtype)) for g in gates],
                "auto": chosen.scale[0],
                "total": _short(chosen.certificate.total),
                "bias": chosen.bias,
                "neurons": chosen.neurons,
            }
    return {"scale": [_short(s) for s in SCALES], "gates": out}


def _largest_error(gate: Any, dtype: Any) -> float:
    import torch

    u = torch.linspace(-1, 1, _GRID, dtype=dtype)
    x = torch.cartesian_prod(u, u)
    with torch.no_grad():
        found = gate(x)[:, 0].double()
    return float((found - x[:, 0].double() * x[:, 1].double()).abs().max())


def _cells(width: float, reach: float) -> np.ndarray:
    """Edges of cells of that width, one of them at 0, as far as the reach on both sides and at least as far as one
    cell."""
    n = max(1, int(np.ceil(reach / width)))
    return width * np.arange(-n, n + 1)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
