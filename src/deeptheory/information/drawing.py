"""The figures of an information plane; drawn from its own dataset, so that page, notebook and CSV agree."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure

_FRAMES = 48  # steps on a slider at most; the table holds them all


def frame_steps(n: int) -> list[int]:
    """Positions of the steps of n that a slider shows, all of them or about evenly in the order recorded."""
    return sorted({int(k) for k in np.linspace(0, n - 1, min(n, _FRAMES)).round()})


def draw_plane(plane) -> Any:
    """One point a network, layers as colors, the mean path so far, a slider over the steps."""
    import plotly.graph_objects as go

    shown = frame_steps(len(plane.steps))
    colors = layer_colors(len(plane.layers))
    mean_x, mean_y = plane.i_x.mean(0), plane.i_y.mean(0)  # [step, layer]

    def traces(t: int) -> list:
        out = []
        for k, layer in enumerate(plane.layers):
            path = [s for s in shown if s <= t]
            out.append(
                go.Scatter(
                    x=mean_x[path, k].round(3).tolist(),
                    y=mean_y[path, k].round(3).tolist(),
                    mode="lines",
                    line={"color": colors[k], "width": 1.5},
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
            out.append(
                go.Scatter(
                    x=plane.i_x[:, t, k].round(3).tolist(),
                    y=plane.i_y[:, t, k].round(3).tolist(),
                    mode="markers",
                    marker={"color": colors[k], "size": 8, "opacity": 0.75},
                    name=layer,
                    text=[f"network {s}" for s in plane.seeds],
                    hovertemplate="%{text}<br>I(X;T) %{x:.3f} bits<br>I(T;Y) %{y:.3f} bits<extra>" + layer + "</extra>",
                )
            )
        return out

    figure = new_figure(xaxis_title="I(X;T) (bits)", yaxis_title="I(T;Y) (bits)", legend={"title": {"text": "layer"}})
    for trace in traces(shown[-1]):
        figure.add_trace(trace)
    figure.frames = [go.Frame(name=str(plane.steps[t]), data=traces(t)) for t in shown]
    top = max(plane.h_y, float(plane.i_y.max()))
    figure.add_hline(y=plane.h_y, line={"dash": "dot", "color": NEUTRAL, "width": 1}, annotation_text="H(Y)")
    _say_blind(figure, plane)
    if plane.null_mean is not None:
        figure.add_trace(_null(plane, colors))
    figure.update_xaxes(range=[-0.3, float(np.ceil(plane.i_x.max())) + 0.3])
    figure.update_yaxes(range=[-0.04 * top, 1.08 * top])
    steps = [
        {"label": str(plane.steps[t]), "method": "animate", "args": [[str(plane.steps[t])], _AT_ONCE]} for t in shown
    ]
    figure.update_layout(
        sliders=[{"steps": steps, "active": len(steps) - 1, "currentvalue": {"prefix": "epoch "}, "pad": {"t": 40}}]
    )
    return figure


def _say_blind(figure, plane) -> None:
    """What a reader of the figure alone must know: where the readout leaves (nearly) every input a cell of its own."""
    said = []
    for layers, what in (
        (
            plane.blind,
            f"This readout sees nothing{{}}: all {plane.inputs} inputs have cells of their own at every step",
        ),
        (
            plane.nearly_blind,
            f"This readout sees next to nothing{{}}: over 90 % of the {plane.inputs} inputs have cells of their own",
        ),
    ):
        if layers:
            everywhere = len(layers) == len(plane.layers)
            said.append(what.format("" if everywhere else f" in {', '.join(layers[:6])}{', ...' * (len(layers) > 6)}"))
    if not said:
        return
    said += [
        f"Points end at (log2 n, H(Y)) = ({np.log2(plane.inputs):.2f}, {plane.h_y:.2f}) bits there, "
        "with permuted labels as well",
        "A readout that coarsens wide layers: dt.GaussianNoise(0.5, relative='distance')",
    ]
    figure.add_annotation(
        x=0.02, y=0.02, xref="paper", yref="paper", xanchor="left", yanchor="bottom", showarrow=False, align="left",
        text=".<br>".join(said),
    )  # fmt: skip


def _null(plane, colors) -> Any:
    """Where labels without meaning would be at the last step: the mean of the permuted ones, one cross a layer."""
    import plotly.graph_objects as go

    return go.Scatter(
        x=plane.i_x[:, -1].mean(0).round(3).tolist(),
        y=plane.null_mean[:, -1].mean(0).round(3).tolist(),
        mode="markers",
        marker={"color": colors, "symbol": "x-thin", "size": 9, "line": {"width": 1.5, "color": colors}},
        name="permuted labels",
        text=list(plane.layers),
        hovertemplate="%{text}, permuted labels<br>I(T;Y) %{y:.3f} bits<extra></extra>",
    )


def draw_curves(plane) -> Any:
    """I(X;T) above, I(T;Y) below, against step + 1 on a logarithmic axis; mean and middle 80 % of the networks."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08)
    figure.update_layout(new_figure().layout)
    x = np.array(plane.steps) + 1
    shown = frame_steps(len(plane.steps)) if len(x) > 300 else range(len(x))
    shown = list(shown)
    for row, (values, title) in enumerate(((plane.i_x, "I(X;T) (bits)"), (plane.i_y, "I(T;Y) (bits)")), start=1):
        for k, (layer, color) in enumerate(zip(plane.layers, layer_colors(len(plane.layers)))):
            low, high = np.quantile(values[:, shown, k], [0.1, 0.9], axis=0).round(3)
            band = {
                "x": np.concatenate([x[shown], x[shown][::-1]]).tolist(),
                "y": np.concatenate([high, low[::-1]]).tolist(),
            }
            figure.add_trace(
                go.Scatter(
                    **band,
                    fill="toself",
                    line={"width": 0},
                    fillcolor=color,
                    opacity=0.15,
                    hoverinfo="skip",
                    showlegend=False,
                    legendgroup=layer,
                ),
                row=row,
                col=1,
            )
            mean = values[:, shown, k].mean(0).round(4).tolist()
            line = go.Scatter(
                x=x[shown].tolist(),
                y=mean,
                mode="lines",
                name=layer,
                line={"color": color},
                legendgroup=layer,
                showlegend=row == 1,
            )
            figure.add_trace(line, row=row, col=1)
        figure.update_yaxes(title_text=title, row=row, col=1)
    figure.update_xaxes(type="log")
    figure.update_xaxes(title_text="epoch + 1", row=2, col=1)
    _say_blind(figure, plane)
    return figure


_AT_ONCE = {"mode": "immediate", "frame": {"duration": 0, "redraw": False}, "transition": {"duration": 0}}
