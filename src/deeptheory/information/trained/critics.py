"""Critics: what scores a pair (x, y), the same for all networks of a population at once.

A critic maps rows x [S, B, dx] and y [S, B, dy] to scores [S, B, B] of every x with every y: S networks, each on rows
of its own. Both kinds hold a quadratic part, which is all that normal variables need (x and y come in canonical
coordinates); it begins at the correlations of the training rows that are beyond noise, all else at about 0.
Sources: van den Oord, Li & Vinyals 2018 and Poole et al. 2019 (separable, joint critics).
"""

from typing import Literal

import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.networks.population.population import MLPPopulation, Population

Critic = Literal["separable", "joint"]
HIDDEN, EMBEDDED = 64, 32
_FAST = 10.0  # the quadratic part's weights count so many times: they have farther to go than a network's
_SMALL = 0.1  # of the last layer's first weights


def mlp(widths: list[int], seeds: list[int], device: torch.device | str, small: float = _SMALL) -> MLPPopulation:
    """A population of perceptrons with a linear head, its last layer drawn small."""
    nets = Population.mlp(
        widths, "relu", seeds=seeds, init="truncated_normal", head="linear", dtype=torch.float32, device=device
    )
    with torch.no_grad():
        nets.theta[:, -(widths[-1] * (widths[-2] + 1)) :] *= small
    return nets


class Quadratic(nn.Module):
    """sum_k s_k x_k y_k + a_k x_k^2 + b_k y_k^2; at first the log ratio of a normal pair of correlations rho [S, k]."""

    def __init__(self, rho: torch.Tensor, dx: int, dy: int):
        super().__init__()
        self.both = rho.shape[1]
        left = 1 - rho.square()
        own = -rho.square() / (2 * left)
        self.s = self._weights(rho / left, self.both)
        self.a, self.b = self._weights(own, dx), self._weights(own, dy)

    def _weights(self, start: torch.Tensor, d: int) -> nn.Parameter:
        return nn.Parameter(F.pad(start, (0, d - self.both)).unsqueeze(1) / _FAST)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """[S, B, dx], [S, B, dy] -> [S, B, B]."""
        cross = torch.bmm(_FAST * self.s * x[..., : self.both], y[..., : self.both].transpose(1, 2))
        own = _FAST * (self.a * x.square()).sum(-1), _FAST * (self.b * y.square()).sum(-1)
        return cross + own[0].unsqueeze(2) + own[1].unsqueeze(1)


class Separable(nn.Module):
    """<g(x), h(y)> + u(x) + v(y) + the quadratic part; g, u and h, v are two networks. All pairs cost little."""

    rows = 1024  # that are scored with each other at once where a value is taken
    usual = 128  # rows of a training step

    def __init__(self, dx: int, dy: int, seeds: list[int], rho: torch.Tensor):
        super().__init__()
        device = rho.device
        self.quadratic = Quadratic(rho, dx, dy)
        self.of_x = mlp([dx, HIDDEN, HIDDEN, EMBEDDED + 1], [2 * s for s in seeds], device, 1.0)
        self.of_y = mlp([dy, HIDDEN, HIDDEN, EMBEDDED + 1], [2 * s + 1 for s in seeds], device, _SMALL)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """[S, B, dx], [S, B, dy] -> [S, B, B]."""
        g, h = self.of_x.logits(x, apart=True), self.of_y.logits(y, apart=True)
        scores = torch.bmm(g[..., :-1], h[..., :-1].transpose(1, 2)) * EMBEDDED**-0.5
        return scores + _SMALL * g[..., -1].unsqueeze(2) + h[..., -1].unsqueeze(1) + self.quadratic(x, y)


class Joint(nn.Module):
    """A network of (x, y) + the quadratic part. Its first layer is the sum of one of x and one of y, so that only what
    follows is computed for every pair."""

    rows = 128
    usual = 48

    def __init__(self, dx: int, dy: int, seeds: list[int], rho: torch.Tensor):
        super().__init__()
        device = rho.device
        self.quadratic = Quadratic(rho, dx, dy)
        self.of_x = mlp([dx, HIDDEN], [3 * s for s in seeds], device, 1.0)
        self.of_y = mlp([dy, HIDDEN], [3 * s + 1 for s in seeds], device, 1.0)
        self.of_both = mlp([HIDDEN, HIDDEN, 1], [3 * s + 2 for s in seeds], device)

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """[S, B, dx], [S, B, dy] -> [S, B, B]."""
        first = self.of_x.logits(x, apart=True).unsqueeze(2) + self.of_y.logits(y, apart=True).unsqueeze(1)
        networks, n, m, units = first.shape
        scores = self.of_both.logits(torch.relu(first).reshape(networks, n * m, units), apart=True)
        return scores.reshape(networks, n, m) + self.quadratic(x, y)


CRITICS: dict[str, type[Separable] | type[Joint]] = {"separable": Separable, "joint": Joint}
