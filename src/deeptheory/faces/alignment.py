"""Normalizing landmarks: which differences between faces count as shape, and which as where the head was.

A pose is (scale, angle, x, y): landmarks = scale * R(angle) shape + (x, y), angle in radians, clockwise on the screen
as y points down. `NORMALIZATIONS` names the ways; a new one is one function and one line.
- "procrustes": scale, angle and place are taken out (Gower 1975; Cootes et al. 2001), against the mean shape.
- "reference_code": each face is centered and divided by its size, not rotated, as the generator of Chang & Tsao 2017
  describes its landmarks; its average offset and scale bring them back to pixels.
- "none": nothing is taken out; position and size of the head are then part of shape.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from deeptheory.core.errors import InputError

_ROUNDS = 100


def procrustes(landmarks: np.ndarray, mean: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Shapes [n, L, 2] of size 1 turned onto the mean (found here where None), and poses [n, 4]."""
    shapes, pose = reference_code(landmarks, None)
    target = mean
    for _ in range(_ROUNDS if mean is None else 1):
        if target is None:
            target = _size_one(_begun(shapes))
        angle = _angles(shapes, target)
        turned = rotated(shapes, -angle)
        if mean is not None:
            break
        new = _size_one(turned.mean(0))
        moved, target = np.abs(new - target).max(), new
        if moved < 1e-12:
            break
    assert target is not None
    angle = _angles(shapes, target)
    pose[:, 1] = angle
    return rotated(shapes, -angle), pose


def reference_code(landmarks: np.ndarray, mean: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Shapes [n, L, 2], each centered and divided by its root mean square radius, and poses [n, 4].

    InputError: all landmarks of a face at one place.
    """
    place = landmarks.mean(1)
    centered = landmarks - place[:, None]
    scale = np.sqrt((centered**2).sum(-1).mean(1))
    least = np.maximum(1e-100, 1e-12 * np.abs(landmarks).max((1, 2)))  # places that are one differ by rounding
    if (flat := ~((scale > least) & (scale < 1e100))).any():
        raise InputError(
            f"the landmarks of face {int(flat.argmax())} are {scale[flat][0]:.3g} pixels apart; they must be places in "
            "a picture, not all one"
        )
    pose = np.column_stack([scale, np.zeros(len(scale)), place])
    return centered / scale[:, None, None], pose


def none(landmarks: np.ndarray, mean: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The landmarks themselves, and the pose that changes nothing."""
    return landmarks, np.tile([1.0, 0.0, 0.0, 0.0], (len(landmarks), 1))


Normalization = Literal["procrustes", "reference_code", "none"]
NORMALIZATIONS: dict[str, Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]]] = {
    "procrustes": procrustes,
    "reference_code": reference_code,
    "none": none,
}


def rotated(shapes: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Each shape [n, L, 2] turned by its angle [n]."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return np.stack([c * shapes[..., 0] - s * shapes[..., 1], s * shapes[..., 0] + c * shapes[..., 1]], axis=-1)


def _angles(shapes: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[n]: by how much the target must be turned to lie best on each shape."""
    cross = (target[:, 0] * shapes[..., 1] - target[:, 1] * shapes[..., 0]).sum(1)
    return np.arctan2(cross, (target * shapes).sum((1, 2)))


def _begun(shapes: np.ndarray) -> np.ndarray:
    """[L, 2], onto which shapes are turned first: their mean, or the first where they cancel (faces upside down)."""
    mean = shapes.mean(0)
    return mean if (mean**2).sum(-1).mean() > 1e-12 else shapes[0]


def _size_one(shape: np.ndarray) -> np.ndarray:
    return shape / np.sqrt((shape**2).sum(-1).mean())
