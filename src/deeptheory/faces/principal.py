"""Principal components of rows, by the smaller of the two Gram matrices.

Pitfall: the sign of a component means nothing and differs between libraries; here its largest entry is positive.
"""

from dataclasses import dataclass

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Principal:
    """mean: [d]; components: [k, d], orthonormal rows, variance falling; variances: [k], unbiased (n - 1).

    left: variance that these components leave over, summed over all d.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    left: float


def principal(rows: np.ndarray, components: int, what: str) -> Principal:
    """The first components of rows [n, d], in float64; the components come back in the dtype of rows.

    InputError: fewer than 1 asked for, or more than the rows have, with the number that there are; squares beyond
    float64.
    """
    check_whole(**{what: (components, 1)})
    n, d = rows.shape
    with np.errstate(over="ignore", invalid="ignore"):
        mean = rows.mean(0, dtype=np.float64)
        centered = rows - mean
        gram = centered @ centered.T if n <= d else centered.T @ centered
    if not np.isfinite(gram).all():
        raise InputError(f"the squares of the faces' {what} numbers leave float64; give them in other units")
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    known = int((values > max(values[0], 0) * 1e-10).sum()) if values[0] > 0 else 0
    if not 1 <= components <= known:
        raise InputError(f"{what} is {components}; {n} faces hold 1 to {known} components that vary")
    values, vectors = values[:components], vectors[:, :components]
    directions = (centered.T @ vectors if n <= d else vectors).T
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    largest = np.abs(directions).argmax(1)
    directions *= np.sign(directions[np.arange(components), largest])[:, None]
    free = n - 1
    return Principal(
        mean=mean.astype(rows.dtype),
        components=np.ascontiguousarray(directions.astype(rows.dtype)),
        variances=values / free,
        left=max(float(np.trace(gram) - values.sum()) / free, 0.0),
    )
