"""dlib's face network written out once more, from a dict of face-api's names, in float64 and without modules."""

import numpy as np
import torch
from torch.nn import functional as F

BLOCKS = [
    "32_1",
    "32_2",
    "32_3",
    "64_down",
    "64_1",
    "64_2",
    "64_3",
    "128_down",
    "128_1",
    "128_2",
    "256_down",
    "256_1",
    "256_2",
    "256_down_out",
]


def shapes():
    """Name -> shape of every array of the file."""
    out = {}

    def layer(name, inside, outside, size):
        out[f"{name}/conv/filters"] = (outside, inside, size, size)
        for k in ("conv/bias", "scale/weights", "scale/biases"):
            out[f"{name}/{k}"] = (outside,)

    layer("conv32_down", 3, 32, 7)
    now = 32
    for block in BLOCKS:
        wide = int(block.split("_")[0])
        layer(f"conv{block}/conv1", now, wide, 3)
        layer(f"conv{block}/conv2", wide, wide, 3)
        now = wide
    return out | {"fc": (256, 128)}


def made(seed=0):
    """A file's content with random numbers, of a size that keeps activations moderate."""
    rng, out = np.random.default_rng(seed), {}
    for name, shape in shapes().items():
        scale = np.sqrt(1 / np.prod(shape[1:])) if name.endswith("filters") else 0.1
        out[name] = (rng.normal(0, scale, shape) + name.endswith("scale/weights")).astype(np.float16)
    return out


def forward(kept, pictures):
    """[n, 150, 150, 3] from 0 to 255 -> [n, 128]."""
    w = {k: torch.as_tensor(v.astype(np.float64)) for k, v in kept.items()}

    def layer(name, x, stride, padding):
        y = F.conv2d(x, w[f"{name}/conv/filters"], w[f"{name}/conv/bias"], stride, padding)
        return y * w[f"{name}/scale/weights"].view(1, -1, 1, 1) + w[f"{name}/scale/biases"].view(1, -1, 1, 1)

    x = (
        torch.as_tensor(pictures, dtype=torch.float64) - torch.tensor([122.782, 117.001, 104.298], dtype=torch.float64)
    ) / 256
    x = F.max_pool2d(torch.relu(layer("conv32_down", x.permute(0, 3, 1, 2), 2, 0)), 3, 2)
    for block in BLOCKS:
        name = f"conv{block}"
        if "down" not in block:
            y = layer(f"{name}/conv2", torch.relu(layer(f"{name}/conv1", x, 1, 1)), 1, 1)
            x = torch.relu(x + y)
            continue
        y = layer(f"{name}/conv2", torch.relu(layer(f"{name}/conv1", x, 2, 0)), 1, 1)
        short = F.avg_pool2d(x, 2)
        full = torch.zeros(len(x), y.shape[1], *short.shape[2:], dtype=torch.float64)
        full[:, :, : y.shape[2], : y.shape[3]] += y
        full[:, : short.shape[1]] += short
        x = torch.relu(full)
    return x.mean((2, 3)) @ w["fc"]
