"""What is trained and looked at: new viewpoints, ablations of the routing, votes, attacks, and the paper's networks counted.

A training step gives [seed]: the weights, the loss of every update, and what was measured at each look.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, chunks, generator
from deeptheory.runs import members as numbered
from deeptheory.studies.hinton_2018.data import load, parts, pictures

_TRACED = 200  # test pictures whose votes are looked at


def members(settings: dict) -> list[int]:
    """The networks of the run; the same in every step, so that steps pair them."""
    return numbered(settings["seed"], settings["networks"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    for name in ("networks", "batch", "iterations", "judged", "attacked", "views"):
        if settings[name] < 1:
            raise InputError(f"{name} is {settings[name]}; needed: at least 1")
    if len(settings["updates"]) != 2 or min(settings["updates"]) < 1:
        raise InputError(f"updates is {settings['updates']}; needed: two numbers of at least 1: 800,400")
    if not settings["lr"] > 0 or not settings["schedule"] > 0:
        raise InputError(f"lr is {settings['lr']}, schedule is {settings['schedule']}; both are above 0")
    if settings["source"] not in ("multiview", "smallnorb", "coil20"):
        raise InputError(f"source is {settings['source']!r}; known: multiview, smallnorb, coil20")
    _capsules({**settings}, 2, 5)  # an image too small for the kernels is told now


# --- views


def views(settings, unit, inputs, workspace, progress):
    """Every picture once; the other steps read them."""
    import xarray as xr

    found = load(settings)
    images = found.images
    if settings["size"] * 2 == images.shape[-1]:  # 96 to 48: every 2x2 pixels become their mean
        images = np.rint(255 * dt.datasets.scaled(images, 2)).astype(np.uint8)
    names = ("labels", "instance", "azimuth", "elevation", "light", "train")
    data = {name: ("view", getattr(found, name)) for name in names}
    return xr.Dataset({"image": (("view", "channel", "y", "x"), images), **data}).assign_attrs(source=found.source)


def _judged(data: Any, rows: np.ndarray, settings: dict, purpose: str) -> tuple[Any, Any]:
    """So many of the rows, drawn by the seed: pictures and labels."""
    order = generator(settings["seed"], purpose).permutation(len(rows))[: settings["judged"]]
    return pictures(data, rows[order], settings), as_tensor(data["labels"].values[rows[order]])


# --- networks and training


def _shape(data: Any, settings: dict) -> tuple[int, int, int]:
    side = settings["crop"] or int(data.sizes["y"])
    return int(data.sizes["channel"]), side, side


def _capsules(settings: dict, channels: int, classes: int, side: int | None = None, **changed: Any):
    side = side or settings["crop"] or settings["size"]
    how = {k: settings[k] for k in ("iterations", "schedule", "variant")} | changed
    network = dt.capsules.MatrixCapsuleNetwork((channels, side, side), classes, tuple(settings["types"]), **how)
    return dt.networks.Standardised(network)


def _cnn(settings: dict, shape: tuple[int, int, int], classes: int):
    a, b, width = settings["cnn"]
    return dt.networks.Standardised(dt.capsules.hinton_cnn(shape, classes, (a, b), (width,)))


def _maker(settings: dict, data: Any, kind: str, **changed: Any):
    """A function that makes the network of that kind for these data."""
    shape, classes = _shape(data, settings), int(data["labels"].max()) + 1
    if kind == "cnn":
        return lambda: _cnn(settings, shape, classes)
    return lambda: _capsules(settings, shape[0], classes, shape[1], **changed)


def _train(settings, seeds, inputs, workspace, progress, kind, condition, which, loss=None, **changed):
    """Train one network a seed on the familiar views of a condition; Dataset over seed."""
    import xarray as xr

    data = inputs["views"]
    rows = parts(data, condition)
    labels = data["labels"].values
    judged = {k: _judged(data, rows[k], settings, k) for k in ("familiar", "novel") if len(rows[k])}
    updates, made = settings["updates"][which], []
    spread = dt.capsules.spread_objective(updates, schedule=settings["margin"], convention=settings["convention"])
    objective = dt.capsules.classifier_objective if kind == "cnn" else spread if loss is None else dt.capsules.probability_objective(loss)  # fmt: skip

    def batches(step: int, g: np.random.Generator):
        drawn = rows["train"][g.integers(0, len(rows["train"]), settings["batch"])]
        return pictures(data, drawn, settings, g), as_tensor(labels[drawn]), step

    for k, seed in enumerate(seeds):
        network = dt.networks.build(_maker(settings, data, kind, **changed), seed)
        log = dt.networks.train(
            network,
            batches,
            objective,
            steps=updates,
            lr=settings["lr"] if kind != "cnn" else min(settings["lr"], 1e-3),
            schedule=(lambda step: 0.96 ** (step / 20_000)) if settings["decay"] == "paper" else None,
            evaluate=lambda m: {name: 100 - dt.capsules.error_rate(m, *xy) for name, xy in judged.items()},
            every=max(1, updates // (settings["looks"] if condition != "all" else 2)),
            seed=seed,
            checkpoint=workspace / f"network-{seed}",
            progress=lambda done, total, k=k: progress(k * total + done, len(seeds) * total),
        )
        found = {name: (("seed", "look"), values[None]) for name, values in log.measured.items()}
        found["weights"] = (("seed", "parameter"), dt.networks.weights(network)[None])
        found["losses"] = (("seed", "update"), log.losses[None].astype(np.float32))
        made.append(xr.Dataset(found, coords={"seed": [seed], "look": list(log.looks)}))
    return xr.concat(made, "seed", join="exact").assign_attrs(full=int(settings["full"]))


def azimuth_capsules(settings, unit, inputs, workspace, progress):
    """Trained on a third of a turn."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "azimuth", 0)


