"""The settings: what the paper states of its stimuli and its recordings, sizes by scale, and what may be turned."""

from typing import Any

from deeptheory.studies.study import Knob, Scale, whole

# 25 + 25 components of a space of 200 faces, released normalisation a block; rates in a window of 251 ms, 3 to 5 trials a
# face, cells that fire 7.5 to 10.9 spikes a second (released matrices). The paper's faces are photographs with 58 landmarks
# placed by hand; here they are procedural heads with 58 landmarks of their own.
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
            "networks": 4, "people": 64, "pictures": 60, "size": 48, "steps": 600, "batch": 64, "lr": 1e-3, "stimuli": 1000,
            "cells": 100, "modelled": 24, "permutations": 200, "folds": 5, "views": True, "photographs": 300,
        },
        cost="about 4 minutes on 2 cores: 4 networks of 64 people, 1000 faces shown to 100 units a layer",
    ),
    "standard": Scale(
        settings={
            "networks": 8, "people": 128, "pictures": 100, "size": 64, "steps": 3000, "batch": 64, "lr": 1e-3, "stimuli": 2000,
            "cells": 150, "modelled": 40, "permutations": 500, "folds": 10, "views": True, "photographs": 1000,
        },
        cost="about an hour on 2 cores, reckoned from measured steps: 8 networks of 128 people, 8 minutes of training each, 2000 faces",
    ),
}  # fmt: skip


def _truth(value: Any) -> bool:
    known = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}
    if isinstance(value, bool):
        return value
    if str(value).lower() not in known:
        raise ValueError(value)
    return known[str(value).lower()]


KNOBS = {
    "space_faces": Knob(read=whole, about="faces that the face space is learnt from"),
    "shape": Knob(read=whole, about="shape components"),
    "appearance": Knob(read=whole, about="appearance components"),
    "normalize": Knob(read=str, about="block, dim or none: how coordinates are scaled before axes are taken"),
    "trials": Knob(read=whole, about="noisy trials a face, 2 or more"),
    "rate": Knob(read=float, about="mean spikes a second of every unit"),
    "window": Knob(read=float, about="seconds over which spikes are counted"),
    "candidates": Knob(read=whole, about="faces among which one is identified"),
    "networks": Knob(read=whole, about="number of networks", published=False),
    "people": Knob(read=whole, about="people that a network learns to tell apart", published=False),
    "pictures": Knob(read=whole, about="pictures of each", published=False),
    "size": Knob(read=whole, about="pixels of a picture's side, a multiple of 16", published=False),
    "steps": Knob(read=whole, about="steps of training", published=False),
    "batch": Knob(read=whole, about="pictures a step", published=False),
    "lr": Knob(read=float, about="learning rate", published=False),
    "stimuli": Knob(read=whole, about="faces shown", published=False),
    "cells": Knob(read=whole, about="units a layer", published=False),
    "modelled": Knob(read=whole, about="units a layer for which models are compared", published=False),
    "permutations": Knob(read=whole, about="draws of the null", published=False),
    "folds": Knob(read=whole, about="folds of the model comparison", published=False),
    "views": Knob(read=_truth, about="true or false: faces from the side, too", published=False),
    "photographs": Knob(
        read=whole, about="faces shown to the published network, where its weights are", published=False
    ),
}
