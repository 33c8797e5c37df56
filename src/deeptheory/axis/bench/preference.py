"""Which block of features a unit prefers, and along how many features it is tuned.

Source: Chang & Tsao 2017, figure 2: (S - A)/(S + A) with S, A the lengths of the STA within the two blocks. With more
than two blocks each is set against the mean of the others. Pitfall: the length of a noisy axis is never 0, so an
untuned unit has a preference too, which depends on the blocks' sizes and variances: the null shows it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.axis.bench.shuffles import ROUNDING, Shuffled, with_ties
from deeptheory.axis.bench.validation import Entered
from deeptheory.core.results import Result
from deeptheory.core.statistics import false_discovery, permutation_p

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects


@dataclass(frozen=True, kw_only=True, eq=False)
class Preference(Result):
    """Which block of features a unit answers.

    Source: Chang & Tsao 2017, figure 2. value: [unit, block], (S - A) / (S + A), from -1 to 1, with S the length of the
    sta within the block and A its mean over the other blocks; null_mean, null_sd: [unit, block], of the same over
    shuffles; p: two-sided against these. NaN with one block; the null and p also without permutations or too few
    independent stimuli. Pitfall: the null's mean need not be 0: blocks differ. units: names.
    tuned_dimensions: [unit], number of features whose correlation with the response survives Benjamini-Hochberg at 5 %
    within the unit; dimension_p: [unit, feature], two-sided, Student's t; NaN for constant features.
    """

    blocks: tuple[str, ...]
    value: np.ndarray
    null_mean: np.ndarray
    null_sd: np.ndarray
    p: np.ndarray
    tuned_dimensions: np.ndarray
    dimension_p: np.ndarray
    units: np.ndarray

    @property
    def index(self) -> np.ndarray:
        """[unit]: value of the first block; with the blocks shape and appearance the paper's shape preference index."""
        return self.value[:, 0]

    def __repr__(self) -> str:
        mean = ", ".join(f"{name} {v:+.2f}" for name, v in zip(self.blocks, self.value.mean(0)))
        return f"Preference(mean {mean}; median {np.median(self.tuned_dimensions):g} tuned features a unit)"

    def table(self) -> "pandas.DataFrame":
        """One row per unit and block: preference (the value), null_mean, null_sd, p; tuned_dimensions of the unit."""
        import pandas as pd

        u, b = self.value.shape
        return pd.DataFrame({
            "unit": np.repeat(self.units, b),
            "block": list(self.blocks) * u,
            "preference": self.value.ravel(),
            "null_mean": self.null_mean.ravel(),
            "null_sd": self.null_sd.ravel(),
            "p": self.p.ravel(),
            "tuned_dimensions": np.repeat(self.tuned_dimensions, b),
        })  # fmt: skip

    def figure(self) -> "plotly.graph_objects.Figure":
        """Histogram of index over all units; shaded: 1.96 standard deviations about the null's mean (over units)."""
        from deeptheory.axis.drawing import draw_preference

        return draw_preference(self)


def block_preference(e: Entered, null: Shuffled) -> Preference:
    """See Preference."""
    names = tuple(e.blocks)
    seen = _against_others(null.block)  # [b, u]
    drawn = _against_others(null.block_null)  # [k, b, u]
    if len(drawn) and len(names) > 1:
        middle, spread = drawn.mean(0), drawn.std(0)
        p = permutation_p(seen, with_ties(seen, drawn, 4 * ROUNDING), tail="both")  # lengths have rounding of their own
    else:
        middle = spread = p = np.full_like(seen, np.nan)
    dimension_p = _dimension_p(e)
    known = ~np.isnan(dimension_p[0])
    count = (false_discovery(dimension_p[:, known], axis=1) < 0.05).sum(1)
    return Preference(
        blocks=names,
        value=seen.T,
        null_mean=middle.T,
        null_sd=spread.T,
        p=p.T,
        tuned_dimensions=count,
        dimension_p=dimension_p,
        units=e.units,
    )


def _against_others(length: np.ndarray) -> np.ndarray:
    """[..., b, u] -> (own - mean of the others)/(own + mean of the others)."""
    b = length.shape[-2]
    if b == 1:
        return np.full_like(length, np.nan)
    others = (length.sum(-2, keepdims=True) - length) / (b - 1)
    return (length - others) / np.maximum(length + others, 1e-30)


def _dimension_p(e: Entered) -> np.ndarray:
    from scipy.stats import t as student

    n, free = len(e.s), max(e.dependence.effective - 2, 1.0)
    y = (e.y - e.y.mean(0)) / e.y.std(0, correction=0)
    sd = e.s.std(0, correction=0)
    r = (y.mT @ e.s / n / sd).cpu().numpy().clip(-1 + 1e-12, 1 - 1e-12)
    return 2 * student.sf(np.abs(r) * np.sqrt(free / (1 - r**2)), free)
