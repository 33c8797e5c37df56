"""What is trained and looked at: one neuron, the 12-bit networks under five nonlinearities and several readouts, linear
students of a linear teacher.

The steps of the 12-bit networks give one Dataset: i_x, i_y, h_t, occupied [seed, step, layer, readout], the noise
readout at fewer looks [seed, noise_step, layer, variance], gradient moments and history.
"""

from functools import partial
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import (
    LinearGaussian,
    linear_information,
    linear_label_information,
    one_neuron_information,
)
from deeptheory.information.one_neuron import Activation
from deeptheory.runs import Step, generator
from deeptheory.studies.digits import drawn_digits
from deeptheory.studies.units import seeds

NONLINEARITIES: tuple[Activation, ...] = ("tanh", "relu", "softsign", "softplus", "linear")
BOUNDED = ("tanh", "softsign")
TASKS = ("batch", "overtrained", "irrelevant")  # of the linear students
RELEVANT = 30
FACTORS = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0]
# Images of digits (figure 1 C and D). The paper trains by SGD with rate 0.001 for thousands of epochs. Here the rate
# is a hundred times that and the steps a hundredth: small steps follow the same path, so that rate times steps is what
# counts. Ours, fixed before anything was measured.
HIDDEN = (1024, 20, 20, 20)
VARIANCE = 0.1  # of the noise added for the analysis
BATCH, RATE, PAPER_RATE = 128, 0.1, 0.001
SAMPLES, SHOWN = 24_000, 1000


def check(settings: dict) -> None:
    """InputError: settings that do not go together, found by one epoch of one network, on much data and on little."""
    small = {**settings, "epochs": 1, "points": 1, "noise_inputs": 2, "seed": 0}
    for scarce in (False, True):
        networks(small, 0, {}, None, None, scarce=scarce)


def readouts(settings: dict, activation: Any) -> dict[str, dt.Binning | dt.Exact]:
    """The readouts of a network with this nonlinearity, by the names under which the study knows them."""
    out: dict[str, dt.Binning | dt.Exact] = {"global": dt.Binning(settings["cells"], "global"), "exact": dt.Exact()}
    if activation in BOUNDED:
        out["even"] = dt.Binning(settings["bins"], (-1, 1))
        out["net-input"] = dt.Binning.net_input(settings["bins"], activation)
        out["net-input-fine"] = dt.Binning.net_input(10 * settings["bins"], activation)
    return out


def one_neuron(settings, unit, inputs, workspace, progress):
    """Section 2: x ~ N(0, 1), one unit, exact information of the binned output against the weight."""
    import xarray as xr

    w, bins = np.geomspace(0.01, 1000, 161), settings["bins"]
    curves = [
        one_neuron_information(w, np.linspace(-1, 1, bins + 1), name)
        if name in BOUNDED
        else [float(one_neuron_information(v, _cells(2 / bins, max(1, 8 * v)), name)) for v in w]
        for name in NONLINEARITIES
    ]
    return xr.Dataset(
        {"i_x": (("activation", "w"), np.array(curves))}, coords={"activation": list(NONLINEARITIES), "w": w}
    )


def _cells(width: float, reach: float) -> np.ndarray:
    """Edges of cells of that width as far as values reach: eight standard deviations."""
    n = int(np.ceil(reach / width))
    return width * np.arange(-n, n + 1)


