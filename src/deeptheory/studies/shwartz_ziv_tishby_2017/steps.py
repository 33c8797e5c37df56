"""What is trained and looked at: the paper's networks, the same without minibatch noise, and two controls.

Every step gives one Dataset: the plane (i_x, i_y, h_t, occupied) and the gradients' moments over [seed, step, layer], the
history over [seed, step], and the first layer's weights before and after.
"""

from typing import Any

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, chunks, generator
from deeptheory.runs import members as numbered
from deeptheory.studies.shwartz_ziv_tishby_2017.further_steps import FURTHER

_SOFT = 50.0  # gamma of the paper's soft labels
_MOMENTS_OVER = 512  # samples: a full batch has no minibatches of its own to take moments over
_BOUNDED = ("tanh", "softsign", "sigmoid")  # units within [-1, 1], as are softmax outputs


def readout(settings: dict, activation: str | None = None) -> dt.Binning:
    """Cells over [-1, 1], as the released program cuts them or equal ones as in the text; where units are unbounded, equal ones
    over the range of the layer at that epoch."""
    bounded = (activation or settings["activation"]) in _BOUNDED
    if bounded and settings["released_edges"]:
        return dt.Binning.released(settings["bins"])
    return dt.Binning(settings["bins"], (-1, 1) if bounded else "layer")


def task(settings: dict) -> Any:
    """The 12-bit task; soft labels, where asked for, are drawn from the run's seed."""
    return dt.datasets.icosahedron(gamma=settings["gamma"], seed=settings.get("seed", 0))


def described(settings: dict) -> Any:
    """The task that the paper describes, whose p(y|x) is soft with I(X;Y) near 0.99 bit: its bound is a curve. With hard
    labels the bound would be min(I(X;T), H(Y)), which no beta but 1 belongs to."""
    return dt.datasets.icosahedron(gamma=settings["gamma"] or _SOFT, seed=settings.get("seed", 0))


def members(settings: dict) -> list[int]:
    """The networks of the run; the same in every step, so that steps pair them."""
    return numbered(settings["seed"], settings["networks"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    sizes = ("depth_networks", "share_networks", "few_points", "picture_networks", "picture_epochs", "picture_samples")
    for name in ("networks", "controls", "chunk", "bins", "points", "epochs", *sizes):
        if settings[name] < 1:
            raise InputError(f"{name} is {settings[name]}; needed: at least 1")
    widths = settings["widths"]
    if len(widths) < 3 or widths[0] != 12 or widths[-1] != 2:
        raise InputError(f"widths is {widths}; needed: 12 inputs, one hidden layer or more, 2 outputs: 12,8,4,2")
    settings_here = {**settings, "epochs": 1, "networks": 1, "seed": 0}
    _train(settings_here, [0], None, None, looks=[0])  # one epoch of one network: every name and number is read


def minibatch(settings, unit, inputs, workspace, progress):
    """The protocol as published; its layers against the bound, before training and at the end."""
    return _train(settings, unit, workspace, progress, against=described(settings).p_xy)


def full_batch(settings, unit, inputs, workspace, progress):
    """One step an epoch on all training samples; its gradients' moments over minibatches of the protocol's size."""
    return _train({**settings, "batch": None}, unit, workspace, progress, gradient_batch=settings["batch"])


def relu(settings, unit, inputs, workspace, progress):
    """Control: ReLU units."""
    return _train({**settings, "activation": "relu"}, unit, workspace, progress)


def shuffled(settings, unit, inputs, workspace, progress):
    """Control: labels dealt out anew among the inputs, so that there is nothing to learn but the table itself."""
    order = generator(settings["seed"], "shuffled labels").permutation(2**12)
    return _train(settings, unit, workspace, progress, order=order)


def _train(settings, seeds, workspace, progress, *, order=None, gradient_batch=None, looks=None, against=None):
    data = task(settings)
    labels = data.y if order is None else data.y[order]
    soft = data.p_xy * len(data.x)
    targets = labels if settings["gamma"] is None else soft if order is None else soft[order]
    nets = dt.networks.Population.mlp(settings["widths"], settings["activation"], seeds, settings["init"])
    before = _first_weights(nets)
    look = readout(settings)
    whole = dt.Recorder(nets, data.x, targets, layers="layer*")
    if against is not None:
        whole.snapshot(0)
    recorder = dt.Recorder(nets, data.x, targets, layers="layer*", readouts=look)
    gradients = dt.GradientRecorder(nets)
    history = dt.networks.fit(
        nets,
        data.x,
        labels,
        train_fraction=settings["train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=settings["epochs"],
        reshuffle=settings["reshuffle"],
        drop_last=settings["drop_last"] and settings["batch"] is not None,
        recorder=recorder,
        record_at=dt.networks.log_epochs(settings["epochs"], settings["points"]) if looks is None else looks,
        gradients=gradients,
        gradient_batch=(gradient_batch or _MOMENTS_OVER) if settings["batch"] is None else None,
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    plane = dt.information_plane(recorder.recording, readout=look)
    out = plane.dataset().merge(gradients.dataset().drop_vars("batches")).merge(history.dataset())
    axes = ("seed", "unit", "input")
    out["weights_before"], out["weights_after"] = (axes, before), (axes, _first_weights(nets))
    if against is not None:
        whole.snapshot(settings["epochs"])
        found = dt.layer_bound(whole.recording, against, readout=look, permutations=2, seed=settings["seed"]).dataset()
        out = out.merge(found.rename({k: f"bound_{k}" for k in found.data_vars}).rename({"step": "when"}))
    return out.assign_attrs(readout=repr(look), information=data.mutual_information)


def _first_weights(nets):
    return nets.parts()[0][0].detach().numpy().copy()


def _all(settings: dict) -> list[list[int]]:
    return chunks(members(settings), settings["chunk"])


def _controls(settings: dict) -> list[list[int]]:
    size = max(1, min(settings["chunk"], -(-settings["controls"] // 2)))
    return chunks(members(settings)[: settings["controls"]], size)


STEPS = [
    Step(name="minibatch", function=minibatch, units=_all, about="the published protocol"),
    Step(name="full-batch", function=full_batch, units=_all, about="the same without minibatch noise"),
    Step(name="relu", function=relu, units=_controls, about="control: ReLU units"),
    Step(name="shuffled-labels", function=shuffled, units=_controls, about="control: labels dealt out anew"),
    *FURTHER,
]
