"""Information in a network whose layers add Gaussian noise: sample propagation.

Source: Goldfeld et al. 2019, section 4. T_l = S_l + Z_l, Z_l ~ N(0, sigma^2 I), S_l = f_l(T_{l-1}); the noise is part
of the network, in training and afterwards, so that I(X;T_l) is finite and a property of the network alone.
Samples are propagated up to S_l: some of every input for the density of T_l, many of a few inputs for that of T_l given
x. Both are then mixtures of Gaussians around the samples, and I(X;T_l) = E log p(t|x) / p(t) is taken by Monte Carlo.
Pitfalls: a mixture of few samples is too concentrated, which makes entropies too small (the risk is of order
c^d / sqrt(n), and exponential growth with the dimension d cannot be avoided). Leaving each point's own sample out makes
them too large in expectation; both together bracket the truth, and the bracket is part of the interval.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy, as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.core.shapes import check_finite, check_number, check_whole
from deeptheory.information.entering import as_activations, as_p_y_given_x
from deeptheory.information.mixtures import log_densities

METHOD = "sample propagation"
_FAR = 1e17
_Z = 1.959963984540054  # 97.5 % point of the normal distribution


@dataclass(frozen=True)
class Propagation:
    """Which samples are propagated. blocks: samples of every input, for p(t); None: two, or as many as make 8192
    samples in all, since few inputs are few places to put a density on. chosen: inputs, drawn by seed, for which
    p(t|x) is sampled `repeats` times; all of them where there are no more. draws:
    Monte Carlo points for each chosen input.

    InputError: no integer, a number below 1 (seed: 0), or one chosen input.
    """

    blocks: int | None = None
    chosen: int = 256
    repeats: int = 64
    draws: int = 4
    seed: int = 0

    def __post_init__(self):
        check_whole(chosen=(self.chosen, 2), repeats=(self.repeats, 1), draws=(self.draws, 1), seed=(self.seed, 0))
        if self.blocks is not None:
            check_whole(blocks=(self.blocks, 1))

    def rows(self, inputs: int) -> np.ndarray:
        """Which input stands in which row of the probe: `blocks` times all, then `repeats` times the chosen ones."""
        every = np.arange(inputs)
        return np.concatenate([np.tile(every, self.blocks_of(inputs)), np.tile(self.selected(inputs), self.repeats)])

    def blocks_of(self, inputs: int) -> int:
        """How often every input stands in the probe."""
        return max(2, -(-8192 // inputs)) if self.blocks is None else self.blocks

    def selected(self, inputs: int) -> np.ndarray:
        """The chosen inputs, ascending."""
        if inputs <= self.chosen:
            return np.arange(inputs)
        return np.sort(np.random.default_rng([self.seed, inputs]).choice(inputs, self.chosen, replace=False))


def propagated_information(s, sigma: float, how: Propagation, inputs: int, targets=None) -> dict[str, np.ndarray]:
    """The readout of one layer: {name: [seed]} in bits from samples of S, [seed, row, unit],
    rows as in how.rows(inputs).

    targets: labels or p(y|x) of these rows, or None. i_x: the estimate; i_x_low, i_x_high: 95 % interval over the
    chosen inputs, with the bracket where repeats > 1; i_y: I(T;Y); h_t: differential entropy; occupied = 2^i_x.
    InputError: another number of rows, sigma not above 0.
    """
    a = as_activations(s)
    rows = how.rows(inputs)
    if a.shape[1] != len(rows):
        raise InputError(
            f"{a.shape[1]} rows; {inputs} inputs in {how.blocks_of(inputs)} blocks and the chosen ones {how.repeats} "
            f"times make {len(rows)}"
        )
    check_sigma(sigma)
    a = (
        a.astype(np.float64) - a.mean(1, keepdims=True, dtype=np.float64)
    ) / sigma  # in units of the noise, whatever those of s
    if np.abs(a).max() > _FAR:
        raise InputError(
            f"activations reach {np.abs(a).max():.1g} standard deviations of the noise, whose squares leave float32; "
            "at that distance every input is distinguished: I(X;T) = log2(inputs)"
        )
    p_y = None if targets is None else as_p_y_given_x(targets, a.shape[1])[:inputs]
    found = [_one(part.astype(np.float32), how, inputs, p_y, k) for k, part in enumerate(a)]
    for f in found:
        f["h_t"] += a.shape[2] * math.log2(sigma)
    return {name: np.array([f[name] for f in found]) for name in found[0]}


def noisy_network_information(
    layers: Sequence[Callable],
    x: Any,
    sigma: float,
    *,
    blocks: int | None = None,
    chosen: int = 256,
    repeats: int = 64,
    draws: int = 4,
    seed: int = 0,
) -> tuple[Estimate, ...]:
    """I(X;T_l) of every layer of a network that adds noise N(0, sigma^2) after each, X uniform over the rows of x.

    layers: callables, each from T_{l-1} to S_l as tensors (modules, or pieces of a network between its nonlinearities);
    x: [n, ...]. Modules are evaluated (no dropout, no statistics of batches) in their own dtype, and are left as they
    were. Each Estimate is in bits. Source: Goldfeld et al. 2019. The other arguments: see Propagation. The
    interval holds the Monte Carlo error and, for layers after the first,
    the bracket between entropies with and without each point's own sample.
    InputError: no layer, fewer than two inputs, sigma not above 0, activations that are not finite.
    """
    if not isinstance(layers, Iterable):
        raise InputError(f"layers is a {type(layers).__name__}; needed: a list of functions, one per layer")
    layers = list(layers)
    for k, layer in enumerate(layers):
        if not callable(layer):
            raise InputError(f"layer {k} is a {type(layer).__name__}; needed: a function of tensors")
    if not layers:
        raise InputError("no layers; give the functions from each layer to the next")
    check_sigma(sigma)
    how = Propagation(blocks, chosen, repeats, draws, seed)
    x = as_tensor(x)
    if x.ndim == 0 or len(x) < 2 or x.is_complex():
        raise InputError(f"x has shape {list(x.shape)} of {x.dtype}; needed: [n, ...], n 2 or more, real numbers")
    check_finite(x=x)
    inputs, out = len(x), []
    for s in propagate(layers, x[how.rows(inputs)], sigma, seed):
        got = propagated_information(s[None], sigma, how, inputs)
        value, low, high = (float(got[name][0]) for name in ("i_x", "i_x_low", "i_x_high"))
        notes = [
            f"{s.shape[1]} units, noise {sigma:g}, {inputs} inputs, {repeats} passes of {min(chosen, inputs)} of them"
        ]
        if high - low > 0.5:
            notes.append("the bracket is wide: more repeats, or fewer units, are needed for this layer")
        out.append(Estimate(value=value, low=low, high=high, method=METHOD, notes=tuple(notes)))
    return tuple(out)


def propagate(layers: Sequence[Callable], x: Any, sigma: float, seed: int) -> list[np.ndarray]:
    """Samples of S_l by layer, [n, unit], each row of x with noise of its own from `seed`."""
    import torch

    t = as_tensor(x)  # integers stay integers for the first layer, which may look them up
    generator = torch.Generator(device=t.device).manual_seed(int(seed))
    out = []
    with torch.no_grad(), _evaluating(layers):
        for k, layer in enumerate(layers):
            s = layer(t.to(_dtype_of(layer, t)) if t.is_floating_point() else _numbers(layer, t))
            if not isinstance(s, torch.Tensor) or s.ndim == 0:
                raise InputError(f"layer {k} gave a {type(s).__name__}; needed: a tensor [n, ...]")
            s = real_tensor(f"what layer {k} gave", s)
            out.append(as_numpy(s).reshape(len(s), -1))
            t = s + sigma * torch.randn(s.shape, generator=generator, device=s.device, dtype=s.dtype)
    return out


@contextmanager
def _evaluating(layers: Sequence[Any]) -> Iterator[None]:
    """Modules as in evaluation, each as it was afterwards: dropout would draw from no seed, and statistics of batches
    would move with the probe."""
    modules = [m for layer in layers for m in (layer.modules() if hasattr(layer, "modules") else ())]
    flags = [m.training for m in modules]
    try:
        for m in modules:
            m.training = False
        yield
    finally:
        for m, flag in zip(modules, flags):
            m.training = flag


def _numbers(layer: Any, t: Any) -> Any:
    """Integers as they are, or in the dtype of a first layer that multiplies them."""
    import torch

    first = next((m for m in layer.modules() if not list(m.children())), layer) if hasattr(layer, "modules") else layer
    multiplies = isinstance(first, torch.nn.Linear | torch.nn.modules.conv._ConvNd)
    return t.to(_dtype_of(layer, t)) if multiplies else t


def _dtype_of(layer: Any, t: Any) -> Any:
    """The dtype of a module's first parameter, that of t where it has none."""
    parameters = layer.parameters() if hasattr(layer, "parameters") else ()
    return next((p.dtype for p in parameters if p.is_floating_point()), t.dtype)


