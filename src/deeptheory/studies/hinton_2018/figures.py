"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.names import count_of
from deeptheory.report import charts
from deeptheory.runs import NotDone, PageFigure
from deeptheory.studies.hinton_2018.claims import CLAIMS, compared, end, votes_tighten
from deeptheory.studies.hinton_2018.steps import parts
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import printed, printed_rows, stated
from deeptheory.studies.tables import estimate, table_of, trainings

MAIN = "votes"
TITLE = "Matrix capsules with EM routing"
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

_PRINTED = {  # the rows of table 1, by what is changed here
    "whole": "capsules", "r1": "r1", "r2": "r2", "r5": "r5", "mass": "mixing-proportions", "vector": "vector",
    "no-coordinates": "no-coordinates", "vector-no-coordinates": "vector-no-coordinates", "margin": "margin",
    "cross-entropy": "cross-entropy", "whole-cnn": "cnn",
}  # fmt: skip


def notices(settings: dict) -> list[str]:
    """What stands at the top of the page."""
    rendered = (
        "The images are rendered solids, a stand-in for smallNORB: easier, and no number here is one of smallNORB."
    )
    others = f"The images are those of {settings['source']}: no number here is one of smallNORB."
    return {"multiview": [rendered], "smallnorb": []}.get(settings["source"], [others])


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    side = settings["crop"] or settings["size"]
    return (
        f"Matrix capsules and convolutional networks learn {settings['source']} at {side}x{side} in "
        f"{settings['updates'][0]} steps on "
        "some viewpoints: who recognizes new ones, and who resists attacks?"
    )


