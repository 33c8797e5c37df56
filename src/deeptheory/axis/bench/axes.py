"""Preferred axes: the response-weighted mean of the stimuli, and what it becomes when their covariance is undone.

Source: Chang & Tsao 2017, figure 2 (spike-triggered average), STA = sum_n s(n) f(n) / sum_n f(n). Here the mean rate is
taken off first and the sum is divided by n, so that signed activations are as welcome as rates:
sta = mean_n s(n) (f(n) - mean f), the covariance of feature and response. whitened = Sigma^-1 sta (ordinary least
squares): the direction along which the response grows for r = g(w.s) and Gaussian stimuli, where the STA is Sigma w.
ridge: (Sigma + alpha)^-1 sta, alpha by leave-one-out (by folds where rows depend on each other).
Pitfall: o.sta = 0 makes o.s uncorrelated with w.s (statistical orthogonality, for tests of flatness); a stimulus that
shall not move the response needs o.w = 0 (geometric, for metamers).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from deeptheory.axis.bench.left_out import ROOM, Folds, fold_errors, left_out
from deeptheory.axis.bench.validation import Entered
from deeptheory.core.powers import near_one, power_of
from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas
    import xarray

_ALPHAS = tuple(10.0**k for k in np.arange(-4, 3.01, 0.5))  # times the mean variance of a feature
_HALVES = 10


@dataclass(frozen=True, kw_only=True, eq=False)
class Axes(Result):
    """Preferred axes of the units, [unit, d] in the normalized features s, for responses f of mean fbar.

    sta: mean_n s(n) (f(n) - fbar), response times feature (Chang & Tsao 2017, figure 2, but mean-subtracted and over n
    stimuli). whitened: Sigma^-1 sta, least squares within the span of the stimuli. ridge: (Sigma + alpha)^-1 sta, with
    alpha [unit] of the least leave-one-out error (by folds where stimuli depend on each other); both in response per
    feature. reliability, reliability_whitened: [unit], cosine of the sta, of the whitened axis, between random halves
    of the stimuli, mean over 10 draws. explained: [unit], R^2 of ridge on stimuli left out; with fewer than 8 stimuli
    per feature, and where they depend on each other, their penalty is chosen without them. units: names.
    """

    sta: np.ndarray
    whitened: np.ndarray
    ridge: np.ndarray
    alpha: np.ndarray
    explained: np.ndarray
    reliability: np.ndarray
    reliability_whitened: np.ndarray
    units: np.ndarray

    def __repr__(self) -> str:
        u, d = self.sta.shape
        return f"Axes({u} units, {d} features, median split-half cosine {np.median(self.reliability):.2f})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: sta, whitened, ridge over [unit, feature], the other fields over [unit]."""
        import xarray as xr

        return xr.Dataset(
            {name: (("unit", "feature"), getattr(self, name)) for name in ("sta", "whitened", "ridge")}
            | {
                name: (("unit",), getattr(self, name))
                for name in ("alpha", "explained", "reliability", "reliability_whitened")
            },
            coords={"unit": self.units, "feature": np.arange(self.sta.shape[1])},
        )

    def table(self) -> "pandas.DataFrame":
        """One row per unit: sta_norm (length of the sta), reliability, reliability_whitened, explained, alpha."""
        import pandas as pd

        power = power_of(self.sta, 1)
        return pd.DataFrame({
            "unit": self.units,
            "sta_norm": np.ldexp(np.linalg.norm(np.ldexp(self.sta, -power[:, None]), axis=1), power),
            "reliability": self.reliability,
            "reliability_whitened": self.reliability_whitened,
            "explained": self.explained,
            "alpha": self.alpha,
        })  # fmt: skip


