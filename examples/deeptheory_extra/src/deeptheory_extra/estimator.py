"""How many bits do two columns share, if only their ranks count?

The information of a Gaussian copula whose Spearman correlation is the observed one: rho = 2 sin(pi r / 6) (Pearson
1907), I = -1/2 log2(1 - rho^2). The interval is that of Fisher's z with variance 1.06 / (n - 3) (Fieller, Hartley &
Pearson 1957). Pitfall: dependence that is not monotonic has r = 0, and is missed.
"""

import math

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.core.statistics import spearman

_Z = 1.959964
_LEAST = 10


def rank_correlation(x, y) -> Estimate:
    """I(X;Y) in bits of x [n] or [n, 1] and y likewise. InputError: several columns, fewer than 10 rows, a constant."""
    a, b = _column(x, "x"), _column(y, "y")
    if len(a) < _LEAST:
        raise InputError(f"there are {len(a)} rows; rank-correlation needs at least {_LEAST}")
    r = float(spearman(a, b))
    if math.isnan(r):
        raise InputError("x or y does not vary; there are no ranks to compare")
    middle, half = math.atanh(min(max(r, -1 + 1e-12), 1 - 1e-12)), _Z * math.sqrt(1.06 / (len(a) - 3))
    ends = [math.tanh(middle - half), math.tanh(middle + half)]
    low = 0.0 if ends[0] <= 0 <= ends[1] else min(_bits(e) for e in ends)
    return Estimate(
        value=_bits(r),
        low=low,
        high=max(_bits(e) for e in ends),
        method="Gaussian copula of Spearman's correlation",
        direction="proxy",
        notes=("true where the copula is Gaussian; dependence that is not monotonic is missed",),
    )


def _bits(r: float) -> float:
    rho = 2 * math.sin(math.pi * r / 6)
    return math.inf if abs(rho) >= 1 else -0.5 * math.log2(1 - rho**2)


def _column(a, name: str) -> np.ndarray:
    values = np.asarray(a, dtype=np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not np.isfinite(values).all():
        raise InputError(f"{name} has shape {list(values.shape)}; rank-correlation needs one column of finite numbers")
    return values
