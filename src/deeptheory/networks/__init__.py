"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` says when to look. `train` trains one module by any loss, on
`minibatches`; `build`, `outputs`, `weights` handle one module, `fgsm`, `bim`, `strong` attack it, `matched` compares two.
"""

from deeptheory.networks.attacks import (
    Robustness,
    bim,
    fgsm,
    first_output,
    gradient_profile,
    logit_of_probability,
    robustness,
    strong,
)
from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.face_net import FaceNet, accuracy, classification_loss
from deeptheory.networks.face_resnet import FaceResNet, face_resnet
from deeptheory.networks.matched import Matched, matched
from deeptheory.networks.minibatches import Minibatches, minibatches
from deeptheory.networks.modules import build, count, outputs, set_weights, weights
from deeptheory.networks.population import Population
from deeptheory.networks.relative_noise import RelativeNoise, noisy_cnn
from deeptheory.networks.standardised import Standardised
from deeptheory.networks.train import TrainingLog, train
from deeptheory.networks.training import History, fit

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
