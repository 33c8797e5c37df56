"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` says when to look. `train` trains one module by any loss, on
`minibatches`.
"""

from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.minibatches import Minibatches, minibatches
from deeptheory.networks.population import Population
from deeptheory.networks.train import TrainingLog, train
from deeptheory.networks.training import History, fit

__all__ = ["History", "Minibatches", "Population", "TrainingLog", "fit", "log_epochs", "minibatches", "train"]
