"""Which samples of what was given are measured: at most so many, drawn with the seed; of a loader the first ones."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
)

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole, labels_array
from deeptheory.recording.inputs import check_order, mapped, sample_count, tensors_of, with_targets


def sampled(inputs: Any, targets: Any, first: int | None, seed: int, model: nn.Module) -> tuple[Any, Any, str]:
    """(inputs, targets, how they were drawn). InputError: first is no integer or below 1, targets that are masked, of
    another length, or given next to a loader that shuffles."""
    if first is not None:
        check_whole(first=(first, 1))
        first = int(first)
    if isinstance(inputs, DataLoader | IterableDataset):
        return _of_loader(inputs, targets, first, model)
    if isinstance(inputs, Dataset):
        n = _length(inputs)
        if first is None or n <= first:
            x, y = with_targets(inputs, targets, model)
            return x, y, f"all {sample_count(x):,}"
        rows = _rows(n, first, seed)
        x, y = with_targets(Subset(inputs, rows.tolist()), None if targets is None else _taken(targets, rows, n), model)
        return x, y, _said(first, n, seed)
    x, y = with_targets(inputs, targets, model)
    n = sample_count(x)
    if first is None or n <= first:
        return x, y, f"all {n:,}"
    rows = _rows(n, first, seed)
    chosen = torch.from_numpy(rows)
    x = mapped(x, lambda v: v[chosen.to(v.device)] if v.ndim and len(v) == n else v)
    return x, None if y is None else _taken(y, rows, n), _said(first, n, seed)


def _of_loader(loader: Any, targets: Any, first: int | None, model: nn.Module) -> tuple[Any, Any, str]:
    check_order(loader, targets)
    if first is None:
        x, y = with_targets(
            DataLoader(loader, batch_size=256) if isinstance(loader, IterableDataset) else loader, targets, model
        )
        return x, y, f"all {sample_count(x):,}"
    source = DataLoader(loader, batch_size=256) if isinstance(loader, IterableDataset) else loader
    with torch.random.fork_rng(devices=[]):
        items = list(_until(source, first))
    if not items:
        raise InputError("inputs hold no sample: the loader or dataset is empty")
    x, y = with_targets(_Kept(items), None, model)
    n = sample_count(x)
    if n > first:
        rows = np.arange(first)
        x = mapped(x, lambda v: v[:first] if v.ndim and len(v) == n else v)
        y = None if y is None else _taken(y, rows, n)
    if targets is not None:
        there = np.shape(targets)[0] if np.ndim(targets) else 0
        if there < min(n, first) or (n < first and there != n):
            raise InputError(f"targets have {there or 'no'} rows, inputs {n}; one each is needed")
        y = _taken(targets, np.arange(min(n, first)), there)
    return x, y, f"the first {min(n, first):,} of the loader"


def _until(source: DataLoader, first: int) -> Iterator[Any]:
    """Batches until they hold so many samples: a batch_sampler does not say how many it will give."""
    if source.batch_size is not None:
        yield from islice(source, -(-first // source.batch_size))
        return
    held = 0
    for item in source:
        yield item
        held += max(1, _rows_of(item))
        if held >= first:
            return


def _rows_of(item: Any) -> int:
    return next((len(v) for v in tensors_of(item) if v.ndim), 0)


class _Kept(DataLoader):
    """Batches that were drawn already, in the form of a loader."""

    def __init__(self, items: list[Any]):
        super().__init__(items, batch_size=None)  # type: ignore[arg-type]  # a list is indexed like a Dataset


def _rows(n: int, first: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng([seed, 2]).choice(n, size=first, replace=False))


def _taken(targets: Any, rows: np.ndarray, n: int) -> Any:
    if hasattr(targets, "iloc"):
        targets = targets.to_numpy()
    values = targets if isinstance(targets, torch.Tensor) else labels_array("targets", targets)
    if values.ndim == 0 or len(values) != n:
        raise InputError(f"targets have {len(values) if values.ndim else 'no'} rows, inputs {n}; one each is needed")
    return values[torch.from_numpy(rows).to(values.device)] if isinstance(values, torch.Tensor) else values[rows]


def _length(data: Any) -> int:
    try:
        return len(data)
    except TypeError as error:
        raise InputError("the dataset has no length; give a DataLoader of it, or first=None") from error


def _said(first: int, n: int, seed: int) -> str:
    return f"{first:,} of {n:,}, drawn with seed {seed}"
