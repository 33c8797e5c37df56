"""Plug-in: counts as probabilities, for discrete samples.

Trap: biased. Entropy is too small by about (K - 1) / 2n nats for K symbols seen, information too large by about
(Kx - 1)(Ky - 1) / 2n; Miller & Madow's correction of that order is there, and the notes say its size.
"""

from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.estimators.samples import as_samples
from deeptheory.results import Estimate

_Z = 1.959963984540054


def plugin(x: Any, y: Any, *, correct: bool = False) -> Estimate:
    """I(X;Y) in bits of discrete rows, x [n, dx] and y [n, dy] (or [n]), a whole row being one symbol.

    correct: less (Kx - 1)(Ky - 1) / 2n nats, to first order the bias. The interval is of the mean of the pointwise
    information (normal approximation; where that does not vary, a point). InputError: values that are not discrete.
    """
    a, b = as_samples(x=x, y=y)
    ids = [symbols(v, name) for v, name in ((a, "x"), (b, "y"))]
    n = len(a)
    kx, ky = (int(i.max()) + 1 for i in ids)
    joint, which = np.unique(ids[0].astype(np.int64) * ky + ids[1], return_inverse=True)
    counts = [np.bincount(i) for i in ids]
    p_xy = np.bincount(which.ravel())[which.ravel()] / n
    local = np.log2(p_xy) - np.log2(counts[0][ids[0]] / n) - np.log2(counts[1][ids[1]] / n)
    bias = (kx - 1) * (ky - 1) / (2 * n * np.log(2))
    value = float(local.mean()) - (bias if correct else 0.0)
    half = _Z * float(local.std()) / np.sqrt(n)
    name = "plug-in, Miller-Madow" if correct else "plug-in"
    notes = [
        f"first-order bias {'taken off' if correct else 'upwards'} {bias:.3g} bits ({kx} x {ky} symbols, {n} samples)"
    ]
    if len(joint) > n / 5:
        notes.append(
            "more than a fifth of the samples have a cell of their own: the estimate says little; compare with y permuted"
        )
    return Estimate(value=value, low=value - half, high=value + half, method=name, notes=tuple(notes))


def plugin_entropy(x: Any, *, correct: bool = False) -> Estimate:
    """H(X) in bits of discrete rows [n, d] or [n]. correct: plus (K - 1) / 2n nats (Miller & Madow)."""
    (a,) = as_samples(x=x)
    ids = symbols(a, "x")
    n, counts = len(a), np.bincount(ids)
    local = -np.log2(counts[ids] / n)
    bias = (len(counts) - 1) / (2 * n * np.log(2))
    value = float(local.mean()) + (bias if correct else 0.0)
    half = _Z * float(local.std()) / np.sqrt(n)
    notes = (
        f"first-order bias {'taken off' if correct else 'downwards'} {bias:.3g} bits ({len(counts)} symbols, {n} samples)",
    )
    method = "plug-in, Miller-Madow" if correct else "plug-in"
    return Estimate(value=value, low=value - half, high=value + half, method=method, notes=notes)


def symbols(a: np.ndarray, name: str) -> np.ndarray:
    """A number a different row, [n]. InputError: values that are not whole numbers."""
    if a.dtype.kind == "f" and (a != np.floor(a)).any():
        raise InputError(
            f"{name} holds values like {a.flat[int((a != np.floor(a)).argmax())]:g}; plug-in needs discrete symbols, bin them first"
        )
    return np.unique(a, axis=0, return_inverse=True)[1].ravel()
