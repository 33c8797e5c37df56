"""What every bottleneck solver gives back, in one form."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.arrays import Array, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.theme import NEUTRAL, new_figure, series_colors
from deeptheory.information.bottleneck.joint import Joint, informations

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BottleneckSolution(Result):
    """T of one trade-off beta, as dt.bottleneck finds it. Arrays are float64, torch where p_xy was.

    encoder: p(t|x) [nx, k]; decoder: p(y|t) [k, ny]; p_t: [k]; clusters in falling mass. i_x = I(X;T), i_y = I(T;Y),
    h_t = H(T): bits. lagrangian: what the method minimizes, bits (dt.bottleneck says which). residual: largest change
    of p(t|x) under one more step of the method's own equations; NaN where it has none. gap: how far the Lagrangian is
    above the least possible at most, bits; NaN where nothing bounds it.
    T is continuous in two methods, and p_t empty. "gaussian": encoder A [dimension, dx] of T = A X + N(0, I), decoder
    [dy, dimension] the regression of Y on T, h_t differential. "variational": encoder [nx, 2 latent] means, then
    standard deviations, of T given each x, decoder [nx, ny] p(y|t) at each mean, h_t NaN.
    """

    method: str
    beta: float
    encoder: Array
    decoder: Array
    p_t: Array
    i_x: float
    i_y: float
    h_t: float
    lagrangian: float
    residual: float
    gap: float = float("nan")
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        gap = "" if np.isnan(self.gap) else f", optimal to {self.gap:.0e}"
        notes = f", {len(self.notes)} note{'s' * (len(self.notes) > 1)}" if self.notes else ""
        k = f"{len(self.p_t)} cluster{'s' * (len(self.p_t) != 1)}, " if len(self.p_t) else ""
        return (
            f"BottleneckSolution({self.method}, beta {self.beta:g}: {k}I(X;T) {self.i_x:.4f}, "
            f"I(T;Y) {self.i_y:.4f} bits, Lagrangian {self.lagrangian:.6g}{gap}{notes})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per cluster: p_t, and p(y|t) by label, y0, y1, ...

        Of "variational" one row per x (p_t NaN), of "gaussian" one per output y, with its regression on t0, t1, ...
        """
        import pandas as pd

        decoder = as_numpy(self.decoder)
        if self.method == "gaussian":
            frame = pd.DataFrame(decoder, columns=[f"t{t}" for t in range(decoder.shape[1])])
            frame.insert(0, "y", range(len(frame)))
            return frame
        frame = pd.DataFrame(decoder, columns=[f"y{y}" for y in range(decoder.shape[1])])
        frame.insert(0, "p_t", as_numpy(self.p_t) if len(self.p_t) else np.nan)
        frame.insert(0, "cluster", range(len(frame)))
        return frame

    def figure(self) -> "plotly.graph_objects.Figure":
        """p(y|t) as stacked bars, one per cluster, as wide as its mass. InputError: T is Gaussian."""
        import plotly.graph_objects as go

        if self.method == "gaussian":
            raise InputError("T is Gaussian and has no clusters to draw; dt.gaussian_bottleneck draws the curve")
        table = self.table()
        labels = [c for c in table.columns if c.startswith("y")]
        width = table["p_t"].fillna(1 / len(table)).to_numpy()
        figure = new_figure(xaxis_title="clusters, as wide as p(t)", yaxis_title="p(y|t)", barmode="stack")
        center = (np.cumsum(width) - width / 2).round(5).tolist()
        for label, color in zip(labels, series_colors(len(labels))):
            bar = {"x": center, "y": table[label].round(5).tolist(), "width": width.round(5).tolist()}
            figure.add_trace(
                go.Bar(**bar, name=label, marker={"color": color, "line": {"color": NEUTRAL, "width": 0.5}})
            )
        return figure


def discrete_solution(
    joint: Joint,
    encoder: np.ndarray,
    beta: float,
    method: str,
    *,
    lagrangian,
    residual: float = float("nan"),
    gap: float = float("nan"),
    notes: tuple[str, ...] = (),
) -> BottleneckSolution:
    """A solution from p(t|x) [n, k] of the merged rows. lagrangian(i_x, i_y, h_t) -> bits."""
    found = informations(joint, encoder)
    order = np.argsort(-found["p_t"], kind="stable")
    order = order[found["p_t"][order] > 0]
    p_t = found["p_t"][order]
    without = int((joint.group < 0).sum())
    if without:
        notes = (*notes, f"{without} rows of p_xy have no mass; their p(t|x) is p(t)")
    return BottleneckSolution(
        method=method,
        beta=float(beta),
        encoder=joint.widen_encoder(encoder[:, order], p_t),
        decoder=joint.widen_decoder(found["decoder"][order]),
        p_t=p_t,
        i_x=found["i_x"],
        i_y=found["i_y"],
        h_t=found["h_t"],
        lagrangian=float(lagrangian(found["i_x"], found["i_y"], found["h_t"])),
        residual=float(residual),
        gap=float(gap),
        notes=notes,
    )
