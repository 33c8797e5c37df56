"""What the paper claims, as quantities with regions that were written before anything was measured.

Deep networks are said to fit first and then to compress their input, driven by the noise of minibatches, and to
generalize because of it. The paper asks whether that holds in general. It trains the same networks with other
nonlinearities, reads them out in other ways, and solves deep linear networks exactly. Its answer: units that saturate
on both sides compress, others do not; compressing and generalizing come apart;
and the turn of the gradients comes without compression, too.

I in bits; one value a network or student, so that intervals are over them. "fall": the largest value less the least
after it; "rise": the largest value less the first.
"""

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.results import Estimate
from deeptheory.information import fall
from deeptheory.runs import NotRun, Sample, share_of
from deeptheory.studies.paper import Paper, along, exact, place, ratio, same
from deeptheory.studies.saxe_2018.steps import RATE, RELEVANT, VARIANCE

PAPER = Paper(citation="Saxe et al. 2018", protocol="code (released program)")
_LAYERS = [f"layer{k}" for k in range(1, 7)]
_HIDDEN = _LAYERS[:-1]
GAP = 0.05  # generalizing: training accuracy less held-out accuracy below this, at the end
COMPRESSES = 0.5  # bits of fall, last hidden layer
CORNERS = {
    "tanh": "even",
    "small-tanh": "even",
    "relu": "global",
    "small-relu": "global",
}  # step -> its readout in the paper
NO_DIGITS = (
    "trained at scale standard, 10 minutes on 2 cores for 8 networks of each kind; the same readout on the 12-bit "
    "networks stands beside this"
)


def plane(results: Any, step: str, readout: str) -> Any:
    """I(X;T) [seed, step, layer] of a step under a readout."""
    return results[step]["i_x"].sel(readout=readout).transpose("seed", "step", "layer")


def falls(results: Any, step: str, readout: str) -> np.ndarray:
    """[seed, layer]: how far I(X;T) falls after its maximum."""
    return fall(plane(results, step, readout).values)


def layer_fall(results: Any, step: str, readout: str, layer: str) -> np.ndarray:
    """The fall of one layer."""
    return falls(results, step, readout)[:, place(results[step], layer)]


def fall_over_rise(results: Any, step: str, readout: str, layer: str) -> Sample:
    """The fall of a layer over its rise from the first logged epoch to the maximum."""
    values = plane(results, step, readout).values[:, :, place(results[step], layer)]
    return ratio(fall(values), values.max(1) - values[:, 0])


def fall_against_tanh(results: Any, step: str) -> Sample:
    """The falls of all hidden layers together over those of the tanh networks."""
    return ratio(*(falls(results, s, "global")[:, :-1].sum(1) for s in (step, "tanh")))


def fall_left(results: Any, readout: str, layer: str) -> Sample:
    """What another readout of the tanh networks leaves of a layer's fall under even bins."""
    return ratio(*(layer_fall(results, "tanh", r, layer) for r in (readout, "even")))


def median_fall_left(results: Any, readout: str) -> np.ndarray | NotRun:
    """The same, within each network the median of the hidden layers that fall under even bins."""
    left, even = (falls(results, "tanh", r)[:, :-1] for r in (readout, "even"))
    compressed = even.mean(0) > COMPRESSES
    if not compressed.any():
        return NotRun("no hidden layer falls by more than 0.5 bit under even bins: there is nothing to remove")
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.median(left[:, compressed] / even[:, compressed], axis=1)


def full_precision_fall(results: Any) -> np.ndarray | NotRun:
    """The largest fall of the hidden layers but the last, every bit counted."""
    early = falls(results, "tanh", "exact")[:, :-2]
    return early.max(1) if early.size else NotRun("these networks have no hidden layer before the last")


def noise_falls(results: Any, step: str, variance: float) -> np.ndarray:
    """[seed, layer]: fall of the upper bound under added noise of this variance."""
    data = results[step]["noise_i_x"].sel(variance=variance).transpose("seed", "noise_step", "layer")
    return fall(data.values)


def last_noise_fall(results: Any, step: str, variance: float) -> np.ndarray | NotRun:
    """The same of the last hidden layer."""
    if variance not in results[step]["variance"].values:
        return NotRun(f"the noise readout was not taken with variance {variance:g}")
    return noise_falls(results, step, variance)[:, -2]


def full_batch_fall(results: Any) -> Sample | NotRun:
    """The fall of the last hidden layer with the full batch over that with minibatches."""
    steps = "full-batch", "tanh"
    return same(results, "i_x", *steps) or ratio(*(falls(results, step, "even")[:, -2] for step in steps))


