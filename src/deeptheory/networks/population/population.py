"""Many small networks as one module: every parameter and activation has a leading seed axis.

Network k is drawn from its own seed alone and computed by the same kernels whatever the number of its companions, so it
equals the network trained alone bit for bit (one machine, one thread count).
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import whole_numbers
from deeptheory.networks.population.checks import (
    HEADS,
    Head,
    check_dtype,
    check_head,
    check_members,
    check_number,
    check_seeds,
)
from deeptheory.networks.population.disturbances import RANGES, Disturbance, check_disturbance, quantize
from deeptheory.networks.population.initializers import INITIALIZERS, Initializer
from deeptheory.networks.single.modules import evaluating

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "softsign": F.softsign,
    "softplus": F.softplus,
    "linear": lambda z: z,
}
_AS_MODULE = {"tanh": nn.Tanh, "relu": nn.ReLU, "sigmoid": nn.Sigmoid, "softsign": nn.Softsign, "softplus": nn.Softplus}


class PopulationLayer(nn.Module):
    """One layer of every network: [seed, n, in] -> [seed, n, out], after its nonlinearity."""

    nonlinear = True  # to a Recorder this module is one nonlinearity, whatever functions it calls

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.function = function

    def forward(self, h: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, rounding=None) -> torch.Tensor:
        """h: [seed, n, in], weight: [seed, out, in], bias: [seed, out] -> [seed, n, out]."""
        z = torch.baddbmm(bias.unsqueeze(-1), weight, h.transpose(1, 2))  # [seed, out, n]: the batch innermost
        out = self.function(z.transpose(1, 2))
        return out if rounding is None else rounding(out)


class Population(nn.Module):
    """Networks trained at once by `fit`. `seeds` names them; called on x [n, ...] they give [seed, n, out].

    Made by `Population.mlp` (multilayer perceptrons, all in one flat parameter `theta` [seed, P]) or `Population.of`
    (any small module). The output is after the head: probabilities where it is "softmax" or "sigmoid"; logits(x) is
    before it. network(k): number k of them (not its seed) as a module of its own, a copy. Children layer1, layer2, ...
    of an mlp give the activations [seed, n, unit]; its inputs are brought to its dtype and device.
    """

    seeds: tuple[int, ...]
    rows: tuple[int, int] | None = None  # set by a Recorder: x are the rows from this one on, of so many

    @staticmethod
    def mlp(
        widths: Sequence[int],
        activation: str | Callable = "tanh",
        *,
        seeds: Iterable[int] = range(50),
        init: Initializer = "truncated_normal",
        head: Head | None = None,
        noise: float = 0.0,
        bits: int | None = None,
        bias: bool = True,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str | None = None,
    ) -> "MLPPopulation":
        """Multilayer perceptrons of the given widths, input first (12-10-7-5-4-3-2 in Shwartz-Ziv & Tishby 2017).

        activation: of the hidden layers, "tanh", "relu", "sigmoid", "softsign", "softplus", "linear" or an elementwise
        function of torch. seeds: distinct integers from 0, one per network; each network is drawn from its own alone.
        head: "softmax" (the default for two or more outputs; cross-entropy), "sigmoid" (for one; binary cross-entropy),
        "linear" (half the squared error) or "median" (linear too; the absolute error). init: "truncated_normal" (std
        1/sqrt(fan in), cut at 2 std), "truncated_normal_fan_out", "xavier" (uniform), each with biases 0, or
        "torch_default". noise: standard deviation of the Gaussian noise that every hidden layer adds to its output
        (Goldfeld et al. 2019), in training and afterwards, where it is the same at every call; what a layer shows is
        its output before its own noise. bits: every layer's output, probabilities included, is rounded to 2^bits even
        levels (Lorenzen et al. 2022) between its bounds, which follow the outputs seen in training where the activation
        has none; the loss sees the logits. bias: False keeps every bias at 0. Weights are drawn in float64 on the CPU.
        InputError: fewer than two widths, a width below 1 or no integer, no seeds or one twice, an unknown name, a
        softmax over one output, no floating dtype, noise below 0, bits outside 1..16 or no integer, both, bits with a
        function of your own; and where it is called, bits without bounds before training has seen any (calibrate).
        """
        return MLPPopulation(
            widths, activation, seeds, init, head=head, noise=noise, bits=bits, bias=bias, dtype=dtype, device=device
        )

    @staticmethod
    def of(factory: Callable[[], nn.Module], seeds: Iterable[int], head: Head = "softmax") -> "ModulePopulation":
        """One network per seed from factory(), called under torch.manual_seed(seed); trained by autograd under vmap.

        The module takes x [n, ...] and gives logits [n, out]; head turns them into outputs, see `mlp`. torch's CPU
        generator is put back. Frozen parameters stay frozen, and dropout acts in training alone, drawn by the seeds and
        the step. InputError: no seeds or one twice, an unknown head, no module, buffers (BatchNorm keeps running
        statistics, which vmap cannot update), parameters of another shape by seed.
        """
        return ModulePopulation(factory, seeds, head)


class MLPPopulation(Population):
    """See `Population.mlp`."""

    ranges: torch.Tensor

    def __init__(self, widths, activation, seeds, init, *, head, noise, bits, bias, dtype, device):
        super().__init__()
        self.seeds = check_seeds(seeds)
        self.widths = tuple(whole_numbers("widths", widths, least=1).tolist())
        if len(self.widths) < 2:
            raise InputError(f"widths is {list(widths)}; needed: integers of 1 or more, input and output at least")
        self.activation = activation if callable(activation) else "custom"
        if not callable(activation):
            pick(ACTIVATIONS, activation, what="activation")
            self.activation = activation
        self.head = check_head(head, self.widths[-1])
        check_disturbance(noise, bits, activation)
        check_dtype(dtype)
        self.noise, self.levels = float(noise), 0 if bits is None else 2 ** int(bits) - 1
        self.bias = bias
        function: Callable = activation if callable(activation) else ACTIVATIONS[activation]
        last = HEADS[self.head]
        for k in range(1, len(self.widths)):
            self.add_module(f"layer{k}", PopulationLayer(function if k < len(self.widths) - 1 else last))
        draw = pick(INITIALIZERS, init, what="initializer")
        theta = torch.stack([self._draw(draw, seed) for seed in self.seeds]) * (1 if bias else self.is_weight())
        self.theta = nn.Parameter(theta.to(device=device, dtype=dtype))
        # of each hidden layer the largest output seen, which quantization of unbounded units reaches up to
        self.register_buffer("ranges", torch.zeros(len(self.seeds), len(self.widths) - 2, device=device, dtype=dtype))

    def _draw(self, draw: Callable, seed: int) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        pieces = [p.flatten() for i, o in zip(self.widths, self.widths[1:]) for p in draw(i, o, generator)]
        return torch.cat(pieces)

    def is_weight(self) -> torch.Tensor:
        """[P] bool: which numbers of theta belong to weight matrices; the others are biases."""
        marks = [torch.arange(o * i + o) < o * i for i, o in zip(self.widths, self.widths[1:])]
        return torch.cat(marks)

    def parts(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Views into theta, layer by layer: weight [seed, out, in], bias [seed, out]."""
        out, at, n = [], 0, len(self.seeds)
        for i, o in zip(self.widths, self.widths[1:]):
            weight, bias = self.theta[:, at : at + o * i], self.theta[:, at + o * i : at + o * i + o]
            out.append((weight.reshape(n, o, i), bias))
            at += o * i + o
        return out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [n, in] -> [seed, n, out], after the head. InputError: another shape."""
        self._check_calibrated()
        h, parts = self._enter(x), self.parts()
        for k, (weight, bias) in enumerate(parts, start=1):
            h = getattr(self, f"layer{k}")(h, weight, bias, self._rounding(k) if self.levels else None)
            if self.noise and k < len(parts):
                h = h + self.noise * self._normals(k, h)
        return h

    def logits(self, x: torch.Tensor, apart: bool = False, normals=None, seen: list | None = None) -> torch.Tensor:
        """What the head is applied to: x [n, in] -> [seed, n, out]; apart: x is [seed, n, in], rows for each.

        normals: function (layer, output) -> normals of the same shape, by default each network's own fixed ones. seen:
        a list that receives each hidden layer's largest absolute output before rounding, [seed].
        """
        h, parts = x if apart else self._enter(x), self.parts()
        for k, (weight, bias) in enumerate(parts[:-1], start=1):
            h = getattr(self, f"layer{k}")(h, weight, bias)
            if seen is not None:
                seen.append(h.detach().abs().amax((1, 2)))
            if self.levels:
                h = self._rounding(k)(h)
            if self.noise:
                h = h + self.noise * (normals or self._normals)(k, h)
        weight, bias = parts[-1]
        return torch.baddbmm(bias.unsqueeze(-1), weight, h.transpose(1, 2)).transpose(1, 2)

    def _normals(self, k: int, h: torch.Tensor) -> torch.Tensor:
        """Noise of layer k outside training, the same at every look: [seed, n, unit], each network's from its seed."""
        first, n = self.rows or (0, h.shape[1])  # of a batch: what these rows get among all of them
        draws = [
            torch.randn(n, h.shape[2], generator=torch.Generator().manual_seed((1_000_003 * seed + k) % 2**63))
            for seed in self.seeds
        ]
        return torch.stack([d[first : first + h.shape[1]] for d in draws]).to(h)

    def _rounding(self, k: int) -> Callable[[torch.Tensor], torch.Tensor]:
        low, high = (end.to(self.theta)[:, None, None] for end in self.ends(k))
        return lambda h: quantize(h, low, high, self.levels)

    def ends(self, k: int) -> tuple[torch.Tensor, torch.Tensor]:
        """[seed] each: from where to where layer k's output is quantized (k from 1; the last one's are the head's)."""
        ones = torch.ones(len(self.seeds), device=self.theta.device, dtype=self.theta.dtype)
        if k == len(self.widths) - 1:
            low, high = (0.0, 1.0) if self.head in ("softmax", "sigmoid") else (-1.0, 1.0)
            return low * ones, high * ones
        if str(self.activation) in RANGES:
            low, high = RANGES[str(self.activation)]
            return low * ones, high * ones
        reach = self.ranges[:, k - 1]
        return (-reach if self.activation == "linear" else 0 * reach), reach

    def _check_calibrated(self) -> None:
        """InputError: quantized layers whose bounds nothing has set yet: all that they give would be 0."""
        if self.levels and str(self.activation) not in RANGES and self.ranges.numel() and not bool(self.ranges.any()):
            raise InputError(
                f"bits with {self.activation} has no bounds before training has seen outputs; call fit, or calibrate(x)"
            )

    @torch.no_grad()
    def calibrate(self, x: torch.Tensor) -> None:
        """Set the ranges that no training has set yet to what the layers show on x, one layer after the other."""
        for k in range(len(self.widths) - 2):
            if not bool((self.ranges[:, k] > 0).all()):
                seen: list[torch.Tensor] = []
                self.logits(x, seen=seen)
                self.ranges[:, k] = seen[k]

    def _enter(self, x: torch.Tensor) -> torch.Tensor:
        if x.ndim != 2 or x.shape[-1] != self.widths[0]:
            raise InputError(f"x has shape {list(x.shape)}; these networks take [n, {self.widths[0]}]")
        x = x.to(self.theta)
        # a contiguous copy for each network, so that every product takes the same kernel whatever their number
        return x.T.expand(len(self.seeds), -1, -1).contiguous().transpose(1, 2)

    def network(self, k: int) -> nn.Module:
        """Network number k, from 0 (not its seed), as a plain module x [n, in] -> [n, out], after the head; a copy.

        Noise in hidden layers is drawn again at each call, by torch's generator. InputError: k no integer, or too
        large.
        """
        check_number(k, len(self.seeds))
        self._check_calibrated()
        pieces: list[nn.Module] = []
        for number, (weight, bias) in enumerate(self.parts(), start=1):
            linear = nn.Linear(weight.shape[2], weight.shape[1]).to(self.theta)
            with torch.no_grad():
                linear.weight.copy_(weight[k])
                linear.bias.copy_(bias[k])
            pieces.append(linear)
            if number < len(self.widths) - 1:
                module = _AS_MODULE.get(self.activation) if isinstance(self.activation, str) else None
                pieces.append(module() if module else _Apply(getattr(self, f"layer{number}").function))
                if self.noise or self.levels:
                    low, high = (float(end[k]) for end in self.ends(number))
                    pieces.append(Disturbance(self.noise, self.levels, low, high))
        pieces.append(nn.Softmax(-1) if self.head == "softmax" else _Apply(HEADS[self.head]))
        if self.levels:
            low, high = (float(end[k]) for end in self.ends(len(self.widths) - 1))
            pieces.append(Disturbance(0.0, self.levels, low, high))
        return nn.Sequential(*pieces)

    def seen_in(self, dtype: torch.dtype | str) -> "PopulationView":
        """The same networks, now and later, computed in another precision ("float64"): a module for a Recorder.

        InputError: no floating dtype of torch; networks with noise or quantized layers.
        """
        kind = getattr(torch, dtype, None) if isinstance(dtype, str) else dtype
        if not isinstance(kind, torch.dtype) or not kind.is_floating_point:
            raise InputError(f"dtype is {dtype!r}; needed: a floating dtype of torch, such as 'float64'")
        return PopulationView(self, kind)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        name = self.activation if isinstance(self.activation, str) else getattr(self.activation, "__name__", "custom")
        more = f", noise {self.noise:g}" if self.noise else f", {self.levels + 1} levels" if self.levels else ""
        more += "" if self.bias else ", no biases"
        return f"{'-'.join(map(str, self.widths))}, {name}, {len(self.seeds)} networks{more}"


