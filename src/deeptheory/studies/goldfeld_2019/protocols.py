"""The settings: what the papers state, what they do not, the scales, and what may be turned."""

from typing import Any

from deeptheory.studies.study import Knob, Scale, whole, whole_numbers

PROTOCOLS: dict[str, dict[str, Any]] = {
    # noise: 0.005, from memory of the paper and unverified. Optimiser, rate, minibatch and epochs of the noisy networks are
    # those of the released program of Shwartz-Ziv & Tishby; the weight of the orthonormality penalty, which leaves the output
    # layer free, is ours: with 0.1 the weights are orthonormal to within a few hundredths. The quantised networks' settings
    # are Lorenzen et al.'s. The convolutional network is trained on the 8 x 8 digits with a rate of ours.
    "paper": {
        "widths": [12, 10, 7, 5, 4, 3, 2],
        "noise": 0.005,
        "orthonormal": 0.1,
        "lr": 4e-4,
        "batch": 512,
        "train": 0.8,
        "epochs": 8000,
        "sizes": [1e-4, 1e-3, 1e-2, 1e-1],
        "bits": 8,
        "quantised_lr": 1e-4,
        "quantised_batch": 256,
        "truths": [0.5, 1.0, 2.0, 4.0],
        "cnn_lr": 1e-3,
    }
}
SCALES = {
    "quick": Scale(
        settings={"networks": 6, "points": 18, "quantised": 6, "quantised_points": 60, "sets": 3, "pairs": 1000, "cnn_steps": 300,
                  "picture_networks": 4, "picture_steps": 300, "picture_epochs": 0},
        cost="about 3 minutes on 2 cores: 6 networks of each kind, all 8000 epochs, 24 sets of image pairs",
    ),
    "standard": Scale(
        settings={"networks": 20, "points": 40, "quantised": 20, "quantised_points": 150, "sets": 6, "pairs": 3000, "cnn_steps": 1500,
                  "picture_networks": 8, "picture_steps": 1500, "picture_epochs": 1000},
        cost="about 30 minutes on 2 cores: 20 networks of each kind",
    ),
    "paper": Scale(
        settings={"networks": 50, "points": 80, "quantised": 50, "quantised_points": 270, "sets": 10, "pairs": 10_000, "cnn_steps": 4200,
                  "picture_networks": 20, "picture_steps": 4200, "picture_epochs": 10_000},
        cost="about 4 hours on 2 cores: 50 networks of each kind, 10,000 image pairs a set",
    ),
}  # fmt: skip


KNOBS = {
    "widths": Knob(read=whole_numbers, about="widths of the layers, inputs (12) and outputs (2) with them: 12,8,4,2"),
    "noise": Knob(read=float, about="standard deviation of the noise in every hidden layer, above 0"),
    "orthonormal": Knob(read=float, about="weight of the orthonormality penalty, 0 or above"),
    "lr": Knob(read=float, about="learning rate of the noisy networks, above 0"),
    "batch": Knob(read=whole, about="samples a minibatch"),
    "train": Knob(read=float, about="share of the patterns that train, in (0, 1)"),
    "epochs": Knob(read=whole, about="whole number of epochs, noisy and quantised networks"),
    "bits": Knob(read=whole, about="bits of the quantised networks, 1 to 16"),
    "networks": Knob(read=whole, about="noisy networks of each kind", published=False),
    "points": Knob(read=whole, about="looks of the noisy networks, before doubles go", published=False),
    "quantised": Knob(read=whole, about="quantised networks of each architecture", published=False),
    "quantised_points": Knob(read=whole, about="looks of the quantised networks", published=False),
    "sets": Knob(read=whole, about="sets of image pairs of each kind and truth", published=False),
    "pairs": Knob(read=whole, about="image pairs a set", published=False),
    "cnn_steps": Knob(read=whole, about="training steps of the convolutional networks", published=False),
    "picture_networks": Knob(read=whole, about="networks of each kind on pictures of digits", published=False),
    "picture_steps": Knob(read=whole, about="training steps of the convolutional ones among them", published=False),
    "picture_epochs": Knob(read=whole, about="epochs of the quantised ones among them, 0 for none", published=False),
}
