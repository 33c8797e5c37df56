"""The figures, what they show and their limitations; the page is made of them."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

import deeptheory as dt
from deeptheory.information import InformationPlane
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import stated
from deeptheory.studies.saxe_2018.claims import (
    CLAIMS,
    COMPRESSES,
    CORNERS,
    GAP,
    digit_falls,
    fall_and_gap,
    falls,
    noise_falls,
    plane,
)
from deeptheory.studies.saxe_2018.steps import BATCH, NONLINEARITIES, PAPER_RATE, RATE, VARIANCE, readouts
from deeptheory.studies.tables import by_layer, curve, measured, over_training, table_of

_FIGURE_1 = (("tanh", "even", "tanh"), ("relu", "global", "ReLU"))
_COMMON = "All 4096 patterns equally likely: what is shown is exact for this readout and for no other."
MAIN = "planes"
TITLE = "On the information bottleneck theory of deep learning"


def _bins(settings: dict) -> dict[str, str]:
    return {
        "even": f"{settings['bins']} even over [-1, 1]",
        "global": f"{settings['cells']} over the range of all",
        "net-input": "even in net input",
        "net-input-fine": "even in net input, 10 x finer",
        "exact": "every bit counts",
    }


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"Networks {shape} of five nonlinearities learn the 12-bit task of Shwartz-Ziv & Tishby for "
        f"{settings['epochs']} epochs, and {settings['students']} linear students a linear teacher: is compression a "
        "law of learning?"
    )


def _one_neuron(results: Any, settings: dict) -> PageFigure:
    data = results["one-neuron"]["i_x"]
    w = data["w"].values.tolist()
    table = table_of([r for n in NONLINEARITIES for r in curve("one unit", n, w, data.sel(activation=n).values)])
    figure = charts.lines(table, log="x", x_title="weight w", y_title="I(X;T) (bits)")
    charts.region(figure, *stated(CLAIMS, "one-neuron-tanh-returns-to-1-bit"))
    return PageFigure(
        name="one-neuron",
        title="One neuron, exactly (figure 2)",
        figure=figure,
        table=table,
        published="tanh in 30 cells: rises, then falls to 1 bit as w grows; ReLU grows without bound.",
        shows="Shaded: where a saturated tanh unit has to end. How many bits does each unit keep as its weight grows? "
        "Exact, from the Gaussian distribution of the input.",
        claims=("one-neuron-tanh-returns-to-1-bit", "one-neuron-tanh-peak", "one-neuron-relu-grows"),
        limitations="x ~ N(0, 1), exact from the normal distribution function. Bounded units in "
        f"{settings['bins']} cells over [-1, 1], the others in cells of the same width as far as values reach; with "
        "other cells the turn moves.",
        alt="Lines of information against the weight for five nonlinearities.",
    )


def _plane(results: Any, settings: dict, step: str, readout: str, label: str) -> PageFigure:
    kind = readouts(settings, step)[readout]
    whole = {k: results[step].attrs[k] for k in ("inputs", "h_y")}
    data = results[step].sel(readout=readout)[["i_x", "i_y", "h_t", "occupied"]]
    found = InformationPlane.of(data.assign_attrs(readout=repr(kind), **whole), kind)
    notes = "; ".join(found.notes)
    return PageFigure(
        name=f"plane-{step}",
        title=f"Every {label} network, epoch by epoch",
        figure=found.figure(bound=dt.bottleneck_curve(dt.datasets.icosahedron().p_xy, locate=False)),
        table=found.dataset()[["i_x", "i_y"]].mean("seed").to_dataframe().reset_index(),
        shows="Move the slider. Which layers move to the left late in training?",
        claims=("tanh-compresses",) if step == "tanh" else ("relu-does-not", "relu-output-does"),
        limitations=f"Readout {found.readout}. {_COMMON} Dashed: the most that any T can tell, min(I(X;T), H(Y)). "
        f"{notes[:1].upper()}{notes[1:]}.",
        alt=f"Scatter plot of {label} networks in the information plane, a slider over epochs.",
    )


def _planes(results: Any, settings: dict) -> PageFigure:
    """Figure 1 A and B: the plane colored by epoch."""
    parts, notes = [], []
    for step, readout, label in _FIGURE_1:
        data = results[step].sel(readout=readout)[["i_x", "i_y"]].mean("seed")
        parts.append(data.to_dataframe().reset_index().assign(units=label))
        notes.append(f"{label}: {readouts(settings, step)[readout]!r}")
    table = pd.concat(parts)
    curve = dt.bottleneck_curve(dt.datasets.icosahedron().p_xy, locate=False)
    x = np.unique([*np.linspace(0, 2, 21), float(table["i_x"].to_numpy().max())])
    figure = charts.paths(
        table.sort_values(["units", "step", "layer"], ascending=[False, True, True]), "i_x", "i_y", "step", "layer",
        panel="units", bound=(x.tolist(), curve.bound(x).tolist()), x_title="I(X;T) (bits)", y_title="I(T;Y) (bits)",
    )  # fmt: skip
    return PageFigure(
        name="planes",
        title="The information plane of tanh and of ReLU networks (figure 1 A and B)",
        figure=figure,
        table=table,
        shows="Each line joins the layers at one epoch, dark to light as training goes on. In which panel do layers "
        "move to the left? Dashed: the most that any T can tell.",
        claims=("tanh-compresses/layer5", "relu-does-not/layer5", "relu-output-does"),
        published="tanh networks compress as in Shwartz-Ziv & Tishby; in ReLU networks I(X;T) only rises, but in the "
        "last, sigmoid, layer.",
        limitations=f"Means over networks. Readouts: {'; '.join(notes)}. {_COMMON}",
        alt="Two panels of the information plane, tanh and ReLU: mean path of each layer colored by epoch.",
    )


def _curves(results: Any, settings: dict) -> PageFigure:
    table = table_of([r for step in NONLINEARITIES for r in by_layer(step, plane(results, step, "global"))])
    return PageFigure(
        name="nonlinearities",
        title="I(X;T) over training, five nonlinearities (figure 1 and appendix)",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table,
        published="tanh compresses, softsign modestly, softplus and linear units not (50 repeats); of ReLU the "
        "output alone.",
        shows="Which panels show lines that rise and then fall? The last layer is a softmax everywhere.",
        claims=(
            "tanh-compresses",
            "relu-does-not",
            "relu-output-does",
            "softsign-modest",
            "softplus-none",
            "linear-none",
        ),
        limitations=f"{settings['cells']} cells over the range of all units, layers and epochs of each network, so "
        f"that the panels compare. {_COMMON} Lines: means; bands: the middle 80 % of networks. Where a range is set "
        "by one large unit, small units share few cells.",
        alt="Five panels of mean information by layer against the epoch.",
    )


def _dots(results: Any, conditions: dict[str, tuple[str, str]], claim: str = "") -> dict[str, Any]:
    """The figure and table of how far each layer falls; conditions: label -> step and readout; claim: whose region is
    shaded."""
    table = measured(
        {c: dict(zip(results[s]["layer"].values.tolist(), falls(results, s, r).T)) for c, (s, r) in conditions.items()}
    )
    figure = charts.points(
        table, "at", "mean", "condition", x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"
    )
    return {"figure": charts.region(figure, *stated(CLAIMS, claim)) if claim else figure, "table": table}


def _falls(results: Any, settings: dict) -> PageFigure:
    return PageFigure(
        name="falls",
        title="How far each layer falls, by nonlinearity",
        **_dots(results, {step: (step, "global") for step in NONLINEARITIES}, "tanh-compresses/layer5"),
        shows="Shaded: where tanh has to lie. Do layers of bounded units fall, and those of unbounded ones not?",
        claims=("tanh-compresses", "relu-does-not"),
        limitations=f"Means with 95 % intervals over networks; {settings['cells']} cells over the range of all units "
        "and epochs.",
        alt="Dots with error bars: fall of information by layer for five nonlinearities.",
    )


def _rebin(results: Any, settings: dict) -> PageFigure:
    return PageFigure(
        name="rebinning",
        title="The same tanh networks, other bins (appendix)",
        **_dots(results, {label: ("tanh", r) for r, label in _bins(settings).items()}),
        published="Edges even in net input: the decrease is gone in most layers. Full machine precision: 12 bits, "
        "but in the last layers late.",
        shows="The networks are the same in every color: only the readout differs. What is left of the decrease with "
        "bins even in net input, and with every bit counted?",
        claims=("rebin-removes", "full-precision-flat"),
        limitations="Means with 95 % intervals over networks. Edges even in net input from -50 to 50 make cells "
        "wider than most net inputs before training, so that little is left to fall there; the finer ones are ours.",
        alt="Dots with error bars: fall of information by layer for five readouts of the same networks.",
    )


def _noise(results: Any, settings: dict) -> PageFigure:
    shown = [(s, v) for s in ("tanh", "relu") for v in results[s]["variance"].values.tolist()]
    table = table_of(
        [
            r
            for s, v in shown
            for r in by_layer(f"{s}, variance {v:g}", results[s]["noise_i_x"].sel(variance=v), "noise_step")
        ]
    )
    down = {s: [noise_falls(results, s, v)[:, -2].mean() for v in settings["variances"]] for s in ("tanh", "relu")}
    said = "; ".join(f"{s}: {' and '.join(f'{v:.2f}' for v in values)} bits" for s, values in down.items())
    return PageFigure(
        name="noise",
        title="Noise instead of bins, at both scales",
        figure=charts.lines(
            table, panel="panel", log="x", x_title="epoch + 1", y_title="upper bound of I(X;T) (bits)", columns=2
        ),
        table=table,
        shows=f"Fall of the last hidden layer at the larger and the smaller variance: {said}. "
        "The two scales need not agree.",
        claims=("noise-readout",),
        limitations=f"Upper bounds of Kolchinsky & Tracey on {settings['noise_inputs']} patterns; the noise is added "
        f"for the analysis alone, the networks never saw it, and its scale is a choice (0.1 in the text, "
        "0.001 in the released program).",
        alt="Four panels: noise bound of the information by layer against the epoch, tanh and ReLU, two variances.",
    )


def _digits(results: Any, settings: dict) -> PageFigure | None:
    """None where this scale does not train them."""
    data = {name: results[f"pictures-{name}"] for name in ("tanh", "relu")}
    if not all("i_x" in d for d in data.values()):
        return None
    table = table_of([r for name, d in data.items() for r in by_layer(name, d["i_x"])])
    ends = {n: float(d["test_accuracy"].isel(step=-1).mean()) for n, d in data.items()}
    down = [f"{n} {' and '.join(f'{v.mean():.2f}' for v in digit_falls(d))} bits" for n, d in data.items()]
    said = data["relu"].attrs
    return PageFigure(
        name="pictures",
        title="Pictures of digits (figure 1 C and D)",
        figure=charts.lines(
            table, panel="panel", log="x", x_title="epoch + 1", y_title="upper bound of I(X;T) (bits)", columns=2
        ),
        table=table,
        shows="Do hidden layers fall, and when? Largest fall over all looks, and from the first trained one on: "
        f"{'; '.join(down)}. Held-out accuracy at the end: tanh {ends['tanh']:.3f}, ReLU {ends['relu']:.3f}.",
        claims=("mnist-noise-readout",),
        limitations=f"Data: {said['pictures']}; {said['steps']} steps of {BATCH}, rate {RATE:g}: as much as "
        f"{said['steps'] * RATE / PAPER_RATE * BATCH / 60_000:.0f} epochs of 60,000 pictures at the paper's "
        f"{PAPER_RATE:g}. Noise of variance {VARIANCE:g} added for the analysis, {said['shown']} held-out pictures, so "
        "that log2 of their number is the most. The last line is the output. Bands: middle 80 % of networks.",
        alt="Two panels: noise bound of the information by layer against the epoch, tanh and ReLU on digits.",
    )


def _causes(results: Any, settings: dict) -> PageFigure:
    conditions = {
        "minibatch": ("tanh", "even"),
        "full batch": ("full-batch", "even"),
        f"{100 * settings['small']:g} % of the data": ("small-tanh", "even"),
    }
    steps = -(-round(settings["train"] * 4096) // settings["batch"])  # an epoch
    return PageFigure(
        name="causes",
        title="Without minibatch noise, and with little data",
        **_dots(results, conditions),
        published="tanh networks on 30 % of the data compress and overfit; full-batch gradient descent compresses as "
        "minibatches do.",
        shows="If the noise of minibatches drove compression, the full batch would fall far less. Does it?",
        claims=("full-batch-compresses", "small-data-compresses-and-overfits"),
        limitations=f"tanh, {settings['bins']} even bins, means with 95 % intervals over networks. At equal epochs the "
        f"full batch has taken {f'{steps} times fewer' if steps > 1 else 'as many'} steps.",
        alt="Dots with error bars: fall of information by layer for minibatch, full batch, and scarce data.",
    )


def _cells(results: Any, settings: dict) -> PageFigure:
    much, little = (f"{100 * settings[k]:g} %" for k in ("train", "small"))
    labels = {s: f"{'tanh' if 'tanh' in s else 'ReLU'}, {little if 'small' in s else much}" for s in CORNERS}
    table = table_of(
        [
            {"networks": labels[step], "seed": seed, "fall": float(down), "gap": float(gap)}
            for step in CORNERS
            for seed, down, gap in zip(results[step]["seed"].values.tolist(), *fall_and_gap(results, step))
        ]
    )
    figure = charts.points(
        table,
        "fall",
        "gap",
        "networks",
        x_title="fall of I(X;T), last hidden layer (bits)",
        y_title="training less held-out accuracy",
    )
    return PageFigure(
        name="four-cells",
        title="Compressing or not, generalizing or not",
        figure=charts.reference(figure, level=GAP, upright=COMPRESSES),
        table=table,
        shows="Right of the upright line a network compresses, below the level one it generalizes. "
        "Are all four corners taken?",
        claims=("all-four-cells",),
        limitations=f"tanh by {settings['bins']} even bins, ReLU by {settings['cells']} over the range of all units "
        "and epochs (the paper: 30 and 100): the horizontal axis is not one quantity for both, and the lines were "
        "drawn beforehand.",
        alt="Scatter plot of networks: generalization gap against fall of information.",
    )


def _students(results: Any, settings: dict) -> PageFigure:
    rows, titles = [], {
        "batch": "100 samples, full batch", "overtrained": "100 samples, minibatches of 5",
        "irrelevant": "1000 samples, 30 of 100 relevant",
    }  # fmt: skip
    for task, title in titles.items():
        part = results["students"].sel(task=task, layer="layer2")
        shown = {"i_x": "I(X;T)", "irrelevant": "I(X irrelevant;T)", "i_y": "I(T;Y)", "error": "error on new samples"}
        kept = [k for k in shown if k != "irrelevant" or task == "irrelevant"]
        values = np.stack([part[k].transpose("seed", "step").values for k in kept], axis=-1)
        rows += over_training(title, values, part["step"].values.tolist(), [shown[k] for k in kept])
    table = table_of(rows)
    return PageFigure(
        name="students",
        title="Deep linear students, exactly (figures 4 and 6)",
        figure=charts.lines(table, panel="panel", log="xy", x_title="epoch + 1", y_title="bits, or squared error"),
        table=table,
        published="100 samples, full batch: generalizes without compression; minibatches of 5: overtrains, no "
        "compression; with irrelevant inputs their part is compressed while the total rises.",
        shows="Left and middle: does I(X;T) fall where the error turns and grows (overtraining)? Right: is what the "
        "task does not need compressed while I(X;T) rises as a whole?",
        claims=("overtrained-no-compression", "irrelevant-compresses-while-total-rises"),
        limitations="Closed forms, nothing estimated; the output layer, read with noise of variance 1. Learning "
        "rates, and the number of samples on the right, are ours: the paper states none. Bands: the middle 80 % of "
        "students.",
        alt="Three panels over the epoch: information and error of linear students.",
    )


def _snr(results: Any, settings: dict) -> PageFigure:
    rows, titles = [], {"tanh": "tanh", "relu": "ReLU", "linear": "linear", "smallest": "1-1-1 linear, over samples"}
    for step, title in titles.items():
        phases = dt.gradient_phases(results[step])
        seen = np.ma.masked_invalid(phases.snr)  # a network whose units all died has no gradient left
        median = np.ma.median(seen, axis=0).filled(np.nan)
        rows += [
            r
            for k, layer in enumerate(phases.layers)
            for r in curve(title, layer, [s + 1 for s in phases.steps], median[:, k])
        ]
    table = table_of(rows)
    figure = charts.lines(table, panel="panel", log="xy", x_title="epoch + 1", y_title="gradient SNR", columns=2)
    return PageFigure(
        name="snr",
        title="The gradients' transition, with and without compression",
        figure=charts.reference(figure, level=1),
        table=table,
        published="The transition is there in ReLU networks, on MNIST and in a linear 1-1-1 network as well.",
        shows="Does the ratio fall through 1 in networks that compress, and in networks that cannot?",
        claims=("snr-transition-without-compression",),
        limitations="Median over networks (but those whose units have all died) of the norm of the mean gradient "
        "over that of its fluctuation: over the minibatches of an epoch, and for the smallest network over single "
        "samples, where the ratio starts below 1 at best (the gradient is proportional to x^2, "
        "whose mean over standard deviation is 0.71).",
        alt="Four panels: signal-to-noise ratio of the gradients by layer against the epoch.",
    )


def _rescaled(results: Any, settings: dict) -> PageFigure:
    data = results["smallest"]["rescaled_i_x"].transpose("seed", "factor")
    low, high = np.quantile(data.values, [0.1, 0.9], axis=0)
    name = "I(X;T) of the hidden unit"
    table = table_of(
        curve("w1 / c, c w2", name, data["factor"].values.tolist(), data.values.mean(0), low=low, high=high)
    )
    return PageFigure(
        name="rescaled",
        title="The same function with other weights",
        figure=charts.lines(table, panel="panel", log="x", x_title="c", y_title="I(X;T) (bits)"),
        table=table,
        shows="Dividing the first weight by c and multiplying the second by it leaves every output as it was. "
        "What happens to I(X;T)?",
        claims=("reparametrisation-changes-information",),
        limitations="Exact, noise of variance 1 on the hidden unit; trained 1-1-1 networks, mean and middle 80 %. "
        "Noise that belongs to the network would make the two functions different ones.",
        alt="Line of information against the rescaling factor.",
    )


SECTIONS: tuple[Part, ...] = (
    ("One neuron", "The smallest model in which a binned layer compresses, and in which it does not.", (_one_neuron,)),
    (
        "Five nonlinearities",
        "The networks of Shwartz-Ziv & Tishby with other units and nothing else changed.",
        (
            _planes,
            *(partial(_plane, step=step, readout=readout, label=label) for step, readout, label in _FIGURE_1),
            _curves,
            _falls,
        ),
    ),
    ("Other readouts", "The same networks looked at in other ways.", (_rebin, _noise, _digits)),
    (
        "Causes",
        "Compression without the noise that is said to drive it, and with or without generalization.",
        (_causes, _cells, _snr),
    ),
    ("Linear networks", "Where every information has a closed form.", (_students, _rescaled)),
)
