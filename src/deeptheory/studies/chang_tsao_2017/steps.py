"""What is trained, shown and recorded; every step is cut into networks, whose faces and people are their own.

"network" trains and keeps the weights; "layers" shows the faces to every layer, before and after training, and to pixels;
"population" reads faces out of many cells; "simulated" asks the same of cells whose code is known; "photographs" looks into
a published network and at recordings from IT, where the data folder has them.
"""

from typing import Any

import numpy as np

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.networks import FaceNet, accuracy, classification_loss, minibatches, train
from deeptheory.runs import Step, derive
from deeptheory.runs import members as numbered
from deeptheory.studies.chang_tsao_2017.layers import layers
from deeptheory.studies.chang_tsao_2017.outside import photographs
from deeptheory.studies.chang_tsao_2017.population import population
from deeptheory.studies.chang_tsao_2017.simulated import simulated
from deeptheory.studies.chang_tsao_2017.stimuli import crowd
from deeptheory.studies.chang_tsao_2017.views import transfer_and_ladder


def members(settings: dict) -> list[int]:
    """The networks of the run."""
    return numbered(settings["seed"], settings["networks"])


def check(settings: dict) -> None:
    """InputError: settings that would only fail later, in the middle of a run."""
    for name, least in {"networks": 1, "people": 2, "pictures": 10, "steps": 1, "batch": 1, "cells": 4, "modelled": 2, "trials": 2, "folds": 2, "shape": 2, "appearance": 2, "permutations": 20, "photographs": 0}.items():  # fmt: skip
        if settings[name] < least:
            raise InputError(f"{name} is {settings[name]}; needed: {least} or more")
    d = settings["shape"] + settings["appearance"]
    if settings["stimuli"] < 3 * (d + 5) or settings["stimuli"] < settings["candidates"]:
        raise InputError(f"stimuli is {settings['stimuli']}; {d} coordinates need {3 * (d + 5)} or more")
    if settings["rate"] <= 0 or settings["window"] <= 0 or settings["candidates"] < 2:
        raise InputError(
            f"rate, window, candidates are {settings['rate']}, {settings['window']}, {settings['candidates']}; needed: "
            "above 0, above 0, 2 or more"
        )
    if settings["normalize"] not in ("block", "dim", "none"):
        raise InputError(f"normalize is {settings['normalize']!r}; known: block, dim, none")
    FaceNet(settings["people"], size=settings["size"])


def network(settings, unit, inputs, workspace, progress):
    """A network that tells people apart; its weights before and after, and how well it does on held-out pictures."""
    import xarray as xr

    images, people, held = crowd(settings, unit)
    net = FaceNet(settings["people"], size=settings["size"], seed=derive(unit, "weights") % 2**31)
    x, y = as_tensor(images[held]), as_tensor(people[held])
    log = train(
        net,
        minibatches(images[~held], people[~held], batch=settings["batch"], seed=derive(unit, "order") % 2**31),
        classification_loss,
        steps=settings["steps"],
        lr=settings["lr"],
        evaluate=lambda module: {"accuracy": accuracy(module, x, y)},
        every=max(1, settings["steps"] // 10),
        seed=unit,
        checkpoint=workspace / "training",
        progress=progress,
    )
    return xr.Dataset(
        {
            "weights": (("seed", "parameter"), flat(net)[None]),
            "accuracy": (("seed", "look"), log.measured["accuracy"][None]),
        },
        coords={"seed": [unit], "look": list(log.looks)},
    )


def flat(net) -> np.ndarray:
    """All weights of a network in one vector."""
    return np.concatenate([p.detach().numpy().ravel() for p in net.parameters()])


def loaded(settings: dict, member: int, weights: Any = None):
    """The network of a member: before training, or with these weights [parameter]."""
    net = FaceNet(settings["people"], size=settings["size"], seed=derive(member, "weights") % 2**31)
    if weights is not None:
        at = 0
        for p in net.parameters():
            p.data.copy_(as_tensor(weights[at : at + p.numel()].reshape(p.shape)))
            at += p.numel()
    return net


def layers_step(settings, unit, inputs, workspace, progress):
    """Every layer under the electrophysiologist's bench, trained and untrained, and pixels."""
    weights = inputs.part("network")["weights"].values[0]
    return layers(settings, unit, loaded(settings, unit, weights), loaded(settings, unit), progress)


def population_step(settings, unit, inputs, workspace, progress):
    """Faces read out of many cells, rebuilt, and moved along null planes."""
    weights = inputs.part("network")["weights"].values[0]
    return population(settings, unit, loaded(settings, unit, weights), loaded(settings, unit), progress)


def views(settings, unit, inputs, workspace, progress):
    """Faces from the side: the axes of cells (figure 6), and who is known from view to view."""
    import xarray as xr

    if not settings["views"]:
        return xr.Dataset(coords={"seed": [unit]})
    weights = inputs.part("network")["weights"].values[0]
    return transfer_and_ladder(settings, unit, loaded(settings, unit, weights), loaded(settings, unit), progress)


STEPS = [
    Step(name="network", function=network, units=members, about="networks that tell people apart"),
    Step(
        name="layers", function=layers_step, units=members, needs=("network",), about="axes, flatness, models by layer"
    ),
    Step(name="population", function=population_step, units=members, needs=("network",), about="decoding, metamers"),
    Step(name="views", function=views, units=members, needs=("network",), about="faces from the side"),
    Step(name="simulated", function=simulated, units=members, about="cells whose code is known"),
    Step(name="photographs", function=photographs, units=members, about="a published network; recordings from IT"),
]
