"""Instruments on somebody's own model or data, and the page that each writes.

`inspect` puts every instrument to every layer of a model, beside untrained twins and permuted labels. An instrument is an `Instrument`
in `INSTRUMENTS`, or one of a user's own.
"""

from deeptheory.inspection.axis_page import write_axis_page
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
    "Joined",
    "Layer",
    "Passes",
    "Quantity",
    "Reading",
    "inspect",
    "write_axis_page",
]
