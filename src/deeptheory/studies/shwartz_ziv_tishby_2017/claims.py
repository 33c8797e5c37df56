"""What the paper claims, as quantities with regions that were written before anything was measured.

I in bits; one value a network, so that intervals are over networks. What figures 3, 5, 6, 7 and 8 need is in further_claims.
"""

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

import deeptheory as dt
from deeptheory.information import fall, fits_before_compressing, fraction_of_information
from deeptheory.runs import Claim, NotRun, Sample, at_setting
from deeptheory.studies.shwartz_ziv_tishby_2017 import further_claims as further

_PAPER = "Shwartz-Ziv & Tishby 2017"
_PROTOCOL = "code (cells, optimiser and minibatches of the released program; split drawn for each network, where that program takes the first 80 % of rows) unless the run says paper"
_LAYERS = [f"layer{k}" for k in range(1, 7)]
_DEEP = _LAYERS[3:]  # the last two hidden layers and the output: of them alone the paper says that they compress
_LAST_LOOKS = 10


def _layer(results: Any, name: str, step: str = "minibatch") -> Any:
    data = results[step]
    if name not in data["layer"].values:
        return None
    return data.sel(layer=name)


def last_hidden(data: Any) -> Any:
    """The layer before the output."""
    return data.isel(layer=-2)


def _fit_then_compress(name: str):
    def measure(results):
        data = _layer(results, name)
        if data is None:
            return NotRun(f"these networks have no {name}")
        return fits_before_compressing(data["i_x"].values, data["i_y"].values)

    return measure


def _first_layer_flat(results):
    return fall(results["minibatch"].isel(layer=0)["i_x"].values)


def _full_information(results):
    data = results["minibatch"]
    return fraction_of_information(last_hidden(data)["i_y"].values, data.attrs["information"])


def _snr_transition(name: str):
    def measure(results):
        data = results["minibatch"]
        if name not in data["layer"].values:
            return NotRun(f"these networks have no {name}")
        phases = dt.gradient_phases(data)
        crossing = phases.crossing[:, phases.layers.index(name)]
        return Sample(further.transition(crossing, last_hidden(data)["i_x"].values, data["step"].values), "median")

    return measure


def _snr_alike(results):
    snr = dt.gradient_phases(results["minibatch"]).snr[:, -_LAST_LOOKS:]
    log = np.log10(snr).mean(1)  # [seed, layer]
    return log.max(1) - log.min(1)


def _noise_drives(results):
    falls = [fall(last_hidden(results[step])["i_x"].values) for step in ("full-batch", "minibatch")]
    return Sample(np.stack(falls, axis=1), "ratio")


