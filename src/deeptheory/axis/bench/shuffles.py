"""The null without tuning: stimulus rows permuted (groups and stretches of a series as wholes), the axis computed
again; one pass serves several statistics.

For the projection x = s.sta onto a unit's own axis, corr(f, x) = |sta|^2 / (sd(f) sd(x)), sd(x)^2 = sta' Sigma sta: so
a shuffle costs one product [units, n] x [n, d] and nothing that grows with n beside it.
Source: Chang & Tsao 2017 (shuffle of stimuli, 500 to 1,000 times).
Pitfall: of coarse data many shuffles give the very number that was seen, but for rounding, which must not decide which
of them count.
"""

from dataclasses import dataclass

import numpy as np
import torch

from deeptheory.axis.bench.validation import Entered


@dataclass(frozen=True)
class Shuffled:
    """correlation [u] and its null [k, u]; block [b, u], length of the STA within each block, and its null [k, b,
    u].
    """

    correlation: np.ndarray
    correlation_null: np.ndarray
    block: np.ndarray
    block_null: np.ndarray


ROUNDING = 5e-7  # of a difference of two correlations in single precision; measured, 20 to 2,000 stimuli


def with_ties(seen: np.ndarray, drawn: np.ndarray, rounding: float = ROUNDING) -> np.ndarray:
    """drawn [k, ...], those that equal seen [...] but for rounding being equal to it."""
    return np.where(np.abs(drawn - seen) <= rounding, seen, drawn)


def shuffled(e: Entered, permutations: int, seed: int) -> Shuffled:
    """See Shuffled; k = permutations, the same permutations for all units; none where too few rows are independent."""
    y = ((e.y - e.y.mean(0)) / e.y.std(0, correction=0)).to(torch.float32).mT.contiguous()
    s = (e.s / e.variances.sum().sqrt()).to(
        torch.float32
    )  # correlations and ratios of lengths know no unit of features
    sigma = s.mT @ s / len(s)
    blocks = [torch.as_tensor(index, device=s.device) for index in e.blocks.values()]

    def of(sta: torch.Tensor):  # [u, d]
        square = sta.square()
        length = (sta @ sigma * sta).sum(1).clamp_min(1e-30).sqrt()
        return square.sum(1) / length, torch.stack([square[:, b].sum(1).sqrt() for b in blocks])

    seen = of(y @ s / len(s))
    orders = e.dependence.orders(permutations, [seed, 2])
    draws = [of(y @ s[torch.as_tensor(order, device=s.device)] / len(s)) for order in orders]
    return Shuffled(
        correlation=seen[0].cpu().numpy(),
        correlation_null=np.stack([d[0].cpu().numpy() for d in draws]) if draws else np.zeros((0, len(y))),
        block=seen[1].cpu().numpy(),
        block_null=np.stack([d[1].cpu().numpy() for d in draws]) if draws else np.zeros((0, len(blocks), len(y))),
    )
