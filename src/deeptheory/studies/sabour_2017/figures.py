"""The figures, what they show and their limitations; the page is made of them."""

from contextlib import suppress
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import DeeptheoryError
from deeptheory.core.names import count_of
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import printed, printed_rows, stated
from deeptheory.studies.sabour_2017.claims import CLAIMS, compared, end
from deeptheory.studies.sabour_2017.steps import digits
from deeptheory.studies.tables import estimate, table_of, trainings

MAIN = "reconstructions"
TITLE = "Dynamic routing between capsules"
_ROWS = ("r1", "r1-reconstruction", "r3", "r3-reconstruction", "cnn")


def notices(settings: dict) -> list[str]:
    """What stands at the top of the page."""
    small = (
        "Small networks, few digits and short training: directions and differences are measured here, "
        "the paper's own numbers are not."
    )
    return [] if settings["full"] else [small]


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    side, shown = 28 // settings["shrink"], settings["train"]
    with suppress(DeeptheoryError):  # fewer may be here than the settings ask for
        shown = len(digits({"seed": 0, **settings})[0])
    return (
        f"Capsule and convolutional networks learn digits at {side}x{side}, {shown} images in "
        f"{settings['updates'][0]} steps; "
        "moved and overlaid digits follow: do capsules draw, resist and separate better?"
    )


def iterations(settings: dict) -> str:
    """Of the steps named r3, and of all that name no other."""
    return "three" if settings["iterations"] == 3 else str(settings["iterations"])


def _pixels(images: np.ndarray, names: list[str]):
    """As a table: row, shown, y, x, value."""
    import pandas as pd

    index = pd.MultiIndex.from_product([names, *map(range, images.shape[1:])], names=["row", "shown", "y", "x"])
    return pd.DataFrame({"value": images.ravel().round(3)}, index=index).reset_index()


def _mosaic(images: np.ndarray, factor: int, columns: list[str], rows: list[str]):
    """Images under their names; every pixel is a square of `factor` pixels, since a browser would blur it."""
    large = images.repeat(factor, 1).repeat(factor, 2)
    return dt.faces.image_figure(dt.faces.montage(large, len(columns)), columns, rows)


def _reconstructions(results: Any, settings: dict) -> PageFigure:
    data = results["reconstructions"].isel(seed=0)
    rows, images = [str(r) for r in data["row"].values], data["pictures"].values
    names = [f"{a}" if a == b else f"{a}, is {b}" for a, b in zip(data["said"].values, data["label"].values)]
    return PageFigure(
        name="reconstructions",
        title="Images and what the network draws of them, failures last",
        figure=_mosaic(images.reshape(-1, *images.shape[2:]), 5, names, rows),
        table=_pixels(images, rows),
        published="Figure 3: pairs of a digit and its drawing, two failures among them.",
        shows="Below each column what the network said (and what it is, where it was wrong). Second row: drawn from "
        "the longest capsule; third: from the capsule of the label. In a failure, do the two rows differ?",
        limitations="The first images of the test set that were right and the first that were wrong, not chosen by "
        f"eye; one network. The decoder saw {settings['updates'][0]} batches: its drawings are blurred. "
        "The label is used for the last row alone.",
        alt="Three rows of small digits: inputs, drawings from the longest capsule, drawings from the labeled capsule.",
    )


