"""The convolutional networks that the two papers measured capsules against.

Source: Sabour, Frosst & Hinton 2017, sections 5 and 6; Hinton, Sabour & Frosst 2018, section 4. The texts leave padding
and pooling open; with "same" padding, and no pooling in the first, the published numbers of parameters come out: 35.4,
24.56, 4.2 million.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from deeptheory.capsules.networks import check_image_shape
from deeptheory.capsules.vector_layers import sizes_of
from deeptheory.core.errors import InputError


def sabour_cnn(
    image_shape: tuple[int, int, int] = (1, 28, 28),
    classes: int = 10,
    *,
    channels: Sequence[int] = (256, 256, 128),
    widths: Sequence[int] = (328, 192),
) -> nn.Sequential:
    """MNIST: convolutions 5x5, stride 1, then dense layers, dropout (.5) before the output; 35,445,522 parameters.

    Source: Sabour et al. 2017, section 5; "same" padding and no pooling are ours. image_shape: (C, H, W); images
    [B, C, H, W] -> logits [B, classes]. channels: of the convolutions; widths: of the dense layers before the output. A
    ReLU follows every layer but the last. InputError: sizes that are no integers above 0, no convolution.
    """
    (c, h, w), channels, widths = _checked(image_shape, classes, channels, widths)
    sizes = [c, *channels]
    convolutions = [part for a, b in pairwise(sizes) for part in (nn.Conv2d(a, b, 5, padding=2), nn.ReLU())]
    return nn.Sequential(*convolutions, nn.Flatten(), *_dense([channels[-1] * h * w, *widths], classes))


def multimnist_cnn(
    image_shape: tuple[int, int, int] = (1, 36, 36),
    classes: int = 10,
    *,
    channels: Sequence[int] = (512, 256),
    widths: Sequence[int] = (1024,),
) -> nn.Sequential:
    """MultiMNIST: 9x9 and 5x5 convolutions, each pooled by two; 24,563,978 parameters.

    Source: Sabour et al. 2017, section 6; "same" padding is ours. image_shape: (C, H, W); images [B, C, H, W] -> logits
    [B, classes], each its own logistic. channels: of the two convolutions; widths: of the dense layers before the
    output. A ReLU follows every layer but the last; there is no dropout. InputError: sizes that are no integers above
    0, not two convolutions, an image too small to be pooled twice.
    """
    return _pooled(image_shape, classes, channels, (9, 5), widths, dropout=0.0)


def hinton_cnn(
    image_shape: tuple[int, int, int] = (2, 32, 32),
    classes: int = 5,
    *,
    channels: Sequence[int] = (32, 64),
    widths: Sequence[int] = (1024,),
) -> nn.Sequential:
    """The convolutional baseline of Hinton et al. 2018 for smallNORB: images [B, C, H, W] -> logits [B, classes].

    Two 5x5 convolutions of `channels`, each pooled by two, dense layers of `widths`, dropout (.5) before the output; a
    ReLU follows every layer but the last. 4,253,349 parameters. Source: its section 4; "same" padding is ours.
    image_shape: (C, H, W). InputError: sizes that are no integers above 0, not two convolutions, an image too small to
    be pooled twice.
    """
    return _pooled(image_shape, classes, channels, (5, 5), widths, dropout=0.5)


def _pooled(image_shape, classes, channels, kernels, widths, dropout) -> nn.Sequential:
    (c, h, w), channels, widths = _checked(image_shape, classes, channels, widths)
    if len(channels) != len(kernels) or min(h, w) < 4:
        raise InputError(
            f"channels are {tuple(channels)} and the image {h}x{w}; needed: two convolutions, and 4x4 pixels or more, "
            "for each is pooled by two"
        )
    layers: list[nn.Module] = []
    for channel, k in zip(channels, kernels):
        layers += [nn.Conv2d(c, channel, k, padding=k // 2), nn.ReLU(), nn.MaxPool2d(2)]
        c, h, w = channel, h // 2, w // 2
    return nn.Sequential(*layers, nn.Flatten(), *_dense([c * h * w, *widths], classes, dropout))


def _checked(image_shape, classes, channels, widths) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """image_shape, channels, widths. InputError: sizes that are no integers above 0, no convolution."""
    check_image_shape(image_shape, classes)
    channels, widths = sizes_of("channels", channels), sizes_of("widths", widths)
    if not channels:
        raise InputError("channels is empty; needed: the channels of one convolution or more")
    return sizes_of("image_shape", image_shape), channels, widths


def _dense(sizes: Sequence[int], classes: int, dropout: float = 0.5) -> list[nn.Module]:
    hidden = [part for a, b in pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
    return [*hidden, *([nn.Dropout(dropout)] if dropout else []), nn.Linear(sizes[-1], classes)]


BASELINES = {"sabour": sabour_cnn, "multimnist": multimnist_cnn, "hinton": hinton_cnn}
