"""How far neighbor counts spread where there is nothing: their values on y permuted, as the least width of an interval.

Why: ten batches of n / 10 rows understate the standard deviation of neighbor counts by a fifth to a quarter (measured
at independence, n = 400 to 2,000, 1 to 20 columns), and far more where a batch holds a handful of a rare label. At
independence the variance falls as 1 / n, so a few permutations of few rows tell it. A difference of entropies has a
bias as well (.03 to .09 bit there): its permutations are measured from 0, which is their truth, not from their mean.
"""

import math
from collections.abc import Callable

import numpy as np

from deeptheory.information.estimators.columns import comparable
from deeptheory.information.estimators.neighbors import information_by_neighbors

Counts = Callable[..., float]  # of(rows, others=None): bits of these rows of x beside these, or other, rows of y


def counts_of(a: np.ndarray, b: np.ndarray, k: int, standardize: bool, seed: int) -> Counts:
    """KSG's counts of x [n, dx] and y [n, dy]."""
    one, two = comparable(standardize, seed, x=a, y=b).versions[0]

    def of(rows: np.ndarray, others: np.ndarray | None = None) -> float:
        x, y = one[:, rows], two[:, rows if others is None else others]
        nobody = np.empty((0, len(rows)))
        return information_by_neighbors(np.ascontiguousarray(x), np.ascontiguousarray(y), nobody, min(k, len(rows) - 1))

    return of


def counts_of_labels(a: np.ndarray, label: np.ndarray, k: int, standardize: bool, seed: int) -> Counts:
    """Ross's counts of x [n, dx] and a label [n]; rows alone with their label are left out."""
    (columns,) = comparable(standardize, seed, x=a).versions[0]

    def of(rows: np.ndarray, others: np.ndarray | None = None) -> float:
        mine = label[rows if others is None else others]
        here = np.bincount(mine)[mine] > 1
        if not here.any():
            return 0.0
        x, y = np.ascontiguousarray(columns[:, rows[here]]), np.unique(mine[here], return_inverse=True)[1].ravel()
        nobody = np.empty((0, len(y)))
        return information_by_neighbors(x, nobody, nobody, k, label_y=y)

    return of


def null_half(of: Counts, n: int, seed: int, most: int, draws: int, biased: bool = False) -> float:
    """Half a 95 % interval at independence (Student), from `draws` permutations of at most `most` of n rows; biased:
    with the bias there, taken to fall as 1 / sqrt(n)."""
    from scipy.stats import t

    rng = np.random.default_rng([seed, n, 4])
    rows = np.sort(rng.permutation(n)[:most])
    values = np.array([of(rows, rng.permutation(rows)) for _ in range(draws)])
    spread = math.sqrt((values**2).mean()) if biased else float(np.std(values, ddof=1))
    return float(t.ppf(0.975, draws - 1)) * spread * np.sqrt((1 + 1 / draws) * len(rows) / n)