def _errors(results: Any, settings: dict) -> PageFigure:
    tested, r = results["cnn"].attrs.get("test", settings["test"]), iterations(settings)
    errors = {step: end(results, step) for step in _ROWS}
    table = table_of([estimate(values, name="error", n="seeds", network=step) for step, values in errors.items()])
    each = table_of([{"network": step, "error": v} for step, values in errors.items() for v in values])
    return PageFigure(
        name="errors",
        title=f"One or {r} iterations, with and without the decoder; the baseline next to them",
        figure=charts.points(table, "network", "error", each=each, x_title="network", y_title="test error (%)"),
        table=table,
        published=f"Table 1, MNIST: {printed_rows(CLAIMS, {step: f'mnist/{step}' for step in _ROWS})}; "
        "networks of 8.2 million weights, the convolutional one of 35.4 million.",
        shows=f"Are {r} iterations (r3) better than uniform coupling (r1), the decoder better than none, and capsules "
        "better than the convolutional network (cnn)? Small dots: networks.",
        claims=("r3-versus-r1", "reconstruction-helps", "capsules-versus-cnn"),
        limitations=f"{tested} test digits: one digit is {100 / tested:g} points, and the published "
        "differences are 0.04 to 0.14. Weights of the network with the decoder and of the convolutional one: "
        f"{results['r3-reconstruction'].sizes['parameter']} and {results['cnn'].sizes['parameter']}, trained at rates "
        f"of {settings['lr']:g} and {settings['cnn_lr']:g}. These networks are small and trained shortly: a difference "
        "here is one of learning fast, not of the end that the paper reports; "
        "reimplementations found none beyond noise.",
        alt="Five dots with error bars: test error of r1, r1 with decoder, r3, r3 with decoder, "
        "and the convolutional network.",
    )


def _whole(results: Any, settings: dict) -> PageFigure | None:
    if "whole" not in results or results["whole"].sizes["epoch"] < 2:
        return None
    data = results["whole"]
    table = data["error"].to_dataframe("error").reset_index().query("epoch > 0")
    table = table.assign(network=[f"{r} iteration{'s' * (r > 1)}" for r in table["iterations"]])
    figure = charts.lines(
        table, "epoch", "error", "network", markers=True, log="y", x_title="epoch", y_title="test error (%)"
    )  # fmt: skip
    return PageFigure(
        name="whole",
        title="The paper's own network, epoch by epoch",
        figure=charts.reference(figure, level=0.25),
        table=table,
        published=f"Table 1: {printed(CLAIMS, 'whole/r1')} with one, {printed(CLAIMS, 'whole/r3')} with three "
        "iterations, mean of three trainings to the end.",
        shows="Line: what the paper reports for three iterations at the end of its training. How far from it is the "
        "network after these epochs, and do three iterations get there sooner than one?",
        claims=("whole/r1", "whole/r3"),
        limitations=f"One network each: nothing is said of others. {data.attrs['train']} digits to train on in "
        f"batches of "
        f"{data.attrs['batch']}, {data.attrs['test']} to test on: one digit is {100 / data.attrs['test']:g} points. "
        "Programs that others wrote end at .34 to .36 % (XifengGuo's CapsNet-Keras and CapsNet-Pytorch, naturomics' "
        "CapsNet-Tensorflow, as they say); their errors by epoch are published as pictures only.",
        alt="Two falling lines of test error against epoch, with a line at 0.25 %.",
    )


def _drawings(results: Any, settings: dict) -> PageFigure:
    data = results["perturbation"].isel(seed=0)
    best = np.argsort(-np.nan_to_num(np.nanmax(data["explained"].values, axis=0)))[:6]
    classes = np.flatnonzero(np.isfinite(data["explained"].values).any(1))[:2]  # that won; without one, no drawing
    drawings = data["drawings"].values[: len(classes), best]  # [2, 6, 11, H, W]
    images = drawings.reshape(-1, *drawings.shape[2:])
    names = [f"digit {k + 1}, number {d}" for k in range(len(classes)) for d in best]
    offsets = [f"{o:+.2f}" for o in data["offset"].values]
    return PageFigure(
        name="perturbation",
        title="One number of a pose moved from -0.25 to 0.25",
        figure=_mosaic(images.reshape(-1, *images.shape[2:]), 3, offsets, names),
        table=_pixels(images, names),
        published="Figure 4: one of 16 numbers moved from -0.25 to 0.25 in steps of 0.05; some change the width and "
        "thickness, some a part of the digit, the stroke, the slant.",
        shows="Each row moves one number of the winning capsule of one digit. Look for width, thickness, slant, "
        "a part that grows.",
        limitations="The six numbers of a pose whose movement explains most width in some class are shown, of 16; "
        f"{count_of(len(classes), 'image')}, one network.",
        alt=f"{len(names)} rows of eleven drawings of a digit, changing slowly from left to right.",
    )