def one_neuron(results: Any, activation: str, pick: Callable[[np.ndarray], Any]) -> Estimate:
    """What is picked of the information along the weight."""
    return exact(
        pick(results["one-neuron"]["i_x"].sel(activation=activation).values), "normal distribution function", "bits"
    )


def least_step(values: np.ndarray) -> float:
    """The smallest difference between neighbors."""
    return np.diff(values).min()


def off_closed_form(results: Any) -> Sample:
    """How many half widths of its interval an estimate lies from the truth."""
    data = results["smallest"]
    half = (data["ksg_high"] - data["ksg_low"]).values / 2
    return Sample(np.abs((data["ksg_estimate"] - data["ksg_exact"]).values) / half, "median")


def student(results: Any, task: str, name: str) -> np.ndarray:
    """[seed, step]: of the linear students, the output layer where layers differ."""
    data = results["students"][name].sel(task=task)
    return (data.sel(layer="layer2") if "layer" in data.dims else data).transpose("seed", "step").values


def overtrains_without_fall(results: Any) -> Sample:
    """The share of students whose exact error on new samples ends over 10 % above its least value, while I(X;T) falls
    by less than a tenth of its range."""
    error, i_x = (student(results, "overtrained", name) for name in ("error", "i_x"))
    still = fall(i_x) <= 0.1 * (i_x.max(1) - i_x.min(1))  # what never moves does not fall
    return share_of((error[:, -1] > 1.1 * error.min(1)) & still, error, i_x)


def irrelevant_falls_total_rises(results: Any) -> Sample:
    """The share of students in which what the task does not need falls while the whole rises."""
    part, whole = (student(results, "irrelevant", name) for name in ("irrelevant", "i_x"))
    return share_of((fall(part) > 0.5 * part.max(1)) & (whole[:, -1] > whole[:, 0]), part, whole)


def range_over_factors(results: Any) -> np.ndarray:
    """How far I(X;T) ranges over weights of the same function."""
    data = results["smallest"]
    if float(data["function_change"].max()) > 1e-6:
        raise AssertionError("the weights do not compute the same function")
    values = data["rescaled_i_x"].transpose("seed", "factor").values
    return values.max(1) - values.min(1)


def turns_without_fall(results: Any, step: str) -> Sample:
    """The share of networks whose SNR falls through 1 while training, in every layer, and whose information does not
    fall. A network whose SNR never does is one in which that does not happen; one without an SNR has no value."""
    crossing = dt.gradient_phases(results[step]).crossing
    if step == "smallest":
        i_x, limit = results[step]["i_x"].transpose("seed", "step", "layer").values, 0.1
    else:
        i_x, limit = plane(results, step, "global").values[:, :, :-1], COMPRESSES  # hidden layers
    return share_of(((crossing > 0) & np.isfinite(crossing)).all(1) & (fall(i_x) < limit).all(1), crossing, i_x)


def fall_and_gap(results: Any, step: str) -> tuple[np.ndarray, np.ndarray]:
    """[seed] both, at the end: fall of the last hidden layer as the paper reads it out,
    and training less held-out accuracy."""
    data = results[step]
    gap = (data["train_accuracy"] - data["test_accuracy"]).transpose("seed", "step").values[:, -1]
    return falls(results, step, CORNERS[step])[:, -2], gap


def cells(results: Any) -> dict[tuple[bool, bool], list[tuple[str, int]]]:
    """(compresses, generalizes) -> the networks there, as (step, seed); those without a fall or a gap are nowhere."""
    out: dict[tuple[bool, bool], list] = {(a, b): [] for a in (True, False) for b in (True, False)}
    for step in CORNERS:
        for seed, down, gap in zip(results[step]["seed"].values.tolist(), *fall_and_gap(results, step)):
            if np.isfinite([down, gap]).all():
                out[bool(down > COMPRESSES), bool(gap < GAP)].append((step, seed))
    return out


def in_rarest_cell(results: Any) -> Sample:
    """The share of networks in the cell that fewest lie in; those that lie nowhere have no value."""
    counts = [len(networks) for networks in cells(results).values()]
    nowhere = sum(results[step].sizes["seed"] for step in CORNERS) - sum(counts)
    return Sample(np.repeat([1.0, 0.0, np.nan], [min(counts), sum(counts) - min(counts), nowhere]), "share")


def compresses_and_overfits(results: Any) -> Sample:
    """The share of networks that do, on scarce data."""
    down, gap = fall_and_gap(results, "small-tanh")
    return share_of((down > COMPRESSES) & (gap > GAP), down, gap)


