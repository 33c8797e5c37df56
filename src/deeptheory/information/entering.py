"""The entry of every readout: activations [seed, sample, unit] and targets,
checked and brought to the kernels' form."""

import numpy as np

from deeptheory.core.arrays import as_numbers
from deeptheory.core.errors import InputError
from deeptheory.information.counting import FIELDS, group, information, x_log_x
from deeptheory.information.reading import read


def as_activations(activations, first: int = 0) -> np.ndarray:
    """[seed, sample, unit] contiguous, float32 or float64. first: the number of the first sample, for what is said.
    InputError: other axes, no sample or unit, NaN, infinity, no real numbers."""
    a = as_numbers(activations)
    if a.ndim != 3 or 0 in a.shape:
        raise InputError(f"activations have shape {list(a.shape)}; needed: [seed, sample, unit], none of them 0")
    a = np.ascontiguousarray(a, dtype=np.float32 if a.dtype.itemsize <= 4 and a.dtype.kind == "f" else np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = a.sum()  # one pass and no temporary
    if not np.isfinite(total) and not np.isfinite(a).all():
        seed, sample, unit = np.argwhere(~np.isfinite(a))[0]
        value = a[seed, sample, unit]
        raise InputError(
            f"activations hold {value} (seed {seed}, sample {first + sample}, unit {unit}); the network diverged?"
        )
    return a


def as_labels(targets, n: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Codes [n] int64 from 0, the number of classes present, and p(y|x) [n, class] or, where labels decide,
    an empty [0, 0].

    targets: labels [n] or [n, 1], integers or words (only which are equal counts, so a vocabulary's numbers cost
    nothing), or probabilities [n, class]. InputError: another length, labels that are neither, marks for no label
    (-100, or a number below 0 among three classes or more), one class only, NaN, rows that do not sum to 1.
    """
    if targets is None:
        raise InputError("targets are missing; I(T;Y) needs the labels of the probe inputs")
    shape = getattr(targets, "shape", None) or np.shape(targets)
    if len(shape) not in (1, 2) or shape[0] != n:
        raise InputError(f"targets have shape {list(shape)}, activations {n} samples; needed: [{n}] or [{n}, class]")
    y, words = read(targets, "targets")
    if y.shape[1] > 1:
        if not np.isfinite(y).all() or y.min() < 0 or not np.allclose(y.sum(1), 1, atol=1e-5):
            raise InputError("targets [n, class] must be probabilities: not negative, each row summing to 1")
        present = int((y.sum(0) > 0).sum())
        codes, p_y = np.zeros(n, dtype=np.int64), y.astype(np.float64, copy=False)
    else:
        codes, p_y = _codes(y[:, 0], words), np.zeros((0, 0))
        present = int(codes.max()) + 1
    if present < 2:
        raise InputError("targets hold one class only; I(T;Y) is 0 whatever the network does")
    return codes, present, p_y


def _codes(y: np.ndarray, words: bool) -> np.ndarray:
    """Labels as 0, 1, ... in their own order; what the numbers or names are does not matter."""
    if not words:
        whole = np.isfinite(y) & (y == np.floor(y))
        missing = int(np.isnan(y).sum())
        if 0 < missing < len(y):
            raise InputError(f"labels run from nan: {missing} of {len(y)} are missing; leave those samples out")
        if not whole.all():
            raise InputError(
                f"labels run from {y.min()} to {y.max()} and hold {y[~whole][0]}; needed: integers, words, "
                "or p(y|x) [n, class]"
            )
        if y.min() >= 0 and y.max() < max(1024, len(y)):  # counting is faster than sorting
            there = np.zeros(int(y.max()) + 1, dtype=bool)
            there[y.astype(np.int64)] = True
            return (np.cumsum(there) - 1)[y.astype(np.int64)]
    found, codes = np.unique(y, return_inverse=True)
    if not words and found[0] < 0 and (found[0] == -100 or len(found) > 2):
        raise InputError(
            f"labels hold {found[0]}, which often stands for: no label; leave those samples out, "
            "or number classes from 0"
        )
    return codes.astype(np.int64).ravel()


def class_weights(targets, n: int) -> np.ndarray:
    """p(y) [class], from labels or p(y|x)."""
    codes, classes, p_y = as_labels(targets, n)
    return p_y.mean(0) if len(p_y) else np.bincount(codes, minlength=classes) / n


def as_p_y_given_x(targets, n: int) -> np.ndarray:
    """The same as p(y|x) [n, class] float64, labels as ones; memory of n times the classes present."""
    codes, classes, p_y = as_labels(targets, n)
    return p_y if len(p_y) else np.eye(classes)[codes]


def discrete(rows: np.ndarray, targets) -> dict[str, np.ndarray]:
    """i_x, i_y, h_t, occupied of discrete rows [S, n, unit] of integers, compared in full; each [S], bits."""
    out = np.empty((len(rows), 4))
    labels, classes, p_y = as_labels(targets, rows.shape[1])
    information(rows, False, 1, labels, classes, p_y, x_log_x(rows.shape[1]), out)
    return as_dict(out)


def numbered(rows: np.ndarray) -> np.ndarray:
    """Equal rows of [S, n, unit] integers by number: [S, n] int64, from 0 in order of appearance in each network."""
    n = rows.shape[1]
    ids = np.empty(rows.shape[:2], dtype=np.int64)
    first, keys = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.uint64)
    table = np.empty(1 << max(2, (2 * n - 1).bit_length()), dtype=np.int32)
    for s in range(len(rows)):
        group(rows[s], False, 1, ids[s], keys, table, first)
    return ids


def as_dict(out: np.ndarray) -> dict[str, np.ndarray]:
    """The kernels' [S, 4] as named columns."""
    return {name: out[:, k].copy() for k, name in enumerate(FIELDS)}
