"""Chang & Tsao: does a population code its stimuli by axes? Tuning, flatness, rival models, decoding; simulated cells."""

from deeptheory.axis.axes import Axes
from deeptheory.axis.code import AxisCode, axis_code
from deeptheory.axis.codes import CODES
from deeptheory.axis.decoding import Decoding
from deeptheory.axis.flatness import Flatness
from deeptheory.axis.geometry import Geometry, axes_geometry, subspace_angles
from deeptheory.axis.identification import Identification
from deeptheory.axis.layer import axis_code_of, responses_of
from deeptheory.axis.models import Models
from deeptheory.axis.preference import Preference
from deeptheory.axis.ramp import Ramp
from deeptheory.axis.simulation import Simulation, paper_variances, simulate
from deeptheory.axis.synthesis import Metamers

__all__ = [
    "CODES",
    "Axes",
    "AxisCode",
    "Decoding",
    "Flatness",
    "Geometry",
    "Identification",
    "Metamers",
    "Models",
    "Preference",
    "Ramp",
    "Simulation",
    "axes_geometry",
    "axis_code",
    "axis_code_of",
    "paper_variances",
    "responses_of",
    "simulate",
    "subspace_angles",
]
