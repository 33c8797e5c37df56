"""The page: which figures, what to see in them, and how far to trust them."""

from math import prod
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.theme import NEUTRAL, layer_colours, new_figure
from deeptheory.runs import Page, Plate, Sample
from deeptheory.runs.intervals import interval
from deeptheory.studies.pages import Part, sections, turned
from deeptheory.studies.rolnick_tegmark_2018.claims import deep_bound, frontier, grid
from deeptheory.studies.rolnick_tegmark_2018.steps import MONOMIALS

_TABLED = (8, 16, 20, 32, 64)


def page(results: Any, ledger: Any, settings: dict, scale: str, changed: dict) -> Page:
    """The page of a run; figures whose step was not done are left out."""
    drawn, missing = sections(_SECTIONS, results, settings)
    return Page(
        title="The power of deeper networks for expressing natural functions",
        lead=f"Neurons that a polynomial needs, counted exactly by rank and by construction; and products of {settings['n']} "
        f"numbers learned by {settings['networks']} networks in each of {len(settings['depths']) * len(settings['widths'])} shapes "
        f"({settings['activation']}, {settings['optimizer']}, absolute error, {settings['steps']} minibatches of "
        f"{settings['batch']}), protocol “{settings['protocol']}”, scale “{scale}”.",
        notices=(*turned(changed), *missing),
        sections=drawn,
    )


