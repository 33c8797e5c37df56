"""Saxe et al. 2018: each claim on results where it is true and where it is false."""

import numpy as np
import pytest
import xarray as xr

from deeptheory.studies.saxe_2018.claims import CLAIMS
from oracles.simulated import STEPS, N, around, check, check_complete, check_missing, dataset, falling, only

LAYERS = [f"layer{k}" for k in range(1, 7)]
HIDDEN, LAST_HIDDEN, OUTPUT = LAYERS[:-1], LAYERS[-2], LAYERS[-1]
READOUTS = ["global", "exact", "even", "net-input", "net-input-fine"]
NEVER: dict[str, str] = {}


def plane(readout, falls, elsewhere, **more):
    """A 12-bit step: falls [layer] under one readout, another fall under the rest.
    Dims as the step's concat leaves them."""
    rows = [[falling(f) for f in (falls if r == readout else [elsewhere] * 6)] for r in READOUTS]
    values = np.stack([around(np.array(row).T) for row in rows])  # [readout, seed, step, layer]
    return dataset(
        {"i_x": (("readout", "seed", "step", "layer"), values), **more}, readout=READOUTS, layer=LAYERS, step=STEPS
    )


def readouts(**falls):
    """A tanh step with every fall of every readout given: {readout: [layer]}."""
    return xr.concat(
        [plane(r, falls[r.replace("-", "_")], 0.0).sel(readout=[r]) for r in READOUTS if r.replace("-", "_") in falls],
        dim="readout", data_vars="minimal",
    )  # fmt: skip


def layer_case(step, readout, layer, true, false):
    return tuple(
        {step: plane(readout, only(layer, LAYERS, here, other), other)}
        for here, other in ((true, false), (false, true))
    )


def summed(step, this, tanh):
    """Hidden falls of two steps under the global bins; the output and the other readouts say the opposite."""
    return {
        s: plane("global", [f] * 5 + [g], g) for s, f, g in ((step, this, tanh), ("tanh", tanh, this))
    }  # fmt: skip


def rebin(readout, layers, removed, kept):
    """tanh networks whose falls under even bins are 1 in `layers`; there `removed` under the other edges."""
    even = [1.0 if name in layers else 0.1 for name in LAYERS]
    other = [removed if name in layers else kept for name in LAYERS]
    more = {r: other if r == readout else [kept] * 6 for r in ("net_input", "net_input_fine")}
    return {"tanh": readouts(even=even, **more)}


def noise(step, variance, hidden):
    falls = np.array([[hidden if v == variance else 0.5 - hidden for v in (0.1, 0.001)] for _ in LAYERS])
    falls[[0, 1, 2, 3, 5]] = 0.5 - hidden
    values = np.array([[falling(f) for f in row] for row in falls])  # [layer, variance, step]
    axes = ("seed", "noise_step", "layer", "variance")
    data = {"noise_i_x": (axes, around(np.moveaxis(values, 2, 0)))}
    return {step: dataset(data, layer=LAYERS, variance=[0.1, 0.001])}


def neuron(activation, curve):
    w = np.geomspace(0.01, 1000, len(curve))
    rows = [curve if a == activation else [10 - v for v in curve] for a in ("tanh", "relu")]
    return {"one-neuron": dataset({"i_x": (("activation", "w"), rows)}, activation=["tanh", "relu"], w=w)}


def students(task, i_x, irrelevant=(0, 1, 1, 1, 1), error=(2, 1, 1, 1, 1), **wrong):
    """Linear students: curves of layer2 in one task, `wrong` ones elsewhere."""
    names, axes = ("batch", "overtrained", "irrelevant"), ("task", "seed", "step", "layer")
    out = {}
    for key, here in (("i_x", i_x), ("irrelevant", irrelevant)):
        other = wrong.get(key, here)
        rows = [around(np.array([other, here if t == task else other]).T) for t in names]
        out[key] = (axes, np.stack(rows))
    errors = [around(error if t == task else wrong.get("error", error)) for t in names]
    out["error"] = (axes[:3], np.stack(errors))
    return {"students": dataset(out, task=list(names), layer=["layer1", "layer2"])}


def smallest(**variables):
    return {"smallest": dataset(variables)}


