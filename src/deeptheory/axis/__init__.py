"""Chang & Tsao: does a population code its stimuli by axes? Tuning, flatness, rival models, decoding; simulated cells."""

from deeptheory.axis.alignment import Alignment, latent_alignment, udr
from deeptheory.axis.axes import Axes
from deeptheory.axis.code import AxisCode, axis_code
from deeptheory.axis.codes import CODES
from deeptheory.axis.decoding import Decoding
from deeptheory.axis.depth import Depth, axis_codes_of, pixels_of
from deeptheory.axis.firing import Poisson
from deeptheory.axis.flatness import Flatness
from deeptheory.axis.geometry import Geometry, axes_geometry, subspace_angles
from deeptheory.axis.identification import Identification
from deeptheory.axis.labels import LabelDecoding, label_decoding
from deeptheory.axis.layer import Cells, axis_code_of, cells_of, responses_of
from deeptheory.axis.models import Models
from deeptheory.axis.null_plane import NullPlane, null_plane
from deeptheory.axis.object_space import ObjectSpace, object_space
from deeptheory.axis.power import Power, verdict_power
from deeptheory.axis.preference import Preference
from deeptheory.axis.ramp import Ramp
from deeptheory.axis.rdm import RdmCorrelation, cross_validated_rdm, rdm, rdm_correlation
from deeptheory.axis.readouts import Efficiency, metric_efficiency
from deeptheory.axis.reliability import bootstrap, signal_power, split_half
from deeptheory.axis.simulation import Simulation, paper_variances, simulate
from deeptheory.axis.strangers import stranger_ratio
from deeptheory.axis.synthesis import Metamers
from deeptheory.axis.transfer import axis_transfer
from deeptheory.axis.views import Views, similarity_matrix, view_tolerance

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
