"""Pairs of known information of the kinds that the forty lack: FURTHER.

Channels of symbols, labels beside numbers, masks and rectified numbers, linear-Gaussian layers (Saxe et al. 2018), one
neuron (Saxe et al. 2018; Goldfeld et al. 2019), ReLU layers whose preactivations can be read off. Each truth is a
closed form, a sum over a table, or one or two integrals (exact.py, relu.py). Symbols are integers.
"""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.truths import relu
from benchmarks.truths.exact import Pair, channel

_Row = tuple[str, str, tuple[int, int], Callable[[], Pair]]


def _symmetric(k: int, flip: float) -> np.ndarray:
    return np.full((k, k), flip / (k - 1)) + (1 - flip - flip / (k - 1)) * np.eye(k)


def _typewriter(k: int) -> np.ndarray:
    return (np.eye(k) + np.roll(np.eye(k), 1, axis=1)) / 2


def _dirichlet(k: int) -> np.ndarray:
    return np.random.default_rng(k).dirichlet(np.full(k, 0.3), k)


def _uniform_of_label(k: int) -> Pair:
    """Gao et al. 2017: X uniform on 0..k-1, Y uniform on [X, X + 2]: log k - (k - 1) / k log 2 nats."""

    def draw(rng, n):
        x = rng.integers(0, k, n)
        return x, (x + rng.uniform(0, 2, n))[:, None]

    return Pair(draw, math.log(k) - (k - 1) / k * math.log(2))


def _binned_neuron(weight: float, bins: int) -> Pair:
    """x normal, T the bin of tanh(weight x): I = H(T)."""
    from deeptheory.information.one_neuron import one_neuron_information

    edges = np.linspace(-1, 1, bins + 1)

    def draw(rng, n):
        x = rng.standard_normal((n, 1))
        return x, np.clip(np.searchsorted(edges, np.tanh(weight * x[:, 0])) - 1, 0, bins - 1)

    return Pair(draw, float(one_neuron_information(weight, edges)) * math.log(2))


def _noisy_neuron(weight: float, points: int, sigma: float) -> Pair:
    """x uniform on points from -2 to 2, T = tanh(weight x) + noise."""
    from deeptheory.information.one_neuron import noisy_neuron_information

    grid = np.linspace(-2, 2, points)

    def draw(rng, n):
        x = grid[rng.integers(0, points, n)][:, None]
        return x, np.tanh(weight * x) + sigma * rng.standard_normal((n, 1))

    return Pair(draw, float(noisy_neuron_information(weight, grid, sigma)) * math.log(2))


def _linear(units: int, inputs: int, sigma: float) -> Pair:
    """T = W x + N(0, sigma^2), x ~ N(0, I / inputs), W standard normal, drawn once."""
    from deeptheory.information.linear_gaussian import linear_information

    weight = np.random.default_rng([units, inputs]).standard_normal((units, inputs))

    def draw(rng, n):
        x = rng.standard_normal((n, inputs)) / math.sqrt(inputs)
        return x, x @ weight.T + sigma * rng.standard_normal((n, units))

    return Pair(draw, float(linear_information(weight, sigma)) * math.log(2))


def _linear_label(units: int, inputs: int) -> Pair:
    """T = W x + N(0, .1^2) beside Y = v x + N(0, .5^2), x ~ N(0, I / inputs)."""
    from deeptheory.information.linear_gaussian import linear_label_information

    rng = np.random.default_rng([units, inputs, 1])
    weight, teacher = rng.standard_normal((units, inputs)), rng.standard_normal((1, inputs))

    def draw(rng, n):
        x = rng.standard_normal((n, inputs)) / math.sqrt(inputs)
        t = x @ weight.T + 0.1 * rng.standard_normal((n, units))
        return t, x @ teacher.T + 0.5 * rng.standard_normal((n, 1))

    return Pair(draw, float(linear_label_information(weight, 0.1, teacher, label_sigma=0.5)) * math.log(2))


