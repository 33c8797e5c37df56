"""Instruments on somebody's own model or data, and the page that each writes."""

from deeptheory.inspection.axis_page import write_axis_page
from deeptheory.inspection.cheapness import polynomial_r2
from deeptheory.inspection.correlation import mean_correlation, mean_field_kernel
from deeptheory.inspection.information import cells_of_their_own
from deeptheory.inspection.neural_collapse import NeuralCollapse, decoder_accuracy, neural_collapse
from deeptheory.inspection.propagation import JacobianMoments, jacobian_moments, jacobian_singular_values

__all__ = [
    "JacobianMoments",
    "NeuralCollapse",
    "cells_of_their_own",
    "decoder_accuracy",
    "jacobian_moments",
    "jacobian_singular_values",
    "mean_correlation",
    "mean_field_kernel",
    "neural_collapse",
    "polynomial_r2",
    "write_axis_page",
]
