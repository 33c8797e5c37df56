"""The decoder that draws an image from one capsule, all others masked.

Source: Sabour, Frosst & Hinton 2017, section 4.1 and figure 2; initial values: released code.
Pitfall: with the true label at test time the reconstruction leaks it; leave labels out, and the longest capsule is
drawn.
"""

from itertools import pairwise

import torch
from torch import nn

from deeptheory.capsules.initialization import truncated_normal_
from deeptheory.capsules.routing.checks import in_dtype_of
from deeptheory.capsules.vector_layers import check_sizes, sizes_of
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_shapes
from deeptheory.core.vectors import lengths_of
from deeptheory.networks.evaluation.scores import as_labels, check_classes


class Reconstruction(nn.Module):
    """capsules [B, J, d] -> images [B, C, H, W] in (0, 1): fully connected, ReLU between, logistic at the end.

    Source: Sabour et al. 2017, section 4.1 and figure 2. All capsules but one are masked to 0. capsules, dim: J, d.
    image_shape: (C, H, W). widths: of the hidden layers. Weights: truncated normal, std 0.1; biases 0.1 (released).
    InputError: sizes that are no integers above 0.
    """

    def __init__(
        self, capsules: int, dim: int, image_shape: tuple[int, int, int], *, widths: tuple[int, ...] = (512, 1024)
    ):
        super().__init__()
        check_sizes(capsules=capsules, dim=dim)
        widths, shape = sizes_of("widths", widths), sizes_of("image_shape", image_shape)
        if len(shape) != 3:
            raise InputError(f"image_shape is {image_shape!r}; needed: (channels, height, width)")
        self.capsules, self.dim, self.image_shape = capsules, dim, shape
        every = (capsules * dim, *widths)
        layers = [part for a, b in pairwise(every) for part in (nn.Linear(a, b), nn.ReLU())]
        c, h, w = shape
        self.decoder = nn.Sequential(*layers, nn.Linear(every[-1], c * h * w), nn.Sigmoid())
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw truncated normal weights of std 0.1; biases 0.1."""
        for layer in self.decoder:
            if isinstance(layer, nn.Linear):
                truncated_normal_(layer.weight, 0.1)
                nn.init.constant_(layer.bias, 0.1)

    def forward(self, capsules: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """capsules: [B, J, d]; labels: [B], the capsule to draw, or [B, J], factors of all -> [B, C, H, W].

        Images in the dtype of the weights. Labels left out: the longest is drawn. Pitfall: the true label at test time
        leaks into the image.
        InputError: other shapes, no floats, labels that are no capsules (on the CPU).
        """
        if not isinstance(capsules, torch.Tensor) or not capsules.is_floating_point():
            seen = getattr(capsules, "dtype", type(capsules).__name__)
            raise InputError(f"capsules are {seen}; needed: a tensor of floats, [B, J, d]")
        check_shapes(capsules=(capsules, f"B {self.capsules} {self.dim}"))
        if labels is None:
            which = lengths_of(capsules).argmax(-1)
        else:
            which = as_tensor(labels)
            if which.ndim == 1:
                which = as_labels(which, len(capsules))
                check_classes(which, self.capsules)
        if which.ndim == 1:  # one_hot reads values: no vmap
            which = which[:, None] == torch.arange(self.capsules, device=which.device)
        check_shapes(capsules=(capsules, "B J d"), labels=(which, "B J"))
        capsules = in_dtype_of(next(self.decoder.parameters()), capsules)
        drawn = (capsules * which.to(capsules)[:, :, None]).flatten(1)
        return self.decoder(drawn).unflatten(1, self.image_shape)