def _relu_layer(units: int, inputs: int) -> Pair:
    rng = np.random.default_rng([units, inputs, 2])
    weight = rng.standard_normal((units, inputs))
    return relu.relu_layer(weight, rng.standard_normal((1, inputs)) / math.sqrt(inputs), 0.5)


FURTHER: dict[str, _Row] = {
    "binary-symmetric-0.1": ("channel", "a bit, flipped with .1", (1, 1), lambda: channel(_symmetric(2, 0.1))),
    "binary-erasure-0.3": ("channel", "a bit, erased with .3", (1, 1), lambda: channel([[0.7, 0, 0.3], [0, 0.7, 0.3]])),
    "z-channel-0.4": ("channel", "a bit whose 1 becomes 0 with .4", (1, 1), lambda: channel([[1, 0], [0.4, 0.6]])),
    "symmetric-10": ("channel", "ten symbols, .2 confused", (1, 1), lambda: channel(_symmetric(10, 0.2))),
    "typewriter-26": ("channel", "26 symbols, each it or the next", (1, 1), lambda: channel(_typewriter(26))),
    "dirichlet-10": ("channel", "10 x 10, rows drawn at random", (1, 1), lambda: channel(_dirichlet(10))),
    "dirichlet-30": ("channel", "30 x 30, rows drawn at random", (1, 1), lambda: channel(_dirichlet(30))),
    "two-classes": ("mixed", "a label beside normals 2 apart", (1, 1), lambda: relu.classes([-1, 1], 1)),
    "five-classes": ("mixed", "five labels, normals 1.5 apart", (1, 1), lambda: relu.classes(1.5 * np.arange(5), 1)),
    "rare-class": ("mixed", "a label of 5 %, normals 3 apart", (1, 1), lambda: relu.classes([0, 3], 1, [0.95, 0.05])),
    "uniform-of-label-5": ("mixed", "5 symbols, y uniform from x to x + 2", (1, 1), lambda: _uniform_of_label(5)),
    "masked-half": ("mixed", "a normal pair, x 0 half of the time", (1, 1), lambda: relu.masked_one(0.5, 0.9)),
    "linear-2x2": ("linear-Gaussian", "T = W x + noise of .3", (2, 2), lambda: _linear(2, 2, 0.3)),
    "linear-5x10": ("linear-Gaussian", "T = W x + noise of 1", (10, 5), lambda: _linear(5, 10, 1.0)),
    "linear-20x20": ("linear-Gaussian", "T = W x + noise of 2", (20, 20), lambda: _linear(20, 20, 2.0)),
    "linear-label-10": ("linear-Gaussian", "10 noisy units beside a label", (10, 1), lambda: _linear_label(10, 20)),
    "neuron-binned-1": ("one neuron", "tanh(x) in 30 bins", (1, 1), lambda: _binned_neuron(1.0, 30)),
    "neuron-binned-5": ("one neuron", "tanh(5 x) in 30 bins", (1, 1), lambda: _binned_neuron(5.0, 30)),
    "neuron-noisy-1": ("one neuron", "8 points, tanh(x) + .1 noise", (1, 1), lambda: _noisy_neuron(1.0, 8, 0.1)),
    "neuron-noisy-5": ("one neuron", "8 points, tanh(5 x) + .1 noise", (1, 1), lambda: _noisy_neuron(5.0, 8, 0.1)),
    "relu-unit": ("ReLU", "relu(a) beside b, correlation .9", (1, 1), lambda: relu.rectified_one(0.9)),
    "relu-layer-4": ("ReLU", "4 ReLU of 2 inputs beside a noisy label", (4, 1), lambda: _relu_layer(2, 2)),
    "relu-layer-10": ("ReLU", "10 ReLU of 5 inputs beside a noisy label", (10, 1), lambda: _relu_layer(5, 5)),
    "relu-layer-20": ("ReLU", "20 ReLU of 40 inputs beside a noisy label", (20, 1), lambda: _relu_layer(10, 40)),
}
