"""Noise in proportion to the activation, and a small convolutional network that has it before every layer.

Source: Butakov et al. 2024: std = 1e-3 |activation|, on in training and afterwards, so that I(X;L) is finite.
"""

import torch
from torch import nn

from deeptheory.core.arrays import real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole, whole_numbers
from deeptheory.networks.single.modules import check_seed


class MultiplicativeNoise(nn.Module):
    """h + std |h| N(0, 1), in train and eval mode alike (Butakov et al. 2024); std 0 passes h on.

    std: a fraction of the activation. Normals are drawn again at every call by torch's generator of h's device (call
    torch.manual_seed to repeat them); gradients pass through h and |h|. InputError: std below 0, infinite or NaN.
    """

    def __init__(self, std: float = 1e-3):
        super().__init__()
        check_number(std=std)
        if not 0 <= std < float("inf"):
            raise InputError(
                f"std is {std}; the noise's standard deviation, as a fraction of the activation, is finite, 0 or above"
            )
        self.std = std

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """h: any shape -> h + std |h| normals, the same shape and dtype (integers: float32).

        NaN and infinity give NaN. InputError: complex numbers.
        """
        h = real_tensor("h", h)
        if not self.std:
            return h
        normals = torch.randn_like(h, memory_format=torch.contiguous_format)  # the same ones, however h lies in memory
        return h + self.std * h.abs() * normals

    def extra_repr(self) -> str:
        """std, for torch's repr."""
        return f"{self.std:g}"


def noisy_cnn(
    image_shape: tuple[int, int, int] = (1, 28, 28), classes: int = 10, *, std: float = 1e-3, seed: int = 0
) -> nn.Module:
    """A small convolutional network with `MultiplicativeNoise` before every layer, the first too (Butakov et al. 2024).

    3 x 3 convolutions of 8, 16 and 32 channels (leaky ReLU and a 2 x 2 maximum after each), dense 32, dense `classes`;
    its parts are conv1, conv2, conv3, dense1, output. [n, C, H, W] -> log-probabilities in nats [n, classes].
    image_shape: (C, H, W). std: of the noise, as a fraction of each activation, in training and afterwards. seed: of
    the initial weights, torch's default. InputError: an image smaller than 8 x 8, fewer than 2 classes, std below 0.
    """
    shape = whole_numbers("image_shape", image_shape, least=1).tolist()
    if len(shape) != 3:
        raise InputError(f"image_shape is {image_shape}; needed: (channels, height, width)")
    channels, height, width = shape
    check_whole(classes=(classes, 2))
    check_seed(seed)
    if min(height, width) < 8:
        raise InputError(f"image_shape is {image_shape}; three halvings need at least 8 pixels a side")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        widths = (channels, 8, 16, 32)
        parts: dict[str, nn.Module] = {}
        for k in range(3):
            conv = nn.Conv2d(widths[k], widths[k + 1], 3, padding=1)
            parts[f"conv{k + 1}"] = nn.Sequential(MultiplicativeNoise(std), conv, nn.LeakyReLU(), nn.MaxPool2d(2))
        parts["flat"] = nn.Flatten()
        parts["dense1"] = nn.Sequential(
            MultiplicativeNoise(std), nn.Linear(32 * (height // 8) * (width // 8), 32), nn.LeakyReLU()
        )
        parts["output"] = nn.Sequential(MultiplicativeNoise(std), nn.Linear(32, classes), nn.LogSoftmax(-1))
    module = nn.Sequential()
    for name, part in parts.items():
        module.add_module(name, part)
    return module
