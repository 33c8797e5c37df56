"""What the papers claim, as quantities with regions that were written before anything was measured.

In a deterministic network I(X;T) is a constant or infinite; what bins show of it is something else. Goldfeld et al. add
noise that belongs to the network, so that the information is finite, and estimate it: compression is then real, and it
is the clustering of samples. The entropy of bins measures the same clustering. Lorenzen et al. quantize the network
itself, where everything can be counted; Butakov et al. estimate the information of images through codes of few numbers.

I in bits; one value a network, so that intervals are over networks. "fall": the largest value less the least after it.
The cluster measure is the correlation entropy of the samples at the reach of the noise (4 sigma), from distances alone.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.core.statistics import spearman
from deeptheory.information import fall
from deeptheory.runs import NotRun, Sample, share_of
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES, CNN_LAYERS
from deeptheory.studies.paper import Paper, along, exact, place, ratio, same

GOLDFELD = Paper(citation="Goldfeld et al. 2019", protocol="paper")
LORENZEN = Paper(citation="Lorenzen et al. 2022", protocol="paper", unit="bits")
BUTAKOV = Paper(
    citation="Butakov et al. 2024", protocol="paper", criterion="95 % interval over sets of image pairs within {region}"
)
EXACT = "published"  # the setting of what is computed and needs none of the papers' unknown ones
_LAYERS = [f"layer{k}" for k in range(1, 6)]
_CELL = 0.01
_NO_DIGITS = (
    "trained at scale standard, 10 minutes on 2 cores for 8 networks; "
    "five other architectures on the 12-bit task stand in this run"
)


def values(results: Any, step: str, name: str) -> np.ndarray:
    """[seed, step, layer] of a noisy or deterministic step; of cells those of 0.01."""
    data = results[step][name]
    return (data.sel(size=_CELL) if "size" in data.dims else data).transpose("seed", "step", "layer").values


def merged(results: Any) -> Estimate:
    """What a saturated unit with noise tells of four inputs."""
    return exact(results["one-neuron"]["i_x"].sel(sigma=0.05).values[-1], "trapezium rule", "bits")


def rank_correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's over logged epochs, [seed, step] twice -> [seed]; NaN where one of them does not move by 1e-3 bits."""
    still = (np.ptp(a, axis=1) < 1e-3) | (np.ptp(b, axis=1) < 1e-3)
    return np.array([np.nan if s else spearman(x, y) for x, y, s in zip(a, b, still)])


def moves_with(results: Any, step: str, name: str, clustering: str, layer: str) -> np.ndarray | NotRun:
    """[network]: rank correlation over logged epochs of what a layer tells with how its samples cluster."""
    at = place(results[step], layer, "hidden ")
    found = rank_correlation(*(values(results, step, of)[:, :, at] for of in (name, clustering)))
    still = int(np.isnan(found).sum())
    if 2 * still > len(found):
        return NotRun(
            f"in {still} of {len(found)} networks this layer tells all inputs apart at every look (I(X;T) or the "
            "clustering moves by less than 0.001 bits): there is nothing to correlate, at any cost"
        )
    return found


def noisy_fall(results: Any, layer: str) -> np.ndarray:
    """The fall of a layer of the noisy networks."""
    return fall(values(results, "noisy", "i_x"))[:, place(results["noisy"], layer, "hidden ")]


def orthonormal_fall(results: Any) -> Sample | NotRun:
    """The fall of the last hidden layer with the penalty over that without."""
    steps = "orthonormal", "noisy"
    return same(results, "i_x", *steps) or ratio(*(fall(values(results, step, "i_x"))[:, -1] for step in steps))


def accuracy_gained(results: Any) -> np.ndarray | NotRun:
    """Held-out accuracy at the end, with the penalty less without."""
    if nothing := same(results, "i_x", "orthonormal", "noisy"):
        return nothing
    ends = [results[s]["test_accuracy"].transpose("seed", "step").values[:, -1] for s in ("orthonormal", "noisy")]
    return ends[0] - ends[1]


