"""Reading an attribute of the stimuli (man or woman, say) from the population by a linear reader.

Folds hold every value in its own share and are drawn several times: where single rows of balanced values are left out,
what is left always holds more of the others, and a reader of noise is wrong more often than not. The reader is
left_out.py's, one penalty for all values, chosen inside. Source of the interval: Nadeau & Bengio 2003 (folds that share
what they learn from).
"""

from typing import Any

import numpy as np
import torch

from deeptheory.axis.bench.dependence import Rows
from deeptheory.axis.bench.left_out import left_out
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.core.statistics import codes_of, proportion_interval

_FOLDS, _ROWS = 10, 20_000  # rows read, over all repeats, that are enough
_SHARED = 1.35  # variance of the share right over that of independent readings; measured (docs/what_axis_tests_tell.md)


def read_attribute(y: Any, labels: np.ndarray, rows: Rows | None = None, seed: int = 0) -> Estimate:
    """Share of stimuli whose attribute a linear reader of all units [n, u] gets right, each learned from other folds.

    labels: [n], two or more values; the reader of each is least squares (ridge where units are many), the largest wins.
    The note says what the most frequent value alone would get. InputError: fewer than two values, or one that occurs
    once.
    """
    y = torch.as_tensor(y).to(torch.float64)
    which = codes_of(labels)
    counts = np.bincount(which)
    if len(counts) < 2 or counts.min() < 2:
        names = list(dict.fromkeys(np.asarray(labels).tolist()))
        raise InputError(
            f"the attribute has values {names[:5]} that occur {counts[:5].tolist()} times; needed: two values, "
            "each twice or more"
        )
    rows = Rows(len(which)) if rows is None else rows
    shown = torch.nn.functional.one_hot(torch.as_tensor(which), len(counts)).to(y)
    repeats = int(np.clip(_ROWS // len(which), 2, 10))
    right, number = np.zeros(len(which)), min(_FOLDS, int(counts.min()))
    for k in range(repeats):
        folds = stratified(which, rows, number, [seed, 18, k])
        said = left_out(y, shown, folds, inner=0 if rows.independent else 5, joint=True, rows=rows.effective).steady
        right += (said.argmax(1).cpu().numpy() == which) / repeats
    n = len(which) if rows.independent else max(2, round(rows.effective))
    value = float(right.mean())
    found = proportion_interval(round(value * n / _SHARED), max(2, round(n / _SHARED)))
    note = f"the most frequent of {len(counts)} values alone: {counts.max() / counts.sum():.3f}"
    return Estimate(
        value=value,
        low=min(found.low, value),
        high=max(found.high, value),
        unit="1",
        method=f"linear reader, {repeats} times {number} stratified folds",
        direction="lower",
        notes=(note,),
    )


def stratified(which: np.ndarray, rows: Rows, k: int, seed: Any) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Folds that hold each value in its share; groups and stretches stay in one fold."""
    rng = np.random.default_rng(seed)
    clusters = np.arange(len(which)) if rows.independent else rows.clusters()
    assert clusters is not None
    size = np.bincount(clusters)
    majority = (
        np.array([np.bincount(which[clusters == c]).argmax() for c in range(len(size))])
        if len(size) < len(which)
        else which[np.argsort(clusters)]
    )
    fold_of, turn = np.empty(len(size), dtype=np.int64), 0
    for value in rng.permutation(which.max() + 1):
        mine = rng.permutation(np.flatnonzero(majority == value))
        fold_of[mine] = (turn + np.arange(len(mine))) % k  # the next value goes on where this one ended: even folds
        turn += len(mine)
    parts = fold_of[clusters]
    each = [np.flatnonzero(parts == fold) for fold in range(k)]
    everything = np.arange(len(which))
    return [(torch.as_tensor(np.setdiff1d(everything, part)), torch.as_tensor(part)) for part in each if len(part)]
