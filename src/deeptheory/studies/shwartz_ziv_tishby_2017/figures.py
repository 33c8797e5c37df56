"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.theme import colors_of
from deeptheory.information import InformationPlane, fall
from deeptheory.information.drawing import frame_steps
from deeptheory.information.layer_bound import draw_layers
from deeptheory.report import charts
from deeptheory.runs import NotDone, PageFigure
from deeptheory.studies.pages import Part
from deeptheory.studies.shwartz_ziv_tishby_2017.claims import epochs_to, label_by_share, last_hidden
from deeptheory.studies.shwartz_ziv_tishby_2017.steps import BOUNDED, SOFT, described, readout, task
from deeptheory.studies.tables import by_layer, estimate, measured, table_of

_STEPS = {
    "minibatch": "minibatch",
    "full-batch": "full batch",
    "relu": "ReLU",
    "shuffled-labels": "shuffled labels",
}
_SIDES = {"I(X;T)": "i_x", "I(T;Y)": "i_y"}
_AXES: dict[str, Any] = {"x_title": "I(X;T) (bits)", "y_title": "I(T;Y) (bits)"}
_MIDDLE = 400  # the epoch of figure 2's middle panel
MAIN = "paths"
TITLE = "Opening the black box of deep neural networks via information"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"Networks {shape} ({settings['activation']}) learn a 12-bit task for {settings['epochs']} epochs, protocol "
        f"“{settings['protocol']}”: do their layers first fit the label and then forget the input?"
    )


def _information_plane(results: Any, step: str, settings: dict) -> InformationPlane:
    """The plane of a step, as it was measured."""
    return InformationPlane.of(results[step], readout(settings, "relu" if step == "relu" else None))


def _mean_table(plane: Any) -> Any:
    """Mean, least and largest over networks, one row per step and layer."""
    data = plane.dataset()[["i_x", "i_y"]]
    parts = {f"{k}_{how}": getattr(data[k], how)("seed") for k in ("i_x", "i_y") for how in ("mean", "min", "max")}
    return data.drop_dims("seed").assign(parts).to_dataframe().reset_index()


def _trust(plane: Any) -> str:
    notes = "; ".join(plane.notes)
    return (
        f"Readout {plane.readout}, all {plane.inputs} inputs equally likely, no estimation error: what is shown is "
        f"exact for this readout and for no other. {notes[:1].upper()}{notes[1:]}."
    )


def _bound_to(plane: InformationPlane, settings: dict) -> tuple[list[float], list[float]]:
    """The bottleneck bound of the task up to the largest I(X;T)."""
    curve = dt.bottleneck_curve(task(settings).p_xy, locate=False)
    x = np.unique(np.append(np.linspace(0, min(curve.h_x, float(plane.i_x.max())), 60), float(plane.i_x.max())))
    return x.tolist(), curve.bound(x).tolist()


def _paths(results: Any, settings: dict) -> PageFigure:
    plane = _information_plane(results, "minibatch", settings)
    table = _mean_table(plane)
    figure = charts.paths(table, "i_x_mean", "i_y_mean", "step", "layer", bound=_bound_to(plane, settings), **_AXES)
    return PageFigure(
        name="paths",
        title="The mean path of each layer, one line per epoch (figure 3)",
        figure=figure,
        table=table,
        shows="Each line joins the layers at one epoch, dark to light as training goes on: up is more about the label, "
        "left is less about the input. Dashed: the bottleneck bound of the task.",
        claims=(
            "full-information",
            "first-layer-flat",
            "fit-then-compress/layer4",
            "fit-then-compress/layer5",
            "fit-then-compress/layer6",
        ),
        published="The mean of 50 networks. I(T;Y) rises first, for some hundred epochs; then I(X;T) falls, for "
        "thousands.",
        limitations=_trust(plane),
        alt=f"Information plane: mean path of {len(plane.layers)} layers over {plane.steps[-1]} epochs, colored by "
        f"epoch, with the bound.",
    )