def networks(settings, unit, inputs, workspace, progress, activation="tanh", full_batch=False, scarce=False):
    """The 12-bit networks. full_batch: one step an epoch on all training samples,
    gradients over minibatches that do not train."""
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp(settings["widths"], activation, seeds=[unit], init=settings["init"])
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*")
    gradients = dt.GradientRecorder(nets)
    history = dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=settings["small" if scarce else "train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=None if full_batch else settings["batch"],
        epochs=settings["epochs"],
        recorder=recorder,
        record_at=dt.networks.log_epochs(settings["epochs"], settings["points"]),
        gradients=gradients,
        gradient_batch=settings["batch"] if full_batch else None,
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
    """Bounds by noise added for the analysis, at some epochs and on some patterns: each takes all pairs of them."""
    import xarray as xr

    rows = generator(settings["seed"], "noise readout").permutation(len(y))[: settings["noise_inputs"]]
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
    coords = {
        "seed": list(recording.seeds),
        "noise_step": steps,
        "layer": list(recording.layers),
        "variance": settings["variances"],
    }
    return xr.Dataset({n: (axes, v) for n, v in zip(names, values)}, coords=coords)


def linear_students(settings, unit, inputs, workspace, progress):
    """Section 3: deep linear students 100-100-1 of a linear teacher, everything exact.

    batch: 100 samples, full batch; overtrained: 100 samples, minibatches of 5; irrelevant: 1000 samples, full batch,
    and 70 of the 100 inputs carry nothing.
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
    nets = dt.networks.Population.mlp(
        [100, 100, 1], "linear", seeds=[seed], init=settings["init"], head="linear", bias=False
    )
    recorder = dt.Recorder(nets, LinearGaussian.probe(100), layers="layer*")
    epochs = settings["linear_epochs"]
    dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=1.0,
        optimizer="sgd",
        lr=lr,
        batch=5 if task == "overtrained" else None,
        epochs=epochs,
        recorder=recorder,
        record_at=dt.networks.log_epochs(epochs, 60),
        seed=settings["seed"],
    )
    recording, axes = recorder.recording, ("seed", "step", "layer")
    maps = [[LinearGaussian.maps(recording.activations(la, s))[0] for la in recording.layers] for s in recording.steps]
    measures = {
        "i_x": partial(linear_information, sigma=1.0),
        "irrelevant": partial(linear_information, sigma=1.0, rows=range(RELEVANT, 100)),
        "i_y": partial(linear_label_information, sigma=1.0, teacher=data.teacher, label_sigma=data.label_noise),
    }
    found = {n: (axes, np.array([[[of(w) for w in at] for at in maps]])) for n, of in measures.items()}
    errors = np.array([[data.error(at[-1][None])[0] for at in maps]])
    return xr.Dataset(
        found | {"error": (axes[:2], errors)},
        coords={"seed": [seed], "step": list(recording.steps), "layer": list(recording.layers)},
    )


def smallest_network(settings, unit, inputs, workspace, progress):
    """1-1-1 linear networks, 100 samples, rate 0.001: gradients over samples, information, estimates of it, and what
    other weights of the same function would say."""
    data = dt.datasets.student_teacher(100, 1, seed=unit)
    nets = dt.networks.Population.mlp(
        [1, 1, 1], "linear", seeds=[unit], init=settings["init"], head="linear", bias=False
    )
    recorder = dt.Recorder(nets, LinearGaussian.probe(1), layers="layer*", readouts=LinearGaussian(1.0), targets=[0, 0])
    gradients = dt.GradientRecorder(nets)
    dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=1.0,
        optimizer="sgd",
        lr=1e-3,
        batch=None,
        epochs=10 * settings["linear_epochs"],
        recorder=recorder,
        record_at=dt.networks.log_epochs(10 * settings["linear_epochs"], 80),
        gradients=gradients,
        gradient_batch=1,
        seed=settings["seed"],
    )
    out = recorder.recording.summary(LinearGaussian(1.0)).merge(gradients.dataset().drop_vars("batches"))
    first, second = (float(w.detach()[0, 0, 0]) for w, _ in nets.parts())
    rng = generator(settings["seed"], "samples of T", unit)
    signal = second * first * rng.standard_normal(1000)
    got = dt.mutual_information(signal, signal + rng.standard_normal(1000), "ksg")
    truth = float(linear_information([[second * first]], 1.0))
    ksg = {"estimate": got.value, "low": got.low, "high": got.high, "exact": truth}
    return (
        out.assign_coords(factor=FACTORS)
        .assign(
            rescaled_i_x=(("seed", "factor"), [[float(linear_information([[first / c]], 1.0)) for c in FACTORS]]),
            function_change=(("seed", "factor"), [[abs((c * second) * (first / c) - second * first) for c in FACTORS]]),
        )
        .assign({f"ksg_{name}": ("seed", [value]) for name, value in ksg.items()})
        .drop_attrs()
    )


def digits(settings, unit, inputs, workspace, progress, activation):
    """Networks 784-1024-20-20-20-10 on images of digits, seen through added noise;
    nothing where a scale has no steps for them."""
    import xarray as xr

    steps = settings["picture_steps"]
    if not steps:
        return xr.Dataset(coords={"seed": [unit]})
    data = drawn_digits(settings, SAMPLES)
    x = data.x.reshape(len(data.x), -1)
    nets = dt.networks.Population.mlp([x.shape[1], *HIDDEN, 10], activation, seeds=[unit], init=settings["init"])
    look, shown = dt.GaussianNoise(VARIANCE**0.5), data.held[:SHOWN]
    recorder = dt.Recorder(nets, x[shown], data.y[shown], layers="layer*", readouts=look)
    epochs = max(1, round(steps * BATCH / len(data.train)))
    history = dt.networks.fit(
        nets,
        x,
        data.y,
        train_fraction=[data.train],
        optimizer="sgd",
        lr=RATE,
        batch=BATCH,
        epochs=epochs,
        recorder=recorder,
        record_at=dt.networks.log_epochs(epochs, settings["picture_looks"]),
        seed=settings["seed"],
        progress=progress,
    )
    out = recorder.recording.summary(look)[["i_x", "i_x_lower"]].merge(history.dataset())
    return out.drop_attrs().assign_attrs(
        pictures=data.said, shown=len(shown), epochs=epochs, steps=epochs * -(-len(data.train) // BATCH)
    )


_students = partial(seeds, count="students")
STEPS = [
    Step(name="one-neuron", function=one_neuron, about="exact curves of one neuron"),
    *(
        Step(name=name, function=networks, options=options, units=seeds, about=about)
        for name, options, about in (
            ("tanh", {"activation": "tanh"}, "the 12-bit networks, tanh"),
            ("relu", {"activation": "relu"}, "the same, ReLU"),
            ("softsign", {"activation": "softsign"}, "the same, softsign"),
            ("softplus", {"activation": "softplus"}, "the same, softplus"),
            ("linear", {"activation": "linear"}, "the same, linear units"),
            ("full-batch", {"activation": "tanh", "full_batch": True}, "tanh without minibatch noise"),
            ("small-tanh", {"activation": "tanh", "scarce": True}, "tanh, scarce data"),
            ("small-relu", {"activation": "relu", "scarce": True}, "ReLU, scarce data"),
        )
    ),
    Step(name="students", function=linear_students, units=_students, about="deep linear students of a linear teacher"),
    Step(name="smallest", function=smallest_network, units=_students, about="1-1-1 linear networks"),
    *(
        Step(
            name=f"pictures-{name}",
            function=digits,
            options={"activation": name},
            units=partial(seeds, count="picture_networks"),
            about=f"{label} on pictures of digits",
        )
        for name, label in (("tanh", "tanh"), ("relu", "ReLU"))
    ),
]
