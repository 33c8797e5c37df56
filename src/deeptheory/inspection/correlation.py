"""Correlation: do two inputs come closer or move apart from layer to layer?

Source: Poole et al. 2016 and Schoenholz et al. 2017: in a wide random network the correlation of two inputs
follows a map with a fixed point; below 1 the network is chaotic, at 1 ordered. The map of a multilayer perceptron at
its own weight and bias variances is given as a reference. ReLU and its relatives in closed form (Cho & Saul 2009),
others by Gauss-Hermite quadrature.
Pitfall: the map is about infinite width and independent Gaussian weights: trained weights leave it,
and so do narrow layers.
"""

import copy
import math
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.shapes import check_finite, check_number, check_shapes
from deeptheory.core.statistics import mean_interval
from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading
from deeptheory.inspection.rows import FEW, Places, chosen_rows, generator_of

_NODES = 48
_ENTRIES = 16_384  # of a layer's values per input
_PAIRED = 4096  # inputs up to which each pair has its cosine; beyond, the sum of all is taken
_SLOPES: dict[type, Callable[[Any], float]] = {  # max(z, 0) + slope min(z, 0)
    nn.ReLU: lambda module: 0.0,
    nn.LeakyReLU: lambda module: float(module.negative_slope),
}
_SMOOTH = (nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ELU, nn.SELU, nn.Softplus, nn.Mish, nn.Softsign, nn.CELU)
_PASSED = (nn.Identity, nn.Flatten, nn.Dropout)


def mean_correlation(features: Any) -> float:
    """Mean cosine between the activations of all n (n - 1) / 2 pairs of inputs, in [-1, 1].

    The correlation of Poole et al. 2016, nothing is centered. features: [n, d], computed in float64.
    InputError: other shapes, fewer than 2 inputs, NaN or infinity, an input of zeros.
    """
    x = as_floats(features)
    check_shapes(features=(x, "n d"))
    check_finite(features=x)
    if len(x) < 2 or not np.abs(x).any(axis=1).all():
        raise InputError(
            f"features hold {len(x)} inputs, {int((~np.abs(x).any(axis=1)).sum())} of them zeros; needed: "
            "two or more that are not"
        )
    x = x / np.abs(x).max(axis=1, keepdims=True)
    if len(x) > _PAIRED:  # the sum over all pairs is the squared length of the sum of unit vectors
        total = (x / np.linalg.norm(x, axis=1, keepdims=True)).sum(0)
        return float(np.clip((total @ total - len(x)) / (len(x) * (len(x) - 1)), -1, 1))
    return float(_cosines(torch.as_tensor(x @ x.T)).sum() / (len(x) * (len(x) - 1)))


def mean_field_kernel(
    kernel: Any, activation: Any, *, weight_variance: float = 1.0, bias_variance: float = 0.0
) -> np.ndarray:
    """One layer of the mean-field map: the second moments of activations of n inputs from those of the layer before.

    kernel: [n, n], entry ij the mean over units of h_i h_j; returns the same of this layer, [n, n] float64.
    weight_variance: sigma_w^2, fan-in times the variance of a weight; bias_variance: sigma_b^2.
    Poole et al. 2016, eqs. 3 and 5: q = sigma_w^2 K + sigma_b^2, then E phi(z_i) phi(z_j) of Gaussian z with
    covariance q. activation: phi, a pointwise torch module, or None for a linear layer (q itself). ReLU and LeakyReLU
    (Cho & Saul 2009) are in closed form; others by Gauss-Hermite quadrature with 48 nodes per variable, which suits
    smooth ones: kinks (Hardtanh) cost up to some per cent, and so does what large squares make of a smooth one (of tanh
    up to 1e-7 at q of 1, 1 % at 16, 6 % at 100, 13 % at 10,000).
    InputError: another shape, NaN, a kernel that is not symmetric, has negative squares or an entry beyond
    sqrt(K_ii K_jj), a variance that is negative or not finite, squares beyond float64, an activation that is no module,
    not pointwise, random, or not finite.
    """
    k = as_floats(kernel)
    check_shapes(kernel=(k, "n n"))
    check_finite(kernel=k)
    check_number(weight_variance=weight_variance, bias_variance=bias_variance)
    if not (0 <= weight_variance < math.inf and 0 <= bias_variance < math.inf):
        raise InputError(
            f"weight_variance is {weight_variance}, bias_variance is {bias_variance}; needed: finite, not negative"
        )
    if isinstance(activation, type) or (activation is not None and not callable(activation)):
        raise InputError(f"activation is {activation!r}; needed: a torch module such as nn.Tanh(), or None")
    size = np.sqrt(np.maximum(np.diag(k), 0))
    if (np.abs(k - k.T) > 1e-9 * np.maximum(np.abs(k), size[:, None] * size)).any() or (np.diag(k) < 0).any():
        raise InputError("kernel is not symmetric, or has negative squares on its diagonal")
    if (np.abs(k) > size[:, None] * size * (1 + 1e-6)).any():
        raise InputError("kernel has an entry beyond the root of its two squares; it is the Gram matrix of no inputs")
    with np.errstate(over="ignore"):
        q = weight_variance * k + bias_variance
        if not np.isfinite(q).all():
            raise InputError("the kernel times weight_variance is beyond the largest float64; give it in another unit")
    return _through(q, activation)


