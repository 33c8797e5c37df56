"""Plates of figures 3, 5, 6, 7 and 8."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information.layer_bound import draw_layers
from deeptheory.runs import Plate
from deeptheory.studies.drawing import dots, measured, over_training, panels, table_of
from deeptheory.studies.shwartz_ziv_tishby_2017.further_claims import epochs_to
from deeptheory.studies.shwartz_ziv_tishby_2017.steps import described


def _apart(figure: Any) -> Any:
    """Panels with a scale of their own each: twelve bits of I(X;T) would flatten the one bit of I(T;Y)."""
    figure.update_yaxes(matches=None, showticklabels=True)
    for k, name in enumerate(("xaxis", "xaxis2")):
        figure.layout[name].domain = ((0, 0.45), (0.55, 1))[k]
    for k, note in enumerate(figure.layout.annotations):
        note.x = (0.225, 0.775)[k]
    return figure


def bound(results: Any, settings: dict) -> Plate:
    data = results["minibatch"]
    names = [k for k in data.data_vars if str(k).startswith("bound_")]
    layers = data[names].rename({k: str(k).removeprefix("bound_") for k in names}).rename({"when": "step"})
    curve = dt.bottleneck_curve(described(settings).p_xy, locate=False)
    return Plate(
        name="bound",
        title="Layers against the bottleneck bound (figure 6)",
        figure=draw_layers(layers, curve),
        table=layers.to_dataframe().reset_index(),
        see="Dashed: the most that any T can tell of the label at its I(X;T). Hollow: before training; filled: at the end. Do filled layers lie nearer to the bound?",
        claims=("on-the-bound", "beta-falls-with-depth"),
        trust="The bound is that of the published soft rule (gamma = 50, I(X;Y) = 0.987); networks trained on its hard labels. "
        "First layers lie on it untrained, as the read-out tells nearly all inputs apart, far to the right of what is needed. The "
        "table has the fitted beta with its residual, beside the residual for labels dealt out anew.",
        alt="Layers as dots below a dashed, rising and then flat bound.",
    )


def depth(results: Any, settings: dict) -> Plate:
    data = results["depth"]
    curves = []
    for k in data["depth"].values.tolist():
        values = data.sel(depth=k)["output_i_y"].transpose("seed", "step").values[..., None]
        curves += over_training("I(T;Y) of the output", values, data["step"].values.tolist(), [f"{k} hidden"])
        hidden = data.sel(depth=k)["hidden_i_x"].transpose("seed", "step").values[..., None]
        curves += over_training("I(X;T), last hidden layer", hidden, data["step"].values.tolist(), [f"{k} hidden"])
    needed = epochs_to(data, 0.95 * data.attrs["information"])
    each = ", ".join(f"{d}: {np.median(row):.0f}" for d, row in zip(data["depth"].values, needed))
    return Plate(
        name="depth",
        title="One to six hidden layers (figure 5)",
        figure=_apart(panels(curves, x_title="epoch + 1", y_title="bits", columns=2)),
        table=table_of(curves),
        see=f"Median epochs until the output holds 95 % of I(X;Y), by number of hidden layers: {each} (inf: not by the end).",
        claims=("depth-speeds-learning", "one-layer-too-slow"),
        trust="The output's information, since a hidden layer of twelve units tells nearly all inputs apart under this read-out, "
        "trained or not. Bands: the middle 80 % of networks.",
        alt="Two panels of lines against the epoch, one colour a number of hidden layers.",
    )


def sizes(results: Any, settings: dict) -> Plate:
    data = results["training-size"]
    i_y = data["i_y"].isel(layer=-2).transpose("share", "seed", "step")
    end, least = i_y.values[:, :, -1], i_y.values.max(-1)
    shares = [f"{100 * s:g} %" for s in data["share"].values]
    table = measured(
        {
            "I(T;Y) at the end": dict(zip(shares, end)),
            "largest I(T;Y)": dict(zip(shares, least)),
        }
    )
    return Plate(
        name="sizes",
        title="Size of the training set (figures 3 and 7)",
        figure=dots(table, x_title="share of the 4096 patterns that train", y_title="I(T;Y), last hidden layer (bits)"),
        table=table,
        see="Where the two part, information about the label was had and lost again. Does more data raise both?",
        claims=("small-data-loses", "more-data-more-label"),
        trust="Means with 95 % intervals over networks, measured on all 4096 patterns.",
        alt="Dots with error bars over the share that trains: largest and last information about the label.",
    )


def paths(results: Any, settings: dict) -> Plate:
    data = results["training-size"]
    curves = []
    for s in data["share"].values.tolist():
        part = data.sel(share=s).isel(layer=-2)
        for name, label in (("i_x", "I(X;T)"), ("i_y", "I(T;Y)")):
            values = part[name].transpose("seed", "step").values[..., None]
            curves += over_training(label, values, data["step"].values.tolist(), [f"{100 * s:g} %"])
    return Plate(
        name="paths",
        title="The same over training",
        figure=_apart(panels(curves, x_title="epoch + 1", y_title="bits, last hidden layer", columns=2)),
        table=table_of(curves),
        see="Left: how much of the input is kept. Right: how much of that tells the label.",
        trust="The same numbers. Bands: the middle 80 % of networks.",
        alt="Two panels of lines against the epoch, one colour a share of the data.",
    )


def others(results: Any, settings: dict) -> Plate:
    data = results["committee"]
    steps, names = data["step"].values.tolist(), data["layer"].values.tolist()
    curves = []
    for name, label in (("i_x", "I(X;T)"), ("i_y", "I(T;Y)")):
        curves += over_training(label, data[name].transpose("seed", "step", "layer").values, steps, names)
    return Plate(
        name="committee",
        title="A committee machine (figure 8)",
        figure=_apart(panels(curves, x_title="epoch + 1", y_title="bits", columns=2)),
        table=table_of(curves),
        see="The same networks on the majority vote of three perceptrons. Are there two phases?",
        claims=("committee-same-phases",),
        trust="The paper's own committee is not published: this is a task of the same kind.",
        alt="Two panels of lines against the epoch, one colour a layer.",
    )


def pictures(results: Any, settings: dict) -> Plate:
    data = results["pictures"]
    phases = dt.gradient_phases(data)
    return Plate(
        name="pictures",
        title="Gradients on pictures of digits (figure 8)",
        figure=phases.figure(),
        table=phases.table(),
        see="Where a dashed line (fluctuation) passes its solid one (mean), noise takes the lead. Does it when I(X;T) is largest?",
        claims=("mnist-gradient-phases",),
        trust=f"Data: {data.attrs['pictures']}. The paper shows MNIST; its network and settings are not stated. "
        "As above, the phases alone say nothing about compression.",
        alt="Line plot, both axes logarithmic: gradient mean and fluctuation of every layer against the epoch.",
    )
