"""Tishby: what a layer's representation knows about input and label, under a read-out that is always stated. Bits."""

from deeptheory.information.compression import fall, fits_before_compressing, fraction_of_information
from deeptheory.information.one_neuron import one_neuron_information
from deeptheory.information.phases import GradientPhases, gradient_phases
from deeptheory.information.plane import InformationPlane, information_plane
from deeptheory.information.readouts import READOUTS, Binning, Exact, GaussianNoise, Quantised

__all__ = [
    "READOUTS",
    "Binning",
    "Exact",
    "GaussianNoise",
    "GradientPhases",
    "InformationPlane",
    "Quantised",
    "fall",
    "fits_before_compressing",
    "fraction_of_information",
    "gradient_phases",
    "information_plane",
    "one_neuron_information",
]
