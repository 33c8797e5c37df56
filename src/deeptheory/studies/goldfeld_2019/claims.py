"""What the papers claim, as quantities with regions that were written before anything was measured.

I in bits; one value a network, so that intervals are over networks. "fall": the largest value less the least after it.
The cluster measure is the correlation entropy of the samples at the reach of the noise (4 sigma), from distances alone.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.statistics import spearman
from deeptheory.information import fall
from deeptheory.runs import Claim, NotRun, Sample, at_setting
from deeptheory.studies.goldfeld_2019 import pictures
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES

_PAPERS = {"G": "Goldfeld et al. 2019", "L": "Lorenzen et al. 2022", "B": "Butakov et al. 2024"}
_LAYERS = [f"layer{k}" for k in range(1, 6)]


def values(results: Any, step: str, name: str) -> np.ndarray:
    """[seed, step, layer] of a noisy or deterministic step."""
    return results[step][name].transpose("seed", "step", "layer").values


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's over the looks, [seed, step] twice -> [seed]; NaN where one of them does not move by 1e-3 bits."""
    still = (np.ptp(a, axis=1) < 1e-3) | (np.ptp(b, axis=1) < 1e-3)
    return np.array([np.nan if s else spearman(x, y) for x, y, s in zip(a, b, still)])


def _tracks(layer: str, step: str, name: str, measure_of: str):
    def measure(results):
        names = results[step]["layer"].values.tolist()
        if layer not in names:
            return NotRun(f"these networks have no hidden {layer}")
        at = names.index(layer)
        found = rank_correlation(_curve(results, step, name)[:, :, at], values(results, step, measure_of)[:, :, at])
        still = int(np.isnan(found).sum())
        if 2 * still > len(found):
            return NotRun(
                f"in {still} of {len(found)} networks this layer tells all inputs apart at every look (I(X;T) or the clustering "
                "moves by less than 0.001 bits): there is nothing to correlate, at any cost"
            )
        return found

    return measure


def _curve(results, step, name):
    if name == "binned":
        data = results[step]["binned"]
        return data.sel(size=0.01).transpose("seed", "step", "layer").values
    return values(results, step, name)


def _noisy_fall(layer: str):
    def measure(results):
        names = results["noisy"]["layer"].values.tolist()
        if layer not in names:
            return NotRun(f"these networks have no hidden {layer}")
        return fall(values(results, "noisy", "i_x"))[:, names.index(layer)]

    return measure


def _orthonormal_stops(results):
    pair = [fall(values(results, step, "i_x"))[:, -1] for step in ("orthonormal", "noisy")]
    return Sample(np.stack(pair, axis=1), "ratio")


def _orthonormal_harm(results):
    ends = [results[s]["test_accuracy"].transpose("seed", "step").values[:, -1] for s in ("orthonormal", "noisy")]
    return ends[0] - ends[1]


def _depends_on_bin(results):
    ends = results["deterministic"]["binned"].transpose("seed", "step", "layer", "size").values[:, -1, -1]
    return ends.max(1) - ends.min(1)


def _constant(name: str):
    def measure(results):
        return np.abs(values(results, "deterministic", name) - 12).max(axis=(1, 2))

    return measure


def quantised(results: Any, architecture: str, name: str = "i_x") -> np.ndarray:
    """[seed, step, layer] of a quantised architecture, its output the last layer."""
    return results["quantised"][f"{architecture}/{name}"].values


def _early(architecture: str):
    return lambda results: fall(quantised(results, architecture))[:, :2].max(1)


def _late(architecture: str, at: int):
    return lambda results: fall(quantised(results, architecture))[:, at]


def _lower(results):
    data = results["synthetic"].sel(how="autoencoder")
    return (data["low"] <= data["truth"]).values


def _near(results):
    data = results["synthetic"].sel(how="autoencoder")
    return np.abs(data["estimate"] - data["truth"]).values


def _merges(results):
    value = float(results["one-neuron"]["i_x"].sel(sigma=0.05).values[-1])
    return dt.Estimate(value=value, method="trapezium rule", direction="exact")


def _claim(
    id: str, paper: str, where: str, statement: str, quantity: str, region: str, measure, unit="1", **more
) -> Claim:
    return Claim(
        id=id, figure=where, source=f"{_PAPERS[paper]}, {where}", statement=statement, quantity=quantity, unit=unit,
        region=region, criterion=more.pop("criterion", f"95 % interval over networks within {region}"), protocol="paper",
        measure=measure, **more,
    )  # fmt: skip


_TRACKS = "Compression is the clustering of samples: both move together."

