"""Generative face models: a face space learnt from pictures, and procedural faces whose every factor is known."""

from deeptheory.faces.comparing import HeldOut, held_out, recognised
from deeptheory.faces.drawing import montage, picture_figure
from deeptheory.faces.fitting import Search
from deeptheory.faces.pixels import PixelSpace
from deeptheory.faces.procedural import Faces, ProceduralFaces
from deeptheory.faces.space import FaceSpace

__all__ = [
    "FaceSpace",
    "Faces",
    "HeldOut",
    "PixelSpace",
    "ProceduralFaces",
    "Search",
    "held_out",
    "montage",
    "picture_figure",
    "recognised",
]


def __dir__() -> list[str]:
    return sorted(__all__)