def alikeness(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute cosine between the units of two layers, [unit, input] each, under the best pairing of units; NaN where a
    network has diverged."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return np.nan
    unit = [w / np.linalg.norm(w, axis=1, keepdims=True) for w in (a, b)]
    cosine = np.abs(unit[0] @ unit[1].T)
    return float(cosine[linear_sum_assignment(cosine, maximize=True)].mean())


def _networks_differ(results):
    data = results["minibatch"]
    before, after = data["weights_before"].values, data["weights_after"].values
    pairs = [(k, k + 1) for k in range(0, len(before) - 1, 2)]  # each network in one pair: pairs are independent
    if not pairs:
        return NotRun("one network has no other to differ from")
    return np.array([alikeness(after[i], after[j]) - alikeness(before[i], before[j]) for i, j in pairs])


def _claim(id: str, figure: str, statement: str, quantity: str, region: str | None, measure, unit="1", **more) -> Claim:
    return Claim(
        id=id,
        figure=figure,
        source=f"{_PAPER}, figure {figure}" if figure[:1].isdigit() else f"{_PAPER}, {figure}",
        statement=statement,
        quantity=quantity,
        unit=unit,
        region=region,
        criterion=more.pop(
            "criterion", f"95 % interval over networks within {region}" if region else "listed without a verdict"
        ),
        protocol=_PROTOCOL,
        measure=measure,
        **more,
    )


CLAIMS = [
    *(
        _claim(
            f"fit-then-compress/{name}",
            "2",
            "Networks first fit the labels and then, for most of training, compress the input.",
            "share of networks where I(T;Y) reaches 95 % of its end value before I(X;T) has lost half of its total fall, "
            "and that fall is over 0.5 bit",
            ">= 0.8" if name in _DEEP else None,
            _fit_then_compress(name),
        )
        for name in _LAYERS
    ),
    _claim(
        "first-layer-flat",
        "2",
        "The first hidden layer keeps its information about the input.",
        "largest fall of I(X;T) of the first hidden layer after its maximum, mean over networks",
        "< 0.1",
        _first_layer_flat,
        unit="bits",
    ),
    _claim(
        "full-information",
        "2",
        "At the end the last hidden layer holds nearly all information about the label.",
        "I(T;Y) of the last hidden layer at the end / I(X;Y), mean over networks",
        "> 0.95",
        _full_information,
    ),
    *(
        _claim(
            f"snr-transition/{name}",
            "4",
            "Gradients turn from drift to diffusion when compression begins.",
            "epoch where the gradient SNR falls through 1 for good / epoch of the largest I(X;T) of the last hidden layer, "
            "epochs counted from 1, median over networks; 0 where the SNR is below 1 from the first look on",
            "[1/3, 3]",
            _snr_transition(name),
            published="transition near epoch 350, together with the bend",
            published_trust="from notes on the text; read off a figure",
        )
        for name in _LAYERS
    ),
    _claim(
        "snr-alike-across-layers",
        "4",
        "At the end the log SNR is about the same in every layer.",
        f"largest less smallest log10 SNR over layers, mean of the last {_LAST_LOOKS} looks, mean over networks",
        "< 0.5",
        _snr_alike,
    ),
    _claim(
        "noise-drives-compression",
        "section 3.3",
        "The noise of minibatch gradients drives the compression.",
        "mean fall of I(X;T) of the last hidden layer, full batch / minibatch, same networks",
        "< 0.5",
        _noise_drives,
    ),
    _claim(
        "networks-differ",
        "section 3.2",
        "Different networks reach the same place in the plane with different weights.",
        "mean absolute cosine of first-layer weights between two networks (best pairing of units), trained less untrained",
        "<= 0.1",
        _networks_differ,
        n_of="pairs of networks",
    ),
    _claim(
        "depth-speeds-learning",
        "5",
        "Hidden layers shorten the time to good generalisation.",
        "Spearman of the number of hidden layers (1 to 6) with epochs until the output holds 95 % of I(X;Y), networks of one seed",
        "< 0",
        further.depth_speeds,
    ),
    _claim(
        "one-layer-too-slow",
        "5",
        "One hidden layer does not get there.",
        "I(T;Y) of the output of a one-layer network at the last epoch / I(X;Y)",
        "< 0.95",
        further.one_layer,
    ),
    *(
        _claim(
            f"small-data-loses/{share}",
            "3",
            "With few samples compression loses information about the label.",
            f"largest less last I(T;Y) of the last hidden layer, {share} % of the data",
            region,
            further.small_data(share),
            unit="bits",
        )
        for share, region in (("5", "> 0.02"), ("45", None), ("85", "< 0.02"))
    ),
    _claim(
        "more-data-more-label",
        "7",
        "More training data raises the information about the label.",
        "Spearman of the training share with I(T;Y) of the last hidden layer at the end",
        "> 0.8",
        further.more_data,
    ),
    _claim(
        "beta-falls-with-depth",
        "6",
        "The fitted trade-off falls with depth.",
        "Spearman of the layer with its fitted beta",
        "< 0",
        further.beta_falls,
    ),
    *(
        _claim(
            f"on-the-bound/{name}",
            "6",
            "Converged layers lie near the information bottleneck bound.",
            "I(T;Y) short of the bound at its I(X;T), at the end / before training, same networks, p(x, y) with gamma = 50",
            "< 1/3",
            further.on_the_bound(name),
        )
        for name in _LAYERS
    ),
    _claim(
        "committee-same-phases",
        "8",
        "A committee machine shows the same phases.",
        "as fit-then-compress, last hidden layer, on the committee task",
        ">= 0.8",
        further.committee_phases,
    ),
    _claim(
        "mnist-gradient-phases",
        "8",
        "The gradient phases show on MNIST.",
        "as snr-transition, median over layers, on MNIST where it is found and small digits otherwise (the figure says which)",
        "[1/3, 3]",
        further.picture_phases,
    ),
]
CLAIMS = at_setting("scaled down", CLAIMS, "mnist-gradient-phases")  # fewer digits, or smaller ones
