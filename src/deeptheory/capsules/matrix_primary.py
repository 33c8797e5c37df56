"""Matrix capsules from a convolution: where a network of them begins.

Source: Hinton, Sabour & Frosst 2018, section 4; initial values: the authors' released code.
"""

import math

import torch
from torch import nn

from deeptheory.capsules.initialization import check_init, poses_
from deeptheory.capsules.routing.checks import check_layer_input, in_dtype_of
from deeptheory.capsules.routing.variants import Init
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.vector_layers import check_sizes
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real


class MatrixPrimary(nn.Module):
    """1x1 convolution to poses and activations (Hinton et al. 2018, section 4).

    [B, C, H, W], C in_channels -> pose [B, H, W, types, 4, 4], linear, activation [B, H, W, types], logistic, in (0,
    1). pose_size: side of a pose, 4 in the paper. bias: off in the released code. offset: added to the activation's
    logit, -1 in the released code. init: truncated normal weights, "paper": std 0.5 for poses, 3 for activations;
    "scaled": 1 and 4 over the root of C; biases 0. InputError: sizes below 1, another init, no finite offset.
    """

    def __init__(
        self,
        in_channels: int,
        types: int,
        pose_size: int = 4,
        *,
        bias: bool = True,
        offset: float = 0.0,
        init: Init = "paper",
    ):
        super().__init__()
        check_sizes(in_channels=in_channels, types=types, pose_size=pose_size)
        check_init(init)
        check_real(offset=(offset, -math.inf))
        self.init = init
        self.types, self.pose_size, self.offset = types, pose_size, offset
        self.pose = nn.Conv2d(in_channels, types * pose_size**2, 1, bias=bias)
        self.activation = nn.Conv2d(in_channels, types, 1, bias=bias)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again as `init` says; biases 0."""
        poses_(self.pose, self.activation, self.init)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """x: [B, C, H, W] -> pose, activation (float32 or better), as the class says.

        InputError: another shape, no cell.
        """
        x = in_dtype_of(self.pose.weight, check_layer_input("x", x, f"B {self.pose.in_channels} H W"))
        if x.shape[2] == 0 or x.shape[3] == 0:
            raise InputError(f"x has shape {list(x.shape)}; needed: [B, C, H, W] with at least one cell")
        pose = self.pose(x).unflatten(1, (self.types, self.pose_size, self.pose_size)).permute(0, 4, 5, 1, 2, 3)
        logit = at_least_float32(self.activation(x)) + self.offset
        return pose, logit.sigmoid().permute(0, 2, 3, 1)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        return f"types={self.types}"
