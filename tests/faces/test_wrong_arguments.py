"""Counts, seeds and numbers that are none: each public function of the faces names the argument and the fix."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError, StoreError
from deeptheory.faces import FaceSpace, PixelSpace, ProceduralFaces, held_out, image_figure, montage, recognized

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


C, LINE = SPACE.encode(IMAGES, POINTS), np.stack([POINTS[..., 0]] * 2, -1)
GALLERY = np.random.default_rng(0).standard_normal((6, 3))
ROWS = np.arange(6)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: SPACE.pose(POINTS[:, :50]), r"landmarks has shape \[8, 50, 2\]"),
        (lambda: SPACE.face_pixels(POINTS[:, :50]), r"landmarks has shape \[8, 50, 2\]"),
        (lambda: SPACE.decode(C, np.ones((3, 4))), r"pose has shape \[3, 4\]; needed: \[4\] or \[8, 4\]"),
        (lambda: SPACE.landmarks(C, np.ones((3, 4))), r"pose has shape \[3, 4\]; needed: \[4\] or \[8, 4\]"),
        (lambda: SPACE.landmarks(C, np.ones(3)), r"pose has shape \[3\]"),
        (lambda: SPACE.decode(C, np.full(4, np.nan)), "pose holds 4 values that are NaN"),
        (lambda: SPACE.encode(IMAGES[:0], POINTS[:0]), "images have shape .*, which holds no pixel"),
        (lambda: SPACE.search(IMAGES[:0]), "images have shape .*, which holds no pixel"),
        (lambda: SPACE.figure(0), "components is 0; needed: an integer, at least 1"),
        (lambda: SPACE.figure(1, np.nan), "reach is nan; needed: a finite number above 0"),
        (lambda: FaceSpace.fit(IMAGES, LINE, shape=1, appearance=1), "the mean landmarks lie on one line"),
        (lambda: FaceSpace.fit(IMAGES, POINTS, shape=1, appearance=1, background="a"), "background is 'a'"),
        (lambda: FaceSpace.fit(IMAGES, POINTS, shape=1, appearance=1, background=np.nan), "background is nan"),
        (lambda: MAKER.render(np.zeros((0, 25)), np.zeros((0, 25))), "shape and appearance hold no face"),
        (lambda: MAKER.sample(1, pose=[0, 0, 0, 0, 0, -1]), "pose has a size of -1; needed: a factor above 0"),
        (lambda: held_out(IMAGES, POINTS[:5], 1), "landmarks are of 5 faces, images of 8"),
        (lambda: montage(np.full((1, 2, 2), np.nan)), "images holds 4 values that are NaN"),
        (lambda: montage(IMAGES, low=1.0, high=1.0), "low is 1.0 and high 1.0; needed: low below high"),
        (lambda: image_figure(IMAGES[0]), r"image is float32 \[16, 16\]; needed: uint8"),
        (lambda: image_figure([[0, 1]]), "image is list"),
        (lambda: recognized(GALLERY * np.nan, GALLERY, ROWS), "gallery holds 18 values that are NaN"),
        (lambda: recognized(GALLERY[:0], GALLERY, ROWS), r"gallery \[0, 3\]"),
        (lambda: recognized(GALLERY, GALLERY, ROWS + 1), "identity runs to 6; the gallery has rows 0 to 5"),
        (lambda: recognized(GALLERY, GALLERY, ROWS, spread=[1, 2]), r"spread has shape \[2\]"),
        (lambda: recognized(GALLERY, GALLERY, ROWS, spread=[1, 2, np.nan]), "spread holds 1 values that are NaN"),
    ],
)
def test_what_does_not_fit_is_named(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_one_pose_serves_any_number_of_faces():
    many = np.repeat(C, 20, axis=0)  # more than are drawn at a time
    np.testing.assert_array_equal(SPACE.decode(many, SPACE.mean_pose[None]), SPACE.decode(many))
    assert SPACE.face_pixels(POINTS[:0]).shape == (0, 16, 16)


def test_faces_are_recognized_wherever_the_coordinates_begin():
    assert recognized(GALLERY + 1e9, GALLERY + 1e9 + 0.01, ROWS).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (
            lambda: MAKER.sample(1, pose=[0, 0, 0, 1e308, 0, 1]),
            r"pose reaches 1e\+308; needed: numbers of at most 1e\+06",
        ),
        (lambda: MAKER.sample(1, light=[0, 0, 1e308, 1e308]), r"light reaches 1e\+308"),
        (lambda: MAKER.sample(1, first=2**63), "first is 9223372036854775808; needed"),
        (lambda: MAKER.sample(1, first=2**64), "first is 18446744073709551616; needed"),
        (lambda: image_figure(np.zeros((4, 4, 1), np.uint8)), r"image is uint8 \[4, 4, 1\]; needed"),
        (lambda: image_figure(np.zeros((4, 4, 5), np.uint8)), r"image is uint8 \[4, 4, 5\]; needed"),
    ],
)
def test_what_was_infinite_or_a_foreign_error_is_named(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_saving_never_takes_a_folder_of_other_things(tmp_path, monkeypatch):
    """The whole folder was replaced, whatever lay in it; "." was pathlib's ValueError."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="results holds other things than a face space"):
        SPACE.save(tmp_path / "results")
    (tmp_path / "file").write_text("text")
    with pytest.raises(StoreError, match="file holds other things"):
        SPACE.save(tmp_path / "file")
    assert (tmp_path / "results" / "thesis.txt").read_text() == "years of work"
    monkeypatch.chdir(tmp_path)
    for path in ("", "."):
        with pytest.raises(StoreError, match="names no folder of its own"):
            SPACE.save(path)
    (tmp_path / "empty").mkdir()
    for _ in range(2):
        SPACE.save(tmp_path / "empty")
    assert FaceSpace.load(tmp_path / "empty").faces == 8
