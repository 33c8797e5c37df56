"""The page: which figures, what to see in them, and how far to trust them."""

from collections.abc import Callable
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.theme import NEUTRAL, layer_colours, new_figure
from deeptheory.information import InformationPlane
from deeptheory.runs import Plate
from deeptheory.studies.drawing import SYMBOLS, dots, measured, over_training, panels, table_of
from deeptheory.studies.saxe_2018 import pictures
from deeptheory.studies.saxe_2018.claims import COMPRESSES, GAP, falls, noise_falls, plane
from deeptheory.studies.saxe_2018.steps import NONLINEARITIES, readouts

_BINS = {
    "even": "30 even over [-1, 1]",
    "global": "100 over the range of all",
    "net-input": "even in net input",
    "net-input-fine": "even in net input, 10 x finer",
    "exact": "every bit counts",
}
_COMMON = "All 4096 patterns equally likely: what is shown is exact for this read-out and for no other."


TITLE = "On the information bottleneck theory of deep learning"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"Saxe et al. ask whether compression is a law of learning. {settings['networks']} networks {shape} of each of five "
        f"nonlinearities on the 12-bit task of Shwartz-Ziv & Tishby, {settings['epochs']} epochs; {settings['students']} linear "
        f"students of a linear teacher, where every information is known exactly; and one neuron. Scale “{scale}”. In bits."
    )


