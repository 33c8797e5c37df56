"""What is trained and looked at: one neuron, the 12-bit networks under five nonlinearities and several read-outs, linear
students of a linear teacher.

The steps of the 12-bit networks give one Dataset: i_x, i_y, h_t, occupied [seed, step, layer, readout], the noise read-out
at fewer looks [seed, noise_step, layer, variance], gradient moments and history.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import (
    LinearGaussian,
    linear_information,
    linear_label_information,
    one_neuron_information,
)
from deeptheory.runs import Step, generator
from deeptheory.runs import members as numbered
from deeptheory.studies.saxe_2018 import pictures

NONLINEARITIES = ("tanh", "relu", "softsign", "softplus", "linear")
BOUNDED = ("tanh", "softsign")
TASKS = ("batch", "overtrained", "irrelevant")  # of the linear students
RELEVANT = 30
FACTORS = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]


def members(settings: dict) -> list[int]:
    """The networks of the run; the same in every step, so that steps pair them."""
    return numbered(settings["seed"], settings["networks"])


def students(settings: dict) -> list[int]:
    """The linear students of the run."""
    return numbered(settings["seed"], settings["students"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    sizes = (
        "networks",
        "students",
        "bins",
        "cells",
        "points",
        "epochs",
        "noise_looks",
        "noise_inputs",
        "linear_epochs",
        "picture_networks",
        "picture_looks",
    )
    for name in sizes:
        if settings[name] < 1:
            raise InputError(f"{name} is {settings[name]}; needed: at least 1")
    if settings["picture_steps"] < 0:
        raise InputError(f"picture_steps is {settings['picture_steps']}; needed: 0 (none) or more")
    if not 2 <= settings["noise_inputs"] <= 4096:
        raise InputError(f"noise_inputs is {settings['noise_inputs']}; it lies in 2..4096")
    widths = settings["widths"]
    if len(widths) < 3 or widths[0] != 12 or widths[-1] != 2:
        raise InputError(f"widths is {widths}; needed: 12 inputs, one hidden layer or more, 2 outputs: 12,8,4,2")
    small = {**settings, "epochs": 1, "points": 1, "noise_inputs": 2, "seed": 0}
    for share in (settings["train"], settings["small"]):
        _train({**small, "train": share}, 0, "tanh", None, None)  # one epoch of one network: every number is read


def readouts(settings: dict, activation: str) -> dict[str, dt.Binning | dt.Exact]:
    """The read-outs of a network with this nonlinearity, by the names under which the study knows them."""
    out: dict[str, dt.Binning | dt.Exact] = {"global": dt.Binning(settings["cells"], "global"), "exact": dt.Exact()}
    if activation in BOUNDED:
        out["even"] = dt.Binning(settings["bins"], (-1, 1))
        out["net-input"] = dt.Binning.net_input(settings["bins"], activation)
        out["net-input-fine"] = dt.Binning.net_input(10 * settings["bins"], activation)
    return out


def one_neuron(settings, unit, inputs, workspace, progress):
    """Section 2: x ~ N(0, 1), one unit, exact information of the binned output against the weight."""
    import xarray as xr

    w = np.geomspace(0.01, 1000, 161)
    width, curves = 2 / settings["bins"], []
    for name in NONLINEARITIES:
        if name in BOUNDED:
            curves.append(one_neuron_information(w, np.linspace(-1, 1, settings["bins"] + 1), name))
        else:  # cells of the same width as far as values reach, eight standard deviations
            curves.append([float(one_neuron_information(v, _cells(width, max(1, 8 * v)), name)) for v in w])
    return xr.Dataset(
        {"i_x": (("activation", "w"), np.array(curves))}, coords={"activation": list(NONLINEARITIES), "w": w}
    )


def _cells(width: float, reach: float) -> np.ndarray:
    n = int(np.ceil(reach / width))
    return width * np.arange(-n, n + 1)


def tanh(settings, unit, inputs, workspace, progress):
    """The protocol with tanh units."""
    return _train(settings, unit, "tanh", workspace, progress)


def relu(settings, unit, inputs, workspace, progress):
    """The protocol with ReLU units."""
    return _train(settings, unit, "relu", workspace, progress)


def softsign(settings, unit, inputs, workspace, progress):
    """The protocol with softsign units."""
    return _train(settings, unit, "softsign", workspace, progress)


def softplus(settings, unit, inputs, workspace, progress):
    """The protocol with softplus units."""
    return _train(settings, unit, "softplus", workspace, progress)


def linear(settings, unit, inputs, workspace, progress):
    """The protocol with linear units."""
    return _train(settings, unit, "linear", workspace, progress)


def full_batch(settings, unit, inputs, workspace, progress):
    """tanh, one step an epoch on all training samples."""
    return _train({**settings, "gradient_batch": settings["batch"], "batch": None}, unit, "tanh", workspace, progress)


def small_tanh(settings, unit, inputs, workspace, progress):
    """tanh, scarce data."""
    return _train({**settings, "train": settings["small"]}, unit, "tanh", workspace, progress)


def small_relu(settings, unit, inputs, workspace, progress):
    """ReLU, scarce data."""
    return _train({**settings, "train": settings["small"]}, unit, "relu", workspace, progress)


def _train(settings, seed, activation, workspace, progress):
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp(settings["widths"], activation, [seed], settings["init"])
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*")
    gradients = dt.GradientRecorder(nets)
    looks = dt.networks.log_epochs(settings["epochs"], settings["points"])
    history = dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=settings["train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=settings["epochs"],
        recorder=recorder,
        record_at=looks,
        gradients=gradients,
        gradient_batch=settings.get("gradient_batch"),
        seed=settings["seed"],
        progress=progress,
    )
    out = _planes(recorder.recording, readouts(settings, activation))
    out = out.merge(_noise(recorder.recording, settings, data.y)).merge(gradients.dataset().drop_vars("batches"))
    return out.merge(history.dataset()).assign_attrs(inputs=len(data.x), h_y=data.mutual_information)


def _planes(recording, looks_through: dict[str, Any]):
    import xarray as xr

    planes = [
        dt.information_plane(recording, r).dataset()[["i_x", "i_y", "h_t", "occupied"]] for r in looks_through.values()
    ]
    return xr.concat(planes, dim=xr.IndexVariable("readout", list(looks_through)), combine_attrs="drop")


def _noise(recording, settings: dict, y: np.ndarray):
    """Bounds by noise added for the analysis, at some looks and on some patterns: each takes all pairs of them."""
    import xarray as xr

    rows = generator(settings["seed"], "noise read-out").permutation(len(y))[: settings["noise_inputs"]]
    rows.sort()
    at = sorted({int(k) for k in np.linspace(0, len(recording.steps) - 1, settings["noise_looks"]).round()})
    steps = [recording.steps[k] for k in at]
    values = np.empty((3, 1, len(steps), len(recording.layers), len(settings["variances"])))
    for t, step in enumerate(steps):
        for k, layer in enumerate(recording.layers):
            a = recording.activations(layer, step)[:, rows]
            for v, variance in enumerate(settings["variances"]):
                got = dt.GaussianNoise(variance**0.5).summarize(a, y[rows])
                values[:, :, t, k, v] = got["i_x"], got["i_x_lower"], got["i_y"]
    axes = ("seed", "noise_step", "layer", "variance")
    names = ("noise_i_x", "noise_i_x_lower", "noise_i_y")
    coords = {"seed": list(recording.seeds), "noise_step": steps, "layer": list(recording.layers), "variance": settings["variances"]}  # fmt: skip
    return xr.Dataset({n: (axes, v) for n, v in zip(names, values)}, coords=coords)


def linear_students(settings, unit, inputs, workspace, progress):
    """Section 3: deep linear students 100-100-1 of a linear teacher, everything exact.

    batch: 100 samples, full batch; overtrained: 100 samples, minibatches of 5; irrelevant: 1000 samples, full batch, and
    70 of the 100 inputs carry nothing.
    """
    import xarray as xr

    parts = []
    for k, task in enumerate(TASKS):
        parts.append(_student(settings, unit, task, settings["linear_lr"][k]))
        progress(k + 1, len(TASKS))
    return xr.concat(parts, dim=xr.IndexVariable("task", list(TASKS)))


def _student(settings, seed, task, lr):
    import xarray as xr

    few = task != "irrelevant"
    data = dt.datasets.student_teacher(100 if few else 1000, 100, seed=seed, relevant=None if few else RELEVANT)
    nets = dt.networks.Population.mlp([100, 100, 1], "linear", [seed], settings["init"], head="linear", bias=False)
    recorder = dt.Recorder(nets, LinearGaussian.probe(100), layers="layer*")
    epochs = settings["linear_epochs"]
    dt.networks.fit(
        nets, data.x, data.y, train_fraction=1.0, optimizer="sgd", lr=lr, batch=5 if task == "overtrained" else None, epochs=epochs,
        recorder=recorder, record_at=dt.networks.log_epochs(epochs, 60), seed=settings["seed"],
    )  # fmt: skip
    recording, rows = recorder.recording, range(RELEVANT, 100)
    values: dict[str, list] = {"i_x": [], "irrelevant": [], "i_y": []}
    for step in recording.steps:
        maps = [LinearGaussian.maps(recording.activations(layer, step))[0] for layer in recording.layers]
        values["i_x"].append([linear_information(w, 1.0) for w in maps])
        values["irrelevant"].append([linear_information(w, 1.0, rows=rows) for w in maps])
        values["i_y"].append([linear_label_information(w, 1.0, data.teacher, data.label_noise) for w in maps])
    errors = [data.error(LinearGaussian.maps(recording.activations("layer2", s)))[0] for s in recording.steps]
    axes = ("seed", "step", "layer")
    return xr.Dataset(
        {name: (axes, np.array(v)[None]) for name, v in values.items()}
        | {"error": (("seed", "step"), np.array(errors)[None])},
        coords={"seed": [seed], "step": list(recording.steps), "layer": list(recording.layers)},
    )


def smallest_network(settings, unit, inputs, workspace, progress):
    """1-1-1 linear networks, 100 samples, rate 0.001: gradients over samples, information, estimates of it, and what other
    weights of the same function would say."""
    import xarray as xr

    data = dt.datasets.student_teacher(100, 1, seed=unit)
    nets = dt.networks.Population.mlp([1, 1, 1], "linear", [unit], settings["init"], head="linear", bias=False)
    recorder = dt.Recorder(nets, LinearGaussian.probe(1), layers="layer*", readouts=LinearGaussian(1.0), targets=[0, 0])
    gradients = dt.GradientRecorder(nets)
    dt.networks.fit(
        nets, data.x, data.y, train_fraction=1.0, optimizer="sgd", lr=1e-3, batch=None, epochs=10 * settings["linear_epochs"],
        recorder=recorder, record_at=dt.networks.log_epochs(10 * settings["linear_epochs"], 80), gradients=gradients,
        gradient_batch=1, seed=settings["seed"],
    )  # fmt: skip
    out = recorder.recording.summary(LinearGaussian(1.0)).merge(gradients.dataset().drop_vars("batches"))
    first, second = (float(w.detach()[0, 0, 0]) for w, _ in nets.parts())
    rescaled = [[float(linear_information([[first / c]], 1.0)) for c in FACTORS]]
    gaps = [[abs((c * second) * (first / c) - second * first) for c in FACTORS]]
    out["rescaled_i_x"] = xr.DataArray(rescaled, dims=("seed", "factor"), coords={"factor": FACTORS})
    out["function_change"] = xr.DataArray(gaps, dims=("seed", "factor"), coords={"factor": FACTORS})
    rng = generator(settings["seed"], "samples of T", unit)
    signal = second * first * rng.standard_normal(1000)
    got = dt.mutual_information(signal, signal + rng.standard_normal(1000), "ksg")
    exact = float(linear_information([[second * first]], 1.0))
    for name, value in (("estimate", got.value), ("low", got.low), ("high", got.high), ("exact", exact)):
        out[f"ksg_{name}"] = ("seed", [value])
    return out.drop_attrs()


def _single(settings: dict) -> list[int]:
    return members(settings)


STEPS = [
    Step(name="one-neuron", function=one_neuron, about="exact curves of one neuron"),
    *(
        Step(name=name, function=function, units=_single, about=about)
        for name, function, about in (
            ("tanh", tanh, "the 12-bit networks, tanh"),
            ("relu", relu, "the same, ReLU"),
            ("softsign", softsign, "the same, softsign"),
            ("softplus", softplus, "the same, softplus"),
            ("linear", linear, "the same, linear units"),
            ("full-batch", full_batch, "tanh without minibatch noise"),
            ("small-tanh", small_tanh, "tanh, scarce data"),
            ("small-relu", small_relu, "ReLU, scarce data"),
        )
    ),
    Step(name="students", function=linear_students, units=students, about="deep linear students of a linear teacher"),
    Step(name="smallest", function=smallest_network, units=students, about="1-1-1 linear networks"),
    *pictures.STEPS,
]
