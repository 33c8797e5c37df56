"""Blahut-Arimoto iterations of the bottleneck, in the log domain, for many betas and starts as one tensor.

Source: Tishby, Pereira & Bialek 1999: p(t|x) = p(t)/Z exp(-beta KL[p(y|x) || p(y|t)]), with p(t) and p(y|t) from it.
With alpha below 1 the Lagrangian is H(T) - alpha H(T|X) - beta I(T;Y) (Strouse & Schwab 2017), p(t|x) goes as
exp((log p(t) - beta KL) / alpha), and alpha = 0 is the deterministic bottleneck: each x to its best cluster.
Pitfall: for a fixed number of clusters this is not convex; what is found depends on the start. Hence restarts, and
annealing from both ends. Kernels work on torch tensors [..., n, k] float64, any device, natural logarithms.
"""

from typing import Any

import numpy as np
import torch

from deeptheory.information.bottleneck.joint import Joint

_NO = -1e30  # stands for log 0: times 0 it is 0, and it loses every comparison
_FAINT = 1e-4  # of p(y)
_LEAST_ALPHA = 1e-3  # below it the exponent is one cluster's alone: alpha = 0 is meant


def step(p, q, qlq, log_w, log_r, beta, alpha):
    """One iteration: encoder [..., n, k] of the old p(t), p(y|t); then the new log p(t) [..., k],
    log p(y|t) [..., k, m]."""
    distance = qlq[:, None] - q @ log_r.transpose(-1, -2)  # [..., n, k]
    center = _center(p, q)
    if center is not None:  # rounding of sums that should be 1 is of first order, a divergence of second
        distance = distance + (center * log_r.expm1()).sum(-1).unsqueeze(-2)
    distance = distance.clamp(max=-_NO)
    score = log_w.unsqueeze(-2) - beta * distance
    if alpha < _LEAST_ALPHA:
        encoder = torch.nn.functional.one_hot(score.argmax(-1), score.shape[-1]).to(q)
    else:
        encoder = (score / alpha).softmax(-1)
    return encoder, *update(p, q, encoder)


def update(p, q, encoder):
    """log p(t) and log p(y|t), or log p(y|t) / p(y) where that is `_center`, of an encoder."""
    held = encoder * p[:, None]
    w = held.sum(-2)
    r = held.transpose(-1, -2) @ q / w.clamp(min=1e-300).unsqueeze(-1)
    center = _center(p, q)
    return _log(w), _log(r) if center is None else _log_ratio(r, center)


def _center(p, q):
    """p(y) where all p(y|x) are so near to it that logarithms are taken over it, else None: divergences of 1e-14 nats
    are lost in the difference of sums of logarithms."""
    p_y = p @ q
    return p_y if bool(((q - p_y).abs() <= _FAINT * p_y).all()) else None


def _log_ratio(v, center):
    return torch.where(v > 0, ((v - center) / center).clamp(min=-0.5).log1p(), _NO)


def _log(v: torch.Tensor) -> torch.Tensor:
    return torch.where(v > 0, v.clamp(min=1e-300).log(), _NO)


def values(p, q, encoder, beta, alpha):
    """I(X;T), I(T;Y), H(T) and H(T) - alpha H(T|X) - beta I(T;Y), nats, each [...]."""
    log_w, log_r = update(p, q, encoder)
    w = log_w.exp()
    h_t = -(w * log_w).sum(-1)
    noise = -(p[:, None] * torch.special.xlogy(encoder, encoder)).sum((-1, -2))
    center = _center(p, q)
    if center is None:
        h_y = -torch.special.xlogy(p @ q, p @ q).sum()
        i_y = h_y + (w * (log_r.exp() * log_r).sum(-1)).sum(-1)
    else:
        i_y = (w * (center * (log_r.exp() * log_r - log_r.expm1())).sum(-1)).sum(-1)
    return h_t - noise, i_y, h_t, h_t - alpha * noise - beta * i_y


def iterate(joint_tensors, encoder, beta, alpha=1.0, iterations=2000, tolerance=1e-10):
    """Iterate from an encoder [..., n, k] until none of its numbers moves by more than tolerance; beta broadcasts.

    Returns encoder, largest last change [...] .
    """
    p, q, qlq = joint_tensors
    log_w, log_r = update(p, q, encoder)
    change = torch.full(encoder.shape[:-2], torch.inf, dtype=q.dtype, device=q.device)
    for k in range(iterations):
        new, log_w, log_r = step(p, q, qlq, log_w, log_r, beta, alpha)
        look = k % 10 == 9 or k == iterations - 1 or alpha < _LEAST_ALPHA
        if look:
            change = (new - encoder).abs().amax((-1, -2))
        encoder = new
        if look and float(change.max()) <= tolerance:
            break
    return encoder, change


def tensors(joint: Joint, device: Any = None):
    """p [n], q [n, m] and sum_y q log q [n] as float64 tensors; q log q / p(y) - q + p(y) where that is `_center`."""
    q = torch.as_tensor(joint.q, dtype=torch.float64, device=device)
    p = torch.as_tensor(joint.p, dtype=torch.float64, device=device)
    center = _center(p, q)
    return (
        p,
        q,
        torch.special.xlogy(q, q).sum(-1) if center is None else (q * _log_ratio(q, center) - (q - center)).sum(-1),
    )


def starts(joint: Joint, clusters: int, restarts: int, seed: int) -> np.ndarray:
    """Encoders [restart, n, k] to begin with: neighbors in p(y|x) together, then hard ones at random, then noise."""
    rng = np.random.default_rng(seed)
    n, out = len(joint.p), []
    order = np.lexsort(joint.q.T)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.minimum((np.cumsum(joint.p[order]) - joint.p[order] / 2) * clusters, clusters - 1).astype(int)
    for k in range(restarts):
        labels = place if k == 0 else rng.integers(0, clusters, n)
        if k % 3 == 2:
            out.append(rng.dirichlet(np.ones(clusters), n))
        else:
            out.append(0.02 / clusters + 0.98 * np.eye(clusters)[labels])
    return np.stack(out)