def _one_neuron(results: Any, settings: dict) -> Plate:
    data = results["one-neuron"]["i_x"]
    curves = [
        {"panel": "one unit", "name": n, "x": data["w"].values.tolist(), "y": data.sel(activation=n).values} for n in NONLINEARITIES
    ]  # fmt: skip
    return Plate(
        name="one-neuron",
        title="One neuron, exactly (figure 2)",
        figure=panels(curves, x_title="weight w", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see="How many bits does each unit keep as its weight grows? Exact, from the Gaussian distribution of the input.",
        claims=("one-neuron-tanh-returns-to-1-bit", "one-neuron-tanh-peak", "one-neuron-relu-grows"),
        trust="x ~ N(0, 1), exact from the normal distribution function. Bounded units in 30 cells over [-1, 1], the others in "
        "cells of the same width as far as values reach; with other cells the turn moves.",
        alt="Lines of information against the weight for five nonlinearities.",
    )


def _plane_of(results: Any, settings: dict, step: str, readout: str) -> InformationPlane:
    data = results[step].sel(readout=readout)[["i_x", "i_y", "h_t", "occupied"]]
    kind = readouts(settings, step)[readout]
    whole = {k: results[step].attrs[k] for k in ("inputs", "h_y")}
    return InformationPlane.of(data.assign_attrs(readout=repr(kind), **whole), kind)


def _plane(step: str, readout: str, label: str) -> Callable[[Any, dict], Plate]:
    def make(results: Any, settings: dict) -> Plate:
        found = _plane_of(results, settings, step, readout)
        mean = found.dataset()[["i_x", "i_y"]].mean("seed").to_dataframe().reset_index()
        notes = "; ".join(found.notes)
        return Plate(
            name=f"plane-{step}",
            title=f"The information plane of {label} networks (figure 1)",
            figure=found.figure(bound=dt.bottleneck_curve(dt.datasets.icosahedron().p_xy, locate=False)),
            table=mean,
            see="Move the slider. Which layers move to the left late in training?",
            claims=("tanh-compresses",) if step == "tanh" else ("relu-does-not", "relu-output-does"),
            trust=f"Read-out {found.readout}. {_COMMON} Dashed: the most that any T can tell, min(I(X;T), H(Y)). {notes[:1].upper()}{notes[1:]}.",
            alt=f"Scatter plot of {label} networks in the information plane, a slider over epochs.",
        )

    return make


def _curves(results: Any, settings: dict) -> Plate:
    curves = []
    for step in NONLINEARITIES:
        values = plane(results, step, "global")
        curves += over_training(step, values.values, values["step"].values.tolist(), values["layer"].values.tolist())
    return Plate(
        name="nonlinearities",
        title="I(X;T) over training, five nonlinearities (figure 1 and appendix)",
        figure=panels(curves, x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see="Which panels show lines that rise and then fall? The last layer is a softmax everywhere.",
        claims=(
            "tanh-compresses",
            "relu-does-not",
            "relu-output-does",
            "softsign-modest",
            "softplus-none",
            "linear-none",
        ),
        trust=f"100 cells over the range of all units, layers and epochs of each network, so that the panels compare. {_COMMON} "
        "Lines: means; bands: the middle 80 % of networks. Where a range is set by one large unit, small units share few cells.",
        alt="Five panels of mean information by layer against the epoch.",
    )


def _falls(results: Any, settings: dict) -> Plate:
    groups = {}
    for step in NONLINEARITIES:
        names = results[step]["layer"].values.tolist()
        groups[step] = dict(zip(names, falls(results, step, "global").T))
    table = measured(groups)
    return Plate(
        name="falls",
        title="How far each layer falls, by nonlinearity",
        figure=dots(table, x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"),
        table=table,
        see="Do layers of bounded units fall, and those of unbounded ones not?",
        claims=("tanh-compresses", "relu-does-not"),
        trust="Means with 95 % intervals over networks; 100 cells over the range of all units and epochs.",
        alt="Dots with error bars: fall of information by layer for five nonlinearities.",
    )


def _rebin(results: Any, settings: dict) -> Plate:
    names = results["tanh"]["layer"].values.tolist()
    groups = {label: dict(zip(names, falls(results, "tanh", r).T)) for r, label in _BINS.items()}
    table = measured(groups)
    return Plate(
        name="rebinning",
        title="The same tanh networks, other bins (appendix)",
        figure=dots(table, x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"),
        table=table,
        see="The networks are the same in every color: only the readout differs. What is left of the decrease with bins even in net input, and with every bit counted?",
        claims=("rebin-removes", "full-precision-flat"),
        trust="Means with 95 % intervals over networks. Edges even in net input from -50 to 50 make cells wider than most net "
        "inputs before training, so that little is left to fall there; the finer ones are ours.",
        alt="Dots with error bars: fall of information by layer for five read-outs of the same networks.",
    )


def _noise(results: Any, settings: dict) -> Plate:
    curves = []
    for step in ("tanh", "relu"):
        data = results[step]["noise_i_x"].transpose("seed", "noise_step", "layer", "variance")
        for v, variance in enumerate(data["variance"].values.tolist()):
            curves += over_training(
                f"{step}, variance {variance:g}", data.values[..., v], data["noise_step"].values.tolist(), data["layer"].values.tolist()
            )  # fmt: skip
    table = table_of(curves)
    down = {
        s: [float(noise_falls(results, s, v)[:, -2].mean()) for v in settings["variances"]] for s in ("tanh", "relu")
    }
    said = (
        "; ".join(f"{s}: {a:.2f} and {b:.2f} bits" for s, (a, b) in down.items())
        if len(settings["variances"]) == 2
        else ""
    )
    return Plate(
        name="noise",
        title="Noise instead of bins, at both scales",
        figure=panels(curves, x_title="epoch + 1", y_title="upper bound of I(X;T) (bits)", columns=2),
        table=table,
        see=f"Fall of the last hidden layer at the larger and the smaller variance: {said}. The two scales need not agree.",
        claims=("noise-readout",),
        trust=f"Upper bounds of Kolchinsky & Tracey on {settings['noise_inputs']} patterns; the noise is added for the analysis "
        "alone, the networks never saw it, and its scale is a choice (0.1 in the text, 0.001 in the released program).",
        alt="Four panels: noise bound of the information by layer against the epoch, tanh and ReLU, two variances.",
    )


def _causes(results: Any, settings: dict) -> Plate:
    conditions = {
        "minibatch": ("tanh", "even"), "full batch": ("full-batch", "even"), "30 % of the data": ("small-tanh", "even"),
    }  # fmt: skip
    names = results["tanh"]["layer"].values.tolist()
    table = measured({c: dict(zip(names, falls(results, s, r).T)) for c, (s, r) in conditions.items()})
    return Plate(
        name="causes",
        title="Without minibatch noise, and with little data",
        figure=dots(table, x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"),
        table=table,
        see="If the noise of minibatches drove compression, the full batch would fall far less. Does it?",
        claims=("full-batch-compresses", "small-data-compresses-and-overfits"),
        trust="tanh, 30 even bins, means with 95 % intervals over networks. At equal epochs the full batch has taken 13 times "
        "fewer steps.",
        alt="Dots with error bars: fall of information by layer for minibatch, full batch, and scarce data.",
    )


def _cells(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    figure = new_figure(
        xaxis_title="fall of I(X;T), last hidden layer (bits)", yaxis_title="training less held-out accuracy"
    )
    kinds = {"tanh": "even", "small-tanh": "even", "relu": "global", "small-relu": "global"}
    labels = {"tanh": "tanh, 80 %", "small-tanh": "tanh, 30 %", "relu": "ReLU, 80 %", "small-relu": "ReLU, 30 %"}
    rows = []
    for (step, readout), colour, symbol in zip(kinds.items(), layer_colours(len(kinds)), SYMBOLS):
        data = results[step]
        gap = (data["train_accuracy"] - data["test_accuracy"]).transpose("seed", "step").values[:, -1]
        down = falls(results, step, readout)[:, -2]
        marker = {"color": colour, "size": 9, "symbol": symbol}
        figure.add_trace(go.Scatter(x=down.round(3).tolist(), y=gap.round(4).tolist(), mode="markers", name=labels[step], marker=marker))  # fmt: skip
        rows += [
            {"networks": labels[step], "seed": s, "fall": float(f), "gap": float(g)}
            for s, f, g in zip(data["seed"].values.tolist(), down, gap)
        ]
    figure.add_vline(x=COMPRESSES, line={"dash": "dot", "color": NEUTRAL})
    figure.add_hline(y=GAP, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="four-cells",
        title="Compressing or not, generalising or not",
        figure=figure,
        table=pd.DataFrame(rows),
        see="Right of the upright line a network compresses, below the level one it generalizes. Are all four corners taken?",
        claims=("all-four-cells",),
        trust="tanh by 30 even bins, ReLU by 100 over the range of all units and epochs, as in the paper: the horizontal axis is "
        "not one quantity for both, and the lines were drawn beforehand.",
        alt="Scatter plot of networks: generalisation gap against fall of information.",
    )


def _students(results: Any, settings: dict) -> Plate:
    data = results["students"]
    curves = []
    titles = {
        "batch": "100 samples, full batch", "overtrained": "100 samples, minibatches of 5",
        "irrelevant": "1000 samples, 30 of 100 relevant",
    }  # fmt: skip
    for task, title in titles.items():
        part = data.sel(task=task)
        steps = part["step"].values.tolist()
        out = part.sel(layer="layer2")
        stacked = np.stack([
            out["i_x"].transpose("seed", "step").values,
            out["irrelevant"].transpose("seed", "step").values if task == "irrelevant" else np.full_like(part["error"].transpose("seed", "step").values, np.nan),
            out["i_y"].transpose("seed", "step").values,
            part["error"].transpose("seed", "step").values,
        ], axis=-1)  # fmt: skip
        names = ["I(X;T)", "I(X irrelevant;T)", "I(T;Y)", "error on new samples"]
        keep = [k for k in range(4) if np.isfinite(stacked[..., k]).all()]
        curves += over_training(title, stacked[..., keep], steps, [names[k] for k in keep])
    return Plate(
        name="students",
        title="Deep linear students, exactly (figures 4 and 6)",
        figure=panels(curves, x_title="epoch + 1", y_title="bits, or squared error", log_y=True),
        table=table_of(curves),
        see="Left and middle: does I(X;T) fall where the error turns and grows (overtraining)? Right: is what the task does not need compressed while I(X;T) rises as a whole?",
        claims=("overtrained-no-compression", "irrelevant-compresses-while-total-rises"),
        trust="Closed forms, nothing estimated; the output layer, read with noise of variance 1. Learning rates, and the number of "
        "samples on the right, are ours: the paper states none. Bands: the middle 80 % of students.",
        alt="Three panels over the epoch: information and error of linear students.",
    )


def _snr(results: Any, settings: dict) -> Plate:
    curves = []
    steps = {"tanh": "tanh", "relu": "ReLU", "linear": "linear", "smallest": "1-1-1 linear, over samples"}
    for step, title in steps.items():
        phases = dt.gradient_phases(results[step])
        seen = np.ma.masked_invalid(phases.snr)  # a network whose units all died has no gradient left
        median = np.ma.median(seen, axis=0).filled(np.nan)
        curves += [
            {"panel": title, "name": layer, "x": [s + 1 for s in phases.steps], "y": median[:, k]} for k, layer in enumerate(phases.layers)
        ]  # fmt: skip
    figure = panels(curves, x_title="epoch + 1", y_title="gradient SNR", columns=2, log_y=True)
    figure.add_hline(y=1, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="snr",
        title="The gradients' transition, with and without compression",
        figure=figure,
        table=table_of(curves),
        see="Does the ratio fall through 1 in networks that compress, and in networks that cannot?",
        claims=("snr-transition-without-compression",),
        trust="Median over networks (but those whose units have all died) of the norm of the mean gradient over that of its fluctuation: over the minibatches of an "
        "epoch, and for the smallest network over single samples, where the ratio starts below 1 at best (the gradient is "
        "proportional to x^2, whose mean over standard deviation is 0.71).",
        alt="Four panels: signal-to-noise ratio of the gradients by layer against the epoch.",
    )


def _rescaled(results: Any, settings: dict) -> Plate:
    data = results["smallest"]["rescaled_i_x"].transpose("seed", "factor")
    low, high = np.quantile(data.values, [0.1, 0.9], axis=0)
    curve = {
        "panel": "w1 / c, c w2",
        "name": "I(X;T) of the hidden unit",
        "x": data["factor"].values.tolist(),
        "y": data.values.mean(0),
    }
    curves = [curve | {"low": low, "high": high}]
    return Plate(
        name="rescaled",
        title="The same function with other weights",
        figure=panels(curves, x_title="c", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see="Dividing the first weight by c and multiplying the second by it leaves every output as it was. What happens to I(X;T)?",
        claims=("reparametrisation-changes-information",),
        trust="Exact, noise of variance 1 on the hidden unit; trained 1-1-1 networks, mean and middle 80 %. Noise that belongs to "
        "the network would make the two functions different ones.",
        alt="Line of information against the rescaling factor.",
    )


SECTIONS = (
    ("One neuron", "The smallest model in which a binned layer compresses, and in which it does not.", (_one_neuron,)),
    (
        "Five nonlinearities",
        "The networks of Shwartz-Ziv & Tishby with other units and nothing else changed.",
        (_plane("tanh", "even", "tanh"), _plane("relu", "global", "ReLU"), _curves, _falls),
    ),
    ("Other read-outs", "The same networks looked at in other ways.", (_rebin, _noise, pictures.plate)),
    (
        "Causes",
        "Compression without the noise that is said to drive it, and with or without generalisation.",
        (_causes, _cells, _snr),
    ),
    ("Linear networks", "Where every information has a closed form.", (_students, _rescaled)),
)
