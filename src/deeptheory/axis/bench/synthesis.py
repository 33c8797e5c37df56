"""Stimuli made to order, as features: metamers of a unit, walks along its axis, and sets on which rival models
disagree.

Metamers (Chang & Tsao 2017, figure 5): the same projection onto the fitted axis, all else drawn from the stimuli's own
Gaussian; geometrically orthogonal, o.w = 0. Controversial stimuli (the idea of Golan et al. 2020): those, among
caricatures, anti-caricatures and far stimuli, on which the rival models of a unit predict most different responses,
each model held within the range it was fitted on. A renderer (a face space's decode) turns features into pictures.
Pitfall: in a Gaussian cloud of many dimensions all norms are alike; only stimuli near to and far from the mean tell an
axis code from norm x direction.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deeptheory.axis.bench.validation import Entered
from deeptheory.axis.models.generators import GENERATORS, Stimuli, typical_length
from deeptheory.axis.models.scores import all_fits
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite

if TYPE_CHECKING:
    import pandas

_NORMS = (0.15, 0.3, 0.5, 1.0, 1.5, 2.0)  # of the median stimulus norm
_STEPS = (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0)  # standard deviations along a unit's axis
_RIVALS = ("axis", "exemplar", "norm x direction", "energy")


@dataclass(frozen=True, kw_only=True, eq=False)
class Metamers(Result):
    """Stimuli that one unit should answer alike, and stimuli along its axis, as features in the caller's coordinates.

    Source: Chang & Tsao 2017, figure 5. unit: its position among those given. null: [k, d], Gaussian like the stimuli,
    all with the same projection onto the unit's axis; along: [k, d], one stimulus moved along the axis; steps: [k], its
    projection, -2.5 to 2.5 standard deviations.
    """

    unit: int
    null: np.ndarray
    along: np.ndarray
    steps: np.ndarray

    def __repr__(self) -> str:
        return (
            f"Metamers(unit {self.unit}, {len(self.null)} stimuli of equal projection, {len(self.along)} along "
            "the axis)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per stimulus: kind ("null", then "along") and step, NaN for the null ones."""
        import pandas as pd

        return pd.DataFrame({
            "kind": ["null"] * len(self.null) + ["along"] * len(self.along),
            "step": np.concatenate([np.full(len(self.null), np.nan), self.steps]),
        })  # fmt: skip

    def ratio(self, respond: Any) -> float:
        """Range of the response over the null stimuli, 5 % to 95 %, over that along the axis; 0 for perfect metamers.

        Infinite where the response varies over the null stimuli alone, NaN where it varies nowhere. respond: features
        [k, d] -> responses [k] of this unit. InputError: responses of another shape, NaN.
        """
        null, along = (responses_to(x, respond) for x in (self.null, self.along))
        spread = [float(np.diff(np.quantile(r, [0.05, 0.95]))[0]) for r in (null, along)]
        if spread[1] > 0:
            return spread[0] / spread[1]
        return float("inf") if spread[0] > 0 else float("nan")


def responses_to(features: np.ndarray, respond: Any) -> np.ndarray:
    """What a caller's function answers to features [k, d]: [k]. InputError: another shape, NaN."""
    found = as_floats(respond(features))
    if found.shape != (len(features),):
        raise InputError(
            f"respond gave shape {list(found.shape)} for {len(features)} stimuli; needed: [{len(features)}], one unit's"
        )
    check_finite(respond=found)
    return found


def metamers(e: Entered, axis: np.ndarray, unit: int, k: int, projection: float, seed: int) -> Metamers:
    """axis [d] in the normalized feature space; projection in standard deviations of w.s. InputError: k below 2."""
    if k < 2:
        raise InputError(f"k is {k}; needed: at least 2 stimuli")
    rng = np.random.default_rng([seed, 8, unit])
    w = e.basis.mT @ torch.as_tensor(axis).to(e.s)  # in principal directions
    if not bool(w.abs().max() > 0):
        raise InputError(f"unit {unit} correlates with no feature: it has no axis along which stimuli could move")
    moved = e.variances * w
    size = (moved @ w).sqrt()
    z = torch.as_tensor(rng.standard_normal((k + 1, len(w)))).to(e.s) * e.variances.sqrt()
    z = z + ((projection * size - z @ w) / size**2)[:, None] * moved
    steps = torch.as_tensor(np.linspace(-2.5, 2.5, k)).to(e.s)
    along = z[k] + ((steps - projection) / size)[:, None] * moved
    null, along = (outward(e, v @ e.basis.mT) for v in (z[:k], along))
    return Metamers(unit=unit, null=null, along=along, steps=steps.cpu().numpy())


