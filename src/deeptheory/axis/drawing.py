"""The figures of the bench, each from its result's own arrays."""

from typing import Any

import numpy as np

from deeptheory.core.names import pick
from deeptheory.core.theme import NEUTRAL, SERIES_COLORS, new_figure, series_colors

_MOST = 1000  # points a figure


def _round(values: np.ndarray, digits: int = 4) -> list:
    return [None if not np.isfinite(v) else float(f"{v:.{digits}g}") for v in np.asarray(values, dtype=float).ravel()]


def draw_ramps(ramp: Any, units: int) -> Any:
    """Responses along the axis, one line per unit; the most tuned `units` of them."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="projection onto the axis (standard deviations)", yaxis_title="response")
    best = np.argsort(-ramp.r)[:units]
    for k, color in zip(best, series_colors(len(best))):
        full = ramp.count[k] > 1
        figure.add_trace(
            go.Scatter(
                x=_round(ramp.centers[k][full]),
                y=_round(ramp.mean[k][full]),
                error_y={"array": _round(ramp.sem[k][full]), "width": 0},
                mode="lines+markers",
                line={"color": color},
                name=f"unit {ramp.units[k]}",
            )
        )
    return figure


def draw_preference(preference: Any) -> Any:
    """Histogram of the preference of tuned units."""
    import plotly.graph_objects as go

    first = preference.blocks[0]
    figure = new_figure(xaxis_title=f"preference for {first}", yaxis_title="units", bargap=0.05, barmode="overlay")
    edges = np.linspace(-1, 1, 41)
    count = np.histogram(preference.index[np.isfinite(preference.index)], edges)[0]
    figure.add_trace(go.Bar(x=_round((edges[1:] + edges[:-1]) / 2), y=count.tolist(), name="units"))
    middle, spread = float(preference.null_mean[:, 0].mean()), float(preference.null_sd[:, 0].mean())
    if np.isfinite(middle):
        band = {"fillcolor": NEUTRAL, "opacity": 0.2, "line_width": 0, "layer": "below"}
        figure.add_vrect(
            x0=middle - 1.96 * spread,
            x1=middle + 1.96 * spread,
            annotation_text="no tuning",
            annotation_position="top left",
            **band,
        )
    figure.update_xaxes(range=[-1, 1])
    return figure


def draw_flatness(flatness: Any) -> Any:
    """Variance orthogonal to the axis over that along it, by unit."""
    import plotly.graph_objects as go

    figure = new_figure(
        xaxis_title="variance explained along the axis", yaxis_title="variance explained orthogonal to it (adjusted)"
    )
    rows = slice(0, _MOST)
    for wanted, name, color in ((True, "flat", SERIES_COLORS[2]), (False, "not shown to be flat", SERIES_COLORS[1])):
        which = np.flatnonzero(flatness.flat[rows] == wanted)
        figure.add_trace(
            go.Scatter(
                x=_round(flatness.along[which]),
                y=_round(flatness.share[which]),
                mode="markers",
                marker={"color": color, "size": 7, "opacity": 0.7},
                name=name,
                text=[f"unit {u}" for u in flatness.units[which]],
            )
        )
    figure.add_hline(
        y=float(np.median(flatness.detectable)),
        line={"dash": "dot", "color": NEUTRAL},
        annotation_text="detectable (median)",
    )
    return figure


def draw_models(models: Any) -> Any:
    """Held-out R2 of the models, unit by unit."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="held-out R² of the exemplar model", yaxis_title="held-out R² of the axis model")
    x, y = models.of("exemplar"), models.of("axis")
    colors = dict(zip(("axis", "exemplar", "norm x direction", "energy"), SERIES_COLORS))
    for name in dict.fromkeys(models.verdict.tolist()):
        which = np.flatnonzero(models.verdict == name)[:_MOST]
        figure.add_trace(
            go.Scatter(
                x=_round(np.maximum(x[which], -0.2)),
                y=_round(np.maximum(y[which], -0.2)),
                mode="markers",
                marker={"color": colors.get(name, NEUTRAL), "size": 7, "opacity": 0.75},
                name=name,
                text=[f"unit {u}" for u in models.units[which]],
            )
        )
    low, high = -0.2, float(max(x.max(), y.max(), 0.1)) * 1.05
    figure.add_shape(type="line", x0=low, y0=low, x1=high, y1=high, line={"dash": "dot", "color": NEUTRAL})
    return figure


