"""
Compile my heuristic, then fine-tune it
=======================================

A formula that is nearly right is worth more than random weights. Here: the power of a wind turbine, half of density
times area times the cube of the wind's speed times an efficiency, of which the engineer knows that the efficiency falls
as the wind rises, but not by how much. The formula becomes a network with its weights set and an error bound, learns
from forty measurements what the formula forgot, and is read back as a formula.
"""

import copy
from collections.abc import Iterable
from itertools import pairwise

import plotly.graph_objects as go
import torch
from torch import nn

import deeptheory as dt

torch.manual_seed(0)
names = ["area", "density", "efficiency", "wind"]  # inputs stand in sorted order
box = {"area": (0.5, 1.5), "density": (1.0, 1.3), "efficiency": (0.3, 0.5), "wind": (0.5, 1.5)}

# %%
# The heuristic as a network: neurons alone, weights set, and a bound of its distance from the formula.
heuristic = "density*area*efficiency*wind**3/2"
start = dt.cheap.compile_polynomial(heuristic, domain=box, tolerance=1e-2)
print(start.neurons, "neurons in", start.depth, "layers;", start.certificate)


# %%
# What happens in truth, and forty measurements of it with 1 % of noise.
def power(x: torch.Tensor) -> torch.Tensor:
    area, density, efficiency, wind = x.T
    return (density * area * efficiency * wind**3 / 2 * (1.15 - 0.3 * wind))[:, None]


def draw(n: int, seed: int) -> torch.Tensor:
    u = torch.rand(n, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    low, high = (torch.tensor([box[k][i] for k in names], dtype=torch.float64) for i in (0, 1))
    return low + (high - low) * u


x, x_new = draw(40, seed=1), draw(4000, seed=2)
y, y_new = power(x) * (1 + 0.01 * torch.randn(40, 1, dtype=torch.float64)), power(x_new)


def error(net: nn.Module, points: torch.Tensor, target: torch.Tensor) -> float:
    with torch.no_grad():
        return float((net(points) - target).square().mean().sqrt())


def train(net: nn.Module, rate: float, steps: int = 800) -> nn.Module:
    """Adam, each tensor in steps of its own size: compiled weights are small inside and large outside."""
    sizes = [(p, float(p.detach().square().mean().sqrt())) for p in net.parameters()]
    optimizer = torch.optim.Adam([{"params": [p], "lr": rate * size + 1e-12} for p, size in sizes])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        optimizer.step()
        schedule.step()
    return net


def best(nets: Iterable[nn.Module]) -> nn.Module:
    """The one that fits the measurements best; new wind is not looked at."""
    return min(nets, key=lambda net: error(net, x, y))


network = best(train(copy.deepcopy(start), rate) for rate in (3e-4, 1e-3, 3e-3))

# %%
# The same neurons, started from random weights, on the same measurements; step sizes chosen likewise.
widths = [4, *start.widths]


def blank() -> nn.Module:
    parts = [m for a, b in pairwise(widths) for m in (nn.Linear(a, b), nn.SiLU())]
    return nn.Sequential(*parts, nn.Linear(widths[-1], 1)).double()


scratch = best(train(blank(), rate) for rate in (3e-3, 1e-2, 3e-2))
before, after, without = (error(net, x_new, y_new) for net in (start, network, scratch))
print(f"error on new wind: formula {before:.4f}, fine-tuned {after:.4f}, from scratch {without:.4f}")
bars = go.Bar(x=["formula", "fine-tuned", "from scratch"], y=[before, after, without])
go.Figure(bars, layout={"yaxis": {"title": {"text": "root mean squared error on new wind"}}})

# %%
# Training changed the weights, so the certificate steps back; reading gives the formula that the network is now.
try:
    print(network.certificate)
except dt.errors.InputError as stale:
    print(stale)
reading = dt.cheap.to_polynomial(network, degree=5, domain=box)
print(reading)

assert after < before / 2, "fine-tuning found what the formula forgot"
assert after < without, "and the formula was a better start than chance"