def _views(results: Any, settings: dict) -> PageFigure:
    data = results["views"]
    of_kind = [np.flatnonzero(data["labels"].values == k) for k in sorted(set(data["labels"].values.tolist()))[:5]]
    some = [rows[:: max(1, len(rows) // 12)][:12] for rows in of_kind]
    width = min(map(len, some))
    rows = np.concatenate([r[:width] for r in some])
    names = ["labels", "instance", "azimuth", "elevation", "light", "train"]
    images = data["image"].values[rows, 0].repeat(2, 1).repeat(2, 2)
    eyes = "; one of two channels (eyes)" if data.sizes["channel"] == 2 else ""
    return PageFigure(
        name="views",
        title="Some of the images",
        figure=dt.faces.image_figure(dt.faces.montage(images, width, low=0, high=255)),
        table=data[names].isel(view=rows).to_dataframe().reset_index(),
        shows=f"A kind in each row, different objects, viewpoints and lights{eyes}.",
        limitations=f"Images of each kind at equal steps. Source: {data.attrs['source']}.",
        alt=f"{count_of(len(some), 'row')} of small gray images of objects from many sides.",
    )


def _curves(results: Any, condition: str, words: str) -> PageFigure:
    runs = {"capsules": results[f"{condition}-capsules"], "convolutional": results[f"{condition}-cnn"]}
    if "novel" not in runs["capsules"]:
        raise NotDone(f"this source has no second {condition}")
    table, found = trainings(runs, "familiar", "novel"), compared(results, condition)
    figure = charts.lines(
        table, "familiar", "novel", "network", each="seed", markers=True, x_title="accuracy on familiar viewpoints (%)",
        y_title="accuracy on new viewpoints (%)",
    )  # fmt: skip
    charts.pairs(
        figure, [p.target for p in found], [p.first for p in found], [p.second for p in found], "compared here"
    )
    return PageFigure(
        name=condition,
        title=f"New {condition}s at equal accuracy on familiar ones",
        figure=figure,
        table=table,
        published=f"Table 2, smallNORB: {printed(CLAIMS, f'{condition}/capsules')} against "
        f"{printed(CLAIMS, f'{condition}/cnn')} of the CNN on new {condition}s, at the same error on familiar ones; "
        "about 30 % fewer errors, by the text.",
        shows=f"{words} Each line is a training, from the lower left upwards. At equal accuracy on familiar viewpoints "
        "the higher line is better on new ones. Diamonds: where the two networks of a seed are compared.",
        claims=(f"novel-{condition}",),
        limitations="The comparison is made where the slower of the two ended, mostly the capsules: early in the "
        "training of the CNN, and far from the paper's 96 % on familiar viewpoints. "
        "Test objects are other objects than those that trained.",
        alt=f"Lines of accuracy on new {condition}s against accuracy on familiar ones for capsules and convolutional "
        "networks.",
    )


def _azimuth(results: Any, settings: dict) -> PageFigure:
    return _curves(results, "azimuth", "Trained on a third of a turn, tested on the rest.")


def _elevation(results: Any, settings: dict) -> PageFigure:
    return _curves(results, "elevation", "Trained on the three lowest elevations, tested on the six higher ones.")


def _ablations(results: Any, settings: dict) -> PageFigure:
    labels = {**_ABLATIONS, "whole": f"r = {settings['iterations']}, matrices, spread loss"}
    rows = [estimate(end(results, step), name="error", n="seeds", network=label) for step, label in labels.items()]
    table = table_of(rows)
    rows_printed = {_ABLATIONS[k]: f"smallnorb/{row}" for k, row in _PRINTED.items()}
    figure = charts.points(table, "network", "error", horizontal=True, x_title="test error (%)")
    return PageFigure(
        name="ablations",
        title="One thing changed at a time",
        figure=figure.update_layout(margin={"l": 190}),
        table=table,
        published=f"Table 1, smallNORB: {printed_rows(CLAIMS, rows_printed)}.",
        shows="The first line is the paper's network in small. Which changes make it worse (to the right), which "
        "better?",
        claims=("iterations", "activation-ablation", "pose-form", "coordinates", "loss"),
        limitations=f"{settings['updates'][1]} steps: what is measured here is mostly who learns faster. The paper "
        f"trained until nothing changed any more. Means with 95 % intervals over networks.",
        alt="Dots with error bars, one per variant of the network: test error.",
    )


def _votes(results: Any, settings: dict) -> PageFigure:
    one = results["votes"].isel(seed=0)
    drawn = one[["share", "middle"]].to_dataframe(["iteration", "bin"]).reset_index()
    drawn = drawn.assign(name=[f"iteration {i}" for i in drawn["iteration"]])
    figure = charts.lines(
        drawn,
        "middle",
        "share",
        x_title="distance of a vote from the mean of the winning class",
        y_title="fraction of the mass",
        style={name: {"line": {"shape": "hvh"}} for name in drawn["name"]},
    )
    nearly_all = int((one["share"].values.cumsum(1) < 0.995).sum(1).max())  # the tail is long and empty
    figure.update_xaxes(range=[0, float(one["middle"][min(nearly_all + 1, one.sizes["bin"] - 1)])])
    return PageFigure(
        name="votes",
        title="Distances of votes, iteration by iteration",
        figure=figure,
        table=results["votes"][["distance"]].to_dataframe().reset_index(),
        published="Figure 2: histograms of the distances of votes, weighted by assignment, for each class after each "
        "iteration.",
        shows="If routing finds a cluster of agreeing votes, the curves move to the left from iteration to iteration. "
        "Do they?",
        claims=("votes-tighten",),
        limitations="Test images of the class that the first network says most often, in its last layer; votes "
        "weighted by "
        "assignment. Not shown: the last half per cent of the mass. Mean distance, last iteration over first, by "
        f"network: {', '.join(f'{r:.2f}' for r in votes_tighten(results))}.",
        alt="One histogram line per iteration of vote distances.",
    )


def _attacks(results: Any, settings: dict) -> PageFigure:
    data = results["attacks"]["accuracy"]
    mean, spread = (values.to_series() for values in (data.mean("seed"), data.std("seed")))
    networks = data.sizes["seed"]
    if networks == 1:
        spread = np.nan * spread  # one network says nothing of others
    tested = len(parts(results["views"], "all")["familiar"])
    drawn = mean.rename("accuracy").to_frame().assign(low=mean - spread, high=mean + spread).reset_index()
    figure = charts.lines(
        drawn.assign(attack=[name.split(", ")[-1] for name in drawn["attack"]]),
        "epsilon",
        "accuracy",
        "network",
        panel="attack",
        columns=data.sizes["attack"],
        interval="bars",
        markers=True,
        x_title="epsilon",
    )
    bim = next(k for k, name in enumerate(data["attack"].values.tolist(), start=1) if name.split(", ")[-1] == "bim")
    last = float(data["epsilon"][-1])
    region = stated(CLAIMS, "attacks/above-chance")
    charts.region(figure, *region, across=(0.93 * last, 1.07 * last), row=1, col=bim)
    return PageFigure(
        name="attacks",
        title="Accuracy under attack",
        figure=figure.update_yaxes(range=[0, 1.02]).update_xaxes(dtick=0.1, tickangle=0),
        table=data.to_dataframe().reset_index(),
        published="Figures only (section 5.2, figure 3): under both attacks capsules stay above chance, 20 %, and a "
        "CNN falls well below at epsilon 0.2; against images made for another network they have no advantage.",
        shows="fgsm: one step along the gradient of the network's own loss; bim: ten small steps; strong: many steps "
        "on "
        "logits from the image and from random starts, the worst kept; targeted: fraction taken for the class aimed at "
        "(higher is worse); transferred: images made against a third network. "
        "Shaded: where capsules have to end under bim.",
        claims=(
            "white-box-fgsm",
            "white-box-bim",
            "attacks/above-chance",
            "strong-attack",
            "transfer-no-advantage",
        ),
        limitations=f"{min(settings['attacked'], settings['judged'], tested)} test images, "
        f"{f'mean and standard deviation over {networks} networks' if networks > 1 else 'one network'}. "
        "Where strong brings a network down and fgsm does not, the loss hid its gradient: that is no robustness "
        "(Michels et al. 2019, arXiv 1906.03612). The two networks are not equally good at epsilon 0.",
        alt="Five panels of accuracy against epsilon for capsules and convolutional networks.",
    )


def _gradients(results: Any, settings: dict) -> PageFigure:
    table = results["attacks"][["size", "zeros"]].to_dataframe().reset_index()
    figure = charts.points(
        table, "size", "zeros", "network", log="x", x_title="mean absolute gradient of the own loss by a pixel",
        y_title="fraction of exact zeros",
    ).update_yaxes(range=[-0.05, 1])  # fmt: skip
    ticks = [m * 10.0**k for k in range(-6, 3) for m in (1, 2, 5)]
    return PageFigure(
        name="gradients",
        title="How large gradients are, and how many are zero",
        figure=figure.update_xaxes(tickvals=ticks, ticktext=[f"{t:.6g}" for t in ticks]),
        table=table,
        published="Section 5.2, text: about two orders of magnitude smaller than the CNN's, and not more zeros.",
        shows="The paper reports capsules' gradients about a hundred times smaller than the CNN's, and not more zeros "
        "among them. Is that so here?",
        claims=("gradient-magnitude", "gradient-zeros"),
        limitations="Each network's own loss, whose scales differ: a smaller gradient of a smaller loss is no safety "
        "by itself. One dot per network.",
        alt="Dots of two colors: size of gradients against the fraction of zeros.",
    )


SECTIONS: tuple[Part, ...] = (
    (
        "New viewpoints (table 2)",
        "Trained on some viewpoints, tested on others, on objects that were never seen. Two networks are compared "
        "where they are equally good on familiar viewpoints.",
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
        "The paper finds capsules less vulnerable to attacks that know them. Michels et al. 2019 (arXiv 1906.03612) "
        "find them as vulnerable as others; an attack that fails for want of a gradient is no proof of safety. So the "
        "same networks are also attacked on logits, in many steps, from many starts.",
        (_attacks, _gradients),
    ),
)  # fmt: skip
