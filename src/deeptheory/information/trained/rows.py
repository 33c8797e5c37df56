"""The rows of all folds as tensors: each network sees them in its own coordinates."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deeptheory.information.trained.coordinates import Pair, turned
from deeptheory.information.trained.settings import Settings
from deeptheory.information.trained.splits import LEAST, Fold, split


@dataclass(frozen=True)
class Rows:
    """x [S, n, dx] and y [S, n, dy] float32, rho [S, min(dx, dy)] their correlations beyond noise in the rows trained
    on, pieces [n] of what stays together, the folds, seeds of the networks."""

    x: Tensor
    y: Tensor
    rho: Tensor
    pieces: Tensor
    folds: list[Fold]
    seeds: list[int]

    def of(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """x and y of rows [S, B]."""
        network = torch.arange(len(index), device=index.device)[:, None]
        return self.x[network, index], self.y[network, index]

    def others(self, index: Tensor) -> Tensor:
        """Which pairs of rows [S, B] do not belong together, [S, B, B], or [B, B] where every row is on its own."""
        if int(self.pieces.max()) + 1 == len(self.pieces):
            return ~torch.eye(index.shape[1], dtype=torch.bool, device=index.device)
        piece = self.pieces[index]
        return piece.unsqueeze(2) != piece.unsqueeze(1)

    def index(self, rows: np.ndarray) -> Tensor:
        """Row numbers on the device."""
        return torch.as_tensor(rows, device=self.x.device)

    def deciding(self, size: int) -> list[Tensor]:
        """Rows that decide when to stop, [S, B] each, B at most `size`, as many for every network."""
        few = min(len(f.stop) for f in self.folds)
        parts = -(-few // size)
        each = few // parts
        stacked = np.stack([f.stop[:few] for f in self.folds])
        return [self.index(stacked[:, k * each : (k + 1) * each]) for k in range(parts)]

    def measured(self, fold: int, size: int) -> list[np.ndarray]:
        """All rows that the fold measures, in parts of at most `size`, about equal."""
        test = self.folds[fold].test
        return np.array_split(test, -(-len(test) // size))

    def alone(self, fold: int, rows: np.ndarray) -> Tensor:
        """These rows for every network, [S, B]; only that of the fold is to be read."""
        return self.index(np.broadcast_to(rows, (len(self.folds), len(rows))).copy())


def rows_of(pair: Pair, settings: Settings) -> Rows:
    """The rows of a pair of variables, split and turned."""
    pieces = settings.pieces(pair.order)
    if settings.groups is None and settings.block is None:
        n, several, most = len(pieces), pair.copies.max() + 1, np.bincount(pair.copies).max()
        if several >= LEAST * settings.folds and 3 * settings.folds * most <= n:
            pieces = pair.copies
    folds = split(pieces, settings.folds, settings.seed)
    both = [turned(pair.x.columns, pair.y.columns, f.train) for f in folds]
    drawn = np.random.SeedSequence([settings.seed, len(pieces), 15]).generate_state(len(folds), np.uint32)
    x, y, rho = (torch.as_tensor(np.stack(v), device=settings.device) for v in zip(*both))
    return Rows(
        x=x,
        y=y,
        rho=rho,
        pieces=torch.as_tensor(pieces, device=settings.device),
        folds=folds,
        seeds=[int(d) * 64 + k for k, d in enumerate(drawn)],
    )
