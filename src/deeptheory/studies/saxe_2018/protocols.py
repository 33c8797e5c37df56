"""The settings: those of the released program, the scales, and what may be turned."""

from typing import Any

from deeptheory.studies.study import Knob, Scale, whole, whole_numbers

PROTOCOLS: dict[str, dict[str, Any]] = {
    # as read in the released program: Adam, minibatches of 256, weights of std 1/sqrt(fan out), 80 % of the patterns.
    # bins: 30 cells over [-1, 1]; cells: 100 between the least and largest value of all units and epochs; variances of
    # the noise read-out: 0.1 in the text, 0.001 in the program. The linear networks' learning rates and epochs, and the
    # 1000 samples where 30 of 100 inputs are relevant, are not stated anywhere: ours, fixed before any claim was measured.
    "code": {
        "widths": [12, 10, 7, 5, 4, 3, 2],
        "optimizer": "adam",
        "lr": 4e-4,
        "batch": 256,
        "train": 0.8,
        "small": 0.3,
        "epochs": 10_000,
        "init": "truncated_normal_fan_out",
        "bins": 30,
        "cells": 100,
        "variances": [0.1, 0.001],
        "linear_lr": [0.5, 0.1, 0.5],
        "linear_epochs": 1000,
    }
}
SCALES = {
    "quick": Scale(
        settings={"networks": 6, "students": 18, "points": 120, "noise_looks": 14, "noise_inputs": 1024, "picture_networks": 1, "picture_steps": 0, "picture_looks": 10},
        cost="about 2 minutes on 2 cores: 6 networks a nonlinearity, all 10,000 epochs, 18 linear students a task",
    ),
    "standard": Scale(
        settings={"networks": 20, "students": 30, "points": 200, "noise_looks": 25, "noise_inputs": 2048, "picture_networks": 8, "picture_steps": 6000, "picture_looks": 14},
        cost="about 15 minutes on 2 cores: 20 networks a nonlinearity",
    ),
    "paper": Scale(
        settings={"networks": 50, "students": 50, "points": 300, "noise_looks": 40, "noise_inputs": 4096, "picture_networks": 8, "picture_steps": 47_000, "picture_looks": 30},
        cost="about 90 minutes on 2 cores: 50 networks a nonlinearity, the noise read-out on all 4096 patterns",
    ),
}  # fmt: skip


KNOBS = {
    "widths": Knob(read=whole_numbers, about="widths of the layers, inputs (12) and outputs (2) with them: 12,8,4,2"),
    "lr": Knob(read=float, about="learning rate, above 0"),
    "batch": Knob(read=whole, about="samples a minibatch"),
    "train": Knob(read=float, about="share of the patterns that train, in (0, 1)"),
    "small": Knob(read=float, about="share that trains where data is scarce, in (0, 1)"),
    "epochs": Knob(read=whole, about="whole number of epochs"),
    "init": Knob(read=str, about="initialiser: truncated_normal_fan_out, truncated_normal, xavier, ..."),
    "bins": Knob(read=whole, about="equal cells over [-1, 1]"),
    "cells": Knob(read=whole, about="equal cells over the range of all units and epochs"),
    "linear_epochs": Knob(read=whole, about="epochs of the linear students"),
    "networks": Knob(read=whole, about="networks of each nonlinearity", published=False),
    "students": Knob(read=whole, about="linear students of each task", published=False),
    "points": Knob(read=whole, about="looks on a logarithmic scale, before doubles go", published=False),
    "noise_looks": Knob(read=whole, about="looks at which the noise read-out is taken", published=False),
    "noise_inputs": Knob(read=whole, about="patterns, drawn at random, that the noise read-out sees", published=False),
    "picture_networks": Knob(read=whole, about="networks of each kind on pictures of digits", published=False),
    "picture_steps": Knob(read=whole, about="training steps on pictures of digits, 0 for none", published=False),
    "picture_looks": Knob(read=whole, about="looks at the networks on pictures of digits", published=False),
}