def digit_falls(data: Any) -> tuple[np.ndarray, np.ndarray]:
    """Largest fall of the bound over the hidden layers, [seed]: over all logged epochs, and from the first after
    training began on. One stands before training, so that the first epoch, where networks fit,
    is in the former alone."""
    values = data["i_x"].transpose("seed", "step", "layer").values[:, :, :-1]
    return fall(values).max(1), fall(values[:, 1:]).max(1)


def digit_fall(results: Any, activation: str) -> Sample | NotRun:
    """The largest fall of the upper bound over the hidden layers, on images of digits."""
    data = results[f"pictures-{activation}"]
    if "i_x" not in data:
        return NotRun(NO_DIGITS)
    values, later = digit_falls(data)
    said = f"{data.attrs['pictures']}; {data.attrs['steps']} steps with rate {RATE:g}"
    return Sample(values, "mean", (f"data: {said}", f"from the first trained look on: {later.mean():.2g} bits"))


CLAIMS = [
    *(
        PAPER.claim(f"tanh-compresses/{name}", "figure 1", "The tanh networks of Shwartz-Ziv & Tishby compress.",
            "fall of I(X;T), 30 even bins over [-1, 1], mean over networks", "> 0.5",
            along(partial(layer_fall, step="tanh", readout="even", layer=name), "tanh"), unit="bits")
        for name in _LAYERS
    ),
    *(
        PAPER.claim(f"relu-does-not/{name}", "figure 1", "With ReLU units the hidden layers do not compress.",
            "fall / rise of I(X;T), 100 bins over the range of all units and epochs, means over networks", "< 0.25",
            along(partial(fall_over_rise, step="relu", readout="global", layer=name), "relu"))
        for name in _HIDDEN
    ),
    PAPER.claim("relu-output-does", "figure 1", "Only the last layer of the ReLU network, which saturates, compresses.",
        "fall of I(X;T) of the output, the same bins, mean over networks", "> 0.25",
        along(lambda results: falls(results, "relu", "global")[:, -1], "relu"), unit="bits"),
    *(
        PAPER.claim(f"{name}-{word}", "appendix", statement,
            f"fall of I(X;T) summed over hidden layers, {name} / tanh, 100 bins over the range of all units and epochs",
            region, along(partial(fall_against_tanh, step=name), name, "tanh"))
        for name, word, region, statement in (
            ("softsign", "modest", "[0, 0.5]", "Softsign saturates more gently: modest compression."),
            ("softplus", "none", "< 0.1", "Softplus saturates on one side: no compression."),
            ("linear", "none", "< 0.1", "Linear networks do not compress."),
        )
    ),
    PAPER.claim("rebin-removes", "appendix", "Bins even in net input take the compression away.",
        "fall with edges tanh(linspace(-50, 50, 31)) / fall with even bins, median over the hidden layers that fall by "
        "over 0.5 bit under even bins", "< 0.5", along(partial(median_fall_left, readout="net-input"), "tanh")),
    PAPER.claim("rebin-removes/ten-times-finer", "appendix", "The same with cells a tenth as wide (ours).",
        "the same with linspace(-50, 50, 301)", "< 0.5",
        along(partial(median_fall_left, readout="net-input-fine"), "tanh")),
    *(
        PAPER.claim(f"rebin-removes/{name}", "appendix", "Bins even in net input take the compression away.",
            "fall with edges tanh(linspace(-50, 50, 31)) / fall with even bins, means over networks", "< 0.5",
            along(partial(fall_left, readout="net-input", layer=name), "tanh"))
        for name in _HIDDEN
    ),
    PAPER.claim("full-precision-flat", "appendix",
        "At full machine precision I(X;T) stays at 12 bits except late in the last layers.",
        "largest fall of H(T), every bit counted, over the hidden layers but the last, mean over networks", "< 0.1",
        along(full_precision_fall, "tanh"), unit="bits"),
    *(
        PAPER.claim(f"noise-readout/{step}/{variance:g}", "figure 1 and appendix", statement,
            f"fall of the upper bound of I(X;T) with noise of variance {variance:g} added for the analysis, "
            "last hidden layer",
            region, along(partial(last_noise_fall, step=step, variance=variance), step, dim="noise_step"), unit="bits")
        for step, region, statement in (
            ("tanh", "> 0.25", "The noise readout sees the tanh network compress, too."),
            ("relu", "< 0.25", "The noise readout sees no compression in the ReLU network."),
        )
        for variance in (0.1, 0.001)
    ),
    PAPER.claim("full-batch-compresses", "section 4", "Compression does not need the noise of minibatches.",
        "fall of I(X;T) of the last hidden layer, full batch / minibatch, same networks, means", "> 0.5",
        along(full_batch_fall, "full-batch", "tanh")),
    PAPER.claim("one-neuron-tanh-returns-to-1-bit", "figure 2", "A saturated tanh unit keeps one bit.",
        "I(X;T) at w = 1000, 30 bins, exact", "1 +- 0.05", partial(one_neuron, activation="tanh", pick=itemgetter(-1)),
        unit="bits", setting="published"),
    PAPER.claim("one-neuron-tanh-peak", "figure 2", "In between it keeps most (value ours: exact, at w = 0.87).",
        "largest I(X;T) over w, 30 bins, exact", "4.8998 +- 0.001", partial(one_neuron, activation="tanh", pick=np.max),
        unit="bits", setting="published"),
    PAPER.claim("one-neuron-relu-grows", "figure 2", "A ReLU unit keeps more the larger its weight.",
        "least step of I(X;T) along 161 weights from 0.01 to 1000, cells of fixed width, exact", "> 0",
        partial(one_neuron, activation="relu", pick=least_step), unit="bits", setting="published"),
    PAPER.claim("linear-exact", "section 3", "In linear networks the information is known exactly.",
        "|estimate - closed form| / half the width of the estimate's 95 % interval (KSG on 1000 samples), "
        "median over students",
        "< 1", off_closed_form),
    PAPER.claim("overtrained-no-compression", "figure 4", "A network can overtrain without compressing.",
        "share of students whose error ends over 10 % above its least and whose I(X;T) falls by less than a tenth of "
        "its range",
        ">= 0.8", along(overtrains_without_fall, "students")),
    PAPER.claim("irrelevant-compresses-while-total-rises", "figure 6",
        "What the task does not need is compressed while the total rises.",
        "share of students whose I(X_irrelevant;T) falls by over half its largest value and whose I(X;T) ends above "
        f"its start; {RELEVANT} of 100 inputs relevant, exact", ">= 0.8",
        along(irrelevant_falls_total_rises, "students")),
    PAPER.claim("reparametrisation-changes-information", "section 2",
        "The same function with other weights has other information.",
        "range of I(X;T) of the hidden unit over w1 / c, c w2, c from 0.1 to 10; the function unchanged; exact",
        "> 0.5", range_over_factors, unit="bits"),
    PAPER.claim("snr-transition-without-compression", "section 5",
        "The gradients' transition comes without compression.",
        "share of 1-1-1 linear networks whose SNR over samples falls through 1 in both layers while I(X;T) falls by "
        "less than 0.1 bit", ">= 0.8", along(partial(turns_without_fall, step="smallest"), "smallest")),
    *(
        PAPER.claim(f"snr-transition-without-compression/{step}", "section 5",
            "The gradients' transition comes without compression.",
            f"share of 12-bit {label} networks whose SNR over minibatches falls through 1 in every layer while I(X;T) "
            "of every hidden layer falls by less than 0.5 bit", "> 0.5",
            along(partial(turns_without_fall, step=step), step))
        for step, label in (("linear", "linear"), ("relu", "ReLU"))
    ),
    PAPER.claim("small-data-compresses-and-overfits", "section 4",
        "A tanh network on 30 % of the data compresses and overfits.",
        "share of networks whose last hidden layer falls by over 0.5 bit and whose training accuracy ends over 0.05 "
        "above that on held-out patterns", "> 0.5",
        along(compresses_and_overfits, "small-tanh")),
    PAPER.claim("all-four-cells", "section 4", "Compression and generalization come in all four combinations.",
        "share of networks in the rarest cell of compressing (last hidden layer falls by over 0.5 bit) x generalizing "
        "(accuracy gap below 0.05), tanh and ReLU networks on 80 % and 30 % of the patterns", "> 0.05",
        along(in_rarest_cell, *CORNERS)),
    *(
        PAPER.claim("mnist-noise-readout" + suffix, "figure 1 C and D", statement,
            f"largest fall of the upper bound over the hidden layers, noise of variance {VARIANCE:g}, pictures of "
            f"digits, mean over networks; {name}", region,
            along(partial(digit_fall, activation=name), f"pictures-{name}"), unit="bits",
            setting="scaled down")
        for name, suffix, region, statement in (
            ("tanh", "", "> 0.25", "On MNIST the tanh network compresses, too (one run)."),
            ("relu", "/relu", "< 0.25", "On MNIST the ReLU network does not compress (one run)."),
        )
    ),
]  # fmt: skip
