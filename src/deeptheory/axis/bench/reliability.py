"""Noise ceilings: how much of a unit's variance over stimuli any model could explain.

rho, the reliability of the mean over trials, is the R^2 of a perfect model; its correlation is sqrt(rho).
Pitfalls: a public implementation returns rho^2 as the ceiling of R^2, which inflates every normalized score. Stimuli
with
more trials than others say more: rho is that of the trials there were, mean(1/k) over the stimuli's numbers of trials
k, and not of those with enough trials to be split. What all stimuli share from trial to trial (drift) is no noise of
the mean.
split_half: correlation of random halves of each stimulus's trials, stepped to the trials there were (Spearman, Brown).
signal_power: Sahani & Linden 2003, signal variance over the variance of the mean, unbiased, may be negative. bootstrap:
its 95 % interval over stimuli; studentised (Efron & Tibshirani 1993, chapter 12), since percentiles cover 86 % at 20
stimuli.
"""

from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole


def split_half(trials: Any, splits: int = 20, seed: int = 0) -> np.ndarray:
    """rho [unit], the reliability of the mean over all trials and so the R^2 of a perfect model.

    trials: [n, t, unit], NaN where there is none. The correlation r of the means of random halves, mean over `splits`
    draws by seed, is stepped up to the trials there were by Spearman and Brown, 2 r / (1 + r) for an even number each;
    what all stimuli share in a trial is taken off. Not clipped: below 0 or above 1 by chance. NaN with fewer than three
    stimuli of two trials, and for a unit that never varies.
    InputError: another shape, no stimulus, t < 2, infinities, splits below 1.
    """
    check_whole(splits=(splits, 1), seed=(seed, 0))
    given = _trials(trials)
    x = _steady(given)[0]
    there = ~x.isnan()
    count = there.sum(1)  # [n, u], integers
    rng = np.random.default_rng([seed, 3])
    both = count >= 2
    total = torch.zeros(x.shape[2], dtype=x.dtype, device=x.device)
    for _ in range(splits):
        order = torch.as_tensor(rng.random(x.shape), device=x.device)
        rank = torch.where(there, order, torch.inf).argsort(1).argsort(1)  # of a stimulus's own trials, in random order
        half = (count // 2)[:, None]
        a, b = (
            torch.where(which & there, x, torch.nan).nanmean(1)
            for which in (rank < half, (rank >= half) & (rank < 2 * half))
        )
        total += _correlation(a, b, both)
    r = total / splits
    per_half = 1 / (count // 2).clamp_min(1).to(x)  # of integers it would have torch's default dtype
    halves = torch.where(both, per_half, 0.0).sum(0) / both.sum(0)  # mean noise of a half, in single trials
    seen = count > 0
    whole = torch.where(seen, 1 / count.clamp_min(1).to(x), 0.0).sum(0) / seen.sum(0)
    factor = halves / whole
    found = factor * r / (1 + (factor - 1) * r)
    found = (
        found * _variance(x.nanmean(1)) / _variance(given.nanmean(1))
    )  # drift where trials lack is noise of the mean after all
    return torch.where(both.sum(0) >= 3, found, torch.nan).cpu().numpy()


def signal_power(trials: Any) -> np.ndarray:
    """rho [unit]: signal variance over the variance of the mean over trials, both unbiased.

    Signal variance is the variance of the means less that of one trial times mean(1 / trials). trials: [n, t, unit],
    NaN where there was no such trial; what all stimuli share in a trial is taken off. Not clipped: may be negative. NaN
    without repeats, with one stimulus, and for a unit that never varies. Source: Sahani & Linden 2003.
    InputError: another shape, no stimulus, t < 2, infinities.
    """
    return _signal_power(*_parts(_trials(trials))).cpu().numpy()


def bootstrap(trials: Any, resamples: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """low, high [unit]: 95 % interval of signal_power over resampled stimuli, on the scale log(1 - rho).

    trials: [n, t, unit], as for signal_power; resamples: of the stimuli, by seed. Studentized (Efron & Tibshirani
    1993, chapter 12). NaN with fewer than three stimuli, and where signal_power is NaN; low is -infinity where nothing
    bounds the noise; at rho .8 and 4 trials
    it held rho in 85 % with 3 stimuli, 94 % from 5.
    InputError: as signal_power; resamples below 1.
    """
    check_whole(resamples=(resamples, 1), seed=(seed, 0))
    parts = _parts(_trials(trials))
    rng = np.random.default_rng([seed, 4])
    n = len(parts[0])
    if n < 3:  # of two stimuli every resample is either the same two or without variance
        none = np.full(parts[0].shape[1], np.nan)
        return none, none.copy()
    seen, error = _log_noise(*parts)
    null = []
    for _ in range(resamples):
        rows = torch.as_tensor(rng.integers(0, n, n), device=parts[0].device)
        drawn, its_error = _log_noise(*(p[rows] for p in parts))
        null.append((drawn - seen) / its_error.clamp_min(1e-300))
    at = torch.quantile(
        torch.stack(null).nan_to_num(0.0), torch.tensor([0.025, 0.975], dtype=seen.dtype, device=seen.device), dim=0
    )
    error = (
        error * ((n + 2) / (n - 1)) ** 0.5
    )  # of few stimuli the error itself is known badly; 93 % held at n = 20 with this
    low, high = (1 - (seen - q * error).exp() for q in at)
    return low.cpu().numpy(), high.cpu().numpy()


def _trials(trials: Any) -> torch.Tensor:
    x = as_tensor(trials)
    if x.ndim != 3 or x.shape[1] < 2 or 0 in x.shape or x.is_complex():
        raise InputError(f"trials have shape {list(x.shape)}; a ceiling needs [n, trials, units] with 2 trials or more")
    x = x.detach().to(torch.float64)
    if bool(x.isinf().any()):
        raise InputError(f"trials hold infinities ({int(x.isinf().sum())} of {x.numel()}); remove or replace them")
    size = x.abs().nan_to_num(0).amax((0, 1))
    return x / torch.where(size > 0, size, torch.ones_like(size))


def _steady(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Trials without what all stimuli share of each (least squares on stimulus and trial), and the parameters that
    took [u].
    """
    there = (~x.isnan()).to(x.dtype)
    count = there.sum(1)  # [n, u]
    mean = x.nansum(1) / count.clamp_min(1)
    away = torch.where(there > 0, x - mean[:, None], 0.0).sum(0)  # [t, u]
    weighted = there / count.clamp_min(1).sqrt()[:, None]
    gram = torch.diag_embed(there.sum(0).mT) - torch.einsum("itu,isu->uts", weighted, weighted)
    values, vectors = torch.linalg.eigh(gram)
    keep = values > 1e-9 * len(x)
    inverse = torch.where(keep, 1 / torch.where(keep, values, 1.0), 0.0)
    drift = ((vectors * inverse[:, None]) @ vectors.mT @ away.mT[:, :, None])[:, :, 0]  # [u, t]
    return x - drift.mT, keep.sum(1)


def _parts(x: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """By stimulus [n, u]: squares within it, degrees of freedom of these, mean, steady mean, 1 / trials; NaN where
    never shown.
    """
    steady, used = _steady(x)
    count = (~x.isnan()).sum(1).to(x.dtype)
    mean = steady.nanmean(1)
    within = (steady - mean[:, None]).square().nansum(1)
    free = (count - 1).clamp_min(0)
    share = 1 - used / free.sum(0).clamp_min(1)  # what the trials' effects took, in equal parts
    inverse = torch.where(count > 0, 1 / count.clamp_min(1), torch.nan)
    return within, free * share.clamp_min(0), x.nanmean(1), mean, inverse


def _signal_power(
    within: torch.Tensor, free: torch.Tensor, raw: torch.Tensor, mean: torch.Tensor, inverse: torch.Tensor
) -> torch.Tensor:
    noise = within.sum(0) / torch.where(free.sum(0) > 0, free.sum(0), torch.nan)  # variance of one trial
    signal, whole = _variance(mean) - noise * inverse.nanmean(0), _variance(raw)
    return signal / torch.where(whole > 0, whole, torch.nan)  # a unit of one mean has no share of it


def _variance(x: torch.Tensor) -> torch.Tensor:
    return (x - x.nanmean(0)).square().nansum(0) / ((~x.isnan()).sum(0) - 1)


def _log_noise(within: torch.Tensor, free: torch.Tensor, raw: torch.Tensor, mean: torch.Tensor, inverse: torch.Tensor):
    """log(1 - rho) [u] and its standard error by the infinitesimal jackknife over stimuli."""
    n = (~raw.isnan()).sum(0)
    w, f, v = within.sum(0), free.sum(0), _variance(raw)
    rho = _signal_power(within, free, raw, mean, inverse)
    noise, over, steady = w / f, inverse.nanmean(0), _variance(mean)
    a = (within / w - free / f) * n  # influence on log noise
    b = inverse / over - 1
    c = (mean - mean.nanmean(0)).square() - steady
    d = (raw - raw.nanmean(0)).square() / v - 1
    share = noise * over
    # 1 - rho = 1 - (steady - share) / raw
    influence = (-(c - share * (a + b)) / v + (steady - share) / v * d) / (1 - rho)
    error = (influence.square().nansum(0) / (n - 1)).sqrt() / n.sqrt()
    return (1 - rho).log(), error


def _correlation(a: torch.Tensor, b: torch.Tensor, both: torch.Tensor) -> torch.Tensor:
    k = both.sum(0).clamp_min(1)
    a, b = torch.where(both, a, 0), torch.where(both, b, 0)
    a, b = torch.where(both, a - a.sum(0) / k, 0), torch.where(both, b - b.sum(0) / k, 0)
    return (a * b).sum(0) / (a.square().sum(0) * b.square().sum(0)).sqrt().clamp_min(1e-300)
