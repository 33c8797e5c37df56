"""The settings: the paper states none, so they are ours, fixed before anything was measured; scales; what may be turned."""

from typing import Any

from deeptheory.studies.study import Knob, Scale, whole, whole_numbers

PROTOCOLS: dict[str, dict[str, Any]] = {
    # p(x, y): the 12-bit rule with soft labels, gamma = 50 (I(X;Y) = 0.987 bit). Networks of logistic units as in the
    # paper's section II.A, rounded to 2^bits levels in every layer, so that the layers are a Markov chain of symbols and each
    # information is exact. constant: of the finite-sample bound, whose paper gives its order alone.
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


KNOBS = {
    "gamma": Knob(read=float, about="steepness of the soft labels, above 0"),
    "widths": Knob(read=whole_numbers, about="widths of the layers, inputs (12) and outputs (2) with them: 12,8,4,2"),
    "activation": Knob(read=str, about="sigmoid, tanh or softsign"),
    "bits": Knob(read=whole, about="every layer's outputs are rounded to 2^bits levels"),
    "lr": Knob(read=float, about="learning rate, above 0"),
    "batch": Knob(read=whole, about="samples a minibatch"),
    "train": Knob(read=float, about="share of the patterns that train, in (0, 1)"),
    "constant": Knob(read=float, about="constant of the finite-sample bound, 0 or above"),
    "epochs": Knob(read=whole, about="whole number of epochs", published=False),
    "networks": Knob(read=whole, about="number of networks", published=False),
    "chunk": Knob(read=whole, about="networks a unit of work", published=False),
    "branches": Knob(read=whole, about="betas at which the branches are followed", published=False),
}
