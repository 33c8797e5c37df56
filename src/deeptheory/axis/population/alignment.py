"""Do single units carry single latents? Sparse regression, completeness, one-to-one matching; and ranking without
labels.

Sources: Higgins et al. 2021 (alignment of beta-VAE latents with single AM cells: sparse regression from latents to each
unit, the entropy of its weights); Eastwood & Williams 2018 (completeness); Duan et al. 2020 (UDR: models of one
family whose latents agree up to order and sign are likely to be disentangled).
Pitfall: a latent that no unit needs, and a unit that no latent predicts, would score as they please: both are weighted
by what is explained, as published.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.population.rounding import still
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_whole, labels_array

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment(Result):
    """weights: [unit, latent], absolute, of the sparse regression of each unit on all latents, both standardized.

    alignment: [unit], 1 - entropy of its weights in units of log(latents): 1, one latent alone; 0, all alike; NaN where
    no latent is used. explained: [unit], R^2 on held-out samples, 0 where no latent is used. correlation: [unit,
    latent], absolute. matches: [m, 2], pairs (unit, latent), one to one, m the smaller number, of the largest summed
    correlation; matched: [m], their correlations. mean: alignment weighted by explained (0 where negative), NaN where
    nothing is explained.
    """

    weights: np.ndarray
    alignment: np.ndarray
    explained: np.ndarray
    correlation: np.ndarray
    matches: np.ndarray
    matched: np.ndarray
    mean: float

    def __repr__(self) -> str:
        u, k = self.weights.shape
        return f"Alignment({u} units, {k} latents: {self.mean:.2f}; matched |r| {self.matched.mean():.2f} on average)"

    def table(self) -> "pandas.DataFrame":
        """One row per unit: alignment, explained, strongest (latent of most weight), matched (latent, -1: none)."""
        import pandas as pd

        partner = np.full(len(self.alignment), -1)
        partner[self.matches[:, 0]] = self.matches[:, 1]
        return pd.DataFrame({
            "unit": np.arange(len(self.alignment)),
            "alignment": self.alignment,
            "explained": self.explained,
            "strongest": self.weights.argmax(1),
            "matched": partner,
        })  # fmt: skip


def latent_alignment(responses: Any, latents: Any, *, folds: int = 5, seed: int = 0) -> Alignment:
    """Do single units carry single latents (Higgins et al. 2021)? -> Alignment.

    responses: [n, units], latents: [n, k], both standardized here. Each unit is regressed on all latents by Lasso, its
    penalty chosen by cross-validation in `folds` folds, drawn by seed; explained chooses it within each fold again.
    InputError: shapes, NaN, a unit or latent that never varies (but for rounding), fewer than 4 samples a fold.
    """
    check_whole(folds=(folds, 2), seed=(seed, 0))
    from scipy.optimize import linear_sum_assignment
    from sklearn.linear_model import LassoCV
    from sklearn.model_selection import KFold, cross_val_predict

    y, z = _standard(responses, "responses"), _standard(latents, "latents")
    if len(y) != len(z) or len(y) < 4 * folds:
        raise InputError(
            f"responses have {len(y)} rows, latents {len(z)}; needed: the same, at least 4 in {folds} folds"
        )
    cuts = KFold(folds, shuffle=True, random_state=seed)
    weights, explained = np.zeros((y.shape[1], z.shape[1])), np.zeros(y.shape[1])
    for k in range(y.shape[1]):
        model = LassoCV(cv=cuts, alphas=30, eps=1e-3)
        weights[k] = np.abs(model.fit(z, y[:, k]).coef_)
        if weights[k].any():
            out = cross_val_predict(LassoCV(cv=cuts, alphas=20, eps=1e-3), z, y[:, k], cv=cuts)
            explained[k] = 1 - np.mean((y[:, k] - out) ** 2)
    correlation = np.minimum(np.abs(y.T @ z) / len(y), 1)  # of equal columns it may be rounded to above 1
    rows, columns = linear_sum_assignment(-correlation)
    alignment = _one_minus_entropy(weights)
    weight = np.where(np.isnan(alignment), 0, np.maximum(explained, 0))
    return Alignment(
        weights=weights,
        alignment=alignment,
        explained=explained,
        correlation=correlation,
        matches=np.stack([rows, columns], 1),
        matched=correlation[rows, columns],
        mean=float(np.nansum(np.nan_to_num(alignment) * weight) / weight.sum()) if weight.sum() > 0 else float("nan"),
    )


def udr(latents: Any, informative: Any = None) -> np.ndarray:
    """Unsupervised disentanglement ranking: [model], from the latents [n, k] of several models of the same samples.

    For two models, R is the absolute rank correlation of their latents; each latent scores (largest in its row)^2 / sum
    of the row, the mean over both models' informative latents is the pair's score, and a model's the median over pairs
    (Duan et al. 2020, eq. 4): from 0 to 1, which is one to one; 0 of a pair where one has no informative latent.
    informative: list of bool [k], one for each model; default, latents whose standard deviation is above a hundredth
    of the model's largest. InputError: fewer than two models, other numbers of samples, NaN, informative of another
    shape or masked.
    """
    from scipy.stats import rankdata

    try:
        given = list(latents)
    except TypeError as error:
        raise InputError(f"latents is {latents!r:.60}; needed: two models or more, [n, k] each") from error
    z = [as_floats(v) for v in given]
    if len(z) < 2 or any(v.ndim != 2 or not v.size for v in z) or len({len(v) for v in z}) != 1:
        raise InputError(f"latents have shapes {[list(v.shape) for v in z]}; needed: two models or more, [n, k] each")
    check_finite(**{f"latents of model {k}": v for k, v in enumerate(z)})
    spreads = [near_one(v).std(0) for v in z]
    used = [spread > 1e-2 * spread.max() for spread in spreads]
    if informative is not None:
        used = [labels_array("informative", v) for v in informative] if isinstance(informative, list | tuple) else []
        if [(u.dtype.kind, u.shape) for u in used] != [("b", v.shape[1:]) for v in z]:
            raise InputError(
                f"informative is {str(informative)[:60]}; needed: for each model one True or False per latent"
            )
    ranks = []
    for v in z:
        r = rankdata(v, axis=0)
        r = r - r.mean(0)
        ranks.append(r / np.maximum(np.linalg.norm(r, axis=0), 1e-12))
    scores = np.full((len(z), len(z)), np.nan)
    for a in range(len(z)):
        for b in range(a + 1, len(z)):
            r = np.abs(ranks[a].T @ ranks[b])
            scores[a, b] = scores[b, a] = _pair(r, used[a], used[b])
    return np.nanmedian(scores, axis=1)


def _pair(r: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    def side(matrix: np.ndarray) -> np.ndarray:
        return matrix.max(1) ** 2 / np.maximum(matrix.sum(1), 1e-12)

    kept = r[np.ix_(rows, columns)]
    if kept.size == 0:
        return 0.0
    return float((side(kept).sum() + side(kept.T).sum()) / (kept.shape[0] + kept.shape[1]))


def _one_minus_entropy(weights: np.ndarray) -> np.ndarray:
    total = weights.sum(1, keepdims=True)
    p = weights / np.where(total > 0, total, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(p > 0, p * np.log(p), 0).sum(1)
    return np.where(total[:, 0] > 0, 1 - entropy / np.log(max(weights.shape[1], 2)), np.nan)


def _standard(given: Any, name: str) -> np.ndarray:
    x = as_floats(given)
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"{name} have shape {list(x.shape)}; needed: [n, k], none of them 0")
    constant = still(x, given)  # the deviation of equal numbers may be rounding
    if constant.any() or not np.isfinite(x).all():
        what = (
            "NaN or infinities"
            if not np.isfinite(x).all()
            else f"columns that never vary, the first {constant.argmax()}"
        )
        raise InputError(f"{name} hold {what}; leave them out")
    x = near_one(x, 0)
    return (x - x.mean(0)) / x.std(0)