def snr(step, curves, i_x_falls, extra=None):
    """Gradient moments [seed, step, layer] of that SNR and an information plane beside."""
    ratio = around(np.array(curves).T)
    axes = ("seed", "step", "layer")
    moments = {
        "mean_norm": (axes, ratio),
        "std_norm": (axes, np.ones_like(ratio)),
        "weight_norm": (axes, np.ones_like(ratio)),
    }
    if step != "smallest":
        return {step: plane("global", i_x_falls, 3.0 if extra is None else extra, **moments)}
    values = around(np.array([falling(f) for f in i_x_falls]).T)
    data = {**moments, "i_x": (axes, values)}
    return {step: dataset(data, layer=["layer1", "layer2"], step=STEPS)}


DRIFT, NONE = [5, 4, 3, 0.5, 0.1], [5, 4, 3, 2, 1.5]  # SNR that falls through 1 and that does not


def four(compress, gaps, others=None):
    """The four steps of the cells: (last hidden fall, accuracy gap) each."""
    names = (("tanh", "even"), ("small-tanh", "even"), ("relu", "global"), ("small-relu", "global"))
    out = {}
    for (step, readout), f, gap in zip(names, compress, gaps):
        rest = 1.0 - f if others is None else others
        train = np.ones((N, len(STEPS)))
        test = train - np.array([0, 0, 0, 0, gap])
        accuracies = {"train_accuracy": (("seed", "step"), train), "test_accuracy": (("seed", "step"), test)}
        out[step] = plane(readout, only(LAST_HIDDEN, LAYERS, f, rest), rest, **accuracies)
    return out


def pictures(name, hidden, rest):
    rows = [falling(hidden)] + [falling(0.0)] * 3 + [falling(rest)]
    axes = ("seed", "step", "layer")
    data = {"i_x": (axes, around(np.array(rows).T))}
    attrs = {"pictures": "digits", "steps": 10}
    return {f"pictures-{name}": dataset(data, attrs=attrs, layer=LAYERS[:5], step=STEPS)}


FITTED, UNFITTED = [2, 1.0, 1.0, 1.2, 1.5], [2, 1.5, 1.2, 1.0, 1.0]  # error that overtrains and that does not
ZERO, HALF = ("seed", np.zeros(N)), ("seed", np.full(N, 0.5))

CASES = {
    **{f"tanh-compresses/{n}": layer_case("tanh", "even", n, 1.0, 0.1) for n in LAYERS},
    **{f"relu-does-not/{n}": layer_case("relu", "global", n, 0.3, 4.0) for n in HIDDEN},
    "relu-output-does": layer_case("relu", "global", OUTPUT, 1.0, 0.0),
    "softsign-modest": (summed("softsign", 0.25, 1.0), summed("softsign", 1.0, 0.25)),
    "softplus-none": (summed("softplus", 0.05, 1.0), summed("softplus", 1.0, 0.05)),
    "linear-none": (summed("linear", 0.05, 1.0), summed("linear", 1.0, 0.05)),
    "rebin-removes": (rebin("net_input", LAYERS[2:5], 0.1, 0.9), rebin("net_input", LAYERS[2:5], 3.0, 0.0)),
    "rebin-removes/ten-times-finer": (
        rebin("net_input_fine", LAYERS[2:5], 0.1, 0.9),
        rebin("net_input_fine", LAYERS[2:5], 3.0, 0.0),
    ),
    **{f"rebin-removes/{n}": (rebin("net_input", [n], 0.1, 0.9), rebin("net_input", [n], 0.9, 0.0)) for n in HIDDEN},
    "full-precision-flat": (
        {"tanh": plane("exact", [0, 0, 0, 0, 2, 2], 2.0)},
        {"tanh": plane("exact", [0, 0, 0, 2, 0, 0], 0.0)},
    ),
    **{f"noise-readout/tanh/{v:g}": (noise("tanh", v, 0.5), noise("tanh", v, 0.0)) for v in (0.1, 0.001)},
    **{f"noise-readout/relu/{v:g}": (noise("relu", v, 0.0), noise("relu", v, 0.5)) for v in (0.1, 0.001)},
    "full-batch-compresses": tuple(
        {s: plane("even", only(LAST_HIDDEN, LAYERS, f, g), g) for s, f, g in (("full-batch", a, b), ("tanh", b, a))}
        for a, b in ((1.0, 0.4), (0.4, 1.0))
    ),
    "one-neuron-tanh-returns-to-1-bit": (neuron("tanh", [0, 4, 4.9, 1]), neuron("tanh", [1, 4, 4.9, 0])),
    "one-neuron-tanh-peak": (neuron("tanh", [0, 4, 4.8998, 1]), neuron("tanh", [0, 4, 5, 1])),
    "one-neuron-relu-grows": (neuron("relu", [0, 1, 2, 3]), neuron("relu", [3, 2, 1, 0])),
    "linear-exact": tuple(
        smallest(
            ksg_estimate=("seed", around(2.0 + off)), ksg_exact=("seed", np.full(N, 2.0)),
            ksg_low=("seed", around(1.8 + off)),
            ksg_high=("seed", around(2.2 + off)),
        )
        for off in (0.05, -1.0)
    ),
    "overtrained-no-compression": (
        students("overtrained", [1, 2, 3, 3, 2.9], error=FITTED),
        students("overtrained", [1, 2, 3, 2, 1], error=FITTED),
    ),
    "irrelevant-compresses-while-total-rises": (
        students("irrelevant", [1, 2, 3, 3, 3], [0, 1, 1, 0.2, 0.1]),
        students("irrelevant", [3, 3, 2, 2, 1], [0, 1, 1, 0.2, 0.1]),
    ),
    "reparametrisation-changes-information": tuple(
        smallest(function_change=(("seed", "factor"), np.zeros((N, 3))), rescaled_i_x=(("seed", "factor"), around(v)))
        for v in ([1, 2, 4], [2, 2, 2])
    ),
    "snr-transition-without-compression": (snr("smallest", [DRIFT] * 2, [0, 0]), snr("smallest", [DRIFT] * 2, [1, 1])),
    **{
        f"snr-transition-without-compression/{s}": (
            snr(s, [DRIFT] * 6, [0, 0, 0, 0, 0, 3]), snr(s, [DRIFT] * 6, [3, 3, 3, 3, 3, 0], 0.0),
        )
        for s in ("linear", "relu")
    },
    "small-data-compresses-and-overfits": (four([0, 1, 0, 0], [0, 0.2, 0, 0]), four([1, 0, 1, 1], [0.2, 0, 0.2, 0.2])),
    "all-four-cells": (four([1, 1, 0, 0], [0, 0.2, 0, 0.2], 1.0), four([1, 1, 0, 1], [0, 0.2, 0, 0.2], 0.0)),
    "mnist-noise-readout": (pictures("tanh", 1.0, 0.0), pictures("tanh", 0.0, 1.0)),
    "mnist-noise-readout/relu": (pictures("relu", 0.0, 1.0), pictures("relu", 1.0, 0.0)),
}  # fmt: skip

