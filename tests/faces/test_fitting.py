"""The search for faces: in any units, under any default dtype, and from places where there is nothing to find."""

import numpy as np
import pytest
import torch

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, ProceduralFaces

IMAGES, POINTS, _ = ProceduralFaces(32).sample(20, 3)
IMAGES = np.asarray(IMAGES, dtype=np.float64)
SPACE = FaceSpace.fit(IMAGES, POINTS, shape=3, appearance=3)
FOUND = SPACE.search(IMAGES[:2])


@pytest.mark.parametrize("unit", [1e-25, 1e-12, 1e-6, 255.0, 1e12, 1e25])
def test_faces_are_found_at_the_same_places_whatever_the_units(unit):
    """The least noise was an absolute 1e-12: in 1e-6 landmarks lay half a pixel off, in 1e-25 torch raised."""
    space = FaceSpace.fit(IMAGES * unit, POINTS, shape=3, appearance=3)
    got = space.search(IMAGES[:2] * unit)
    assert np.abs(got.landmarks - FOUND.landmarks).max() < 1e-3
    assert np.abs(got.residual / unit / FOUND.residual - 1).max() < 1e-3
    assert np.abs(np.abs(got.coordinates[:, 3:] / unit) - np.abs(FOUND.coordinates[:, 3:])).max() < 1e-3


def test_faces_are_found_far_from_zero():
    space = FaceSpace.fit(IMAGES + 1e9, POINTS, shape=3, appearance=3)
    assert np.abs(space.search(IMAGES[:2] + 1e9).landmarks - FOUND.landmarks).max() < 1e-2


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_default_dtype_does_not_matter(dtype):
    """The search raised torch's RuntimeError of two dtypes."""
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(dtype)
        got = SPACE.search(IMAGES[:2])
    finally:
        torch.set_default_dtype(before)
    assert np.array_equal(got.landmarks, FOUND.landmarks)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SPACE.search(IMAGES[:1], start=[1, 0, 1e6, 1e6]), "puts the whole face outside of the 32x32 picture"),
        (lambda: SPACE.search(IMAGES[:1], start=[1, 0, 1e6, 1e6], prior=0), "puts the whole face outside"),
        (lambda: SPACE.search(IMAGES[:1], start=[1e39, 0, 0, 0]), "puts the whole face outside"),
        (lambda: SPACE.search(np.zeros((1, 32, 32))), "leave out pictures without contrast"),
        (lambda: SPACE.search(np.full((1, 32, 32), 0.3)), "leave out pictures without contrast"),
        (lambda: SPACE.search(IMAGES[:1], prior=1e300), "prior is 1e.300; needed: 1e.12 or less"),
    ],
)
def test_where_there_is_nothing_to_find(call, match):
    """Off the picture nothing moves, which was "converged", or torch's error of a singular matrix."""
    with pytest.raises(InputError, match=match):
        call()


def test_a_pixel_that_no_step_reaches_is_not_converged():
    flat = IMAGES[:1].copy()
    flat[:, 8:] = 0.5  # the mean face lies on pixels that say nothing; the contrast is above it
    flat[:, :2] = [[0.0] * 16 + [1.0] * 16] * 2
    got = SPACE.search(flat, prior=0, start=[SPACE.mean_pose[0] * 0.02, 0, 16, 24])
    assert not got.converged[0]
