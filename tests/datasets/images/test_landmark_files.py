"""Faces and landmarks in files that are not quite as they should be."""

import numpy as np
import pytest
from PIL import Image

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets import face_folder, read_landmarks


def _folder(tmp_path, text, names=("p0", "p1"), size=(20, 16)):
    for name in names:
        Image.fromarray(np.full(size[::-1], 90, np.uint8)).save(tmp_path / f"{name}.png")
    (tmp_path / "landmarks.csv").write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("p0,1,2,3,4o\np1,1,2,3,4\n", "line 1: could not convert string to float: '4o'"),
        ("p0\np1\n", "landmarks.csv has no landmark of 'p0'"),
        ('p0,"' + "1" * 200_000 + "\n", "landmarks.csv cannot be read .field larger"),
    ],
)
def test_lines_that_are_no_faces(tmp_path, text, match):
    """A typing error in the first line made a heading of it, and its face was left out without a word."""
    with pytest.raises(StoreError, match=match):
        face_folder(_folder(tmp_path, text))


def test_headings_of_words_are_still_passed_over(tmp_path):
    assert face_folder(_folder(tmp_path, "name,x1,y1\np0,1,2\np1,1,2\n")).names == ("p0", "p1")


def test_names_keep_their_commas(tmp_path):
    """Decimal commas were read in names, too: "Smith, J" became "Smith. J", and the face was left out."""
    found = face_folder(_folder(tmp_path, "p0;1,5;2\nSmith, J;3;4,25\n", ("p0", "Smith, J")))
    assert found.names == ("Smith, J", "p0")
    assert found.landmarks[:, 0].tolist() == [[3, 4.25], [1.5, 2]]


def test_a_quote_that_does_not_end(tmp_path):
    (tmp_path / "a.csv").write_text('x,y\n"' + "1" * 200_000 + "\n")
    with pytest.raises(StoreError, match="a.csv is no .csv file of landmarks"):
        read_landmarks(tmp_path / "a.csv")


def test_faces_without_landmarks_are_refused(tmp_path):
    _folder(tmp_path, "")
    np.savez(tmp_path / "landmarks.npz", points=np.zeros((2, 0, 2)), name=["p0", "p1"])
    with pytest.raises(StoreError, match="landmarks.npz has no landmark of 'p0'"):
        face_folder(tmp_path)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"first_pixel": np.nan}, "first_pixel is nan; needed: a finite number"),
        ({"first_pixel": "1"}, "first_pixel is '1'"),
        ({"size": 12.5}, "size is 12.5; needed: an integer"),
        ({"size": np.nan}, "size is nan; needed: an integer"),
        ({"size": "a"}, "size is 'a'; needed: an integer"),
        ({"size": 7}, "size is 7; a face needs at least 8"),
    ],
)
def test_options_that_are_no_numbers(tmp_path, options, match):
    """first_pixel NaN gave landmarks of NaN; the others were errors of Pillow and numpy."""
    with pytest.raises(InputError, match=match):
        face_folder(_folder(tmp_path, "p0,1,2,3,4\np1,1,2,3,4\n"), **options)


def test_a_picture_that_is_thinner_than_a_pixel_when_scaled(tmp_path):
    _folder(tmp_path, "p0,0.2,3,0.3,700\n", ("p0",), (1, 1000))
    assert face_folder(tmp_path, 8).images.shape == (1, 8, 1)
