"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

import numpy as np

from deeptheory.core.names import count_of
from deeptheory.information import fall
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.goldfeld_2019.claims import CLAIMS, quantized, rank_correlation, values
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES, CLUSTERED, CNN_NOISE, DIGIT_RATE, DIGIT_WIDTHS
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import stated
from deeptheory.studies.tables import by_layer, curve, measured, over_training, table_of

_NOISY = {"noisy": "noise in every layer", "orthonormal": "and orthonormal weights"}
MAIN = "noisy"
TITLE = "Estimating information flow in deep neural networks"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"Networks {shape} with noise of their own (standard deviation {settings['noise']:g}, from memory, "
        f"unverified) or with "
        f"{settings['bits']}-bit levels learn the 12-bit task for {settings['epochs']} epochs: does I(X;T), which is "
        f"theirs, fall?"
    )


def _one_neuron(results: Any, settings: dict) -> PageFigure:
    data = results["one-neuron"]["i_x"]
    w = data["w"].values.tolist()
    each = [curve("inputs -3, -1, 1, 3", f"noise {s:g}", w, data.sel(sigma=s).values) for s in data["sigma"].values]
    table = table_of([row for rows in each for row in rows])
    figure = charts.lines(table, panel="panel", log="x", x_title="weight w", y_title="I(X;T) (bits)")
    return PageFigure(
        name="one-neuron",
        title="One noisy neuron, exactly (section 3)",
        figure=charts.region(figure, *stated(CLAIMS, "one-neuron-merges"), across=(w[-1] / 1.5, w[-1])),
        table=table,
        published="A toy of one tanh unit with four inputs: I(X;T) falls from log2 4 towards log2 2 as the weight "
        "grows and inputs merge (section 3; from memory of the paper, unverified).",
        shows="Four inputs: two bits at most. How many bits are left as the weight grows and the unit saturates? "
        "Shaded, at the right: where they have to end.",
        claims=("one-neuron-merges",),
        limitations="The entropy of a mixture of four Gaussians by one integral; tested against plain quadrature to "
        "1e-9.",
        alt="Lines of information against the weight for three noise levels.",
    )


def _noisy_curves(results: Any, settings: dict) -> PageFigure:
    table = table_of([row for step, title in _NOISY.items() for row in by_layer(title, results[step]["i_x"])])
    width = float((results["noisy"]["i_x_high"] - results["noisy"]["i_x_low"]).isel(layer=-1).mean())
    return PageFigure(
        name="noisy",
        title="Information that is the network's own, over training",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="I(X;T) (bits)", columns=2),
        table=table,
        published="Noisy tanh networks compress as inputs of one class come to lie together; orthonormal weights stop "
        "both, and the test error is no worse (section 5; by the abstract and the authors' slides, noise levels and "
        "numbers of the figures unverified).",
        shows="Do deep layers rise and fall on the left? Right: the same networks, started alike, "
        "with nearly orthonormal weights.",
        claims=("noisy-compresses", "orthonormal-stops-compression"),
        limitations=f"Sample propagation: the interval of the last hidden layer, with its bracket, is {width:.1f} "
        f"bits wide "
        "on average; where the noise of early layers is amplified the estimate is too high rather than too low. Bands: "
        "middle 80 % of networks.",
        alt="Two panels: information by layer against the epoch, with and without orthonormal weights.",
    )


def _tracking(results: Any, settings: dict) -> PageFigure:
    data = results["noisy"]
    names, x, each = data["layer"].values.tolist(), [s + 1 for s in data["step"].values.tolist()], []
    shown = [
        (name, label, k) for name, label in (("i_x", "I(X;T)"), ("apart", "clustering")) for k in range(len(names))[-2:]
    ]
    rows = [curve(names[k], label, x, values(results, "noisy", name).mean(0)[:, k]) for name, label, k in shown]
    table = table_of([row for line in rows for row in line])
    for k, layer in enumerate(names):
        both = [values(results, "noisy", name)[:, :, k] for name in ("i_x", "apart")]
        r = rank_correlation(*both)
        moved = int(np.isfinite(r).sum())
        few = "" if moved == len(r) else f" ({moved} of {len(r)})"
        each.append(f"{layer}: {np.nanmean(r):.2f}{few}" if moved else f"{layer}: none")
    return PageFigure(
        name="tracking",
        title="Compression and clustering, side by side",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="bits", columns=2),
        table=table,
        published="Compression goes with the clustering of inputs of one class, in noisy networks (section 5; no "
        "number verified).",
        shows="Do the lines move together? Rank correlation over looks, mean over the networks in which both move: "
        f"{'; '.join(each)}.",
        claims=("noisy-compression-tracks-clusters", "same-class-distance-tracks"),
        limitations=f"Clustering: -log2 of the share of pairs of {CLUSTERED} samples nearer than 4 sigma, from "
        f"distances "
        "alone. It saturates where few pairs are near, and a layer that keeps all 12 bits has nothing to correlate.",
        alt="Two panels: information and clustering of the last two hidden layers against the epoch.",
    )


