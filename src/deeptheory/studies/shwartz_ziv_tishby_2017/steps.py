"""What is trained and looked at: the paper's networks, the same without minibatch noise, two controls, and what its
further figures need: depth (5), size of the training set (3, 7), a committee machine and images of digits (8).

The steps of the protocol's networks give one Dataset each: the plane (i_x, i_y, h_t, occupied) and the gradients'
moments over [seed, step, layer], the history over [seed, step], and the first layer's weights before and after. In the
further ones one thing is changed; they log fewer epochs, and no gradients but for the digits,
whose gradients are the figure.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import Step, chunks, generator
from deeptheory.studies.digits import drawn_digits
from deeptheory.studies.units import in_chunks, seeds

HIDDEN = (12, 10, 8, 6, 4, 2)  # figure 5: the first layer as wide as the input, then two narrower each
SOFT = 50.0  # gamma of the paper's soft labels
_MOMENTS_OVER = 512  # samples: a full batch has no minibatches of its own to take moments over
BOUNDED = ("tanh", "softsign", "sigmoid")  # units within [-1, 1], as are softmax outputs
_DIGITS_HIDDEN = (24, 16, 12)
_DIGITS = {  # the paper states none for this figure: ours, fixed before anything was measured
    "batch": 100,
    "lr": 1e-3,
    "train": 0.8,
    "optimizer": "adam",
    "reshuffle": True,
    "drop_last": False,
}


def readout(settings: dict, activation: str | None = None) -> dt.Binning:
    """Cells over [-1, 1], as the released program cuts them or equal ones as in the text; where units are unbounded,
    equal ones over the range of the layer at that epoch."""
    bounded = (activation or settings["activation"]) in BOUNDED
    if bounded and settings["released_edges"]:
        return dt.Binning.released(settings["bins"])
    return dt.Binning(settings["bins"], (-1, 1) if bounded else "layer")


def task(settings: dict) -> Any:
    """The 12-bit task; soft labels, where asked for, are drawn from the run's seed."""
    return dt.datasets.icosahedron(gamma=settings["gamma"], seed=settings.get("seed", 0))


def described(settings: dict) -> Any:
    """The task that the paper describes, whose p(y|x) is soft with I(X;Y) near 0.99 bit: its bound is a curve. With
    hard labels the bound would be min(I(X;T), H(Y)), which no beta but 1 belongs to."""
    return task({**settings, "gamma": settings["gamma"] or SOFT})


def check(settings: dict) -> None:
    """InputError: settings that do not go together, found by one epoch of one network."""
    networks({**settings, "epochs": 1, "points": 1, "seed": 0}, [0], {}, None, None)


def networks(
    settings, unit, inputs, workspace, progress, activation=None, full_batch=False, shuffled=False, bound=False
):
    """The protocol. activation: another one. full_batch: one step an epoch on all training samples, moments of the
    gradients over minibatches of the protocol's size. shuffled: labels permuted among the inputs, so that there is
    nothing to learn but the table itself. bound: layers against the bottleneck, before training and at the end."""
    settings = {**settings, "activation": activation or settings["activation"]}
    used = {**settings, "batch": None if full_batch else settings["batch"]}
    data, look = task(settings), readout(settings)
    order = generator(settings["seed"], "shuffled labels").permutation(2**12) if shuffled else slice(None)
    labels, targets = data.y[order], _targets(settings, data)[order]
    nets = dt.networks.Population.mlp(settings["widths"], settings["activation"], seeds=unit, init=settings["init"])
    before, gradients = _first_weights(nets), dt.GradientRecorder(nets)
    ends = dt.Recorder(nets, data.x, targets, layers="layer*")
    if bound:
        ends.snapshot(0)
    out = _trained(
        used, nets, (data.x, labels, targets), look, settings["points"], workspace, progress, gradients=gradients,
        gradient_batch=(settings["batch"] or _MOMENTS_OVER) if used["batch"] is None else None,
    )  # fmt: skip
    axes = ("seed", "unit", "input")
    out = out.assign(weights_before=(axes, before), weights_after=(axes, _first_weights(nets)))
    if bound:
        ends.snapshot(settings["epochs"])
        p_xy = described(settings).p_xy
        found = dt.layer_bound(ends.recording, p_xy, readout=look, permutations=2, seed=settings["seed"]).dataset()
        out = out.merge(found.rename({k: f"bound_{k}" for k in found.data_vars}).rename({"step": "when"}))
    return out.assign_attrs(information=data.mutual_information)


def _first_weights(nets):
    return nets.parts()[0][0].detach().numpy().copy()


def _targets(settings: dict, data: Any) -> np.ndarray:
    return data.y if settings["gamma"] is None else data.p_xy * len(data.x)


