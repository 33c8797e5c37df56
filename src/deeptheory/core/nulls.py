"""Nulls by permutation: the orders of rows under which a null holds, and the p-value of what was observed among draws.

Source: Phipson & Smyth 2010 (a permutation p-value is never 0). Public in deeptheory.statistics.
Pitfall: rows that follow each other, or belong together, are not exchangeable one by one; whole blocks or groups move.
"""

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_whole, generator_of
from deeptheory.core.statistics_inputs import codes_by_row


def permutation_p(observed: Any, null: Any, tail: Literal["greater", "less", "both"] = "greater") -> np.ndarray:
    """(b + 1) / (m + 1) for observed [...] against m draws null [m, ...]: p [...], never 0 (Phipson & Smyth 2010).

    b: draws that are at least the observed (tail "greater"), or at most ("less"); "both": twice the smaller p of the
    two, at most 1. NaN where there are no draws, or the observed or a draw is NaN. InputError: another tail, draws of
    another shape than the observed.
    """
    observed, null = as_floats(observed), as_floats(null)
    if null.ndim == 0 or null.shape[1:] != observed.shape:
        raise InputError(f"null has shape {list(null.shape)}; needed: [m, ...] for observed {list(observed.shape)}")
    m = len(null)
    if m == 0:
        return np.full(observed.shape, np.nan)
    above = (1 + (null >= observed).sum(0)) / (1 + m)
    below = (1 + (null <= observed).sum(0)) / (1 + m)
    p = pick(
        {"greater": above, "less": below, "both": np.minimum(1.0, 2 * np.minimum(above, below))}, tail, what="tail"
    )
    return np.where(np.isnan(observed) | np.isnan(null).any(0), np.nan, p)


def permutations(
    n: int, draws: int, *, seed: Any = 0, groups: Any = None, block: int | None = None, within: Any = None
) -> np.ndarray:
    """Row orders [draws, n], int64, under which a null holds; y[order] against x is the shuffled pairing.

    The identity is one of the orders that may be drawn. groups [n]: rows that belong together; whole groups move and
    keep their inner order (exact where all have one size). block: rows are a series (each group one run of it), each
    run turned by a random number of rows and cut into blocks of at least `block` rows; blocks move. within [n]:
    only rows of one value change places. seed: an integer, several, or numpy's generator.
    InputError: n or block below 1, draws below 0, fewer than two groups or blocks, groups or within of another length,
    within together with groups or block.
    """
    orders = [*permuted(n, draws, seed=seed, groups=groups, block=block, within=within)]
    return np.stack(orders) if orders else np.zeros((0, n), dtype=np.int64)


def permuted(
    n: int, draws: int, *, seed: Any = 0, groups: Any = None, block: int | None = None, within: Any = None
) -> Iterator[np.ndarray]:
    """The orders of permutations, [n] each, one by one. InputError, at once: as there."""
    check_whole(n=(n, 1), draws=(draws, 0), **({} if block is None else {"block": (block, 1)}))
    rng = generator_of(seed)
    rows = np.arange(n)
    if within is not None:
        if groups is not None or block is not None:
            raise InputError("within= comes alone; with groups= or block= whole blocks move")
        return _within(rows, draws, _runs(codes_by_row("within", within, n)), rng)
    if groups is None and block is None:
        return (rng.permutation(n) for _ in range(draws))
    runs = _runs(codes_by_row("groups", groups, n))
    fewest = len(runs) if block is None else sum(max(1, len(r) // block) for r in runs)
    if fewest < 2:
        what = f"{len(runs)} group" if block is None else f"blocks of {block} in {n} rows"
        raise InputError(f"{what}: nothing can change places; needed: two groups or blocks or more")
    return _blocks(n, draws, runs, block, rng)


def _runs(codes: np.ndarray) -> list[np.ndarray]:
    """The rows of each code, in order."""
    return np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])


def _within(rows: np.ndarray, draws: int, strata: list[np.ndarray], rng: np.random.Generator) -> Iterator[np.ndarray]:
    for _ in range(draws):
        out = rows.copy()
        for s in strata:
            out[s] = rng.permutation(s)
        yield out


def _blocks(
    n: int, draws: int, runs: list[np.ndarray], block: int | None, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    where = np.concatenate(runs)  # the places that rows are dealt to, group after group
    for _ in range(draws):
        pieces = runs if block is None else [p for r in runs for p in _cut(r, block, rng)]
        out = np.empty(n, dtype=np.int64)
        out[where] = np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
        yield out


def _cut(run: np.ndarray, block: int, rng: np.random.Generator) -> list[np.ndarray]:
    turned = np.roll(run, -int(rng.integers(len(run))))
    return np.array_split(turned, max(1, len(run) // block))