def _penalty(results: Any, settings: dict) -> PageFigure:
    names = results["noisy"]["layer"].values.tolist()
    table = measured({t: dict(zip(names, fall(values(results, step, "i_x")).T)) for step, t in _NOISY.items()})
    ends = {s: results[s]["test_accuracy"].transpose("seed", "step").values[:, -1].mean() for s in _NOISY}
    figure = charts.points(
        table, "at", "mean", "condition", x_title="layer", y_title="fall of I(X;T) after its maximum (bits)"
    )
    ids = {c.id for c in CLAIMS}
    judged = [name for name in names if f"noisy-compresses/{name}" in ids]
    shaded = f"Shaded: where {' and '.join(judged)} have to lie without the penalty. " if judged else ""
    for k, name in enumerate(names):
        if name in judged:
            charts.region(figure, *stated(CLAIMS, f"noisy-compresses/{name}"), across=(k - 0.5, k + 0.5))
    return PageFigure(
        name="orthonormal",
        title="Orthonormal weights against compression",
        figure=figure,
        table=table,
        shows=f"{shaded}Where do layers lie without the penalty, where with it? "
        f"Held-out accuracy at the end: {ends['noisy']:.3f} without, {ends['orthonormal']:.3f} with the penalty.",
        claims=("orthonormal-stops-compression", "orthonormal-no-harm", "noisy-compresses"),
        limitations=f"Same initial weights and splits. Penalty of weight {settings['orthonormal']:g} on the hidden "
        f"layers; the output layer is free. Means with 95 % intervals over networks.",
        alt="Dots with error bars: fall of information by layer with and without the penalty.",
    )


def _binned(results: Any, settings: dict) -> PageFigure:
    data = results["deterministic"]["binned"]
    table = table_of([row for c in data["size"].values for row in by_layer(f"cells of {c:g}", data.sel(size=c))])
    return PageFigure(
        name="binned",
        title="No noise: the entropy of cells, by their size",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="H(T) (bits)", columns=2),
        table=table,
        published="Cells of 0.0001, 0.001, 0.01 and 0.1 (the authors' slides): the entropy of cells follows the same "
        "clusters and depends strongly on the size (section 5).",
        shows="The same networks in every panel. Does which of them compress depend on the cell?",
        claims=("binned-entropy-depends-on-bin", "binned-entropy-tracks-clusters"),
        limitations="Exact for each size, all 4096 patterns; means and middle 80 % of networks.",
        alt="Four panels: entropy of binned layers against the epoch for four cell sizes.",
    )


def _constant(results: Any, settings: dict) -> PageFigure:
    shown = {"exact_double": "every bit, double precision", "exact_single": "every bit, single precision"}
    table = table_of([row for name, title in shown.items() for row in by_layer(title, results["deterministic"][name])])
    return PageFigure(
        name="constant",
        title="No noise: the truth",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="H(T) (bits)", columns=2),
        table=table,
        published="Without noise I(X;T) does not depend on the weights: it is H(X) for finitely many inputs, infinite "
        "for continuous ones (section 2, proven).",
        shows="A strictly monotone network merges nothing: the truth is 12 bits at every epoch. Does single precision, "
        "where units saturate, lose any?",
        claims=("deterministic-is-constant",),
        limitations="Rows of activations compared bit by bit; the same weights computed twice.",
        alt="Two panels: exact entropy of the layers against the epoch in double and single precision.",
    )


