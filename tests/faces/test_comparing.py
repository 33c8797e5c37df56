"""Faces held out and faces recognized, where units, offsets and repeats must not matter."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, PixelSpace, ProceduralFaces, held_out, recognized

IMAGES, POINTS, _ = ProceduralFaces(24).sample(20, 3)
IMAGES = np.asarray(IMAGES, dtype=np.float64)
RNG = np.random.default_rng(0)
A = RNG.normal(size=(30, 6))
B = A + RNG.normal(size=A.shape)
ROWS = np.arange(30)
PLAIN = recognized(A, B, ROWS)


@pytest.mark.parametrize("far", [1e6, -1e9])
def test_errors_do_not_depend_on_where_the_pixels_begin(far):
    """Cut out in float32, pictures at 1e9 had no contrast left; at 1e6 steps of 1/16."""
    one, other = (held_out(x, POINTS, (3,), folds=4) for x in (IMAGES, IMAGES + far))
    assert np.allclose(one.pixel_error, other.pixel_error, rtol=1e-3)
    assert np.allclose(one.pixels_alone, other.pixels_alone, rtol=1e-3)


def test_faces_that_are_there_twice_have_fewer_pixel_components():
    """The docstring says "or all there are"; it was an error that named 8 components, which nobody had asked for."""
    twice = held_out(np.repeat(IMAGES[:6], 2, 0), np.repeat(POINTS[:6], 2, 0), (3,), folds=4)
    assert np.isfinite(twice.pixels_alone).all()
    assert len(PixelSpace._fit(np.repeat(IMAGES[:6], 2, 0), 9, at_most=True).components) == 5


def test_a_face_without_a_pixel_is_named():
    """Its error was a mean over nothing, NaN, which the table passed over."""
    points = POINTS.copy()
    points[4] += 100
    with pytest.raises(InputError, match="face 4 has no pixel on its image"):
        held_out(IMAGES, points, (3,), folds=4)


@pytest.mark.parametrize("far", [1e6, 1e9])
def test_a_coordinate_that_begins_far_away_counts(far):
    """Its spread was below a millionth of its size, and it was left out: 8 of 30 answers changed."""
    off = far * (np.arange(6) == 2)
    assert np.array_equal(recognized(A + off, B + off, ROWS), PLAIN)
    assert np.array_equal(recognized(A + 7.1e9, B + 7.1e9, ROWS), PLAIN)


def test_units_of_some_coordinates_do_not_matter_where_spread_is_given():
    """Shape in units of a face, appearance in 0 to 65535: the shape was below a millionth and left out."""
    for unit in (1e-9, 1e9):
        u = np.where(np.arange(6) < 3, unit, 1)
        assert np.array_equal(recognized(A * u, B * u, ROWS, spread=(A * u).std(0)), PLAIN)


def test_coordinates_that_do_not_vary_are_left_out():
    for constant in (0.1, 1e9, 0.0):
        a, b = np.column_stack([A, np.full(30, constant)]), np.column_stack([B, RNG.normal(size=30)])
        assert np.array_equal(recognized(a, b, ROWS), PLAIN)
        assert np.array_equal(recognized(a.astype(np.float32), b.astype(np.float32), ROWS), PLAIN)
    spread = np.append(A.std(0), 0)
    assert np.array_equal(recognized(a, b, ROWS, spread=spread), PLAIN)


@pytest.mark.parametrize("spread", [np.zeros(6), -np.ones(6), [1, 1, 1, 1, 1, -1e-9]])
def test_spreads_that_are_none(spread):
    """All distances were 0, and the answer the first row."""
    with pytest.raises(InputError, match="needed: 0 or more, above 0 somewhere"):
        recognized(A, B, ROWS, spread=spread)


def test_many_probes_are_those_of_a_few():
    a, b = RNG.normal(size=(50, 4)), RNG.normal(size=(2500, 4))
    rows = np.arange(2500) % 50
    parts = [recognized(a, b[k : k + 500], rows[k : k + 500]) for k in range(0, 2500, 500)]
    assert np.array_equal(recognized(a, b, rows), np.concatenate(parts))
    assert recognized(a, b[:0], rows[:0]).shape == (0,)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 255.0, 1e5])
def test_the_figure_of_a_space_shows_faces_in_any_units(unit, monkeypatch):
    """In units of 1e-6 it was black, from 1e5 on white."""
    from deeptheory.faces import drawing

    seen = []
    monkeypatch.setattr(drawing, "image_figure", lambda image, *names: seen.append(image))
    FaceSpace.fit(IMAGES * unit, POINTS, shape=2, appearance=2).figure(1)
    assert 10 < seen[0].std() < 120