def _trained(settings, nets, data, look, points, workspace, progress, gradients=None, gradient_batch=None):
    """Networks trained on (x, labels), their planes for the targets, their history and their gradients' moments."""
    x, labels, targets = data
    recorder = dt.Recorder(nets, x, targets, layers="layer*", readouts=look)
    history = dt.networks.fit(
        nets,
        x,
        labels,
        train_fraction=settings["train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=settings["epochs"],
        reshuffle=settings["reshuffle"],
        drop_last=settings["drop_last"] and settings["batch"] is not None,
        recorder=recorder,
        record_at=dt.networks.log_epochs(settings["epochs"], points),
        gradients=gradients,
        gradient_batch=gradient_batch,
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    out = dt.information_plane(recorder.recording, readout=look).dataset()
    if gradients is not None:
        out = out.merge(gradients.dataset().drop_vars("batches"))
    return out.merge(history.dataset()).assign_attrs(readout=repr(look))


def _plain(settings, unit, data, points, workspace, progress):
    """Networks under equal cells and without gradients."""
    look = readout({**settings, "released_edges": False})
    nets = dt.networks.Population.mlp(settings["widths"], settings["activation"], seeds=unit, init=settings["init"])
    shown = (data.x, data.y, _targets(settings, data))
    out = _trained(settings, nets, shown, look, points, workspace, progress)
    return out.assign_attrs(information=data.mutual_information)


def depth(settings, unit, inputs, workspace, progress):
    """Networks with `unit` hidden layers: what the output tells of the label, and what the last hidden layer does."""
    import xarray as xr

    deep = {**settings, "widths": [12, *HIDDEN[:unit], 2]}
    members = seeds(settings, "depth_networks")
    data = _plain(deep, members, task(settings), settings["few_points"], workspace, progress)
    kept = {"output_i_y": ("i_y", -1), "hidden_i_x": ("i_x", -2), "hidden_i_y": ("i_y", -2), "first_i_x": ("i_x", 0)}
    parts = {name: data[of].isel(layer=k).drop_vars("layer") for name, (of, k) in kept.items()}
    return xr.Dataset(parts, attrs=data.attrs).expand_dims(depth=[unit])


def share(settings, unit, inputs, workspace, progress):
    """Networks that train on a share of the patterns. Incomplete minibatches are kept: small sets have no whole one."""
    small, members = {**settings, "train": unit, "drop_last": False}, seeds(settings, "share_networks")
    data = _plain(small, members, task(settings), settings["few_points"], workspace, progress)
    return data[["i_x", "i_y", "test_accuracy"]].expand_dims(share=[unit])


def committee(settings, unit, inputs, workspace, progress):
    """The protocol on the majority vote of three perceptrons."""
    data = dt.datasets.committee(gamma=settings["gamma"], seed=settings["seed"])
    return _plain(settings, unit, data, settings["points"], workspace, progress)


def digits(settings, unit, inputs, workspace, progress):
    """Gradient phases, and the plane of the same networks, on images of digits."""
    data = drawn_digits(settings, settings["picture_samples"])
    x = data.x.reshape(len(data.x), -1)
    nets = dt.networks.Population.mlp([x.shape[1], *_DIGITS_HIDDEN, 10], "tanh", seeds=unit, init=settings["init"])
    here = {**settings, **_DIGITS, "epochs": settings["picture_epochs"]}
    look, gradients = dt.Binning(settings["bins"], (-1, 1)), dt.GradientRecorder(nets)
    out = _trained(
        here, nets, (x, data.y, data.y), look, settings["few_points"], workspace, progress, gradients=gradients
    )
    return out.assign_attrs(pictures=data.said)


def _controls(settings: dict) -> list[list[int]]:
    """The first networks of the run, in two chunks at least where there are two."""
    size = max(1, min(settings["chunk"], -(-settings["controls"] // 2)))
    return chunks(seeds(settings)[: settings["controls"]], size)


def _in_pairs(settings: dict) -> list[list[int]]:
    return in_chunks({**settings, "chunk": 2}, "picture_networks")


STEPS = [
    Step(name="minibatch", function=networks, options={"bound": True}, units=in_chunks, about="the published protocol"),
    Step(
        name="full-batch",
        function=networks,
        options={"full_batch": True},
        units=in_chunks,
        about="the same without minibatch noise",
    ),
    Step(name="relu", function=networks, options={"activation": "relu"}, units=_controls, about="control: ReLU units"),
    Step(
        name="shuffled-labels",
        function=networks,
        options={"shuffled": True},
        units=_controls,
        about="control: permuted labels",
    ),
    Step(
        name="depth",
        function=depth,
        units=lambda settings: range(1, len(HIDDEN) + 1),
        combine="depth",
        about="one to six hidden layers",
    ),
    Step(
        name="training-size",
        function=share,
        units=lambda settings: settings["shares"],
        combine="share",
        about="from few patterns to most",
    ),
    Step(name="committee", function=committee, units=_controls, about="another rule: a committee machine"),
    Step(name="pictures", function=digits, units=_in_pairs, about="gradients on pictures of digits"),
]
