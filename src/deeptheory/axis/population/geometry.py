"""How a population's axes lie to each other: pairwise cosines, their rank, how evenly they fill the feature space.

Pitfall: "200 orthogonal axes" cannot be in 50 dimensions; at most as many axes as features are mutually orthogonal.
What is orthogonal about a cell is the hyperplane along which it does not respond. The null: as many directions, drawn
evenly from the sphere (or from the stimuli's own distribution, covariance=True, along which STAs of untuned cells lie).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_real, check_whole

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects


@dataclass(frozen=True, kw_only=True, eq=False)
class Geometry(Result):
    """How a population's axes, each of unit length, lie to each other.

    cosines: [unit, unit]. mean_absolute: mean |cosine| over pairs. With the eigenvalues of sum_u w w': participation,
    (sum)^2 / sum of squares, the number of directions evenly in use; rank: how many are above 1e-6 of the largest.
    orthogonal: fraction of pairs with |cosine| below .1. null_mean_absolute, null_participation: (mean, low, high) of
    random directions, 95 % range over draws; null_rank, null_orthogonal: means. most: how many axes could be mutually
    orthogonal, the number of features.
    """

    cosines: np.ndarray
    mean_absolute: float
    participation: float
    rank: int
    orthogonal: float
    null_mean_absolute: tuple[float, float, float]
    null_participation: tuple[float, float, float]
    null_rank: float
    null_orthogonal: float
    most: int

    def __repr__(self) -> str:
        return (
            f"Geometry({len(self.cosines)} axes of rank {self.rank} in {self.most} dimensions, participation ratio "
            f"{self.participation:.1f} (null {self.null_participation[0]:.1f}), mean |cosine| {self.mean_absolute:.3f} "
            f"(null {self.null_mean_absolute[0]:.3f}))"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per quantity: measured, null, its 95 % interval."""
        import pandas as pd

        nan = float("nan")
        rows = [
            ("mean |cosine|", self.mean_absolute, *self.null_mean_absolute),
            ("participation ratio", self.participation, *self.null_participation),
            ("rank", self.rank, self.null_rank, nan, nan),
            ("share of pairs with |cosine| < .1", self.orthogonal, self.null_orthogonal, nan, nan),
            ("mutually orthogonal axes at most", self.most, nan, nan, nan),
        ]
        return pd.DataFrame(rows, columns=["quantity", "measured", "null", "null_low", "null_high"])

    def figure(self) -> "plotly.graph_objects.Figure":
        """Histogram of the cosines of all pairs, from -1 to 1."""
        from deeptheory.axis.drawing import draw_cosines

        return draw_cosines(self)


def axes_geometry(
    axes: np.ndarray, variances: np.ndarray | None = None, *, draws: int = 100, seed: int = 0
) -> Geometry:
    """Pairwise cosines, rank and participation ratio of axes, against random directions; -> Geometry.

    axes: [unit, d], of any length. variances: [d], of the Gaussian whose `draws` sets of as many directions, by seed,
    are the null (the stimuli's: along these lie STAs of untuned cells); None: even over the sphere.
    InputError: shapes, fewer than two axes or one of no length, NaN, variances that are negative or all 0, draws below
    1.
    """
    check_whole(draws=(draws, 1), seed=(seed, 0))
    axes = as_floats(axes)
    if axes.ndim != 2 or len(axes) < 2 or not axes.shape[1]:
        raise InputError(f"axes have shape {list(axes.shape)}; needed: [2 or more, d]")
    check_finite(axes=axes)
    if (short := ~axes.any(1)).any():
        raise InputError(f"{short.sum()} of {len(axes)} axes have length 0, which is no direction; leave them out")
    axes = near_one(axes, 1)
    u, d = axes.shape
    spread = np.ones(d) if variances is None else as_floats(variances)
    if spread.shape != (d,) or not ((spread >= 0) & np.isfinite(spread)).all() or not spread.any():
        raise InputError(f"variances have shape {list(spread.shape)}; needed: [{d}], finite, none negative, not all 0")
    spread = np.sqrt(spread)
    spread = near_one(spread)  # as the axes: directions know no unit
    rng = np.random.default_rng([seed, 7])
    null = np.array([_summary(rng.standard_normal((u, d)) * spread)[1:] for _ in range(draws)])
    cosines, mean, participation, rank, orthogonal = _summary(axes)

    def interval(k: int) -> tuple[float, float, float]:
        low, high = np.quantile(null[:, k], [0.025, 0.975])
        return float(null[:, k].mean()), float(low), float(high)

    return Geometry(
        cosines=cosines,
        mean_absolute=mean,
        participation=participation,
        rank=int(rank),
        orthogonal=orthogonal,
        null_mean_absolute=interval(0),
        null_participation=interval(1),
        null_rank=float(null[:, 2].mean()),
        null_orthogonal=float(null[:, 3].mean()),
        most=d,
    )


def subspace_angles(a: np.ndarray, b: np.ndarray, fraction: float = 0.9) -> np.ndarray:
    """Principal angles in degrees, 0 to 90, largest first, between the spans of two sets of axes, a and b [unit, d].

    For layers, models or time windows with the same features. A span is that of the leading singular vectors that hold
    `fraction` of a set's sum of squares, above 0 to 1; there are as many angles as the smaller span has dimensions.
    InputError: features that differ in number, NaN, axes that are all 0, fraction out of range.
    """
    from scipy.linalg import subspace_angles as angles

    a, b = as_floats(a), as_floats(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or not a.size or not b.size:
        raise InputError(f"axes have shapes {list(a.shape)} and {list(b.shape)}; needed: the same features in both")
    check_finite(a=a, b=b)
    check_real(fraction=(fraction, 0))
    if fraction > 1:
        raise InputError(f"fraction is {fraction}; needed: above 0, at most 1")
    if not (a.any() and b.any()):
        raise InputError("all axes of a or of b are 0, which span nothing; leave them out")
    return np.degrees(angles(_span(a, fraction), _span(b, fraction)))


def _span(axes: np.ndarray, fraction: float) -> np.ndarray:
    axes = near_one(axes)
    _, s, v = np.linalg.svd(axes, full_matrices=False)
    k = int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), fraction - 1e-12)) + 1
    return v[:k].T


def _summary(axes: np.ndarray) -> tuple[np.ndarray, float, float, float, float]:
    unit = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    cosines = np.clip(unit @ unit.T, -1, 1)  # of equal axes it may be rounded to above 1
    pairs = np.abs(cosines[np.triu_indices(len(unit), 1)])
    values = np.linalg.eigvalsh(unit.T @ unit)
    participation = values.sum() ** 2 / (values**2).sum()
    return (
        cosines,
        float(pairs.mean()),
        float(participation),
        float((values > 1e-6 * values[-1]).sum()),
        float((pairs < 0.1).mean()),
    )
