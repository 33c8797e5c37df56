"""Principal components of rows, by the smaller of the two Gram matrices.

Pitfall: the sign of a component means nothing and differs between libraries; here its largest entry is positive.
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole

_LEAST = 1e-140  # squares of less begin to leave float64


@dataclass(frozen=True, kw_only=True, eq=False)
class Principal:
    """mean: [d]; components: [k, d], orthonormal rows, variance falling; variances: [k], unbiased (n - 1).

    left: variance that these components leave over, summed over all d.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    left: float


def principal(rows: np.ndarray, components: int, what: str, *, at_most: bool = False) -> Principal:
    """The first components of rows [n, d], in float64; the components come back in the dtype of rows.

    at_most: where the rows have fewer, those. InputError: fewer than 1 asked for, or more than the rows have, with the
    number that there are; squares beyond float64. What differs by rounding alone does not vary.
    """
    check_whole(**{what: (components, 1)})
    n, d = rows.shape
    if not d:
        raise InputError(f"the faces have no {what} numbers; needed: one or more")
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows.mean(0, dtype=np.float64)
        centered = rows - mean
        gram = centered @ centered.T if n <= d else centered.T @ centered
    if not np.isfinite(gram).all() or 0 < np.abs(centered).max() < _LEAST:
        raise InputError(f"the squares of the faces' {what} numbers leave float64; give them in other units")
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    step = max(float(np.finfo(rows.dtype).eps), n * float(np.finfo(np.float64).eps)) * float(np.abs(rows).max())
    known = int((values > max(values[0] * 1e-10, n * d * step**2)).sum())
    components = min(components, max(known, 1)) if at_most else components
    if not 1 <= components <= known:
        held = f"1 to {known} components" if known else "no component"
        raise InputError(f"{what} is {components}; {n} faces hold {held} that vary")
    values, vectors = values[:components], vectors[:, :components]
    directions = (centered.T @ vectors if n <= d else vectors).T
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    size = np.abs(directions)
    largest = (size >= (1 - 1e-9) * size.max(1, keepdims=True)).argmax(1)  # of equal ones the first, not the rounding's
    directions *= np.sign(directions[np.arange(components), largest])[:, None]
    free = n - 1
    return Principal(
        mean=mean.astype(rows.dtype),
        components=np.ascontiguousarray(directions.astype(rows.dtype)),
        variances=values / free,
        left=max(float(np.trace(gram) - values.sum()) / free, 0.0),
    )


def needs_float64(numbers: np.ndarray) -> bool:
    """Whether float32 would round these numbers, or their sums leave it."""
    if numbers.dtype.kind == "f":
        return numbers.dtype.itemsize > 4 or bool(np.abs(numbers).max(initial=0) > 1e30)
    if numbers.dtype.kind not in "iu" or numbers.dtype.itemsize < 4 or not numbers.size:
        return False
    return max(int(numbers.max()), -int(numbers.min())) > 2**24
