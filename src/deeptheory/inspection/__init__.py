"""Instruments on somebody's own model or data, and the page that each writes.

`inspect` puts every instrument to every layer of a model, beside untrained twins and permuted labels. An instrument is
an `Instrument` in `INSTRUMENTS`, or one of a user's own.
"""

from deeptheory.inspection.axis_page import write_axis_page
from deeptheory.inspection.bottleneck_bound import bottleneck_bound
from deeptheory.inspection.cheapness import polynomial_r2
from deeptheory.inspection.correlation import mean_correlation, mean_field_kernel
from deeptheory.inspection.hessian import SpectralDensity, fisher_trace, hessian_eigenvalues, spectral_density
from deeptheory.inspection.information import cells_of_their_own
from deeptheory.inspection.inspecting import inspect
from deeptheory.inspection.inspection import Inspection
from deeptheory.inspection.instrument import (
    Batch,
    Context,
    Finding,
    Head,
    Instrument,
    Layer,
    Passes,
    Quantity,
    Reading,
)
from deeptheory.inspection.instruments import INSTRUMENTS
from deeptheory.inspection.neural_collapse import NeuralCollapse, decoder_accuracy, neural_collapse
from deeptheory.inspection.propagation import JacobianMoments, jacobian_moments, jacobian_singular_values
from deeptheory.inspection.result import InstrumentResult, Joined

__all__ = [
    "INSTRUMENTS",
    "Batch",
    "Context",
    "Finding",
    "Head",
    "Inspection",
    "Instrument",
    "InstrumentResult",
    "JacobianMoments",
    "Joined",
    "Layer",
    "NeuralCollapse",
    "Passes",
    "Quantity",
    "Reading",
    "SpectralDensity",
    "bottleneck_bound",
    "cells_of_their_own",
    "decoder_accuracy",
    "fisher_trace",
    "hessian_eigenvalues",
    "inspect",
    "jacobian_moments",
    "jacobian_singular_values",
    "mean_correlation",
    "mean_field_kernel",
    "neural_collapse",
    "polynomial_r2",
    "spectral_density",
    "write_axis_page",
]


def __dir__() -> list[str]:
    return sorted(__all__)
