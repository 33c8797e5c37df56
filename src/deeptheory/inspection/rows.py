"""Which samples of the probe an instrument uses: the same for every layer, network and batch size,
drawn from the seed."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from deeptheory.inspection.instrument import Batch, Context
from deeptheory.recording.inputs import mapped

ROUNDING = 8  # units in the last place within which values are one value
FEW = 64  # samples of what costs passes of its own, or memory of whole maps


def generator_of(seed: int) -> torch.Generator:
    """torch's generator for a seed of any size: it takes 64 bits."""
    return torch.Generator().manual_seed(int(seed) % 2**64)


class Places:
    """Where the chosen samples of a probe of n stand among themselves."""

    def __init__(self, rows: Tensor, n: int):
        self.rows = rows
        self._place = torch.full((n,), -1, dtype=torch.int64)
        self._place[rows] = torch.arange(len(rows))

    def of(self, batch_rows: Tensor) -> tuple[Tensor, Tensor]:
        """(which samples of a batch are chosen [b] bool, their places) on the CPU."""
        at = self._place[batch_rows.cpu()]
        mine = at >= 0
        return mine, at[mine]


class Held:
    """The pooled activations of the chosen samples [rows, units], in float32, or float64 where the model has it."""

    def __init__(self, rows: Tensor, n: int, columns: Tensor | None = None):
        self._places, self._columns = Places(rows, n), columns
        self._x: Tensor | None = None

    def take(self, batch: Batch) -> None:
        """Copy what is chosen of a batch."""
        mine, at = self._places.of(batch.rows)
        a = batch.activations[mine.to(batch.activations.device)].detach().cpu()
        a = a if self._columns is None else a[:, self._columns]
        a = a if a.dtype == torch.float64 else a.float()
        if (
            self._x is None
        ):  # made here and not before: what is made in inference mode cannot be written to outside of it
            self._x = torch.zeros(len(self._places.rows), a.shape[1], dtype=a.dtype)
        self._x[at] = a

    @property
    def x(self) -> Tensor:
        """All of them, when every batch was taken."""
        assert self._x is not None
        return self._x

    @property
    def constant(self) -> bool:
        """Whether all samples have the same values, up to rounding."""
        x = self.x
        return bool((x.amax(0) - x.amin(0)).max() <= ROUNDING * torch.finfo(x.dtype).eps * x.abs().max())


def kept_rows(context: Context, most: int) -> Tensor:
    """At most so many samples of the probe, ascending: the same fraction of each class, drawn from the seed."""
    if context.n <= most:
        return torch.arange(context.n)
    codes = context.labels[:, 0].numpy()
    order = np.random.default_rng(context.seed).permutation(context.n)
    counts = np.bincount(codes)
    rank, seen = np.empty(context.n), np.zeros(len(counts))
    for row in order:
        rank[row] = seen[codes[row]] / counts[codes[row]]
        seen[codes[row]] += 1
    return torch.as_tensor(np.sort(order[np.argsort(rank[order], kind="stable")[:most]]))


def chosen_rows(context: Context, most: int = FEW) -> Tensor:
    """Which samples of the probe are used, ascending: drawn from the seed."""
    return torch.randperm(context.n, generator=generator_of(context.seed))[:most].sort().values


def chosen_inputs(context: Context, most: int = FEW) -> Any:
    """Their inputs."""
    rows = chosen_rows(context, most)
    return mapped(context.inputs, lambda v: v[rows] if v.ndim and len(v) == context.n else v)
