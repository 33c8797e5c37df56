"""The page: which figures, what to see in them, and how far to trust them."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colours, new_figure
from deeptheory.information import fall
from deeptheory.runs import Plate
from deeptheory.studies.drawing import SYMBOLS, dots, measured, over_training, panels, table_of
from deeptheory.studies.goldfeld_2019 import pictures
from deeptheory.studies.goldfeld_2019.claims import quantised, rank_correlation, values
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES, CLUSTERED

_NOISY = {"noisy": "noise in every layer", "orthonormal": "and orthonormal weights"}


TITLE = "Estimating information flow in deep neural networks"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"A deterministic network has nothing to compress: I(X;T) is the entropy of its input. Here the noise (standard deviation "
        f"{settings['noise']:g} in every hidden layer; the value is from memory, unverified) or the levels ({settings['bits']} bits) "
        f"belong to the network, so that I(X;T) does. {settings['networks']} networks {shape} of each kind, {settings['epochs']} "
        f"epochs, the 12-bit task; scale “{scale}”. In bits."
    )


def _one_neuron(results: Any, settings: dict) -> Plate:
    data = results["one-neuron"]["i_x"]
    curves = [
        {
            "panel": "inputs -3, -1, 1, 3",
            "name": f"noise {s:g}",
            "x": data["w"].values.tolist(),
            "y": data.sel(sigma=s).values,
        }
        for s in data["sigma"].values.tolist()
    ]
    return Plate(
        name="one-neuron",
        title="One noisy neuron, exactly (section 3)",
        figure=panels(curves, x_title="weight w", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see="Four inputs: two bits at most. How many bits are left as the weight grows and the unit saturates?",
        claims=("one-neuron-merges",),
        trust="The entropy of a mixture of four Gaussians by one integral; tested against plain quadrature to 1e-9.",
        alt="Lines of information against the weight for three noise levels.",
    )


def _noisy_curves(results: Any, settings: dict) -> Plate:
    curves = []
    for step, title in _NOISY.items():
        data = results[step]
        curves += over_training(
            title, values(results, step, "i_x"), data["step"].values.tolist(), data["layer"].values.tolist()
        )
    width = float((results["noisy"]["i_x_high"] - results["noisy"]["i_x_low"]).isel(layer=-1).mean())
    return Plate(
        name="noisy",
        title="Information that is the network's own, over training",
        figure=panels(curves, x_title="epoch + 1", y_title="I(X;T) (bits)", columns=2),
        table=table_of(curves),
        see="Do deep layers rise and fall on the left? Right: the same networks, started alike, with nearly orthonormal weights.",
        claims=("noisy-compresses", "orthonormal-stops-compression"),
        trust=f"Sample propagation: the interval of the last hidden layer, with its bracket, is {width:.1f} bits wide on average; "
        "where the noise of early layers is amplified the estimate is too high rather than too low. Bands: middle 80 % of networks.",
        alt="Two panels: information by layer against the epoch, with and without orthonormal weights.",
    )


def _tracking(results: Any, settings: dict) -> Plate:
    curves = []
    for step, name, label in (("noisy", "i_x", "I(X;T)"), ("noisy", "apart", "clustering")):
        data = results[step]
        names = data["layer"].values.tolist()
        mean = values(results, step, name).mean(0)
        for k in (-2, -1):
            curves.append(
                {"panel": names[k], "name": label, "x": [s + 1 for s in data["step"].values.tolist()], "y": mean[:, k]}
            )
    each = []
    for k, layer in enumerate(results["noisy"]["layer"].values.tolist()):
        both = [values(results, "noisy", name)[:, :, k] for name in ("i_x", "apart")]
        r = rank_correlation(*both)
        moved = int(np.isfinite(r).sum())
        few = "" if moved == len(r) else f" ({moved} of {len(r)})"
        each.append(f"{layer}: {np.nanmean(r):.2f}{few}" if moved else f"{layer}: none")
    return Plate(
        name="tracking",
        title="Compression and clustering, side by side",
        figure=panels(curves, x_title="epoch + 1", y_title="bits", columns=2),
        table=table_of(curves),
        see="Do the lines move together? Rank correlation over looks, mean over the networks in which both move: "
        f"{'; '.join(each)}.",
        claims=("noisy-compression-tracks-clusters", "same-class-distance-tracks"),
        trust=f"Clustering: -log2 of the share of pairs of {CLUSTERED} samples nearer than 4 sigma, from distances alone. It "
        "saturates where few pairs are near, and a layer that keeps all 12 bits has nothing to correlate.",
        alt="Two panels: information and clustering of the last two hidden layers against the epoch.",
    )


def _penalty(results: Any, settings: dict) -> Plate:
    names = results["noisy"]["layer"].values.tolist()
    groups = {title: dict(zip(names, fall(values(results, step, "i_x")).T)) for step, title in _NOISY.items()}
    table = measured(groups)
    ends = {s: results[s]["test_accuracy"].transpose("seed", "step").values[:, -1].mean() for s in _NOISY}
    return Plate(
        name="orthonormal",
        title="Orthonormal weights against compression",
        figure=dots(table, x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"),
        table=table,
        see=f"Held-out accuracy at the end: {ends['noisy']:.3f} without, {ends['orthonormal']:.3f} with the penalty.",
        claims=("orthonormal-stops-compression", "orthonormal-no-harm"),
        trust=f"Same initial weights and splits. Penalty of weight {settings['orthonormal']:g} on the hidden layers; the output layer "
        "is free. Means with 95 % intervals over networks.",
        alt="Dots with error bars: fall of information by layer with and without the penalty.",
    )


def _binned(results: Any, settings: dict) -> Plate:
    data = results["deterministic"]
    steps, names = data["step"].values.tolist(), data["layer"].values.tolist()
    curves = []
    for size in data["size"].values.tolist():
        part = data["binned"].sel(size=size).transpose("seed", "step", "layer").values
        curves += over_training(f"cells of {size:g}", part, steps, names)
    return Plate(
        name="binned",
        title="No noise: the entropy of cells, by their size",
        figure=panels(curves, x_title="epoch + 1", y_title="H(T) (bits)", columns=2),
        table=table_of(curves),
        see="The same networks in every panel. Does which of them compress depend on the cell?",
        claims=("binned-entropy-depends-on-bin", "binned-entropy-tracks-clusters"),
        trust="Exact for each size, all 4096 patterns; means and middle 80 % of networks.",
        alt="Four panels: entropy of binned layers against the epoch for four cell sizes.",
    )


def _constant(results: Any, settings: dict) -> Plate:
    data = results["deterministic"]
    steps, names = data["step"].values.tolist(), data["layer"].values.tolist()
    curves = []
    for name, title in (
        ("exact_double", "every bit, double precision"),
        ("exact_single", "every bit, single precision"),
    ):
        curves += over_training(title, values(results, "deterministic", name), steps, names)
    return Plate(
        name="constant",
        title="No noise: the truth",
        figure=panels(curves, x_title="epoch + 1", y_title="H(T) (bits)", columns=2),
        table=table_of(curves),
        see="A strictly monotone network merges nothing: the truth is 12 bits at every epoch. Does single precision, where units saturate, lose any?",
        claims=("deterministic-is-constant",),
        trust="Rows of activations compared bit by bit; the same weights computed twice.",
        alt="Two panels: exact entropy of the layers against the epoch in double and single precision.",
    )


def _quantised(results: Any, settings: dict) -> Plate:
    data = results["quantised"]
    curves = []
    for name, (widths, activation) in ARCHITECTURES.items():
        found = quantised(results, name)
        names = [f"layer{k + 1}" for k in range(found.shape[2])]
        title = f"{'-'.join(map(str, widths[1:]))}, {activation}"
        curves += over_training(title, found, data["step"].values.tolist(), names)
    return Plate(
        name="quantised",
        title=f"Quantized networks, {settings['bits']} bits, exactly",
        figure=panels(curves, x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see="Nothing is estimated here. Do early layers stay at the top, and do the last ones fall?",
        claims=("quantised-early-layers-stay", "quantised-last-layers-compress", "quantised-output-compresses"),
        trust="Activations are rounded to 256 levels in training and afterwards; what is counted are the values that the network "
        "itself computes. The last line of a panel is the output. Means and middle 80 % of networks.",
        alt="Five panels: exact information by layer against the epoch for five architectures.",
    )


def _synthetic(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["synthetic"]
    figure = new_figure(xaxis_title="true I(X;Y) (bits)", yaxis_title="estimate (bits)")
    truth, kinds = data["truth"].values, data["kind"].values
    groups = [(kind, how) for kind in dict.fromkeys(kinds.tolist()) for how in data["how"].values.tolist()]
    for k, ((kind, how), colour, symbol) in enumerate(zip(groups, layer_colours(len(groups)), SYMBOLS)):
        mine = kinds == kind
        part = data.sel(how=how)
        value, low, high = (part[n].values[mine] for n in ("estimate", "low", "high"))
        x = (truth[mine] + 0.05 * (k - 1.5) + 0.02 * np.linspace(-1, 1, mine.sum())).round(3)
        error = {
            "type": "data",
            "symmetric": False,
            "array": (high - value).round(3).tolist(),
            "arrayminus": (value - low).round(3).tolist(),
        }
        figure.add_trace(
            go.Scatter(x=x.tolist(), y=value.round(3).tolist(), mode="markers", error_y=error | {"thickness": 1}, name=f"{kind}, {how}",
                       marker={"color": colour, "size": 7, "symbol": symbol})
        )  # fmt: skip
    top = float(truth.max()) * 1.1
    figure.add_shape(type="line", x0=0, y0=0, x1=top, y1=top, line={"dash": "dot", "color": NEUTRAL})
    return Plate(
        name="synthetic",
        title="Images of known information, compressed to two numbers",
        figure=figure,
        table=data.to_dataframe().reset_index(),
        see="Dots on the dotted line are right, below it too low. Which compressor keeps the information of an image that two numbers draw?",
        claims=("compressed-estimate-is-lower", "compressed-estimate-is-near"),
        trust="The truth is exact: two correlated pairs of numbers draw each pair of images. Bars: 95 % intervals from disjoint "
        "batches. That an estimate may lie above the truth is the estimator's error, not the compression's.",
        alt="Scatter plot of estimates against the true information for two kinds of images and two compressors.",
    )


def _convolutional(results: Any, settings: dict) -> Plate:
    data = results["convolutional"]
    curves = []
    for k, seed in enumerate(data["seed"].values.tolist()):
        part = data.sel(seed=seed)
        x = [s + 1 for s in data["step"].values.tolist()]
        for layer in data["layer"].values.tolist():
            value, half = part["i_x"].sel(layer=layer).values, part["half_width"].sel(layer=layer).values
            curves.append(
                {
                    "panel": f"network {k + 1}",
                    "name": layer,
                    "x": x,
                    "y": value,
                    "low": value - half,
                    "high": value + half,
                }
            )
        loss = part["loss"].values
        keep = np.isfinite(loss)
        curves.append({"panel": f"network {k + 1}", "name": "loss (nats)", "x": np.array(x)[keep].tolist(), "y": loss[keep], "dash": "dash"})  # fmt: skip
    accuracy = data["accuracy"].transpose("seed", "step").values[:, -1]
    return Plate(
        name="convolutional",
        title="A convolutional network, compressed estimates",
        figure=panels(curves, x_title="training step + 1", y_title="I(X;L) (bits), loss (nats)", columns=2),
        table=table_of(curves),
        see=f"Do layers rise and fall, and does the first fall go with that of the loss? Held-out accuracy {accuracy.mean():.2f}.",
        trust="Raw, not smoothed, with 95 % intervals of the estimator. A lower bound in truth, but estimated: images to four numbers "
        "by an autoencoder, layers by principal components, weighted Kozachenko-Leonenko. 1,797 digits of 8 x 8 pixels, not MNIST; "
        "the noise is 1e-3 of each activation. Near log2(1797) = 10.8 bits no estimate from so few samples can be trusted. Two "
        "networks: nothing here is decided.",
        alt="Two panels: estimated information of four layers and the loss against the training step.",
    )


SECTIONS = (
    ("One neuron", "A channel whose inputs merge.", (_one_neuron,)),
    (
        "Noisy networks",
        "Noise that belongs to the network, in training and afterwards; information by sample propagation.",
        (_noisy_curves, _tracking, _penalty, pictures.clusters_plate),
    ),
    (
        "Deterministic networks",
        "The same without noise: the truth is a constant, and cells see clusters.",
        (_constant, _binned),
    ),
    (
        "Quantized networks (Lorenzen et al. 2022)",
        "Levels that belong to the network: exact.",
        (_quantised, pictures.quantised_plate),
    ),
    (
        "Compressed estimates (Butakov et al. 2024)",
        "Many dimensions made few, where the truth is known and where it is not.",
        (_synthetic, _convolutional),
    ),
)
