"""The length of a capsule, the probability that its entity is there, as a layer: the last one of a classifier.

Source: Sabour, Frosst & Hinton 2017, section 3.
"""

import torch
from torch import nn

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.vectors import lengths_of


class Lengths(nn.Module):
    """capsules [..., J, q] -> Euclidean lengths [..., J], the probabilities of presence.

    Source: Sabour et al. 2017, section 3. float32 or better inside, the dtype of the capsules outside, of whatever
    unit. The gradient of a capsule of length 0 is 0.
    """

    def forward(self, capsules: torch.Tensor) -> torch.Tensor:
        """capsules: [..., J, q] -> [..., J], NaN and infinite where they are.

        InputError: no floats, fewer than two axes.
        """
        capsules = as_tensor(capsules)
        if capsules.ndim < 2 or not capsules.is_floating_point():
            raise InputError(
                f"capsules are {capsules.dtype} of shape {list(capsules.shape)}; needed: floats [..., J, q]"
            )
        return lengths_of(capsules)