def _width(results: Any, settings: dict) -> PageFigure:
    table = results["perturbation"]["explained"].max("dimension").to_dataframe("explained").reset_index()
    figure = charts.points(
        table.assign(name=[f"seed {s}" for s in table["seed"]]), "class", "explained", "name", x_title="class",
        y_title="largest R2 of the width",
    ).update_yaxes(range=[0, 1.02])  # fmt: skip
    return PageFigure(
        name="width",
        title="Is one number of the pose the width?",
        figure=charts.region(figure, *stated(CLAIMS, "width-dimension-exists")),
        table=table,
        published="Said with figure 4: one of the 16 numbers is nearly always the width.",
        shows="For each class the number of the pose whose movement explains the drawn width best. In the shaded "
        "region, one number is a width.",
        claims=("width-dimension-exists",),
        limitations="Width is four standard deviations of the ink's columns, measured on drawings. That a straight "
        "line explains it says that "
        "the decoder answers smoothly to a small movement; it does not say that the number means nothing else.",
        alt="Dots for ten classes and each network between 0 and 1, with the region of the claim shaded.",
    )


def _matched(results: Any, settings: dict) -> PageFigure:
    runs = {"capsules": results["expanded-capsules"], "convolutional": results["expanded-cnn"]}
    weights = [r.sizes["parameter"] for r in runs.values()]
    table, found = trainings(runs, "expanded", "affine"), compared(results)
    figure = charts.lines(
        table, "expanded", "affine", "network", each="seed", markers=True, x_title="accuracy on moved digits (%)",
        y_title="accuracy on affine digits (%)",
    )  # fmt: skip
    charts.pairs(
        figure, [p.target for p in found], [p.first for p in found], [p.second for p in found], "compared here"
    )
    return PageFigure(
        name="matched",
        title="Equally good on moved digits: who is better on bent ones?",
        figure=figure,
        table=table,
        published=f"Section 5.2, affNIST: capsules {printed(CLAIMS, 'affnist/capsules')} where expanded MNIST is at "
        f"{printed(CLAIMS, 'affnist/expanded-capsules')}, the convolutional network {printed(CLAIMS, 'affnist/cnn')} "
        f"at {printed(CLAIMS, 'affnist/expanded-cnn')}.",
        shows="Each line is a training, from the lower left to the upper right. At equal accuracy on moved digits the "
        "higher line generalizes better to affine digits. Diamonds: where the two networks of a seed are compared.",
        claims=("affine-at-matched-accuracy",),
        limitations="The affine set is generated (rotation, shear, scale, place), not affNIST. Both networks have "
        f"about as many weights ({weights[0]} and {weights[1]}) and saw "
        f"the same number of digits; the convolutional one at a rate of {settings['cnn_lr']:g}, for at the capsules' "
        "it does not learn. At this accuracy both are far from trained out, unlike the paper's (99.2 %).",
        alt="Lines of accuracy on affine digits against accuracy on moved digits for capsules and convolutional "
        "networks.",
    )


def _overlaid(results: Any, settings: dict) -> PageFigure:
    kinds = {
        "multimnist-capsules": "capsules",
        "multimnist-r1": "capsules, one iteration",
        "multimnist-cnn": "convolutional",
    }
    weights = [results[s].sizes["parameter"] for s in ("multimnist-capsules", "multimnist-cnn")]
    table = trainings({label: results[s] for s, label in kinds.items()}, "error").rename(columns={"look": "step"})
    figure = charts.lines(table, "step", "error", "network", each="seed", x_title="step", y_title="test error (%)")
    return PageFigure(
        name="overlaid",
        title="Error on overlaid digits while training",
        figure=figure,
        table=table,
        published=f"Table 1, MultiMNIST: three iterations {printed(CLAIMS, 'multimnist/r3-reconstruction')}, one "
        f"{printed(CLAIMS, 'multimnist/r1-reconstruction')}, the convolutional network "
        f"{printed(CLAIMS, 'multimnist/cnn')}.",
        shows="Both labels must be right; guessing is wrong 97.8 times in 100. Lower is better, at equal steps.",
        claims=("multimnist-versus-cnn", "multimnist/r3-versus-r1"),
        limitations=f"New pairs are made in every step, moved by up to {settings['max_shift']} pixels. The paper saw "
        f"60 million pairs, this run {settings['updates'][2] * settings['batch']}. Equal steps are not equal time: "
        f"capsules cost more. Weights: {weights[0]} and {weights[1]}.",
        alt="Three bundles of falling lines: error against step for capsules with three and one iteration and "
        "convolutional networks.",
    )


