"""The two papers' networks, for any image shape, number of classes, types and depth.

Source: Sabour, Frosst & Hinton 2017, figure 1 and section 4; Hinton, Sabour & Frosst 2018, figure 1 and section 4;
`specs` of released code for what the texts leave out. Each is put together from the layers, and so can yours be.
"""

import math
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from deeptheory.capsules.initialization import check_init, features_
from deeptheory.capsules.matrix_layers import ClassCapsules, ConvMatrixCapsules, Form
from deeptheory.capsules.matrix_primary import MatrixPrimary
from deeptheory.capsules.reconstruction import Reconstruction
from deeptheory.capsules.routing.backends import Backend
from deeptheory.capsules.routing.checks import in_dtype_of
from deeptheory.capsules.routing.em import Presence
from deeptheory.capsules.routing.variants import Init, Variant, VariantName, variant_of
from deeptheory.capsules.vector_layers import Capsules, PrimaryCapsules, check_sizes, sizes_of
from deeptheory.capsules.windows import Normalize, Padding
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_shapes, check_whole
from deeptheory.core.vectors import lengths_of

_LARGE = 100_000_000  # weights
_PAPER_DECODER = (512, 1024)  # widths of its hidden layers
_SAME = ', or padding="same"'


class CapsuleOutput(NamedTuple):
    """lengths: [B, classes], |capsules|, in [0, 1): the probability that the class is there.

    capsules: [B, classes, d]. reconstruction: [B, C, H, W], in (0, 1), or None without a decoder.
    """

    lengths: torch.Tensor
    capsules: torch.Tensor
    reconstruction: torch.Tensor | None


class MatrixCapsuleOutput(NamedTuple):
    """activations: [B, classes], in (0, 1), each on its own. poses: [B, classes, 4, 4], the means of the votes.

    With presence="mass" the activations of an image add up to 1.
    """

    activations: torch.Tensor
    poses: torch.Tensor


class Primary(NamedTuple):
    """The primary capsules of a `CapsuleNetwork`, by default those of Sabour et al. 2017.

    types at each cell, dim: numbers of each; kernel_size, stride: of their convolution; reference_code: see
    `PrimaryCapsules`.
    """

    types: int = 32
    dim: int = 8
    kernel_size: int = 9
    stride: int = 2
    reference_code: bool = False


