"""Chang & Tsao: does a population code its stimuli by axes?

Tuning, flatness, rival models, decoding; simulated cells.
"""

from deeptheory.axis.bench.axes import Axes
from deeptheory.axis.bench.code import AxisCode, axis_code
from deeptheory.axis.bench.decoding import Decoding
from deeptheory.axis.bench.distractors import stranger_ratio
from deeptheory.axis.bench.flatness import Flatness
from deeptheory.axis.bench.identification import Identification
from deeptheory.axis.bench.preference import Preference
from deeptheory.axis.bench.ramp import Ramp
from deeptheory.axis.bench.reliability import bootstrap, signal_power, split_half
from deeptheory.axis.bench.synthesis import Metamers
from deeptheory.axis.layers.depth import Depth, axis_codes_of, pixels_of
from deeptheory.axis.layers.firing import Poisson
from deeptheory.axis.layers.layer import Cells, axis_code_of, cells_of, responses_of
from deeptheory.axis.layers.null_plane import NullPlane, null_plane
from deeptheory.axis.models import Models
from deeptheory.axis.population.alignment import Alignment, latent_alignment, udr
from deeptheory.axis.population.geometry import Geometry, axes_geometry, subspace_angles
from deeptheory.axis.population.labels import LabelDecoding, label_decoding
from deeptheory.axis.population.object_space import ObjectSpace, object_space
from deeptheory.axis.population.rdm import RdmCorrelation, cross_validated_rdm, rdm, rdm_correlation
from deeptheory.axis.population.transfer import axis_transfer
from deeptheory.axis.population.views import Views, similarity_matrix, view_tolerance
from deeptheory.axis.simulate.codes import CODES
from deeptheory.axis.simulate.metric_efficiency import Efficiency, metric_efficiency
from deeptheory.axis.simulate.power import Power, verdict_power
from deeptheory.axis.simulate.simulation import Simulation, paper_variances, simulate

__all__ = [
    "CODES",
    "Alignment",
    "Axes",
    "AxisCode",
    "Cells",
    "Decoding",
    "Depth",
    "Efficiency",
    "Flatness",
    "Geometry",
    "Identification",
    "LabelDecoding",
    "Metamers",
    "Models",
    "NullPlane",
    "ObjectSpace",
    "Poisson",
    "Power",
    "Preference",
    "Ramp",
    "RdmCorrelation",
    "Simulation",
    "Views",
    "axes_geometry",
    "axis_code",
    "axis_code_of",
    "axis_codes_of",
    "axis_transfer",
    "bootstrap",
    "cells_of",
    "cross_validated_rdm",
    "label_decoding",
    "latent_alignment",
    "metric_efficiency",
    "null_plane",
    "object_space",
    "paper_variances",
    "pixels_of",
    "rdm",
    "rdm_correlation",
    "responses_of",
    "signal_power",
    "similarity_matrix",
    "simulate",
    "split_half",
    "stranger_ratio",
    "subspace_angles",
    "udr",
    "verdict_power",
    "view_tolerance",
]


def __dir__() -> list[str]:
    return sorted(__all__)