MORE_FALSE = [  # other ways in which a statement of two parts is false
    ("overtrained-no-compression", students("overtrained", [1, 2, 3, 3, 3], error=UNFITTED)),
    ("irrelevant-compresses-while-total-rises", students("irrelevant", [1, 2, 3, 3, 3], [0, 0.1, 0.2, 1, 1])),
    ("irrelevant-compresses-while-total-rises", students("irrelevant", [1, 2, 3, 3, 3], [0, 1, 1, 0.8, 0.7])),
    ("one-neuron-relu-grows", neuron("relu", [0, 2, 1, 3])),
    ("snr-transition-without-compression", snr("smallest", [DRIFT] * 2, [0, 1])),
    ("snr-transition-without-compression/linear", snr("linear", [DRIFT] * 6, [0, 0, 3, 0, 0, 0])),
    ("snr-transition-without-compression/relu", snr("relu", [DRIFT] * 6, [0, 0, 3, 0, 0, 0])),
    ("snr-transition-without-compression", snr("smallest", [NONE, DRIFT], [0, 0])),
    ("snr-transition-without-compression/linear", snr("linear", [NONE, *[DRIFT] * 5], [0] * 6)),
    ("snr-transition-without-compression/relu", snr("relu", [[0.5] * 5, *[DRIFT] * 5], [0] * 6)),
    ("small-data-compresses-and-overfits", four([0, 1, 0, 0], [0, 0, 0, 0])),
    ("small-data-compresses-and-overfits", four([0, 1, 0, 0], [0, -0.2, 0, 0])),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_one_part_alone_does_not_make_it_true(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


def test_information_that_never_moves_is_not_compressed():
    still = students("overtrained", [3, 3, 3, 3, 3], error=FITTED)
    check(CLAIMS, "overtrained-no-compression", (still, CASES["overtrained-no-compression"][1]))


SHARES = [
    "overtrained-no-compression",
    "irrelevant-compresses-while-total-rises",
    *(f"snr-transition-without-compression{suffix}" for suffix in ("", "/linear", "/relu")),
    "small-data-compresses-and-overfits",
    "all-four-cells",
]


@pytest.mark.parametrize("name", SHARES)
def test_a_network_without_numbers_has_no_value(name):
    check_missing(CLAIMS, name, CASES[name][0])


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)
