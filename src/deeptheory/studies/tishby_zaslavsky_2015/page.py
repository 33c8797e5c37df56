"""The page: which figures, what to see in them, and how far to trust them."""

from typing import Any

import numpy as np

from deeptheory.core.theme import LAYER_COLOURS, NEUTRAL, layer_colours, new_figure
from deeptheory.runs import Page, Plate
from deeptheory.studies.both_sides import links
from deeptheory.studies.drawing import dots, measured
from deeptheory.studies.pages import sections, turned
from deeptheory.studies.tishby_zaslavsky_2015.claims import distance_after, slopes


def page(results: Any, ledger: Any, settings: dict, scale: str, changed: dict) -> Page:
    """The page of a run; figures whose step was not done are left out."""
    drawn, missing = sections(_SECTIONS, results, settings)
    shape = "-".join(str(w) for w in settings["widths"])
    return Page(
        title="Deep learning and the information bottleneck principle",
        lead=f"The paper draws its figure 2 by hand. Here it has numbers: p(x, y) is the 12-bit rule with gamma = "
        f"{settings['gamma']:g}; {settings['networks']} networks {shape} of {settings['activation']} units, rounded to "
        f"{2 ** settings['bits']} levels, {settings['epochs']} epochs. Scale “{scale}”. In bits.",
        notices=(*turned(changed, "settings fixed beforehand", "claim"), *missing),
        sections=drawn,
        links=links("tishby-zaslavsky-2015"),
    )


def _figure_2(results: Any, settings: dict, near: bool = False) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data, end = results["bound"], results["layers"].isel(step=-1)
    i_xy, rows = data.attrs["i_xy"], []
    figure = new_figure(xaxis_title="R = I(X;T) (bits)", yaxis_title="D = I(X;Y|T) (bits)")

    def line(name, x, y, mode="lines", **style):
        rows.extend({"what": name, "R": float(a), "D": float(b)} for a, b in zip(x, y))
        figure.add_trace(
            go.Scatter(x=np.round(x, 4).tolist(), y=np.round(y, 5).tolist(), mode=mode, name=name, **style)
        )

    x = np.concatenate([[0.0], data["i_x"].values, [data.attrs["h_x"]]])
    y = i_xy - np.concatenate([[0.0], data["i_y"].values, [i_xy]])
    line("bound", x, y, line={"color": NEUTRAL, "width": 3})
    for k, colour, symbol in ((2, LAYER_COLOURS[0], "circle"), (3, LAYER_COLOURS[3], "diamond")):
        part = data.sel(k=k)
        order = np.argsort(part["branch_i_x"].values, kind="stable")
        at = part["branch_i_x"].values[order], i_xy - part["branch_i_y"].values[order]
        line(f"branch of {k} clusters", *at, mode="lines+markers", line={"color": colour, "dash": "dot", "width": 1}, marker={"size": 12 - 2 * k, "symbol": symbol})  # fmt: skip
    line(f"with {data.attrs['samples']} samples", data["rate"].values, data["worst"].values, line={"color": LAYER_COLOURS[1], "width": 2})  # fmt: skip
    line("(R*, D*)", [float(data["r_star"])], [float(data["d_star"])], mode="markers", marker={"size": 12, "symbol": "star", "color": LAYER_COLOURS[1]})  # fmt: skip
    mean_x, mean_d = end["i_x"].mean("seed").values, i_xy - end["i_y"].mean("seed").values
    line("layers, mean of the networks", mean_x, mean_d, mode="lines+markers", line={"color": LAYER_COLOURS[2]}, marker={"size": 9})  # fmt: skip
    for k, name in enumerate(end["layer"].values.tolist()):  # away from the lines, at two heights
        if not near or mean_x[k] < 1.1 * data.attrs["h_x"]:
            figure.add_annotation(x=float(mean_x[k]), y=float(mean_d[k]), text=name, ax=10, ay=-30 - 18 * (k % 2), arrowwidth=1, arrowcolor=NEUTRAL)  # fmt: skip
    figure.update_yaxes(range=[-0.05, 1.15])
    if near:
        figure.update_xaxes(range=[-0.05, 1.1 * data.attrs["h_x"]])
    return Plate(
        name="figure-2-near" if near else "figure-2",
        title="The same, near the bound" if near else "Figure 2, measured",
        figure=figure,
        table=pd.DataFrame(rows),
        see="Gray: the least D for each R. Dotted: what two or three clusters can do. Orange: the bound with the error of a finite sample, and its least point. Green: layers, from the input side (right) to the output.",
        claims=("bound-above-layers", "finite-sample-minimum-exists", "gaps"),
        trust=f"Bound and layers are exact for this p(x, y). The orange line rests on a constant of {settings['constant']:g}, which "
        "no paper states: another moves its minimum. Branches are found by iteration, so they are upper bounds.",
        alt="D against R: a falling bound, dotted branches above it, an orange U-shaped line with a star, a green path of layers.",
    )


