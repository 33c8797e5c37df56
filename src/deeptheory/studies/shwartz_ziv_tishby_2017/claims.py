"""What the paper claims, as quantities with regions that were written before anything was measured.

A network that learns goes through two phases: it first fits its labels, and then, for most of training, its layers
forget what the label does not need. The second phase begins where the gradients turn from drift to diffusion, and their
noise drives it. In the end the layers lie near the information bottleneck bound. More layers shorten the way there, and
with few samples the second phase loses what matters, too. All of it is seen in the plane of I(X;T) and I(T;Y).

I in bits; one value a network, or a network of each condition with one seed, so that intervals are over networks.
"""

from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

import deeptheory as dt
from deeptheory.core.statistics import spearman
from deeptheory.information import fall, fits_before_compressing, fraction_of_information
from deeptheory.runs import NotRun, Sample, share_of
from deeptheory.studies.paper import Paper, along, place, ratio, same

PAPER = Paper(
    citation="Shwartz-Ziv & Tishby 2017",
    protocol="code (cells, optimizer and minibatches of the released program; split drawn for each network, where that "
    "program takes the first 80 % of rows) unless the run says paper",
)
_LAYERS = [f"layer{k}" for k in range(1, 7)]
_DEEP = _LAYERS[3:]  # the last two hidden layers and the output: of them alone the paper says that they compress
_LAST_EPOCHS = 10
_FALLS_TOGETHER = (
    "epoch where the gradient SNR falls through 1 permanently / epoch of the largest I(X;T) of the last hidden layer, "
    "epochs counted from 1, median over networks; 0 where the SNR is below 1 from the first look on"
)


def last_hidden(data: Any) -> Any:
    """The layer before the output."""
    return data.isel(layer=-2)


def two_phases(data: Any) -> Sample:
    """The share of networks in which a layer fits before it compresses."""
    i_x, i_y = data["i_x"].values, data["i_y"].values
    return share_of(fits_before_compressing(i_x, i_y), i_x, i_y)


def fits_then_compresses(results: Any, layer: str) -> Sample:
    """The same of a layer of the protocol's networks."""
    return two_phases(results["minibatch"].isel(layer=place(results["minibatch"], layer)))


def first_layer_fall(results: Any) -> np.ndarray:
    """The fall of the first hidden layer."""
    return fall(results["minibatch"].isel(layer=0)["i_x"].values)


def label_share(results: Any) -> np.ndarray:
    """I(T;Y) of the last hidden layer at the end over I(X;Y)."""
    data = results["minibatch"]
    return fraction_of_information(last_hidden(data)["i_y"].values, data.attrs["information"])


