"""Components of what varies, and of nothing else: rounding is no variation, and no unit makes it one."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, PixelSpace, ProceduralFaces
from deeptheory.faces.principal import principal

RNG = np.random.default_rng(0)
IMAGES, POINTS, _ = ProceduralFaces(32).sample(20, 3)
ROWS = RNG.normal(size=(12, 30))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, 1e-12, 1e9])
def test_pictures_that_are_all_one_have_no_component(dtype, value):
    """The mean of ten 0.1 is no 0.1: the rest had one component, of variance 8e-33."""
    same = np.full((10, 6, 6), value, dtype)
    with pytest.raises(InputError, match="components is 1; 10 faces hold no component that vary"):
        PixelSpace.fit(same, 1)
    flat = np.full((20, 32, 32), value, dtype)
    with pytest.raises(InputError, match="appearance is 1; 20 faces hold no component"):
        FaceSpace.fit(flat, POINTS, shape=1, appearance=1)


def test_landmarks_that_differ_by_scale_and_place_alone_have_no_shape():
    one = (POINTS[:1] - 16) * np.linspace(0.8, 1, 20)[:, None, None] + RNG.uniform(14, 17, (20, 1, 2))
    for points in (np.repeat(POINTS[:1], 20, 0), one):
        with pytest.raises(InputError, match="shape is 1; 20 faces hold no component"):
            FaceSpace.fit(IMAGES, points, shape=1, appearance=1)


@pytest.mark.parametrize("unit", [1e-130, 1e-30, 1e30, 1e130])
def test_units_scale_variances_and_nothing_else(unit):
    one, other = principal(ROWS, 5, "components"), principal(ROWS * unit, 5, "components")
    assert np.abs(one.components - other.components).max() < 1e-9
    assert np.abs(other.variances / unit**2 / one.variances - 1).max() < 1e-9


@pytest.mark.parametrize("unit", [1e-170, 1e-150, 1e160])
def test_units_whose_squares_leave_float64_are_refused(unit):
    with pytest.raises(InputError, match="squares of the faces' components numbers leave float64"):
        PixelSpace.fit(ROWS[:, :, None] * unit, 5)


@pytest.mark.parametrize("unit", [1e-60, 1e60])
def test_units_whose_coordinates_leave_float32_are_refused(unit):
    """Coordinates were all 0, or infinite."""
    with pytest.raises(InputError, match="they are float32; give the images in other units"):
        FaceSpace.fit(IMAGES.astype(np.float64) * unit, POINTS, shape=2, appearance=2)


def test_integers_beyond_the_steps_of_float32_keep_their_differences():
    """From 1e9 on, steps of float32 are 64: variances were 4 to 5 times too large."""
    x = (100 * IMAGES).astype(np.int64)
    near, far = PixelSpace.fit(x, 3), PixelSpace.fit(x + 10**9, 3)
    assert np.allclose(far.variances, near.variances, rtol=1e-5)
    spaces = [FaceSpace.fit(v, POINTS, shape=2, appearance=2) for v in (x, x + 10**9)]
    assert np.allclose(spaces[0].variances, spaces[1].variances, rtol=1e-4)
    with pytest.raises(InputError, match="is an integer that float64 rounds"):
        FaceSpace.fit(x + 2**60 + 1, POINTS, shape=2, appearance=2)


def test_of_two_equal_entries_the_first_decides_the_sign():
    for seed in range(20):
        r = np.random.default_rng(seed).normal(size=9)
        both = PixelSpace.fit(np.column_stack([r, -r * (1 + 1e-13)])[:, None], 1).components.ravel()
        assert both[0] > 0


def test_float32_near_its_largest_is_encoded():
    x = (IMAGES * 3e37).astype(np.float32)
    got = PixelSpace.fit(x, 3).encode(x)
    assert np.isfinite(got).all()
    assert np.allclose(got / 3e37, PixelSpace.fit(IMAGES, 3).encode(IMAGES), atol=1e-4)