def _apart(results: Any, settings: dict) -> PageFigure:
    data = results["segmentation"].isel(seed=0)
    pictures = data["pictures"].values  # input, first, second, drawn first, drawn second, drawn absent
    gray = [np.repeat(pictures[k][..., None], 3, -1) for k in (0, 5)]
    truth, drawn = (np.stack([pictures[k], pictures[k + 1], 0 * pictures[k]], axis=-1) for k in (1, 3))  # red, green
    names = [f"{a} and {b}; {c}" for (a, b), c in zip(data["label"].values, data["absent"].values)]
    rows = ["input", "both digits", "drawn apart", "drawn: absent"]
    return PageFigure(
        name="segmentation",
        title="Overlaid digits drawn apart, and a class that is not there",
        figure=_mosaic(np.concatenate([gray[0], truth, drawn, gray[1]]), 5, names, rows),
        table=_pixels(pictures, ["input", "first", "second", "drawn first", "drawn second", "drawn absent"]),
        published="Figure 5: overlaid digits redrawn in two colors; what is in no label and in no answer is not drawn "
        "(from memory, unverified).",
        shows="Third row: what the two labeled capsules draw, in red and green, against the truth above it. Last row: "
        "what the decoder draws from the capsule of a class (after the semicolon) that is neither a label nor among "
        "the two longest. Is it dark?",
        claims=("absent-class-not-hallucinated",),
        limitations="The first pairs of the test set, one network. Drawings are made from labels, as in the paper's "
        "figure, so that they are no segmentation that the network found alone.",
        alt="Four rows of small images: overlaid digits, their parts in red and green, drawn parts, "
        "drawings of absent classes.",
    )


def _change(results: Any, settings: dict) -> PageFigure:
    table = results["logits"].to_dataframe().reset_index()
    drawn = table[table["iteration"] > 1].assign(name=[f"seed {s}" for s in table["seed"][table["iteration"] > 1]])
    figure = charts.lines(
        drawn,
        "iteration",
        "change",
        markers=True,
        log="y",
        x_title="iteration",
        y_title="mean |change| of routing logits",
    )
    return PageFigure(
        name="logit-change",
        title="How much the routing still changes",
        figure=figure,
        table=table,
        published="Appendix A draws the mean change of the logits: most of it in the first iterations, falling about "
        "straight on a logarithmic axis (from memory, unverified).",
        shows="On the logarithmic axis the paper's curve falls nearly straight; a flat line would say that votes and "
        "parents agree as much in every iteration. Which is it here?",
        claims=("logit-change-falls",),
        limitations=f"Networks trained with {iterations(settings)} iterations, routed with eight on "
        f"{min(64, results['r3-reconstruction'].attrs.get('test', 64))} test digits. A logit grows by the "
        "agreement of vote and parent; once the parent stands still so does that growth, "
        "while couplings no longer change.",
        alt="Lines of mean absolute logit change against iteration, one per network.",
    )


SECTIONS: tuple[Part, ...] = (
    (
        "Digits (section 5, figures 3 and 4)",
        "A capsule's length says whether its class is there, its direction how. "
        "The decoder draws from the winning capsule alone.",
        (_reconstructions, _errors, _whole, _drawings, _width),
    ),
    (
        "Digits that were only moved, tested on bent ones (section 5.2)",
        "Two networks are compared where they are equally good on what they were trained for.",
        (_matched,),
    ),
    (
        "Two digits at once (section 6, figure 5)",
        "Both digits are present; the two longest capsules must be theirs.",
        (_overlaid, _apart),
    ),
    (
        "Inside the routing (appendix A)",
        "",
        (_change,),
    ),
)  # fmt: skip
