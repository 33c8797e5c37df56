"""Does the response turn back along an axis, so that both of its ends are alike, as an energy code says?

On skewed features a monotone output of w.s fits nearly as well as a power series of (w.s)^2, which may win though
nothing turns back. So the response is averaged in fifths of the projection onto the energy model's axis, and an energy
code has to show both
arms: the outer fifths differ from the lowest (or highest) inner one in the same direction. The statistic is the smaller
of the two differences in standard errors, of the two signs the better. Stimuli of one projection stay in one part, that
of their mean rank, or their order in the table would deal them out; without a part between the outer two nothing turns.
"""

import torch

from deeptheory.axis.models.fitting import Fit
from deeptheory.axis.models.generators import Stimuli

Tensor = torch.Tensor
PARTS = 5


def both_arms(stimuli: Stimuli, y: Tensor, energy: Fit, clusters: Tensor | None = None) -> Tensor:
    """[u]: see above; y [u, n] responses, energy: the energy model fitted to them."""
    part = _parts(energy.theta @ stimuli.s.mT)
    member = torch.nn.functional.one_hot(part, PARTS).to(y)  # [u, n, p]
    count = member.sum(1)
    empty = count == 0
    count = count.clamp_min(1)
    mean = (y[:, None] @ member)[:, 0] / count
    away = member * (y - mean.gather(1, part))[:, :, None] / count[:, None]
    if clusters is not None:
        summed = away.new_zeros(len(away), int(clusters.max()) + 1, PARTS)
        away = summed.index_add_(1, clusters, away)
    cov = away.mT @ away  # [u, p, p]
    units, place = torch.arange(len(y), device=y.device), torch.arange(PARTS, device=y.device)
    first, last = part.amin(1), part.amax(1)
    outside = empty | (place <= first[:, None]) | (place >= last[:, None])
    found = []
    for sign in (1.0, -1.0):
        inner = (sign * mean).masked_fill(outside, torch.inf).argmin(1)  # where the curve is lowest
        low = sign * mean[units, inner]
        arms = []
        for end in (first, last):
            spread = cov[units, end, end] + cov[units, inner, inner] - 2 * cov[units, inner, end]
            arms.append((sign * mean[units, end] - low) / spread.clamp_min(1e-30).sqrt())
        found.append(torch.minimum(*arms))
    return torch.maximum(*found).masked_fill(outside.all(1), 0)


def _parts(t: Tensor) -> Tensor:
    """[u, n]: the fifth of each projection t [u, n], equal ones (but for rounding) in that of their mean rank."""
    rising, order = t.sort(1)
    new = torch.ones_like(order, dtype=torch.bool)
    new[:, 1:] = rising.diff(dim=1) > 1e-13 * t.abs().amax(1, keepdim=True)
    group = new.cumsum(1) - 1  # of ties, in rising order
    size = torch.zeros_like(group).scatter_add_(1, group, torch.ones_like(group))
    beyond = size.cumsum(1)
    twice = (2 * beyond - size - 1).gather(1, group)  # the first rank of a group and its last
    fifth = (twice * PARTS).div(2 * t.shape[1], rounding_mode="floor")
    return torch.empty_like(order).scatter_(1, order, fifth)
