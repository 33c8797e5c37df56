"""Noise ceilings: how much of a unit's variance over stimuli any model could explain.

rho, the reliability of the mean over trials, is the R^2 of a perfect model; its correlation is sqrt(rho).
Trap: a public implementation returns rho^2 as the ceiling of R^2, which inflates every normalised score.
split_half: 2 r / (1 + r) over random halves of the trials (Spearman, Brown), with an odd number of trials r is of the
smaller halves and is stepped up by trials / half. signal_power: Sahani & Linden 2003, signal variance over the variance
of the mean, unbiased, may be negative. bootstrap: 95 % interval of the signal-power ratio over resampled stimuli.
"""

from typing import Any

import numpy as np
import torch

from deeptheory.arrays import as_tensor
from deeptheory.errors import InputError


def split_half(trials: Any, splits: int = 20, seed: int = 0) -> np.ndarray:
    """rho [unit] of the mean over all trials; trials [n, t, unit], NaN where there is none. InputError: t < 2."""
    x = _trials(trials)
    t = x.shape[1]
    rng = np.random.default_rng([seed, 3])
    total = torch.zeros(x.shape[2], dtype=x.dtype, device=x.device)
    for _ in range(splits):
        order = torch.as_tensor(rng.permutation(t), device=x.device)
        a, b = x[:, order[: t // 2]].nanmean(1), x[:, order[t // 2 : 2 * (t // 2)]].nanmean(1)
        both = ~(a.isnan() | b.isnan())
        total += _correlation(a, b, both)
    r = total / splits
    factor = t / (t // 2)
    return (factor * r / (1 + (factor - 1) * r)).cpu().numpy()


def signal_power(trials: Any) -> np.ndarray:
    """rho [unit] as signal variance / variance of the mean over trials. InputError: t < 2."""
    return _signal_power(_trials(trials)).cpu().numpy()


def bootstrap(trials: Any, draws: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """low, high [unit]: 95 % interval of signal_power over resampled stimuli."""
    x = _trials(trials)
    rng = np.random.default_rng([seed, 4])
    rows = [torch.as_tensor(rng.integers(0, len(x), len(x)), device=x.device) for _ in range(draws)]
    values = torch.stack([_signal_power(x[r]) for r in rows])
    low, high = torch.quantile(values, torch.tensor([0.025, 0.975]).to(values), dim=0)
    return low.cpu().numpy(), high.cpu().numpy()


def _trials(trials: Any) -> torch.Tensor:
    x = as_tensor(trials).to(torch.float64)
    if x.ndim != 3 or x.shape[1] < 2:
        raise InputError(f"trials have shape {list(x.shape)}; a ceiling needs [n, trials, units] with 2 trials or more")
    return x


def _signal_power(x: torch.Tensor) -> torch.Tensor:
    seen = (~x.isnan()).sum(1).to(x.dtype)  # [n, u]
    mean = x.nanmean(1)
    within = (x - mean[:, None]).square().nansum(1)
    noise = within.sum(0) / (seen - 1).clamp_min(0).sum(0).clamp_min(1)  # variance of one trial
    over = mean.nanmean(0)
    variance = (mean - over).square().nansum(0) / ((~mean.isnan()).sum(0) - 1)
    share = (1 / seen.clamp_min(1)).mean(0)
    return 1 - noise * share / variance


def _correlation(a: torch.Tensor, b: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
    k = both.sum(0)
    a, b = torch.where(both, a, 0), torch.where(both, b, 0)
    a, b = torch.where(both, a - a.sum(0) / k, 0), torch.where(both, b - b.sum(0) / k, 0)
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt().clamp_min(1e-300)
