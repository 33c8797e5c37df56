"""What every kind of chart does with its table: panels, groups of rows, traces, numbers as short as a page needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.theme import new_figure


def panels(table: Any, panel: str | None, columns: int, x_title: str, y_title: str) -> tuple[Any, dict]:
    """The empty figure, and where each panel is in it."""
    if panel is None:
        return new_figure(xaxis_title=x_title, yaxis_title=y_title), {None: {}}
    from plotly.subplots import make_subplots

    titles = values_of(table, panel)
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=[str(t) for t in titles], shared_yaxes=True, horizontal_spacing=0.06,
        vertical_spacing=0.16 if rows > 1 else 0,
    )  # fmt: skip
    figure.update_layout(new_figure(height=230 + 210 * rows, legend={"orientation": "h", "y": -0.42 / rows}).layout)
    for k in range(columns):
        figure.update_xaxes(title_text=x_title, row=rows, col=k + 1)
    for k in range(rows):
        figure.update_yaxes(title_text=y_title, row=k + 1, col=1)
    return figure, {t: {"row": k // columns + 1, "col": k % columns + 1} for k, t in enumerate(titles)}


def groups(table: Any, series: str | None, panel: str | None, each: str | None):
    """(rows, series, panel) of every line, in the table's order."""
    by = [c for c in (panel, series, each) if c is not None]
    if not by:
        yield table, None, None
        return
    for _, part in table.groupby(by, sort=False, dropna=False):
        first = part.iloc[0]
        yield part, first[series] if series else None, first[panel] if panel else None


def check_columns(table: Any, *columns: str | None) -> None:
    """InputError: the table does not have one of them."""
    for name in columns:
        if name is not None and name not in table:
            raise InputError(unknown(name, table.columns, what="column"))


def values_of(table: Any, column: str | None) -> list:
    """Different values of a column, in the table's order; [None] of no column."""
    return [None] if column is None else list(dict.fromkeys(table[column]))


def scatter(figure: Any, x: Sequence, y: Sequence, style: Mapping[str, Any], where: Mapping[str, Any]) -> None:
    """Add a trace of points or lines to the panel."""
    import plotly.graph_objects as go

    figure.add_trace(go.Scatter(x=list(x), y=list(y), **style), **where)


def merged(own: dict[str, Any], style: Mapping[str, Any] | None) -> dict[str, Any]:
    """Plotly's keywords with others on top, one level deep: {"line": {"dash": ...}} keeps the color."""
    out = dict(own)
    for key, value in (style or {}).items():
        out[key] = {**out.get(key, {}), **value} if isinstance(value, Mapping) else value
    return out


def error_bars(part: Any, y: str) -> dict[str, Any]:
    """Plotly's bars from the columns low and high."""
    return {
        "type": "data", "symmetric": False, "thickness": 1.5,
        "array": shorts(part["high"] - part[y]), "arrayminus": shorts(part[y] - part["low"]),
    }  # fmt: skip


def logarithmic(figure: Any, table: Any, x: str, y: str, log: str) -> Any:
    """Logarithmic axes; ticks at whole decades where one spans some, since those between would crowd a small panel."""
    for letter, column in (("x", x), ("y", y)):
        if letter in log:
            seen = np.asarray(table[column], dtype=np.float64)
            seen = seen[np.isfinite(seen) & (seen > 0)]
            wide = seen.size and seen.max() >= 30 * seen.min()
            axes = figure.update_xaxes if letter == "x" else figure.update_yaxes
            axes(type="log", exponentformat="power", **({"dtick": 1} if wide else {}))
    return figure


def shorts(values: Any) -> list:
    """Each as `short` gives it."""
    return [short(v) for v in values]


def short(value: Any) -> Any:
    """Four digits that count; None, which plotly leaves out, where there is no number; names as they are."""
    if isinstance(value, str | int | np.integer) and not isinstance(value, bool):
        return value if isinstance(value, str) else int(value)
    return float(f"{value:.4g}") if np.isfinite(value) else None