def draw_decoding(decoding: Any) -> Any:
    """R2 of each decoded feature."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="feature", yaxis_title="explained variance, left out")
    for (name, index), color in zip(decoding.blocks.items(), series_colors(len(decoding.blocks))):
        figure.add_trace(
            go.Scatter(
                x=index.tolist(),
                y=_round(decoding.explained[index]),
                mode="lines+markers",
                name=name,
                marker={"color": color},
            )
        )
    return figure


def draw_identification(found: Any) -> Any:
    """Accuracy against the number of candidates or of units, with chance."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.06)
    figure.update_layout(new_figure().layout)
    n = list(found.candidates)
    rows = (
        (found.accuracy[-1], f"{found.sizes[-1]} units", SERIES_COLORS[0], "solid"),
        (found.best_single, "best single unit", SERIES_COLORS[1], "solid"),
        (found.chance, "chance", NEUTRAL, "dot"),
    )
    for y, name, color, dash in rows:
        figure.add_trace(
            go.Scatter(x=n, y=_round(y), mode="lines+markers", name=name, line={"color": color, "dash": dash}),
            row=1,
            col=1,
        )
    low, high = found.low[:, -1], found.high[:, -1]
    figure.add_trace(
        go.Scatter(
            x=list(found.sizes),
            y=_round(found.accuracy[:, -1]),
            error_y={"array": _round(high - found.accuracy[:, -1]), "arrayminus": _round(found.accuracy[:, -1] - low)},
            mode="lines+markers",
            name=f"of {n[-1]} candidates",
            line={"color": SERIES_COLORS[2]},
        ),
        row=1,
        col=2,
    )
    figure.update_xaxes(title_text="candidates", type="log", row=1, col=1)
    figure.update_xaxes(title_text="units", type="log", row=1, col=2)
    figure.update_yaxes(title_text="share identified", range=[0, 1.02], row=1, col=1)
    return figure


def draw_cosines(geometry: Any) -> Any:
    """Histogram of the cosines between axes, with that of random directions."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="cosine between two units' axes", yaxis_title="pairs", bargap=0.02)
    edges = np.linspace(-1, 1, 81)
    count = np.histogram(geometry.cosines[np.triu_indices(len(geometry.cosines), 1)], edges)[0]
    figure.add_trace(go.Bar(x=_round((edges[1:] + edges[:-1]) / 2), y=count.tolist(), name="pairs"))
    figure.add_vline(x=0, line={"dash": "dot", "color": NEUTRAL})
    return figure


def draw_similarity(views: Any) -> Any:
    """Similarity of views as a heat map."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="picture, by view, then identity", yaxis_title="picture")
    figure.add_trace(go.Heatmap(z=np.round(views.similarity, 3).tolist(), colorscale="RdBu_r", zmin=-1, zmax=1))
    figure.update_yaxes(autorange="reversed", scaleanchor="x")
    return figure


def draw_efficiency(found: Any, reader: str) -> Any:
    """Accuracy of one reader against the number of units, by metric."""
    import plotly.graph_objects as go

    r = pick({name: k for k, name in enumerate(found.readers)}, reader, what="reader")
    figure = new_figure(xaxis_title="units", yaxis_title=f"right ({reader})")
    figure.update_xaxes(type="log")
    for m, (name, color) in enumerate(zip(("axis metric", "distance metric"), SERIES_COLORS)):
        for s in range(len(found.seeds)):
            y = _round(found.accuracy[s, m, :, r])
            figure.add_trace(
                go.Scatter(
                    x=list(found.units),
                    y=y,
                    mode="lines",
                    line={"color": color},
                    name=name,
                    showlegend=s == 0,
                    legendgroup=name,
                )
            )
    figure.add_hline(y=found.chance[r], line={"dash": "dot", "color": NEUTRAL}, annotation_text="chance")
    return figure
