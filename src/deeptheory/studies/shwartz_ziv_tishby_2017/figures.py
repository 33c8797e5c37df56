"""The page: which figures, what to see in them, and how far to trust them."""

from typing import Any

import deeptheory as dt
from deeptheory.core.theme import layer_colours, new_figure
from deeptheory.information import fall
from deeptheory.runs import NotDone, Plate, Sample
from deeptheory.runs.intervals import interval
from deeptheory.studies.pages import Part
from deeptheory.studies.shwartz_ziv_tishby_2017 import further_figures as further
from deeptheory.studies.shwartz_ziv_tishby_2017.claims import last_hidden
from deeptheory.studies.shwartz_ziv_tishby_2017.steps import readout, task

_STEPS = {
    "minibatch": "minibatch",
    "full-batch": "full batch",
    "relu": "ReLU",
    "shuffled-labels": "shuffled labels",
}


TITLE = "Opening the black box of deep neural networks via information"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    batch = "full batch" if settings["batch"] is None else f"minibatches of {settings['batch']}"
    return (
        f"{settings['networks']} networks {shape} ({settings['activation']}), {settings['epochs']} epochs of "
        f"{settings['optimizer']} (learning rate {settings['lr']:g}, {batch}, {100 * settings['train']:g} % of the 4096 "
        f"patterns), protocol “{settings['protocol']}”, scale “{scale}”. The task: 12 bits on the vertices of "
        "an icosahedron, a label that only rotation-invariant features decide. All information in bits, on all 4096 patterns."
    )


def _information_plane(results: Any, step: str, settings: dict) -> dt.information.InformationPlane:
    """The plane of a step, as it was measured."""
    return dt.information.InformationPlane.of(results[step], readout(settings, "relu" if step == "relu" else None))


def _mean_table(plane: Any) -> Any:
    """Mean, least and largest over networks, one row a step and layer."""
    data = plane.dataset()[["i_x", "i_y"]]
    parts = {f"{k}_{how}": getattr(data[k], how)("seed") for k in ("i_x", "i_y") for how in ("mean", "min", "max")}
    return data.drop_dims("seed").assign(parts).to_dataframe().reset_index()


def _trust(plane: Any) -> str:
    notes = "; ".join(plane.notes)
    return (
        f"Read-out {plane.readout}, all {plane.inputs} inputs equally likely, no estimation error: what is shown is exact for "
        f"this read-out and for no other. {notes[:1].upper()}{notes[1:]}."
    )


def _plane(results: Any, settings: dict) -> Plate:
    plane = _information_plane(results, "minibatch", settings)
    n, layers = len(plane.seeds), len(plane.layers)
    return Plate(
        name="plane",
        title="Layers in the information plane, over training",
        figure=plane.figure(bound=dt.bottleneck_curve(task(settings).p_xy, locate=False)),
        table=plane.table() if plane.i_x.size < 40_000 else _mean_table(plane),
        see="Move the slider. Do dots first rise (fitting), and do those of the deep layers then move to the left (compression)? Dashed: the bottleneck bound of the task.",
        claims=("fit-then-compress", "full-information"),
        trust=_trust(plane),
        alt=f"Scatter plot of {n} networks with {layers} layers: I(T;Y) against I(X;T), a slider over epochs.",
    )


def _curves(results: Any, settings: dict) -> Plate:
    plane = _information_plane(results, "minibatch", settings)
    return Plate(
        name="curves",
        title="The same against the epoch",
        figure=plane.figure("curves"),
        table=_mean_table(plane),
        see="Above: does I(X;T) of deep layers have a maximum and then fall? Below: has I(T;Y) risen before that? Bands: the middle 80 % of networks; where they are wide, one network is not the story.",
        claims=("fit-then-compress", "first-layer-flat"),
        trust="The same numbers as above. The mean of networks that turn at different epochs is smoother than any one of them.",
        alt="Two line plots over a logarithmic epoch axis: mean I(X;T) and mean I(T;Y) of each layer with bands.",
    )


def _gradients(results: Any, settings: dict) -> Plate:
    phases = dt.gradient_phases(results["minibatch"])
    parts = {f"{k}_median": phases.dataset()[k].median("seed") for k in ("mean", "std", "snr")}
    return Plate(
        name="gradients",
        title="Mean and fluctuation of the gradients",
        figure=phases.figure(),
        table=phases.dataset().drop_dims("seed").assign(parts).to_dataframe().reset_index(),
        see="Solid: norm of the mean gradient over the minibatches of an epoch; dashed: its fluctuation; both over the norm of the weights, median of the networks. Where a dashed line passes its solid one, noise takes the lead.",
        claims=("snr-transition", "snr-alike-across-layers"),
        trust="With B minibatches of pure noise the ratio tends to 1/sqrt(B), not to 0. The same turn is known from networks "
        "that do not compress (Saxe et al. 2018), so that this figure alone says nothing about compression.",
        alt="Line plot, both axes logarithmic: gradient mean and fluctuation of every layer against the epoch.",
    )


