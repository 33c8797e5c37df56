"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` gives the epochs to log. `train` trains one module by
any loss, on `minibatches`; `seeded`, `predict`, `parameter_count` handle one module, `fgsm`, `bim`, `pgd` attack it,
`compare_at_equal_accuracy` compares two.
"""

from deeptheory.networks.architectures.face_net import FaceNet, accuracy, classification_loss
from deeptheory.networks.architectures.face_resnet import FaceResNet, face_resnet
from deeptheory.networks.architectures.multiplicative_noise import MultiplicativeNoise, noisy_cnn
from deeptheory.networks.architectures.standardization import PerImageStandardization
from deeptheory.networks.checkpoint_folder import Checkpoint
from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.evaluation.attacks import (
    Robustness,
    bim,
    fgsm,
    first_output,
    gradient_profile,
    logit_of_probability,
    pgd,
    robustness,
)
from deeptheory.networks.evaluation.equal_accuracy import EqualAccuracy, compare_at_equal_accuracy
from deeptheory.networks.population.fit import History, fit
from deeptheory.networks.population.optimizers import SGD, Adadelta, Adam
from deeptheory.networks.population.population import Population
from deeptheory.networks.single.minibatches import Minibatches, minibatches
from deeptheory.networks.single.modules import parameter_count, predict, seeded
from deeptheory.networks.single.train import TrainingLog, train

__all__ = [
    "SGD",
    "Adadelta",
    "Adam",
    "Checkpoint",
    "EqualAccuracy",
    "FaceNet",
    "FaceResNet",
    "History",
    "Minibatches",
    "MultiplicativeNoise",
    "PerImageStandardization",
    "Population",
    "Robustness",
    "TrainingLog",
    "accuracy",
    "bim",
    "classification_loss",
    "compare_at_equal_accuracy",
    "face_resnet",
    "fgsm",
    "first_output",
    "fit",
    "gradient_profile",
    "log_epochs",
    "logit_of_probability",
    "minibatches",
    "noisy_cnn",
    "parameter_count",
    "pgd",
    "predict",
    "robustness",
    "seeded",
    "train",
]


def __dir__() -> list[str]:
    return sorted(__all__)
