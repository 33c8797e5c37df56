"""The one-neuron model: x ~ N(0, 1), h = f(w x), T = bin(h); I(X;T) = H(T) exactly.

Source: Saxe et al. 2018, section 2. tanh with fixed bins rises and falls to 1 bit as w grows, because both ends
saturate; ReLU keeps half of its mass at zero and spreads the rest without bound.
"""

from collections.abc import Callable

import numpy as np

from deeptheory.errors import InputError
from deeptheory.names import pick


def _inverse_relu(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0, -np.inf, v)  # at and above 0 the inverse is itself; all below 0 maps to 0


_INVERSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": lambda v: np.arctanh(np.clip(v, -1, 1)),
    "sigmoid": lambda v: np.log(np.clip(v, 0, 1)) - np.log1p(-np.clip(v, 0, 1)),
    "softsign": lambda v: v / np.maximum(1 - np.abs(v), 0),
    "linear": lambda v: v,
    "relu": _inverse_relu,
}


def one_neuron_information(w, edges, activation: str = "tanh") -> np.ndarray:
    """I(X;T) in bits of one binned neuron, exact from the normal distribution function; shape of w, float64.

    w: weights, above 0. edges: ascending; cells are closed on the right, and mass outside joins the end cells.
    InputError: w not above 0, edges not ascending, an unknown activation.
    """
    from scipy.special import ndtr

    w, edges = np.asarray(w, dtype=np.float64), np.asarray(edges, dtype=np.float64)
    if not (w > 0).all():
        raise InputError(f"w is {w}; the model takes weights above 0")
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"edges must ascend and be two or more; seen {edges[:4]}")
    inverse = pick(_INVERSES, activation, what="activation")
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = inverse(edges[1:-1])  # the outer cells take all that lies beyond
        below = ndtr(inner / w[..., None])
    ends = np.zeros((*w.shape, 1))
    p = np.diff(np.concatenate([ends, below, ends + 1], axis=-1), axis=-1)
    return -(p * np.log2(np.where(p > 0, p, 1))).sum(-1)
