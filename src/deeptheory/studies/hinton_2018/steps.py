"""What is trained, and what is seen in it: new viewpoints, ablations of the routing, votes, attacks;
and the paper's networks counted.

A training step gives [seed]: the weights, the loss of every update, and what was measured at each logged step.
"""

from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from torch.nn.utils import parameters_to_vector

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, generator
from deeptheory.studies.units import filled, in_chunks, widened

_TRACED = 200  # test images whose votes are followed
_SIDES = {"smallnorb": 96, "coil20": 128}  # pixels of published images
_FAMILIAR_ELEVATIONS = (30, 35, 40)


def check(settings: dict) -> None:
    """InputError: an image too small for the kernels, or a size that published images are not brought to."""
    if settings["source"] in _SIDES:
        _smaller(settings, _SIDES[settings["source"]], settings["source"])
    _capsules(settings, 2, 5, settings["crop"] or settings["size"])


# --- views


def load(settings: dict) -> dt.datasets.Views:
    """All views, uint8 [n, C, size, size]: rendered, or smallNORB or COIL-20 where their files are."""
    if settings["source"] == "multiview":
        return dt.datasets.multiview(settings["views"], size=settings["size"], seed=settings["seed"])
    return dt.datasets.small_norb() if settings["source"] == "smallnorb" else dt.datasets.coil20()


def views(settings, unit, inputs, workspace, progress):
    """Every image once; the other steps read them."""
    found = load(settings)
    images, side = found.images, found.images.shape[-1]
    smaller = _smaller(settings, side, found.source)
    if smaller > 1:  # 96 to 48: every 2x2 pixels become their mean
        images = np.rint(255 * dt.datasets.downsample(images, smaller)).astype(np.uint8)
    names = ("labels", "instance", "azimuth", "elevation", "light", "train")
    data = {name: ("view", getattr(found, name)) for name in names}
    out = xr.Dataset({"image": (("view", "channel", "y", "x"), images), **data}, attrs={"source": found.source})
    if settings["source"] == "multiview":
        _enough(out)
    return out


