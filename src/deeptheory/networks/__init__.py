"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` says when to look. `train` trains one module by any loss, on
`minibatches`.
"""

from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.face_net import FaceNet, accuracy, classification_loss
from deeptheory.networks.face_resnet import FaceResNet, face_resnet
from deeptheory.networks.minibatches import Minibatches, minibatches
from deeptheory.networks.modules import build, count, outputs, set_weights, weights
from deeptheory.networks.population import Population
from deeptheory.networks.train import TrainingLog, train
from deeptheory.networks.training import History, fit

__all__ = [
    "FaceNet",
    "FaceResNet",
    "History",
    "Minibatches",
    "Population",
    "TrainingLog",
    "accuracy",
    "build",
    "classification_loss",
    "count",
    "face_resnet",
    "fit",
    "log_epochs",
    "minibatches",
    "outputs",
    "set_weights",
    "train",
    "weights",
]
