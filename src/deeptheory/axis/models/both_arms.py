"""Does the response turn back along an axis, so that both of its ends are alike, as an energy code says?

On skewed features a monotone output of w.s fits nearly as well as a power series of (w.s)^2, which may win though
nothing turns back. So the response is averaged in fifths of the projection onto the energy model's axis, and an energy
code has to show both
arms: the outer fifths differ from the lowest (or highest) inner one in the same direction. The statistic is the smaller
of the two differences in standard errors, of the two signs the better.
"""

import torch

from deeptheory.axis.models.fitting import Fit
from deeptheory.axis.models.generators import Stimuli

Tensor = torch.Tensor
PARTS = 5


def both_arms(stimuli: Stimuli, y: Tensor, energy: Fit, clusters: Tensor | None = None) -> Tensor:
    """[u]: see above; y [u, n] responses, energy: the energy model fitted to them."""
    t = energy.theta @ stimuli.s.mT
    rank = t.argsort(1).argsort(1)
    part = (rank * PARTS).div(t.shape[1], rounding_mode="floor")
    member = torch.nn.functional.one_hot(part, PARTS).to(y)  # [u, n, p]
    count = member.sum(1).clamp_min(1)
    mean = (y[:, None] @ member)[:, 0] / count
    away = member * (y - mean.gather(1, part))[:, :, None] / count[:, None]
    if clusters is not None:
        summed = away.new_zeros(len(away), int(clusters.max()) + 1, PARTS)
        away = summed.index_add_(1, clusters, away)
    cov = away.mT @ away  # [u, p, p]
    found = []
    for sign in (1.0, -1.0):
        inner = (sign * mean[:, 1:-1]).argmin(1) + 1  # where the curve is lowest
        low, units = sign * mean.gather(1, inner[:, None])[:, 0], torch.arange(len(y), device=y.device)
        arms = []
        for end in (0, PARTS - 1):
            spread = cov[:, end, end] + cov[units, inner, inner] - 2 * cov[units, inner, end]
            arms.append((sign * mean[:, end] - low) / spread.clamp_min(1e-30).sqrt())
        found.append(torch.minimum(*arms))
    return torch.maximum(*found)