class CapsuleNetwork(nn.Module):
    """Sabour et al. 2017: convolution, primary capsules, routed capsules, decoder.

    images [B, C, H, W] -> CapsuleOutput. Source: its figure 1 and section 4; 8,215,728 parameters by default, 6,804,384
    without the decoder. The ledger counts 160 fewer: only the released program gives the class capsules a bias.

    image_shape: (C, H, W). classes: how many. reconstruction: with a decoder; or the widths of its hidden layers, (512,
    1024) in the paper. channels, kernel_size: of the convolution, stride 1. primary: `Primary(types, dim, kernel_size,
    stride, reference_code)`. hidden: (capsules, dim) of each routed layer below the last. dim: of the class capsules.
    padding: "valid", or "same" (every convolution padded by half its kernel, as for CIFAR-10). leaky, iterations,
    detach, backend: see `dynamic_routing`.
    init: "scaled", with which any number of hidden layers learns, or "paper", the released code's initial values, with
    which two do not.
    forward(images, labels): labels name the capsule that is drawn (training); without them it is the longest (test).
    More than 100 million weights are a UserWarning that says where they lie: each capsule of the primary grid has
    weights of its own to each parent, so that their number grows with the area of the image (with the decoder, 10^8 at
    98 x 98 pixels of three channels, 6 10^8 at 224 x 224).
    InputError: an image_shape that is no (C, H, W), an image too small for the kernels, sizes or iterations below 1,
    another padding, init or backend.
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] = (1, 28, 28),
        classes: int = 10,
        reconstruction: bool | Sequence[int] = True,
        *,
        channels: int = 256,
        kernel_size: int = 9,
        primary: Primary = Primary(),  # noqa: B008  # a named tuple does not change
        hidden: Sequence[tuple[int, int]] = (),
        dim: int = 16,
        iterations: int = 3,
        padding: Padding = "valid",
        leaky: bool = False,
        detach: bool = False,
        init: Init = "scaled",
        backend: Backend = "auto",
    ):
        super().__init__()
        image_shape = check_image_shape(image_shape, classes)
        check_init(init)
        check_sizes(channels=channels, dim=dim)
        hidden = _hidden(hidden)
        if padding not in ("valid", "same"):
            raise InputError(f"padding is {padding!r}; known: valid, same")
        if not isinstance(primary, Primary):
            raise InputError(f"primary is {primary!r}; needed: dt.capsules.Primary(types=32, dim=8, ...)")
        widths = _decoder_widths(reconstruction)
        pads = [k // 2 if padding == "same" and _is_size(k) else 0 for k in (kernel_size, primary.kernel_size)]
        first = _shrunk(image_shape[1:], kernel_size, 1, pads[0], "image", _SAME)
        grid = _shrunk(first, primary.kernel_size, primary.stride, pads[1], "first convolution's output", _SAME)
        self.image_shape, self.classes = image_shape, classes
        self.convolution = nn.Conv2d(image_shape[0], channels, kernel_size, padding=pads[0])
        self.primary = PrimaryCapsules(
            channels,
            primary.types,
            primary.dim,
            kernel_size=primary.kernel_size,
            stride=primary.stride,
            padding=pads[1],
            reference_code=primary.reference_code,
            init=init,
        )
        sizes = [(grid[0] * grid[1] * primary.types, primary.dim), *hidden, (classes, dim)]
        _say_if_large(sizes, grid, classes * dim, image_shape, widths)
        self.capsules = nn.Sequential(
            *(
                Capsules(*below, *above, iterations=iterations, leaky=leaky, detach=detach, backend=backend, init=init)
                for below, above in pairwise(sizes)
            )
        )
        self.decoder = Reconstruction(classes, dim, self.image_shape, widths=widths) if widths is not None else None
        features_(self.convolution, init)

    def forward(self, images: torch.Tensor, labels: torch.Tensor | None = None) -> CapsuleOutput:
        """images: [B, C, H, W] floats of `image_shape`; labels: [B] or a mask [B, classes], of whom to draw.

        None: the longest. -> CapsuleOutput, in the dtype of the weights. InputError: no tensor of that shape, integers,
        labels that are no classes, NaN or infinity (on the CPU).
        """
        images = check_images(images, self.image_shape, self.convolution.weight)
        v = self.capsules(self.primary(self.convolution(images).relu()))
        drawn = None if self.decoder is None else self.decoder(v, labels)
        return CapsuleOutput(lengths_of(v), v, drawn)


class MatrixCapsuleNetwork(nn.Module):
    """Hinton et al. 2018: convolution, matrix capsules routed by EM. images [B, C, H, W] -> MatrixCapsuleOutput.

    Source: its figure 1 and section 4; 317,194 parameters by default. image_shape: (C, H, W). classes: how many. types:
    A, B, C, D: channels of the convolution, types of the primary capsules, of each convolutional capsule layer (two in
    the paper; any number). kernel_size, strides: of the latter; strides default to 2, then 1. first_kernel,
    first_stride: of the convolution. variant: "balanced", the one that learns in small networks, "paper", Procedure 1
    to the letter, "reference_code" (with normalize="position", no bias and an offset of -1 in the primary capsules), or
    a `Variant`. normalize: None: "all", but for "reference_code". iterations, coordinates, form, presence, schedule,
    backend: see `ConvMatrixCapsules` and `ClassCapsules`. `centers` [H, W, 2] are those of receptive fields from the
    image's, in pixels / 100; they are the coordinates, but where votes begin with the scale of 1 ("balanced"), `reach`
    times larger: in halves of the image's longer side. InputError: an image too small for the kernels, fewer than two
    types, another number of strides, sizes or iterations below 1, another choice.
    """

    centers: torch.Tensor

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
        variant: VariantName | Variant = "balanced",
        normalize: Normalize | None = None,
        coordinates: bool = True,
        schedule: float | Sequence[float] = 0.01,
        presence: Presence = "cost",
        form: Form = "matrix",
        backend: Backend = "auto",
    ):
        super().__init__()
        image_shape, types = check_image_shape(image_shape, classes), sizes_of("types", types)
        if len(types) < 2:
            raise InputError(f"types is {types}; it needs at least the convolution's channels and the primary types")
        depth = len(types) - 2
        strides = (2, *[1] * (depth - 1))[:depth] if strides is None else sizes_of("strides", strides)
        if len(strides) != depth:
            raise InputError(
                f"strides is {strides}; with types {tuple(types)} there are {depth} convolutional capsule layers"
            )
        steps = [(first_kernel, first_stride), *((kernel_size, s) for s in strides)]
        grids = _grids(image_shape[1:], steps)
        constants, released = variant_of(variant), variant == "reference_code"
        normalize = ("position" if released else "all") if normalize is None else normalize
        shared = {
            "iterations": iterations,
            "variant": constants,
            "presence": presence,
            "form": form,
            "schedule": schedule,
            "backend": backend,
        }
        self.image_shape, self.classes = image_shape, classes
        self.convolution = nn.Conv2d(image_shape[0], types[0], first_kernel, first_stride)
        self.primary = MatrixPrimary(
            types[0], types[1], bias=not released, offset=-1.0 if released else 0.0, init=constants.init
        )
        cells = [h * w for h, w in grids[1:]]
        capsules = [*(n * t for n, t in zip(cells, types[1:])), classes]
        shares = [below / above for below, above in pairwise(capsules)]
        self.capsules = nn.ModuleList(
            ConvMatrixCapsules(a, b, kernel_size, stride=s, normalize=normalize, children_per_parent=share, **shared)
            for a, b, s, share in zip(types[1:], types[2:], strides, shares)
        )
        self.classifier = ClassCapsules(
            types[-1], classes, coordinates=coordinates, children_per_parent=shares[-1], **shared
        )
        self.register_buffer("centers", _centers(image_shape[1:], steps), persistent=False)
        self.reach = 200 / max(image_shape[1:]) if constants.init == "scaled" else 1.0
        features_(self.convolution, constants.init)

    def forward(self, images: torch.Tensor) -> MatrixCapsuleOutput:
        """images: [B, C, H, W] floats of `image_shape` -> MatrixCapsuleOutput, in the dtype of the weights.

        InputError: no tensor of that shape, integers, NaN or infinity (on the CPU).
        """
        images = check_images(images, self.image_shape, self.convolution.weight)
        pose, activation = self.primary(self.convolution(images).relu())
        for layer in self.capsules:
            pose, activation = layer(pose, activation)
        where = self.reach * self.centers if self.classifier.coordinates else None
        pose, activation = self.classifier(pose, activation, where)
        return MatrixCapsuleOutput(activation, pose)


def _decoder_widths(reconstruction: Any) -> tuple[int, ...] | None:
    """Of the decoder's hidden layers; None: no decoder. InputError: neither true or false nor widths."""
    if isinstance(reconstruction, bool | np.bool_):
        return _PAPER_DECODER if reconstruction else None
    if not isinstance(reconstruction, Sequence) or not all(_is_size(n) for n in reconstruction):
        raise InputError(f"reconstruction is {reconstruction!r}; needed: True, False or widths such as (512, 1024)")
    return tuple(int(n) for n in reconstruction)


