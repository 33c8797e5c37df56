"""The papers' small networks; many of them trained at once as one batched program.

`Population` holds the networks, `fit` trains them, `log_epochs` says when to look.
"""

from deeptheory.networks.epochs import log_epochs
from deeptheory.networks.population import Population
from deeptheory.networks.training import History, fit

__all__ = ["History", "Population", "fit", "log_epochs"]
