"""Chang & Tsao: does a population code its stimuli by axes? Tuning, flatness, rival models, decoding; simulated cells."""

from deeptheory.axis.alignment import Alignment, latent_alignment, udr
from deeptheory.axis.axes import Axes
from deeptheory.axis.code import AxisCode, axis_code
from deeptheory.axis.codes import CODES
from deeptheory.axis.decoding import Decoding
from deeptheory.axis.flatness import Flatness
from deeptheory.axis.geometry import Geometry, axes_geometry, subspace_angles
from deeptheory.axis.identification import Identification
from deeptheory.axis.layer import axis_code_of, responses_of
from deeptheory.axis.models import Models
from deeptheory.axis.object_space import ObjectSpace, object_space
from deeptheory.axis.preference import Preference
from deeptheory.axis.ramp import Ramp
from deeptheory.axis.readouts import Efficiency, metric_efficiency
from deeptheory.axis.reliability import bootstrap, signal_power, split_half
from deeptheory.axis.simulation import Simulation, paper_variances, simulate
from deeptheory.axis.synthesis import Metamers
from deeptheory.axis.views import Views, similarity_matrix, view_tolerance

__all__ = [
    "CODES",
    "Alignment",
    "Axes",
    "AxisCode",
    "Decoding",
    "Efficiency",
    "Flatness",
    "Geometry",
    "Identification",
    "Metamers",
    "Models",
    "ObjectSpace",
    "Preference",
    "Ramp",
    "Simulation",
    "Views",
    "axes_geometry",
    "axis_code",
    "axis_code_of",
    "bootstrap",
    "latent_alignment",
    "metric_efficiency",
    "object_space",
    "paper_variances",
    "responses_of",
    "signal_power",
    "similarity_matrix",
    "simulate",
    "split_half",
    "subspace_angles",
    "udr",
    "view_tolerance",
]