def _neurons(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    rows = []
    for n in _TABLED:
        for k in range(1, 7):
            if n >= 2 ** min(k, 5):
                neurons, groups = dt.cheap.product_optimum(n, k)
                rows.append((n, k, float(neurons), " ".join(map(str, groups))))
    table = pd.DataFrame(rows, columns=["n", "hidden_layers", "neurons", "largest_group_by_layer"])
    figure = new_figure(xaxis_title="hidden layers", yaxis_title="neurons")
    figure.update_yaxes(type="log", dtick=2, exponentformat="power")
    figure.update_xaxes(dtick=1)
    for n, colour in zip(_TABLED, layer_colours(len(_TABLED))):
        part = table[table["n"] == n]
        figure.add_trace(
            go.Scatter(
                x=part["hidden_layers"],
                y=part["neurons"],
                name=f"{n} numbers",
                text=part["largest_group_by_layer"],
                mode="lines+markers",
                line={"color": colour},
                hovertemplate="%{y} neurons, groups %{text}",
            )
        )
    return Plate(
        name="neurons",
        title="Neurons to multiply n numbers, by depth",
        figure=figure,
        table=table,
        see="How many neurons does each number of layers need? Exact, by the formula that the built networks meet.",
        claims=("depth-k-table",),
        trust="Exact search over balanced groups, an upper bound of the need. That nothing beats its order in n is conjecture 5.2.",
        alt="Line plot, neurons on a logarithmic axis against hidden layers, one line for each of five numbers of factors.",
    )


def _groups(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    rows = []
    for n, k in ((20, 3), (64, 3), (1000, 4), (100_000, 6)):
        for i, b in enumerate(dt.cheap.real_groups(n, k), start=1):
            rows.append((n, k, i, b, "equation 5"))
        if n <= 64:
            for i, b in enumerate(sorted(dt.cheap.product_optimum(n, k)[1]), start=1):
                rows.append((n, k, i, float(b), "whole, sorted"))
    table = pd.DataFrame(rows, columns=["n", "hidden_layers", "layer", "group", "kind"])
    figure = new_figure(xaxis_title="layer", yaxis_title="factors in a group")
    figure.update_xaxes(dtick=1)
    sizes = list(dict.fromkeys(table["n"]))
    colours = dict(zip(sizes, layer_colours(len(sizes))))
    for n, kind in dict.fromkeys(zip(table["n"], table["kind"])):
        part = table[(table["n"] == n) & (table["kind"] == kind)]
        line = kind == "equation 5"
        figure.add_trace(
            go.Scatter(
                x=part["layer"],
                y=part["group"],
                name=f"n = {n}, {kind}",
                mode="lines+markers" if line else "markers",
                marker={"color": colours[n], "symbol": "circle" if line else "square-open", "size": 8 if line else 12},
            )
        )
    return Plate(
        name="groups",
        title="The best groups, layer by layer (the paper's figure 1)",
        figure=figure,
        table=table,
        see="How large are the best groups, layer by layer, by equation 5 and by the integer optimum?",
        claims=("optimal-groups",),
        trust="The equation is the Lagrange condition of the count with real groups. Whole groups are the exact optimum, sorted; "
        "among equal optima the search shows one.",
        alt="Line plot: size of groups against the layer for four products; open squares mark whole groups.",
    )


def _monomials(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    counts, made = results["counts"], results["built"]
    table = pd.DataFrame(
        {
            "monomial": [_shown(m) for m in MONOMIALS],
            "one layer, exact": counts["shallow"].sel(bound="upper").values,
            "prod(r + 1)": [prod(r + 1 for r in m) for m in MONOMIALS],
            "built": made["neurons"].values,
            "bound of theorem 4.2": [deep_bound(m) for m in MONOMIALS],
            "certificate": made["certificate"].values,
            "error found": made["error"].values,
        }
    )
    figure = new_figure(xaxis_title="monomial", yaxis_title="neurons")
    figure.update_yaxes(type="log")
    for (column, symbol), colour in zip(
        (("one layer, exact", "circle"), ("built", "square"), ("bound of theorem 4.2", "line-ew-open")),
        layer_colours(3),
    ):
        figure.add_trace(
            go.Scatter(
                x=table["monomial"],
                y=table[column],
                name=column,
                mode="markers",
                marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}},
            )
        )
    return Plate(
        name="monomials",
        title="Neurons of monomials: one layer, and as built at any depth",
        figure=figure,
        table=table,
        see="Which is smaller for each monomial: the count for one layer, the bound of theorem 4.2, or the network that was built?",
        claims=("shallow-count", "deep-count"),
        trust="Counts in one layer are exact in the Taylor sense. What was built has a bias at "
        "its output, which spares the unit that sees nothing (u² takes two), and is an upper bound: a smaller network may exist. "
        "The table has certificates and the largest errors found on 20,000 points.",
        alt="Dot plot of neuron counts on a logarithmic axis for twelve monomials.",
    )


def _shown(m: tuple[int, ...]) -> str:
    letters = "uvwxyz"
    powers = {1: "", 2: "²", 3: "³", 4: "⁴", 5: "⁵"}
    return "".join(f"{letters[i]}{powers[r]}" for i, r in enumerate(m))


def _learned(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = grid(results)
    n, table = int(data["n"][0]), _errors(data)
    depths, widths = sorted(set(table["depth"])), sorted(set(table["width"]))
    z = table.pivot(index="depth", columns="width", values="error").loc[depths, widths].to_numpy()
    figure = new_figure(xaxis_title="width of every hidden layer", yaxis_title="hidden layers")
    x = np.log2(widths)
    text = [[f"{v:.2g}" for v in row] for row in z]
    figure.add_trace(
        go.Heatmap(
            x=x,
            y=depths,
            z=np.log10(z),
            text=text,
            texttemplate="%{text}",
            colorscale="Viridis",
            reversescale=True,
            colorbar={"title": "log10 error"},
            hovertemplate="%{text}<extra></extra>",
        )
    )
    k = np.linspace(max(1, depths[0] - 0.5), depths[-1] + 0.5, 60)
    line = np.log2(frontier(n, k))
    figure.add_trace(
        go.Scatter(x=line, y=k, mode="lines", line={"color": "#D55E00", "width": 4}, name="frontier of theorem 5.1")
    )
    figure.update_xaxes(tickvals=x, ticktext=[str(w) for w in widths], range=[x[0] - 0.5, x[-1] + 0.5])
    figure.update_yaxes(dtick=1, range=[depths[0] - 0.5, depths[-1] + 0.5])
    figure.update_layout(showlegend=False)
    return Plate(
        name="learned",
        title=f"Error of learned products of {n} numbers, by depth and width (the paper's figure 2)",
        figure=figure,
        table=table,
        see="The orange curve is w = n^((k-1)/k) 2^(n^(1/k)). By the paper shapes to its right learn the product, those to its left do not, and two thin layers do better than one wide one. Does the curve separate low from high errors?",
        claims=("fig2-frontier", "two-thin-beat-one-wide"),
        trust=f"Mean over {data.sizes['seed']} networks a shape of the mean absolute error over that of the best constant. All shapes "
        "have the same number of steps at one rate, so that slow learners look like poor ones. tanh with biases is outside the "
        "theorem, and the curve is an order of magnitude without its constant.",
        alt="Heat map of errors over width and depth with the frontier curve.",
    )


def _against_neurons(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["trained"]
    table = _errors(data)
    figure = new_figure(xaxis_title="hidden neurons", yaxis_title="error over that of the best constant")
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    depths = sorted(set(table["depth"]))
    for k, colour in zip(depths, layer_colours(len(depths))):
        part = table[table["depth"] == k].sort_values("neurons")
        error = {"type": "data", "symmetric": False, "array": part["high"] - part["error"]}
        error |= {"arrayminus": part["error"] - part["low"], "thickness": 1.2}
        figure.add_trace(
            go.Scatter(
                x=part["neurons"],
                y=part["error"],
                name=f"{k} hidden layer{'s' * (k > 1)}",
                error_y=error,
                mode="lines+markers",
                line={"color": colour},
                text=part["width"],
                hovertemplate="%{text} wide: %{y:.3g}",
            )
        )
    figure.add_hline(y=1, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="against-neurons",
        title="The same errors against the number of hidden neurons",
        figure=figure,
        table=table,
        see="At equal numbers of neurons, is the deeper network better? The dotted line is the best constant.",
        trust="95 % intervals over networks. Equal neurons are not equal weights: a deep network has more of those.",
        alt="Line plot, both axes logarithmic: error against hidden neurons for each depth with error bars.",
    )


def _errors(data: Any) -> Any:
    import pandas as pd

    rows = []
    for shape in data["shape"].values:
        at = data.sel(shape=shape)
        got = interval(Sample(at["error"].values))
        depth, width = int(at["depth"]), int(at["width"])
        rows.append((depth, width, depth * width, got.value, got.low, got.high, got.n))
    return pd.DataFrame(rows, columns=["depth", "width", "neurons", "error", "low", "high", "networks"])


_SECTIONS: tuple[Part, ...] = (
    (
        "Products: 2^n in one layer, a handful in several (theorem 5.1, figure 1)",
        "A layer multiplies groups of b numbers with 2^b neurons each. One layer must take the whole product as "
        "one group; each further layer divides the exponent.",
        (_neurons, _groups),
    ),
    (
        "Monomials: exact counts, and networks that were built (theorems 4.1 and 4.2)",
        "Lower bounds are exact ranks of partial-derivative matrices and concern Taylor polynomials; that nothing "
        "smaller comes uniformly close is a conjecture.",
        (_monomials,),
    ),
    (
        "Products that were learned (figure 2)",
        "The theorem is about units without biases whose Taylor coefficients do not vanish; tanh with biases is "
        "outside it. The figure illustrates the theorem, it does not test it.",
        (_learned, _against_neurons),
    ),
)  # fmt: skip
