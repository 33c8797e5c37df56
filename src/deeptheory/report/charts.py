"""The few kinds of charts that studies draw, each from the table that is stored next to it.

A table has one row per point. `x`, `y`, `series` and `panel` are names of columns; columns named `low` and `high` are
the ends of an interval. A series has one color throughout; numbers are drawn with four digits,
the table keeps them all.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.theme import NEUTRAL, STEP_SCALE, colors_of, new_figure
from deeptheory.report.chart_parts import (
    check_columns,
    error_bars,
    groups,
    logarithmic,
    merged,
    panels,
    scatter,
    short,
    shorts,
    values_of,
)

if TYPE_CHECKING:
    import pandas

SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "star", "cross", "pentagon", "hexagon")
_PATHS = 48  # lines of a figure that is colored by training time
_DODGE = 0.12  # between series at one category
Style = Mapping[Any, Mapping[str, Any]]  # series -> keywords of plotly's Scatter


def lines(
    table: "pandas.DataFrame",
    x: str = "x",
    y: str = "y",
    series: str | None = "name",
    *,
    panel: str | None = None,
    each: str | None = None,
    interval: Literal["band", "bars"] = "band",
    markers: bool = False,
    x_title: str = "",
    y_title: str = "",
    log: str = "",
    columns: int = 3,
    style: Style | None = None,
) -> Any:
    """Lines over x, one per series; small multiples where `panel` is given, information planes where x and y are bits.

    each: the column whose values (seeds) have a line of their own in their series. interval: "band" or "bars", drawn
    where the table has low and high. log: the axes that are logarithmic, "x", "y" or "xy". columns: of panels.
    style: what a series has of its own.
    InputError: a column that the table does not have, or an unknown interval.
    """
    if interval not in ("band", "bars"):
        raise InputError(unknown(interval, ("band", "bars"), what="interval"))
    check_columns(table, x, y, series, panel, each)
    figure, places = panels(table, panel, columns, x_title, y_title)
    names, shown = values_of(table, series), set()
    colors = colors_of(names)
    for part, name, title in groups(table, series, panel, each):
        color, where = colors[name], places[title]
        group = {} if name is None else {"legendgroup": str(name), "name": str(name)}
        if interval == "band" and "low" in table and part["low"].notna().any():
            ends = [*map(short, part["high"]), *map(short, part["low"][::-1])]
            along = [*shorts(part[x]), *shorts(part[x][::-1])]
            scatter(
                figure,
                along,
                ends,
                {
                    **group,
                    "mode": "lines",
                    "fill": "toself",
                    "line": {"width": 0},
                    "fillcolor": color,
                    "opacity": 0.15,
                    "hoverinfo": "skip",
                    "showlegend": False,
                },
                where,
            )
        own = {
            **group,
            "mode": "lines+markers" if markers else "lines",
            "line": {"color": color, **({"width": 1} if each else {})},
            "showlegend": series is not None and name not in shown,
        }
        if interval == "bars" and "low" in table:
            own["error_y"] = error_bars(part, y)
        scatter(figure, shorts(part[x]), shorts(part[y]), merged(own, (style or {}).get(name)), where)
        shown.add(name)
    return logarithmic(figure, table, x, y, log)


def points(
    table: "pandas.DataFrame",
    x: str,
    y: str,
    series: str | None = None,
    *,
    each: "pandas.DataFrame | None" = None,
    horizontal: bool = False,
    x_title: str = "",
    y_title: str = "",
    log: str = "",
    style: Style | None = None,
) -> Any:
    """Points, with intervals where the table has low and high. Where x holds names,
    series stand next to each other at each of them.

    each: a table with the same columns, whose rows are drawn small behind (the networks behind a mean). horizontal:
    values along the horizontal axis, names from top to bottom. InputError: a column that the table does not have.
    """
    check_columns(table, x, y, series)
    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title, showlegend=series is not None)
    names, categories = values_of(table, series), None
    if not np.issubdtype(np.asarray(table[x]).dtype, np.number):
        categories = values_of(table, x)
    for k, (name, color) in enumerate(colors_of(names).items()):
        offset = _DODGE * (k - (len(names) - 1) / 2)
        for rows, size in ((each, 5), (table, 9)):
            part = None if rows is None else rows if series is None else rows[rows[series] == name]
            if part is None or not len(part):
                continue
            at = shorts(part[x]) if categories is None else [categories.index(v) + offset for v in part[x]]
            marker = {
                "color": color,
                "size": size,
                "symbol": SYMBOLS[k % len(SYMBOLS)],
                "opacity": 1 if size > 5 else 0.5,
            }
            own: dict[str, Any] = {"mode": "markers", "marker": marker, "showlegend": series is not None and size > 5}
            own |= {} if name is None else {"name": str(name), "legendgroup": str(name)}
            if "low" in part:
                own["error_x" if horizontal else "error_y"] = error_bars(part, y)
            sides = (shorts(part[y]), at) if horizontal else (at, shorts(part[y]))
            scatter(figure, *sides, merged(own, (style or {}).get(name)), {})
    if categories is not None:
        ticks = {"tickvals": list(range(len(categories))), "ticktext": [str(c) for c in categories]}
        figure.update_yaxes(autorange="reversed", **ticks) if horizontal else figure.update_xaxes(**ticks)
    return logarithmic(figure, table, *((y, x) if horizontal else (x, y)), log)


def heat_map(
    table: "pandas.DataFrame",
    x: str,
    y: str,
    z: str,
    *,
    x_title: str = "",
    y_title: str = "",
    z_title: str = "",
    log: str = "",
) -> Any:
    """A cell for each x and y, colored by z and labeled with it; cells that the table lacks stay empty.

    log: "x" where x is laid out, and "z" where z is colored, on a logarithmic scale. InputError:
    a column that the table does not have.
    """
    import plotly.graph_objects as go

    check_columns(table, x, y, z)
    grid = table.pivot(index=y, columns=x, values=z)
    ticks, rows, values = list(grid.columns), list(grid.index), grid.to_numpy(dtype=float)
    at = np.log2(ticks) if "x" in log else np.asarray(ticks, dtype=float)
    text = [[f"{v:.2g}" if np.isfinite(v) else "" for v in row] for row in values]
    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title, showlegend=False)
    figure.add_trace(
        go.Heatmap(
            x=at,
            y=rows,
            z=np.log10(values) if "z" in log else values,
            text=text,
            texttemplate="%{text}",
            colorscale="Viridis",
            reversescale=True,
            colorbar={"title": f"log10 {z_title}" if "z" in log else z_title},
            hovertemplate="%{text}<extra></extra>",
        )
    )
    figure.update_xaxes(tickvals=at, ticktext=[str(t) for t in ticks], range=[at[0] - 0.5, at[-1] + 0.5])
    figure.update_yaxes(dtick=1, range=[rows[0] - 0.5, rows[-1] + 0.5])
    return figure


def bars(
    table: "pandas.DataFrame", x: str | Sequence[str], y: str, series: str, *, x_title: str = "", y_title: str = ""
) -> Any:
    """Stacked bars, one color per series. x: a column of names, or several, the first of which groups the others.

    InputError: a column that the table does not have.
    """
    import plotly.graph_objects as go

    columns = [x] if isinstance(x, str) else list(x)
    check_columns(table, *columns, y, series)
    names = values_of(table, series)
    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title, barmode="stack")
    for name, color in colors_of(names).items():
        part = table[table[series] == name]
        at = [part[c].tolist() for c in columns]
        figure.add_trace(go.Bar(x=at if len(at) > 1 else at[0], y=shorts(part[y]), name=str(name), marker_color=color))
    return figure


def paths(
    table: "pandas.DataFrame",
    x: str,
    y: str,
    step: str,
    layer: str,
    *,
    panel: str | None = None,
    bound: tuple[Sequence[float], Sequence[float]] | None = None,
    x_title: str = "",
    y_title: str = "",
    columns: int = 3,
) -> Any:
    """The plane colored by training time, as the papers draw it: at each step one line through all layers, its dots
    and itself in the color of the step on a logarithmic scale (of step + 1); each layer's name where it begins.

    Of more steps than can be distinguished, some are drawn, evenly in the order recorded, the first and the last among
    them. bound: (x, y) of a curve, drawn dashed into every panel. InputError: a column that the table does not have.
    """
    from plotly.colors import sample_colorscale

    check_columns(table, x, y, step, layer, panel)
    figure, places = panels(table, panel, columns, x_title, y_title)
    figure.update_layout(showlegend=False, height=1.25 * (figure.layout.height or 430))
    top = float(np.log10(max(table[step]) + 1)) or 1.0
    every = sorted(set(table[step]))
    most = max(2, _PATHS // len(places))
    steps = [every[int(k)] for k in np.linspace(0, len(every) - 1, min(len(every), most)).round()]
    for title, where in places.items():
        part: Any = table if panel is None else table[table[panel] == title]
        for at, rows in part[part[step].isin(steps)].groupby(step, sort=True):
            (color,) = sample_colorscale(STEP_SCALE, [np.log10(float(at) + 1) / top])
            said = [f"{name}, epoch {at}" for name in rows[layer]]
            style = {"mode": "lines+markers", "line": {"color": color, "width": 1}, "marker": {"size": 7,
                "color": color}, "text": said, "name": f"epoch {at}"}  # fmt: skip
            scatter(figure, shorts(rows[x]), shorts(rows[y]), {**style,
                "hovertemplate": "%{text}<br>%{x:.3f}, %{y:.3f}<extra></extra>"}, where)  # fmt: skip
        if bound is not None:
            line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
            curve = {"mode": "lines", "line": line, "name": "bound", "hoverinfo": "skip"}
            scatter(figure, shorts(bound[0]), shorts(bound[1]), curve, where)
        _name_starts(figure, part[part[step] == part[step].min()], x, y, layer, where)
    ticks = [t for t in (0, 10, 100, 1000, 10_000, 100_000) if np.log10(t + 1) < 0.96 * top] + [int(max(every))]
    bar = {"title": {"text": "epoch"}, "tickvals": [float(np.log10(t + 1)) for t in ticks],
        "ticktext": [str(t) for t in ticks], "thickness": 12}  # fmt: skip
    scale = {"colorscale": [[p / 20, c] for p, c in enumerate(sample_colorscale(STEP_SCALE,
        [p / 20 for p in range(21)]))], "cmin": 0, "cmax": top}  # fmt: skip
    scatter(figure, [None], [None], {"mode": "markers", "marker": {"color": [0], "showscale": True, "colorbar": bar,
        **scale}, "hoverinfo": "skip"}, next(iter(places.values())))  # fmt: skip
    return figure


def _name_starts(figure: Any, first: Any, x: str, y: str, layer: str, where: Mapping[str, Any]) -> None:
    """The names of layers to the right below their first points, where no path leads; those that lie together share
    one."""
    rows = sorted(zip(first[x], first[y], first[layer]), key=lambda row: -row[0])
    widest = max(float(first[x].max()), 1e-9)
    together: list[list[tuple]] = []
    for row in rows:
        if together and abs(together[-1][-1][0] - row[0]) < 0.1 * widest:
            together[-1].append(row)
        else:
            together.append([row])
    for group in together:
        names = [str(name) for *_, name in group]
        at = min(group, key=lambda row: row[1])
        said = names[0] if len(names) == 1 else f"{min(names)} to {max(names).removeprefix('layer')}"
        figure.add_annotation(
            x=at[0], y=at[1], text=said, showarrow=False, xanchor="left", yanchor="top", xshift=4, name="label",
                **where,
        )  # fmt: skip
    figure.update_xaxes(range=[-0.04 * widest, 1.16 * widest], **where)


def region(
    figure: Any, low: float, high: float, *, along: str = "y", across: tuple[float, float] | None = None, **where: Any
) -> Any:
    """The figure with the region of a claim shaded, which was stated before the measurement, along the axis of its
    quantity.

    Infinite ends stop at the edge of the figure. across: ends along the other axis, where the claim is about a part of
    it alone (one layer). where: row and col of a panel; all panels by default.
    """
    seen = [v for t in figure.data for v in _covered(t, along)]
    inside = [v for v in (low, high) if np.isfinite(v)]
    span = min([*seen, *inside]), max([*seen, *inside])
    on_log = getattr(figure.layout, f"{along}axis").type == "log"
    room = 0.06 * (span[1] - span[0] or 1)
    edge = (span[0] / 2, span[1] * 2) if on_log else (span[0] - room, span[1] + room)
    ends = [low if np.isfinite(low) else edge[0], high if np.isfinite(high) else edge[1]]
    box = {f"{along}0": ends[0], f"{along}1": ends[1], "fillcolor": "#0a6b3d", "opacity": 0.12, "line_width": 0}
    if across is None:
        (figure.add_hrect if along == "y" else figure.add_vrect)(**box, layer="below", name="region", **where)
    else:
        other = "x" if along == "y" else "y"
        box |= {f"{other}0": across[0], f"{other}1": across[1], **({} if where else {"xref": "x", "yref": "y"})}
        figure.add_shape(type="rect", **box, layer="below", name="region", **where)
    if not on_log and getattr(figure.layout, f"{along}axis").range is None:
        (figure.update_yaxes if along == "y" else figure.update_xaxes)(range=edge, **where)
    return figure


def _covered(trace: Any, along: str) -> list[float]:
    """What a trace covers along an axis, its intervals included."""
    values = getattr(trace, along)
    values = [] if values is None else list(values)
    error = getattr(trace, f"error_{along}", None)
    if error is not None and error.array is not None:
        down = error.arrayminus if error.arrayminus is not None else error.array
        values = [v + d for v, d in zip(values, error.array) if None not in (v, d)] + [v - d for v, d in zip(values,
            down) if None not in (v, d)]  # fmt: skip
    return [float(v) for v in values if isinstance(v, int | float | np.number) and np.isfinite(v)]


def reference(figure: Any, *, level: float | None = None, upright: float | Sequence[float] = (),
    diagonal: Sequence[float] = (), label: str = "") -> Any:  # fmt: skip
    """The figure with dotted lines: at a level, upright ones, and y = x between two ends. label: what the level is."""
    line = {"dash": "dot", "color": NEUTRAL, "width": 1}
    if level is not None:
        said = {"annotation_text": label, "annotation_position": "top left"} if label else {}
        figure.add_hline(y=level, line=line, **said)
    for at in np.atleast_1d(upright):
        figure.add_vline(x=float(at), line=line)
    if len(diagonal):
        a, b = diagonal
        figure.add_shape(type="line", x0=a, y0=a, x1=b, y1=b, line=line)
    return figure


def add_line(figure: Any, x: Any, y: Any, name: str, *, color: str, **more: Any) -> Any:
    """The figure with one more line on top: a curve of theory over what was measured."""
    scatter(
        figure,
        shorts(x),
        shorts(y),
        {"mode": "lines", "name": name, **merged({"line": {"color": color, "width": 3}}, more)},
        {},
    )
    return figure


def pairs(figure: Any, x: Sequence[float], first: Sequence[float], second: Sequence[float], name: str) -> Any:
    """The figure with a dotted line from first to second at each x: which two values of y are compared there."""
    gap = np.full(len(x), np.nan)
    along, ends = (np.stack(columns, axis=1).ravel() for columns in ((x, x, gap), (first, second, gap)))
    style = {"mode": "lines+markers", "line": {"dash": "dot", "width": 2}, "marker": {"symbol": "diamond", "size": 10}}
    return add_line(figure, along, ends, name, color=NEUTRAL, **style)