def _is_size(n: Any) -> bool:
    try:
        check_whole(n=(n, 1))
    except InputError:
        return False
    return True


def _hidden(hidden: Any) -> list[tuple[int, int]]:
    """(capsules, dimensions) of each layer, as Python's own integers. InputError: anything else."""
    try:
        pairs: list[tuple[Any, ...]] = [tuple(pair) for pair in hidden]
    except TypeError:
        pairs = [()]
    if not all(len(pair) == 2 and all(_is_size(n) for n in pair) for pair in pairs):
        raise InputError(
            f"hidden is {hidden!r}; needed: (capsules, dimensions) of each hidden layer, such as [(16, 8)]"
        )
    return [(int(pair[0]), int(pair[1])) for pair in pairs]


def check_image_shape(image_shape: Any, classes: Any) -> tuple[int, int, int]:
    """(C, H, W) as Python's own integers. InputError: no such integers above 0; classes below 1."""
    sizes = tuple(image_shape) if isinstance(image_shape, Sequence) else ()
    if len(sizes) != 3 or not all(_is_size(n) for n in sizes):
        gray = f"; for gray pictures of {sizes[0]}x{sizes[1]}: {(1, *sizes)}" if len(sizes) == 2 else ""
        raise InputError(f"image_shape is {image_shape!r}; needed: (channels, height, width){gray}")
    if not _is_size(classes):
        raise InputError(f"classes is {classes!r}; needed: an integer of 1 or more")
    return int(sizes[0]), int(sizes[1]), int(sizes[2])


