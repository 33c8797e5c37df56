"""The faces that are shown: drawn from a face space that was learnt from frontal faces under one light (figure 1)."""

from dataclasses import dataclass

import numpy as np

import deeptheory as dt
from deeptheory.runs import derive


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """space: the face space. coordinates: [stimulus, 50], independent Gaussians. images: [stimulus, size, size], 0 to 1."""

    space: dt.faces.FaceSpace
    coordinates: np.ndarray
    images: np.ndarray


def world(settings: dict, member: int) -> World:
    """Space and stimuli of one member of the run: its own 200 people, its own draws."""
    made = dt.faces.ProceduralFaces(settings["size"])
    people = made.sample(settings["space_faces"], derive(member, "space") % 2**31)
    space = dt.faces.FaceSpace.fit(
        people.images, people.landmarks, settings["shape"], settings["appearance"], background=made.background
    )
    coordinates = space.sample(settings["stimuli"], derive(member, "stimuli") % 2**31)
    return World(space=space, coordinates=coordinates, images=space.decode(coordinates).clip(0, 1))


def crowd(settings: dict, member: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures [n, size, size] of people that a network learns, their numbers, and which of them are held out.

    Turned by a few degrees and under any light, so that neither pixels nor one light tells who it is; every tenth picture of
    a person is held out.
    """
    made = dt.faces.ProceduralFaces(settings["size"])
    seed = derive(member, "people") % 2**31
    images, _, latents = made.sample(settings["people"], seed, pictures=settings["pictures"], pose="near", light="any")
    return images, latents["identity"], np.arange(len(images)) % settings["pictures"] % 10 == 9
