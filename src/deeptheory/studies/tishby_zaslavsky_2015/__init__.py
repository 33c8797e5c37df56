"""Tishby & Zaslavsky 2015, "Deep learning and the information bottleneck principle" (arXiv 1503.02406).

The paper states no settings, so they are ours, fixed before anything was measured.
"""

from typing import Any

from deeptheory.studies.settings import BATCH, LEARNING_RATE, WIDTHS, Setting, fraction, size
from deeptheory.studies.study import Scale, Study

PROTOCOLS: dict[str, dict[str, Any]] = {
    # p(x, y): the 12-bit rule with soft labels, gamma = 50 (I(X;Y) = 0.987 bit). Networks of logistic units as in the
    # paper's section II.A, rounded to 2^bits levels in every layer, so that the layers are a Markov chain of symbols
    # and each information is exact. constant: of the finite-sample bound, whose paper gives its order alone.
    "own": {
        "gamma": 50.0,
        "widths": [12, 10, 7, 5, 4, 3, 2],
        "activation": "sigmoid",
        "bits": 4,
        "init": "xavier",
        "optimizer": "adam",
        "lr": 0.01,
        "batch": 512,
        "train": 0.8,
        "constant": 1.0,
    }
}
SCALES = {
    "quick": Scale(
        settings={"networks": 12, "epochs": 1500, "chunk": 6, "branches": 24},
        cost="about a minute on 2 cores: 12 networks of 1500 epochs, the curve and three branches",
    ),
    "standard": Scale(
        settings={"networks": 50, "epochs": 4000, "chunk": 10, "branches": 60},
        cost="about 8 minutes on 2 cores: 50 networks of 4000 epochs",
    ),
}
SETTINGS = {
    "gamma": Setting("number", "steepness of the soft labels", above=0),
    "widths": WIDTHS,
    "activation": Setting("text", "activation of the hidden layers", choices=("sigmoid", "tanh", "softsign")),
    "bits": Setting("integer", "every layer's outputs are rounded to 2^bits levels", least=1, most=16),
    "lr": LEARNING_RATE,
    "batch": BATCH,
    "train": fraction("fraction of the patterns that train"),
    "constant": Setting("number", "constant of the finite-sample bound", least=0),
    "epochs": size("number of epochs"),
    "networks": size("number of networks", most=10_000),
    "chunk": size("networks per unit of work"),
    "branches": size("betas at which the branches are followed"),
}

STUDY = Study(
    name="tishby-zaslavsky-2015",
    title="Deep learning and the information bottleneck: figure 2 with real numbers",
    paper="Tishby & Zaslavsky 2015, arXiv 1503.02406; the paper has no experiment, so data and networks are ours",
    arxiv="1503.02406",
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
)
