"""What an editor sees of deeptheory: the names of `__init__.py`, each with its type."""

from deeptheory import axis as axis
from deeptheory import capsules as capsules
from deeptheory import cheap as cheap
from deeptheory import datasets as datasets
from deeptheory import faces as faces
from deeptheory import information as information
from deeptheory import inspection as inspection
from deeptheory import networks as networks
from deeptheory import recording as recording
from deeptheory import report as report
from deeptheory import runs as runs
from deeptheory import studies as studies
from deeptheory.axis import axis_code as axis_code
from deeptheory.axis import axis_code_of as axis_code_of
from deeptheory.core import errors as errors
from deeptheory.core import results as results
from deeptheory.core import statistics as statistics
from deeptheory.core import theme as theme
from deeptheory.core.results import Estimate as Estimate
from deeptheory.information import Binning as Binning
from deeptheory.information import Exact as Exact
from deeptheory.information import GaussianNoise as GaussianNoise
from deeptheory.information import PropagatedNoise as PropagatedNoise
from deeptheory.information import Quantized as Quantized
from deeptheory.information import conditional_mutual_information as conditional_mutual_information
from deeptheory.information import entropy as entropy
from deeptheory.information import gradient_phases as gradient_phases
from deeptheory.information import information_plane as information_plane
from deeptheory.information import mutual_information as mutual_information
from deeptheory.information.bottleneck import bottleneck as bottleneck
from deeptheory.information.bottleneck import bottleneck_curve as bottleneck_curve
from deeptheory.information.bottleneck import gaussian_bottleneck as gaussian_bottleneck
from deeptheory.information.channels import capacity as capacity
from deeptheory.information.channels import rate_distortion as rate_distortion
from deeptheory.information.layer_bound import layer_bound as layer_bound
from deeptheory.inspection import inspect as inspect
from deeptheory.recording import GradientRecorder as GradientRecorder
from deeptheory.recording import Recorder as Recorder
from deeptheory.recording import Recording as Recording
from deeptheory.recording import layers as layers
from deeptheory.studies import reproduce as reproduce

__version__: str