def _through(q: np.ndarray, activation: Any) -> np.ndarray:
    """E phi(z_i) phi(z_j) for every pair."""
    if activation is None:
        return q
    size = np.sqrt(np.diag(q))
    product = size[:, None] * size
    c = np.clip(np.divide(q, product, out=np.ones_like(q), where=product > 0), -1, 1)
    slope = _SLOPES.get(type(activation))
    if slope is not None:
        s = slope(activation)
        odd, even = (1 + s) / 2, (1 - s) / 2  # phi = odd z + even |z|
        return product * (odd**2 * c + even**2 * 2 / np.pi * (np.sqrt(1 - c**2) + c * np.arcsin(c)))
    activation = _pointwise(activation)
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    first = _apply(activation, size[:, None] * nodes)  # [n, nodes]
    out = np.empty_like(q)
    for i, row in enumerate(c):
        apart = np.sqrt(1 - row**2)
        second = size[:, None, None] * (row[:, None, None] * nodes[:, None] + apart[:, None, None] * nodes)
        out[i] = (_apply(activation, second) @ weights) @ (
            weights * first[i]
        )  # inner over the part that is independent
    if not np.isfinite(out).all():
        raise InputError("activation gives values that are not finite at these squares; it has no second moments")
    return (out + out.T) / 2


def _pointwise(activation: Any) -> Any:
    """A module in float64 and eval mode. InputError: a value depends on the others, on chance, or there is none."""
    z = np.linspace(-2.5, 2.5, 64)
    try:
        if isinstance(activation, nn.Module):
            activation = copy.deepcopy(activation).double().cpu().eval()
        whole, parts = _apply(activation, z), [_apply(activation, part) for part in (z[:24], z[24:])]
        same = whole.shape == z.shape and np.allclose(whole, np.concatenate(parts), 1e-12, 0, equal_nan=True)
    except Exception as error:  # whatever is called may raise
        raise InputError(
            f"activation does not take float64 values ({str(error).splitlines()[0] if str(error) else error!r}); "
            "needed: a pointwise torch module"
        ) from error
    if not same:
        raise InputError("activation is not pointwise, or random: a value depends on which others come with it")
    return activation


