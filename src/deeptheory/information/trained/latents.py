"""LMI: learned codes of few numbers that tell of both variables, then neighbor counts on codes of other rows.

Source: Gowri, Lun, Klein & Yin 2024 ("Approximating mutual information of high-dimensional variables using learned
representations"). Two encoders; from each code both x and y are decoded (squared error per column), so that a code
keeps what is shared before what is not. Each half of the rows gives codes to the other, on which Kraskov's estimator
counts. Codes know at most what the variables do, but counts err either way: neither bound.
Pitfall: what codes of `dims` numbers lose is not seen; counts in many of them lean towards 0.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from deeptheory.core import statistics
from deeptheory.core.results import Estimate
from deeptheory.core.shapes import check_whole
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.estimators.samples import check_k
from deeptheory.information.spread import counts_of, null_half
from deeptheory.information.trained.coordinates import paired
from deeptheory.information.trained.critics import HIDDEN, mlp
from deeptheory.information.trained.rows import rows_of
from deeptheory.information.trained.settings import Settings
from deeptheory.information.trained.training import alone, batches, train

_FEWEST, _MOST = 2, 8  # numbers per code
_ROWS, _DRAWS = 500, 20  # permuted, for the width of the interval
_NEITHER = "neither bound (codes keep at most all, counts on them err either way)"


class Coder(nn.Module):
    """A variable's encoder, and the decoder of both variables from its code."""

    def __init__(self, d: int, dims: int, out: int, seeds: list[int], device: str):
        super().__init__()
        first = torch.eye(d, dims, dtype=torch.float32, device=device)  # the pairs that correlate most
        self.linear = nn.Parameter(first.repeat(len(seeds), 1, 1))
        self.encoder = mlp([d, HIDDEN, HIDDEN, dims], [2 * s for s in seeds], device)
        self.decoder = mlp([dims, HIDDEN, HIDDEN, out], [2 * s + 1 for s in seeds], device, 1.0)

    def code(self, x: Tensor) -> Tensor:
        """[S, B, d] -> [S, B, dims]."""
        return torch.bmm(x, self.linear) + self.encoder.logits(x, apart=True)

    def forward(self, x: Tensor) -> Tensor:
        """[S, B, d] -> [S, B, dx + dy]."""
        return self.decoder.logits(self.code(x), apart=True)


def coded(x, y, dims: int | None, k: int, settings: Settings) -> Estimate:
    """I of learned codes of x and y by neighbor counts; see methods.py."""
    if dims is not None:
        check_whole(dims=(dims, 1))
    pair = paired(x, y, ordered=settings.block is not None)
    if pair.empty:
        return nothing("LMI", pair.notes)
    with alone():
        rows = rows_of(pair, settings)
        check_k(k, min(len(f.test) for f in rows.folds))
        dx, dy = rows.x.shape[2], rows.y.shape[2]
        if dims is None:  # a code of more numbers than are shared hides them from neighbor counts
            dims = int(np.clip((rows.rho > 0).sum(1).max().item(), _FEWEST, _MOST))
        keep = min(dims, dx), min(dims, dy)
        of_x = Coder(dx, keep[0], dx + dy, [2 * s for s in rows.seeds], settings.device)
        of_y = Coder(dy, keep[1], dx + dy, [2 * s + 1 for s in rows.seeds], settings.device)

        def right(index: Tensor) -> Tensor:
            a, b = rows.of(index)
            off = [
                (decoded[..., part] - target).square().mean((1, 2))
                for decoded in (of_x(a), of_y(b))
                for part, target in ((slice(dx), a), (slice(dx, None), b))
            ]
            return -torch.stack(off).sum(0)

        deciding = rows.deciding(4096)
        done = train(
            nn.ModuleList([of_x, of_y]),
            batches([f.train for f in rows.folds], settings.batch, settings.seed),
            right,
            lambda: torch.stack([right(i) for i in deciding]).mean(0),
            settings,
            "lmi",
        )
        found = []
        with torch.no_grad():
            for fold_number, fold in enumerate(rows.folds):
                index = rows.alone(fold_number, fold.test)
                network = torch.full_like(index, fold_number)
                codes = [
                    c.code(v[network, index])[fold_number].double().cpu().numpy()
                    for c, v in ((of_x, rows.x), (of_y, rows.y))
                ]
                found.append(_counted(codes, k, settings, rows.pieces[index[0]].cpu().numpy()))
    value = float(np.mean([f.value for f in found]))
    sampling = float(np.sqrt(np.sum([((f.high - f.low) / 2) ** 2 for f in found]))) / len(found)
    spread = 1.96 * float(np.std([f.value for f in found], ddof=1)) / len(found) ** 0.5
    half = max(sampling, spread) if np.isfinite(sampling) else np.nan
    method = (
        f"LMI: codes of {keep[0]} and {keep[1]} numbers, {len(found)} pairs of networks of {done.steps} steps, then "
        f"{found[0].method} on rows they never saw; {_NEITHER}"
    )
    notes = (*pair.notes, *((done.note,) if done.note else ()))
    notes += tuple(dict.fromkeys(t for f in found for t in f.notes if "columns: biased" not in t))
    if np.isnan(half):
        notes += (
            f"no interval: ten batches of the {len(rows.folds[0].test)} rows that a fold counts are too small, each "
            "needs at least 20 rows, or groups or blocks",
        )
    return Estimate(value=value, low=value - half, high=value + half, method=method, notes=notes)


def _counted(codes: list[np.ndarray], k: int, settings: Settings, pieces: np.ndarray) -> Estimate:
    """Kraskov's estimator of codes, its interval from batches of what stays together, or at least as wide as counts
    spread with one side permuted (spread.py)."""
    got = ksg(*codes, k=k, seed=settings.seed)
    if got.direction == "exact":  # a code is constant
        return got
    if settings.groups is None and settings.block is None:
        n = len(pieces)
        chance = null_half(counts_of(codes[0], codes[1], k, True, settings.seed), n, settings.seed, _ROWS, _DRAWS)
        half = max((got.high - got.low) / 2, chance) if np.isfinite(got.high) else np.nan
        return replace(got, low=got.value - half, high=got.value + half)

    def of(rows: np.ndarray) -> float:
        if len(rows) <= k:  # a batch of small groups
            return np.nan
        return ksg(*(c[rows] for c in codes), k=k, seed=settings.seed).value

    low, high = statistics.batch_interval(got.value, of, len(pieces), seed=settings.seed, groups=pieces)
    return replace(got, low=low, high=high)
