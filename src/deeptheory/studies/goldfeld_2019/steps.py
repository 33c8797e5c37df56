"""What is trained and looked at: noisy networks with and without orthonormal weights, deterministic ones, quantised ones of
several architectures, pairs of images of known information, and a small convolutional network."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import Clusters, information_plane, noisy_neuron_information
from deeptheory.runs import Step, chunks, derive, generator
from deeptheory.runs import members as numbered
from deeptheory.studies.goldfeld_2019 import pictures

CLUSTERED = 1024  # patterns, drawn at random, whose distances are measured
ARCHITECTURES = {  # name -> (widths, activation); the first two are the network of Shwartz-Ziv & Tishby
    "tanh": ([12, 10, 7, 5, 4, 3, 2], "tanh"),
    "relu": ([12, 10, 7, 5, 4, 3, 2], "relu"),
    "flat": ([12, 10, 10, 10, 10, 2], "tanh"),
    "bottleneck": ([12, 16, 12, 8, 4, 2], "tanh"),
    "hourglass": ([12, 16, 8, 2, 4, 8, 2], "tanh"),
}
KINDS = ("gaussians", "rectangles")
CNN_LAYERS = ("conv1", "conv2", "conv3", "dense1")
CNN_NETWORKS = 2


def members(settings: dict) -> list[int]:
    """The noisy networks of the run; the same in every step, so that steps pair them."""
    return numbered(settings["seed"], settings["networks"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    for name in ("networks", "points", "quantised", "quantised_points", "sets", "epochs", "cnn_steps"):
        if settings[name] < 1:
            raise InputError(f"{name} is {settings[name]}; needed: at least 1")
    if settings["picture_networks"] < 1 or settings["picture_steps"] < 1 or settings["picture_epochs"] < 0:
        said = ", ".join(f"{k} {settings[k]}" for k in ("picture_networks", "picture_steps", "picture_epochs"))
        raise InputError(f"{said}; needed: at least 1, 1 and 0")
    if settings["pairs"] < 200:
        raise InputError(f"pairs is {settings['pairs']}; estimates with an interval need at least 200")
    widths = settings["widths"]
    if len(widths) < 3 or widths[0] != 12 or widths[-1] != 2:
        raise InputError(f"widths is {widths}; needed: 12 inputs, one hidden layer or more, 2 outputs: 12,8,4,2")
    dt.PropagatedNoise(settings["noise"], 4096)
    small = {**settings, "epochs": 1, "seed": 0}
    _fit(_networks(small, [0], noise=settings["noise"]), small, None, None, [], orthonormal=settings["orthonormal"])
    dt.networks.Population.mlp(widths, seeds=[0], bits=settings["bits"])


def one_neuron(settings, unit, inputs, workspace, progress):
    """Section 3: a tanh unit with noise and four inputs, a channel whose inputs merge."""
    import xarray as xr

    w, sigmas = np.geomspace(0.01, 100, 121), [0.01, 0.05, 0.2]
    curves = [noisy_neuron_information(w, [-3.0, -1.0, 1.0, 3.0], s) for s in sigmas]
    return xr.Dataset({"i_x": (("sigma", "w"), np.array(curves))}, coords={"sigma": sigmas, "w": w})


def noisy(settings, unit, inputs, workspace, progress):
    """Noise in every hidden layer, in training and afterwards."""
    return _noisy(settings, unit, progress, 0.0)


def orthonormal(settings, unit, inputs, workspace, progress):
    """The same with nearly orthonormal weights of the hidden layers."""
    return _noisy(settings, unit, progress, settings["orthonormal"])


def _networks(settings, seeds, **more):
    return dt.networks.Population.mlp(settings["widths"], "tanh", seeds, **more)


def _hidden(settings) -> list[str]:
    return [f"layer{k}" for k in range(1, len(settings["widths"]) - 1)]


def _fit(nets, settings, recorder, progress, at, orthonormal=0.0, lr=None, batch=None):
    data = dt.datasets.icosahedron()
    return dt.networks.fit(
        nets, data.x, data.y, train_fraction=settings["train"], lr=lr or settings["lr"], batch=batch or settings["batch"],
        epochs=settings["epochs"], recorder=recorder, record_at=at, seed=settings["seed"], orthonormal=orthonormal, progress=progress,
    )  # fmt: skip


def _noisy(settings, seed, progress, weight):
    import xarray as xr

    data, sigma = dt.datasets.icosahedron(), settings["noise"]
    nets = _networks(settings, [seed], noise=sigma)
    readout = dt.PropagatedNoise(sigma, len(data.x), blocks=1, seed=derive(settings["seed"], "propagated") % 2**32)
    rows = readout.rows()
    recorder = dt.Recorder(nets, data.x[rows], data.y[rows], layers=_hidden(settings))
    looks = dt.networks.log_epochs(settings["epochs"], settings["points"])
    history = _fit(nets, settings, recorder, progress, looks, weight)
    recording, chosen = recorder.recording, _clustered(settings)
    plane = {
        "i_x": [],
        "i_y": [],
        "i_x_low": [],
        "i_x_high": [],
        "apart": [],
        "within": [],
        "between": [],
        "nearest": [],
    }
    for step in recording.steps:
        found: list[dict] = []
        for layer in recording.layers:
            a = recording.activations(layer, step)
            near = Clusters(4 * sigma).summarize(a[:, chosen], data.y[chosen])  # the first 4096 rows are all patterns
            found.append(readout.summarize(a, data.y[rows]) | near)
        for name, values in plane.items():
            values.append([float(f[name][0]) for f in found])
    axes = ("seed", "step", "layer")
    out = xr.Dataset(
        {name: (axes, np.array(values)[None]) for name, values in plane.items()},
        coords={"seed": [seed], "step": list(recording.steps), "layer": list(recording.layers)},
    )
    return out.merge(history.dataset()).drop_attrs()


def _clustered(settings) -> np.ndarray:
    return np.sort(generator(settings["seed"], "clusters").permutation(4096)[:CLUSTERED])


def deterministic(settings, unit, inputs, workspace, progress):
    """No noise: the entropy of cells of several sizes, of every bit in single and double precision, and the clusters."""
    import xarray as xr

    data, sizes = dt.datasets.icosahedron(), settings["sizes"]
    nets = _networks(settings, [unit])
    chosen = _clustered(settings)
    looks = dt.networks.log_epochs(settings["epochs"], settings["points"])
    single = dt.Recorder(nets, data.x, data.y, layers=_hidden(settings))
    double = dt.Recorder(nets.seen_in("float64"), data.x, data.y, layers=_hidden(settings), readouts=dt.Exact())
    both = _Both(single, double)
    history = _fit(nets, settings, both, progress, looks)
    recording = single.recording
    binned = [
        information_plane(recording, dt.Binning(round(2 / size), (-1, 1)))
        .dataset()["h_t"]
        .transpose("seed", "step", "layer")
        for size in sizes
    ]
    exact = information_plane(recording, dt.Exact()).dataset()["h_t"].transpose("seed", "step", "layer")
    twice = double.recording.summary(dt.Exact())["h_t"].transpose("seed", "step", "layer")
    apart = [
        [float(Clusters(4 * settings["noise"]).summarize(recording.activations(la, s)[:, chosen], data.y[chosen])["apart"][0])
         for la in recording.layers] for s in recording.steps
    ]  # fmt: skip
    axes = ("seed", "step", "layer")
    out = xr.Dataset(
        {
            "binned": ((*axes, "size"), np.stack([b.values for b in binned], axis=-1)),
            "exact_single": (axes, exact.values),
            "exact_double": (axes, twice.values),
            "apart": (axes, np.array(apart)[None]),
        },
        coords={"seed": [unit], "step": list(recording.steps), "layer": list(recording.layers), "size": sizes},
    )
    return out.merge(history.dataset()).drop_attrs()


class _Both:
    """Two recorders that look at the same time."""

    def __init__(self, *recorders):
        self.recorders = recorders

    def snapshot(self, step: int) -> None:
        for recorder in self.recorders:
            recorder.snapshot(step)


def quantised(settings, unit, inputs, workspace, progress):
    """Lorenzen et al.: activations rounded to 2^bits levels in training and afterwards, so that H(T) is exact."""
    name, seeds = unit
    widths, activation = ARCHITECTURES[name]
    nets = dt.networks.Population.mlp(widths, activation, seeds, bits=settings["bits"])
    data = dt.datasets.icosahedron()
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*", readouts=dt.Exact())
    looks = dt.networks.log_epochs(settings["epochs"], settings["quantised_points"])
    history = _fit(
        nets, settings, recorder, progress, looks, lr=settings["quantised_lr"], batch=settings["quantised_batch"]
    )
    out = information_plane(recorder.recording, dt.Exact()).dataset()[["i_x", "i_y"]].merge(history.dataset())
    return out.drop_attrs().expand_dims(architecture=[name])


def synthetic(settings, unit, inputs, workspace, progress):
    """Butakov et al.: pairs of images of known information; each image compressed to two numbers by its own autoencoder."""
    import xarray as xr

    kind, truth, k = unit
    data = dt.datasets.paired_images(kind, truth, settings["pairs"], seed=derive(settings["seed"], kind, k) % 2**31)
    rows = []
    for how in ("autoencoder", "pca"):
        got = dt.mutual_information(data.x, data.y, "compressed", how=how, dims=2, seed=k)
        rows.append([got.value, got.low, got.high])
    values = np.array(rows)
    names = ("estimate", "low", "high")
    return xr.Dataset(
        {n: (("set", "how"), values[None, :, i]) for i, n in enumerate(names)} | {"truth": ("set", [truth]), "kind": ("set", [kind])},
        coords={"set": ["-".join(map(str, unit))], "how": ["autoencoder", "pca"]},
    )  # fmt: skip


def convolutional(settings, unit, inputs, workspace, progress):
    """A small convolutional network with noise in proportion to its activations, on the 8 x 8 digits (1,797 real ones)."""
    import xarray as xr

    digits = dt.datasets.digits()
    x = (digits.images.astype(np.float32) / digits.images.max())[:, None]
    y = digits.labels
    order = generator(settings["seed"], "digits").permutation(len(x))
    train, held = order[: int(0.8 * len(x))], order[int(0.8 * len(x)) :]
    net = dt.networks.noisy_cnn(8, noise=1e-3, seed=unit)
    estimate, loss = _layer_information(x, unit), _negative_log_likelihood
    every = max(1, settings["cnn_steps"] // 20)
    log = dt.networks.train(
        net, dt.networks.minibatches(x[train], y[train], batch=128, seed=unit), loss, steps=settings["cnn_steps"],
        lr=settings["cnn_lr"], evaluate=lambda m: estimate(m) | _accuracy(m, x[held], y[held]), every=every, seed=unit,
        progress=progress,
    )  # fmt: skip
    found = log.dataset()
    i_x = np.stack([found[f"i_x/{name}"].values for name in CNN_LAYERS], axis=-1)
    width = np.stack([found[f"width/{name}"].values for name in CNN_LAYERS], axis=-1)
    return xr.Dataset(
        {"i_x": (("seed", "step", "layer"), i_x[None]), "half_width": (("seed", "step", "layer"), width[None]),
         "loss": (("seed", "step"), found["loss"].values[None]), "accuracy": (("seed", "step"), found["accuracy"].values[None])},
        coords={"seed": [unit], "step": found["step"].values, "layer": list(CNN_LAYERS)},
    )  # fmt: skip


def _layer_information(x: np.ndarray, seed: int):
    """I(X;L) of every layer by name, x compressed once by an autoencoder, layers by principal components."""
    from deeptheory.information.estimators.compressors import autoencoder

    code = autoencoder(x.reshape(len(x), -1).astype(np.float64), 4, seed)

    def measure(module) -> dict[str, float]:
        shown = dt.Recorder(module, x, layers=list(CNN_LAYERS)).activations()
        out = {}
        for name in CNN_LAYERS:
            got = dt.mutual_information(code, shown[name][0].numpy(), "compressed", dims=4, seed=seed)
            out |= {f"i_x/{name}": got.value, f"width/{name}": (got.high - got.low) / 2}
        return out

    return measure


def _negative_log_likelihood(module, batch):
    x, y = batch
    return -module(x).gather(1, y[:, None]).mean()


def _accuracy(module, x, y) -> dict[str, float]:
    shown = dt.Recorder(module, x, layers=["output"]).activations()["output"][0]
    return {"accuracy": float((shown.argmax(1).numpy() == y).mean())}


def _single(settings: dict) -> list[int]:
    return members(settings)


def _quantised_units(settings: dict) -> list[list]:
    seeds = numbered(settings["seed"], settings["quantised"])
    return [[name, part] for name in ARCHITECTURES for part in chunks(seeds, 6)]


def _joined(parts: list) -> Any:
    """Architectures have different layers: one variable a name, each over its own layers."""
    import xarray as xr

    out, coords = {}, {}
    for name in ARCHITECTURES:
        mine = [p.sel(architecture=name, drop=True) for p in parts if name in p["architecture"].values]
        whole = xr.concat(mine, dim="seed", data_vars="minimal", coords="minimal", compat="equals", join="exact")
        for key in ("i_x", "i_y"):
            values = whole[key].transpose("seed", "step", "layer")
            out[f"{name}/{key}"] = (("seed", "step", f"layer of {name}"), values.values)
        for key in ("train_accuracy", "test_accuracy"):
            out[f"{name}/{key}"] = (("seed", "step"), whole[key].transpose("seed", "step").values)
        coords = {"seed": whole["seed"].values, "step": whole["step"].values}
    return xr.Dataset(out, coords=coords)


def _sets(settings: dict) -> list[list]:
    return [[kind, truth, k] for kind in KINDS for truth in settings["truths"] for k in range(settings["sets"])]


def _cnn_seeds(settings: dict) -> list[int]:
    return numbered(settings["seed"], CNN_NETWORKS)


STEPS = [
    Step(name="one-neuron", function=one_neuron, about="one noisy neuron, exactly"),
    Step(name="noisy", function=noisy, units=_single, about="noise in every hidden layer"),
    Step(name="orthonormal", function=orthonormal, units=_single, about="the same with nearly orthonormal weights"),
    Step(
        name="deterministic", function=deterministic, units=_single, about="no noise: cells of several sizes, every bit"
    ),
    Step(
        name="quantised",
        function=quantised,
        units=_quantised_units,
        combine=_joined,
        about="quantised networks, exactly",
    ),
    Step(
        name="synthetic", function=synthetic, units=_sets, combine="set", about="pairs of images of known information"
    ),
    Step(name="convolutional", function=convolutional, units=_cnn_seeds, about="a small convolutional network"),
    *pictures.STEPS,
]
