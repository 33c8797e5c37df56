"""Reading the features from the population: every stimulus predicted from the others.

Source: Chang & Tsao 2017, figure 3: each feature by ordinary least squares on [responses, 1], each stimulus predicted
from the others, explained variance 1 - SSE/SST. That is what is done with 8 independent stimuli per unit or more; with
fewer, where least squares fits noise, ridge with a nested penalty (left_out.py). Rows that belong together are left out
together. Whether a decoded stimulus is nearer to the true one than to strangers: distractors.py.
Pitfall: explained variance of noise is a little below 0, not 0; and with n stimuli it is known to about 1/sqrt(n) only.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.axis.bench.left_out import left_out
from deeptheory.axis.bench.validation import Entered
from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

FOLDS = 10  # of dependent rows


@dataclass(frozen=True, kw_only=True, eq=False)
class Decoding(Result):
    """Features decoded linearly from all units, each stimulus from the others.

    Source: Chang & Tsao 2017, figure 3. Least squares on [responses, 1] with 8 independent stimuli or more per unit,
    else ridge, its penalty chosen by inner folds or leave-one-out. Each stimulus is left out alone; by 10 folds where
    stimuli depend on each other (groups stay together), and in ridge of more than 2,000.
    explained: [feature], 1 - SSE / SST, negative where worse than the mean, NaN for constant features; of dependent
    stimuli about the mean of those learned from. predicted, actual: [n, feature], normalized. blocks: feature indices
    by name. units: how many. ridge: whether it was used. notes: that, and an outlier that rules the error.
    """

    explained: np.ndarray
    predicted: np.ndarray
    actual: np.ndarray
    blocks: dict[str, np.ndarray]
    units: int
    ridge: bool
    notes: tuple[str, ...] = ()
    _steady: np.ndarray = field(repr=False)

    @property
    def by_block(self) -> dict[str, float]:
        """{block: mean explained variance of its varying features}, NaN where none varies."""
        varying = {
            name: self.explained[index][np.isfinite(self.explained[index])] for name, index in self.blocks.items()
        }
        return {name: float(v.mean()) if len(v) else float("nan") for name, v in varying.items()}

    def __repr__(self) -> str:
        each = ", ".join(f"{name} {v:.2f}" for name, v in self.by_block.items())
        return f"Decoding({self.units} units, mean explained variance: {each})"

    def table(self) -> "pandas.DataFrame":
        """One row per feature: its block ("" in none) and explained variance."""
        import pandas as pd

        block = np.full(len(self.explained), "", dtype=object)
        for name, index in self.blocks.items():
            block[index] = name
        return pd.DataFrame({"feature": np.arange(len(self.explained)), "block": block, "explained": self.explained})

    def scalars(self) -> dict[str, float]:
        """by_block, as "explained/BLOCK"."""
        return {f"explained/{name}": v for name, v in self.by_block.items()}

    def figure(self) -> "plotly.graph_objects.Figure":
        """Explained variance of every feature, blocks as colors."""
        from deeptheory.axis.drawing import draw_decoding

        return draw_decoding(self)


def decode(e: Entered, units: np.ndarray | None = None, seed: int = 0) -> Decoding:
    """Features from the responses of all units, or of those at the positions `units` (among those kept)."""
    y = e.y if units is None else e.y[:, units]
    found = left_out(y, e.s, e.dependence.left_out(FOLDS, seed), rows=e.dependence.effective)
    explained = found.explained(e.s, not e.dependence.independent)
    notes = []
    each = (e.s - found.predicted).square().sum(1)
    if float(each.max()) > 0.5 * float(each.sum()):
        notes.append(
            f"stimulus {int(each.argmax())} alone makes {float(each.max() / each.sum()):.0%} of the error: an "
            "outlier of responses or features"
        )
    if found.ridge:
        count = f"{len(y)}" if e.dependence.independent else f"{e.dependence.effective:.0f} independent"
        notes.append(
            f"{y.shape[1]} units for {count} stimuli: ridge, the penalty of each feature chosen without the "
            "stimuli left out"
        )
    if not e.dependence.independent:
        notes.append(
            "dependent rows are left out together; explained variance is about the mean of the rows learned from"
        )
    return Decoding(
        explained=explained.cpu().numpy(),
        predicted=found.predicted.cpu().numpy(),
        actual=e.s.cpu().numpy(),
        blocks=e.blocks,
        units=y.shape[1],
        ridge=found.ridge,
        notes=tuple(notes),
        _steady=found.steady.cpu().numpy(),
    )