def range_over_cells(results: Any) -> np.ndarray:
    """How far the entropy of the last hidden layer ranges over sizes of cells."""
    ends = results["deterministic"]["binned"].transpose("seed", "step", "layer", "size").values[:, -1, -1]
    return np.ptp(ends, axis=1)


def off_12_bits(results: Any, name: str) -> np.ndarray:
    """How far the entropy of any hidden layer is from that of the input, at any logged epoch."""
    return np.abs(values(results, "deterministic", name) - 12).max(axis=(1, 2))


def quantized(results: Any, architecture: str, name: str = "i_x") -> np.ndarray:
    """[seed, step, layer] of a quantized architecture, its output the last layer."""
    return results["quantised"][f"{architecture}/{name}"].values


def quantized_fall(results: Any, architecture: str, layers: Sequence[int]) -> np.ndarray:
    """The largest fall of those layers."""
    return fall(quantized(results, architecture))[:, layers].max(1)


def digit_fall(results: Any, layers: Sequence[int]) -> Sample | NotRun:
    """The same on images of digits."""
    data = results["quantised-pictures"]
    if "i_x" not in data:
        return NotRun(_NO_DIGITS)
    falls = fall(data["i_x"].transpose("seed", "step", "layer").values)[:, layers].max(1)
    return Sample(falls, "mean", (f"data: {data.attrs['pictures']}; {data.attrs['epochs']} epochs",))


def no_more_than_truth(results: Any) -> Sample:
    """The share of sets in which the interval of the estimate begins at or below the truth."""
    data = results["synthetic"].sel(how="autoencoder")
    low, truth = data["low"].values, data["truth"].values
    return share_of(low <= truth, low, truth)


def off_truth(results: Any) -> np.ndarray:
    """[set]: how far the estimate is from the truth."""
    data = results["synthetic"].sel(how="autoencoder")
    return np.abs(data["estimate"] - data["truth"]).values


def similarity_gained(results: Any, layer: str) -> Sample:
    """How far the similarity within classes less that between them rises from the first logged epoch to the last."""
    data = results["clusters"]
    apart = (data["within"] - data["between"]).sel(layer=layer).transpose("seed", "step").values
    return Sample(apart[:, -1] - apart[:, 0], "mean", (f"data: {data.attrs['pictures']}",))


_TRACKS = "Compression is the clustering of samples: both move together."
_QUANTIZED = (  # id, where, statement, quantity, region, layers of which the largest fall counts
    ("quantised-early-layers-stay", "section 5", "In quantized networks the first layers keep everything.",
     "larger fall of I(X;T) of the first two layers", "< 0.1", [0, 1]),
    ("quantised-last-layers-compress", "section 5", "In quantized networks the last hidden layer compresses.",
     "fall of I(X;T) of the last hidden layer", "> 0.25", [-2]),
    ("quantised-output-compresses", "abstract", "The output layer compresses in all experiments.",
     "fall of I(X;T) of the output", "> 0.25", [-1]),
)  # fmt: skip