def _quantized(results: Any, settings: dict) -> PageFigure:
    steps, rows = results["quantised"]["step"].values.tolist(), []
    for name, (widths, activation) in ARCHITECTURES.items():
        layers = [f"layer{k}" for k in range(1, len(widths))]
        rows += over_training(
            f"{'-'.join(map(str, widths[1:]))}, {activation}", quantized(results, name), steps, layers
        )
    table = table_of(rows)
    return PageFigure(
        name="quantised",
        title=f"Quantized networks, {settings['bits']} bits, exactly",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table,
        published="8 bits, 50 networks on the 12-bit task. The output layer compresses in all experiments (abstract); "
        "early layers stay at the top and hidden ones fall in some networks only (from memory, unverified).",
        shows="Nothing is estimated here. Do early layers stay at the top, and do the last ones fall?",
        claims=("quantised-early-layers-stay", "quantised-last-layers-compress", "quantised-output-compresses"),
        limitations=f"Activations are rounded to {2 ** settings['bits']} levels in training and afterwards; what is "
        "counted are the values that the network itself computes. The last line of a panel is the output. Means and "
        "middle 80 % of networks.",
        alt="Five panels: exact information by layer against the epoch for five architectures.",
    )


def _synthetic(results: Any, settings: dict) -> PageFigure:
    table = results["synthetic"].to_dataframe().reset_index()
    drawn = table.assign(series=table["kind"] + ", " + table["how"]).sort_values(["kind", "how"], kind="stable")
    # beside each other, so that no interval covers another
    order, places = drawn["series"].unique().tolist(), drawn.groupby("series").cumcount()
    apart = 0.05 * (drawn["series"].map(order.index) - 1.5) + 0.02 * (2 * places / max(1, places.max()) - 1)
    figure = charts.points(
        drawn.assign(at=drawn["truth"] + apart),
        "at",
        "estimate",
        "series",
        x_title="true I(X;Y) (bits)",
        y_title="estimate (bits)",
    )
    return PageFigure(
        name="synthetic",
        title="Images of known information, compressed to two numbers",
        figure=charts.reference(figure, diagonal=(0, 1.1 * table["truth"].max())),
        table=table,
        published="Images of Gaussians and of rectangles with known information, compressed by an autoencoder; a code "
        "that loses something gives a lower bound (section 5; no number verified).",
        shows="Dots on the dotted line are right, below it too low. "
        "Which compressor keeps the information of an image that two numbers draw?",
        claims=("compressed-estimate-is-lower", "compressed-estimate-is-near"),
        limitations="The truth is exact: two correlated pairs of numbers draw each pair of images. Bars: 95 % "
        "intervals from "
        "disjoint batches. That an estimate may lie above the truth is the estimator's error, not the compression's.",
        alt="Scatter plot of estimates against the true information for two kinds of images and two compressors.",
    )


def _convolutional(results: Any, settings: dict) -> PageFigure:
    data, rows = results["convolutional"], []
    x = [s + 1 for s in data["step"].values.tolist()]
    for k, seed in enumerate(data["seed"].values.tolist()):
        part, panel = data.sel(seed=seed), f"network {k + 1}"
        for layer in data["layer"].values.tolist():
            value, half = (part[name].sel(layer=layer).values for name in ("i_x", "half_width"))
            rows += curve(panel, layer, x, value, low=value - half, high=value + half)
        rows += [row for row in curve(panel, "loss (nats)", x, part["loss"].values) if np.isfinite(row["y"])]
    table = table_of(rows)
    accuracy = data["accuracy"].transpose("seed", "step").values[:, -1]
    return PageFigure(
        name="convolutional",
        title="A convolutional network, compressed estimates",
        figure=charts.lines(
            table,
            panel="panel",
            log="x",
            x_title="training step + 1",
            y_title="I(X;L) (bits), loss (nats)",
            columns=2,
            style={"loss (nats)": {"line": {"dash": "dash"}}},
        ),
        table=table,
        published="Several phases of fitting and of compression, of which the first compression goes with the fast "
        "fall of the loss; 300 epochs on MNIST, curves smoothed.",
        shows="Do layers rise and fall, and does the first fall go with that of the loss? Held-out accuracy "
        f"{accuracy.mean():.2f}.",
        limitations="Raw, not smoothed, with 95 % intervals of the estimator. A lower bound in truth, but estimated: "
        "images "
        "to four numbers by an autoencoder, layers by principal components, weighted Kozachenko-Leonenko. 1,797 digits "
        "of 8 x 8 pixels, not MNIST; the noise is 1e-3 of each activation. Near log2(1797) = 10.8 bits no estimate "
        "from so few samples can be trusted. Two networks: nothing here is decided.",
        alt="Two panels: estimated information of four layers and the loss against the training step.",
    )