def azimuth_cnn(settings, unit, inputs, workspace, progress):
    """The same, convolutional network."""
    return _train(settings, unit, inputs, workspace, progress, "cnn", "azimuth", 0)


def elevation_capsules(settings, unit, inputs, workspace, progress):
    """Trained on the three lowest elevations."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "elevation", 0)


def elevation_cnn(settings, unit, inputs, workspace, progress):
    """The same, convolutional network."""
    return _train(settings, unit, inputs, workspace, progress, "cnn", "elevation", 0)


def whole(settings, unit, inputs, workspace, progress):
    """All viewpoints: the network that the ablations are compared with."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1)


def whole_cnn(settings, unit, inputs, workspace, progress):
    """All viewpoints, convolutional network."""
    return _train(settings, unit, inputs, workspace, progress, "cnn", "all", 1)


def r1(settings, unit, inputs, workspace, progress):
    """One iteration."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, iterations=1)


def r2(settings, unit, inputs, workspace, progress):
    """Two iterations."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, iterations=2)


def r5(settings, unit, inputs, workspace, progress):
    """Five iterations."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, iterations=5)


def mass(settings, unit, inputs, workspace, progress):
    """Mixing proportions in place of activations."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, presence="mass")


def vector(settings, unit, inputs, workspace, progress):
    """Poses as vectors of 16 numbers, 16x16 weights."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, form="vector")


def vector_no_coordinates(settings, unit, inputs, workspace, progress):
    """Poses as vectors, no coordinates in the last layer."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, form="vector", coordinates=False)


def no_coordinates(settings, unit, inputs, workspace, progress):
    """No coordinates in the last layer."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, coordinates=False)


def margin(settings, unit, inputs, workspace, progress):
    """The margin loss of Sabour et al."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, loss="margin")


def cross_entropy(settings, unit, inputs, workspace, progress):
    """Cross-entropy."""
    return _train(settings, unit, inputs, workspace, progress, "capsules", "all", 1, loss="cross-entropy")


# --- looking


def _trained(settings, inputs, step: str, kind: str):
    """The networks of this unit, by seed."""
    data = inputs.part(step)
    make = _maker(settings, inputs["views"], kind)
    for k, seed in enumerate(data["seed"].values.tolist()):
        yield seed, dt.networks.set_weights(dt.networks.build(make, seed), data["weights"].values[k])


def votes(settings, unit, inputs, workspace, progress):
    """Distances of votes to the mean of the winning class, iteration by iteration."""
    import xarray as xr

    data, made = inputs["views"], []
    x, _ = _judged(data, parts(data, "all")["familiar"], settings, "familiar")
    x = x[:_TRACED]
    for seed, network in _trained(settings, inputs, "whole", "capsules"):
        said = dt.networks.outputs(network, x)[0].argmax(1).numpy()
        rows = []
        for label in np.unique(said):
            traces = dt.capsules.trace_routing(network, x[said == label])
            trace = next(t for name, t in traces.items() if name.endswith("classifier"))
            rows.append(
                (trace.mean_distance()[:, label], trace.distances[:, label], trace.edges, (said == label).sum())
            )
        mean = np.average([r[0] for r in rows], axis=0, weights=[r[3] for r in rows])
        most = max(rows, key=lambda r: r[3])
        share = most[1] / most[1].sum(1, keepdims=True)
        made.append(
            xr.Dataset(
                {
                    "distance": (("seed", "iteration"), mean[None]),
                    "share": (("seed", "iteration", "bin"), share[None]),
                    "middle": (("seed", "bin"), ((most[2][1:] + most[2][:-1]) / 2)[None]),
                },
                coords={"seed": [seed], "iteration": np.arange(1, len(mean) + 1)},
            )
        )
    return xr.concat(made, "seed", join="exact")


