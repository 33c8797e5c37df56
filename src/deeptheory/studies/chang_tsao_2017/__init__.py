"""Chang & Tsao 2017, "The code for facial identity in the primate brain" (Cell 169:1013).

The recordings are not public with the coordinates of the faces that were shown, so that layers of networks
stand in for areas, and their units for cells. The protocol holds what the paper states of its stimuli and its
recordings; sizes go by scale.
"""

from typing import Any

from deeptheory.studies.settings import WIDTH, Setting, size
from deeptheory.studies.study import Scale, Study

# 25 + 25 components of a space of 200 faces, released normalization by block; rates in a window of 251 ms, 3 to 5
# trials per face, cells that fire 7.5 to 10.9 spikes a second (released matrices). The paper's faces are photographs
# with 58 landmarks placed by hand; here they are procedural heads with 58 landmarks of their own.
PROTOCOLS: dict[str, dict[str, Any]] = {
    "paper": {
        "space_faces": 200,
        "shape": 25,
        "appearance": 25,
        "normalize": "block",
        "trials": 4,
        "rate": 10.0,
        "window": 0.251,
        "candidates": 40,
    }
}
SCALES = {
    "quick": Scale(
        settings={
            "networks": 4, "width": 1.0, "people": 64, "pictures": 60, "size": 48, "steps": 600, "batch": 64,
            "lr": 1e-3, "stimuli": 1000, "cells": 100, "modelled": 24, "permutations": 200, "folds": 5, "views": True,
            "photographs": 300,
        },
        cost="about 4 minutes on 2 cores: 4 networks of 64 people, 1000 faces shown to 100 units per layer",
    ),
    "standard": Scale(
        settings={
            "networks": 8, "width": 1.0, "people": 128, "pictures": 100, "size": 64, "steps": 1200, "batch": 64,
            "lr": 1e-3, "stimuli": 2000, "cells": 150, "modelled": 24, "permutations": 200, "folds": 10, "views": True,
            "photographs": 1000,
        },
        cost="about 30 minutes on 2 cores (55 of a processor measured): 8 networks of 128 people, "
        "3 minutes of training each, 2000 faces",
    ),
}  # fmt: skip

SETTINGS = {
    "space_faces": size("faces that the face space is fitted to", published=True),
    "shape": size("shape components", least=2, published=True),
    "appearance": size("appearance components", least=2, published=True),
    "normalize": Setting("text", "how coordinates are scaled before axes are taken", choices=("block", "dim", "none")),
    "trials": size("noisy trials per face", least=2, published=True),
    "rate": Setting("number", "mean spikes per second of every unit", above=0),
    "window": Setting("number", "seconds over which spikes are counted", above=0),
    "candidates": size("faces among which one is identified", least=2, published=True),
    "networks": size("number of networks", most=10_000),
    "width": WIDTH,
    "people": size("people that a network learns to distinguish", least=2),
    "pictures": size("images of each", least=10),
    "size": Setting(
        "integer",
        "pixels of an image's side, a multiple of 16",
        least=32,
        rule=lambda side: side % 16 == 0,
        published=False,
    ),
    "steps": size("steps of training"),
    "batch": size("images per step"),
    "lr": Setting("number", "learning rate", above=0, published=False),
    "stimuli": size("faces shown"),
    "cells": size("units per layer", least=4),
    "modelled": size("units per layer for which models are compared", least=2),
    "permutations": size("permutations of the null", least=20),
    "folds": size("folds of the model comparison", least=2),
    "views": Setting("true or false", "faces from the side, too", published=False),
    "photographs": size(
        "faces shown to the published network, where its weights are; at least two per coordinate", least=0
    ),
}

STUDY = Study(
    name="chang-tsao-2017",
    title="The code for facial identity: axes, flat null planes and readouts, in networks that tell people apart",
    paper="Chang & Tsao 2017, Cell 169:1013; measures as in their released code, with its units replaced by networks'",
    links=(("doi:10.1016/j.cell.2017.05.011", "https://doi.org/10.1016/j.cell.2017.05.011"),),
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
    claim_setting=lambda scale, protocol: "other data",
)
