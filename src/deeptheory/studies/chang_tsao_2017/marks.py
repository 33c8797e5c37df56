"""How this study's figures are drawn: dots with intervals, curves by condition, and pixels as a dotted line."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure
from deeptheory.runs import Sample
from deeptheory.runs.intervals import interval

CONDITIONS = {"trained": "trained", "untrained": "before training"}
PIXELS = "pixels"


def table_of(rows: list[dict]) -> Any:
    """A pandas table."""
    import pandas as pd

    return pd.DataFrame(rows)


def row(values: Any, statistic: str = "mean", **named: Any) -> dict:
    """One row: what is named, and mean (or median) over networks with its 95 % interval."""
    got = interval(Sample(np.asarray(values), statistic))
    return named | {"value": got.value, "low": got.low, "high": got.high, "networks": got.n}


def dots(table: Any, x: str, series: str, y_title: str, x_title: str, line: float | None = None) -> Any:
    """Means with their intervals, one colour a series, series beside each other; pixels, which have no layer, as a line."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title)
    level = table[table[series] == PIXELS]
    table = table[table[series] != PIXELS]
    names, places = list(dict.fromkeys(table[series])), list(dict.fromkeys(table[x]))
    for k, (name, color) in enumerate(zip(names, layer_colors(len(names)))):
        part = table[table[series] == name]
        at = [places.index(v) + 0.12 * (k - (len(names) - 1) / 2) for v in part[x]]
        error = {"type": "data", "symmetric": False, "thickness": 1.5, "array": (part["high"] - part["value"]).round(4).tolist(), "arrayminus": (part["value"] - part["low"]).round(4).tolist()}  # fmt: skip
        marks = {"x": at, "y": part["value"].round(4).tolist(), "error_y": error, "name": str(name)}
        figure.add_trace(go.Scatter(**marks, mode="markers", marker={"color": color, "size": 9}))
    for value in level["value"]:
        ends = [-0.4, len(places) - 0.6]
        figure.add_trace(go.Scatter(x=ends, y=[round(value, 4)] * 2, mode="lines", name=PIXELS, line={"color": NEUTRAL, "dash": "dash"}))  # fmt: skip
    if line is not None:
        figure.add_hline(y=line, line_dash="dot", line_width=1)
    figure.update_xaxes(tickvals=list(range(len(places))), ticktext=[str(p) for p in places])
    return figure


def curves(
    series: dict[str, tuple],
    x_title: str,
    y_title: str,
    chance: float | None = None,
    *,
    logarithmic: bool = False,
    pairs: bool = False,
) -> Any:
    """Lines by name, each (x, y) or (x, y, dash); pairs: two that follow each other are of one colour."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title)
    colors = layer_colors(len(series) // 2 if pairs else len(series))
    for k, (name, (x, y, *dash)) in enumerate(series.items()):
        color = colors[k // 2 if pairs else k]
        style = {"color": color, "dash": dash[0] if dash else "solid"}
        y = [None if not np.isfinite(v) else round(float(v), 4) for v in y]
        figure.add_trace(go.Scatter(x=list(x), y=y, name=name, mode="lines+markers", line=style))
    if chance is not None:
        figure.add_hline(
            y=chance, line_dash="dot", line_width=1, annotation_text="chance", annotation_position="top left"
        )
    if logarithmic:
        met = sorted({v for x, *_ in series.values() for v in x})
        ticks = met if len(met) < 10 else [v for v in (1, 2, 5, 10, 20, 50, 100, 200, 500) if met[0] <= v <= met[-1]]
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(v) for v in ticks])
    return figure


def long(series: dict[str, tuple], x: str, y: str) -> Any:
    """The curves as a table, one row a point."""
    return table_of([{"series": name, x: a, y: float(b)} for name, (at, values, *_) in series.items() for a, b in zip(at, values)])  # fmt: skip
