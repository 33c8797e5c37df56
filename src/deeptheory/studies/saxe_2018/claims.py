"""What the paper claims, as quantities with regions that were written before anything was measured.

I in bits; one value a network or student, so that intervals are over them. "fall": the largest value less the least after
it; "rise": the largest value less the first.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import fall
from deeptheory.runs import Claim, NotRun, Sample, at_setting
from deeptheory.studies.saxe_2018 import pictures
from deeptheory.studies.saxe_2018.steps import RELEVANT

_PAPER = "Saxe et al. 2018"
_PROTOCOL = "code (released program)"
_LAYERS = [f"layer{k}" for k in range(1, 7)]
_HIDDEN = _LAYERS[:-1]
GAP = 0.05  # generalising: training accuracy less held-out accuracy below this, at the end
COMPRESSES = 0.5  # bits of fall, last hidden layer


def plane(results: Any, step: str, readout: str, name: str = "i_x") -> Any:
    """[seed, step, layer] of a step under a read-out."""
    return results[step][name].sel(readout=readout).transpose("seed", "step", "layer")


def falls(results: Any, step: str, readout: str) -> np.ndarray:
    """[seed, layer]: how far I(X;T) falls after its maximum."""
    return fall(plane(results, step, readout).values)


def rises(results: Any, step: str, readout: str) -> np.ndarray:
    """[seed, layer]: from the first look to the maximum."""
    values = plane(results, step, readout).values
    return values.max(1) - values[:, 0]


def _at(results: Any, step: str, layer: str) -> int | None:
    names = results[step]["layer"].values.tolist()
    return names.index(layer) if layer in names else None


def _fall_of(step: str, readout: str, layer: str):
    def measure(results):
        at = _at(results, step, layer)
        return NotRun(f"these networks have no {layer}") if at is None else falls(results, step, readout)[:, at]

    return measure


def _fall_over_rise(step: str, readout: str, layer: str):
    def measure(results):
        at = _at(results, step, layer)
        if at is None:
            return NotRun(f"these networks have no {layer}")
        pair = falls(results, step, readout)[:, at], rises(results, step, readout)[:, at]
        return Sample(np.stack(pair, axis=1), "ratio")

    return measure


def _hidden_falls(results, step, readout):
    return falls(results, step, readout)[:, :-1].sum(1)


def _against_tanh(step: str):
    def measure(results):
        pair = _hidden_falls(results, step, "global"), _hidden_falls(results, "tanh", "global")
        return Sample(np.stack(pair, axis=1), "ratio")

    return measure


def _rebin(layer: str, readout: str):
    def measure(results):
        at = _at(results, "tanh", layer)
        if at is None:
            return NotRun(f"these networks have no {layer}")
        pair = falls(results, "tanh", readout)[:, at], falls(results, "tanh", "even")[:, at]
        return Sample(np.stack(pair, axis=1), "ratio")

    return measure


def _rebin_most(readout: str):
    def measure(results):
        pair = falls(results, "tanh", readout)[:, :-1], falls(results, "tanh", "even")[:, :-1]
        compressed = pair[1].mean(0) > COMPRESSES
        if not compressed.any():
            return NotRun("no hidden layer falls by more than 0.5 bit under even bins: there is nothing to remove")
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.median(pair[0][:, compressed] / pair[1][:, compressed], axis=1)  # within each network

    return measure


def _full_batch(results):
    pair = [falls(results, step, "even")[:, -2] for step in ("full-batch", "tanh")]
    return Sample(np.stack(pair, axis=1), "ratio")


def noise_falls(results: Any, step: str, variance: float) -> np.ndarray:
    """[seed, layer]: fall of the upper bound under added noise of this variance."""
    data = results[step]["noise_i_x"].sel(variance=variance).transpose("seed", "noise_step", "layer")
    return fall(data.values)


def _noise(step: str, variance: float):
    def measure(results):
        if variance not in results[step]["variance"].values:
            return NotRun(f"the noise read-out was not taken with variance {variance:g}")
        return noise_falls(results, step, variance)[:, -2]

    return measure


def _one_neuron(activation: str):
    def curve(results):
        return results["one-neuron"]["i_x"].sel(activation=activation).values

    return curve


def _tanh_end(results):
    return dt.Estimate(
        value=float(_one_neuron("tanh")(results)[-1]), method="normal distribution function", direction="exact"
    )


def _tanh_peak(results):
    return dt.Estimate(
        value=float(_one_neuron("tanh")(results).max()), method="normal distribution function", direction="exact"
    )


def _relu_grows(results):
    least = float(np.diff(_one_neuron("relu")(results)).min())
    return dt.Estimate(value=least, method="normal distribution function", direction="exact")


def _student(results, task, name="i_x", layer="layer2"):
    return results["students"][name].sel(task=task, layer=layer).transpose("seed", "step").values


def overtrains(results: Any, task: str) -> np.ndarray:
    """[seed] bool: the exact error on new samples ends over 10 % above its least value."""
    error = results["students"]["error"].sel(task=task).transpose("seed", "step").values
    return error[:, -1] > 1.1 * error.min(1)


def _no_fall(values: np.ndarray) -> np.ndarray:
    return fall(values) <= 0.1 * (values.max(1) - values.min(1))  # what never moves does not fall


def _overtrained(results):
    return overtrains(results, "overtrained") & _no_fall(_student(results, "overtrained"))


def _irrelevant(results):
    part, whole = _student(results, "irrelevant", "irrelevant"), _student(results, "irrelevant")
    return (fall(part) > 0.5 * part.max(1)) & (whole[:, -1] > whole[:, 0])


def _linear_exact(results):
    data = results["smallest"]
    half = (data["ksg_high"] - data["ksg_low"]).values / 2
    return Sample(np.abs((data["ksg_estimate"] - data["ksg_exact"]).values) / half, "median")


def _reparametrization(results):
    data = results["smallest"]
    if float(data["function_change"].max()) > 1e-6:
        raise AssertionError("the weights do not compute the same function")
    values = data["rescaled_i_x"].transpose("seed", "factor").values
    return values.max(1) - values.min(1)


def _transition(step: str):
    """Share of networks whose SNR falls through 1 while training, in every layer, and whose information does not fall."""

    def measure(results):
        crossing = dt.gradient_phases(results[step]).crossing
        happens = ((crossing > 0) & np.isfinite(crossing)).all(1)
        if step == "smallest":
            i_x = results[step]["i_x"].transpose("seed", "step", "layer").values
        else:
            i_x = plane(results, step, "global").values[:, :, :-1]  # hidden layers
        flat = (fall(i_x) < COMPRESSES).all(1) if step != "smallest" else (fall(i_x) < 0.1).all(1)
        return happens & flat

    return measure


def cells(results: Any) -> dict[tuple[bool, bool], list[tuple[str, int]]]:
    """(compresses, generalises) -> the networks there, as (step, seed); read out as the paper does for each unit."""
    out: dict[tuple[bool, bool], list] = {(a, b): [] for a in (True, False) for b in (True, False)}
    for step, readout in (("tanh", "even"), ("small-tanh", "even"), ("relu", "global"), ("small-relu", "global")):
        data = results[step]
        gap = (data["train_accuracy"] - data["test_accuracy"]).transpose("seed", "step").values[:, -1]
        down = falls(results, step, readout)[:, -2]
        for seed, compresses, generalizes in zip(data["seed"].values.tolist(), down > COMPRESSES, gap < GAP):
            out[bool(compresses), bool(generalizes)].append((step, seed))
    return out


def _all_four(results):
    """[network] of bool: whether it lies in the cell that fewest lie in."""
    counts = [len(networks) for networks in cells(results).values()]
    return np.arange(sum(counts)) < min(counts)


def _overfits(results):
    data = results["small-tanh"]
    gap = (data["train_accuracy"] - data["test_accuracy"]).transpose("seed", "step").values[:, -1]
    return (falls(results, "small-tanh", "even")[:, -2] > COMPRESSES) & (gap > GAP)


def _full_precision(results):
    return falls(results, "tanh", "exact")[:, :-2].max(1)


def _claim(id: str, where: str, statement: str, quantity: str, region: str, measure, unit="1", **more) -> Claim:
    return Claim(
        id=id,
        figure=where,
        source=f"{_PAPER}, {where}",
        statement=statement,
        quantity=quantity,
        unit=unit,
        region=region,
        criterion=more.pop("criterion", f"95 % interval over networks within {region}"),
        protocol=_PROTOCOL,
        measure=measure,
        **more,
    )


CLAIMS = [
    *(
        _claim(f"tanh-compresses/{name}", "figure 1", "The tanh networks of Shwartz-Ziv & Tishby compress.",
               "fall of I(X;T), 30 even bins over [-1, 1], mean over networks", "> 0.5", _fall_of("tanh", "even", name), "bits")
        for name in _LAYERS
    ),
    *(
        _claim(f"relu-does-not/{name}", "figure 1", "With ReLU units the hidden layers do not compress.",
               "fall / rise of I(X;T), 100 bins over the range of all units and epochs, means over networks", "< 0.25",
               _fall_over_rise("relu", "global", name))
        for name in _HIDDEN
    ),
    _claim("relu-output-does", "figure 1", "Only the last layer of the ReLU network, which saturates, compresses.",
           "fall of I(X;T) of the output, the same bins, mean over networks", "> 0.25",
           lambda results: falls(results, "relu", "global")[:, -1], "bits"),
    *(
        _claim(f"{name}-{word}", "appendix", statement,
               f"fall of I(X;T) summed over hidden layers, {name} / tanh, 100 bins over the range of all units and epochs",
               region, _against_tanh(name))
        for name, word, region, statement in (
            ("softsign", "modest", "[0, 0.5]", "Softsign saturates more gently: modest compression."),
            ("softplus", "none", "< 0.1", "Softplus saturates on one side: no compression."),
            ("linear", "none", "< 0.1", "Linear networks do not compress."),
        )
    ),
    _claim("rebin-removes", "appendix", "Bins even in net input take the compression away.",
           "fall with edges tanh(linspace(-50, 50, 31)) / fall with even bins, median over the hidden layers that fall by over "
           "0.5 bit under even bins", "< 0.5", _rebin_most("net-input")),
    _claim("rebin-removes/ten-times-finer", "appendix", "The same with cells a tenth as wide (ours).",
           "the same with linspace(-50, 50, 301)", "< 0.5", _rebin_most("net-input-fine")),
    *(
        _claim(f"rebin-removes/{name}", "appendix", "Bins even in net input take the compression away.",
               "fall with edges tanh(linspace(-50, 50, 31)) / fall with even bins, means over networks", "< 0.5",
               _rebin(name, "net-input"))
        for name in _HIDDEN
    ),
    _claim("full-precision-flat", "appendix", "At full machine precision I(X;T) stays at 12 bits except late in the last layers.",
           "largest fall of H(T), every bit counted, over the hidden layers but the last, mean over networks", "< 0.1",
           _full_precision, "bits"),
    *(
        _claim(f"noise-readout/{step}/{variance:g}", "figure 1 and appendix", statement,
               f"fall of the upper bound of I(X;T) with noise of variance {variance:g} added for the analysis, last hidden layer",
               region, _noise(step, variance), "bits")
        for step, region, statement in (
            ("tanh", "> 0.25", "The noise read-out sees the tanh network compress, too."),
            ("relu", "< 0.25", "The noise read-out sees no compression in the ReLU network."),
        )
        for variance in (0.1, 0.001)
    ),
    _claim("full-batch-compresses", "section 4", "Compression does not need the noise of minibatches.",
           "fall of I(X;T) of the last hidden layer, full batch / minibatch, same networks, means", "> 0.5", _full_batch),
    _claim("one-neuron-tanh-returns-to-1-bit", "figure 2", "A saturated tanh unit keeps one bit.",
           "I(X;T) at w = 1000, 30 bins, exact", "1 +- 0.05", _tanh_end, "bits"),
    _claim("one-neuron-tanh-peak", "figure 2", "In between it keeps most (value ours: exact, at w = 0.87).",
           "largest I(X;T) over w, 30 bins, exact", "4.8998 +- 0.001", _tanh_peak, "bits"),
    _claim("one-neuron-relu-grows", "figure 2", "A ReLU unit keeps more the larger its weight.",
           "least step of I(X;T) along 161 weights from 0.01 to 1000, cells of fixed width, exact", "> 0", _relu_grows, "bits"),
    _claim("linear-exact", "section 3", "In linear networks the information is known exactly.",
           "|estimate - closed form| / half the width of the estimate's 95 % interval (KSG on 1000 samples), median over students",
           "< 1", _linear_exact),
    _claim("overtrained-no-compression", "figure 4", "A network can overtrain without compressing.",
           "share of students whose error ends over 10 % above its least and whose I(X;T) falls by less than a tenth of its range",
           ">= 0.8", _overtrained),
    _claim("irrelevant-compresses-while-total-rises", "figure 6",
           "What the task does not need is compressed while the total rises.",
           f"share of students whose I(X_irrelevant;T) falls by over half its largest value and whose I(X;T) ends above its start; "
           f"{RELEVANT} of 100 inputs relevant, exact", ">= 0.8", _irrelevant),
    _claim("reparametrisation-changes-information", "section 2", "The same function with other weights has other information.",
           "range of I(X;T) of the hidden unit over w1 / c, c w2, c from 0.1 to 10; the function unchanged; exact", "> 0.5",
           _reparametrization, "bits"),
    _claim("snr-transition-without-compression", "section 5", "The gradients' transition comes without compression.",
           "share of 1-1-1 linear networks whose SNR over samples falls through 1 in both layers while I(X;T) falls by less than "
           "0.1 bit", ">= 0.8", _transition("smallest")),
    *(
        _claim(f"snr-transition-without-compression/{step}", "section 5", "The gradients' transition comes without compression.",
               f"share of 12-bit {label} networks whose SNR over minibatches falls through 1 in every layer while I(X;T) of every "
               "hidden layer falls by less than 0.5 bit", "> 0.5", _transition(step))
        for step, label in (("linear", "linear"), ("relu", "ReLU"))
    ),
    _claim("small-data-compresses-and-overfits", "section 4", "A tanh network on 30 % of the data compresses and overfits.",
           "share of networks whose last hidden layer falls by over 0.5 bit and whose training accuracy ends over 0.05 above that "
           "on held-out patterns", "> 0.5", _overfits),
    _claim("all-four-cells", "section 4", "Compression and generalisation come in all four combinations.",
           "share of networks in the rarest cell of compressing (last hidden layer falls by over 0.5 bit) x generalising (accuracy gap "
           "below 0.05), tanh and ReLU networks on 80 % and 30 % of the patterns", "> 0.05", _all_four),
    *(
        _claim("mnist-noise-readout" + suffix, "figure 1 C and D", statement,
               f"largest fall of the upper bound over the hidden layers, noise of variance {pictures.VARIANCE:g}, pictures of digits, mean "
               f"over networks; {name}", region, pictures.hidden_fall(name), "bits")
        for name, suffix, region, statement in (
            ("tanh", "", "> 0.25", "On MNIST the tanh network compresses, too (one run)."),
            ("relu", "/relu", "< 0.25", "On MNIST the ReLU network does not compress (one run)."),
        )
    ),
]  # fmt: skip
CLAIMS = at_setting("published", CLAIMS, "one-neuron")  # exact
CLAIMS = at_setting("scaled down", CLAIMS, "mnist")
