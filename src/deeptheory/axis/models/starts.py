"""Where fits begin: closed forms from the moments of the training stimuli, so that few restarts are needed.

Of several thetas the one of the smallest loss is taken, for each unit. Linear: least squares on the generator's rows.
Even: the eigenvector of the response-weighted covariance with the largest eigenvalue by size (spike-triggered
covariance; Schwartz et al. 2006), in whitened coordinates; a cubic can be even, too, and then no linear regression
finds its axis. Exemplar: y = a + b.s + q |s|^2 has its summit at e = -b/(2q); that point, and points along both
directions of the linear axis at several radii, and of the even one at two.
"""

import torch

from deeptheory.axis.models.fitting import Design, loss_at

Tensor = torch.Tensor
_RADII = (0.3, 0.6, 1.0, 1.5, 2.0, 4.0)  # of the median stimulus norm
_EVEN = (1.0, 4.0)
_RIDGE = 1e-3


def start(design: Design, y: Tensor, even: Tensor, bound: float | None = None, hint: Tensor | None = None) -> Tensor:
    """theta [u, d] to begin from; y [u, n]; even: see even_axis; hint: a further theta, of a model within this one."""
    tried = [even] if hint is None else [even, hint]
    if design.generator.distance:
        assert bound is not None
        tried = _points(design, y, even, bound)
    elif design.generator.name != "energy":
        tried.append(regression(design.plain, y))
    losses = torch.stack([loss_at(design, y, theta) for theta in tried])  # [m, u]
    return torch.stack(tried)[losses.argmin(0), torch.arange(len(y), device=y.device)]


def even_axis(design: Design, y: Tensor) -> Tensor:
    """[u, d]: the direction along which the response's curvature is largest; design: one whose rows are the stimuli."""
    s = design.rows
    values, vectors = torch.linalg.eigh(s.mT @ s / len(s))
    whiten = vectors * values.clamp_min(1e-6 * values[-1]).rsqrt()
    weighted = design.gram((y - y.mean(1, keepdim=True)) / len(s))
    size, directions = torch.linalg.eigh(whiten.mT @ weighted @ whiten)
    best = size.abs().argmax(1)
    return directions[torch.arange(len(y), device=y.device), :, best] @ whiten.mT


def regression(rows: Tensor, y: Tensor) -> Tensor:
    """Least squares of y [u, n] on rows [n, d] and a constant, with a grain of ridge: [u, d]."""
    x = rows - rows.mean(0)
    gram = x.mT @ x
    gram = gram + _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    return torch.cholesky_solve((y @ x).mT, torch.linalg.cholesky(gram)).mT


def _points(design: Design, y: Tensor, even: Tensor, bound: float) -> list[Tensor]:
    s, unit = design.stimuli.s, design.stimuli.unit
    summit = _summit(s, design.stimuli.length, y)
    tried = [summit * (bound / summit.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp_max(1)]
    for theta, radii in ((regression(s, y), _RADII), (even, _EVEN)):
        direction = theta / theta.norm(dim=1, keepdim=True).clamp_min(1e-12)
        for radius in radii:
            r = min(radius * unit, bound)
            tried += [direction * r, -direction * r]
    return tried


def _summit(s: Tensor, length: Tensor, y: Tensor) -> Tensor:
    b = regression(torch.cat([s, length.square()[:, None]], 1), y)
    q = b[:, -1:]
    return -b[:, :-1] / (2 * torch.where(q.abs() < 1e-8, torch.full_like(q, 1e-8), q))