def check_sigma(sigma: float) -> None:
    """InputError: sigma is not a finite number above 0."""
    check_number(sigma=sigma)
    if not (sigma > 0 and math.isfinite(sigma)):
        raise InputError(f"sigma is {sigma}; noise needs a finite standard deviation above 0")


def _one(s: np.ndarray, how: Propagation, inputs: int, p_y, network: int) -> dict[str, float]:
    rng = np.random.default_rng([how.seed, network])
    units, selected = s.shape[1], how.selected(inputs)
    m, size = len(selected), how.blocks_of(inputs) * inputs
    centers = np.ascontiguousarray(s[:size].T)
    given = np.ascontiguousarray(s[size:].reshape(how.repeats, m, units).transpose(1, 2, 0))
    which = np.repeat(np.arange(m), how.draws)
    me = rng.integers(0, how.repeats, len(which))
    points = (given[which, :, me] + rng.standard_normal((len(which), units))).astype(np.float32)
    classes = 0 if p_y is None else p_y.shape[1]
    logs = np.empty((len(which), 4 + classes))
    weights = np.zeros((0, inputs), np.float32) if p_y is None else np.ascontiguousarray(p_y.T, dtype=np.float32)
    log_densities(points, centers, given, selected[which], which, me, inputs, 0.5, weights, logs)
    bits = (logs / np.log(2)).reshape(m, how.draws, -1)
    own = units / 2 * np.log2(2 * np.pi)  # the constant of one Gaussian
    gain = bits[..., 1] - bits[..., 0]
    value = float(gain.mean())
    out = {"i_x": value, "h_t": float(own - bits[..., 0].mean()), "occupied": 2**value}
    if p_y is not None:
        out["i_y"] = _label(bits, p_y, selected)
    low, high = gain, gain
    if how.repeats > 1:
        low, high = bits[..., 3] - bits[..., 0], bits[..., 1] - bits[..., 2]
    out["i_x_low"] = min(value, max(0.0, _end(low, -1, inputs, how.repeats)))
    out["i_x_high"] = max(value, min(float(np.log2(inputs)), _end(high, +1, inputs, how.repeats)))
    return out


def _label(bits: np.ndarray, p_y: np.ndarray, selected: np.ndarray) -> float:
    """E log p(t|y) / p(t), the label averaged exactly under p(y|x) of each point; bits [m, draws, 4 + class]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = bits[..., 4:] - np.log2(p_y.mean(0)) - bits[..., :1]
    given = p_y[selected][:, None]
    return float(np.where(given > 0, given * gain, 0.0).sum(-1).mean())


def _end(values: np.ndarray, sign: int, inputs: int, repeats: int) -> float:
    """One end of the 95 % interval of the mean of values [m, draws], m of `inputs` inputs: two-stage sampling
    (Cochran 1977, chapter 10), so that with every input chosen only the noise is left: of the points,
    and of the samples they come from."""
    m, draws = values.shape
    share = m / inputs
    between = (1 - share) * values.mean(1).var(ddof=1) / m
    within = share * values.var(axis=1, ddof=1).mean() / m * (1 / draws + 1 / repeats) if draws > 1 else 0.0
    return float(values.mean() + sign * _Z * np.sqrt(between + within))
