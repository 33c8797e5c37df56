"""Which rows train which network, and in which order they come.

Pitfall: the 12-bit task comes sorted; the unshuffled first 80 % have another share of ones than the rest.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_number

Split = Literal["random", "common", "first"]


def split(n: int, train, seeds: Sequence[int], how: Split = "random", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Row orders [S, n] int64, the training rows first, and how many of them train each network, [S] int64.

    train: a share in (0, 1], one share a network, or one index array a network. how: "random" (another order for each
    network, drawn from `seed` and its own seed alone), "common" (one order for all), "first" (rows as they come).
    InputError: a share outside (0, 1] or of no row, another number of shares than networks, indices out of range or
    twice, an unknown `how`.
    """
    orders = pick({"random": _random, "common": _common, "first": _first}, how, what="split")(n, seeds, seed)
    shares = list(train) if isinstance(train, list | tuple) or np.ndim(train) else [train] * len(seeds)
    if len(shares) != len(seeds):
        raise InputError(
            f"train_fraction has {len(shares)} entries for {len(seeds)} networks; give one for all, or one each"
        )
    counts = np.zeros(len(seeds), dtype=np.int64)
    for s, share in enumerate(shares):
        if np.ndim(share) == 0:
            check_number(train_fraction=share)
            counts[s] = _count(float(share), n)
        else:
            orders[s], counts[s] = _by_index(np.asarray(share), n)
    return orders, counts


def _count(share: float, n: int) -> int:
    if not 0 < share <= 1:
        raise InputError(f"train_fraction is {share}; a share of the samples lies above 0 and up to 1")
    count = round(share * n)
    if count < 1:
        raise InputError(f"train_fraction is {share} of {n} samples, which is none; raise it")
    return count


def _by_index(rows: np.ndarray, n: int) -> tuple[np.ndarray, int]:
    if rows.ndim != 1:
        raise InputError(f"training rows have shape {list(rows.shape)}; needed: [m] row numbers for each network")
    if rows.dtype.kind not in "iu" or rows.size == 0 or rows.min() < 0 or rows.max() >= n:
        raise InputError(f"training rows must be integers in [0, {n}), at least one; seen dtype {rows.dtype}, {rows}")
    if len(np.unique(rows)) != len(rows):
        raise InputError("training rows hold a row twice; each row trains once an epoch")
    rest = np.setdiff1d(np.arange(n), rows)
    return np.concatenate([rows, rest]), len(rows)


def _random(n: int, seeds: Sequence[int], seed: int) -> np.ndarray:
    return np.stack([np.random.default_rng([seed, s, n]).permutation(n) for s in seeds])


def _common(n: int, seeds: Sequence[int], seed: int) -> np.ndarray:
    return np.tile(np.random.default_rng([seed, n]).permutation(n), (len(seeds), 1))


def _first(n: int, seeds: Sequence[int], seed: int) -> np.ndarray:
    return np.tile(np.arange(n), (len(seeds), 1))