class PopulationView(nn.Module):
    """A population's weights as they are at each call, in another precision; layers as the population's own.

    InputError: a population with noise or quantized layers, whose levels belong to its own precision.
    """

    def __init__(self, nets: MLPPopulation, dtype: torch.dtype):
        super().__init__()
        if nets.noise or nets.levels:
            raise InputError("a view in another precision is of networks without noise and without quantized layers")
        self.seeds, self.dtype = nets.seeds, dtype
        self._nets = [nets]  # in a list: not a child, its parameters are not ours
        for k in range(1, len(nets.widths)):
            self.add_module(f"layer{k}", PopulationLayer(getattr(nets, f"layer{k}").function))

    @property
    def theta(self) -> torch.Tensor:
        """The weights, [seed, P], in this precision."""
        return self._nets[0].theta.detach().to(self.dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [n, in] -> [seed, n, out], in the view's dtype. InputError: another shape."""
        nets = self._nets[0]
        h = nets._enter(x).to(self.dtype)
        for k, (weight, bias) in enumerate(nets.parts(), start=1):
            h = getattr(self, f"layer{k}")(h, weight.to(self.dtype), bias.to(self.dtype))
        return h


class ModulePopulation(Population):
    """See `Population.of`."""

    def __init__(self, factory: Callable[[], nn.Module], seeds: Iterable[int], head: str):
        super().__init__()
        self.seeds = check_seeds(seeds)
        self.head = pick(dict.fromkeys(HEADS, head), head, what="head")
        if isinstance(factory, nn.Module) or not callable(factory):
            raise InputError(f"factory is a {type(factory).__name__}; give a function that makes one: lambda: Net()")
        members = []
        for seed in self.seeds:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                members.append(factory())
        check_members(members)
        first = members[0]
        self._template = [first]  # in a list: not a child, its parameters are not ours
        self._names = [n for n, _ in first.named_parameters()]
        named = [dict(m.named_parameters()) for m in members]
        self.stacked = nn.ParameterList(
            nn.Parameter(torch.stack([m[n].detach() for m in named]), requires_grad=named[0][n].requires_grad)
            for n in self._names
        )

    def logits(self, x: torch.Tensor, apart: bool = False) -> torch.Tensor:
        """What the head is applied to: x [n, ...] -> [seed, n, out]; apart: x is [seed, n, ...], rows for each."""
        from torch.func import functional_call, vmap

        stacked, template = dict(zip(self._names, self.stacked)), self._template[0]
        call = vmap(
            lambda p, v: functional_call(template, p, (v,)),
            in_dims=(0, 0 if apart else None),
            randomness="different",
        )
        with nullcontext() if self.training else evaluating(template):  # which is no child, and has no part in .eval()
            return call(stacked, x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [n, ...] -> [seed, n, out], after the head."""
        return HEADS[self.head](self.logits(x))

    def network(self, k: int) -> nn.Module:
        """Network number k, from 0 (not its seed), as a plain module x [n, ...] -> [n, out], after the head; a copy.

        InputError: k no integer, or too large.
        """
        check_number(k, len(self.seeds))
        from copy import deepcopy

        member = deepcopy(self._template[0])
        with torch.no_grad():
            for name, parameter in member.named_parameters():
                parameter.copy_(self.stacked[self._names.index(name)][k])
        return nn.Sequential(member, nn.Softmax(-1) if self.head == "softmax" else _Apply(HEADS[self.head]))


class _Apply(nn.Module):
    """An elementwise function as a module."""

    def __init__(self, function: Callable[[torch.Tensor], torch.Tensor]):
        super().__init__()
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)
