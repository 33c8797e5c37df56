"""The page: which figures, what to see in them, and how far to trust them."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.theme import layer_colours, new_figure
from deeptheory.runs import NotDone, Plate, Sample
from deeptheory.runs.intervals import interval
from deeptheory.studies.drawing import against
from deeptheory.studies.hinton_2018.claims import compared
from deeptheory.studies.pages import Part

_ABLATIONS = {
    "whole": "r = 3, matrices, spread loss",
    "r1": "one iteration",
    "r2": "two iterations",
    "r5": "five iterations",
    "mass": "mixing proportions",
    "vector": "vectors",
    "no-coordinates": "no coordinates",
    "vector-no-coordinates": "vectors, no coordinates",
    "margin": "margin loss",
    "cross-entropy": "cross-entropy",
    "whole-cnn": "convolutional network",
}


TITLE = "Matrix capsules with EM routing"


def notices(settings: dict) -> list[str]:
    """What stands at the top of the page."""
    rendered = (
        "The pictures are rendered solids, a stand-in for smallNORB: easier, and no number here is one of smallNORB."
    )
    return [rendered] if settings["source"] == "multiview" else []


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    a, b, *rest = settings["types"]
    side = settings["crop"] or settings["size"]
    return (
        f"{settings['networks']} networks of each kind: {a} channels, {b} primary types, {', '.join(map(str, rest))} types of convolutional "
        f"capsules, on {settings['source']} at {side}x{side}, batches of {settings['batch']}, {settings['updates'][0]} steps on some "
        f"viewpoints, {settings['updates'][1]} on all; protocol “{settings['protocol']}”, scale “{scale}”."
    )


def _views(results: Any, settings: dict) -> Plate:
    data = results["views"]
    kinds = sorted(set(data["labels"].values.tolist()))[:5]
    rows = [
        np.flatnonzero(data["labels"].values == k)[:: max(1, (data["labels"].values == k).sum() // 12)][:12]
        for k in kinds
    ]
    width = min(len(r) for r in rows)
    rows = np.concatenate([r[:width] for r in rows])
    names = ["labels", "instance", "azimuth", "elevation", "light", "train"]
    table = data[names].isel(view=rows).to_dataframe().reset_index()
    pictures = data["image"].values[rows, 0]
    figure = dt.faces.picture_figure(dt.faces.montage(pictures.repeat(2, 1).repeat(2, 2), width, 0, 255))
    return Plate(
        name="views",
        title="Some of the pictures",
        figure=figure,
        table=table,
        see="A kind in each row, different objects, viewpoints and lights; one of two channels (eyes).",
        trust=f"Every so-many-th picture of each kind. Source: {data.attrs['source']}.",
        alt="Five rows of small grey pictures of objects from many sides.",
    )


def _curves(results: Any, condition: str, words: str) -> Plate:
    runs = {"capsules": results[f"{condition}-capsules"], "convolutional": results[f"{condition}-cnn"]}
    if "novel" not in runs["capsules"]:
        raise NotDone(f"this source has no second {condition}")
    titles = {"x_title": "accuracy on familiar viewpoints (%)", "y_title": "accuracy on new viewpoints (%)"}
    figure, table = against(runs, "familiar", "novel", compared(results, condition), **titles)
    return Plate(
        name=condition,
        title=f"New {condition}s at equal accuracy on familiar ones",
        figure=figure,
        table=table,
        see=f"{words} Each line is a training, from the lower left upwards. At equal accuracy on familiar viewpoints the higher line is better "
        "on new ones. Diamonds: where the two networks of a seed are compared.", claims=(f"novel-{condition}",),
        trust="The comparison is made where the slower of the two ended, mostly the capsules: early in the training of the CNN, and far from "
        "the paper's 96 % on familiar viewpoints. Test objects are other objects than those that trained.",
        alt=f"Lines of accuracy on new {condition}s against accuracy on familiar ones for capsules and convolutional networks.",
    )  # fmt: skip


def _azimuth(results: Any, settings: dict) -> Plate:
    return _curves(results, "azimuth", "Trained on a third of a turn, tested on the rest.")


def _elevation(results: Any, settings: dict) -> Plate:
    return _curves(results, "elevation", "Trained on the three lowest elevations, tested on the six higher ones.")


def _ablations(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    rows = []
    for step, label in _ABLATIONS.items():
        values = 100 - results[step]["familiar"].values[:, -1]
        found = interval(Sample(values))
        rows.append({"network": label, "error": found.value, "low": found.low, "high": found.high, "seeds": found.n})
    table = pd.DataFrame(rows)
    bars = {"type": "data", "symmetric": False, "array": (table["high"] - table["error"]).round(4).tolist()}
    bars["arrayminus"] = (table["error"] - table["low"]).round(4).tolist()
    figure = new_figure(xaxis_title="test error (%)", margin={"l": 190})
    figure.add_trace(
        go.Scatter(y=table["network"], x=table["error"].round(4), error_x=bars, mode="markers", marker={"size": 10})
    )
    figure.update_yaxes(autorange="reversed")
    return Plate(
        name="ablations",
        title="One thing changed at a time",
        figure=figure,
        table=table,
        see="The first line is the paper's network in small. Which changes make it worse (to the right), which better?", claims=("iterations", "activation-ablation", "pose-form", "coordinates", "loss"),
        trust=f"{settings['updates'][1]} steps: what is measured here is mostly who learns faster. The paper trained until nothing changed any "
        "more. Means with 95 % intervals over networks.",
        alt="Dots with error bars, one a variant of the network: test error.",
    )  # fmt: skip


def _votes(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["votes"]
    one = data.isel(seed=0)
    figure = new_figure(
        xaxis_title="distance of a vote from the mean of the winning class", yaxis_title="share of the mass"
    )
    iterations = one["iteration"].values.tolist()
    for k, colour in zip(range(len(iterations)), layer_colours(len(iterations))):
        line = {"color": colour, "shape": "hvh"}
        figure.add_trace(
            go.Scatter(
                x=one["middle"].values.round(4),
                y=one["share"].values[k].round(5),
                mode="lines",
                line=line,
                name=f"iteration {iterations[k]}",
            )
        )
    nearly_all = int((one["share"].values.cumsum(1) < 0.995).sum(1).max())  # the tail is long and empty
    figure.update_xaxes(range=[0, float(one["middle"][min(nearly_all + 1, one.sizes["bin"] - 1)])])
    ratio = data["distance"].values[:, -1] / data["distance"].values[:, 0]
    return Plate(
        name="votes",
        title="Distances of votes, iteration by iteration",
        figure=figure,
        table=data[["distance"]].to_dataframe().reset_index(),
        see="If routing finds a cluster of agreeing votes, the curves move to the left from iteration to iteration. Do they?", claims=("votes-tighten",),
        trust="Test pictures of the class that the first network says most often, in its last layer; votes weighted by assignment. Not "
        f"shown: the last half per cent of the mass. Mean distance, last iteration over first, by network: {', '.join(f'{r:.2f}' for r in ratio)}.",
        alt="One histogram line an iteration of vote distances.",
    )  # fmt: skip


def _attacks(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    from deeptheory.core.theme import template

    data = results["attacks"]["accuracy"]
    names = [str(a) for a in data["attack"].values]
    titles = [name.split(", ")[-1] for name in names]
    figure = make_subplots(rows=1, cols=len(names), subplot_titles=titles, shared_yaxes=True)
    figure.update_layout(template=template(), height=360)
    for column, name in enumerate(names, start=1):
        for network, colour in zip(("capsules", "cnn"), layer_colours(2)):
            y = data.sel(attack=name, network=network)
            error = {"type": "data", "array": y.std("seed").values.round(4).tolist(), "thickness": 1}
            figure.add_trace(
                go.Scatter(
                    x=y["epsilon"].values,
                    y=y.mean("seed").values.round(4),
                    error_y=error,
                    mode="lines+markers",
                    line={"color": colour},
                    name=network,
                    legendgroup=network,
                    showlegend=column == 1,
                ),
                row=1,
                col=column,
            )
        figure.update_xaxes(title_text="epsilon", row=1, col=column)
    figure.update_yaxes(range=[0, 1.02])
    figure.update_xaxes(dtick=0.1, tickangle=0)
    return Plate(
        name="attacks",
        title="Accuracy under attack",
        figure=figure,
        table=results["attacks"]["accuracy"].to_dataframe().reset_index(),
        see="fgsm: one step along the gradient of the network's own loss; bim: ten small steps; strong: many steps on logits from the picture "
        "and from random starts, the worst kept; targeted: share taken for the class aimed at (higher is worse); transferred: pictures "
        "made against a third network.", claims=("white-box-fgsm", "white-box-bim", "strong-attack", "transfer-no-advantage"),
        trust=f"{settings['attacked']} test pictures, mean and standard deviation over {settings['networks']} networks. Where strong brings a "
        "network down and fgsm does not, the loss hid its gradient: that is no robustness (Michels et al. 2019, arXiv 1906.03612). The two "
        "networks are not equally good at epsilon 0.",
        alt="Five panels of accuracy against epsilon for capsules and convolutional networks.",
    )  # fmt: skip


def _gradients(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["attacks"][["size", "zeros"]]
    table = data.to_dataframe().reset_index()
    figure = new_figure(
        xaxis_title="mean absolute gradient of the own loss by a pixel",
        yaxis_title="share of exact zeros",
        yaxis_range=[-0.05, 1],
    )
    ticks = [m * 10.0**k for k in range(-6, 3) for m in (1, 2, 5)]
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[f"{t:.6g}" for t in ticks])
    for network, colour in zip(("capsules", "cnn"), layer_colours(2)):
        rows = table[table["network"] == network]
        figure.add_trace(
            go.Scatter(
                x=rows["size"], y=rows["zeros"], mode="markers", marker={"size": 10, "color": colour}, name=network
            )
        )
    return Plate(
        name="gradients",
        title="How large gradients are, and how many are zero",
        figure=figure,
        table=table,
        see="The paper reports capsules' gradients about a hundred times smaller than the CNN's, and not more zeros among them. Is that so here?", claims=("gradient-magnitude", "gradient-zeros"),
        trust="Each network's own loss, whose scales differ: a smaller gradient of a smaller loss is no safety by itself. One dot a network.",
        alt="Dots of two colours: size of gradients against share of zeros.",
    )  # fmt: skip


SECTIONS: tuple[Part, ...] = (
    (
        "New viewpoints (table 2)",
        "Trained on some viewpoints, tested on others, on objects that were never seen. Two networks are compared where they are "
        "equally good on familiar viewpoints.",
        (_views, _azimuth, _elevation),
    ),
    (
        "What each part is good for (table 1)",
        "All viewpoints are trained; one thing is changed at a time.",
        (_ablations,),
    ),
    (
        "Votes (figure 2)",
        "",
        (_votes,),
    ),
    (
        "Attacks (section 5.2)",
        "The paper finds capsules less vulnerable to attacks that know them. Michels et al. 2019 (arXiv 1906.03612) find them as "
        "vulnerable as others; an attack that fails for want of a gradient is no proof of safety. So the same networks are also "
        "attacked on logits, in many steps, from many starts.",
        (_attacks, _gradients),
    ),
)  # fmt: skip
