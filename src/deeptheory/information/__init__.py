"""Tishby: what a layer's representation knows about input and label, under a readout that is always stated. Bits."""

from deeptheory.information.bottleneck import (
    BottleneckBranches,
    BottleneckCurve,
    BottleneckSolution,
    FiniteSampleBound,
    GaussianBottleneck,
    bottleneck_branches,
    bottleneck_curve,
    finite_sample_bound,
    first_critical_beta,
    gaussian_bottleneck,
)
from deeptheory.information.channels import ChannelCapacity, RateDistortion, capacity, rate_distortion
from deeptheory.information.clustering import Clusters, Cosines
from deeptheory.information.compression import fall, fits_before_compressing, fraction_of_information
from deeptheory.information.convergence import Convergence
from deeptheory.information.estimate import InformationEstimate
from deeptheory.information.estimators import noisy_network_information
from deeptheory.information.layer_bound import LayerBound
from deeptheory.information.linear_gaussian import LinearGaussian, linear_information, linear_label_information
from deeptheory.information.measures import (
    conditional_entropy,
    conditional_mutual_information,
    entropy,
    mutual_information,
)
from deeptheory.information.one_neuron import noisy_neuron_information, one_neuron_information
from deeptheory.information.phases import GradientPhases, gradient_phases
from deeptheory.information.plane import InformationPlane, information_plane
from deeptheory.information.readouts import (
    READOUTS,
    Binning,
    ClassStatistics,
    Exact,
    GaussianNoise,
    PropagatedNoise,
    Quantized,
)
from deeptheory.information.series import LaggedInformation, lagged_information, transfer_entropy

__all__ = [
    "READOUTS",
    "Binning",
    "BottleneckBranches",
    "BottleneckCurve",
    "BottleneckSolution",
    "ChannelCapacity",
    "ClassStatistics",
    "Clusters",
    "Convergence",
    "Cosines",
    "Exact",
    "FiniteSampleBound",
    "GaussianBottleneck",
    "GaussianNoise",
    "GradientPhases",
    "InformationEstimate",
    "InformationPlane",
    "LaggedInformation",
    "LayerBound",
    "LinearGaussian",
    "PropagatedNoise",
    "Quantized",
    "RateDistortion",
    "bottleneck_branches",
    "bottleneck_curve",
    "capacity",
    "conditional_entropy",
    "conditional_mutual_information",
    "entropy",
    "fall",
    "finite_sample_bound",
    "first_critical_beta",
    "fits_before_compressing",
    "fraction_of_information",
    "gaussian_bottleneck",
    "gradient_phases",
    "information_plane",
    "lagged_information",
    "linear_information",
    "linear_label_information",
    "mutual_information",
    "noisy_network_information",
    "noisy_neuron_information",
    "one_neuron_information",
    "rate_distortion",
    "transfer_entropy",
]


def __dir__() -> list[str]:
    return sorted(__all__)
