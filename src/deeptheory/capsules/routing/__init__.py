"""The two routings: by agreement (Sabour et al. 2017) and by expectation-maximization (Hinton et al. 2018)."""

from deeptheory.capsules.routing.backends import backends
from deeptheory.capsules.routing.dynamic import dynamic_routing
from deeptheory.capsules.routing.em import em_routing
from deeptheory.capsules.routing.variants import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant", "backends", "dynamic_routing", "em_routing"]
