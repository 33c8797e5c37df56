"""Reading the features from the population: leave-one-out over all stimuli in closed form.

Source: Chang & Tsao 2017, figure 3: each feature by ordinary least squares on [responses, 1], each stimulus predicted from
the others, explained variance 1 - SSE/SST. With the hat matrix H the left-out residual is e_i / (1 - h_ii): one
factorisation instead of 2,000 x 50 regressions. Ridge has the same form with shrunken singular values.
Trap: with about as many units as stimuli, least squares interpolates and 1 - h_ii is rounding; then ridge is used, with
the penalty that is best in leave-one-out for each feature, and a note says so.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.axis.entering import Entered
from deeptheory.results import Result

_ALPHAS = tuple(10.0 ** np.arange(-6, 4.01, 1.0))
_ROOM = 1.5  # stimuli a unit below which ridge takes over


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoding(Result):
    """explained: [feature], leave-one-out explained variance, may be negative, NaN for constant features. predicted,
    actual: [n, feature], normalised. blocks: indices by name. ridge: whether the penalised form was used."""

    explained: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray
    blocks: dict[str, np.ndarray]
    units: int
    ridge: bool
    notes: tuple[str, ...] = ()

    @property
    def by_block(self) -> dict[str, float]:
        """Mean explained variance of each block's features."""
        varying = {
            name: self.explained[index][np.isfinite(self.explained[index])] for name, index in self.blocks.items()
        }
        return {name: float(v.mean()) if len(v) else float("nan") for name, v in varying.items()}

    def __repr__(self) -> str:
        each = ", ".join(f"{name} {v:.2f}" for name, v in self.by_block.items())
        return f"Decoding({self.units} units, mean explained variance: {each})"

    def table(self):
        """One row a feature."""
        import pandas as pd

        block = np.full(len(self.explained), "", dtype=object)
        for name, index in self.blocks.items():
            block[index] = name
        return pd.DataFrame({"feature": np.arange(len(self.explained)), "block": block, "explained": self.explained})

    def scalars(self) -> dict[str, float]:
        """Mean explained variance by block."""
        return {f"explained/{name}": v for name, v in self.by_block.items()}

    def figure(self) -> Any:
        """Explained variance of every feature, blocks as colours."""
        from deeptheory.axis.drawing import draw_decoding

        return draw_decoding(self)


def decode(e: Entered, units: np.ndarray | None = None) -> Decoding:
    """Features from the responses of all units, or of those at the positions `units` (among those kept)."""
    y = e.y if units is None else e.y[:, units]
    predicted, ridge = predict_left_out(y, e.s)
    error, total = (e.s - predicted).square().sum(0), (e.s - e.s.mean(0)).square().sum(0)
    explained = torch.where(total > 0, 1 - error / total, torch.nan)
    note = f"{y.shape[1]} units for {len(y)} stimuli: ridge, penalty by leave-one-out for each feature"
    return Decoding(
        explained=explained.cpu().numpy(),
        predicted=predicted.cpu().numpy(),
        actual=e.s.cpu().numpy(),
        blocks=e.blocks,
        units=y.shape[1],
        ridge=ridge,
        notes=(note,) if ridge else (),
    )


def predict_left_out(y: torch.Tensor, s: torch.Tensor) -> tuple[torch.Tensor, bool]:
    """s [n, d] predicted from y [n, u], each row from the others: [n, d], and whether ridge was used."""
    n, u = y.shape
    x = y - y.mean(0)
    x = x / x.std(0, correction=0).clamp_min(1e-300)
    target = s - s.mean(0)
    ridge = n < _ROOM * u
    q, values = _orthonormal(x)
    onto = q.mT @ target
    square = q.square()
    best = None
    for alpha in _ALPHAS if ridge else (0.0,):
        shrink = values / (values + alpha * n)
        fitted = q @ (onto * shrink[:, None])
        left = (1 - 1 / n - square @ shrink).clamp_min(1e-6)[:, None]
        out = (target - fitted) / left
        error = out.square().sum(0)
        best = (
            (error, out)
            if best is None
            else (torch.minimum(error, best[0]), torch.where(error < best[0], out, best[1]))
        )
    assert best is not None
    return s - best[1], ridge


def _orthonormal(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Left singular vectors [n, k] and squared singular values [k], those of no size left out."""
    if x.shape[1] <= x.shape[0]:
        values, vectors = torch.linalg.eigh(x.mT @ x)
        keep = values > 1e-10 * values[-1]
        return (x @ vectors[:, keep]) * values[keep].rsqrt(), values[keep]
    values, vectors = torch.linalg.eigh(x @ x.mT)
    keep = values > 1e-10 * values[-1]
    return vectors[:, keep], values[keep]