def _moments(results: Any, settings: dict) -> PageFigure:
    plane = _information_plane(results, "minibatch", settings)
    steps = np.asarray(plane.steps)
    chosen = sorted({int(np.abs(steps - at).argmin()) for at in (0, _MIDDLE, steps[-1])})
    table = plane.dataset()[["i_x", "i_y"]].isel(step=chosen).to_dataframe().reset_index()
    table = table.assign(when=[f"epoch {s}" for s in table["step"]]).sort_values(["step", "layer", "seed"])
    dots = {
        n: {"mode": "markers", "marker": {"color": c, "size": 7, "opacity": 0.75}}
        for n, c in colors_of(plane.layers).items()
    }
    return PageFigure(
        name="moments",
        title="All networks at three moments, colored by layer (figure 2)",
        figure=charts.lines(table, "i_x", "i_y", "layer", panel="when", style=dots, **_AXES),
        table=table,
        shows="Every dot is one layer of one network. Do the networks lie together at each moment, and where have the "
        "layers moved?",
        claims=("full-information",),
        published="50 networks at the start, after about 400 epochs and after about 9,000.",
        limitations=_trust(plane),
        alt=f"Three scatter plots of {len(plane.seeds)} networks in the information plane: untrained, after "
        f"{steps[chosen[len(chosen) // 2]]} epochs, at the end.",
    )


