"""What a layer does to its output before the next one sees it: nothing, Gaussian noise, or quantization to 2^bits
levels.

Sources: Goldfeld et al. 2019 (noise in every hidden layer, in training and afterwards); Lorenzen, Igel & Nielsen 2022
(activations trained quantized, so that every information is exact); the straight-through gradient of Bengio et al.
2013. Noise in training comes from a pool of each network's own normals, read from a place that is hashed from (seed,
step, sample, unit): both engines see the same numbers, a resume needs no state, and a vectorized loop stays one.
Pitfall: the slope of a unit must be taken before rounding; from the rounded output a unit near saturation has slope 0
and never learns again.
"""

import numpy as np
import torch
from torch import nn

from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole

TILE = 128  # samples that share one place in the pool; also the tile of the handwritten step
POOL = 1 << 16
RANGES = {"tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}  # fixed; others follow what they see
KEPT = 0.99  # share of a range that stays at each step


def check_disturbance(noise: float, bits: int | None, activation) -> None:
    """InputError: noise below 0, bits no integer in 1..16, both at once, or bits with an activation without a name."""
    check_number(noise=noise)
    if not (noise >= 0 and np.isfinite(noise)):
        raise InputError(f"noise is {noise}; needed: a finite standard deviation, 0 for none")
    if bits is not None:
        check_whole(bits=(bits, None))
    if bits is not None and not 1 <= bits <= 16:
        raise InputError(f"bits is {bits}; it lies in 1..16")
    if noise and bits is not None:
        raise InputError("noise and bits together: the values would no longer be levels; choose one")
    if bits is not None and callable(activation):
        raise InputError("bits needs an activation with a name, whose range is known; choose one of those")


def pools(seeds) -> np.ndarray:
    """[S, POOL + TILE] float32 normals, each network's from its own seed."""
    draws = [np.random.default_rng([s, POOL]).standard_normal(POOL + TILE, dtype=np.float32) for s in seeds]
    return np.stack(draws)


@njit(forceinline=True)
def place(seed, step, sample, unit):
    """Where in the pool the noise of a unit for samples sample..sample + TILE - 1 begins."""
    z = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(step) * np.uint64(0xD1B54A32D192ED03)
    z += np.uint64(sample) * np.uint64(0x2545F4914F6CDD1D) + np.uint64(unit) * np.uint64(0x8CB92BA72F3D8DD7)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((z ^ (z >> np.uint64(31))) & np.uint64(POOL - 1))


@njit
def training_noise(pool, seeds, step, start, n, first, units):
    """[S, n, units] normals of one minibatch and layer, as the handwritten step draws them: samples from `start` of the
    epoch, units numbered from `first`."""
    out = np.empty((len(seeds), n, units), dtype=np.float32)
    for s in range(len(seeds)):
        for tile in range(0, n, TILE):
            for u in range(units):
                at = place(seeds[s], step, start + tile, first + u)
                for j in range(tile, min(tile + TILE, n)):
                    out[s, j, u] = pool[s, at + j - tile]
    return out


def quantize(h: torch.Tensor, low: torch.Tensor, high: torch.Tensor, levels: int) -> torch.Tensor:
    """The nearest of `levels` + 1 even values from low to high; the gradient is 1 inside and 0 outside."""
    inside = torch.minimum(torch.maximum(h, low), high)
    step = (high - low) / levels
    step = torch.where(step > 0, step, torch.ones_like(step))
    rounded = low + step * torch.floor((inside - low) / step + 0.5)
    return inside + (rounded - inside).detach()


class Disturbance(nn.Module):
    """The same for a plain module: rounds to levels from low to high where levels > 0, and adds noise N(0, noise^2)."""

    low: torch.Tensor
    high: torch.Tensor

    def __init__(self, noise: float, levels: int, low: float, high: float):
        super().__init__()
        self.noise, self.levels = noise, levels
        self.register_buffer("low", torch.tensor(low))
        self.register_buffer("high", torch.tensor(high))

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """h: [n, unit] -> quantized, or with noise; the same shape."""
        if self.levels:
            h = quantize(h, self.low.to(h), self.high.to(h), self.levels)
        return h + self.noise * torch.randn_like(h) if self.noise else h

    def extra_repr(self) -> str:
        """Noise or levels, for torch's repr."""
        return f"noise {self.noise:g}" if self.noise else f"{self.levels + 1} levels"
