"""What is trained and looked at: noisy networks with and without orthonormal weights, deterministic ones, quantized
ones of several architectures, pairs of images of known information, small convolutional networks,
and networks on images of digits.

On those images: whether classes cluster in a convolutional network with noise (Goldfeld et al. 2019, section 5), and
exact information of quantized networks 784-16-8-4-2-10 (Lorenzen et al. 2022, "Bottleneck-2"). The convolutional
network is Butakov et al.'s, with noise in proportion to each activation; its steps, and the number of images, rate and
epochs of the quantized ones are ours, fixed before anything was measured.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import Clusters, Cosines, information_plane, noisy_neuron_information
from deeptheory.runs import Step, derive, generator
from deeptheory.studies.digits import drawn_digits
from deeptheory.studies.units import in_chunks, seeds

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
CNN_NOISE, CNN_BATCH = 1e-3, 128
SAMPLES, SHOWN = 12_000, 1000  # images of digits
DIGIT_WIDTHS, DIGIT_RATE = (
    (16, 8, 4, 2),
    1e-3,
)  # the paper's rate is a tenth of it, its steps more than ten times as many


def check(settings: dict) -> None:
    """InputError: settings that do not go together, found by one epoch of one network,
    and noise that cannot be propagated."""
    dt.PropagatedNoise(settings["noise"], 4096)
    small, data = {**settings, "epochs": 1, "points": 1, "seed": 0}, dt.datasets.icosahedron()
    nets = _networks(small, 0, noise=settings["noise"])
    _fit(nets, small, (data.x, data.y), None, None, orthonormal=settings["orthonormal"])


def one_neuron(settings, unit, inputs, workspace, progress):
    """Section 3: a tanh unit with noise and four inputs, a channel whose inputs merge."""
    import xarray as xr

    w, sigmas = np.geomspace(0.01, 100, 121), [0.01, 0.05, 0.2]
    curves = [noisy_neuron_information(w, [-3.0, -1.0, 1.0, 3.0], s) for s in sigmas]
    return xr.Dataset({"i_x": (("sigma", "w"), np.array(curves))}, coords={"sigma": sigmas, "w": w})


def noisy(settings, unit, inputs, workspace, progress, orthonormal=False):
    """Noise in every hidden layer, in training and afterwards. orthonormal:
    with nearly orthonormal weights of the hidden layers."""
    data, sigma, chosen = dt.datasets.icosahedron(), settings["noise"], _clustered(settings)
    nets = _networks(settings, unit, noise=sigma)
    readout = dt.PropagatedNoise(sigma, len(data.x), blocks=1, seed=derive(settings["seed"], "propagated") % 2**32)
    rows = readout.rows()
    recorder = dt.Recorder(nets, data.x[rows], data.y[rows], layers=_hidden(settings))
    weight = settings["orthonormal"] if orthonormal else 0.0
    history = _fit(nets, settings, (data.x, data.y), recorder, progress, orthonormal=weight)
    recording = recorder.recording

    def look(layer: str, step: int) -> dict:
        a = recording.activations(layer, step)
        near = Clusters(4 * sigma).summarize(a[:, chosen], data.y[chosen])  # the first 4096 rows are all patterns
        return readout.summarize(a, data.y[rows]) | near

    found = [[look(layer, step) for layer in recording.layers] for step in recording.steps]
    names = ("i_x", "i_y", "i_x_low", "i_x_high", "apart", "within", "between", "nearest")
    values = {name: [[float(f[name][0]) for f in row] for row in found] for name in names}
    return _one_network(unit, recording.steps, recording.layers, values).merge(history.dataset()).drop_attrs()


def deterministic(settings, unit, inputs, workspace, progress):
    """No noise: the entropy of cells of several sizes, of every bit in single and double precision,
    and the clusters."""
    data, sizes, chosen = dt.datasets.icosahedron(), settings["sizes"], _clustered(settings)
    nets, hidden = _networks(settings, unit), _hidden(settings)
    single = dt.Recorder(nets, data.x, data.y, layers=hidden)
    double = dt.Recorder(nets.seen_in("float64"), data.x, data.y, layers=hidden, readouts=dt.Exact())
    both = SimpleNamespace(snapshot=lambda step: (single.snapshot(step), double.snapshot(step)))  # at the same time
    history = _fit(nets, settings, (data.x, data.y), both, progress)
    recording = single.recording

    def entropy(found: Any) -> np.ndarray:
        return found["h_t"].transpose("seed", "step", "layer").values[0]

    def apart(layer: str, step: int) -> float:
        a = recording.activations(layer, step)[:, chosen]
        return float(Clusters(4 * settings["noise"]).summarize(a, data.y[chosen])["apart"][0])

    bins = [dt.Binning(round(2 / size), (-1, 1)) for size in sizes]
    values = {
        "binned": np.stack([entropy(information_plane(recording, b).dataset()) for b in bins], axis=-1),
        "exact_single": entropy(information_plane(recording, dt.Exact()).dataset()),
        "exact_double": entropy(double.recording.summary(dt.Exact())),
        "apart": [[apart(layer, step) for layer in recording.layers] for step in recording.steps],
    }
    out = _one_network(unit, recording.steps, recording.layers, values, size=sizes)
    return out.merge(history.dataset()).drop_attrs()


def _networks(settings, seed, **more):
    return dt.networks.Population.mlp(settings["widths"], "tanh", seeds=[seed], **more)


def _hidden(settings) -> list[str]:
    return [f"layer{k}" for k in range(1, len(settings["widths"]) - 1)]


def _clustered(settings) -> np.ndarray:
    return np.sort(generator(settings["seed"], "clusters").permutation(4096)[:CLUSTERED])


def _fit(nets, settings, data, recorder, progress, **other):
    """Networks trained on data (x, labels), as the settings say but for `other`."""
    said = {k: settings[k] for k in ("lr", "batch", "epochs", "points")} | {"train_fraction": settings["train"]} | other
    looks = dt.networks.log_epochs(said["epochs"], said.pop("points"))
    return dt.networks.fit(
        nets, *data, recorder=recorder, record_at=looks, seed=settings["seed"], progress=progress, **said
    )


def _one_network(seed, steps, layers, values, **more):
    """The Dataset of one network: values [step, layer, ...] or [step]; more: coordinates of further dimensions."""
    import xarray as xr

    axes = ("seed", "step", "layer", *more)
    return xr.Dataset(
        {name: (axes[: np.ndim(v) + 1], np.asarray(v)[None]) for name, v in values.items()},
        coords={"seed": [seed], "step": list(steps), "layer": list(layers), **more},
    )


def quantized(settings, unit, inputs, workspace, progress):
    """Lorenzen et al.: activations rounded to 2^bits levels in training and afterwards, so that H(T) is exact."""
    name, members = unit
    widths, activation = ARCHITECTURES[name]
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp(widths, activation, seeds=members, bits=settings["bits"])
    rate, points = settings["quantised_lr"], settings["quantised_points"]
    out = _counted(nets, settings, (data.x, data.y), progress, lr=rate, points=points)
    return out.expand_dims(architecture=[name])


def quantized_digits(settings, unit, inputs, workspace, progress):
    """The same with ReLU units on images of digits; nothing where a scale has no epochs for them."""
    import xarray as xr

    epochs = settings["picture_epochs"]
    if not epochs:
        return xr.Dataset(coords={"seed": [unit]})
    data = drawn_digits(settings, SAMPLES)
    x = data.x.reshape(len(data.x), -1)
    nets = dt.networks.Population.mlp([x.shape[1], *DIGIT_WIDTHS, 10], "relu", seeds=[unit], bits=settings["bits"])
    how = {"train_fraction": [data.train], "lr": DIGIT_RATE, "epochs": epochs, "points": 40}
    return _counted(nets, settings, (x, data.y), progress, **how).assign_attrs(pictures=data.said, epochs=epochs)


def _counted(nets, settings, data, progress, **how):
    """Exact planes of quantized networks while they learn."""
    recorder = dt.Recorder(nets, *data, layers="layer*", readouts=dt.Exact())
    history = _fit(nets, settings, data, recorder, progress, batch=settings["quantised_batch"], **how)
    plane = information_plane(recorder.recording, dt.Exact()).dataset()[["i_x", "i_y"]]
    return plane.merge(history.dataset()).drop_attrs()


def synthetic(settings, unit, inputs, workspace, progress):
    """Butakov et al.: pairs of images of known information; each image compressed to two numbers by its own
    autoencoder."""
    import xarray as xr

    kind, truth, k = unit
    drawn = (
        derive(settings["seed"], kind, str(float(truth)), k) % 2**31
    )  # a set of its own for each truth: sets are the units
    data = dt.datasets.paired_images(kind, truth, settings["pairs"], seed=drawn)
    ways = ["autoencoder", "pca"]
    found = [dt.mutual_information(data.x, data.y, "compressed", how=how, dims=2, seed=k) for how in ways]
    numbers = {"estimate": "value", "low": "low", "high": "high"}
    return xr.Dataset(
        {n: (("set", "how"), [[getattr(f, of) for f in found]]) for n, of in numbers.items()}
        | {"truth": ("set", [truth]), "kind": ("set", [kind])},
        coords={"set": ["-".join(map(str, unit))], "how": ways},
    )


def convolutional(settings, unit, inputs, workspace, progress):
    """A small convolutional network with noise in proportion to its activations, on the 8 x 8 digits (1,797 real ones):
    I(X;L) of every layer, x compressed once by an autoencoder, layers by principal components."""
    from deeptheory.information.estimators.compressors import autoencoder

    digits = dt.datasets.digits()
    x, y = (digits.images.astype(np.float32) / digits.images.max())[:, None], digits.labels
    order = generator(settings["seed"], "digits").permutation(len(x))
    train, held = np.split(order, [int(0.8 * len(x))])
    code = autoencoder(x.reshape(len(x), -1).astype(np.float64), 4, unit)

    def measure(module) -> dict[str, float]:
        shown, out = dt.Recorder(module, x, layers=list(CNN_LAYERS)).activations(), {}
        for name in CNN_LAYERS:
            got = dt.mutual_information(code, shown[name][0].numpy(), "compressed", dims=4, seed=unit)
            out |= {f"i_x/{name}": got.value, f"half_width/{name}": (got.high - got.low) / 2}
        output = dt.Recorder(module, x[held], layers=["output"]).activations()["output"][0]
        return out | {"accuracy": _accuracy(output, y[held])}

    net = dt.networks.noisy_cnn((1, 8, 8), std=CNN_NOISE, seed=unit)
    steps = settings["cnn_steps"]
    log = _learned(net, settings, (x[train], y[train]), unit, steps, max(1, steps // 20), measure, progress)
    values = {k: _by_layer(log, k) for k in ("i_x", "half_width")} | {k: log[k].values for k in ("loss", "accuracy")}
    return _one_network(unit, log["step"].values, CNN_LAYERS, values)


def clusters(settings, unit, inputs, workspace, progress):
    """Cosine similarities within and between classes, layer by layer, while a convolutional network with noise
    learns."""
    data = drawn_digits(settings, SAMPLES)
    x, y, shown = data.x[:, None], data.y, data.held[:SHOWN]

    def measure(module) -> dict[str, float]:
        seen = dt.Recorder(module, x[shown], layers=[*CNN_LAYERS, "output"]).activations()
        out = {"accuracy": _accuracy(seen["output"][0], y[shown])}
        for name in CNN_LAYERS:
            found = Cosines().summarize(seen[name].flatten(2).numpy(), y[shown])
            out |= {f"{kind}/{name}": float(found[kind][0]) for kind in ("within", "between")}
        return out

    net = dt.networks.noisy_cnn(x.shape[1:], std=CNN_NOISE, seed=unit)
    steps, trains = settings["picture_steps"], (x[data.train], y[data.train])
    log = _learned(net, settings, trains, unit, steps, max(1, steps // 10), measure, progress)
    log = log.isel(step=np.isfinite(log["accuracy"].values))
    values = {kind: _by_layer(log, kind) for kind in ("within", "between")} | {"accuracy": log["accuracy"].values}
    out = _one_network(unit, log["step"].values, CNN_LAYERS, values)
    return out.assign_attrs(pictures=data.said, shown=len(shown))


def _learned(net, settings, data, seed, steps, every, measure, progress):
    """What is measured while a convolutional network is trained on (x, labels)."""
    return dt.networks.train(
        net,
        dt.networks.minibatches(*data, batch=CNN_BATCH, seed=seed),
        _negative_log_likelihood,
        steps=steps,
        lr=settings["cnn_lr"],
        evaluate=measure,
        every=every,
        seed=seed,
        progress=progress,
    ).dataset()


def _negative_log_likelihood(module, batch):
    x, y = batch
    return -module(x).gather(1, y[:, None]).mean()


def _accuracy(output, y) -> float:
    return float((output.argmax(1).numpy() == y).mean())


def _by_layer(log, kind: str) -> np.ndarray:
    return np.stack([log[f"{kind}/{name}"].values for name in CNN_LAYERS], axis=-1)


def _quantized_units(settings: dict) -> list[list]:
    return [[name, part] for name in ARCHITECTURES for part in in_chunks({**settings, "chunk": 6}, "quantised")]


def _joined(parts: list) -> Any:
    """Architectures have different layers: one variable a name, each over its own layers."""
    import xarray as xr

    out, coords = {}, {}
    for name in ARCHITECTURES:
        mine = [p.sel(architecture=name, drop=True) for p in parts if name in p["architecture"].values]
        whole = xr.concat(mine, dim="seed", data_vars="minimal", coords="minimal", compat="equals", join="exact")
        whole = whole.transpose("seed", "step", "layer")
        for key in ("i_x", "i_y"):
            out[f"{name}/{key}"] = (("seed", "step", f"layer of {name}"), whole[key].values)
        for key in ("train_accuracy", "test_accuracy"):
            out[f"{name}/{key}"] = (("seed", "step"), whole[key].values)
        coords = {"seed": whole["seed"].values, "step": whole["step"].values}
    return xr.Dataset(out, coords=coords)


def _sets(settings: dict) -> list[list]:
    return [[kind, truth, k] for kind in KINDS for truth in settings["truths"] for k in range(settings["sets"])]


_on_digits = partial(seeds, count="picture_networks")
STEPS = [
    Step(name="one-neuron", function=one_neuron, about="one noisy neuron, exactly"),
    Step(name="noisy", function=noisy, units=seeds, about="noise in every hidden layer"),
    Step(
        name="orthonormal",
        function=noisy,
        options={"orthonormal": True},
        units=seeds,
        about="the same with nearly orthonormal weights",
    ),
    Step(
        name="deterministic", function=deterministic, units=seeds, about="no noise: cells of several sizes, every bit"
    ),
    Step(
        name="quantised",
        function=quantized,
        units=_quantized_units,
        combine=_joined,
        about="quantized networks, exactly",
    ),
    Step(
        name="synthetic", function=synthetic, units=_sets, combine="set", about="pairs of images of known information"
    ),
    Step(
        name="convolutional",
        function=convolutional,
        units=lambda settings: seeds({**settings, "networks": CNN_NETWORKS}),
        about="a small convolutional network",
    ),
    Step(name="clusters", function=clusters, units=_on_digits, about="a convolutional network on pictures of digits"),
    Step(
        name="quantised-pictures",
        function=quantized_digits,
        units=_on_digits,
        about="quantized networks on pictures of digits",
    ),
]
