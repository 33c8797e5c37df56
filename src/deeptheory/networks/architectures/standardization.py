"""A network that standardizes its pictures itself: so that an attack, a crop or a change of light is one of pixels
in [0, 1].
"""

import torch
from torch import nn

from deeptheory.core.errors import InputError


class PerImageStandardization(nn.Module):
    """network((x - mean) / deviation), both over all pixels and channels of an image.

    images: [n, C, H, W] floats in [0, 1]; returns the network's output. network: any module that takes such images. An
    image of one gray value becomes zeros: the deviation (divided by the number of values) is at least 1 / sqrt(number
    of values) on the scale of 0 to 255, as in TensorFlow's per_image_standardization, which the program of Hinton et
    al. 2018 calls. Gradients pass through mean and deviation, which for float16 are computed in float32.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    def forward(self, images: torch.Tensor, *more: torch.Tensor):
        """images: [n, C, H, W] floats -> the network's output; more is handed on to the network as it is.

        InputError: another number of axes (three would pair images with each other), integers.
        """
        if images.ndim != 4 or not images.is_floating_point():
            raise InputError(f"images are {images.dtype} of shape {list(images.shape)}; needed: floats [n, C, H, W]")
        flat = images.flatten(1)
        flat = flat.float() if flat.dtype == torch.float16 else flat  # whose least number is above the least variance
        least = flat.shape[1] ** -0.5 / 255
        deviation = flat.var(1, unbiased=False).clamp(min=least**2).sqrt()
        x = (images - flat.mean(1)[:, None, None, None]) / deviation[:, None, None, None]
        return self.network(x.to(images.dtype), *more)