def _controls(results: Any, settings: dict) -> Plate:
    plane = _information_plane(results, "relu", settings)
    return Plate(
        name="relu",
        title="Control: the same networks with ReLU units",
        figure=plane.figure("curves"),
        table=_mean_table(plane),
        see="Does I(X;T) of the hidden layers fall here as it does with tanh?",
        trust="ReLU units have no bounds, so the cells span each layer's range at each look: a growing unit makes its cells "
        f"wider, which itself lowers I(X;T). {_trust(plane)}",
        alt="Two line plots over a logarithmic epoch axis: mean I(X;T) and I(T;Y) of each layer of ReLU networks.",
    )


def _falls(results: Any, settings: dict) -> Plate:
    import pandas as pd
    import plotly.graph_objects as go

    rows = []
    for step, label in _STEPS.items():
        try:
            data = results[step]
        except NotDone:
            continue
        for layer in data["layer"].values.tolist():
            at = data.sel(layer=layer)
            for what, values in (
                ("fall", fall(at["i_x"].values)),
                ("start", at["i_x"].values[:, 0]),
                ("end", at["i_x"].values[:, -1]),
                ("label", at["i_y"].values[:, -1]),
            ):
                got = interval(Sample(values))
                row = {"condition": label, "layer": layer, "quantity": what, "bits": got.value}
                rows.append(row | {"low": got.low, "high": got.high, "networks": got.n})
    if not rows:
        raise NotDone("no step is done")
    table = pd.DataFrame(rows)
    figure = new_figure(xaxis_title="layer", yaxis_title="fall of I(X;T) after its maximum (bits)")
    conditions = list(dict.fromkeys(table["condition"]))
    for k, (label, colour) in enumerate(zip(conditions, layer_colours(len(conditions)))):
        part = table[(table["condition"] == label) & (table["quantity"] == "fall")]
        error = {"type": "data", "symmetric": False, "array": (part["high"] - part["bits"]).round(4).tolist()}
        error |= {"arrayminus": (part["bits"] - part["low"]).round(4).tolist(), "thickness": 1.5}
        x = [i + 0.14 * (k - (len(conditions) - 1) / 2) for i in range(len(part))]
        marks = {"x": x, "y": part["bits"].round(4).tolist(), "error_y": error, "name": label}
        figure.add_trace(
            go.Scatter(**marks, mode="markers", marker={"color": colour, "size": 9, "symbol": _SYMBOLS[k]})
        )
    layers = list(dict.fromkeys(table["layer"]))
    figure.update_xaxes(tickvals=list(range(len(layers))), ticktext=layers)
    deep = last_hidden(results["minibatch"])["layer"].item() if "minibatch" in conditions else layers[-1]
    return Plate(
        name="falls",
        title="How far each layer compresses, and where it should not",
        figure=figure,
        table=table,
        see=f"If minibatch noise drove compression, the full batch would fall much less than the minibatch, above all in {deep}. "
        "Shuffled labels: whether compression needs anything to learn. The table beside it holds I(X;T) before training, too.",
        claims=("noise-drives-compression",),
        trust="Means with 95 % intervals over networks. ReLU is read out over another range than tanh (see there), so "
        "its falls compare in kind, not in size.",
        alt="Dots with error bars: fall of I(X;T) in bits by layer for minibatch, full batch, ReLU and shuffled labels.",
    )


_SYMBOLS = ("circle", "square", "diamond", "triangle-up")

SECTIONS: tuple[Part, ...] = (
    (
        "The information plane (figure 2)",
        "Every dot is one layer of one network. Left to right: how much the layer keeps of the input, as seen "
        "through the read-out. Upwards: how much of that tells the label.",
        (_plane, _curves),
    ),
    (
        "Drift and diffusion (figure 4)",
        "Before each look the gradients of one epoch's minibatches are taken, each before its own update.",
        (_gradients,),
    ),
    (
        "Layers and the bottleneck (figure 6)",
        "How near the layers come to the best that any representation of p(x, y) could do.",
        (further.bound,),
    ),
    (
        "Depth, data, other tasks (figures 3, 5, 7, 8)",
        "The same protocol with one thing turned at a time.",
        (further.depth, further.sizes, further.paths, further.others, further.pictures),
    ),
    (
        "Controls",
        "What the same instruments show where the explanation of the paper should not apply: without the noise "
        "of minibatches, with units that do not saturate, with nothing to learn, and before training.",
        (_falls, _controls),
    ),
)  # fmt: skip
