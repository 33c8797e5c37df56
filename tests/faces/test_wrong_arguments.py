"""Counts, seeds and numbers that are none: each public function of the faces names the argument and the fix."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, PixelSpace, ProceduralFaces, held_out, montage

MAKER = ProceduralFaces(16)
IMAGES, POINTS, _ = MAKER.sample(8, 0)
SPACE = FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2)

CALLS = {
    "size": lambda v: ProceduralFaces(v),
    "n": lambda v: (MAKER.sample(v), SPACE.sample(v)),
    "images_per_face": lambda v: MAKER.sample(1, images_per_face=v),
    "first": lambda v: MAKER.sample(1, first=v),
    "seed": lambda v: (MAKER.sample(1, v), SPACE.sample(1, v), held_out(IMAGES, POINTS, 1, seed=v)),
    "shape": lambda v: FaceSpace.fit(IMAGES, POINTS, shape=v, appearance=2),
    "appearance": lambda v: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=v),
    "components": lambda v: (PixelSpace.fit(IMAGES, v), held_out(IMAGES, POINTS, v)),
    "folds": lambda v: held_out(IMAGES, POINTS, 1, folds=v),
    "iterations": lambda v: SPACE.search(IMAGES[:1], iterations=v),
    "columns": lambda v: montage(IMAGES, v),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("value", [2.5, "a", True, None, np.nan, -1])
def test_counts_and_seeds_are_whole_numbers(name, value):
    with pytest.raises(InputError, match=f"{name} is .*; needed: (an )?integer"):
        CALLS[name](value)


@pytest.mark.parametrize("value", ["a", np.nan, np.inf, None, [1, 2]])
def test_numbers_are_finite(value):
    for name, call in (
        ("background", lambda: ProceduralFaces(16, background=value)),
        ("tolerance", lambda: SPACE.search(IMAGES[:1], tolerance=value)),
        ("prior", lambda: SPACE.search(IMAGES[:1], prior=value)),
    ):
        with pytest.raises(InputError, match=f"{name} is .*; needed: a finite number"):
            call()


def test_what_is_no_picture_is_named():
    with pytest.raises(InputError, match="needed are numbers"):
        montage(np.array([[["a"]]], dtype=object))
    with pytest.raises(InputError, match="prior is -1"):
        SPACE.search(IMAGES[:1], prior=-1)
    with pytest.raises(InputError, match="needed are numbers"):
        MAKER.render([["a"] * 25], np.zeros((1, 25)))
