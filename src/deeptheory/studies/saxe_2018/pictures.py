"""Figure 1 C and D: networks 784-1024-20-20-20-10 on pictures of digits, tanh and ReLU, seen through added noise.

The paper trains by SGD with rate 0.001 for thousands of epochs. Here the rate is a hundred times that and the steps a
hundredth: small steps follow the same path, so that rate times steps is what counts. Ours, fixed before anything was measured.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import fall
from deeptheory.runs import NotRun, Plate, Sample, Step
from deeptheory.runs import members as numbered
from deeptheory.studies.drawing import over_training, panels, table_of
from deeptheory.studies.pictures import drawn_pictures

HIDDEN = (1024, 20, 20, 20)
VARIANCE = 0.1
BATCH, RATE, PAPER_RATE = 128, 0.1, 0.001
SAMPLES, SHOWN = 24_000, 1000
NONE = (
    "trained at scale standard, 10 minutes on 2 cores for 8 networks of each kind; the same read-out on the 12-bit networks stands "
    "beside this"
)


def tanh(settings, unit, inputs, workspace, progress):
    """tanh units on pictures of digits."""
    return _train(settings, unit, "tanh", progress)


def relu(settings, unit, inputs, workspace, progress):
    """ReLU units on pictures of digits."""
    return _train(settings, unit, "relu", progress)


def _train(settings, seed, activation, progress):
    import xarray as xr

    steps = settings["picture_steps"]
    if not steps:
        return xr.Dataset(coords={"seed": [seed]})
    data = drawn_pictures(settings, SAMPLES)
    x = data.x.reshape(len(data.x), -1)
    nets = dt.networks.Population.mlp([x.shape[1], *HIDDEN, 10], activation, [seed], settings["init"])
    look, shown = dt.GaussianNoise(VARIANCE**0.5), data.held[:SHOWN]
    recorder = dt.Recorder(nets, x[shown], data.y[shown], layers="layer*", readouts=look)
    epochs = max(1, round(steps * BATCH / len(data.train)))
    history = dt.networks.fit(
        nets, x, data.y, train_fraction=[data.train], optimizer="sgd", lr=RATE, batch=BATCH, epochs=epochs, recorder=recorder,
        record_at=dt.networks.log_epochs(epochs, settings["picture_looks"]), seed=settings["seed"], progress=progress,
    )  # fmt: skip
    out = recorder.recording.summary(look)[["i_x", "i_x_lower"]].merge(history.dataset())
    return out.drop_attrs().assign_attrs(
        pictures=data.said, shown=len(shown), epochs=epochs, steps=epochs * -(-len(data.train) // BATCH)
    )


def hidden_falls(data: Any) -> tuple[np.ndarray, np.ndarray]:
    """Largest fall of the bound over the hidden layers, [seed]: over all looks, and from the first look at trained networks on.
    One look stands before training, so that the first epoch, where networks fit, is in the former alone."""
    values = data["i_x"].transpose("seed", "step", "layer").values[:, :, :-1]
    return fall(values).max(1), fall(values[:, 1:]).max(1)


def hidden_fall(activation: str) -> Any:
    """The measure of a claim: the largest fall of the upper bound over the hidden layers, a network."""

    def measure(results):
        data = results[f"pictures-{activation}"]
        if "i_x" not in data:
            return NotRun(NONE)
        values, later = hidden_falls(data)
        said = f"{data.attrs['pictures']}; {data.attrs['steps']} steps with rate {RATE:g}"
        return Sample(values, "mean", (f"data: {said}", f"from the first trained look on: {later.mean():.2g} bits"))

    return measure


def _members(settings: dict) -> list[int]:
    return numbered(settings["seed"], settings["picture_networks"])


STEPS = [
    Step(name="pictures-tanh", function=tanh, units=_members, about="tanh on pictures of digits"),
    Step(name="pictures-relu", function=relu, units=_members, about="ReLU on pictures of digits"),
]


def plate(results: Any, settings: dict) -> Plate | None:
    """The bound by layer over training, tanh and ReLU; None where this scale does not train them."""
    curves, said, ends, down = [], "", {}, []
    for name in ("tanh", "relu"):
        data = results[f"pictures-{name}"]
        if "i_x" not in data:
            return None
        values = data["i_x"].transpose("seed", "step", "layer")
        curves += over_training(name, values.values, values["step"].values.tolist(), values["layer"].values.tolist())
        ends[name] = float(np.nanmean(data["test_accuracy"].transpose("seed", "step").values[:, -1]))
        said = f"{data.attrs['pictures']}; {data.attrs['steps']} steps"
        down.append(f"{name} {' and '.join(f'{v.mean():.2f}' for v in hidden_falls(data))} bits")
    steps = int(results["pictures-tanh"].attrs["steps"])
    return Plate(
        name="pictures",
        title="Pictures of digits (figure 1 C and D)",
        figure=panels(curves, x_title="epoch + 1", y_title="upper bound of I(X;T) (bits)", columns=2),
        table=table_of(curves),
        see=f"Do hidden layers fall, and when? Largest fall over all looks, and from the first trained one on: {'; '.join(down)}. Held-out accuracy at the end: tanh {ends['tanh']:.3f}, ReLU {ends['relu']:.3f}.",
        claims=("mnist-noise-readout",),
        trust=f"Data: {said} of {BATCH}, rate {RATE:g}: as much as {steps * RATE / PAPER_RATE * BATCH / 60_000:.0f} epochs of 60,000 pictures at the "
        f"paper's {PAPER_RATE:g}. Noise of variance {VARIANCE:g} added for the analysis, {results['pictures-tanh'].attrs['shown']} "
        "held-out pictures, so that log2 of their number is the most. The last line is the output. Bands: middle 80 % of networks.",
        alt="Two panels: noise bound of the information by layer against the epoch, tanh and ReLU on digits.",
    )
