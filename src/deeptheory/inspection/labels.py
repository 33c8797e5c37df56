"""Targets as instruments get them: class codes or numbers in column 0, permutations of them beside it,
and the held-out half."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from deeptheory.core.errors import InputError
from deeptheory.recording.inputs import as_targets

Task = Literal["auto", "classes", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)
_FEW_VALUES = 20  # integers of at most so many values are classes, however few the samples


@dataclass(frozen=True, kw_only=True, eq=False)
class Labels:
    """codes: [n, 1 + permutations] or None; classes: None without or for regression; names, counts: of the classes;
    said: in words; held_out: [n] bool, half of each class (of all, without classes), no class wholly. values: the
    classes as integers, () where they are none."""

    codes: torch.Tensor | None
    classes: int | None
    names: tuple[str, ...]
    counts: tuple[int, ...]
    said: str
    held_out: torch.Tensor
    values: tuple[int, ...] = ()


def labels_of(targets: Any, n: int, permutations: int, seed: int, task: Task = "auto") -> Labels:
    """targets: [n] of any kind, [n, 1], or rows of probabilities [n, classes] (their largest counts); None for none.

    task: "classes", "regression", or "auto": text, booleans and integers of few values are classes,
    other numbers are not.
    InputError: another length, missing values, several columns, an unknown task.
    """
    if task not in TASKS:
        raise InputError(f"task is {task!r}; known: {', '.join(TASKS)}")
    if permutations < 0:
        raise InputError(f"permutations is {permutations}; needed: 0 or more")
    rng = np.random.default_rng([seed, 1])
    if targets is None:
        return Labels(
            codes=None, classes=None, names=(), counts=(), said="no targets", held_out=_half(np.zeros(n, int), rng)
        )
    y = _column(targets, n)
    kind = task if task != "auto" else "classes" if _is_classes(y) else "regression"
    if kind == "regression":
        if y.dtype.kind not in "iufb":
            raise InputError("targets are text; they can only be classes")
        values = y.astype(np.float64)
        held = _half(np.zeros(n, int), rng)
        said = f"numbers from {values.min():.4g} to {values.max():.4g}"
        return Labels(
            codes=_permuted(values, permutations, rng), classes=None, names=(), counts=(), said=said, held_out=held
        )
    found, codes = np.unique(y, return_inverse=True)
    counts = np.bincount(codes, minlength=len(found))
    said = f"{len(found)} class{'es' * (len(found) != 1)}, {counts.min()} to {counts.max()} samples each"
    return Labels(
        codes=_permuted(codes.reshape(-1).astype(np.int64), permutations, rng),
        classes=len(found),
        names=tuple(str(v) for v in found),
        counts=tuple(int(c) for c in counts),
        said=said,
        held_out=_half(codes.reshape(-1), rng),
        values=_integers(found),
    )


def _column(targets: Any, n: int) -> np.ndarray:
    y = as_targets(targets)
    if y.ndim == 0 or len(y) != n:
        raise InputError(f"targets have {len(y) if y.ndim else 'no'} rows, inputs {n}; one each is needed")
    if y.dtype.kind == "c":
        raise InputError("targets are complex; needed: labels or real numbers")
    if y.dtype.kind == "f" and not np.isfinite(y).all():
        raise InputError(
            f"targets hold {int((~np.isfinite(y)).sum())} values that are not finite; leave those samples out"
        )
    if y.ndim == 2 and y.size and y.dtype.kind in "fiub" and y.min() >= 0 and np.allclose(y.sum(axis=1), 1, atol=1e-4):
        return y.argmax(axis=1)
    if y.ndim > 1:
        raise InputError(
            f"targets have shape {list(y.shape)}; needed: one column, or rows of probabilities that sum to 1"
        )
    return y


def _is_classes(y: np.ndarray) -> bool:
    if y.dtype.kind not in "fiu":
        return True
    if y.dtype.kind == "f" and not (y == np.round(y)).all():
        return False
    different = len(np.unique(y))
    return different <= _FEW_VALUES or different <= len(y) // 2


def _integers(found: np.ndarray) -> tuple[int, ...]:
    whole = found.dtype.kind in "iub" or (found.dtype.kind == "f" and (found == np.round(found)).all())
    values = tuple(int(v) for v in found) if whole else ()
    return values if all(abs(v) < 2**63 for v in values) else ()


def _permuted(y: np.ndarray, permutations: int, rng: np.random.Generator) -> torch.Tensor:
    columns = [y, *(y[rng.permutation(len(y))] for _ in range(permutations))]
    return torch.from_numpy(np.stack(columns, axis=1))


def _half(codes: np.ndarray, rng: np.random.Generator) -> torch.Tensor:
    held = np.zeros(len(codes), bool)
    for c in np.unique(codes):
        rows = np.flatnonzero(codes == c)
        held[rng.permutation(rows)[: len(rows) // 2]] = True
    return torch.from_numpy(held)
