"""The two papers' networks, for any image shape, number of classes, types and depth.

Source: Sabour, Frosst & Hinton 2017, figure 1 and section 4; Hinton, Sabour & Frosst 2018, figure 1 and section 4; `specs` of
released code for what the texts leave out. Each is put together from the layers, and so can yours be.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import nn

from deeptheory.capsules.matrix_layers import ClassCapsules, ConvMatrixCapsules, MatrixPrimary
from deeptheory.capsules.reconstruction import Reconstruction
from deeptheory.capsules.routing.variants import Variant, variant_of
from deeptheory.capsules.vector_layers import Capsules, PrimaryCapsules, truncated_normal_
from deeptheory.errors import InputError
from deeptheory.shapes import check_shapes


class CapsuleOutput(NamedTuple):
    """lengths: [B, classes], in [0, 1). capsules: [B, classes, d]. reconstruction: [B, C, H, W], or None without a decoder."""

    lengths: torch.Tensor
    capsules: torch.Tensor
    reconstruction: torch.Tensor | None


class MatrixCapsuleOutput(NamedTuple):
    """activations: [B, classes], in (0, 1). poses: [B, classes, 4, 4]."""

    activations: torch.Tensor
    poses: torch.Tensor


class CapsuleNetwork(nn.Module):
    """Sabour et al. 2017: convolution, primary capsules, routed capsules, decoder. images [B, C, H, W] -> CapsuleOutput.

    image_shape: (C, H, W). channels, kernel_size: of the convolution, stride 1. primary_types, primary_dim, primary_kernel,
    primary_stride: of the primary capsules. hidden: (capsules, dim) of each routed layer below the last. dim: of the class capsules.
    padding: "valid", or "same" (every convolution padded by half its kernel, as for CIFAR-10). leaky, iterations, detach, backend: see
    `dynamic_routing`. decoder: its hidden widths. released: primary capsules as in the authors' program (see `PrimaryCapsules`).
    forward(images, labels): labels name the capsule that is drawn (training); without them it is the longest (test).
    InputError: an image too small for the kernels.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        reconstruction: bool = True,
        *,
        channels: int = 256,
        kernel_size: int = 9,
        primary_types: int = 32,
        primary_dim: int = 8,
        primary_kernel: int = 9,
        primary_stride: int = 2,
        hidden: Sequence[tuple[int, int]] = (),
        dim: int = 16,
        iterations: int = 3,
        padding: str = "valid",
        leaky: bool = False,
        detach: bool = False,
        decoder: tuple[int, ...] = (512, 1024),
        released: bool = False,
        backend: str = "auto",
    ):
        super().__init__()
        if padding not in ("valid", "same"):
            raise InputError(f"padding is {padding!r}; known: valid, same")
        pads = [k // 2 if padding == "same" else 0 for k in (kernel_size, primary_kernel)]
        first = _shrunk(image_shape[1:], kernel_size, 1, pads[0], "image")
        grid = _shrunk(first, primary_kernel, primary_stride, pads[1], "first convolution's output")
        self.image_shape, self.classes = tuple(image_shape), classes
        self.convolution = nn.Conv2d(image_shape[0], channels, kernel_size, padding=pads[0])
        self.primary = PrimaryCapsules(
            channels, primary_types, primary_dim, primary_kernel, primary_stride, pads[1], released=released
        )
        sizes = [(grid[0] * grid[1] * primary_types, primary_dim), *hidden, (classes, dim)]
        self.capsules = nn.Sequential(
            *(
                Capsules(*below, *above, iterations, leaky=leaky, detach=detach, backend=backend)
                for below, above in pairwise(sizes)
            )
        )
        self.decoder = Reconstruction(classes, dim, image_shape, decoder) if reconstruction else None
        truncated_normal_(self.convolution.weight, 0.05)
        nn.init.constant_(self.convolution.bias, 0.1)  # type: ignore[arg-type]

    def forward(self, images: torch.Tensor, labels: torch.Tensor | None = None) -> CapsuleOutput:
        check_shapes(images=(images, "B {} {} {}".format(*self.image_shape)))
        v = self.capsules(self.primary(self.convolution(images).relu()))
        drawn = None if self.decoder is None else self.decoder(v, labels)
        return CapsuleOutput(torch.linalg.vector_norm(v, dim=-1), v, drawn)


class MatrixCapsuleNetwork(nn.Module):
    """Hinton et al. 2018: convolution, matrix capsules routed by EM. images [B, C, H, W] -> MatrixCapsuleOutput.

    types: A, B, C, D: channels of the convolution, types of the primary capsules, of each convolutional capsule layer (two in the
    paper; any number). kernel_size, strides: of the latter; strides default to 2, then 1. first_kernel, first_stride: of the
    convolution. variant: "paper" or "released" (with normalize="position", no bias and an offset of -1 in the primary capsules), or a
    `Variant`. coordinates, form, presence, schedule, backend: see the layers. Coordinates are receptive fields' centres from the image's, in
    pixels / 100. InputError: an image too small for the kernels, too few types.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (2, 32, 32),
        classes: int = 5,
        types: Sequence[int] = (32, 32, 32, 32),
        *,
        iterations: int = 3,
        kernel_size: int = 3,
        strides: Sequence[int] | None = None,
        first_kernel: int = 5,
        first_stride: int = 2,
        variant: str | Variant = "paper",
        normalize: str | None = None,
        coordinates: bool = True,
        schedule: float | Sequence[float] = 0.01,
        presence: str = "cost",
        form: str = "matrix",
        backend: str = "auto",
    ):
        super().__init__()
        if len(types) < 2:
            raise InputError(
                f"types is {tuple(types)}; it needs at least the convolution's channels and the primary types"
            )
        depth = len(types) - 2
        strides = (2, *[1] * (depth - 1))[:depth] if strides is None else tuple(strides)
        if len(strides) != depth:
            raise InputError(
                f"strides is {strides}; with types {tuple(types)} there are {depth} convolutional capsule layers"
            )
        constants, released = variant_of(variant), variant == "released"
        normalize = ("position" if released else "all") if normalize is None else normalize
        shared = {
            "iterations": iterations,
            "variant": constants,
            "presence": presence,
            "form": form,
            "schedule": schedule,
            "backend": backend,
        }
        self.image_shape, self.classes = tuple(image_shape), classes
        self.convolution = nn.Conv2d(image_shape[0], types[0], first_kernel, first_stride)
        self.primary = MatrixPrimary(types[0], types[1], bias=not released, offset=-1.0 if released else 0.0)
        self.capsules = nn.ModuleList(
            ConvMatrixCapsules(a, b, kernel_size, s, normalize=normalize, **shared)
            for a, b, s in zip(types[1:], types[2:], strides)
        )
        self.classifier = ClassCapsules(types[-1], classes, coordinates=coordinates, **shared)
        self.register_buffer(
            "centres", _centres(image_shape[1:], first_kernel, first_stride, kernel_size, strides), persistent=False
        )
        truncated_normal_(self.convolution.weight, 0.05)
        nn.init.constant_(self.convolution.bias, 0.1)  # type: ignore[arg-type]

    def forward(self, images: torch.Tensor) -> MatrixCapsuleOutput:
        check_shapes(images=(images, "B {} {} {}".format(*self.image_shape)))
        pose, activation = self.primary(self.convolution(images).relu())
        for layer in self.capsules:
            pose, activation = layer(pose, activation)
        pose, activation = self.classifier(pose, activation, self.centres if self.classifier.coordinates else None)
        return MatrixCapsuleOutput(activation, pose)


def _shrunk(size: Sequence[int], kernel: int, stride: int, padding: int, what: str) -> tuple[int, int]:
    """Height and width after a convolution. InputError: nothing is left."""
    h, w = ((n + 2 * padding - kernel) // stride + 1 for n in size)
    if min(h, w) < 1:
        raise InputError(
            f"the {what} is {size[0]}x{size[1]} and the kernel {kernel}x{kernel}: no position is left; use a larger image, a smaller "
            'kernel, or padding="same"'
        )
    return h, w


def _centres(
    size: Sequence[int], first_kernel: int, first_stride: int, kernel: int, strides: Sequence[int]
) -> torch.Tensor:
    """[H, W, 2]: centres of receptive fields on the last grid, from the image's centre, in pixels / 100."""
    steps = [(first_kernel, first_stride), *((kernel, s) for s in strides)]
    grid: tuple[int, ...] = tuple(size)
    for k, s in steps:
        grid = _shrunk(grid, k, s, 0, "grid below a layer")
    axes = []
    for whole, n in zip(size, grid):
        offset, spacing = 0.0, 1
        for k, s in steps:
            offset, spacing = offset + spacing * (k - 1) / 2, spacing * s
        axes.append((offset + spacing * torch.arange(n, dtype=torch.float32) - (whole - 1) / 2) / 100)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
