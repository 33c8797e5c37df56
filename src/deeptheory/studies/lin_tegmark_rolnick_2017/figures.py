"""The page: which figures, what to see in them, and how far to trust them."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colours, new_figure
from deeptheory.runs import Plate, Sample
from deeptheory.runs.intervals import interval
from deeptheory.studies.lin_tegmark_rolnick_2017.claims import gains
from deeptheory.studies.lin_tegmark_rolnick_2017.steps import DATA, PARAMETERS
from deeptheory.studies.pages import Part

TITLE = "Why does deep and cheap learning work so well?"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    return (
        "The paper argues from identities, counts and observations about nature, and measures nothing. Here its identities are "
        f"checked, its counts are enumerated and its observations are measured, scale “{scale}”."
    )


def _gates(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["gates"]
    table = data[["error"]].to_dataframe().reset_index()
    figure = new_figure(xaxis_title="scale of the input weights", yaxis_title="largest error of u v on [-1, 1]²")
    figure.update_xaxes(type="log", exponentformat="power")
    figure.update_yaxes(type="log", exponentformat="power", dtick=2)
    for name, colour in zip(data["activation"].values, layer_colours(data.sizes["activation"])):
        part = table[table["activation"] == name]
        figure.add_trace(
            go.Scatter(x=part["scale"], y=part["error"], name=str(name), mode="lines", line={"color": colour})
        )
    return Plate(
        name="gates",
        title="Error of the product gate against its scale",
        figure=figure,
        table=table,
        see="To the right truncation dominates, where theory gives slope 2; to the left rounding, where the error grows as the scale falls. How far down does each activation reach?",
        claims=("gate-slope", "gate-rounding-floor"),
        trust="Largest error on a grid of 41 x 41 points. tanh and the logistic function have their biases where the second derivative "
        "is large; at 0 it vanishes and no gate exists.",
        alt="Line plot, both axes logarithmic: error of the product gate against its scale for six activations.",
    )


def _precision(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["gates"]
    table = data[["flat", "tree"]].to_dataframe().reset_index()
    wide = table.pivot(index="n", columns="what", values=["flat", "tree"]).reset_index()
    wide.columns = ["n" if a == "n" else f"{a} {b}" for a, b in wide.columns]
    figure = new_figure(xaxis_title="numbers multiplied", yaxis_title="largest error")
    figure.update_yaxes(type="log", exponentformat="power")
    for (name, label), colour in zip((("flat", "one layer, 2^n neurons"), ("tree", "binary tree")), layer_colours(2)):
        for what, dash in (("error", "solid"), ("certificate", "dot")):
            y = wide[f"{name} {what}"].astype(float)
            shown = f"{label}, {'found' if what == 'error' else 'certified'}"
            line = {"color": colour, "dash": dash}
            figure.add_trace(go.Scatter(x=wide["n"], y=y, name=shown, mode="lines+markers", line=line))
    return Plate(
        name="precision",
        title="Depth wins in precision, too",
        figure=figure,
        table=wide,
        see="One layer multiplies by dividing through the scale to the power n, and what rounding loses is divided with it. Does the tree lose fewer digits as n grows? The paper counts neurons only.",
        claims=("depth-wins-precision",),
        trust="Each at the scale that its certificate finds best for float64; exp units. Found: 20,000 points, every fifth a corner.",
        alt="Line plot: found and certified errors against the number of factors for one layer and for a tree.",
    )


def _parameters(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    shown = {
        "any-function": "any function of 6 variables, 4 levels", "polynomial": "degree 4 in 7 variables",
        "bits": "any function of 10 bits", "bits-of-degree-3": "degree 3 in 20 bits", "local": "neighbours in a chain of 100 bits",
        "quadratic-local-invariant": "quadratic, local, translation: 100 sites", "linear": "linear map of 28 x 28 pixels",
        "convolution": "the same, 5 x 5 and translation",
    }  # fmt: skip
    rows = [(shown[r], int(results["counts"]["parameters"].sel(row=r)), PARAMETERS[r][1]) for r in PARAMETERS]
    table = pd.DataFrame(rows, columns=["assumption", "counted", "the paper's number"])
    figure = new_figure(xaxis_title="parameters")
    figure.update_xaxes(type="log", exponentformat="power", range=[0, 6.2])
    figure.add_trace(
        go.Bar(
            x=table["counted"],
            y=table["assumption"],
            orientation="h",
            text=table["counted"],
            marker={"color": "#0072B2"},
        )
    )
    figure.update_yaxes(autorange="reversed")
    return Plate(
        name="parameters",
        title="Parameters that each assumption leaves",
        figure=figure,
        table=table,
        see="How many parameters does each assumption leave? Exact counts.",
        claims=("parameter-counts",),
        trust="Enumerated term by term and compared with the closed forms; exact.",
        alt="Bar chart of parameter counts on a logarithmic axis for eight sets of assumptions.",
    )


def _degree(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data = results["data"]["fit"].sel(what="bits")
    rows = []
    for name in DATA:
        bits = data.sel(data=name).values
        for degree in (1, 2, 3):
            got = interval(Sample(bits[:, 0] - bits[:, degree - 1]))
            rows.append((name, degree, got.value, got.low, got.high))
    table = pd.DataFrame(rows, columns=["data", "degree", "bits_gained", "low", "high"])
    ratio = {name: interval(gains(data.sel(data=name).values)) for name in DATA}
    table["ratio_of_gains"] = [ratio[n].value for n in table["data"]]
    figure = new_figure(xaxis_title="largest degree of a term", yaxis_title="bits gained a sample, against degree 1")
    figure.update_xaxes(tickvals=[1, 2, 3])
    for name, colour in zip(DATA, layer_colours(len(DATA))):
        part = table[table["data"] == name]
        error = {"type": "data", "symmetric": False, "array": part["high"] - part["bits_gained"]}
        error["arrayminus"] = part["bits_gained"] - part["low"]
        label = f"{name} (ratio {ratio[name].value:.2g})"
        line = {"color": colour}
        figure.add_trace(
            go.Scatter(
                x=part["degree"], y=part["bits_gained"], name=label, error_y=error, mode="lines+markers", line=line
            )
        )
    return Plate(
        name="degree",
        title="How many bits do terms of degree 2 and 3 add?",
        figure=figure,
        table=table,
        see="For a quadratic Hamiltonian the line is flat after degree 2; the cubic control has to rise there. Which are flat? Windows of digits are real pictures; the committee is a vote of three perceptrons, its label the 13th bit.",
        claims=("hamiltonian-low-degree",),
        trust="Pseudo-likelihood on held-out samples: sums of conditional entropies. Parts of the data are disjoint for digits and drawn "
        "anew for the rest. Windows of one digit overlap, so that held-out windows are not quite new.",
        alt="Line plot: bits gained against the largest degree for four kinds of data with error bars.",
    )


def _classes(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["hierarchies"]["classes"]
    mean = data.mean("chain")
    table = mean.to_dataframe("mean_classes").reset_index()
    table["least"], table["largest"] = data.min("chain").values, data.max("chain").values
    figure = new_figure(xaxis_title="level (0: what is asked, last: the data)", yaxis_title="classes")
    figure.update_xaxes(dtick=1)
    figure.add_trace(go.Scatter(x=table["level"], y=table["mean_classes"], name="mean", mode="lines+markers"))
    for name in ("least", "largest"):
        line = {"color": NEUTRAL, "dash": "dot"}
        figure.add_trace(go.Scatter(x=table["level"], y=table[name], name=name, mode="lines", line=line))
    chains = data.sizes["chain"]
    return Plate(
        name="classes",
        title="Classes that each level's minimal sufficient statistic keeps",
        figure=figure,
        table=table,
        see="From the data upwards (right to left) each statistic is a function of the one before, so that the number cannot grow. How much may each level forget, at equal I(y_0; T_i)?",
        claims=("theorem-2", "corollary-2"),
        trust=f"Exact, in whole numbers, over {chains} random chains of 4 steps and up to 6 states that were made to forget.",
        alt="Line plot: mean, least and largest number of classes against the level.",
    )


def _flow(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data = results["fields"]
    rows = []
    figure = new_figure(xaxis_title="blockings by 2 x 2", yaxis_title="coupling")
    figure.update_yaxes(type="log")
    figure.update_xaxes(tickvals=[0, 1])
    for i, colour in enumerate(layer_colours(3)):
        values = data["coupling"].sel(term=i).values  # [seed, step]
        steps = np.arange(values.shape[1])
        got = [interval(Sample(v)) for v in values.T]
        exponent = interval(Sample(data["exponent"].sel(term=i).values))
        rows += [
            (i, int(s), g.value, g.low, g.high, exponent.value, exponent.low, exponent.high) for s, g in zip(steps, got)
        ]
        error = {"type": "data", "symmetric": False, "array": [g.high - g.value for g in got]}
        error["arrayminus"] = [g.value - g.low for g in got]
        mean = values.mean(0)
        label = f"y_{i}: exponent {exponent.value:.3f} [{exponent.low:.3f}, {exponent.high:.3f}]"
        marker = {"color": colour, "size": 9}
        figure.add_trace(go.Scatter(x=steps, y=mean, name=label, mode="markers", error_y=error, marker=marker))
        rule = mean[0] * 2.0 ** ((2 - 2 * i) * steps)
        line = {"color": colour, "dash": "dot"}
        figure.add_trace(go.Scatter(x=steps, y=rule, name=f"y_{i} b^{2 - 2 * i}", mode="lines", line=line))
    names = ["term", "step", "coupling", "low", "high", "exponent", "exponent_low", "exponent_high"]
    return Plate(
        name="flow",
        title="Relevant, marginal, irrelevant: couplings under block averaging",
        figure=figure,
        table=pd.DataFrame(rows, columns=names),
        see="The rule (dotted): y_0 grows fourfold, y_1 stays, y_2 falls to a quarter. Dots: fits to fields before and after averaging.",
        claims=("rg-exponent", "rg-precision"),
        trust="Whittle fits of long waves; the known damping by the averaging is divided out. Intervals over independent fields.",
        alt="Three couplings before and after block averaging on a logarithmic axis, with the predicted lines.",
    )


def _flattening(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    data = results["linear"]
    rows = [("FFT, n = 256", float(data["fft_cost"]), float(data["fft"]))]
    rows += [
        (f"Strassen, n = {2**k}", float(data["strassen_cost"].sel(level=k)), float(data["strassen"].sel(level=k)))
        for k in (2, 3, 4)
    ]
    rows += [("rank 4 of 64", float(data["low_rank_cost"]), float(data["low_rank"]))]
    rows += [("two random 0/1, p = 0.1", float(data["sparse_cost"].mean()), float(data["sparse"].mean()))]
    table = pd.DataFrame(rows, columns=["map", "cost", "cost over formula"])
    figure = new_figure(yaxis_title="synapses flat / in factors")
    figure.update_yaxes(type="log")
    text = [f"{c:.3g}" for c in table["cost"]]
    figure.add_trace(go.Bar(x=table["map"], y=table["cost"], text=text, marker={"color": "#009E73"}))
    figure.add_hline(y=1, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="flattening",
        title="What flattening a linear map costs",
        figure=figure,
        table=table,
        see="Above the dotted line factors are cheaper than the flattened map. Which maps lie there, and from which size on?",
        claims=("no-flattening",),
        trust="Non-zero entries of factors that were built and of their product, counted. The paper's n^2.373 is of algorithms that "
        "nobody has written down as a network.",
        alt="Bar chart of flattening costs on a logarithmic axis with a line at 1.",
    )


SECTIONS: tuple[Part, ...] = (
    (
        "Multiplying with neurons (section II.B)",
        "Four neurons multiply two numbers, to any accuracy in real arithmetic and to a floor in floating point.",
        (_gates, _precision),
    ),
    (
        "Cheap Hamiltonians (section II.D)",
        "What each assumption leaves to be learnt, and whether data meets the assumption.",
        (_parameters, _degree),
    ),
    (
        "Hierarchies and coarse-graining (sections III.A to III.D)",
        "Proven: each level's minimal sufficient statistic is a function of the next one's. Not proven: that these functions "
        "are cheap.",
        (_classes, _flow),
    ),
    (
        "No flattening (section III.G)",
        "Linear maps whose factors have fewer synapses than their product.",
        (_flattening,),
    ),
)  # fmt: skip
