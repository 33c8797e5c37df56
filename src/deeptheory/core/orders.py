"""Orders of rows under which a null of no relation holds: what belongs together moves together."""

from itertools import product
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole, codes_of


def permutations(
    n: int, draws: int, *, seed: Any = 0, groups: Any = None, block: int | None = None, within: Any = None
) -> np.ndarray:
    """Row orders [draws, n] int64 under which a null holds; y[order] against x is the shuffled pairing.

    Uniform and independent over all n! orders, the identity among them, from the seed (as numpy.random.default_rng
    takes it). groups [n]: rows that belong together; whole groups move and keep their inner order (exact where all have
    one size). block: rows are a series (each group one run of it), cut into blocks of about that length from a random
    start; blocks move. within [n]: only rows of one value change places; alone.
    InputError: n below 1, draws below 0, fewer than two groups or blocks, another length, within with one of the two.
    """
    check_whole(n=(n, 1), draws=(draws, 0), block=(1 if block is None else block, 1))
    rng = np.random.default_rng(seed)
    for name, given in (("groups", groups), ("within", within)):
        if given is not None and len(given) != n:
            raise InputError(f"{name} has {len(given)} values for {n} rows; needed: one per row")
    rows = np.arange(n)
    if within is not None:
        if groups is not None or block is not None:
            raise InputError("within= comes alone; with groups= or block= whole blocks move")
        codes = codes_of(within)
        strata = [rows[codes == c] for c in range(codes.max() + 1)]
        out = np.tile(rows, (draws, 1))
        for k, s in product(range(draws), strata):
            out[k, s] = rng.permutation(s)
        return out
    if groups is None and block is None:
        return np.stack([rng.permutation(n) for _ in range(draws)]) if draws else np.zeros((0, n), dtype=np.int64)
    codes = codes_of(groups) if groups is not None else np.zeros(n, dtype=np.int64)
    runs = [rows[codes == c] for c in range(codes.max() + 1)]
    where = np.concatenate(runs)  # the places that rows are dealt to, group after group
    fewest = len(runs) if block is None else sum(max(1, len(r) // block) for r in runs)
    if fewest < 2:
        what = f"{len(runs)} group" if block is None else f"blocks of {block} in {n} rows"
        raise InputError(f"{what}: nothing can change places; needed: two groups or blocks or more")
    out = np.empty((draws, n), dtype=np.int64)
    for k in range(draws):
        pieces = runs if block is None else [p for r in runs for p in _cut(r, block, rng)]
        out[k, where] = np.concatenate([pieces[i] for i in rng.permutation(len(pieces))])
    return out


def _cut(run: np.ndarray, block: int, rng: np.random.Generator) -> list[np.ndarray]:
    turned = np.roll(run, -int(rng.integers(len(run))))
    return np.array_split(turned, max(1, len(run) // block))
