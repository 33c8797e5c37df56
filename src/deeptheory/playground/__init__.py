"""The playground: a page on which the information plane, one neuron and the product gate are played with.

`write_playground` makes the page from planes that were measured beforehand; `measure` measures them, one file per
setting."""

from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting, grid
from deeptheory.playground.measuring import measure
from deeptheory.playground.packing import pack, pack_folder, unpack
from deeptheory.playground.page import write_playground

__all__ = ["PROTOCOL", "READOUTS", "Setting", "grid", "measure", "pack", "pack_folder", "unpack", "write_playground"]
