"""Estimators from samples, one file each. A new one: one file, one line in a dict below; users add their own keys, and
packages their entry points "deeptheory.estimators" (of mutual information).

Mutual information: f(x, y, **options) -> Estimate; conditional: f(x, y, z, **options); entropy: f(x, **options);
conditional entropy, of x given y: f(x, y, **options); bits.
x, y, z: arrays [n, d].
"""

from collections.abc import Callable

from deeptheory.core.plugins import Registry, functions
from deeptheory.core.results import Estimate
from deeptheory.information.estimators.compressed import compressed
from deeptheory.information.estimators.conditional import (
    conditional_gaussian,
    conditional_ksg,
    conditional_mixed,
    conditional_plugin,
)
from deeptheory.information.estimators.conditional_entropies import (
    gaussian_given,
    labels_given,
    neighbors_given,
    plugin_given,
)
from deeptheory.information.estimators.copula import copula
from deeptheory.information.estimators.gaussian import gaussian, gaussian_entropy
from deeptheory.information.estimators.kde_bounds import kde_bounds
from deeptheory.information.estimators.kozachenko_leonenko import (
    entropies_information,
    kozachenko_leonenko,
    weighted_information,
)
from deeptheory.information.estimators.ksg import ksg
from deeptheory.information.estimators.lnc import lnc
from deeptheory.information.estimators.mixed import labeled, mixed
from deeptheory.information.estimators.noisy_network import Propagation, noisy_network_information
from deeptheory.information.estimators.plugin import plugin, plugin_entropy
from deeptheory.information.trained.methods import doe, dv, flow, infonce, lmi, nwj, smile

MUTUAL_INFORMATION: Registry[Callable[..., Estimate]] = Registry(
    "estimators",
    {
        "ksg": ksg,
        "plugin": plugin,
        "mixed": mixed,
        "labels": labeled,
        "gaussian": gaussian,
        "copula": copula,
        "lnc": lnc,
        "kl": entropies_information,
        "wkl": weighted_information,
        "compressed": compressed,
        "kde-bounds": kde_bounds,
        "infonce": infonce,
        "nwj": nwj,
        "dv": dv,
        "smile": smile,
        "doe": doe,
        "lmi": lmi,
        "flow": flow,
    },
    accept=functions("(x, y, **options) -> Estimate"),
)
CONDITIONAL: dict[str, Callable[..., Estimate]] = {
    "ksg": conditional_ksg,
    "mixed": conditional_mixed,
    "plugin": conditional_plugin,
    "gaussian": conditional_gaussian,
}
ENTROPY: dict[str, Callable[..., Estimate]] = {
    "plugin": plugin_entropy,
    "gaussian": gaussian_entropy,
    "kl": kozachenko_leonenko,
}
CONDITIONAL_ENTROPY: dict[str, Callable[..., Estimate]] = {
    "plugin": plugin_given,
    "labels": labels_given,
    "kl": neighbors_given,
    "gaussian": gaussian_given,
}

__all__ = [
    "CONDITIONAL",
    "CONDITIONAL_ENTROPY",
    "ENTROPY",
    "MUTUAL_INFORMATION",
    "Propagation",
    "noisy_network_information",
]
