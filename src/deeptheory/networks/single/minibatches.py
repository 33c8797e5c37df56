"""Minibatches of arrays as a function of the step alone: epoch e is a permutation drawn by (seed, e)."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_tensor, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole
from deeptheory.networks.fingerprints import digest, name_of


class Minibatches:
    """What `minibatches` gives, of arrays [n, ...] each: a function (step, generator) -> tuple of tensors [batch, ...].

    n: samples; per_epoch: minibatches per epoch; arrays, batch, augment, seed, drop_last: as given.
    """

    def __init__(self, arrays: tuple[torch.Tensor, ...], batch: int, *, augment, seed: int, drop_last: bool):
        self.arrays, self.batch, self.augment, self.seed, self.drop_last = arrays, batch, augment, seed, drop_last
        self.n = len(arrays[0])
        self.per_epoch = self.n // batch if drop_last else -(-self.n // batch)
        self._epoch, self._order = -1, torch.empty(0)

    def __call__(self, step: int, generator: np.random.Generator) -> tuple[torch.Tensor, ...]:
        """The minibatch of that step (from 0), one tensor per array; only augment draws from the generator.

        InputError: a step that is no integer of 0 or more.
        """
        check_whole(step=(step, 0))
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            order = np.random.default_rng([self.seed, epoch]).permutation(self.n)
            self._epoch, self._order = epoch, torch.as_tensor(order, device=self.arrays[0].device)
        rows = self._order[place * self.batch : (place + 1) * self.batch]
        first, *rest = (a[rows] for a in self.arrays)
        return (first if self.augment is None else self.augment(first, generator), *rest)

    def fingerprint(self) -> dict[str, Any]:
        """What they are made of, by value, for a checkpoint: settings, a digest of the arrays, augment by its name."""
        named = None if self.augment is None else name_of(self.augment)
        return {
            "batch": int(self.batch),
            "seed": int(self.seed),
            "drop_last": self.drop_last,
            "augment": named,
            "arrays": digest(self.arrays),
        }

    def __repr__(self) -> str:
        return f"Minibatches({self.n} samples, {self.batch} a step, {self.per_epoch} steps an epoch)"


def minibatches(
    *arrays: Any,
    batch: int,
    augment: Callable[[torch.Tensor, np.random.Generator], torch.Tensor] | None = None,
    seed: int = 0,
    drop_last: bool = True,
) -> Minibatches:
    """The `batches` of `train` from paired arrays, numpy or torch, each [n, ...]; a minibatch is a tuple of tensors.

    Every epoch takes the samples in another order, drawn by (seed, epoch), so that a step's rows depend on seed and
    step alone. Dtypes stay (a numpy float64 array gives float64 tensors). drop_last: leave out the last, incomplete
    minibatch of an epoch. augment(first array's rows, generator) -> the same changed. Each array stays on its device;
    all have to be on one. InputError: no array, no row, lengths that differ, the same row labels (pandas) in another
    order, batch no integer of 1 or more, or above n where drop_last leaves nothing, seed below 0.
    """
    check_whole(batch=(batch, 1), seed=(seed, 0))
    check_paired(**{f"array {k}": a for k, a in enumerate(arrays)})
    tensors = tuple(as_tensor(a) for a in arrays)
    lengths = [len(t) if t.ndim else 0 for t in tensors]
    if not tensors or len(set(lengths)) != 1 or not lengths[0]:
        raise InputError(
            f"arrays have {lengths} rows; needed: one array or more, all of the same number of rows, 1 or more"
        )
    if drop_last and batch > lengths[0]:
        raise InputError(f"batch is {batch} of {lengths[0]} samples; needed: 1 to {lengths[0]}, or drop_last=False")
    return Minibatches(tensors, batch, augment=augment, seed=seed, drop_last=drop_last)