CLAIMS = [
    GOLDFELD.claim("one-neuron-merges", "section 3", "As a noisy tanh unit saturates, four inputs become two.",
        "I(X;T) at w = 100, noise 0.05, inputs -3, -1, 1, 3, exact", "1 +- 0.01", merged, unit="bits", setting=EXACT),
    *(
        GOLDFELD.claim(f"noisy-compression-tracks-clusters/{name}", "section 5", _TRACKS,
            "Spearman over looks of I(X;T) with the clustering of the samples (-log2 of the share of pairs within 4 "
            "sigma), mean over networks", "> 0.8",
            along(partial(moves_with, step="noisy", name="i_x", clustering="apart", layer=name), "noisy"))
        for name in _LAYERS
    ),
    *(
        GOLDFELD.claim(f"same-class-distance-tracks/{name}", "section 5",
            "The same with another measure of clustering (ours).",
            "Spearman over looks of I(X;T) with the mean distance of samples of one class, mean over networks", "> 0.8",
            along(partial(moves_with, step="noisy", name="i_x", clustering="within", layer=name), "noisy"))
        for name in _LAYERS
    ),
    *(
        GOLDFELD.claim(f"noisy-compresses/{name}", "section 5",
            "Noisy tanh networks compress, by a number that is their own.",
            "fall of I(X;T) by sample propagation, mean over networks", "> 0.5",
            along(partial(noisy_fall, layer=name), "noisy"), unit="bits")
        for name in _LAYERS[-2:]
    ),
    GOLDFELD.claim("orthonormal-stops-compression", "section 5", "Orthonormal weights stop clustering and compression.",
        "fall of I(X;T) of the last hidden layer, with the penalty / without, same networks, means", "< 0.5",
        along(orthonormal_fall, "orthonormal", "noisy")),
    GOLDFELD.claim("orthonormal-no-harm", "section 5", "They do so without harm.",
        "held-out accuracy at the end, with the penalty less without, mean over networks", "> -0.01", accuracy_gained),
    GOLDFELD.claim("binned-entropy-depends-on-bin", "section 5", "The entropy of cells depends strongly on their size.",
        "largest less least H of cells of 0.0001, 0.001, 0.01 and 0.1 at the end, last hidden layer, "
        "mean over networks", "> 1",
        range_over_cells, unit="bits"),
    *(
        GOLDFELD.claim(f"binned-entropy-tracks-clusters/{name}", "section 5",
            "In deterministic networks the entropy of cells measures the same clustering.",
            "Spearman over looks of H of cells of 0.01 with the clustering of the samples, mean over networks", "> 0.8",
            along(partial(moves_with, step="deterministic", name="binned", clustering="apart", layer=name),
                "deterministic"))
        for name in _LAYERS
    ),
    GOLDFELD.claim("deterministic-is-constant", "section 2",
        "Without noise I(X;T) does not move at all (in real arithmetic by construction; here as far as double "
        "precision tells inputs apart).",
        "largest |H(T) - 12| over hidden layers and looks, every bit of double precision, mean over networks", "< 1e-9",
        along(partial(off_12_bits, name="exact_double"), "deterministic"), unit="bits", setting=EXACT),
    GOLDFELD.claim("deterministic-is-constant/single-precision", "section 2",
        "The same as the network computes it (ours).",
        "the same in single precision", "< 1e-9", along(partial(off_12_bits, name="exact_single"), "deterministic"),
        unit="bits", setting=EXACT),
    *(
        LORENZEN.claim(f"{id}/{name}" if name != "tanh" or layers == [-1] else id, where, statement,
            f"{quantity}, 8 bits, exact, mean over networks; {name}", region,
            along(partial(quantized_fall, architecture=name, layers=layers), "quantised"))
        for id, where, statement, quantity, region, layers in _QUANTIZED
        for name in ARCHITECTURES
    ),
    BUTAKOV.claim("compressed-estimate-is-lower", "section 5",
        "What is estimated from compressed images is no more than the truth.",
        "share of sets of image pairs (two kinds, four truths) whose interval begins at or below the truth, "
        "autoencoder to 2 numbers", ">= 0.8", no_more_than_truth, n_of="sets of image pairs"),
    BUTAKOV.claim("compressed-estimate-is-near", "section 5", "And it is near, where the images have so few numbers.",
        "|estimate - truth|, mean over sets", "< 0.25", off_truth, unit="bits", n_of="sets of image pairs"),
    *(
        GOLDFELD.claim("mnist-cnn-clusters" + suffix, "section 5",
            "On MNIST, cosine similarities within and between classes show the clustering.",
            f"rise of the within-class cosine similarity less that between classes, pictures of digits, {layer}, "
            "mean over networks",
            "> 0", along(partial(similarity_gained, layer=layer), "clusters", what="logged steps"))
        for layer, suffix in (("dense1", ""), *((name, f"/{name}") for name in CNN_LAYERS[:-1]))
    ),
    *(
        LORENZEN.claim(f"{id}/mnist", where, statement,
            f"{quantity}, 8 bits, exact, mean over networks; 784-16-8-4-2-10 on pictures of digits", region,
            along(partial(digit_fall, layers=layers), "quantised-pictures"))
        for id, where, statement, quantity, region, layers in _QUANTIZED
    ),
]  # fmt: skip