def preferred_axes(e: Entered, seed: int) -> Axes:
    """Axes of every unit; see Axes."""
    z, y = e.z, e.y - e.y.mean(0)
    sta = z.mT @ y / len(z)  # [r, u], in principal directions
    whitened = sta / e.variances[:, None]
    folds, rows = e.dependence.left_out(10, seed), e.dependence.effective
    ridge, alpha, explained = _ridge(z, y, e.variances, folds)
    if folds is not None or rows < ROOM * (
        z.shape[1] + 1
    ):  # chosen on the same stimuli the penalty would flatter itself
        explained = left_out(z, e.y, folds, rows=rows).explained(e.y, folds is not None)
    halves = _halves(z, e.y, e.variances, seed, e.clusters)
    return Axes(
        sta=_numpy((e.basis @ sta).mT),
        whitened=_numpy((e.basis @ whitened).mT),
        ridge=_numpy((e.basis @ ridge).mT),
        alpha=_numpy(alpha),
        explained=_numpy(explained),
        reliability=_numpy(halves[0]),
        reliability_whitened=_numpy(halves[1]),
        units=e.units,
    )


def _ridge(z: torch.Tensor, y: torch.Tensor, variances: torch.Tensor, folds: Folds | None):
    """(axis [r, u], alpha [u], leave-one-out R^2 [u]); in principal directions every penalty is a rescaling.

    1 - leverage is summed from penalty / (variance + penalty), which no floor has to guard: z spans n - 1 rows at most.
    """
    n, r = z.shape
    q = z / (n * variances).sqrt()
    inside, square = q.mT @ y, q.square()
    full = r >= n - 1
    rest = torch.zeros_like(y) if full else torch.addmm(y, q, inside, alpha=-1)
    room = torch.zeros_like(square[:, 0]) if full else 1 - 1 / n - square.sum(1)
    penalties = variances.mean() * variances.new_tensor(_ALPHAS)
    if folds is None:
        errors, alone = y.new_empty(len(_ALPHAS), y.shape[1]), torch.empty_like(y)
        for k, penalty in enumerate(penalties):
            kept = penalty / (variances + penalty)
            left = (room + square @ kept).clamp_min(1e-300)[:, None]
            torch.addmm(rest, q, kept[:, None] * inside, out=alone)
            errors[k] = alone.div_(left).square_().sum(0)
    else:
        errors = fold_errors(z, y, folds, _ALPHAS)
    error, which = errors.min(0)
    penalty = penalties[which]
    axis = (z.mT @ y / n) / (variances[:, None] + penalty)
    return axis, penalty, 1 - error / y.square().sum(0)


def _halves(z: torch.Tensor, y: torch.Tensor, variances: torch.Tensor, seed: int, clusters: torch.Tensor | None):
    """Rows that depend on each other stay in one half: of a slow series two halves of single rows are nearly the
    same.
    """
    rng = np.random.default_rng([seed, 1])
    number = len(z) if clusters is None else int(clusters.max()) + 1
    out = torch.zeros(2, y.shape[1], dtype=z.dtype, device=z.device)
    for _ in range(_HALVES):
        order = torch.as_tensor(rng.permutation(number), device=z.device)
        pair = []
        for half in order.tensor_split(2):
            rows = half if clusters is None else torch.isin(clusters, half).nonzero()[:, 0]
            a, b = z[rows] - z[rows].mean(0), y[rows] - y[rows].mean(0)
            sta = a.mT @ b / len(rows)
            gram = a.mT @ a / len(rows) + 1e-6 * torch.diag(variances)
            white = (
                torch.cholesky_solve(sta, torch.linalg.cholesky(gram))
                if len(rows) > len(variances)
                else sta / variances[:, None]
            )
            pair.append(near_one(torch.stack([sta, white]), 1))  # cosines count lengths below 1e-8 as 1e-8
        for k in range(2):
            out[k] += torch.nn.functional.cosine_similarity(pair[0][k], pair[1][k], dim=0)
    return out / _HALVES


def _numpy(x: torch.Tensor) -> np.ndarray:
    return x.detach().cpu().numpy()
