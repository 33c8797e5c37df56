"""The paper's further figures: depth (5), size of the training set (3, 7), a committee machine and pictures of digits (8).

Each network is trained as the protocol says but for the one thing that is turned; fewer looks, and no gradients but for the
pictures, whose gradients are the figure.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import Step, chunks, generator, members
from deeptheory.studies.pictures import pictures_found

HIDDEN = (12, 10, 8, 6, 4, 2)  # figure 5: the first layer as wide as the input, then two narrower each
_PICTURE_HIDDEN = (24, 16, 12)
_PICTURE_BATCH, _PICTURE_LR = (
    100,
    1e-3,
)  # the paper states none for this figure: ours, fixed before anything was measured


def depth(settings, unit, inputs, workspace, progress):
    """Networks with `unit` hidden layers: what the output tells of the label, and what the last hidden layer does."""
    widths = [12, *HIDDEN[:unit], 2]
    seeds = members(settings["seed"], settings["depth_networks"])
    data = _plain({**settings, "widths": widths}, seeds, _task(settings), workspace, progress)
    parts = {
        "output_i_y": data["i_y"].isel(layer=-1),
        "hidden_i_x": data["i_x"].isel(layer=-2),
        "hidden_i_y": data["i_y"].isel(layer=-2),
        "first_i_x": data["i_x"].isel(layer=0),
    }
    out = (
        data.drop_vars(list(data.data_vars))
        .drop_dims("layer")
        .assign({k: v.drop_vars("layer") for k, v in parts.items()})
    )
    return out.expand_dims(depth=[unit])


def share(settings, unit, inputs, workspace, progress):
    """Networks that train on a share of the patterns. Incomplete minibatches are kept: small sets have no whole one."""
    seeds = members(settings["seed"], settings["share_networks"])
    data = _plain({**settings, "train": unit, "drop_last": False}, seeds, _task(settings), workspace, progress)
    return data[["i_x", "i_y", "test_accuracy"]].expand_dims(share=[unit])


def committee(settings, unit, inputs, workspace, progress):
    """The protocol on the majority vote of three perceptrons."""
    task = dt.datasets.committee(gamma=settings["gamma"], seed=settings["seed"])
    return _plain(settings, unit, task, workspace, progress, looks=settings["points"])


def pictures(settings, unit, inputs, workspace, progress):
    """Gradient phases, and the plane of the same networks, on pictures of digits."""
    found = pictures_found()
    rows = generator(settings["seed"], "pictures").permutation(len(found.images))[: settings["picture_samples"]]
    x = found.images[rows].reshape(len(rows), -1).astype(np.float32)
    x, y = x / x.max(), found.labels[rows]
    nets = dt.networks.Population.mlp([x.shape[1], *_PICTURE_HIDDEN, 10], "tanh", unit, settings["init"])
    look = dt.Binning(settings["bins"], (-1, 1))
    recorder, gradients = dt.Recorder(nets, x, y, layers="layer*", readouts=look), dt.GradientRecorder(nets)
    epochs = settings["picture_epochs"]
    history = dt.networks.fit(
        nets,
        x,
        y,
        train_fraction=0.8,
        lr=_PICTURE_LR,
        batch=_PICTURE_BATCH,
        epochs=epochs,
        recorder=recorder,
        record_at=dt.networks.log_epochs(epochs, settings["few_points"]),
        gradients=gradients,
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    plane = dt.information_plane(recorder.recording, readout=look)
    out = plane.dataset().merge(gradients.dataset().drop_vars("batches")).merge(history.dataset())
    return out.assign_attrs(readout=repr(look), pictures=f"{found.name}, {len(rows)} of {len(found.images)} pictures")


def _task(settings: dict) -> Any:
    return dt.datasets.icosahedron(gamma=settings["gamma"], seed=settings["seed"])


def _plain(settings, seeds, data, workspace, progress, looks: int | None = None):
    nets = dt.networks.Population.mlp(settings["widths"], settings["activation"], seeds, settings["init"])
    bounded = settings["activation"] in ("tanh", "softsign", "sigmoid")
    look = dt.Binning(settings["bins"], (-1, 1) if bounded else "layer")
    targets = data.y if settings["gamma"] is None else data.p_xy * len(data.x)
    recorder = dt.Recorder(nets, data.x, targets, layers="layer*", readouts=look)
    history = dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=settings["train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=settings["epochs"],
        reshuffle=settings["reshuffle"],
        drop_last=settings["drop_last"] and settings["batch"] is not None,
        recorder=recorder,
        record_at=dt.networks.log_epochs(settings["epochs"], looks or settings["few_points"]),
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    plane = dt.information_plane(recorder.recording, readout=look)
    out = plane.dataset().merge(history.dataset())
    return out.assign_attrs(readout=repr(look), information=data.mutual_information)


def _depths(settings: dict) -> list[int]:
    return list(range(1, len(HIDDEN) + 1))


def _shares(settings: dict) -> list[float]:
    return list(settings["shares"])


def _committee_members(settings: dict) -> list[list[int]]:
    size = max(1, min(settings["chunk"], -(-settings["controls"] // 2)))
    return chunks(members(settings["seed"], settings["networks"])[: settings["controls"]], size)


def _picture_members(settings: dict) -> list[list[int]]:
    return chunks(members(settings["seed"], settings["picture_networks"]), 2)


FURTHER = [
    Step(name="depth", function=depth, units=_depths, combine="depth", about="one to six hidden layers"),
    Step(name="training-size", function=share, units=_shares, combine="share", about="from few patterns to most"),
    Step(name="committee", function=committee, units=_committee_members, about="another rule: a committee machine"),
    Step(name="pictures", function=pictures, units=_picture_members, about="gradients on pictures of digits"),
]
