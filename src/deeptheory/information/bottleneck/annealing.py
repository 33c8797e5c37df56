"""Annealing: solutions with a fixed number of clusters over a row of betas, each handed up and down to its neighbors.

All betas and all starts iterate as one tensor; then every beta also tries what its neighbors found, until nothing
improves. Going up, clusters split; going down, they merge; both branches are followed and the better kept.
"""

from typing import Any

import numpy as np

from deeptheory.information.bottleneck.divergence import divergence
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.mixture import descend, fill, newton
from deeptheory.information.bottleneck.products import Clock, Optimum, descended

HARD = 1e12  # a beta above which the nearest cluster takes all, and more would overflow
_HAND_OVERS = 20


def hardest(joint: Joint) -> float:
    """The largest beta of use: HARD, or more where no row is as much as 1e-6 nats from p(y)."""
    largest = float(divergence(joint.q, joint.p_y).sum(1).max())
    return HARD / largest if 0 < largest < 1e-6 else HARD


def anneal(
    joint: Joint,
    betas: np.ndarray,
    clusters: int,
    *,
    restarts: int = 6,
    seed: int = 0,
    alpha: float = 1.0,
    device: Any = None,
) -> np.ndarray:
    """Best encoders found, [b, n, k], for ascending betas and at most `clusters` clusters."""
    import torch

    from deeptheory.information.bottleneck.blahut_arimoto import iterate, starts, tensors, values

    parts = tensors(joint, device)
    p, q, _ = parts
    rows = torch.as_tensor(betas, dtype=q.dtype, device=q.device)
    first = torch.as_tensor(starts(joint, clusters, restarts, seed), device=q.device)
    first = first[:, None].expand(-1, len(betas), -1, -1)
    found, _ = iterate(parts, first, rows[:, None, None], alpha, 300 if alpha == 1 else 2000)
    value = values(p, q, found, rows, alpha)[-1]  # [restart, b]
    which = value.argmin(0)
    at = torch.arange(len(betas), device=q.device)
    best, least = found[which, at], value[which, at]
    shake = torch.Generator().manual_seed(int(seed))
    for _ in range(_HAND_OVERS if len(betas) > 1 else 0):
        handed = torch.stack([best[(at - 1).clamp(min=0)], best[(at + 1).clamp(max=len(betas) - 1)]])
        noise = torch.rand(handed.shape, generator=shake, dtype=q.dtype).to(q.device)
        handed = 0.99 * handed + 0.01 * noise / noise.sum(-1, keepdim=True)  # equal clusters would never part
        found, _ = iterate(parts, handed, rows[:, None, None], alpha, 150)
        value = values(p, q, found, rows, alpha)[-1]
        which = value.argmin(0)
        better = value[which, at] < least - 1e-9
        if not bool(better.any()):
            break
        best = torch.where(better[:, None, None], found[which, at], best)
        least = torch.where(better, value[which, at], least)
    encoders = best.cpu().numpy()
    if alpha == 1.0:
        return np.stack([polished(joint, e, float(b)) for e, b in zip(encoders, betas)])
    return encoders


def polished(joint: Joint, encoder: np.ndarray, beta: float) -> np.ndarray:
    """The same solution to rounding: accelerated iterations to where they lead, then Newton steps."""
    from deeptheory.information.bottleneck.optimal import encoder_of

    w = joint.p @ encoder
    k = int((w > 1e-9).sum())
    keep = np.argsort(-w, kind="stable")[:k]
    w = w[keep]
    r = (encoder[:, keep] * joint.p[:, None]).T @ joint.q / w[:, None]
    n, m = joint.q.shape
    e, z, top = np.empty((n, k)), np.empty(n), np.empty(n)
    qlq = (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)
    r, w = np.ascontiguousarray(r), w / w.sum()
    before = fill(joint.p, joint.q, qlq, r, w, k, beta, e, z, top)
    after = descend(joint.p, joint.q, qlq, r, w, k, beta, e, z, top, 300)
    if k * (1 + m) <= 160 and n * k * k * (1 + m) ** 2 < 3e7:
        after = newton(joint.p, joint.q, qlq, r, w, k, beta, e, z, top, 20)
    if not after <= before + 1e-12:
        return encoder
    out = np.zeros_like(encoder)
    out[:, :k] = encoder_of(joint, r, w, beta)
    return out


def clustered(
    joint: Joint, beta: float, clusters: int, *, restarts: int, seed: int, large: bool, clock: Clock
) -> Optimum:
    """The best found with at most `clusters` clusters at one beta: annealed, or, in a large table,
    from each start alone."""
    if not large:
        betas = np.array([1.0]) if clusters == 1 else np.array([0.7, 0.85, 1.0, 1.2, 1.5])
        encoder = anneal(joint, min(beta, hardest(joint)) * betas, clusters, restarts=restarts, seed=seed)[
            len(betas) // 2
        ]
        return descended(joint, beta, encoder, 3, clock)
    from deeptheory.information.bottleneck.blahut_arimoto import starts

    best = None
    for k, encoder in enumerate(starts(joint, clusters, restarts, seed)):
        found = descended(joint, beta, encoder, 10, clock)
        if best is None or found.value(joint, beta) < best.value(joint, beta):
            best = found
        clock.tell(k + 1, restarts)
        if clock.over():
            break
    assert best is not None
    return best