CLAIMS = [
    _claim("one-neuron-merges", "G", "section 3", "As a noisy tanh unit saturates, four inputs become two.",
           "I(X;T) at w = 100, noise 0.05, inputs -3, -1, 1, 3, exact", "1 +- 0.01", _merges, "bits"),
    *(
        _claim(f"noisy-compression-tracks-clusters/{name}", "G", "section 5", _TRACKS,
               "Spearman over looks of I(X;T) with the clustering of the samples (-log2 of the share of pairs within 4 sigma), mean "
               "over networks", "> 0.8", _tracks(name, "noisy", "i_x", "apart"))
        for name in _LAYERS
    ),
    *(
        _claim(f"same-class-distance-tracks/{name}", "G", "section 5", "The same with another measure of clustering (ours).",
               "Spearman over looks of I(X;T) with the mean distance of samples of one class, mean over networks", "> 0.8",
               _tracks(name, "noisy", "i_x", "within"))
        for name in _LAYERS
    ),
    *(
        _claim(f"noisy-compresses/{name}", "G", "section 5", "Noisy tanh networks compress, by a number that is their own.",
               "fall of I(X;T) by sample propagation, mean over networks", "> 0.5", _noisy_fall(name), "bits")
        for name in _LAYERS[-2:]
    ),
    _claim("orthonormal-stops-compression", "G", "section 5", "Orthonormal weights stop clustering and compression.",
           "fall of I(X;T) of the last hidden layer, with the penalty / without, same networks, means", "< 0.5",
           _orthonormal_stops),
    _claim("orthonormal-no-harm", "G", "section 5", "They do so without harm.",
           "held-out accuracy at the end, with the penalty less without, mean over networks", "> -0.01", _orthonormal_harm),
    _claim("binned-entropy-depends-on-bin", "G", "section 5", "The entropy of cells depends strongly on their size.",
           "largest less least H of cells of 0.0001, 0.001, 0.01 and 0.1 at the end, last hidden layer, mean over networks", "> 1",
           _depends_on_bin, "bits"),
    *(
        _claim(f"binned-entropy-tracks-clusters/{name}", "G", "section 5",
               "In deterministic networks the entropy of cells measures the same clustering.",
               "Spearman over looks of H of cells of 0.01 with the clustering of the samples, mean over networks", "> 0.8",
               _tracks(name, "deterministic", "binned", "apart"))
        for name in _LAYERS
    ),
    _claim("deterministic-is-constant", "G", "section 2", "Without noise I(X;T) does not move at all.",
           "largest |H(T) - 12| over hidden layers and looks, every bit of double precision, mean over networks", "< 1e-9",
           _constant("exact_double"), "bits"),
    _claim("deterministic-is-constant/single-precision", "G", "section 2", "The same as the network computes it (ours).",
           "the same in single precision", "< 1e-9", _constant("exact_single"), "bits"),
    *(
        _claim("quantised-early-layers-stay" + suffix, "L", "section 5", "In quantised networks the first layers keep everything.",
               f"larger fall of I(X;T) of the first two layers, 8 bits, exact, mean over networks; {label}", "< 0.1",
               _early(name), "bits")
        for name, suffix, label in [("tanh", "", "tanh"), *((a, f"/{a}", a) for a in ARCHITECTURES if a != "tanh")]
    ),
    *(
        _claim("quantised-last-layers-compress" + suffix, "L", "section 5", "In quantised networks the last hidden layer compresses.",
               f"fall of I(X;T) of the last hidden layer, 8 bits, exact, mean over networks; {label}", "> 0.25", _late(name, -2), "bits")
        for name, suffix, label in [("tanh", "", "tanh"), *((a, f"/{a}", a) for a in ARCHITECTURES if a != "tanh")]
    ),
    *(
        _claim(f"quantised-output-compresses/{name}", "L", "abstract", "The output layer compresses in all experiments.",
               f"fall of I(X;T) of the output, 8 bits, exact, mean over networks; {name}", "> 0.25", _late(name, -1), "bits")
        for name in ARCHITECTURES
    ),
    _claim("compressed-estimate-is-lower", "B", "section 5", "What is estimated from compressed images is no more than the truth.",
           "share of sets of image pairs (two kinds, four truths) whose interval begins at or below the truth, autoencoder to 2 "
           "numbers", ">= 0.8", _lower, criterion="95 % interval over sets of image pairs within >= 0.8", n_of="sets of image pairs"),
    _claim("compressed-estimate-is-near", "B", "section 5", "And it is near, where the images have so few numbers.",
           "|estimate - truth|, mean over sets", "< 0.25", _near, "bits",
           criterion="95 % interval over sets of image pairs within < 0.25", n_of="sets of image pairs"),
    *(
        _claim("mnist-cnn-clusters" + suffix, "G", "section 5", "On MNIST, cosine similarities within and between classes show the clustering.",
               f"rise of the within-class cosine similarity less that between classes, pictures of digits, {layer}, mean over networks",
               "> 0", pictures.rise(layer))
        for layer, suffix in (("dense1", ""), *((name, f"/{name}") for name in pictures.LAYERS[:-1]))
    ),
    *(
        _claim(f"{id}/mnist", "L", where, statement, f"{quantity}, {settings}", region, pictures.falls(pick), "bits")
        for settings in ["8 bits, exact, mean over networks; 784-16-8-4-2-10 on pictures of digits"]
        for id, where, statement, quantity, region, pick in (
            ("quantised-early-layers-stay", "section 5", "In quantised networks the first layers keep everything.",
             "larger fall of I(X;T) of the first two layers", "< 0.1", lambda f: f[:, :2].max(1)),
            ("quantised-last-layers-compress", "section 5", "In quantised networks the last hidden layer compresses.",
             "fall of I(X;T) of the last hidden layer", "> 0.25", lambda f: f[:, -2]),
            ("quantised-output-compresses", "abstract", "The output layer compresses in all experiments.",
             "fall of I(X;T) of the output", "> 0.25", lambda f: f[:, -1]),
        )
    ),
]  # fmt: skip
CLAIMS = at_setting("published", CLAIMS, "one-neuron", "deterministic-is-constant")  # exact
