"""Information in a network whose layers add Gaussian noise: sample propagation.

Source: Goldfeld et al. 2019, section 4. T_l = S_l + Z_l, Z_l ~ N(0, sigma^2 I), S_l = f_l(T_{l-1}); the noise is part
of the network, in training and afterwards, so that I(X;T_l) is finite and a property of the network alone.
Samples are propagated up to S_l; the densities of T_l and of T_l given x are then mixtures of Gaussians around them, and
I(X;T_l) = E log p(t|x) / p(t) is taken by Monte Carlo at points of the mixture.
Traps: the mixture of few samples is too concentrated, which makes both entropies too small (the risk is of order
c^d / sqrt(n), and exponential growth with the dimension d cannot be avoided). Leaving each point's own sample out makes
them too large in expectation; both together bracket the truth, and the bracket is part of the interval.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.information.entering import as_activations, as_p_y_given_x
from deeptheory.information.mixtures import log_densities
from deeptheory.results import Estimate

METHOD = "sample propagation"
_Z = 1.959963984540054  # 97.5 % point of the normal distribution


def propagated_information(s, sigma: float, targets=None, *, repeats: int, evaluations: int, seed: int = 0):
    """The read-out of one layer: {name: [seed]} in bits from samples of S, [seed, repeats * inputs, unit].

    Rows stand in `repeats` blocks of the same inputs, each propagated with fresh noise below; one block is enough for the
    first layer, whose S is a function of x. targets: labels or p(y|x) of these rows, or None. i_x: the estimate; i_x_low,
    i_x_high: 95 % interval, with the bracket where repeats > 1; i_y: I(T;Y); evaluations: points of the Monte Carlo.
    InputError: rows that are no whole blocks, sigma not above 0, fewer than two evaluations.
    """
    a = as_activations(s).astype(np.float32)
    inputs, rest = divmod(a.shape[1], max(repeats, 1))
    if repeats < 1 or rest or inputs < 2:
        raise InputError(f"{a.shape[1]} rows in {repeats} blocks; needed: whole blocks of the same inputs, two or more")
    check_sigma(sigma)
    if evaluations < 2:
        raise InputError(f"evaluations is {evaluations}; the Monte Carlo needs 2 points or more")
    p_y = None if targets is None else as_p_y_given_x(targets, a.shape[1])[:inputs]
    rows = [_one(part, sigma, p_y, inputs, evaluations, [seed, k]) for k, part in enumerate(a)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def noisy_network_information(
    layers: Sequence[Callable], x: Any, sigma: float, *, repeats: int = 16, evaluations: int = 2000, seed: int = 0
) -> tuple[Estimate, ...]:
    """I(X;T_l) of every layer of a network that adds noise N(0, sigma^2) after each, X uniform over the rows of x.

    layers: callables, each from T_{l-1} to S_l as tensors (modules, or pieces of a network between its nonlinearities);
    x: [n, ...]. Sample propagation (Goldfeld et al. 2019) with `repeats` noisy passes of each input. The interval holds
    the Monte Carlo error and, for layers after the first, the bracket between entropies with and without each point's
    own sample. InputError: no layer, sigma not above 0, activations that are not finite.
    """
    if not layers:
        raise InputError("no layers; give the functions from each layer to the next")
    check_sigma(sigma)
    samples = propagate(layers, x, sigma, repeats, seed)
    out = []
    for k, s in enumerate(samples):
        got = propagated_information(
            s[None], sigma, repeats=1 if k == 0 else repeats, evaluations=evaluations, seed=seed
        )
        value, low, high = (float(got[name][0]) for name in ("i_x", "i_x_low", "i_x_high"))
        notes = [
            f"{s.shape[1]} units, noise {sigma:g}, {repeats if k else 1} passes of {len(s) // (repeats if k else 1)} inputs"
        ]
        if high - low > 0.5:
            notes.append("the bracket is wide: more repeats, or fewer units, are needed for this layer")
        out.append(Estimate(value=value, low=low, high=high, method=METHOD, notes=tuple(notes)))
    return tuple(out)


def propagate(layers: Sequence[Callable], x: Any, sigma: float, repeats: int, seed: int) -> list[np.ndarray]:
    """Samples of S_l by layer, [repeats * n, unit] in blocks (the first layer: [n, unit]), noise from `seed`."""
    import torch

    from deeptheory.arrays import as_tensor

    x = as_tensor(x)
    generator = torch.Generator(device=x.device).manual_seed(seed)
    out = []
    with torch.no_grad():
        t = x
        for k, layer in enumerate(layers):
            s = layer(t)
            out.append(as_numpy(s).reshape(len(s), -1))
            if k == 0:
                s = s.repeat(repeats, *[1] * (s.ndim - 1))
            t = s + sigma * torch.randn(s.shape, generator=generator, device=s.device, dtype=s.dtype)
    return out


def check_sigma(sigma: float) -> None:
    """InputError: sigma is not a finite number above 0."""
    if not (sigma > 0 and math.isfinite(sigma)):
        raise InputError(f"sigma is {sigma}; noise needs a finite standard deviation above 0")


def _one(s: np.ndarray, sigma: float, p_y, inputs: int, evaluations: int, seed: list[int]) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    n, units = s.shape
    repeats = n // inputs
    me = _stratified(n, evaluations, rng)
    points = (s[me] + sigma * rng.standard_normal((len(me), units))).astype(np.float32)
    classes = 0 if p_y is None else p_y.shape[1]
    logs = np.empty((len(me), 4 + classes))
    weights = np.zeros((0, inputs), np.float32) if p_y is None else np.ascontiguousarray(p_y.T, dtype=np.float32)
    log_densities(points, np.ascontiguousarray(s.T), me % inputs, me, inputs, 1 / (2 * sigma**2), weights, logs)
    bits = logs / np.log(2)
    gain = bits[:, 1] - bits[:, 0]
    own = units / 2 * np.log2(2 * np.pi * sigma**2)  # the constant of one Gaussian
    out = {"i_x": float(gain.mean()), "h_t": float(own - bits[:, 0].mean())}
    if p_y is not None:
        out["i_y"] = _label(bits, p_y, me % inputs)
    low, high = gain, gain
    if repeats > 1:
        low, high = bits[:, 3] - bits[:, 0], bits[:, 1] - bits[:, 2]
    out["i_x_low"] = max(0.0, _end(low, -1))
    out["i_x_high"] = min(float(np.log2(inputs)), _end(high, +1))
    out["i_x_low"], out["i_x_high"] = min(out["i_x_low"], out["i_x"]), max(out["i_x_high"], out["i_x"])
    out["occupied"] = 2 ** out["i_x"]
    return out


def _stratified(n: int, evaluations: int, rng: np.random.Generator) -> np.ndarray:
    """Centres to draw points from: every one equally often, up to one."""
    whole, rest = divmod(evaluations, n)
    return np.sort(np.concatenate([np.tile(np.arange(n), whole), rng.choice(n, rest, replace=False)])).astype(np.int64)


def _label(bits: np.ndarray, p_y: np.ndarray, own: np.ndarray) -> float:
    """E log p(t|y) / p(t), the label averaged exactly under p(y|x) of each point."""
    prior = p_y.mean(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = bits[:, 4:] - np.log2(prior) - bits[:, :1]
    return float(np.where(p_y[own] > 0, p_y[own] * gain, 0.0).sum(1).mean())


def _end(values: np.ndarray, sign: int) -> float:
    return float(values.mean() + sign * _Z * values.std(ddof=1) / np.sqrt(len(values)))
