"""Does the tuning curve turn back on its way up? Positive evidence that it does not, or that it does, or neither.

The axis of each fold comes from the other folds, so that the curve is not made of the noise that chose it. A cubic
spline with a knot every half standard deviation is fitted to the held-out projections; a drop is f(a) - f(b) for a
below b. That no drop exceeds a share of the range is shown where each pair by itself is below it at 95 % (an
intersection-union test, Berger 1982: no correction is needed, and the largest of many noisy drops is not taken for
one). Variances are White's.
Pitfall: a polynomial of low order smooths a reversal away; few stimuli beyond 2 standard deviations say nothing of the
curve there.
"""

import numpy as np
import torch

from deeptheory.axis.bench.validation import Entered

WITHIN = 0.15  # of the curve's range
REACH = 2.0  # standard deviations of the projection
_KNOTS = np.arange(-1.5, 1.51, 0.5)
_GRID = 41
_CHUNK = 64


def reversals(e: Entered, seed: int, folds: int = 10) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(reversal, its upper limit, shape) [unit]; see Ramp."""
    x = held_out_projection(e, seed, folds)
    parts = [_reversals(e, x[:, at : at + _CHUNK], e.y[:, at : at + _CHUNK]) for at in range(0, x.shape[1], _CHUNK)]
    return tuple(np.concatenate(p) for p in zip(*parts))  # type: ignore[return-value]


def held_out_projection(e: Entered, seed: int, folds: int) -> torch.Tensor:
    """[n, unit]: each stimulus along the axis that the other folds gave, in standard deviations of the projection."""
    z, n = e.z, len(e.z)
    out = torch.empty_like(e.y)
    for train, test in e.dependence.folds(min(folds, n), seed):
        a, b = z[train], e.y[train]
        middle = a.mean(0)
        a, b = a - middle, b - b.mean(0)
        gram = a.mT @ a
        grain = 0.1 * a.shape[1] / len(a)  # of ridge, felt where stimuli are few
        gram = gram + grain * gram.diagonal().mean() * torch.eye(len(gram)).to(gram)
        w = torch.linalg.solve(gram, a.mT @ b)
        along = a @ w
        out[test] = (z[test] - middle) @ w / along.std(0, correction=0).clamp_min(1e-300)
    return out


def _reversals(e: Entered, x: torch.Tensor, y: torch.Tensor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy.stats import norm

    y = ((y - y.mean(0)) / y.std(0, correction=0)).mT  # [u, n]
    inside = (x.abs() <= REACH + 0.25).mT.to(y)
    phi = _spline(x.mT.clamp(-REACH - 0.25, REACH + 0.25)) * inside[:, :, None]  # [u, n, b]
    gram = phi.mT @ phi
    gram = gram + 1e-6 * gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * torch.eye(gram.shape[1]).to(gram)
    inverse = torch.linalg.inv(gram)
    coefficients = inverse @ (phi.mT @ y[:, :, None])
    residual = (y - (phi @ coefficients)[:, :, 0]) * inside
    weight = (residual[:, :, None] * phi) @ inverse  # [u, n, b]: influence of each stimulus on the coefficients
    if (clusters := e.clusters) is not None:
        summed = weight.new_zeros(len(weight), int(clusters.max()) + 1, weight.shape[2])
        weight = summed.index_add_(1, clusters, weight)
    count = (inside.sum(1) - phi.shape[2]).clamp_min(1)
    covariance = weight.mT @ weight * (inside.sum(1) / count)[:, None, None]
    ends = torch.as_tensor(np.linspace(-REACH, REACH, _GRID)).to(y)
    grid = _spline(ends[None])[0]  # [g, b]
    curve = coefficients[:, :, 0] @ grid.mT  # [u, g]
    high, low = curve.argmax(1), curve.argmin(1)
    span = grid[high] - grid[low]  # [u, b]
    size = (span * coefficients[:, :, 0]).sum(1)
    a, b = torch.triu_indices(_GRID, _GRID, 1).to(y.device)
    drop = curve[:, a] - curve[:, b]
    each = (grid[a] - grid[b])[None]
    vdrop = torch.einsum("pb,ubc,pc->up", each[0], covariance, each[0])
    vspan = torch.einsum("ub,ubc,uc->u", span, covariance, span)
    both = torch.einsum("pb,ubc,uc->up", each[0], covariance, span)

    # drop - share * size is below 0 at 95 % for every share above Fieller's upper limit of drop / size
    z2 = float(norm.isf(0.05)) ** 2
    lead = (size.square() - z2 * vspan)[:, None]
    middle = size[:, None] * drop - z2 * both
    root = (middle.square() - lead * (drop.square() - z2 * vdrop)).clamp_min(0).sqrt()
    limit = torch.where(lead > 0, (middle + root) / lead.clamp_min(1e-300), torch.inf).amax(1).clamp_min(0)
    excess = drop - WITHIN * size[:, None]
    spread = (vdrop - 2 * WITHIN * both + WITHIN**2 * vspan[:, None]).clamp_min(0).sqrt()
    known = size > 5 * vspan.sqrt()  # ends picked among many: of noise alone they differ by 3 to 4 errors
    turns = known & (excess > 3 * spread).any(1)
    reversal = (drop.amax(1) / size.clamp_min(1e-300)).clamp_min(0)
    said = np.full(len(y), "undetermined", dtype=object)
    said[turns.cpu().numpy()] = "reverses"
    said[(limit < WITHIN).cpu().numpy()] = "monotone"
    return reversal.cpu().numpy(), limit.cpu().numpy(), said.astype(str)


def _spline(x: torch.Tensor) -> torch.Tensor:
    """Cubic B-splines on [-2.25, 2.25] with knots at _KNOTS: [..., n] -> [..., n, b]."""
    edge = REACH + 0.25
    knots = np.concatenate([[-edge] * 4, _KNOTS, [edge] * 4])
    t = torch.as_tensor(knots).to(x)
    x = x.clamp(-edge, edge - 1e-9)[..., None]
    b = ((x >= t[:-1]) & (x < t[1:])).to(x)
    for k in range(1, 4):
        left, right = t[k:-1] - t[: -k - 1], t[k + 1 :] - t[1:-k]
        first = torch.where(left > 0, (x - t[: -k - 1]) / left.clamp_min(1e-12), torch.zeros_like(x))
        second = torch.where(right > 0, (t[k + 1 :] - x) / right.clamp_min(1e-12), torch.zeros_like(x))
        b = first * b[..., :-1] + second * b[..., 1:]
    return b
