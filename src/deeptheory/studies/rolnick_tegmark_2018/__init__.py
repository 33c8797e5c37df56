"""Rolnick & Tegmark 2018, "The power of deeper networks for expressing natural functions" (arXiv 1705.05502).

What is counted is fixed; what is trained has two protocols and three scales. The paper's figure 2: dense networks,
inputs uniform on [0, 2], the target their product, AdaDelta on the absolute error. It states no learning rate, number
of steps, batch or initialization, nor whether units have biases (read in notes on the paper, unverified). Both
protocols train on the absolute error; the sizes here were chosen before anything was measured.
"""

from typing import Any

from deeptheory.studies.settings import ACTIVATION, LEARNING_RATE, OPTIMIZERS, Setting, each_another, size
from deeptheory.studies.study import Scale, Study

_BOTH = {"activation": "tanh", "init": "truncated_normal", "batch": 256}
PROTOCOLS: dict[str, dict[str, Any]] = {
    # ours: Adam at a constant rate, which reaches lower errors in the steps that a laptop has
    "adam": {**_BOTH, "optimizer": "adam", "lr": 2e-3, "betas": [0.9, 0.999], "eps": 1e-8},
    # theirs: AdaDelta with Zeiler's own constants
    "paper": {**_BOTH, "optimizer": "adadelta", "lr": 1.0, "betas": [0.95, 0.0], "eps": 1e-6},
}
SCALES = {
    "quick": Scale(
        settings={
            "n": 4,
            "depths": [1, 2, 3],
            "widths": [2, 4, 8, 16, 32, 64],
            "wide": 512,
            "steps": 6000,
            "networks": 8,
        },
        cost="about 3 minutes on 2 cores: 8 networks in each of 19 shapes, products of 4 numbers; all counts",
    ),
    "standard": Scale(
        settings={
            "n": 8,
            "depths": [1, 2, 3, 4],
            "widths": [4, 8, 16, 32, 64, 128, 256],
            "wide": 512,
            "steps": 10_000,
            "networks": 8,
        },
        cost="about 30 minutes on 2 cores, estimated from the smaller shapes: 8 networks in each of 28 shapes up to "
        "256 wide, products of 8 numbers",
    ),
    "paper": Scale(
        settings={
            "n": 20,
            "depths": [1, 2, 3, 4, 5, 6, 7],
            "widths": [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 120, 140, 160, 180, 200],
            "wide": 512,
            "steps": 100_000,
            "networks": 8,
        },
        cost="weeks on 2 cores, for many cores or a GPU: 8 networks in each of 105 shapes, products of 20 numbers",
    ),
}
SETTINGS = {
    "activation": ACTIVATION,
    "lr": LEARNING_RATE,
    "optimizer": Setting("text", "optimizer", choices=OPTIMIZERS),
    "batch": Setting("integer", "samples per minibatch", least=1, most=16_000),
    "steps": size("minibatches in all", published=True),
    "n": size("numbers to multiply; most products of more are 0 in single precision", most=200, published=True),
    "depths": Setting("integers", "numbers of hidden layers, each another: 1,2,3", least=1, rule=each_another),
    "widths": Setting("integers", "widths of the hidden layers, each another: 2,4,8", least=1, rule=each_another),
    "wide": size("width of the one-layer network that two layers of 8 are compared with", published=True),
    "networks": size("number of networks in each shape", most=10_000),
}

STUDY = Study(
    name="rolnick-tegmark-2018",
    title="The power of deeper networks: counting neurons exactly, and training against the count",
    paper="Rolnick & Tegmark 2018, arXiv 1705.05502",
    arxiv="1705.05502",
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
)
