"""Is an estimate still moving? Its value at ever more of the samples, each with its spread.

Pitfall: a flat end shows that more of the same samples would change little, not that the value is right: an estimator
that cannot see a dependence is flat at 0.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate, Result
from deeptheory.core.shapes import check_whole
from deeptheory.information.trained.settings import kept_together


@dataclass(frozen=True, kw_only=True, eq=False)
class Convergence(Result):
    """An estimate against the number of samples.

    n: [m], ascending; value: [m], the mean over `parts` [m] disjoint parts; low, high: [m], Student's 95 % over them,
    NaN of a single part, at the end the estimate's own interval.
    """

    n: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    parts: np.ndarray
    unit: str = "bits"
    method: str = ""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Convergence({self.value[0]:.3g} {self.unit} at n = {self.n[0]} to {self.value[-1]:.3g} at {self.n[-1]}, "
            f"last change {self.change:.3g})"
        )

    @property
    def change(self) -> float:
        """The value of all samples less that of the most before them (half of them, unless fractions say otherwise)."""
        return float(self.value[-1] - self.value[-2])

    def table(self):
        """One row per n: n, value, low, high, parts, unit."""
        import pandas as pd

        names = ("n", "value", "low", "high", "parts")
        return pd.DataFrame({name: getattr(self, name) for name in names} | {"unit": self.unit})

    def figure(self):
        """Value with its interval against n, on a logarithmic axis."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import SERIES_COLORS, new_figure

        table = self.table()
        up, down = (table["high"] - table["value"]).fillna(0.0), (table["value"] - table["low"]).fillna(0.0)
        finite = [np.where(np.isfinite(v), v, 0.0).round(5).tolist() for v in (up, down)]
        figure = new_figure(xaxis_title="samples", yaxis_title=self.unit)
        figure.add_trace(
            go.Scatter(
                x=table["n"].tolist(),
                y=table["value"].round(5).tolist(),
                mode="lines+markers",
                line={"color": SERIES_COLORS[0]},
                error_y={"type": "data", "array": finite[0], "arrayminus": finite[1]},
                showlegend=False,
            )
        )
        figure.update_xaxes(type="log")
        return figure

    def ending(self, whole: Estimate, per: float) -> "Convergence":
        """With the estimate of all samples at its end; per: what a bit is in its unit."""
        ends = {"value": whole.value, "low": whole.low, "high": whole.high}
        arrays = {name: np.append(getattr(self, name) * per, end) for name, end in ends.items()}
        got = replace(self, **arrays, unit=whole.unit, method=whole.method)
        half = (whole.high - whole.low) / 2
        rounding = 1e-12 * max(1.0, abs(whole.value))
        if math.isfinite(half) and abs(got.change) > half + rounding:
            said = f"from {got.n[-2]} to {got.n[-1]} samples it still changes by {got.change:.2g} {got.unit}"
            got = replace(got, notes=(*got.notes, f"{said}, more than half its interval: the bias is not settled"))
        return got


def converged(
    function: Callable[..., Estimate],
    sides: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    fractions: tuple[float, ...],
    parts: int,
    seed: int,
    groups: Any,
    block: int | None,
) -> Convergence:
    """The curve below all samples, in bits; n has one entry more, that of all."""
    import inspect

    check_whole(parts=(parts, 1), seed=(seed, 0))
    if not isinstance(fractions, tuple | list | np.ndarray) or not len(fractions):
        raise InputError(f"fractions is {fractions!r}; needed: numbers between 0 and 1")
    for f in fractions:
        if not isinstance(f, float | int | np.floating) or isinstance(f, bool) or not 0 < f < 1:
            raise InputError(f"fractions holds {f!r}; needed: numbers between 0 and 1")
    if "spread" in inspect.signature(function).parameters:
        options = {**options, "spread": False}
    arrays: dict[str, Any] = {name: a if hasattr(a, "iloc") else as_numpy(a) for name, a in sides.items()}
    n = len(next(iter(arrays.values())))
    rows: list[dict[str, float]] = []
    left: list[int] = []
    for fraction in sorted({float(f) for f in fractions}):
        values, several = [], _parts(n, fraction, parts, seed, groups, block)
        size = round(np.mean([len(part) for part in several]))
        if size in [r["n"] for r in rows] or size in left:  # of few groups, several fractions are as many
            continue
        for part in several:
            given = (a.iloc[part] if hasattr(a, "iloc") else a[part] for a in arrays.values())
            try:
                together = None if groups is None else as_numpy(groups)[part]
                values.append(function(*given, **options, **kept_together(function, together, block)).value)
            except InputError:  # too few rows or labels in a part
                values = []
                break
        if not values:
            left.append(size)
            continue
        found = statistics.mean_interval(np.array(values))
        ends = (found.low, found.high) if len(values) > 2 else (math.nan, math.nan)
        rows.append({"n": size, "value": found.value, "low": ends[0], "high": ends[1], "parts": len(values)})
    if not rows:
        raise InputError(f"no fraction of {n} rows leaves as many as the estimator takes; give larger fractions")
    notes = (f"too few rows for the estimator at n = {', '.join(map(str, left))}: left out",) if left else ()
    value, low, high = (np.array([r[name] for r in rows]) for name in ("value", "low", "high"))
    sizes, averaged = ([int(r[name]) for r in rows] for name in ("n", "parts"))
    return Convergence(
        n=np.array([*sizes, n]), value=value, low=low, high=high, parts=np.array([*averaged, 1]), notes=notes
    )


def _parts(n: int, fraction: float, parts: int, seed: int, groups: Any, block: int | None) -> list[np.ndarray]:
    """Disjoint sets of about fraction * n rows: whole groups, stretches of a series, or random rows."""
    several = int(min(parts, 1 / fraction + 1e-9))
    if groups is not None:
        codes = statistics.codes_of(as_numpy(groups))
        pieces = [np.flatnonzero(codes == c) for c in np.random.default_rng([seed, n, 9]).permutation(codes.max() + 1)]
        each = max(1, int(fraction * len(pieces) + 1e-9))
        several = min(several, len(pieces) // each)
        return [np.sort(np.concatenate(pieces[at * each : (at + 1) * each])) for at in range(several)]
    order = np.arange(n) if block is not None else np.random.default_rng([seed, n, 9]).permutation(n)
    each = int(fraction * n + 1e-9)
    return [order[at * each : (at + 1) * each] for at in range(several)] if each else [order[:0]]
