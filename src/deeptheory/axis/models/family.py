"""Can these stimuli tell a distance from a projection at all?

|s - e|^2 = |s|^2 - 2 e.s + |e|^2. Where |s|^2 is linear in s (features of equal length about some point: L2-normalized
embeddings, codes of two values, a circle), the distance is a function of a projection, and every exemplar code is an
axis code. The measure is what is left of |s|^2 after its regression on s, beside 2 e.s for an e of typical length: 0
there, .7 for Gaussian features of equal variances in any number of dimensions.
"""

import numpy as np
import torch

from deeptheory.axis.models.generators import typical_length


def one_family(z: torch.Tensor) -> float:
    """See above; z [n, r] centered.

    Infinite where there are too few stimuli for a regression to leave anything by itself.
    """
    n, r = z.shape
    if n < r + 10:
        return float("inf")
    squared = z.square().sum(1)
    design = torch.cat([torch.ones_like(z[:, :1]), z], 1)
    q = torch.linalg.qr(design).Q
    rest = squared - q @ (q.mT @ squared)
    typical = (
        typical_length(z.norm(dim=1)) ** 2 * float(z.square().sum(1).mean()) / r
    )  # |e|^2 times the variance along a random direction
    return float(np.sqrt(float(rest.square().sum()) / (n - r - 1) / (4 * typical)))
