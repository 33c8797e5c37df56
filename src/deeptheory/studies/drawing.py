"""Figures that several studies draw: curves over training in small panels, and dots with intervals by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure
from deeptheory.runs import Sample
from deeptheory.runs.intervals import interval

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross", "pentagon", "hexagon")


def panels(
    curves: Sequence[Mapping[str, Any]], *, x_title: str, y_title: str, columns: int = 3, log_y: bool = False
) -> Any:
    """Small panels of lines over a logarithmic axis, one color a name throughout.

    curves: rows with panel, name, x, y (lists of one length), and where wanted low, high (a band).
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = list(dict.fromkeys(c["panel"] for c in curves))
    names = list(dict.fromkeys(c["name"] for c in curves))
    colors = dict(zip(names, layer_colors(len(names))))
    columns = min(columns, len(titles))
    rows = -(-len(titles) // columns)
    figure = make_subplots(
        rows=rows, cols=columns, subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.06,
        vertical_spacing=0.16 if rows > 1 else 0,
    )  # fmt: skip
    figure.update_layout(new_figure(height=230 + 210 * rows, legend={"orientation": "h", "y": -0.42 / rows}).layout)
    shown = set()
    for c in curves:
        place = divmod(titles.index(c["panel"]), columns)
        where: Any = {"row": place[0] + 1, "col": place[1] + 1}
        x, y = list(c["x"]), [_short(v) for v in c["y"]]
        if "low" in c:
            band = [_short(v) for v in [*c["high"], *reversed(list(c["low"]))]]
            figure.add_trace(
                go.Scatter(x=x + x[::-1], y=band, mode="lines", fill="toself", line={"width": 0}, fillcolor=colors[c["name"]], opacity=0.15,
                           hoverinfo="skip", showlegend=False, legendgroup=c["name"]), **where)  # fmt: skip
        line = {"color": colors[c["name"]], "dash": c.get("dash", "solid")}
        figure.add_trace(
            go.Scatter(x=x, y=y, mode="lines", name=c["name"], line=line, legendgroup=c["name"],
                       showlegend=c["name"] not in shown), **where)  # fmt: skip
        shown.add(c["name"])
    figure.update_xaxes(type="log", exponentformat="power", **_decades([v for c in curves for v in c["x"]]))
    if log_y:
        figure.update_yaxes(type="log", exponentformat="power", **_decades([v for c in curves for v in c["y"]]))
    for k in range(columns):
        figure.update_xaxes(title_text=x_title, row=rows, col=k + 1)
    for k in range(rows):
        figure.update_yaxes(title_text=y_title, row=k + 1, col=1)
    return figure


def _decades(values: Sequence[float]) -> dict:
    """Ticks at whole decades where a logarithmic axis spans some: those between would crowd a small panel."""
    seen = np.array([v for v in values if np.isfinite(v) and v > 0], dtype=np.float64)
    return {"dtick": 1} if seen.size and seen.max() >= 30 * seen.min() else {}


def over_training(panel: str, values: Any, steps: Sequence[int], names: Sequence[str]) -> list[dict]:
    """Rows for `panels` from [seed, step, name]: means, and the middle 80 % of seeds as a band; x is step + 1."""
    values = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    x = [s + 1 for s in steps]
    return [
        {"panel": panel, "name": str(n), "x": x, "y": values[:, :, k].mean(0), "low": low[:, k], "high": high[:, k]}
        for k, n in enumerate(names)
    ]


def table_of(curves: Sequence[Mapping[str, Any]]) -> Any:
    """The numbers of `panels`, one row a point."""
    import pandas as pd

    return pd.DataFrame(
        [
            {"panel": c["panel"], "name": c["name"], "x": x, "y": float(y)}
            | ({"low": float(c["low"][i]), "high": float(c["high"][i])} if "low" in c else {})
            for c in curves
            for i, (x, y) in enumerate(zip(c["x"], c["y"]))
        ]
    )


def measured(groups: Mapping[str, Mapping[str, Any]]) -> Any:
    """Means with 95 % intervals over seeds: {condition: {place: values [seed]}} -> one row each."""
    import pandas as pd

    rows = []
    for condition, places in groups.items():
        for place, values in places.items():
            got = interval(Sample(np.asarray(values, dtype=np.float64)))
            rows.append({"condition": condition, "at": place, "mean": got.value, "low": got.low, "high": got.high, "networks": got.n})  # fmt: skip
    return pd.DataFrame(rows)


def dots(table: Any, *, x_title: str, y_title: str) -> Any:
    """Dots with error bars from `measured`, conditions beside each other at each place."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title)
    conditions, places = list(dict.fromkeys(table["condition"])), list(dict.fromkeys(table["at"]))
    for k, (condition, color) in enumerate(zip(conditions, layer_colors(len(conditions)))):
        part = table[table["condition"] == condition]
        x = [places.index(p) + 0.12 * (k - (len(conditions) - 1) / 2) for p in part["at"]]
        error = {
            "type": "data", "symmetric": False, "thickness": 1.5,
            "array": [_short(v) for v in part["high"] - part["mean"]],
            "arrayminus": [_short(v) for v in part["mean"] - part["low"]],
        }  # fmt: skip
        marks = {"x": x, "y": [_short(v) for v in part["mean"]], "error_y": error, "name": condition}
        figure.add_trace(
            go.Scatter(**marks, mode="markers", marker={"color": color, "size": 9, "symbol": SYMBOLS[k % len(SYMBOLS)]})
        )
    figure.update_xaxes(tickvals=list(range(len(places))), ticktext=places)
    return figure


def against(
    runs: Mapping[str, Any], x: str, y: str, pairs: Sequence[Any], *, x_title: str, y_title: str
) -> tuple[Any, Any]:
    """Trainings as lines of one accuracy against another, and where those of a seed are compared; the figure and its table.

    runs: {network: dataset with x, y [seed, look]}; pairs: what networks.compare_at_equal_accuracy says of each seed."""
    import pandas as pd
    import plotly.graph_objects as go

    figure, rows = new_figure(xaxis_title=x_title, yaxis_title=y_title), []
    for (label, data), color in zip(runs.items(), layer_colors(len(runs))):
        for k, seed in enumerate(data["seed"].values.tolist()):
            a, b = data[x].values[k], data[y].values[k]
            rows += [
                {"network": label, "seed": seed, "look": int(t), x: u, y: v}
                for t, u, v in zip(data["look"].values, a, b)
            ]
            line = {"line": {"color": color, "width": 1}, "marker": {"size": 4}, "name": label, "legendgroup": label}
            figure.add_trace(go.Scatter(x=a.round(2), y=b.round(2), mode="lines+markers", showlegend=k == 0, **line))
    for k, pair in enumerate(pairs):
        mark = {
            "line": {"color": NEUTRAL, "dash": "dot"},
            "marker": {"symbol": "diamond", "size": 10},
            "name": "compared here",
        }
        figure.add_trace(
            go.Scatter(
                x=[pair.target] * 2,
                y=[pair.first, pair.second],
                mode="markers+lines",
                legendgroup="pair",
                showlegend=k == 0,
                **mark,
            )
        )
    return figure, pd.DataFrame(rows)


def _short(value: float) -> float | None:
    """Four digits that count; None, which plotly leaves out, where there is no number."""
    return float(f"{value:.4g}") if np.isfinite(value) else None
