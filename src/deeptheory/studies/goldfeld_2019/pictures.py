"""Pictures of digits: whether classes cluster in a convolutional network with noise (Goldfeld et al. 2019, section 5), and exact
information of quantised networks 784-16-8-4-2-10 (Lorenzen et al. 2022, "Bottleneck-2").

The convolutional network is Butakov et al.'s, with noise in proportion to each activation; its steps, and the number of
pictures, rate and epochs of the quantised ones are ours, fixed before anything was measured.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import Cosines, information_plane
from deeptheory.runs import NotRun, Plate, Sample, Step
from deeptheory.runs import members as numbered
from deeptheory.studies.drawing import over_training, panels, table_of
from deeptheory.studies.pictures import drawn_pictures

LAYERS = ("conv1", "conv2", "conv3", "dense1")
SAMPLES, SHOWN = 12_000, 1000
NOISE, BATCH = 1e-3, 128
WIDTHS, QUANTISED_RATE = (16, 8, 4, 2), 1e-3  # the paper's rate is a tenth of it, its steps more than ten times as many
NONE = "trained at scale standard, 10 minutes on 2 cores for 8 networks; five other architectures on the 12-bit task stand in this run"


def clusters(settings, unit, inputs, workspace, progress):
    """Cosine similarities within and between classes, layer by layer, while a convolutional network with noise learns."""
    import xarray as xr

    data = drawn_pictures(settings, SAMPLES)
    x, y, shown = data.x[:, None], data.y, data.held[:SHOWN]
    net = dt.networks.noisy_cnn(x.shape[-1], noise=NOISE, seed=unit)

    def measure(module) -> dict[str, float]:
        seen = dt.Recorder(module, x[shown], layers=[*LAYERS, "output"]).activations()
        out = {"accuracy": float((seen["output"][0].argmax(1).numpy() == y[shown]).mean())}
        for name in LAYERS:
            found = Cosines().summarize(seen[name].flatten(2).numpy(), y[shown])
            out |= {f"{kind}/{name}": float(found[kind][0]) for kind in ("within", "between")}
        return out

    steps = settings["picture_steps"]
    log = dt.networks.train(
        net, dt.networks.minibatches(x[data.train], y[data.train], batch=BATCH, seed=unit), _loss, steps=steps,
        lr=settings["cnn_lr"], evaluate=measure, every=max(1, steps // 10), seed=unit, progress=progress,
    ).dataset()  # fmt: skip
    looks = np.isfinite(log["accuracy"].values)
    rows: dict[str, Any] = {
        kind: (("seed", "step", "layer"), np.stack([log[f"{kind}/{n}"].values[looks] for n in LAYERS], axis=-1)[None])
        for kind in ("within", "between")
    }
    rows["accuracy"] = (("seed", "step"), log["accuracy"].values[looks][None])
    coords = {"seed": [unit], "step": log["step"].values[looks], "layer": list(LAYERS)}
    return xr.Dataset(rows, coords=coords, attrs={"pictures": data.said, "shown": len(shown)})


def _loss(module, batch):
    x, y = batch
    return -module(x).gather(1, y[:, None]).mean()


def quantised(settings, unit, inputs, workspace, progress):
    """ReLU networks whose activations have 2^bits levels, exactly."""
    import xarray as xr

    epochs = settings["picture_epochs"]
    if not epochs:
        return xr.Dataset(coords={"seed": [unit]})
    data = drawn_pictures(settings, SAMPLES)
    x = data.x.reshape(len(data.x), -1)
    nets = dt.networks.Population.mlp([x.shape[1], *WIDTHS, 10], "relu", [unit], bits=settings["bits"])
    recorder = dt.Recorder(nets, x, data.y, layers="layer*", readouts=dt.Exact())
    history = dt.networks.fit(
        nets, x, data.y, train_fraction=[data.train], lr=QUANTISED_RATE, batch=settings["quantised_batch"], epochs=epochs,
        recorder=recorder, record_at=dt.networks.log_epochs(epochs, 40), seed=settings["seed"], progress=progress,
    )  # fmt: skip
    out = information_plane(recorder.recording, dt.Exact()).dataset()[["i_x", "i_y"]].merge(history.dataset())
    return out.drop_attrs().assign_attrs(pictures=data.said, epochs=epochs)


def rise(layer: str) -> Any:
    """The measure of a claim: how far within-class similarity less that between classes rises from first look to last."""

    def measure(results):
        data = results["clusters"]
        apart = (data["within"] - data["between"]).sel(layer=layer).transpose("seed", "step").values
        return Sample(apart[:, -1] - apart[:, 0], "mean", (f"data: {data.attrs['pictures']}",))

    return measure


def falls(pick: Any) -> Any:
    """The measure of a claim: pick(falls [seed, layer] of I(X;T)), the output the last layer."""

    def measure(results):
        from deeptheory.information import fall

        data = results["quantised-pictures"]
        if "i_x" not in data:
            return NotRun(NONE)
        values = pick(fall(data["i_x"].transpose("seed", "step", "layer").values))
        return Sample(values, "mean", (f"data: {data.attrs['pictures']}; {data.attrs['epochs']} epochs",))

    return measure


def _networks(settings: dict) -> list[int]:
    return numbered(settings["seed"], settings["picture_networks"])


STEPS = [
    Step(name="clusters", function=clusters, units=_networks, about="a convolutional network on pictures of digits"),
    Step(
        name="quantised-pictures", function=quantised, units=_networks, about="quantised networks on pictures of digits"
    ),
]


def clusters_plate(results: Any, settings: dict) -> Plate:
    """Cosine similarities by layer."""
    data = results["clusters"]
    steps, curves = data["step"].values.tolist(), []
    for layer in LAYERS:
        part = data.sel(layer=layer)
        both = np.stack([part[kind].transpose("seed", "step").values for kind in ("within", "between")], axis=-1)
        curves += over_training(layer, both, steps, ["same class", "other class"])
    accuracy = data["accuracy"].transpose("seed", "step").values[:, -1]
    return Plate(
        name="clusters",
        title="Clustering in a convolutional network (Goldfeld et al., section 5)",
        figure=panels(curves, x_title="training step + 1", y_title="mean cosine similarity", columns=2),
        table=table_of(curves),
        see=f"Do the lines part, and in which layers? Held-out accuracy at the end {accuracy.mean():.3f}.",
        claims=("mnist-cnn-clusters",),
        trust=f"Data: {data.attrs['pictures']}; cosines between {data.attrs['shown']} held-out ones, no density and no noise in the measure. "
        f"Three convolutions and a dense layer, noise of {NOISE:g} of each activation: Butakov et al.'s network, not Goldfeld et "
        f"al.'s own. {len(accuracy)} networks, middle 80 % as bands.",
        alt="Four panels, a layer each: cosine similarity within and between classes against the training step.",
    )


def quantised_plate(results: Any, settings: dict) -> Plate | None:
    """Exact information by layer; None where this scale does not train them."""
    data = results["quantised-pictures"]
    if "i_x" not in data:
        return None
    values = data["i_x"].transpose("seed", "step", "layer")
    shape = "-".join(map(str, (*WIDTHS, 10)))
    curves = over_training(shape, values.values, values["step"].values.tolist(), values["layer"].values.tolist())
    accuracy = data["test_accuracy"].transpose("seed", "step").values[:, -1]
    return Plate(
        name="quantised-pictures",
        title=f"Quantized networks on pictures of digits, {settings['bits']} bits, exactly",
        figure=panels(curves, x_title="epoch + 1", y_title="I(X;T) (bits)"),
        table=table_of(curves),
        see=f"Which layers fall? Held-out accuracy at the end {np.nanmean(accuracy):.3f}.",
        claims=(
            "quantised-early-layers-stay/mnist",
            "quantised-last-layers-compress/mnist",
            "quantised-output-compresses/mnist",
        ),
        trust=f"Data: {data.attrs['pictures']}, all of them counted, so that log2 of their number is the most; the last line is the output. "
        f"{data.attrs['epochs']} epochs with Adam, rate {QUANTISED_RATE:g}. Bands: middle 80 % of networks.",
        alt="Exact information by layer against the epoch.",
    )