def _clusters(results: Any, settings: dict) -> PageFigure:
    """Cosine similarities by layer."""
    data = results["clusters"]
    both = data[["within", "between"]].rename(within="same class", between="other class").to_dataarray("kind")
    table = table_of(
        [row for layer in data["layer"].values.tolist() for row in by_layer(layer, both.sel(layer=layer), over="kind")]
    )
    accuracy = data["accuracy"].transpose("seed", "step").values[:, -1]
    return PageFigure(
        name="clusters",
        title="Clustering in a convolutional network (Goldfeld et al., section 5)",
        figure=charts.lines(
            table, panel="panel", log="x", x_title="training step + 1", y_title="mean cosine similarity", columns=2
        ),
        table=table,
        published="In a four-layer network on MNIST similarities within and between classes part, layer by layer: "
        "compression is by clusters (section 5; drawn; no number verified).",
        shows=f"Do the lines part, and in which layers? Held-out accuracy at the end {accuracy.mean():.3f}.",
        claims=("mnist-cnn-clusters",),
        limitations=f"Data: {data.attrs['pictures']}; cosines between {data.attrs['shown']} held-out ones, no "
        f"density and no "
        f"noise in the measure. Three convolutions and a dense layer, noise of {CNN_NOISE:g} of each activation: "
        f"Butakov et al.'s network, not Goldfeld et al.'s own. {count_of(len(accuracy), 'network')}, "
        "middle 80 % as bands.",
        alt="Four panels, a layer each: cosine similarity within and between classes against the training step.",
    )


def _quantized_digits(results: Any, settings: dict) -> PageFigure | None:
    """Exact information by layer; None where this scale does not train them."""
    data = results["quantised-pictures"]
    if "i_x" not in data:
        return None
    table = table_of(by_layer("-".join(map(str, (*DIGIT_WIDTHS, 10))), data["i_x"]))
    accuracy = data["test_accuracy"].isel(step=-1)  # its mean leaves out NaN
    return PageFigure(
        name="quantised-pictures",
        title=f"Quantized networks on pictures of digits, {settings['bits']} bits, exactly",
        figure=charts.lines(table, panel="panel", log="x", x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table,
        published="784-16-8-4-2-10 with ReLU on MNIST, 8 bits, 20 networks; the output layer compresses (abstract).",
        shows=f"Which layers fall? Held-out accuracy at the end {float(accuracy.mean()):.3f}.",
        claims=(
            "quantised-early-layers-stay/mnist",
            "quantised-last-layers-compress/mnist",
            "quantised-output-compresses/mnist",
        ),
        limitations=f"Data: {data.attrs['pictures']}, all of them counted, so that log2 of their number is the most; "
        f"the last line is the output. {data.attrs['epochs']} epochs with Adam, rate {DIGIT_RATE:g}. Bands: "
        "middle 80 % of networks.",
        alt="Exact information by layer against the epoch.",
    )


SECTIONS: tuple[Part, ...] = (
    ("One neuron", "A channel whose inputs merge.", (_one_neuron,)),
    (
        "Noisy networks",
        "Noise that belongs to the network, in training and afterwards; information by sample propagation.",
        (_noisy_curves, _tracking, _penalty, _clusters),
    ),
    (
        "Deterministic networks",
        "The same without noise: the truth is a constant, and cells see clusters.",
        (_constant, _binned),
    ),
    (
        "Quantized networks (Lorenzen et al. 2022)",
        "Levels that belong to the network: exact.",
        (_quantized, _quantized_digits),
    ),
    (
        "Compressed estimates (Butakov et al. 2024)",
        "Many dimensions made few, where the truth is known and where it is not.",
        (_synthetic, _convolutional),
    ),
)