def outward(e: Entered, s: torch.Tensor) -> np.ndarray:
    """Normalized features [m, d] in the caller's coordinates; constant features at their constant."""
    scale = torch.where(e.scale.isinf(), torch.zeros_like(e.scale), e.scale)
    return (s * scale + e.center).cpu().numpy()


def controversial(e: Entered, positions: np.ndarray, bound: float, n: int, candidates: int, seed: int) -> np.ndarray:
    """[n, d] features in the caller's coordinates, shared out among the units at `positions`, and drawn among
    `candidates`: random directions at norms of .15 to 2 times the median, and the units' own axes and exemplars.

    InputError: n above the number of candidates, or below 1.
    """
    if not 1 <= n <= candidates:
        raise InputError(f"n is {n}; needed: 1 to {candidates}, the candidates")
    rng = np.random.default_rng([seed, 9])
    size = typical_length(e.z.norm(dim=1))  # as the models are fitted
    stimuli = Stimuli.of((e.z / size).to(torch.float64))
    y = e.y[:, positions]
    y = ((y - y.mean(0)) / y.std(0, correction=0)).to(torch.float64).mT.contiguous()
    fits = all_fits(stimuli, y, bound / size, (40, 1e-6))
    pool = _pool(e.variances.sqrt().cpu().numpy() / size, fits, stimuli, candidates, rng)
    shown = Stimuli.of(pool)
    predicted = torch.stack([fits[m][1].predict(GENERATORS[m], shown) for m in _RIVALS])  # [model, u, m]
    apart = predicted.var(0)  # [u, m]; responses have unit variance
    apart = apart / apart.amax(1, keepdim=True).clamp_min(1e-12)
    chosen: list[int] = []
    free = torch.ones(len(pool), dtype=torch.bool, device=pool.device)
    turn = rng.permutation(len(positions))
    while len(chosen) < n:  # each unit in its turn takes, of what is left, the stimulus that divides its models most
        value = torch.where(free, apart[turn[len(chosen) % len(turn)]], -torch.inf)
        best = int(value.argmax())
        chosen.append(best)
        free[best] = False
    return outward(e, (size * pool[chosen].to(e.s)) @ e.basis.mT)


def _pool(spread: np.ndarray, fits: dict, stimuli: Stimuli, candidates: int, rng: np.random.Generator) -> torch.Tensor:
    """[candidates, r]. Half: random directions at the norms _NORMS. Half: a unit's own axis or exemplar direction, as
    far along it as the stimuli themselves go, with anything from nothing to twice the usual length beside it.

    Pitfall: a caricature far beyond the range of all other stimuli would alone decide every R^2.
    """
    other = rng.standard_normal((candidates, len(spread))) * spread
    other *= stimuli.unit * rng.choice(_NORMS, candidates)[:, None] / np.linalg.norm(other, axis=1, keepdims=True)
    own = torch.cat([fits["axis"][1].theta, fits["exemplar"][1].theta]).cpu().numpy()
    own = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-12)
    w = own[rng.integers(0, len(own), candidates // 2)]
    reach = np.sqrt((w**2 * spread**2).sum(1)) * rng.choice(_STEPS, len(w))
    beside = other[: len(w)] - (other[: len(w)] * w).sum(1, keepdims=True) * w
    beside *= rng.choice([0.0, 1.0], len(w), p=[0.3, 0.7])[:, None]
    other[: len(w)] = beside + reach[:, None] * w
    return torch.as_tensor(other).to(stimuli.s)
