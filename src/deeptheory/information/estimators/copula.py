"""Gaussian copula: information from the correlations of normal scores, blind to marginals and tails.

Source: Ince et al. 2017. Ranks of each column become normal quantiles, which keeps the information; what the normals
with these correlations share is then known in closed form. Where x or y is one column without ties, that column is
exactly normal, and no dependence with these correlations shares less: a lower bound (a normal has the largest entropy
for its variance). Where both have several columns, their own dependence need not be normal, and it is no bound.
Pitfalls: a dependence without correlation (a ring, a square, a common scale) is not seen at all; ties make scores that
are no normal, so that the bound is lost.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.information.estimators.columns import check_numbers, dependent
from deeptheory.information.estimators.gaussian import canonical
from deeptheory.information.estimators.limits import nothing
from deeptheory.information.estimators.samples import as_samples, constant
from deeptheory.information.ranks import normal_scores


def copula(x: Any, y: Any, *, correct: bool | None = True) -> Estimate:
    """I(X;Y) = -1/2 sum log2(1 - rho_i^2) over the canonical correlations of the normal scores of x [n, dx] and y
    [n, dy]; bits.

    correct: less the bias that this has for Gaussian samples; None: where that is over a tenth of a bit. Constant
    columns are left out. The interval: as for `gaussian`. Direction: "lower" where x or y is one column without ties.
    InputError: words, NaN, fewer samples than columns, columns whose ranks depend linearly on each other.
    """
    check_numbers("'copula'", x=x, y=y)
    a, b = as_samples(x=x, y=y)
    notes: tuple[str, ...] = ()
    for name, v in (("x", a), ("y", b)):
        if constant(v).all():
            return nothing("Gaussian copula", (f"{name} is constant",))
        if constant(v).any():
            notes += (f"{name} is constant in {int(constant(v).sum())} columns: left out",)
    a, b = (v[:, ~constant(v)] for v in (a, b))
    tied = [any(len(np.unique(c)) < len(c) for c in v.T) for v in (a, b)]
    scores = [normal_scores(v) for v in (a, b)]
    repeated = [dependent(v.T) for v in scores]  # columns whose ranks are those of another: nothing new
    for name, which in zip("xy", repeated):
        if which.any():
            notes += (f"columns of {name} with the ranks of another are left out: {int(which.sum())}",)
    one, two = (v[:, ~which] for v, which in zip(scores, repeated))
    lower = any(v.shape[1] == 1 and not t for v, t in zip((one, two), tied))
    bound = "a lower bound" if lower else "neither bound"
    got = canonical(one, two, correct=correct, scores=True, bound=bound)
    if any(tied):
        notes += (f"values of {' and '.join(n for n, t in zip('xy', tied) if t)} repeat: their scores are not normal",)
    return replace(got, direction="lower" if lower else "consistent", notes=(*got.notes, *notes))
