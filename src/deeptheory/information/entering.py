"""The entry of every read-out: activations [seed, sample, unit] and targets, checked and brought to the kernels' form."""

import numpy as np

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.information.counting import FIELDS, group, information, x_log_x
from deeptheory.information.reading import read


def as_activations(activations) -> np.ndarray:
    """[seed, sample, unit] contiguous, float32 or float64. InputError: other axes, no sample or unit, NaN, infinity."""
    a = as_numpy(activations)
    if a.ndim != 3 or 0 in a.shape:
        raise InputError(f"activations have shape {list(a.shape)}; needed: [seed, sample, unit], none of them 0")
    a = np.ascontiguousarray(a, dtype=np.float32 if a.dtype.itemsize <= 4 and a.dtype.kind == "f" else np.float64)
    if not np.isfinite(a.sum()) and not np.isfinite(a).all():  # the sum is one pass and no temporary
        seed, sample, unit = np.argwhere(~np.isfinite(a))[0]
        value = a[seed, sample, unit]
        raise InputError(f"activations hold {value} (seed {seed}, sample {sample}, unit {unit}); the network diverged?")
    return a


def as_labels(targets, n: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Labels [n] int64 from 0, the number of classes that occur, and p(y|x) [n, class] or, where the labels decide, an empty
    [0, 0].

    targets: labels [n] or [n, 1], whole numbers from 0 (gaps are closed: a vocabulary's numbers cost nothing) or words, or
    probabilities [n, class]. InputError: another length, labels that are neither, one class only, NaN, rows that do not
    sum to 1.
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
        present = (y.sum(0) > 0).sum()
        labels, classes, p_y = np.zeros(n, dtype=np.int64), y.shape[1], y.astype(np.float64)
    else:
        y = y[:, 0]
        if not words and (not np.isfinite(y).all() or (y != np.floor(y)).any() or y.min() < 0):
            broken = y[~((y == np.floor(y)) & (y >= 0))][0]
            raise InputError(
                f"labels run from {y.min()} to {y.max()} and hold {broken}; needed: whole numbers from 0, or words (-1 and -100 often "
                "stand for: no label; leave those samples out)"
            )
        found, labels = np.unique(y, return_inverse=True)
        labels, classes, p_y = labels.ravel().astype(np.int64), len(found), np.zeros((0, 0))
        present = classes
    if present < 2:
        raise InputError("targets hold one class only; I(T;Y) is 0 whatever the network does")
    return labels, classes, p_y


def as_p_y_given_x(targets, n: int) -> np.ndarray:
    """The same as p(y|x) [n, class] float64, labels as ones."""
    labels, classes, p_y = as_labels(targets, n)
    return p_y if len(p_y) else np.eye(classes)[labels]


def discrete(rows: np.ndarray, targets) -> dict[str, np.ndarray]:
    """i_x, i_y, h_t, occupied of discrete rows [S, n, unit] of whole numbers, compared in full; each [S], bits."""
    out = np.empty((len(rows), 4))
    labels, classes, p_y = as_labels(targets, rows.shape[1])
    information(rows, False, 1, labels, classes, p_y, x_log_x(rows.shape[1]), out)
    return as_dict(out)


def numbered(rows: np.ndarray) -> np.ndarray:
    """Equal rows of [S, n, unit] whole numbers by number: [S, n] int64, from 0 in order of appearance in each network."""
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
