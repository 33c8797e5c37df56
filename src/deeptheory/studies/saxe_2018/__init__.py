"""Saxe et al. 2018, "On the information bottleneck theory of deep learning" (ICLR; JSTAT 2019).

The settings are those of the released program.
"""

from typing import Any

from deeptheory.studies.settings import BATCH, INITIALIZERS, LEARNING_RATE, WIDTHS, Setting, fraction, size
from deeptheory.studies.study import Scale, Study

PROTOCOLS: dict[str, dict[str, Any]] = {
    # as read in the released program: Adam, minibatches of 256, weights of std 1/sqrt(fan out), 80 % of the patterns.
    # bins: 30 cells over [-1, 1]; cells: 100 between the least and largest value of all units and epochs; variances of
    # the noise readout: 0.1 in the text, 0.001 in the program. The linear networks' learning rates and epochs, and the
    # 1000 samples where 30 of 100 inputs are relevant, are not stated anywhere: ours,
    # fixed before any claim was measured.
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
        settings={"networks": 6, "students": 18, "points": 120, "noise_looks": 14, "noise_inputs": 1024,
            "picture_networks": 1, "picture_steps": 0, "picture_looks": 10},
        cost="about 2 minutes on 2 cores: 6 networks a nonlinearity, all 10,000 epochs, 18 linear students a task",
    ),
    "standard": Scale(
        settings={"networks": 20, "students": 30, "points": 200, "noise_looks": 25, "noise_inputs": 2048,
            "picture_networks": 8, "picture_steps": 6000, "picture_looks": 14},
        cost="about 15 minutes on 2 cores: 20 networks a nonlinearity",
    ),
    "paper": Scale(
        settings={"networks": 50, "students": 50, "points": 300, "noise_looks": 40, "noise_inputs": 4096,
            "picture_networks": 8, "picture_steps": 47_000, "picture_looks": 30},
        cost="about 90 minutes on 2 cores: 50 networks a nonlinearity, the noise readout on all 4096 patterns",
    ),
}  # fmt: skip

SETTINGS = {
    "widths": WIDTHS,
    "lr": LEARNING_RATE,
    "batch": BATCH,
    "train": fraction("fraction of the patterns that train"),
    "small": fraction("fraction that trains where data is scarce"),
    "epochs": size("number of epochs", published=True),
    "init": Setting("text", "how weights are drawn", choices=INITIALIZERS),
    "bins": size("equal bins over [-1, 1]; one neuron takes 8,000 times as many", most=1000, published=True),
    "cells": size("equal bins over the range of all units and epochs", published=True),
    "linear_epochs": size("epochs of the linear students", published=True),
    "networks": size("networks of each nonlinearity", most=10_000),
    "students": size("linear students of each task", most=10_000),
    "points": size("logged epochs on a logarithmic scale, before duplicates go"),
    "noise_looks": size("epochs at which the noise readout is taken"),
    "noise_inputs": size(
        "patterns, drawn at random, that the noise readout sees; it tells log2 of them at most", least=64, most=4096
    ),
    "picture_networks": size("networks of each kind on images of digits", most=10_000),
    "picture_steps": size("training steps on images of digits, 0 for none", least=0),
    "picture_looks": size("logged epochs of the networks on images of digits"),
}

STUDY = Study(
    name="saxe-2018",
    title="On the information bottleneck theory: compression is a matter of the nonlinearity and of how one looks",
    paper="Saxe, Bansal, Dapello, Advani, Kolchinsky, Tracey & Cox 2018, ICLR; settings of their released program "
    "(ibsgd)",
    links=(("OpenReview ry_WPG-A-", "https://openreview.net/forum?id=ry_WPG-A-"),),
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
    claim_setting=lambda scale, protocol: "reference code",
)