def check_images(images: Any, image_shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """images in the dtype of the weights (autocast has its own). InputError: no tensor of floats [B, C, H, W]."""
    if not isinstance(images, torch.Tensor):
        raise InputError(f"images are {type(images).__name__}; needed: a tensor, torch.as_tensor(images)")
    if tuple(images.shape) == tuple(image_shape):
        raise InputError(f"images has shape {list(images.shape)}, one picture without a batch; needed: images[None]")
    check_shapes(images=(images, "B {} {} {}".format(*image_shape)))
    if not images.is_floating_point():
        raise InputError(
            f"images are {images.dtype}; needed: floats, such as dt.datasets.downsample(images) gives, in [0, 1]"
        )
    return in_dtype_of(like, images)


def _say_if_large(
    sizes: Sequence[Sequence[int]],
    grid: Sequence[int],
    drawn_from: int,
    image_shape: Sequence[int],
    decoder: Sequence[int] | None,
) -> None:
    routed = [a * b * c * d for (a, b), (c, d) in pairwise(sizes)]
    widths = () if decoder is None else (drawn_from, *decoder, math.prod(image_shape))
    drawing = sum(a * b for a, b in pairwise(widths))
    if sum(routed) + drawing <= _LARGE:
        return
    parts = [
        f"{routed[0] / 1e6:.0f} million from the {sizes[0][0]:,} primary capsules of a grid of {grid[0]}x{grid[1]}"
    ]
    parts += [f"{drawing / 1e6:.0f} million in the decoder"] if drawing > _LARGE / 10 else []
    warnings.warn(
        f"this network has {(sum(routed) + drawing) / 1e6:.0f} million weights in routed layers and "
        f"decoder ({' and '.join(parts)}), "
        f"{4 * (sum(routed) + drawing) / 1e9:.1f} GB, four times that with Adam; smaller images, a larger "
        "primary.stride, fewer "
        "primary.types or reconstruction=False make it smaller",
        stacklevel=3,
    )


def _shrunk(size: Sequence[int], kernel: int, stride: int, padding: int, what: str, more: str = "") -> tuple[int, int]:
    """Height and width after a convolution. InputError: nothing is left; a kernel or stride below 1."""
    if not (_is_size(kernel) and _is_size(stride)):
        raise InputError(
            f"the kernel over the {what} is {kernel!r} and its stride {stride!r}; needed: integers above 0"
        )
    h, w = ((n + 2 * padding - kernel) // stride + 1 for n in size)
    if min(h, w) < 1:
        raise InputError(
            f"the {what} is {size[0]}x{size[1]} and the kernel {kernel}x{kernel}: no position is left; use a "
            "larger image or a smaller "
            f"kernel{more}"
        )
    return h, w


def _grids(size: Sequence[int], steps: Sequence[tuple[int, int]]) -> list[Sequence[int]]:
    """(height, width) of the image and after each (kernel, stride)."""
    grids: list[Sequence[int]] = [size]
    for k, s in steps:
        grids.append(_shrunk(grids[-1], k, s, 0, "grid below a layer"))
    return grids


def _centers(size: Sequence[int], steps: Sequence[tuple[int, int]]) -> torch.Tensor:
    """[H, W, 2]: centers of receptive fields on the last grid, from the image's center, in pixels / 100."""
    axes = []
    for whole, n in zip(size, _grids(size, steps)[-1]):
        offset, spacing = 0.0, 1
        for k, s in steps:
            offset, spacing = offset + spacing * (k - 1) / 2, spacing * s
        axes.append((offset + spacing * torch.arange(n, dtype=torch.float32) - (whole - 1) / 2) / 100)
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1)
