"""Estimators from samples, one file each. A new one: one file, one line in a dict below; users add their own keys.

Mutual information: f(x, y, **options) -> Estimate; entropy: f(x, **options) -> Estimate; bits. x, y: arrays [n, d].
"""

from collections.abc import Callable

from deeptheory.information.estimators.compressed import compressed
from deeptheory.information.estimators.gaussian import gaussian, gaussian_entropy
from deeptheory.information.estimators.kozachenko_leonenko import kozachenko_leonenko, weighted_information
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.noisy_network import Propagation, noisy_network_information
from deeptheory.information.estimators.plugin import plugin, plugin_entropy
from deeptheory.results import Estimate

MUTUAL_INFORMATION: dict[str, Callable[..., Estimate]] = {
    "ksg": ksg,
    "plugin": plugin,
    "gaussian": gaussian,
    "wkl": weighted_information,
    "compressed": compressed,
}
ENTROPY: dict[str, Callable[..., Estimate]] = {
    "plugin": plugin_entropy,
    "gaussian": gaussian_entropy,
    "kl": kozachenko_leonenko,
}

__all__ = ["ENTROPY", "MUTUAL_INFORMATION", "Propagation", "noisy_network_information"]