def _apply(activation: Any, z: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return np.asarray(activation(torch.as_tensor(z, dtype=torch.float64)))


def _cosines(gram: Tensor) -> Tensor:
    """Cosines [n, n] from inner products; 0 on the diagonal, NaN where an input's activations are zeros."""
    size = gram.diagonal().sqrt()
    out = (gram / (size[:, None] * size)).clamp(-1, 1)
    return out.fill_diagonal_(0)


class _Stream:
    """Activations, at all positions, of 64 inputs of the probe; only their inner products are held once all are
    there."""

    def __init__(self, layer: Layer, context: Context):
        self._layer, self._context = layer, context
        self._rows = chosen_rows(context)
        self._places = Places(self._rows, context.n)
        self._columns: Tensor | None = None  # which values of a large map are taken
        self._part = ""
        self._seen: list[tuple[Tensor, Tensor]] = []
        self._left = len(self._rows)
        self._gram: Tensor | None = None

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        mine, at = self._places.of(batch.rows)
        if len(at):
            x = batch.whole[mine.to(batch.whole.device)].flatten(1)
            if x.shape[1] > _ENTRIES:
                if self._columns is None:
                    generator = generator_of(self._context.seed + 1 + self._layer.index)
                    self._columns = torch.randperm(x.shape[1], generator=generator)[:_ENTRIES].sort().values
                    self._part = f"{_ENTRIES} of {x.shape[1]} values of a map, drawn from the seed"
                x = x[:, self._columns.to(x.device)]
            self._seen.append((at, x.clone()))
            self._left -= len(at)
        if self._left == 0 and self._gram is None:
            order = torch.argsort(torch.cat([a for a, _ in self._seen]))
            x = torch.cat([v for _, v in self._seen]).double()
            x = x[order.to(x.device)]
            x = x / x.abs().max().clamp_min(1e-300)
            x = near_one(x, 1)  # a faint input has a direction, too
            self._gram = (x @ x.T).cpu()
            self._seen.clear()

    def result(self) -> list[Reading]:
        """The mean correlation, and that of the mean-field map."""
        if self._gram is None or len(self._rows) < 2:
            return [Reading(quantity="correlation", value=math.nan, note=f"{len(self._rows)} inputs; two are needed")]
        if not bool(torch.isfinite(self._gram).all()):
            return [Reading(quantity="correlation", value=math.nan, note="some activations are not finite")]
        silent = self._gram.diagonal() <= 0
        alive = self._gram[~silent][:, ~silent]
        note = (
            f"{int(silent.sum())} of {len(silent)} inputs give zeros only and are left out"
            if bool(silent.any())
            else self._part
        )
        if len(alive) < 2:
            return [Reading(quantity="correlation", value=math.nan, note=note)]
        out = [_over_pairs("correlation", _cosines(alive), note)]
        reference = _reference(self._context).get(self._layer.name)
        if reference is not None:
            out.append(Reading(quantity="mean_field", value=reference))
        return out


def _over_pairs(quantity: str, cosines: Tensor, note: str) -> Reading:
    """Mean over pairs; its interval as that of a U-statistic: an input counts with all its pairs."""
    n = len(cosines)
    each = (cosines.sum(1) / (n - 1)).numpy()
    value = float(each.mean())
    found = mean_interval(value + 2 * (each - value))
    low, high = (max(-1.0, found.low), min(1.0, found.high)) if n > 2 else (math.nan, math.nan)
    return Reading(quantity=quantity, value=value, low=low, high=high, note=note)


_KNOWN: WeakKeyDictionary[Context, dict[str, float]] = WeakKeyDictionary()


def _reference(context: Context) -> dict[str, float]:
    """The map's mean correlation by layer name; {} for what is no multilayer perceptron."""
    if context not in _KNOWN:
        try:
            _KNOWN[context] = _map_of(context)
        except InputError:  # weights or inputs that are not finite
            _KNOWN[context] = {}
    return _KNOWN[context]


def _map_of(context: Context) -> dict[str, float]:
    steps = _chain(context.model)
    x = context.inputs
    if steps is None or not isinstance(x, Tensor) or not x.is_floating_point():
        return {}
    x = x[chosen_rows(context)].flatten(1).double().cpu()
    first = next(module for _, module in steps if isinstance(module, nn.Linear))
    if first.in_features != x.shape[1]:  # a map from position to position: inputs are not one vector each
        return {}
    kernel = (x @ x.T / x.shape[1]).numpy()
    out: dict[str, float] = {}
    pending: tuple[float, float] | None = None
    for path, module in steps:
        if isinstance(module, nn.Linear):
            if pending is not None:
                kernel = mean_field_kernel(kernel, None, weight_variance=pending[0], bias_variance=pending[1])
            pending = _variances(module)
        elif pending is None:  # two nonlinearities in a row, or one before all weights: no layer of the map
            break
        else:
            kernel = mean_field_kernel(kernel, module, weight_variance=pending[0], bias_variance=pending[1])
            pending = None
            out[path] = _mean_of(kernel)
    else:
        if pending is None and steps:
            out["output"] = out.get(steps[-1][0], math.nan)
    if pending is not None:
        kernel = mean_field_kernel(kernel, None, weight_variance=pending[0], bias_variance=pending[1])
        out["output"] = _mean_of(kernel)
    return {name: value for name, value in out.items() if not math.isnan(value)}


def _mean_of(kernel: np.ndarray) -> float:
    n = len(kernel)
    return (
        float(_cosines(torch.as_tensor(kernel)).sum() / (n * (n - 1)))
        if (np.diag(kernel) > 0).all() and n > 1
        else math.nan
    )


def _variances(module: nn.Linear) -> tuple[float, float]:
    """sigma_w^2 and sigma_b^2 of a layer: mean squares, since the map takes weights of mean 0."""
    w = module.weight.detach().double()
    b = 0.0 if module.bias is None else float(module.bias.detach().double().square().mean())
    return float(w.square().mean()) * w.shape[1], b


def _chain(model: Any) -> list[tuple[str, nn.Module]] | None:
    """Linear maps and pointwise nonlinearities in order, or None where the model is not a Sequential of these."""
    if not _plain(model, nn.Sequential):
        return None
    out: list[tuple[str, nn.Module]] = []
    first: dict[int, str] = {}  # a module that occurs twice is called twice, under its first path
    calls: dict[int, int] = {}

    def walk(inside: Any, path: str) -> bool:
        for name, module in inside._modules.items():
            assert module is not None
            here = first.setdefault(id(module), f"{path}{name}")
            if type(module) in _SLOPES or any(_plain(module, kind) for kind in (nn.Linear, *_SMOOTH)):
                calls[id(module)] = k = calls.get(id(module), 0) + 1
                out.append((here if k == 1 else f"{here}#{k}", module))
            elif _plain(module, nn.Sequential):
                if not walk(module, f"{here}."):
                    return False
            elif not isinstance(module, _PASSED):
                return False
        return True

    return out if walk(model, "") and any(isinstance(m, nn.Linear) for _, m in out) else None


def _plain(module: Any, kind: type[nn.Module]) -> bool:
    """Whether it computes what its kind does: a class of the user's may add a skip connection."""
    return isinstance(module, kind) and type(module).forward is kind.forward


def start(layer: Layer, context: Context) -> _Stream:
    """A stream over a layer; the model's input is depth 0."""
    return _Stream(layer, context)


def cost(context: Context) -> Passes:
    """Holds up to 16,384 values of 64 inputs per layer until they are complete."""
    few = min(FEW, context.n)
    return Passes(held=sum(8 * few * min(_ENTRIES, layer.units * layer.positions) for layer in context.layers))


def finding(result: Any) -> Finding | None:
    """From the first layer to the last."""
    there = [r for r in result.of("correlation") if not math.isnan(r.value)]
    if len(there) < 2:
        return None
    text = (
        f"Two inputs have a mean correlation of {there[0].said()} at {there[0].label} and of {there[-1].said()} at "
        f"{there[-1].label}"
    )
    reference = {r.layer: r for r in result.of("mean_field")}
    if there[-1].layer in reference:
        text += (
            "; a network of infinite width with random weights of the same variances would have "
            f"{reference[there[-1].layer].value:.3g} there"
        )
    return Finding(text=f"{text}.", quantity="correlation", layer=there[-1].layer, weight=0.8)


CORRELATION = Instrument(
    name="correlation",
    title="Correlation of inputs",
    question="Do two inputs come closer or move apart from layer to layer?",
    source="Poole et al. 2016; Schoenholz et al. 2017",
    formula="c = h₁ · h₂ / (|h₁| |h₂|)",
    quantities=(
        Quantity(
            name="correlation",
            title="Correlation of two inputs",
            about="mean cosine over pairs of 64 inputs: 1 is alike, 0 unrelated",
            ends=(-1.0, 1.0),
            shown=True,
        ),
        Quantity(
            name="mean_field",
            title="Mean-field map",
            about="of infinite width and random weights of the same variances; a reference, not a measurement",
        ),
    ),
    limits=(
        "Activations are not centered: of ReLU units none is negative, "
        "so that unrelated patterns have a correlation well above 0.",
        "The mean-field map is about random weights and infinite width; a trained network may differ from it in any "
        "way. It is drawn for Sequentials of linear maps and pointwise nonlinearities only.",
    ),
    start=start,
    cost=cost,
    finding=finding,
)
