"""Where fits begin: closed forms from the moments of the training stimuli, so that few restarts are needed.

axis, angle, norm x direction: the linear regression on the generator's rows. energy: the eigenvector of the response-
weighted covariance with the largest eigenvalue by size (spike-triggered covariance; Schwartz et al. 2006), in whitened
coordinates. exemplar: y = a + b.s + q |s|^2 has its summit at e = -b/(2q); that point, and points along both directions
of the regression axis at several radii, are tried, and the fit goes on from the best.
"""

from collections.abc import Sequence

import torch

from deeptheory.axis.models.fitting import Design, loss_at

Tensor = torch.Tensor
_RADII = (0.3, 0.6, 1.0, 1.5, 2.0, 4.0)  # of the median stimulus norm
_RIDGE = 1e-3


def start(design: Design, y: Tensor, bound: float | None = None, hints: Sequence[Tensor] = ()) -> Tensor:
    """theta [u, d] to begin from; y [u, n]. hints: further thetas to try, of a model that contains this one."""
    tried = _tried(design, y, bound) + list(hints)
    if len(tried) == 1:
        return tried[0]
    losses = torch.stack([loss_at(design, y, theta) for theta in tried])  # [m, u]
    return torch.stack(tried)[losses.argmin(0), torch.arange(len(y), device=y.device)]


def _tried(design: Design, y: Tensor, bound: float | None) -> list[Tensor]:
    s = design.stimuli.s
    if design.generator.name == "energy":
        return [_even_axis(s, y)]
    if not design.generator.distance:
        return [regression(design.plain, y)]
    assert bound is not None
    axis = regression(s, y)
    axis = axis / axis.norm(dim=1, keepdim=True).clamp_min(1e-12)
    summit = _summit(s, design.stimuli.length, y)
    tried = [summit * (bound / summit.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)]
    for radius in _RADII:
        r = min(radius * design.stimuli.unit, bound)
        tried += [axis * r, -axis * r]
    return tried


def regression(rows: Tensor, y: Tensor) -> Tensor:
    """Least squares of y [u, n] on rows [n, d] and a constant, with a grain of ridge: [u, d]."""
    x = rows - rows.mean(0)
    gram = x.mT @ x
    gram = gram + _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    return torch.cholesky_solve((y @ x).mT, torch.linalg.cholesky(gram)).mT


def _summit(s: Tensor, length: Tensor, y: Tensor) -> Tensor:
    b = regression(torch.cat([s, length.square()[:, None]], 1), y)
    q = b[:, -1:]
    return -b[:, :-1] / (2 * torch.where(q.abs() < 1e-8, torch.full_like(q, 1e-8), q))


def _even_axis(s: Tensor, y: Tensor) -> Tensor:
    x = s - s.mean(0)
    values, vectors = torch.linalg.eigh(x.mT @ x / len(x))
    whiten = vectors * values.clamp_min(1e-6 * values[-1]).rsqrt()
    z = x @ whiten
    centred = y - y.mean(1, keepdim=True)
    weighted = torch.stack([(z * row[:, None]).mT @ z for row in centred]) / len(x)
    size, directions = torch.linalg.eigh(weighted)
    best = size.abs().argmax(1)
    return directions[torch.arange(len(y), device=y.device), :, best] @ whiten.mT
