"""Sub-optimal branches: the bottleneck curves of ever fewer clusters, and where each leaves the one below it.

Source: Tishby & Zaslavsky 2015, figure 2 (the branches drawn in blue) and section II.C on bifurcations. A branch with k
clusters is a stationary path of the same equations; it stops being the best where k + 1 clusters do better.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.core.theme import new_figure, series_colors
from deeptheory.information.bottleneck.annealing import anneal
from deeptheory.information.bottleneck.joint import as_joint, informations
from deeptheory.information.bottleneck.methods import check_betas, check_count

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

_SAME = 1e-7  # bits: branches that differ by less run together


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BottleneckBranches(Result):
    """The best solutions found with at most so many clusters: a curve for each number, and where it leaves the last.

    i_x, i_y, lagrangian I(X;T) - beta I(T;Y) [k, b], bits, with at most clusters[k] clusters at beta[b], ascending.
    leaves [k]: the least beta of the row at which it is better than the branch with fewer clusters;
    NaN for none and for the first.
    """

    clusters: tuple[int, ...]
    beta: np.ndarray
    i_x: np.ndarray
    i_y: np.ndarray
    lagrangian: np.ndarray
    leaves: np.ndarray

    def __repr__(self) -> str:
        each = ", ".join(f"{k} from {b:.4g}" for k, b in zip(self.clusters, self.leaves) if not np.isnan(b))
        return f"BottleneckBranches({len(self.beta)} betas; clusters: {each or 'none better than the fewest'})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over [clusters, beta]: i_x, i_y, lagrangian (bits); leaves [clusters]."""
        import xarray as xr

        columns: dict[str, Any] = {k: (("clusters", "beta"), getattr(self, k)) for k in ("i_x", "i_y", "lagrangian")}
        columns["leaves"] = ("clusters", self.leaves)
        return xr.Dataset(columns, coords={"clusters": list(self.clusters), "beta": self.beta})

    def figure(self) -> "plotly.graph_objects.Figure":
        """I(T;Y) against I(X;T), one line a number of clusters."""
        import plotly.graph_objects as go

        figure = new_figure(xaxis_title="I(X;T) (bits)", yaxis_title="I(T;Y) (bits)")
        for k, color in enumerate(series_colors(len(self.clusters))):
            order = np.argsort(self.i_x[k], kind="stable")
            points = {"x": self.i_x[k][order].round(5).tolist(), "y": self.i_y[k][order].round(5).tolist()}
            figure.add_trace(
                go.Scatter(**points, mode="lines+markers", line={"color": color}, name=f"{self.clusters[k]} clusters")
            )
        return figure


def bottleneck_branches(p_xy, betas, clusters=(1, 2, 3, 4), *, restarts: int = 6, seed: int = 0) -> BottleneckBranches:
    """Best solutions with at most so many clusters, annealed up and down over ascending betas.

    Source: Tishby & Zaslavsky 2015, figure 2 and section II.C. p_xy: [nx, ny], probabilities or counts; betas: [b], any
    order, equal ones once; clusters: the most of each branch. Found by iteration from `restarts` starts drawn from the
    seed, so each lagrangian is an upper bound of the least that so many clusters can reach.
    InputError: p_xy as in bottleneck; betas empty or not above 0; clusters not ascending integers from 1; restarts
    no integer of 1 or more, seed none of 0 or more.
    """
    joint = as_joint(p_xy)
    row = np.unique(check_betas(betas, above=True))
    check_whole(restarts=(restarts, 1), seed=(seed, 0))
    numbers = [check_count("clusters", k) for k in np.atleast_1d(np.asarray(clusters, dtype=object))]
    if not numbers or (np.diff(numbers) <= 0).any():
        raise InputError(f"clusters is {list(clusters)}; needed: ascending integers from 1")
    found = np.empty((3, len(numbers), len(row)))
    for i, k in enumerate(numbers):
        encoders = anneal(joint, row, min(k, len(joint.p)), restarts=restarts, seed=seed)
        for b, (beta, encoder) in enumerate(zip(row, encoders)):
            got = informations(joint, encoder)
            new = got["i_x"], got["i_y"], got["i_x"] - beta * got["i_y"]
            if i and found[2, i - 1, b] <= new[2] + _SAME:  # fewer clusters do as well: the branches run together
                new = found[:, i - 1, b]
            found[:, i, b] = new
    leaves = np.full(len(numbers), np.nan)
    for i in range(1, len(numbers)):
        better = found[2, i] < found[2, i - 1] - _SAME
        if better.any():
            leaves[i] = row[better.argmax()]
    return BottleneckBranches(
        clusters=tuple(numbers), beta=row, i_x=found[0], i_y=found[1], lagrangian=found[2], leaves=leaves
    )