def _shares(results: Any, settings: dict) -> PageFigure:
    data = results["training-size"][["i_x", "i_y"]].mean("seed")
    table = data.to_dataframe().reset_index()
    table = table.assign(trained=[f"{100 * s:g} % of the patterns" for s in table["share"]])
    shares = data["share"].values
    three = {f"{100 * s:g} % of the patterns" for s in (shares[0], shares[len(shares) // 2], shares[-1])}
    drawn = table[table["trained"].isin(three)].sort_values(["share", "step", "layer"])
    return PageFigure(
        name="shares",
        title="The paths with little and with much data (figure 3)",
        figure=charts.paths(drawn, "i_x", "i_y", "step", "layer", panel="trained", **_AXES),
        table=table,
        shows="With few patterns, do deep layers lose information about the label while they move to the left?",
        claims=("small-data-loses", "more-data-more-label"),
        published="Mean paths for 5, 45 and 85 % of the patterns. With 85 % I(T;Y) keeps rising while layers "
        "compress; with 5 % compression loses it.",
        limitations="Means over networks, measured on all 4096 patterns.",
        alt="Panels of the information plane, one per share of training data: mean path of each layer colored "
        "by epoch.",
    )


def _plane(results: Any, settings: dict) -> PageFigure:
    plane = _information_plane(results, "minibatch", settings)
    n, layers, table = len(plane.seeds), len(plane.layers), plane.table()
    return PageFigure(
        name="plane",
        title="Every network, epoch by epoch",
        figure=plane.figure(bound=dt.bottleneck_curve(task(settings).p_xy, locate=False)),
        table=table.loc[table["step"].isin([plane.steps[k] for k in frame_steps(len(plane.steps))])],
        shows="Move the slider. Do dots first rise (fitting), and do those of the deep layers then move to the left "
        "(compression)? Dashed: the bottleneck bound of the task.",
        claims=("fit-then-compress", "full-information"),
        limitations=_trust(plane),
        alt=f"Scatter plot of {n} networks with {layers} layers: I(T;Y) against I(X;T), a slider over epochs.",
    )


def _curves(results: Any, settings: dict) -> PageFigure:
    plane = _information_plane(results, "minibatch", settings)
    return PageFigure(
        name="curves",
        title="The same against the epoch",
        figure=plane.figure("curves"),
        table=_mean_table(plane),
        shows="Above: does I(X;T) of deep layers have a maximum and then fall? Below: has I(T;Y) risen before that? "
        "Bands: the middle 80 % of networks; where they are wide, one network is not the story.",
        claims=("fit-then-compress", "first-layer-flat"),
        limitations="The same numbers as above. The mean of networks that turn at different epochs is smoother than "
        "any one of them.",
        alt="Two line plots over a logarithmic epoch axis: mean I(X;T) and mean I(T;Y) of each layer with bands.",
    )


def _gradients(results: Any, settings: dict) -> PageFigure:
    phases = dt.gradient_phases(results["minibatch"])
    parts = {f"{k}_median": phases.dataset()[k].median("seed") for k in ("mean", "std", "snr")}
    return PageFigure(
        name="gradients",
        title="Mean and fluctuation of the gradients",
        figure=phases.figure(),
        table=phases.dataset().drop_dims("seed").assign(parts).to_dataframe().reset_index(),
        shows="Solid: norm of the mean gradient over the minibatches of an epoch; dashed: its fluctuation; both over "
        "the norm of the weights, median of the networks. Where a dashed line passes its solid one, noise takes the "
        "lead.",
        claims=("snr-transition", "snr-alike-across-layers"),
        published="The mean falls below the fluctuation near epoch 350, together with the bend in the plane.",
        limitations="With B minibatches of pure noise the ratio tends to 1/sqrt(B), not to 0. The same turn is known "
        "from networks that do not compress (Saxe et al. 2018), so that this figure alone says nothing about "
        "compression.",
        alt="Line plot, both axes logarithmic: gradient mean and fluctuation of every layer against the epoch.",
    )


def _controls(results: Any, settings: dict) -> PageFigure:
    plane = _information_plane(results, "relu", settings)
    return PageFigure(
        name="relu",
        title="Control: the same networks with ReLU units",
        figure=plane.figure("curves"),
        table=_mean_table(plane),
        shows=f"Does I(X;T) of the hidden layers fall here as it does with {settings['activation']}?",
        limitations="ReLU units have no bounds, so the cells span each layer's range at each look: a growing unit "
        f"makes its cells wider, which itself lowers I(X;T). {_trust(plane)}",
        alt="Two line plots over a logarithmic epoch axis: mean I(X;T) and I(T;Y) of each layer of ReLU networks.",
    )


def _falls(results: Any, settings: dict) -> PageFigure:
    rows = []
    for step, label in _STEPS.items():
        try:
            data = results[step].transpose("seed", "step", ...)
        except NotDone:
            continue
        for layer in data["layer"].values.tolist():
            i_x, i_y = (data[name].sel(layer=layer).values for name in ("i_x", "i_y"))
            what = {"fall": fall(i_x), "start": i_x[:, 0], "end": i_x[:, -1], "label": i_y[:, -1]}
            rows += [estimate(v, name="bits", condition=label, layer=layer, quantity=q) for q, v in what.items()]
    if not rows:
        raise NotDone("no step is done")
    table = table_of(rows)
    deep = table["layer"].iloc[-1]
    if "minibatch" in set(table["condition"]):
        deep = last_hidden(results["minibatch"])["layer"].item()
    falls = table[table["quantity"] == "fall"]
    ranges = "All are read out over the range of their layers at each look"
    if settings["activation"] in BOUNDED:
        other = f"ReLU is read out over another range than {settings['activation']} (see there)"
        ranges = f"{other}, so its falls compare in kind, not in size"
    return PageFigure(
        name="falls",
        title="How far each layer compresses, and where it should not",
        figure=charts.points(
            falls, "layer", "bits", "condition", x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"
        ),
        table=table,
        shows="If minibatch noise drove compression, the full batch would fall much less than the minibatch, above all "
        f"in {deep}. Shuffled labels: whether compression needs anything to learn. "
        "The table beside it holds I(X;T) before training, too.",
        claims=("noise-drives-compression",),
        limitations=f"Means with 95 % intervals over networks. {ranges}.",
        alt="Dots with error bars: fall of I(X;T) in bits by layer for minibatch, full batch, "
        "ReLU and shuffled labels.",
    )


def _two_panels(table: Any, y_title: str) -> Any:
    """Panels with a scale of their own each: twelve bits of I(X;T) would flatten the one bit of I(T;Y)."""
    figure = charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title=y_title, columns=2)
    figure.update_yaxes(matches=None, showticklabels=True)
    for k, name in enumerate(("xaxis", "xaxis2")):
        figure.layout[name].domain = ((0, 0.45), (0.55, 1))[k]
        figure.layout.annotations[k].x = (0.225, 0.775)[k]
    return figure


def _bound(results: Any, settings: dict) -> PageFigure:
    data = results["minibatch"]
    names = [k for k in data.data_vars if str(k).startswith("bound_")]
    layers = data[names].rename({k: str(k).removeprefix("bound_") for k in names}).rename({"when": "step"})
    soft = described(settings)
    curve = dt.bottleneck_curve(soft.p_xy, locate=False)
    gamma, labels = settings["gamma"] or SOFT, "drawn" if settings["gamma"] else "hard"
    return PageFigure(
        name="bound",
        title="Layers against the bottleneck bound (figure 6)",
        figure=draw_layers(layers, curve),
        table=layers.to_dataframe().reset_index(),
        shows="Dashed: the most that any T can tell of the label at its I(X;T). Hollow: before training; filled: at "
        "the end. Do filled layers lie nearer to the bound?",
        published="Layers near the curve, with a beta that falls with depth (85 % of the data, 50 runs).",
        claims=("on-the-bound", "beta-falls-with-depth"),
        limitations=f"The bound is that of the soft rule (gamma = {gamma:g}, I(X;Y) = {soft.mutual_information:.3f}); "
        f"networks trained on its {labels} labels. First "
        "layers lie on it untrained, as the readout tells nearly all inputs apart, far to the right of what is "
        "needed. The table has the fitted beta with its residual, beside the residual for permuted labels.",
        alt="Layers as dots below a dashed, rising and then flat bound.",
    )


def _depth(results: Any, settings: dict) -> PageFigure:
    data = results["depth"]
    named = data.assign_coords(depth=[f"{k} hidden" for k in data["depth"].values])
    shown = {"I(T;Y) of the output": "output_i_y", "I(X;T), last hidden layer": "hidden_i_x"}
    parts = [(title, named[name].isel(depth=[k])) for k in range(named.sizes["depth"]) for title, name in shown.items()]
    table = table_of([row for title, part in parts for row in by_layer(title, part, over="depth")])
    needed = epochs_to(data, 0.95 * data.attrs["information"])
    each = ", ".join(f"{d}: {np.median(row):.0f}" for d, row in zip(data["depth"].values, needed))
    return PageFigure(
        name="depth",
        title="One to six hidden layers (figure 5)",
        figure=_two_panels(table, "bits"),
        table=table,
        shows=f"Median epochs until the output holds 95 % of I(X;Y), by number of hidden layers: {each} (inf: "
        "not by the end).",
        claims=("depth-speeds-learning", "one-layer-too-slow"),
        limitations="The output's information, since a hidden layer of twelve units tells nearly all inputs apart "
        "under this readout, trained or not. Bands: the middle 80 % of networks.",
        alt="Two panels of lines against the epoch, one color a number of hidden layers.",
    )


def _sizes(results: Any, settings: dict) -> PageFigure:
    data = results["training-size"]
    i_y, shares = label_by_share(data), [f"{100 * s:g} %" for s in data["share"].values]
    groups = {"I(T;Y) at the end": i_y[:, :, -1], "largest I(T;Y)": i_y.max(-1)}
    table = measured({label: dict(zip(shares, values)) for label, values in groups.items()})
    x_title, y_title = "share of the 4096 patterns that train", "I(T;Y), last hidden layer (bits)"
    return PageFigure(
        name="sizes",
        title="Size of the training set (figures 3 and 7)",
        figure=charts.points(table, "at", "mean", "condition", x_title=x_title, y_title=y_title),
        table=table,
        shows="Where the two part, information about the label was had and lost again. Does more data raise both?",
        claims=("small-data-loses", "more-data-more-label"),
        limitations="Means with 95 % intervals over networks, measured on all 4096 patterns.",
        alt="Dots with error bars over the share that trains: largest and last information about the label.",
    )


def _sides_by_share(results: Any, settings: dict) -> PageFigure:
    data = last_hidden(results["training-size"])
    named = data.assign_coords(share=[f"{100 * s:g} %" for s in data["share"].values])
    parts = [
        (title, named[name].isel(share=[k])) for k in range(named.sizes["share"]) for title, name in _SIDES.items()
    ]
    table = table_of([row for title, part in parts for row in by_layer(title, part, over="share")])
    return PageFigure(
        name="sizes-over-training",
        title="The last hidden layer over training",
        figure=_two_panels(table, "bits, last hidden layer"),
        table=table,
        shows="Left: how much of the input is kept. Right: how much of that tells the label.",
        limitations="The same numbers. Bands: the middle 80 % of networks.",
        alt="Two panels of lines against the epoch, one color a share of the data.",
    )


def _committee(results: Any, settings: dict) -> PageFigure:
    data = results["committee"]
    table = table_of([row for title, name in _SIDES.items() for row in by_layer(title, data[name])])
    return PageFigure(
        name="committee",
        title="A committee machine (figure 8)",
        figure=_two_panels(table, "bits"),
        table=table,
        shows="The same networks on the majority vote of three perceptrons. Are there two phases?",
        claims=("committee-same-phases",),
        limitations="The paper's own committee is not published: this is a task of the same kind.",
        alt="Two panels of lines against the epoch, one color a layer.",
    )


def _digits(results: Any, settings: dict) -> PageFigure:
    data = results["pictures"]
    phases = dt.gradient_phases(data)
    return PageFigure(
        name="pictures",
        title="Gradients on pictures of digits (figure 8)",
        figure=phases.figure(),
        table=phases.table(),
        shows="Where a dashed line (fluctuation) passes its solid one (mean), noise takes the lead. "
        "Does it when I(X;T) is largest?",
        claims=("mnist-gradient-phases",),
        limitations=f"Data: {data.attrs['pictures']}. The paper shows MNIST; its network and settings are not stated. "
        "As above, the phases alone say nothing about compression.",
        alt="Line plot, both axes logarithmic: gradient mean and fluctuation of every layer against the epoch.",
    )


FIRST = ("minibatch", _plane)  # drawn of the networks that are done, while the rest is at work
SECTIONS: tuple[Part, ...] = (
    (
        "The information plane (figures 2 and 3)",
        "Left to right: how much a layer keeps of the input, as seen "
        "through the readout. Upwards: how much of that tells the label.",
        (_paths, _moments, _plane, _curves),
    ),
    (
        "Drift and diffusion (figure 4)",
        "Before each look the gradients of one epoch's minibatches are taken, each before its own update.",
        (_gradients,),
    ),
    (
        "Layers and the bottleneck (figure 6)",
        "How near the layers come to the best that any representation of p(x, y) could do.",
        (_bound,),
    ),
    (
        "Depth, data, other tasks (figures 3, 5, 7, 8)",
        "The same protocol with one thing turned at a time.",
        (_shares, _sizes, _sides_by_share, _depth, _committee, _digits),
    ),
    (
        "Controls",
        "What the same instruments show where the explanation of the paper should not apply: without the noise "
        "of minibatches, with units that do not saturate, with nothing to learn, and before training.",
        (_falls, _controls),
    ),
)  # fmt: skip