def transition(crossing: np.ndarray, i_x: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[seed]: epoch at which the SNR falls through 1 / at which I(X;T) [seed, step] is largest, both counted from 1, as
    on a logarithmic axis. 0 where the SNR lies below 1 from the first logged epoch on and falls through nothing; NaN
    where I(X;T) does not fall after its largest value, which then begins no compression."""
    relative, down = (crossing + 1) / (steps[i_x.argmax(1)] + 1), fall(i_x)
    return np.where((crossing == 0) & ~np.isnan(down), 0.0, np.where(down > 0, relative, np.nan))


def layer_transition(results: Any, layer: str) -> Sample:
    """Where a layer's gradients turn, against where the last hidden layer begins to compress."""
    data = results["minibatch"]
    crossing = dt.gradient_phases(data).crossing[:, place(data, layer)]
    return Sample(transition(crossing, last_hidden(data)["i_x"].values, data["step"].values), "median")


def digit_transition(results: Any) -> Sample:
    """The same on images of digits, the median of the layers."""
    data = results["pictures"]
    with np.errstate(invalid="ignore"):
        crossing = np.median(dt.gradient_phases(data).crossing, axis=1)
    values = transition(crossing, last_hidden(data)["i_x"].values, data["step"].values)
    return Sample(values, "median", (f"data: {data.attrs['pictures']}",))


def snr_range(results: Any) -> np.ndarray:
    """Largest less smallest log SNR over layers at the end."""
    snr = dt.gradient_phases(results["minibatch"]).snr[:, -_LAST_EPOCHS:]
    return np.ptp(np.log10(snr).mean(1), axis=1)


def full_batch_fall(results: Any) -> Sample | NotRun:
    """The fall of the last hidden layer with the full batch over that with minibatches."""
    steps = "full-batch", "minibatch"
    return same(results, "i_x", *steps) or ratio(*(fall(last_hidden(results[step])["i_x"].values) for step in steps))


def alikeness(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute cosine between the units of two layers, [unit, input] each, under the best pairing of units; NaN
    where a network has diverged."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.nan
    unit = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in (a, b)]
    cosine = np.abs(unit[0] @ unit[1].T)
    return float(cosine[linear_sum_assignment(cosine, maximize=True)].mean())


def alikeness_gained(results: Any) -> np.ndarray | NotRun:
    """[pair]: how much more alike two networks are once they are trained."""
    data = results["minibatch"]
    before, after = data["weights_before"].values, data["weights_after"].values
    pairs = [(k, k + 1) for k in range(0, len(before) - 1, 2)]  # each network in one pair: pairs are independent
    if not pairs:
        return NotRun("one network has no other to differ from")
    return np.array([alikeness(after[i], after[j]) - alikeness(before[i], before[j]) for i, j in pairs])


def epochs_to(data: Any, level: float) -> np.ndarray:
    """[depth, seed]: the first logged epoch at which the output's I(T;Y) has reached that many bits;
    infinite if never, NaN where a network has diverged."""
    i_y = data["output_i_y"].transpose("depth", "seed", "step").values
    reached = i_y >= level
    first = np.where(reached.any(-1), data["step"].values.astype(float)[reached.argmax(-1)], np.inf)
    return np.where(np.isnan(i_y).any(-1), np.nan, first)


def depth_with_epochs(results: Any) -> np.ndarray:
    """[network]: rank correlation of the depth with the epochs that it takes."""
    data = results["depth"]
    needed = epochs_to(data, 0.95 * data.attrs["information"])
    return np.array([spearman(data["depth"].values, column) for column in needed.T])


def one_layer_share(results: Any) -> np.ndarray | NotRun:
    """I(T;Y) of the output of one-layer networks at the end over I(X;Y)."""
    data = results["depth"]
    if 1 not in data["depth"].values:
        return NotRun("no network with one hidden layer was trained")
    i_y = data["output_i_y"].sel(depth=1).transpose("seed", "step").values
    return fraction_of_information(i_y, data.attrs["information"])


def label_by_share(data: Any) -> np.ndarray:
    """[share, seed, step]: I(T;Y) of the last hidden layer."""
    return last_hidden(data)["i_y"].transpose("share", "seed", "step").values


def label_lost(results: Any, percent: str) -> np.ndarray | NotRun:
    """Largest less last I(T;Y) of the last hidden layer with that part of the data."""
    data = results["training-size"]
    at = np.flatnonzero(np.isclose(data["share"].values, float(percent) / 100))
    if not len(at):
        return NotRun(f"{percent} % is not among the shares of this run")
    i_y = label_by_share(data)[at[0]]
    return i_y.max(-1) - i_y[:, -1]


def share_with_label(results: Any) -> np.ndarray:
    """[network]: rank correlation of the share that trains with I(T;Y) at the end."""
    data = results["training-size"]
    return np.array([spearman(data["share"].values, ends) for ends in label_by_share(data)[:, :, -1].T])


def layer_with_beta(results: Any) -> np.ndarray:
    """[network]: rank correlation of the layer with its fitted beta."""
    beta = results["minibatch"]["bound_beta"].isel(when=-1).transpose("seed", "layer").values
    return np.array([spearman(np.arange(len(row)), row) for row in beta])


def distance_left(results: Any, layer: str) -> Sample | NotRun:
    """How much of a layer's distance from the bound is left at the end."""
    at = results["minibatch"]["bound_distance"].isel(layer=place(results["minibatch"], layer))
    before = at.isel(when=0).values
    if before.mean() < 1e-6:
        return NotRun(
            f"untrained {layer} is on the bound already ({before.mean():.1e} bits below it on average): the "
            "readout tells nearly all inputs apart, so there is no distance to shrink"
        )
    return ratio(at.isel(when=-1).values, before)


CLAIMS = [
    *(
        PAPER.claim(
            f"fit-then-compress/{name}",
            "figure 2",
            "Networks first fit the labels and then, for most of training, compress the input.",
            "share of networks where I(T;Y) reaches 95 % of its end value before I(X;T) has lost half of its total "
            "fall, and that fall is over 0.5 bit",
            ">= 0.8" if name in _DEEP else None,
            along(partial(fits_then_compresses, layer=name), "minibatch"),
        )
        for name in _LAYERS
    ),
    PAPER.claim(
        "first-layer-flat",
        "figure 2",
        "The first hidden layer keeps its information about the input.",
        "largest fall of I(X;T) of the first hidden layer after its maximum, mean over networks",
        "< 0.1",
        along(first_layer_fall, "minibatch"),
        unit="bits",
    ),
    PAPER.claim(
        "full-information",
        "figure 2",
        "At the end the last hidden layer holds nearly all information about the label.",
        "I(T;Y) of the last hidden layer at the end / I(X;Y), mean over networks",
        "> 0.95",
        label_share,
    ),
    *(
        PAPER.claim(
            f"snr-transition/{name}",
            "figure 4",
            "Gradients turn from drift to diffusion when compression begins.",
            _FALLS_TOGETHER,
            "[1/3, 3]",
            along(partial(layer_transition, layer=name), "minibatch"),
            published="transition near epoch 350, together with the bend",
            published_trust="from notes on the text; read off a figure",
        )
        for name in _LAYERS
    ),
    PAPER.claim(
        "snr-alike-across-layers",
        "figure 4",
        "At the end the log SNR is about the same in every layer.",
        f"largest less smallest log10 SNR over layers, mean of the last {_LAST_EPOCHS} looks, mean over networks",
        "< 0.5",
        along(snr_range, "minibatch", least=2 * _LAST_EPOCHS),  # of fewer the last ones are no end
    ),
    PAPER.claim(
        "noise-drives-compression",
        "section 3.3",
        "The noise of minibatch gradients drives the compression.",
        "mean fall of I(X;T) of the last hidden layer, full batch / minibatch, same networks",
        "< 0.5",
        along(full_batch_fall, "full-batch", "minibatch"),
    ),
    PAPER.claim(
        "networks-differ",
        "section 3.2",
        "Different networks reach the same place in the plane with different weights.",
        "mean absolute cosine of first-layer weights between two networks (best pairing of units), "
        "trained less untrained",
        "<= 0.1",
        alikeness_gained,
        n_of="pairs of networks",
    ),
    PAPER.claim(
        "depth-speeds-learning",
        "figure 5",
        "Hidden layers shorten the time to good generalization.",
        "Spearman of the number of hidden layers (1 to 6) with epochs until the output holds 95 % of I(X;Y), "
        "networks of one seed",
        "< 0",
        along(depth_with_epochs, "depth"),
    ),
    PAPER.claim(
        "one-layer-too-slow",
        "figure 5",
        "One hidden layer does not get there.",
        "I(T;Y) of the output of a one-layer network at the last epoch / I(X;Y)",
        "< 0.95",
        one_layer_share,
    ),
    *(
        PAPER.claim(
            f"small-data-loses/{share}",
            "figure 3",
            "With few samples compression loses information about the label.",
            f"largest less last I(T;Y) of the last hidden layer, {share} % of the data",
            region,
            along(partial(label_lost, percent=share), "training-size"),
            unit="bits",
        )
        for share, region in (("5", "> 0.02"), ("45", None), ("85", "< 0.02"))
    ),
    PAPER.claim(
        "more-data-more-label",
        "figure 7",
        "More training data raises the information about the label.",
        "Spearman of the training share with I(T;Y) of the last hidden layer at the end",
        "> 0.8",
        along(share_with_label, "training-size", dim="share", least=3, what="fractions of the data"),
    ),
    PAPER.claim(
        "beta-falls-with-depth",
        "figure 6",
        "The fitted trade-off falls with depth.",
        "Spearman of the layer with its fitted beta",
        "< 0",
        layer_with_beta,
    ),
    *(
        PAPER.claim(
            f"on-the-bound/{name}",
            "figure 6",
            "Converged layers lie near the information bottleneck bound.",
            "I(T;Y) short of the bound at its I(X;T), at the end / before training, same networks, p(x, "
            "y) with gamma = 50",
            "< 1/3",
            partial(distance_left, layer=name),
        )
        for name in _LAYERS
    ),
    PAPER.claim(
        "committee-same-phases",
        "figure 8",
        "A committee machine shows the same phases.",
        "as fit-then-compress, last hidden layer, on the committee task",
        ">= 0.8",
        along(lambda results: two_phases(last_hidden(results["committee"])), "committee"),
    ),
    PAPER.claim(
        "mnist-gradient-phases",
        "figure 8",
        "The gradient phases show on MNIST.",
        "as snr-transition, median over layers, on MNIST where it is found and small digits otherwise (the figure says "
        "which)",
        "[1/3, 3]",
        along(digit_transition, "pictures"),
        setting="scaled down",  # fewer digits, or smaller ones
    ),
]
