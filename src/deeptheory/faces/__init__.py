"""Generative face models: a face space learnt from pictures, and procedural faces whose every factor is known."""

from deeptheory.faces.comparing import HeldOut, held_out, recognized
from deeptheory.faces.drawing import image_figure, montage
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
    "image_figure",
    "montage",
    "recognized",
]


def __dir__() -> list[str]:
    return sorted(__all__)