def _smaller(settings: dict, side: int, source: str) -> int:
    """By how much images of that width are made smaller. InputError: the width asked for is no part of theirs."""
    smaller, left = divmod(side, settings["size"])
    if left or not smaller:
        sides = ", ".join(str(side // k) for k in range(1, 9) if side % k == 0)
        raise InputError(f"size is {settings['size']}; images of {source} are {side} pixels wide: {sides}")
    return smaller


def _enough(data: Any) -> None:
    """InputError: views so few that there is nothing to train on, or to test on, in one of the conditions."""
    for condition in ("azimuth", "elevation", "all"):
        rows, whole = parts(data, condition), condition == "all" or len(np.unique(data[condition].values)) == 1
        for name in ("train", "familiar") if whole else ("train", "familiar", "novel"):
            if not len(rows[name]):
                what = {"train": "trains", "familiar": "is a familiar one to test on", "novel": "is a new one"}[name]
                raise InputError(
                    f"views is {data.sizes['view']}; none of them {what} ({condition} of the view); needed: more"
                )
        if len(np.unique(data["labels"].values[rows["train"]])) < 2:
            raise InputError(
                f"views is {data.sizes['view']}; those that train ({condition}) are of one kind; needed: more"
            )


def parts(data: Any, condition: str) -> dict[str, np.ndarray]:
    """Row numbers: train, familiar (test, seen viewpoints), novel (test, new ones; none where all are seen).

    data: the Dataset of the step `views`. condition: "azimuth" (a third of a turn is familiar), "elevation"
    (the three lowest) or "all". Where the source has no test objects (COIL-20) every other view is held out.
    """
    azimuth, elevation, trains = (data[name].values for name in ("azimuth", "elevation", "train"))
    if trains.all():
        trains = azimuth % 10 == 0
    familiar = {
        "azimuth": (azimuth >= 300) | (azimuth <= 40),
        "elevation": np.isin(elevation, _FAMILIAR_ELEVATIONS) | (elevation.min() == elevation.max()),
        "all": np.ones(len(azimuth), dtype=bool),
    }[condition]
    chosen = {"train": trains & familiar, "familiar": ~trains & familiar, "novel": ~trains & ~familiar}
    return {name: np.flatnonzero(rows) for name, rows in chosen.items()}


def prepared(data: Any, rows: np.ndarray, settings: dict, generator: np.random.Generator | None = None) -> Any:
    """Network input of some rows, [n, C, H, W] in [0, 1]: the middle of each image, or with a generator a random
    crop in other light where the settings say so."""
    x = data["image"].values[rows]
    if not settings["crop"]:
        return as_tensor(dt.datasets.downsample(x))
    if generator is None:
        return as_tensor(dt.datasets.downsample(dt.datasets.center_crop(x, settings["crop"])))
    x = dt.datasets.downsample(dt.datasets.random_crop(x, settings["crop"], seed=generator))
    return as_tensor(dt.datasets.color_jitter(x, seed=generator))


def _judged(data: Any, rows: np.ndarray, settings: dict, purpose: str) -> tuple[Any, Any]:
    """As many of the rows as the settings say, drawn by the seed: images and labels."""
    order = generator(settings["seed"], purpose).permutation(len(rows))[: settings["judged"]]
    return prepared(data, rows[order], settings), as_tensor(data["labels"].values[rows[order]])


# --- networks and training


def _capsules(settings: dict, channels: int, classes: int, side: int, **changed: Any):
    how = {k: settings[k] for k in ("iterations", "schedule", "variant")} | changed
    network = dt.capsules.MatrixCapsuleNetwork(
        (channels, side, side), classes, tuple(widened(settings["types"], settings)), **how
    )
    return dt.networks.PerImageStandardization(network)


def _network(settings: dict, data: Any, cnn: bool = False, **changed: Any):
    """A network for these data, its weights not yet set."""
    channels, side = int(data.sizes["channel"]), settings["crop"] or int(data.sizes["y"])
    classes = int(data["labels"].max()) + 1
    if not cnn:
        return _capsules(settings, channels, classes, side, **changed)
    a, b, width = widened(settings["cnn"], settings)
    return dt.networks.PerImageStandardization(
        dt.capsules.hinton_cnn((channels, side, side), classes, channels=(a, b), widths=(width,))
    )


def _unlike(settings: dict) -> str:
    """What keeps a network from being the paper's on smallNORB, besides a small scale on rendered solids; "" for
    nothing."""
    if settings["source"] != ("smallnorb" if settings["full"] else "multiview"):
        return f"a network on {settings['source']}"
    other = settings["full"] and settings["width"] != 1
    return f"a network of {settings['width']:g} times the paper's width" if other else ""


def train(settings, unit, inputs, workspace, progress, views="all", cnn=False, loss=None, **changed):
    """One network on the familiar ones of the views; changed: of the capsule network. loss: None for spread.
    Dataset over seed."""
    data, some = inputs["views"], views != "all"
    rows, labels = parts(data, views), data["labels"].values
    judged = {k: _judged(data, rows[k], settings, k) for k in ("familiar", "novel") if len(rows[k])}
    updates = settings["updates"][0 if some else 1]
    spread = dt.capsules.spread_objective(updates, schedule=settings["margin"], convention=settings["convention"])
    objective = spread if loss is None else dt.capsules.probability_objective(loss)

    def batches(step: int, g: np.random.Generator):
        drawn = rows["train"][g.integers(0, len(rows["train"]), settings["batch"])]
        return prepared(data, drawn, settings, g), as_tensor(labels[drawn]), step

    network = dt.networks.seeded(lambda: _network(settings, data, cnn, **changed), unit[0])
    log = dt.networks.train(
        network,
        batches,
        dt.capsules.classifier_objective if cnn else objective,
        steps=updates,
        lr=min(settings["lr"], 1e-3) if cnn else settings["lr"],
        lr_schedule=(lambda step: 0.96 ** (step / 20_000)) if settings["decay"] == "paper" else None,
        evaluate=lambda m: {name: 100 - dt.capsules.error_rate(m, *xy) for name, xy in judged.items()},
        every=max(1, updates // (settings["looks"] if some else 2)),
        seed=unit[0],
        checkpoint=workspace / f"network-{unit[0]}",
        progress=progress,
    )
    found = {name: (("seed", "look"), values[None]) for name, values in log.measured.items()}
    found["weights"] = (("seed", "parameter"), parameters_to_vector(network.parameters()).numpy(force=True)[None])
    told = {"full": int(settings["full"]), "asked": settings["familiar"], "unlike": _unlike(settings)}
    found["losses"] = (("seed", "update"), log.losses[None].astype(np.float32))
    return xr.Dataset(found, coords={"seed": unit, "look": list(log.steps)}, attrs=told)


# --- what is seen in them


def _trained(settings, inputs, step: str, cnn: bool = False):
    """The network that this unit trained in a step."""
    return filled(_network(settings, inputs["views"], cnn), inputs.part(step)["weights"].values[0])


def votes(settings, unit, inputs, workspace, progress):
    """Distances of votes to the mean of the winning class, iteration by iteration."""
    data, network = inputs["views"], _trained(settings, inputs, "whole")
    x = _judged(data, parts(data, "all")["familiar"], settings, "familiar")[0][:_TRACED]
    said = dt.networks.predict(network, x)[0].argmax(1).numpy()
    labels, counts = np.unique(said, return_counts=True)
    traces = [_last_layer(dt.capsules.trace_routing(network, x[said == label])) for label in labels]
    distances = [trace.mean_distance()[:, label] for label, trace in zip(labels, traces)]
    mean, most = np.average(distances, axis=0, weights=counts), counts.argmax()
    mass, edges = traces[most].distances[:, labels[most]], traces[most].edges
    return xr.Dataset(
        {
            "distance": (("seed", "iteration"), mean[None]),
            "share": (("seed", "iteration", "bin"), (mass / mass.sum(1, keepdims=True))[None]),
            "middle": (("seed", "bin"), ((edges[1:] + edges[:-1]) / 2)[None]),
        },
        coords={"seed": unit, "iteration": np.arange(1, len(mean) + 1)},
    )


def _last_layer(traces: dict[str, Any]) -> Any:
    return next(trace for name, trace in traces.items() if name.endswith("classifier"))


def attacks(settings, unit, inputs, workspace, progress):
    """Accuracy under attack of capsules and of the convolutional network; gradients;
    images made against another network."""
    data, others = inputs["views"], inputs["whole-cnn"]
    x, y = _judged(data, parts(data, "all")["familiar"], settings, "familiar")
    x, y = x[: settings["attacked"]], y[: settings["attacked"]]
    other = (others["seed"].values.tolist().index(unit[0]) + 1) % others.sizes["seed"]
    stranger = filled(_network(settings, data, cnn=True), others["weights"].values[other])
    capsules, cnn = _trained(settings, inputs, "whole"), _trained(settings, inputs, "whole-cnn", cnn=True)
    attack = partial(_attack, settings, unit[0], x, y, stranger)
    found = {
        "capsules": attack(capsules, dt.networks.logit_of_probability, loss=_spread),
        "cnn": attack(cnn, dt.networks.first_output),
    }
    accuracy, profiles = [a for a, _ in found.values()], [profile for _, profile in found.values()]
    return xr.Dataset(
        {
            "accuracy": (
                ("seed", "attack", "network", "epsilon"),
                [[[row[a] for row in accuracy] for a in accuracy[0]]],
            ),
            "size": (("seed", "network"), [[float(profile.size.mean()) for profile in profiles]]),
            "zeros": (("seed", "network"), [[float(profile.zeros.mean()) for profile in profiles]]),
        },
        coords={"seed": unit, "attack": list(accuracy[0]), "network": list(found), "epsilon": settings["epsilons"]},
    )


def _attack(settings, seed: int, x, y, stranger, network, logits, **own) -> tuple[dict[str, np.ndarray], Any]:
    """By attack the accuracy at every epsilon (of the targeted one its success), and the profile of the gradients.

    stranger: the network that transferred images were made against. logits: output -> what the strong attack aims at.
    own: the network's own loss.
    """
    made = dt.networks
    robustness = partial(made.robustness, network, x, y, epsilons=settings["epsilons"])
    strong = {"restarts": settings["restarts"], "steps": settings["attack_steps"], "seed": seed}
    aimed = robustness(attack=made.bim, targets=(y + 1) % (int(y.max()) + 1), **own)
    passed = made.robustness(stranger, x, y, epsilons=settings["epsilons"], attack=made.bim, judge=network)
    accuracy = {
        "fgsm": robustness(attack=made.fgsm, **own).accuracy,
        "bim": robustness(attack=made.bim, **own).accuracy,
        "strong": robustness(attack=made.pgd, scores=logits, **strong).accuracy,
        "bim, targeted: success": aimed.success,
        "transferred": passed.accuracy,
    }
    return accuracy, made.gradient_profile(network, x, y, **own)


def _spread(scores, labels):
    """The loss that capsules were trained on, at its widest margin."""
    return dt.capsules.spread_loss(scores, labels, 0.9)


def parameters(settings, unit, inputs, workspace, progress):
    """The paper's networks, built and counted."""
    made = dt.capsules
    counts = {
        "capsules": dt.networks.parameter_count(made.MatrixCapsuleNetwork),
        "small-capsules": dt.networks.parameter_count(lambda: made.MatrixCapsuleNetwork(types=(64, 8, 16, 16))),
        "cnn": dt.networks.parameter_count(made.hinton_cnn),
    }
    return xr.Dataset({"count": ("network", list(counts.values()))}, coords={"network": list(counts)})


_ablations = partial(in_chunks, count="ablations")


def _training(name: str, about: str, **options: Any) -> Step:
    units = in_chunks if "views" in options else _ablations
    return Step(name=name, function=train, options=options, units=units, needs=("views",), about=about)


STEPS = [
    Step(name="parameters", function=parameters, about="the paper's networks counted"),
    Step(name="views", function=views, about="images rendered or read"),
    _training("azimuth-capsules", "new azimuths: capsules", views="azimuth"),
    _training("azimuth-cnn", "new azimuths: convolutional network", views="azimuth", cnn=True),
    _training("elevation-capsules", "new elevations: capsules", views="elevation"),
    _training("elevation-cnn", "new elevations: convolutional network", views="elevation", cnn=True),
    _training("whole", "all viewpoints: capsules"),
    _training("whole-cnn", "all viewpoints: convolutional network", cnn=True),
    _training("r1", "ablation: one iteration", iterations=1),
    _training("r2", "ablation: two iterations", iterations=2),
    _training("r5", "ablation: five iterations", iterations=5),
    _training("mass", "ablation: mixing proportions for activations", presence="mass"),
    _training("vector", "ablation: poses as vectors", form="vector"),
    _training("vector-no-coordinates", "ablation: poses as vectors, no coordinates", form="vector", coordinates=False),
    _training("no-coordinates", "ablation: no coordinates", coordinates=False),
    _training("margin", "ablation: margin loss", loss="margin"),
    _training("cross-entropy", "ablation: cross-entropy", loss="cross-entropy"),
    Step(name="votes", function=votes, units=_ablations, needs=("views", "whole"), about="distances of votes"),
    Step(
        name="attacks",
        function=attacks,
        units=_ablations,
        needs=("views", "whole", "whole-cnn"),
        about="attacks, gradients",
    ),
]
