"""Does the response at a given projection onto the axis still depend on the stimulus's distance from the mean?

An axis code says no; norm x direction says yes, but in a Gaussian cloud of many dimensions so little (the norm varies
by a tenth in 50) that no difference in explained variance betrays it. A score test can: |s|, z |s|, z^2 |s| (z the
projection) are added to the fitted axis model, what its own parameters could have done is projected out (the tangent of
all d + 4, and further powers of z, since no output curve is exactly cubic and |s| holds a part of z), and the rest is
correlated with the residuals. Variances are White's, so that Poisson noise does no harm. 3 degrees of freedom.
Pitfall: of lengths that are all equal, or linear in the features, only rounding is left; its p would be any number.
"""

import torch

from deeptheory.axis.models.fitting import Fit
from deeptheory.axis.models.generators import GENERATORS, Stimuli

Tensor = torch.Tensor
_UNITS = 32


def norm_effect(stimuli: Stimuli, y: Tensor, axis: Fit, clusters: Tensor | None = None) -> Tensor:
    """p [u] of the score test, NaN where |s| says nothing beyond what the axis model says already; y [u, n], axis: the
    axis model fitted to it."""
    from scipy.stats import chi2

    out = []
    for at in range(0, len(y), _UNITS):
        piece = slice(at, at + _UNITS)
        center, spread, least, most = (v[piece] for v in axis.scale)
        scale = (center, spread, least, most)
        fitted = Fit(axis.theta[piece], axis.coefficients[piece], scale, axis.loss[piece], axis.converged[piece], 0)
        out.append(_statistic(stimuli, y[piece].double(), fitted, clusters))
    statistic = torch.cat(out)
    return torch.as_tensor(chi2.sf(statistic.cpu().numpy(), 3), dtype=y.dtype, device=y.device)


def _statistic(stimuli: Stimuli, y: Tensor, axis: Fit, clusters: Tensor | None) -> Tensor:
    basis = GENERATORS["axis"].basis(axis.theta, axis.theta @ stimuli.s.mT, stimuli, axis.scale)
    phi = basis.phi.double()
    residual = y - torch.einsum("ub,ubn->un", axis.coefficients.double(), phi)
    slope = basis.slope(axis.coefficients).double()
    length = (stimuli.length / stimuli.length.mean() - 1).double()
    added = phi[:, :3] * length  # [u, 3, n]
    z = phi[:, 1:2]
    further = torch.cat([z**4, z**5, z**6], 1)
    further = further / further.square().mean(2, keepdim=True).sqrt()
    tangent = torch.cat([phi, further, slope[:, None] * stimuli.s.double().mT], 1)  # [u, 7 + d, n]
    gram = tangent @ tangent.mT
    gram = gram + 1e-8 * gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(gram.shape[1]).to(gram)
    root = torch.linalg.cholesky(gram)
    before = added.square().sum(2)
    added = added - torch.cholesky_solve(tangent @ added.mT, root).mT @ tangent
    nothing = (added.square().sum(2) <= 1e-12 * before).all(1) | (length.square().mean() < 1e-20)
    moment = (added * residual[:, None]).sum(2)
    weighted = added * residual[:, None]
    if clusters is not None:
        summed = weighted.new_zeros(*weighted.shape[:2], int(clusters.max()) + 1)
        weighted = summed.index_add_(2, clusters, weighted)
    spread = weighted @ weighted.mT
    spread = spread + 1e-12 * spread.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(3).to(spread)
    spread[nothing] = torch.eye(3).to(spread)
    return (moment * torch.linalg.solve(spread, moment)).sum(1).masked_fill(nothing, torch.nan)
