"""Is a decoded stimulus nearer to the true one than to any stranger? The paper's test of reconstructions, without
raters.

Source: Chang & Tsao 2017, figure 3 (people matched reconstructions to originals beside distractors). Here: distance of
the decoded features to the true ones over that to the nearest other stimulus. Pitfall: decoded features shrink to the
mean, and the
nearest of many strangers is near: with more stimuli the ratio rises though nothing is decoded worse.
"""

from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import power_of
from deeptheory.core.shapes import check_finite


def distractor_ratio(predicted: Any, actual: Any) -> np.ndarray:
    """[n]: |predicted_i - actual_i| / min over j != i of |predicted_i - actual_j|; below 1 the true one is nearest.

    predicted, actual: [n, d], such as code.decoding.predicted and .actual. A ratio of Euclidean distances: infinite
    where another stimulus is hit exactly, NaN where that one equals the true one. Source: Chang & Tsao 2017, figure 3,
    where people judged. InputError: shapes that differ, one stimulus, NaN.
    """
    from scipy.spatial.distance import cdist

    p, a = as_floats(predicted), as_floats(actual)
    if p.ndim != 2 or p.shape != a.shape or len(p) < 2:
        raise InputError(f"predicted is {list(p.shape)}, actual {list(a.shape)}; needed: the same [n, d], n 2 or more")
    check_finite(predicted=p, actual=a)
    power = -max(power_of(p), power_of(a))
    p, a = np.ldexp(p, power), np.ldexp(a, power)
    apart = cdist(p, a)  # of differences: products of large coordinates would cancel
    own = apart.diagonal().copy()
    np.fill_diagonal(apart, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        return own / apart.min(1)
