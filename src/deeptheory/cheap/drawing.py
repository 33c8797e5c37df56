"""Compiled networks drawn, every neuron and weight where they are few, layers where they are many; and counts."""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.theme import NEUTRAL, SERIES_COLORS, new_figure

if TYPE_CHECKING:
    import pandas

    from deeptheory.cheap.compile.network import CompiledNetwork

MOST_NODES = 80  # more than these, and layers are drawn


def draw_network(network: "CompiledNetwork") -> Any:
    """A plotly figure. Nodes: inputs, neurons, the sums between layers, outputs; lines: weights, blue above 0."""
    linears = [m for m in network.layers if isinstance(m, nn.Linear)]
    names = [list(network.variables)]
    for k, m in enumerate(linears):
        last = k == len(linears) - 1
        hidden = k % 2 == 0 and not last
        outputs = ["output"] if m.out_features == 1 else [f"output {i}" for i in range(m.out_features)]
        names.append(outputs if last else [f"{'neuron' if hidden else 'sum'} {i}" for i in range(m.out_features)])
    kinds = [
        "input",
        *("output" if k == len(linears) - 1 else "neuron" if k % 2 == 0 else "sum" for k in range(len(linears))),
    ]
    small = sum(map(len, names)) <= MOST_NODES
    figure = _nodes(linears, names, kinds) if small else _layers(linears, names, kinds)
    formula = ", ".join(map(str, network.expressions))
    within = f", within {network.certificate.total:.2g}" if network.as_compiled else ""
    reading = (
        "lines: weights, blue above 0 and orange below, thick from 30 % of their layer's largest"
        if small
        else "small numbers: weights that are not 0, from one to the next"
    )
    title = (
        f"{formula if len(formula) < 80 else formula[:77] + '...'}<br><sup>{network.neurons} neurons in "
        f"{network.depth} layers{within}; {reading}</sup>"
    )
    figure.update_layout(title={"text": title, "x": 0.02}, margin={"t": 80, "b": 60})
    return figure


def _nodes(linears: list[nn.Linear], names: list[list[str]], kinds: list[str]) -> Any:
    import plotly.graph_objects as go

    figure = _frame(kinds)
    where = [np.linspace(-1, 1, len(n) + 2)[1:-1][::-1] for n in names]
    for k, m in enumerate(linears):
        weight = m.weight.detach().to(torch.float64).numpy()
        top = np.abs(weight).max(initial=0) or 1.0
        for sign, color in ((1, SERIES_COLORS[0]), (-1, SERIES_COLORS[1])):
            for strong in (True, False):
                size = np.abs(weight) / top
                chosen = (np.sign(weight) == sign) & ((size > 0.3) == strong)
                x, y = [], []
                for i, j in np.argwhere(chosen):
                    x += [k, k + 1, None]
                    y += [float(where[k][j]), float(where[k + 1][i]), None]
                line = {"color": color, "width": 1.6 if strong else 0.6}
                figure.add_trace(
                    go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", opacity=0.7, showlegend=False)
                )
    for k, (labels, kind) in enumerate(zip(names, kinds)):
        marks = {
            "size": 14 if kind == "neuron" else 10,
            "color": _COLORS[kind],
            "line": {"width": 1, "color": "white"},
            "symbol": "circle" if kind == "neuron" else "square",
        }
        shown = kind in ("input", "output")
        bias = linears[k - 1].bias.detach().tolist() if k else [0.0] * len(labels)
        hover = [f"{n}<br>bias {b:.4g}" if k else n for n, b in zip(labels, bias)]
        figure.add_trace(
            go.Scatter(
                x=[k] * len(labels),
                y=where[k].tolist(),
                mode="markers+text" if shown else "markers",
                marker=marks,
                text=labels if shown else hover,
                hovertext=hover,
                hoverinfo="text",
                textposition="middle left" if kind == "input" else "middle right",
                showlegend=False,
            )
        )
    return figure


_COLORS = {"input": NEUTRAL, "neuron": SERIES_COLORS[2], "sum": SERIES_COLORS[4], "output": NEUTRAL}


def _layers(linears: list[nn.Linear], names: list[list[str]], kinds: list[str]) -> Any:
    import plotly.graph_objects as go

    figure = _frame(kinds)
    sizes = [len(n) for n in names]
    figure.add_trace(
        go.Bar(
            x=list(range(len(sizes))),
            y=sizes,
            marker={"color": [_COLORS[k] for k in kinds]},
            text=sizes,
            textposition="outside",
            hovertext=[f"{k}: {s}" for k, s in zip(kinds, sizes)],
            hoverinfo="text",
            showlegend=False,
        )
    )
    for k, m in enumerate(linears):
        alive = int((m.weight != 0).sum())
        figure.add_annotation(x=k + 0.5, y=0, yshift=-12, text=f"{alive}", showarrow=False, font={"size": 10})
    figure.update_yaxes(visible=True, title="units", rangemode="tozero")
    return figure


def _frame(kinds: list[str]) -> Any:
    figure = new_figure(plot_bgcolor="rgba(0,0,0,0)")
    figure.update_xaxes(
        tickvals=list(range(len(kinds))), ticktext=kinds, showgrid=False, range=[-0.7, len(kinds) - 0.3]
    )
    figure.update_yaxes(visible=False)
    return figure


def draw_counts(title: str, table: "pandas.DataFrame") -> Any:
    """Bounds of the neurons against hidden layers, on a logarithmic axis. table: columns depth, lower, upper."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="hidden layers", yaxis_title="neurons", title=title)
    for name, key, color in (("at most (construction)", "upper", SERIES_COLORS[0]), ("at least (rank)", "lower",
        SERIES_COLORS[1])):  # fmt: skip
        values = [float(v) for v in table[key]]
        figure.add_trace(
            go.Scatter(
                x=table["depth"].tolist(),
                y=values,
                mode="lines+markers+text",
                name=name,
                line={"color": color},
                text=[f"{v:,.0f}" for v in values],
                textposition="top center",
            )
        )
    figure.update_yaxes(type="log")
    figure.update_xaxes(dtick=1)
    return figure
