"""The null without tuning: stimulus rows dealt out anew, the axis computed again; one pass serves several statistics.

For the projection x = s.sta onto a unit's own axis, corr(f, x) = |sta|^2 / (sd(f) sd(x)), sd(x)^2 = sta' Sigma sta: so a
shuffle costs one product [units, n] x [n, d] and nothing that grows with n beside it.
Source: Chang & Tsao 2017 (shuffle of stimuli, 500 to 1,000 times).
"""

from dataclasses import dataclass

import numpy as np
import torch

from deeptheory.axis.entering import Entered


@dataclass(frozen=True)
class Shuffled:
    """correlation [u] and its null [k, u]; block [b, u], length of the STA within each block, and its null [k, b, u]."""

    correlation: np.ndarray
    correlation_null: np.ndarray
    block: np.ndarray
    block_null: np.ndarray


def shuffled(e: Entered, permutations: int, seed: int) -> Shuffled:
    """See Shuffled; k = permutations, the same permutations for all units."""
    y = ((e.y - e.y.mean(0)) / e.y.std(0, correction=0)).to(torch.float32).mT.contiguous()
    s = e.s.to(torch.float32)
    sigma = s.mT @ s / len(s)
    blocks = [torch.as_tensor(index, device=s.device) for index in e.blocks.values()]

    def of(sta: torch.Tensor):  # [u, d]
        square = sta.square()
        length = (sta @ sigma * sta).sum(1).clamp_min(1e-30).sqrt()
        return square.sum(1) / length, torch.stack([square[:, b].sum(1).sqrt() for b in blocks])

    seen = of(y @ s / len(s))
    rng = np.random.default_rng([seed, 2])
    draws = [of(y @ s[torch.as_tensor(rng.permutation(len(s)), device=s.device)] / len(s)) for _ in range(permutations)]
    return Shuffled(
        correlation=seen[0].cpu().numpy(),
        correlation_null=np.stack([d[0].cpu().numpy() for d in draws]) if draws else np.zeros((0, len(y))),
        block=seen[1].cpu().numpy(),
        block_null=np.stack([d[1].cpu().numpy() for d in draws]) if draws else np.zeros((0, len(blocks), len(y))),
    )


def p_value(seen: np.ndarray, null: np.ndarray) -> np.ndarray:
    """Share of draws at least as large, the observation counted among them: never 0. NaN without draws."""
    if len(null) == 0:
        return np.full(np.shape(seen), np.nan)
    return (1 + (null >= seen).sum(0)) / (1 + len(null))


def fdr(p: np.ndarray, axis: int = 0) -> np.ndarray:
    """Benjamini and Hochberg's adjusted p (scipy.stats); NaN stays NaN."""
    from scipy.stats import false_discovery_control

    if np.isnan(p).any():
        return np.full_like(p, np.nan)
    return false_discovery_control(p, axis=axis)
