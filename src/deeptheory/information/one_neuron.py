"""One neuron: the smallest model in which I(X;T) rises and falls.

Binned: x ~ N(0, 1), h = f(w x), T = bin(h); I(X;T) = H(T) exactly (Saxe et al. 2018, section 2). tanh with fixed bins
rises and falls to 1 bit as w grows, because both ends saturate; ReLU keeps half of its mass at zero and spreads the
rest without bound. Noisy: x one of a few points, T = f(w x + b) + N(0, sigma^2), a channel whose inputs merge as the
unit saturates (Goldfeld et al. 2019, section 3); one integral.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_real, finite_floats


def _inverse_relu(v: np.ndarray) -> np.ndarray:
    return np.where(v < 0, -np.inf, v)  # at and above 0 the inverse is itself; all below 0 maps to 0


Activation = Literal["tanh", "sigmoid", "softsign", "softplus", "linear", "relu"]
_INVERSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": lambda v: np.arctanh(np.clip(v, -1, 1)),
    "sigmoid": lambda v: np.log(np.clip(v, 0, 1)) - np.log1p(-np.clip(v, 0, 1)),
    "softsign": lambda v: v / np.maximum(1 - np.abs(v), 0),
    "softplus": lambda v: np.where(v > 0, v + np.log(-np.expm1(-np.maximum(v, 1e-300))), -np.inf),
    "linear": lambda v: v,
    "relu": _inverse_relu,
}
_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "softplus": lambda z: np.logaddexp(0, z),
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
}


def one_neuron_information(weight, edges, activation: Activation = "tanh") -> np.ndarray:
    """I(X;T) = H(T) in bits of one binned neuron T = bin(f(weight x)), x ~ N(0, 1); shape of weight, float64.

    Exact, from the normal distribution function (Saxe et al. 2018, section 2). weight: [...], above 0. edges:
    [cells + 1], ascending; cells are closed on the right, and mass outside joins the end cells. activation: f.
    InputError: weight not above 0 or not finite, edges not ascending or fewer than two, an unknown activation.
    """
    from scipy.special import ndtr

    weight, edges = finite_floats("weight", weight), finite_floats("edges", edges)
    if not (weight > 0).all():
        raise InputError(f"weight is {weight}; the model takes weights above 0")
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"edges must ascend and be two or more; seen {edges.ravel()[:4]}")
    inverse = pick(_INVERSES, activation, what="activation")
    with np.errstate(divide="ignore", invalid="ignore"):
        inner = inverse(edges[1:-1])  # the outer cells take all that lies beyond
        below = ndtr(inner / weight[..., None])
    ends = np.zeros((*weight.shape, 1))
    p = np.diff(np.concatenate([ends, below, ends + 1], axis=-1), axis=-1)
    return -(p * np.log2(np.where(p > 0, p, 1))).sum(-1)


def noisy_neuron_information(
    weight, points, sigma: float, *, bias: float = 0.0, activation: Activation = "tanh"
) -> np.ndarray:
    """I(X;T) in bits of T = f(weight x + bias) + N(0, sigma^2), x uniform over the points; shape of weight, float64.

    weight: [...]; points: [n], equal ones count as often as they occur. activation: f. The entropy of the mixture by
    the trapezium rule on a grid of sigma / 16 (error below 1e-10, the integrand being smooth and falling off at both
    ends). Source: Goldfeld et al. 2019, section 3. InputError: sigma not above 0, no points, values that are not
    finite, also by sigma, an unknown activation.
    """
    weight, x = finite_floats("weight", weight), finite_floats("points", points)
    check_real(bias=(bias, -np.inf), sigma=(sigma, -np.inf))
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; without noise I(X;T) is the entropy of the points, whatever weight is")
    if x.ndim != 1 or not len(x):
        raise InputError(f"points have shape {list(x.shape)}; needed: [n], one or more")
    f = pick(_FUNCTIONS, activation, what="activation")
    out = np.empty(weight.shape)
    for at in np.ndindex(weight.shape):
        with np.errstate(over="ignore"):
            centers = f(weight[at] * x + bias) / sigma
        if not np.isfinite(centers).all():
            raise InputError(f"f(weight x + bias) / sigma leaves float64 at sigma {sigma}; raise sigma")
        out[at] = _mixture_information(np.sort(centers))
    return out


def _mixture_information(centers: np.ndarray) -> float:
    """h of an even mixture of N(c, 1) less h of one of them, in bits; grids of neighboring clusters are joined."""
    step, reach, total = 1 / 16, 9.0, 0.0
    wide = int(2 * reach / step) + 2  # numbers of the grid within reach
    cuts = np.flatnonzero(np.diff(centers) > 2 * reach) + 1
    for part in np.split(centers, cuts):
        part = part - part[0]  # far from 0 a grid of 1 / 16 has no digits left
        t = np.arange(part[0] - reach, part[-1] + reach, step)
        p = np.zeros_like(t)
        starts = np.maximum(((part - part[0]) / step).astype(np.int64), 0)
        for c, at in zip(part, starts):  # beyond its reach a density is below 1e-18
            near = slice(at, at + wide)
            p[near] += np.exp(-((t[near] - c) ** 2) / 2)
        p /= np.sqrt(2 * np.pi) * len(centers)
        total -= (p * np.log2(np.where(p > 0, p, 1))).sum() * step
    return float(total - 0.5 * np.log2(2 * np.pi * np.e))
