"""Labels: checked, then as one target vector a sample, [1 or S, n, class] float32, or float64 for such networks."""

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite
from deeptheory.networks.population.precision import check_precision


def as_targets(y, n: int, networks: int, outputs: int, head: str, dtype: torch.dtype = torch.float32) -> np.ndarray:
    """Targets [T, n, outputs], T = 1 or one per network; float32, or float64 where the networks' dtype is that.

    y: labels [n] or [S, n] (integers below `outputs`; 0 or 1 for a sigmoid), probabilities [n, outputs], or for a
    linear or median head numbers [n] or [n, outputs]. InputError: another shape, labels out of range or of one class,
    NaN, probabilities that are negative or do not sum to 1, numbers that are infinite in dtype.
    """
    kind = np.float64 if dtype == torch.float64 else np.float32
    y = as_numpy(y)
    if y.dtype.kind not in "biuf":
        raise InputError(
            f"y has dtype {y.dtype}; needed: numbers, such as np.unique(y, return_inverse=True)[1] for names of classes"
        )
    check_finite(y=y)
    if head in ("linear", "median"):
        y = y[:, None] if y.ndim == 1 else y
        check_precision("y", _shaped(y, (n, outputs)), dtype)
        return y[None].astype(kind)
    if y.dtype.kind == "f" and y.shape == (n, outputs) and (outputs > 1 or head == "sigmoid"):
        if y.min() < 0 or (head == "softmax" and not np.allclose(y.sum(1), 1, atol=1e-5)) or y.max() > 1:
            raise InputError("y [n, class] holds probabilities that are not in [0, 1] or do not sum to 1 in each row")
        return y[None].astype(kind)
    labels = y[None] if y.ndim == 1 else y
    if labels.ndim != 2 or labels.shape[1] != n or labels.shape[0] not in (1, networks):
        raise InputError(f"y has shape {list(y.shape)}; needed: [{n}], [{networks}, {n}] or [{n}, {outputs}]")
    classes = max(outputs, 2)
    if (labels != np.floor(labels)).any() or labels.min() < 0 or labels.max() >= classes:
        raise InputError(f"labels run from {labels.min()} to {labels.max()}; needed: integers from 0 to {classes - 1}")
    if (labels == labels[:, :1]).all(axis=1).any():
        raise InputError(f"y holds one class only ({labels[0, 0]}); there is nothing to learn or to measure")
    if outputs == 1:
        return labels[..., None].astype(kind)
    return np.eye(outputs, dtype=kind)[labels.astype(np.int64)]


def _shaped(y: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if y.shape != shape:
        raise InputError(f"y has shape {list(y.shape)}; needed: {list(shape)}")
    return y
