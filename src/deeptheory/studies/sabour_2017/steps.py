"""What is trained and looked at: digits with one and three routings, moved digits, overlaid digits, and what poses draw.

A training step gives [seed]: the weights, the loss of every update, and what was measured at each look.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, chunks, generator
from deeptheory.runs import members as numbered

_SHOWN = 8  # pictures in a figure
_LONG = 8  # iterations over which the change of logits is followed
_PERTURBED = 200
_BASELINE = [256, 256, 128, 328, 192]  # the paper's, for digits
_EXPANDED = {"pad": 6, "max_shift": 6}  # 40x40, as in the released program


def members(settings: dict) -> list[int]:
    """The networks of the run; the same in every step, so that steps pair them."""
    return numbered(settings["seed"], settings["networks"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    for name in ("networks", "batch", "train", "test", "iterations"):
        if settings[name] < 1:
            raise InputError(f"{name} is {settings[name]}; needed: at least 1")
    if len(settings["updates"]) != 3 or min(settings["updates"]) < 1:
        raise InputError(f"updates is {settings['updates']}; needed: three numbers of at least 1: 500,600,800")
    if not settings["lr"] > 0 or settings["reconstruction"] < 0:
        raise InputError(f"lr is {settings['lr']}, reconstruction is {settings['reconstruction']}; neither is below 0")
    if settings["max_shift"] < 0:
        raise InputError(f"max_shift is {settings['max_shift']}; needed: 0 or above")


# --- data


def digits(settings: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training pictures and labels, test pictures and labels, uint8 [n, 28, 28]; where the source is not divided, by the seed."""
    data = dt.datasets.mnist(settings["source"])
    order = generator(settings["seed"], "digits").permutation(len(data.images))
    if data.train.all():
        test = min(settings["test"], len(order) // 5)
        train, held = order[test:], order[:test]
    else:
        train, held = order[data.train[order]], order[~data.train[order]]
    train, held = train[: settings["train"]], held[: settings["test"]]
    return data.images[train], data.labels[train], data.images[held], data.labels[held]


def _inputs(images: np.ndarray, settings: dict) -> Any:
    return as_tensor(dt.datasets.scaled(images, settings["shrink"]))


def _single(settings: dict, **move: int):
    """batches(step, generator) of single digits, moved."""
    images, labels, *_ = digits(settings)

    def batches(step: int, g: np.random.Generator):
        rows = g.integers(0, len(images), settings["batch"])
        return _inputs(dt.datasets.shifted(images[rows], g, **move), settings), as_tensor(labels[rows])

    return batches


def _pairs(settings: dict, images: np.ndarray, labels: np.ndarray, count: int, g: np.random.Generator):
    """Overlaid digits, their labels, and both digits alone, in order of label."""
    drawn = dt.datasets.overlaid(images, labels, count, g, pad=settings["pad"], max_shift=settings["max_shift"])
    return _inputs(drawn.images, settings), as_tensor(drawn.labels), _inputs(drawn.sources, settings)


# --- networks and training


def _network(settings: dict, side: int, iterations: int, reconstruction: bool):
    n = side // settings["shrink"]
    kwargs = {k: tuple(v) if isinstance(v, list) else v for k, v in settings["net"].items()}
    more = {"iterations": iterations, "released": settings["released"], "init": "paper"}
    return dt.capsules.CapsuleNetwork((1, n, n), 10, reconstruction, **kwargs, **more)


def _train(
    settings, seeds, workspace, progress, *, make, objective, batches, evaluate, kind: int, published: bool = True
):
    """Train one network a seed; Dataset over seed."""
    import xarray as xr

    updates, parts = settings["updates"][kind], []
    every = max(1, updates // settings["looks"])
    for k, seed in enumerate(seeds):
        network = dt.networks.build(make, seed)
        log = dt.networks.train(
            network,
            batches,
            objective,
            steps=updates,
            lr=settings["lr"],
            schedule=_decay(settings, updates, slow=10 if kind == 2 else 1),
            evaluate=evaluate,
            every=every,
            seed=seed,
            checkpoint=workspace / f"network-{seed}",
            progress=lambda done, total, k=k: progress(k * total + done, len(seeds) * total),
        )
        found = {name: (("seed", "look"), values[None]) for name, values in log.measured.items()}
        found["weights"] = (("seed", "parameter"), dt.networks.weights(network)[None])
        found["losses"] = (("seed", "update"), log.losses[None].astype(np.float32))
        parts.append(xr.Dataset(found, coords={"seed": [seed], "look": list(log.looks)}))
    joined = xr.concat(parts, "seed", join="exact") if len(parts) > 1 else parts[0]
    return joined.assign_attrs(full=int(settings["full"] and published))


def _decay(settings: dict, updates: int, slow: int):
    if settings["decay"] == "paper":  # 0.96 every 2,000 steps, ten times slower for overlaid digits (unverified)
        return lambda step: max(0.96 ** (step / (2000 * slow)), 1e-6 / settings["lr"])
    return lambda step: max(0.02, 1 - step / updates)


def _objective(settings: dict):
    return dt.capsules.capsule_objective(reconstruction=settings["reconstruction"], convention=settings["convention"])


def _mnist(settings, seeds, workspace, progress, iterations: int | None, reconstruction: bool):
    make = lambda: _network(settings, 28, iterations or settings["iterations"], reconstruction)  # noqa: E731
    return _digits(settings, seeds, workspace, progress, make, _objective(settings))


def _digits(settings, seeds, workspace, progress, make, objective):
    *_, images, labels = digits(settings)
    x = _inputs(images, settings)
    return _train(
        settings,
        seeds,
        workspace,
        progress,
        make=make,
        objective=objective,
        batches=_single(settings, pad=0, max_shift=2),
        evaluate=lambda m: {"error": dt.capsules.error_rate(m, x, labels)},
        kind=0,
    )


def r3_reconstruction(settings, unit, inputs, workspace, progress):
    """The paper's network."""
    return _mnist(settings, unit, workspace, progress, None, True)


def r3(settings, unit, inputs, workspace, progress):
    """Without the decoder."""
    return _mnist(settings, unit, workspace, progress, None, False)


def r1_reconstruction(settings, unit, inputs, workspace, progress):
    """With uniform coupling."""
    return _mnist(settings, unit, workspace, progress, 1, True)


def r1(settings, unit, inputs, workspace, progress):
    """With neither."""
    return _mnist(settings, unit, workspace, progress, 1, False)


def _cnn(settings: dict, side: int, widths: list[int]):
    n, (a, b, c, *dense) = side // settings["shrink"], widths
    return dt.capsules.sabour_cnn((1, n, n), 10, (a, b, c), dense)


def cnn(settings, unit, inputs, workspace, progress):
    """The paper's convolutional baseline, scaled."""
    own = {**settings, "lr": settings["cnn_lr"]}
    make = lambda: _cnn(settings, 28, _BASELINE if settings["full"] else settings["cnn"])  # noqa: E731
    return _digits(own, unit, workspace, progress, make, dt.capsules.classifier_objective)


def _moved(settings, seeds, workspace, progress, make, objective):
    *_, images, labels = digits(settings)
    seed = settings["seed"]
    expanded = _inputs(dt.datasets.shifted(images, generator(seed, "expanded"), **_EXPANDED), settings)
    bent = _inputs(dt.datasets.affine(images, generator(seed, "affine")), settings)

    def evaluate(module):
        familiar, other = (100 - dt.capsules.error_rate(module, x, labels) for x in (expanded, bent))
        return {"expanded": familiar, "affine": other}

    return _train(
        settings,
        seeds,
        workspace,
        progress,
        make=make,
        objective=objective,
        batches=_single(settings, **_EXPANDED),
        evaluate=evaluate,
        kind=1,
    )


def expanded_capsules(settings, unit, inputs, workspace, progress):
    """Trained on digits that were only moved; tested on digits under small affine transformations, too."""
    return _moved(settings, unit, workspace, progress, lambda: _network(settings, 40, settings["iterations"], True), _objective(settings))  # fmt: skip


def expanded_cnn(settings, unit, inputs, workspace, progress):
    """The same with a convolutional network of about as many weights."""
    make = lambda: _cnn(settings, 40, settings["cnn"])  # noqa: E731
    own = {**settings, "lr": settings["cnn_lr"]}
    return _moved(own, unit, workspace, progress, make, dt.capsules.classifier_objective)


def _overlaid(settings, seeds, workspace, progress, make, objective):
    images, labels, test_images, test_labels = digits(settings)
    x, y, _ = _pairs(settings, test_images, test_labels, settings["test"], generator(settings["seed"], "pairs"))
    return _train(
        settings,
        seeds,
        workspace,
        progress,
        make=make,
        objective=objective,
        batches=lambda step, g: _pairs(settings, images, labels, settings["batch"], g),
        evaluate=lambda m: {"error": dt.capsules.error_rate(m, x, y)},
        kind=2,
    )


def _overlaid_side(settings: dict) -> int:
    return 28 + 2 * settings["pad"]


def multimnist_capsules(settings, unit, inputs, workspace, progress):
    """Two digits at once, each drawn from its own capsule."""
    make = lambda: _network(settings, _overlaid_side(settings), settings["iterations"], True)  # noqa: E731
    return _overlaid(settings, unit, workspace, progress, make, _objective(settings))


def multimnist_r1(settings, unit, inputs, workspace, progress):
    """The same with uniform coupling."""
    make = lambda: _network(settings, _overlaid_side(settings), 1, True)  # noqa: E731
    return _overlaid(settings, unit, workspace, progress, make, _objective(settings))


def multimnist_cnn(settings, unit, inputs, workspace, progress):
    """The same with the paper's convolutional baseline, scaled."""
    n, (a, b, width) = _overlaid_side(settings) // settings["shrink"], settings["multimnist_cnn"]
    make = lambda: dt.capsules.multimnist_cnn((1, n, n), 10, (a, b), (width,))  # noqa: E731
    return _overlaid(settings, unit, workspace, progress, make, dt.capsules.classifier_objective)


# --- looking


def _trained(settings, inputs, step: str, side: int, iterations: int | None = None):
    """The networks of this unit, by seed."""
    data = inputs.part(step)
    for k, seed in enumerate(data["seed"].values.tolist()):
        network = _network(settings, side, iterations or settings["iterations"], True)
        yield seed, dt.networks.set_weights(network, data["weights"].values[k])


def reconstructions(settings, unit, inputs, workspace, progress):
    """Pictures and what the longest capsule draws; failures among them, drawn from the true class as well."""
    import xarray as xr

    *_, images, labels = digits(settings)
    x, parts = _inputs(images, settings), []
    for seed, network in _trained(settings, inputs, "r3-reconstruction", 28):
        out = dt.networks.outputs(network, x)
        said = out.lengths.argmax(1).numpy()
        wrong, right = np.flatnonzero(said != labels), np.flatnonzero(said == labels)
        failures = wrong[: max(min(3, len(wrong)), _SHOWN - len(right))]
        rows = np.concatenate([right[: _SHOWN - len(failures)], failures])
        drawn = dt.capsules.decoded(network, out.capsules[rows], said[rows])
        true = dt.capsules.decoded(network, out.capsules[rows], labels[rows])
        squares = ((out.reconstruction - x) ** 2).flatten(1).sum(1).mean()
        pictures = np.stack([x[rows, 0].numpy(), drawn[:, 0], true[:, 0]])
        parts.append(
            xr.Dataset(
                {
                    "pictures": (("seed", "row", "shown", "y", "x"), pictures[None].astype(np.float32)),
                    "said": (("seed", "shown"), said[rows][None]),
                    "label": (("seed", "shown"), labels[rows][None]),
                    "squared_error": ("seed", [float(squares)]),
                },
                coords={"seed": [seed], "row": ["input", "drawn", "drawn from the label"]},
            )
        )
    return xr.concat(parts, "seed", join="exact")


def perturbation(settings, unit, inputs, workspace, progress):
    """Each number of the winning capsule moved a little."""
    import xarray as xr

    *_, images, _ = digits(settings)
    x, parts = _inputs(images[:_PERTURBED], settings), []
    for seed, network in _trained(settings, inputs, "r3-reconstruction", 28):
        found = dt.capsules.perturb(network, x)
        classes = np.unique(found.winners)
        explained = np.full((10, found.drawings.shape[1]), np.nan)
        explained[classes] = found.explained()
        shown = [int(np.flatnonzero(found.winners == c)[0]) for c in classes[:3]]
        drawings = np.zeros((3, *found.drawings.shape[1:]), dtype=np.float32)
        drawings[: len(shown)] = found.drawings[shown]
        parts.append(
            xr.Dataset(
                {
                    "explained": (("seed", "class", "dimension"), explained[None]),
                    "drawings": (("seed", "shown", "dimension", "offset", "y", "x"), drawings[None]),
                },
                coords={"seed": [seed], "offset": found.offsets},
            )
        )
    return xr.concat(parts, "seed", join="exact")


def logits(settings, unit, inputs, workspace, progress):
    """How much routing logits change, iteration by iteration, in a longer routing than was trained."""
    import xarray as xr

    *_, images, _ = digits(settings)
    x, parts = _inputs(images[:64], settings), []
    for seed, network in _trained(settings, inputs, "r3-reconstruction", 28, _LONG):
        trace = next(iter(dt.capsules.trace_routing(network, x).values()))
        rows = {"change": trace.change, "entropy": trace.entropy, "agreement": trace.agreement}
        data = {k: (("seed", "iteration"), v[None]) for k, v in rows.items()}
        parts.append(xr.Dataset(data, coords={"seed": [seed], "iteration": np.arange(1, _LONG + 1)}))
    return xr.concat(parts, "seed", join="exact")


def segmentation(settings, unit, inputs, workspace, progress):
    """Both digits of a pair drawn apart, and a class that is neither there nor was said."""
    import xarray as xr

    *_, images, labels = digits(settings)
    x, y, sources = _pairs(settings, images, labels, settings["test"], generator(settings["seed"], "pairs"))
    y, parts = y.numpy(), []
    for seed, network in _trained(settings, inputs, "multimnist-capsules", _overlaid_side(settings)):
        out = dt.networks.outputs(network, x, y[:, 0])
        said = np.sort(out.lengths.topk(2, 1).indices.numpy(), 1)
        free = np.ones((len(y), 10), dtype=bool)
        for column in (*y.T, *said.T):
            free[np.arange(len(y)), column] = False
        absent = (free * generator(settings["seed"], "absent").random(free.shape)).argmax(1)
        drawn = [dt.capsules.decoded(network, out.capsules, c)[:, 0] for c in (y[:, 0], y[:, 1], absent)]
        energy = np.array([[float((d**2).sum((1, 2)).mean()) for d in drawn]])
        pictures = np.stack([x[:_SHOWN, 0].numpy(), sources[:_SHOWN, 0].numpy(), sources[:_SHOWN, 1].numpy(), *(d[:_SHOWN] for d in drawn)])  # fmt: skip
        parts.append(
            xr.Dataset(
                {
                    "energy": (("seed", "what"), energy),
                    "pictures": (("seed", "row", "shown", "y", "x"), pictures[None].astype(np.float32)),
                    "said": (("seed", "shown", "two"), said[None, :_SHOWN]),
                    "label": (("seed", "shown", "two"), y[None, :_SHOWN]),
                    "absent": (("seed", "shown"), absent[None, :_SHOWN]),
                },
                coords={"seed": [seed], "what": ["first", "second", "absent"]},
            )
        )
    return xr.concat(parts, "seed", join="exact")


def parameters(settings, unit, inputs, workspace, progress):
    """The paper's networks, built and counted; the bias of the class capsules, which only the program has, is left out."""
    import xarray as xr

    made = dt.capsules
    bias = 10 * 16
    counts = {
        "capsules": dt.networks.count(made.CapsuleNetwork) - bias,
        "capsules-without-decoder": dt.networks.count(lambda: made.CapsuleNetwork(reconstruction=False)) - bias,
        "multimnist-capsules": dt.networks.count(lambda: made.CapsuleNetwork((1, 36, 36))) - bias,
        "cnn": dt.networks.count(made.sabour_cnn),
        "multimnist-cnn": dt.networks.count(made.multimnist_cnn),
    }
    return xr.Dataset({"count": ("network", list(counts.values()))}, coords={"network": list(counts)})


def _each(settings: dict) -> list[list[int]]:
    return chunks(members(settings), 1)


STEPS = [
    Step(name="parameters", function=parameters, about="the paper's networks counted"),
    Step(name="r3-reconstruction", function=r3_reconstruction, units=_each, about="digits: three routings, decoder"),
    Step(name="r3", function=r3, units=_each, about="digits: three routings"),
    Step(name="r1-reconstruction", function=r1_reconstruction, units=_each, about="digits: uniform coupling, decoder"),
    Step(name="r1", function=r1, units=_each, about="digits: uniform coupling"),
    Step(name="cnn", function=cnn, units=_each, about="digits: convolutional network"),
    Step(name="expanded-capsules", function=expanded_capsules, units=_each, about="moved digits: capsules"),
    Step(name="expanded-cnn", function=expanded_cnn, units=_each, about="moved digits: convolutional network"),
    Step(name="multimnist-capsules", function=multimnist_capsules, units=_each, about="overlaid digits: capsules"),
    Step(name="multimnist-r1", function=multimnist_r1, units=_each, about="overlaid digits: uniform coupling"),
    Step(name="multimnist-cnn", function=multimnist_cnn, units=_each, about="overlaid digits: convolutional network"),
    Step(name="reconstructions", function=reconstructions, units=_each, needs=("r3-reconstruction",), about="drawings"),
    Step(
        name="perturbation", function=perturbation, units=_each, needs=("r3-reconstruction",), about="numbers of a pose"
    ),
    Step(name="logits", function=logits, units=_each, needs=("r3-reconstruction",), about="change by iteration"),
    Step(name="segmentation", function=segmentation, units=_each, needs=("multimnist-capsules",), about="digits apart"),
]