def attacks(settings, unit, inputs, workspace, progress):
    """Accuracy under attack of capsules and of the convolutional network; gradients; pictures made against another network."""
    import xarray as xr

    data, made = inputs["views"], []
    x, y = _judged(data, parts(data, "all")["familiar"], settings, "familiar")
    x, y = x[: settings["attacked"]], y[: settings["attacked"]]
    targets = (y + 1) % (int(y.max()) + 1)
    epsilons = settings["epsilons"]
    stranger = dt.networks.build(_maker(settings, data, "cnn"), 0)
    others = inputs["whole-cnn"]
    for (seed, capsules), (_, cnn) in zip(_trained(settings, inputs, "whole", "capsules"), _trained(settings, inputs, "whole-cnn", "cnn")):  # fmt: skip
        at = others["seed"].values.tolist().index(seed)
        dt.networks.set_weights(stranger, others["weights"].values[(at + 1) % others.sizes["seed"]])
        rows: dict[str, list[np.ndarray]] = {}
        slopes = {}
        for name, network, loss, logits in (
            ("capsules", capsules, _spread, dt.networks.logit_of_probability),
            ("cnn", cnn, None, dt.networks.first_output),
        ):
            own = {} if loss is None else {"loss": loss}
            strong = {"restarts": settings["restarts"], "steps": settings["attack_steps"], "seed": seed}
            for attack, how in (
                (dt.networks.fgsm, own),
                (dt.networks.bim, own),
                (dt.networks.strong, {"scores": logits, **strong}),
            ):
                found = dt.networks.robustness(network, x, y, epsilons, attack, **how)
                rows.setdefault(found.method, []).append(found.accuracy)
            aimed = dt.networks.robustness(network, x, y, epsilons, dt.networks.bim, targets=targets, **own)
            rows.setdefault("bim, targeted: success", []).append(aimed.success)
            passed = dt.networks.robustness(stranger, x, y, epsilons, dt.networks.bim, judge=network)
            rows.setdefault("transferred", []).append(passed.accuracy)
            profile = dt.networks.gradient_profile(network, x, y, **own)
            slopes[name] = (float(profile.size.mean()), float(profile.zeros.mean()))
        made.append(
            xr.Dataset(
                {
                    "accuracy": (("seed", "attack", "network", "epsilon"), np.array([list(rows.values())])),
                    "size": (("seed", "network"), [[s for s, _ in slopes.values()]]),
                    "zeros": (("seed", "network"), [[z for _, z in slopes.values()]]),
                },
                coords={"seed": [seed], "attack": list(rows), "network": list(slopes), "epsilon": epsilons},
            )
        )
    return xr.concat(made, "seed", join="exact")


def _spread(scores, labels):
    """The loss that capsules were trained on, at its widest margin."""
    return dt.capsules.spread_loss(scores, labels, 0.9)


def parameters(settings, unit, inputs, workspace, progress):
    """The paper's networks, built and counted."""
    import xarray as xr

    made = dt.capsules
    counts = {
        "capsules": dt.networks.count(made.MatrixCapsuleNetwork),
        "small-capsules": dt.networks.count(lambda: made.MatrixCapsuleNetwork(types=(64, 8, 16, 16))),
        "cnn": dt.networks.count(made.hinton_cnn),
    }
    return xr.Dataset({"count": ("network", list(counts.values()))}, coords={"network": list(counts)})


def _each(settings: dict) -> list[list[int]]:
    return chunks(members(settings), 1)


def _training(name: str, function, about: str) -> Step:
    return Step(name=name, function=function, units=_each, needs=("views",), about=about)


STEPS = [
    Step(name="parameters", function=parameters, about="the paper's networks counted"),
    Step(name="views", function=views, about="pictures rendered or read"),
    _training("azimuth-capsules", azimuth_capsules, "new azimuths: capsules"),
    _training("azimuth-cnn", azimuth_cnn, "new azimuths: convolutional network"),
    _training("elevation-capsules", elevation_capsules, "new elevations: capsules"),
    _training("elevation-cnn", elevation_cnn, "new elevations: convolutional network"),
    _training("whole", whole, "all viewpoints: capsules"),
    _training("whole-cnn", whole_cnn, "all viewpoints: convolutional network"),
    _training("r1", r1, "ablation: one iteration"),
    _training("r2", r2, "ablation: two iterations"),
    _training("r5", r5, "ablation: five iterations"),
    _training("mass", mass, "ablation: mixing proportions for activations"),
    _training("vector", vector, "ablation: poses as vectors"),
    _training("vector-no-coordinates", vector_no_coordinates, "ablation: poses as vectors, no coordinates"),
    _training("no-coordinates", no_coordinates, "ablation: no coordinates"),
    _training("margin", margin, "ablation: margin loss"),
    _training("cross-entropy", cross_entropy, "ablation: cross-entropy"),
    Step(name="votes", function=votes, units=_each, needs=("views", "whole"), about="distances of votes"),
    Step(
        name="attacks", function=attacks, units=_each, needs=("views", "whole", "whole-cnn"), about="attacks, gradients"
    ),
]
