"""What is no picture, no landmarks, or in other units, and that a batch decides nothing."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, ProceduralFaces

IMAGES, POINTS, _ = ProceduralFaces(32).sample(20, 3)
SPACE = FaceSpace.fit(IMAGES, POINTS, shape=3, appearance=3)
MIXED = IMAGES.copy()
MIXED[3] /= 255
FLAT = IMAGES.copy()
FLAT[5] = 0.5
ONE_PLACE = POINTS.copy()
ONE_PLACE[3] = (10.1, 20.3)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SPACE.encode(MIXED, POINTS), "the first such is picture 3"),
        (lambda: SPACE.encode(FLAT, POINTS), "the first such is picture 5.*without contrast"),
        (lambda: SPACE.encode(IMAGES[:, :, :1], POINTS * [0, 1]), "a picture needs 2 rows and 2 columns"),
        (lambda: SPACE.encode(IMAGES[:, :1], POINTS * [1, 0]), "a picture needs 2 rows and 2 columns"),
        (lambda: FaceSpace.fit(IMAGES, ONE_PLACE, shape=2, appearance=2), "the landmarks of face 3 are"),
        (lambda: SPACE.encode(IMAGES, ONE_PLACE), "the landmarks of face 3 are"),
        (lambda: FaceSpace.fit(IMAGES, POINTS[:, :0], normalize="none"), "needed: one or more on each face"),
        (lambda: SPACE.decode(np.zeros((1, 6)), [1e30, 0, 8, 8]), r"landmarks reach .* drawn up to 1e\+06"),
        (lambda: SPACE.face_pixels(POINTS * 1e9), r"landmarks reach .* drawn up to 1e\+06"),
        (lambda: SPACE.landmarks(np.full((1, 6), 1e300), [1e300, 0, 0, 0]), "the landmarks are infinite"),
    ],
)
def test_refused(call, match):
    """Landmarks of one place passed by rounding; a picture in other units gave wrong coordinates among nineteen."""
    with pytest.raises(InputError, match=match):
        call()


def test_float32_in_large_units_is_judged_in_float64():
    """Squares of float32 overflowed, and pictures in the space's own units were refused."""
    space = FaceSpace.fit(IMAGES * np.float32(1e25), POINTS, shape=3, appearance=3)
    got = space.encode(IMAGES * np.float32(1e25), POINTS)
    assert np.allclose(np.abs(got[:, 3:] / 1e25), np.abs(SPACE.encode(IMAGES, POINTS)[:, 3:]), atol=1e-4)


def test_faces_half_of_which_are_upside_down_have_the_shapes_of_upright_ones():
    """Their mean is 0: turned onto it, all angles were NaN, and the error spoke of squares that leave float64."""
    up = np.round((POINTS[:10] - POINTS[:10].mean(1, keepdims=True)) * 1024) / 1024  # sums of such are exact
    up[:, 0] -= up.sum(1)
    points = np.stack([15.5 + up, 15.5 - up], 1).reshape(20, -1, 2)  # by turns, so that sums are 0 exactly
    images = np.stack([IMAGES[:10], IMAGES[:10, ::-1, ::-1]], 1).reshape(20, 32, 32)
    space = FaceSpace.fit(images, points, shape=3, appearance=3)
    plain = FaceSpace.fit(IMAGES[:10], 15.5 + up, shape=3, appearance=3)
    assert np.allclose(space.variances[:3] * 19, plain.variances[:3] * 18, rtol=1e-3)


def test_a_space_used_in_inference_mode_can_be_differentiated_later():
    import torch

    space = FaceSpace.fit(IMAGES, POINTS, shape=3, appearance=3)
    with torch.inference_mode():
        space.decode(torch.zeros(1, 6))
    c = torch.zeros(1, 6, requires_grad=True)
    space.decode(c).sum().backward()
    assert bool((c.grad != 0).any())
