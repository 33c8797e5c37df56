"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` says when to look. `train` trains one module by any
loss, on `minibatches`; `build`, `outputs`, `weights` handle one module, `fgsm`, `bim`, `strong` attack it, `matched`
compares two.
"""

from deeptheory.networks.architectures.face_net import FaceNet, accuracy, classification_loss
from deeptheory.networks.architectures.face_resnet import FaceResNet, face_resnet
from deeptheory.networks.architectures.multiplicative_noise import RelativeNoise, noisy_cnn
from deeptheory.networks.architectures.standardization import Standardised
from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.evaluation.attacks import (
    Robustness,
    bim,
    fgsm,
    first_output,
    gradient_profile,
    logit_of_probability,
    robustness,
    strong,
)
from deeptheory.networks.evaluation.equal_accuracy import Matched, matched
from deeptheory.networks.population.fit import History, fit
from deeptheory.networks.population.population import Population
from deeptheory.networks.single.minibatches import Minibatches, minibatches
from deeptheory.networks.single.modules import build, count, outputs, set_weights, weights
from deeptheory.networks.single.train import TrainingLog, train

__all__ = [
    "FaceNet",
    "FaceResNet",
    "History",
    "Matched",
    "Minibatches",
    "Population",
    "RelativeNoise",
    "Robustness",
    "Standardised",
    "TrainingLog",
    "accuracy",
    "bim",
    "build",
    "classification_loss",
    "count",
    "face_resnet",
    "fgsm",
    "first_output",
    "fit",
    "gradient_profile",
    "log_epochs",
    "logit_of_probability",
    "matched",
    "minibatches",
    "noisy_cnn",
    "outputs",
    "robustness",
    "set_weights",
    "strong",
    "train",
    "weights",
]


def __dir__() -> list[str]:
    return sorted(__all__)
