"""Goldfeld et al. 2019, "Estimating information flow in deep neural networks" (ICML), with Lorenzen, Igel & Nielsen
2022 and Butakov et al. 2024: networks whose information is finite and known.
"""

from typing import Any

from deeptheory.studies.settings import BATCH, LEARNING_RATE, WIDTHS, Setting, fraction, size
from deeptheory.studies.study import Scale, Study

PROTOCOLS: dict[str, dict[str, Any]] = {
    # noise: 0.005, from memory of the paper and unverified. Optimizer, rate, minibatch and epochs of the noisy networks
    # are those of the released program of Shwartz-Ziv & Tishby; the weight of the orthonormality penalty, which leaves
    # the output layer free, is ours: with 0.1 the weights are orthonormal to within a few hundredths. The quantized
    # networks' settings are Lorenzen et al.'s. The convolutional network is trained on the 8 x 8 digits with a rate of
    # ours.
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
        settings={"networks": 6, "points": 18, "quantised": 6, "quantised_points": 60, "sets": 3, "pairs": 1000,
            "cnn_steps": 300,
                  "picture_networks": 4, "picture_steps": 300, "picture_epochs": 0},
        cost="about 3 minutes on 2 cores: 6 networks of each kind, all 8000 epochs, 24 sets of image pairs",
    ),
    "standard": Scale(
        settings={"networks": 20, "points": 40, "quantised": 20, "quantised_points": 150, "sets": 6, "pairs": 3000,
            "cnn_steps": 1500,
                  "picture_networks": 8, "picture_steps": 1500, "picture_epochs": 1000},
        cost="about 15 minutes on 2 cores: 20 networks of each kind",
    ),
    "paper": Scale(
        settings={"networks": 50, "points": 80, "quantised": 50, "quantised_points": 270, "sets": 10, "pairs": 10_000,
            "cnn_steps": 4200,
                  "picture_networks": 20, "picture_steps": 4200, "picture_epochs": 10_000},
        cost="about 4 hours on 2 cores: 50 networks of each kind, 10,000 image pairs a set",
    ),
}  # fmt: skip

SETTINGS = {
    "widths": WIDTHS,
    "noise": Setting("number", "standard deviation of the noise in every hidden layer", least=1e-6, most=10),
    "orthonormal": Setting("number", "weight of the orthonormality penalty", least=0),
    "lr": LEARNING_RATE,
    "batch": BATCH,
    "train": fraction("fraction of the patterns that train"),
    "epochs": size("number of epochs, noisy and quantized networks", published=True),
    "bits": Setting("integer", "bits of the quantized networks", least=1, most=16),
    "networks": size("noisy networks of each kind", most=10_000),
    "points": size("logged epochs of the noisy networks, before duplicates go"),
    "quantised": size("quantized networks of each architecture", most=10_000),
    "quantised_points": size("logged epochs of the quantized networks"),
    "sets": size("sets of image pairs of each kind and truth"),
    "pairs": size("image pairs per set; an interval needs 200", least=200),
    "cnn_steps": size("training steps of the convolutional networks"),
    "picture_networks": size("networks of each kind on images of digits", most=10_000),
    "picture_steps": size("training steps of the convolutional ones among them"),
    "picture_epochs": size("epochs of the quantized ones among them, 0 for none", least=0),
}

STUDY = Study(
    name="goldfeld-2019",
    title="Estimating information flow: noisy networks, clustering, quantized networks, compressed estimates",
    paper="Goldfeld et al. 2019, arXiv 1810.05728; Lorenzen et al. 2022, arXiv 2106.12912; Butakov et al. 2024, "
    "arXiv 2305.08013",
    arxiv="1810.05728",
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
    # the noise is from memory, the optimizer assumed: not the papers' own settings until somebody has checked them
    claim_setting=lambda scale, protocol: "published" if scale == "paper" else "scaled down",
)
