"""Hinton: capsules, whose length or activation says that a thing is there and whose pose says how; both routings.

Functions (`dynamic_routing`, `em_routing`), layers for anybody's model, the papers' networks, losses and baselines.
"""

from deeptheory.capsules.baselines import BASELINES, hinton_cnn, multimnist_cnn, sabour_cnn
from deeptheory.capsules.diagnostics import RoutingTrace, trace_routing
from deeptheory.capsules.inverted_dot_product import InvertedDotProduct
from deeptheory.capsules.lengths import Lengths
from deeptheory.capsules.losses import margin_loss, reconstruction_loss, spread_loss, spread_margin
from deeptheory.capsules.matrix_layers import ClassCapsules, ConvMatrixCapsules
from deeptheory.capsules.matrix_primary import MatrixPrimary
from deeptheory.capsules.networks import (
    CapsuleNetwork,
    CapsuleOutput,
    MatrixCapsuleNetwork,
    MatrixCapsuleOutput,
    Primary,
)
from deeptheory.capsules.objectives import (
    capsule_objective,
    classifier_objective,
    decoded,
    error_rate,
    probability_objective,
    spread_objective,
)
from deeptheory.capsules.perturbation import Perturbation, ink_width, perturb
from deeptheory.capsules.reconstruction import Reconstruction
from deeptheory.capsules.routing import VARIANTS, Variant, backends, dynamic_routing, em_routing
from deeptheory.capsules.self_routing import SelfRouting
from deeptheory.capsules.squashing import squash
from deeptheory.capsules.vector_layers import Capsules, ConvCapsules, PrimaryCapsules

__all__ = [
    "BASELINES",
    "VARIANTS",
    "CapsuleNetwork",
    "CapsuleOutput",
    "Capsules",
    "ClassCapsules",
    "ConvCapsules",
    "ConvMatrixCapsules",
    "InvertedDotProduct",
    "Lengths",
    "MatrixCapsuleNetwork",
    "MatrixCapsuleOutput",
    "MatrixPrimary",
    "Perturbation",
    "Primary",
    "PrimaryCapsules",
    "Reconstruction",
    "RoutingTrace",
    "SelfRouting",
    "Variant",
    "backends",
    "capsule_objective",
    "classifier_objective",
    "decoded",
    "dynamic_routing",
    "em_routing",
    "error_rate",
    "hinton_cnn",
    "ink_width",
    "margin_loss",
    "multimnist_cnn",
    "perturb",
    "probability_objective",
    "reconstruction_loss",
    "sabour_cnn",
    "spread_loss",
    "spread_margin",
    "spread_objective",
    "squash",
    "trace_routing",
]


def __dir__() -> list[str]:
    return sorted(__all__)