def _near(results: Any, settings: dict) -> Plate:
    return _figure_2(results, settings, near=True)


def _bifurcations(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data, end = results["bound"], results["layers"].isel(step=-1)
    figure = new_figure(xaxis_title="beta", yaxis_title="clusters of the optimum")
    figure.update_xaxes(type="log")
    beta, clusters = data["beta"].values, data["clusters"].values
    figure.add_trace(
        go.Scatter(
            x=beta.tolist(),
            y=clusters.tolist(),
            mode="lines+markers",
            line={"shape": "hv", "color": NEUTRAL},
            name="optimum",
        )
    )
    rows = [{"what": "optimum", "beta": float(b), "clusters": float(k)} for b, k in zip(beta, clusters)]
    for c in data["critical"].values:
        figure.add_vline(x=float(c), line={"dash": "dot", "color": LAYER_COLOURS[1], "width": 1})
        rows.append({"what": "critical beta", "beta": float(c), "clusters": np.nan})
    names = end["layer"].values.tolist()
    for k, (name, colour) in enumerate(zip(names, layer_colours(len(names)))):
        fitted = end["beta"].values[:, k]
        fitted = fitted[np.isfinite(fitted) & (fitted > 0)]
        height = [0.2 + 0.1 * k] * len(fitted)
        figure.add_trace(go.Scatter(x=fitted.tolist(), y=height, mode="markers", marker={"color": colour, "symbol": "line-ns-open", "size": 9}, name=f"fitted, {name}"))  # fmt: skip
        rows += [{"what": f"fitted {name}", "beta": float(b), "clusters": np.nan} for b in fitted]
    after = [np.nanmean(distance_after(results, step)) for step in (-1, 0)]
    said = f"Mean signed distance after the nearest critical beta: trained {after[0]:+.3g}, untrained {after[1]:+.3g} in log beta."
    return Plate(
        name="bifurcations",
        title="Bifurcations, and where the layers' fitted betas lie",
        figure=figure,
        table=pd.DataFrame(rows),
        see=f"Steps: clusters appear at critical betas (dotted). Ticks below: fitted betas of layers and networks. {said}",
        claims=("layers-after-bifurcations", "critical-beta"),
        trust="Betas are fitted with each layer's own decoder. Left out: layers that lost nothing (infinite beta), and those that no beta above 0 fits better than "
        "ruling out the symbols that their decoder excludes.",
        alt="Number of clusters against beta, a staircase; dotted vertical lines at critical betas; ticks for layers.",
    )


def _chain(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data = results["layers"]
    figure = new_figure(xaxis_title="layer", yaxis_title="I(Y;T) / I(X;Y)")
    names, rows = data["layer"].values.tolist(), []
    for t, label, colour in ((0, "before training", NEUTRAL), (-1, "at the end", LAYER_COLOURS[0])):
        share = data["i_y"].isel(step=t).values / data.attrs["information"]
        for s, line in zip(data["seed"].values, share):
            figure.add_trace(go.Scatter(x=names, y=line.round(4).tolist(), mode="lines+markers", line={"color": colour, "width": 1}, opacity=0.6, name=label, showlegend=bool(s == data["seed"].values[0]), legendgroup=label))  # fmt: skip
            rows += [{"when": label, "network": int(s), "layer": n, "share": float(v)} for n, v in zip(names, line)]
    return Plate(
        name="chain",
        title="The chain of inequalities, exact",
        figure=figure,
        table=pd.DataFrame(rows),
        see="By the data processing inequality no line can rise from left to right. How far does it fall: what did the network lose on the way?",
        claims=("dpi-chain",),
        trust="Layers are rounded in the network itself, so each is a function of the one before: nothing is estimated.",
        alt="Lines over layers, one a network: share of the label's information, never rising.",
    )


def _criterion(results: Any, settings: dict) -> Plate:
    import pandas as pd

    end = results["layers"].isel(step=-1)
    names, rows = end["layer"].values.tolist(), []
    for k, name in enumerate(names):
        for s in range(end.sizes["seed"]):
            at = end.isel(seed=s, layer=k)
            rows.append({c: float(at[c]) for c in ("i_previous", "lost", "beta", "residual", "residual_shuffled", "excess")} | {"layer": name})  # fmt: skip
    table = pd.DataFrame(rows)
    groups = {
        label: {n: end[column].values[:, k] for k, n in enumerate(names)}
        for label, column in (("trained", "residual"), ("labels dealt out anew", "residual_shuffled"))
    }
    groups["before training"] = {
        n: results["layers"]["residual"].isel(step=0).values[:, k] for k, n in enumerate(names)
    }
    figure = dots(measured(groups), x_title="layer", y_title="residual of the fit (bits)")
    return Plate(
        name="criterion",
        title="How well each layer is the bottleneck's encoder at its own beta",
        figure=figure,
        table=table,
        see="Residual of the fitted encoder next to the same for permuted labels and for the untrained networks. The table holds the two terms of the layer criterion, I(T before;T) and I(Y;T before|T), and how many bits of I(X;T) lie beyond need.",
        trust="A small residual alone proves little: the fit uses the layer's own decoder. Compare all three.",
        alt="Dots by layer: residual of the fit, and of shuffled labels.",
    )


def _neuron(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data = results["neuron"].isel(seed=0)
    exact, output = data["exact"].values, data["output"].values
    figure = new_figure(xaxis_title="p(y|counts), Bayes", yaxis_title="output of the unit")
    figure.add_trace(go.Scatter(x=exact.tolist(), y=output.tolist(), mode="markers", marker={"color": LAYER_COLOURS[0]}, name="count vectors"))  # fmt: skip
    figure.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"color": NEUTRAL, "dash": "dot"}, name="equal"))
    worst = float(results["neuron"]["error"].max())
    return Plate(
        name="neuron",
        title="One unit is an exact posterior",
        figure=figure,
        table=pd.DataFrame({"exact": exact, "output": output}),
        see=f"On the diagonal a unit is the exact posterior; the largest difference over all sources is {worst:.1e}.",
        claims=("neuron-is-posterior",),
        trust="An identity, checked in double precision. It needs features that are independent given the class.",
        alt="Scatter of the unit's output against the exact posterior, with the diagonal.",
    )


def _slopes(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    found = slopes(results["bound"])
    figure = new_figure(xaxis_title="piece of the curve", yaxis_title="slope times beta")
    figure.add_trace(go.Scatter(y=found.round(5).tolist(), mode="markers", marker={"color": LAYER_COLOURS[0]}))
    figure.add_hline(y=1.0, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="slopes",
        title="The curve's slope is one over beta",
        figure=figure,
        table=pd.DataFrame({"slope_times_beta": found}),
        see="By theory every piece has slope times beta of 1; a piece that spans a bifurcation with a jump has the slope of a chord.",
        claims=("slope-is-inverse-beta",),
        trust="Differences between neighbouring betas, where I(X;T) moves by more than rounding.",
        alt="Dots near 1.",
    )


_SECTIONS = (
    (
        "The plane of 2015 (figure 2)",
        "Distortion against rate, so that down is better: the plane of 2017 turned over.",
        (_figure_2, _near, _bifurcations),
    ),
    ("Layers", "Networks whose layers are a Markov chain of symbols.", (_chain, _criterion)),
    ("Two identities", "What must hold to rounding.", (_neuron, _slopes)),
)
