"""Folders of faces: every form in which landmarks come, and every way in which a folder can be wrong."""

import numpy as np
import pytest
from PIL import Image

from deeptheory.datasets import face_folder, faces, read_landmarks
from deeptheory.datasets.face_folder import where
from deeptheory.errors import InputError, StoreError

POINTS = np.random.default_rng(0).uniform(2, 20, (3, 5, 2)).round(3)
NAMES = ("a", "b", "c")


def _pictures(folder, shapes=((24, 30),) * 3):
    folder.mkdir(exist_ok=True)
    for name, (high, wide) in zip(NAMES, shapes):
        colour = np.random.default_rng(ord(name)).integers(0, 255, (high, wide, 3), dtype=np.uint8)
        Image.fromarray(colour).save(folder / f"{name}.png")
    return folder


def _pts(points):
    rows = "\n".join(f"{x} {y}" for x, y in points)
    return f"version: 1\nn_points:  {len(points)}\n{{\n{rows}\n}}\n"


def _tem(points):
    rows = "\n".join(f"{x}\t{y}" for x, y in points)
    return f"{len(points)}\n{rows}\n1\n0\n2\n0 1\n"


def _csv(points):
    return "x,y\n" + "\n".join(f"{x},{y}" for x, y in points)


@pytest.mark.parametrize(("ending", "write"), [("pts", _pts), ("tem", _tem), ("csv", _csv)])
def test_landmarks_beside_the_pictures(tmp_path, ending, write):
    _pictures(tmp_path)
    for name, points in zip(NAMES, POINTS):
        (tmp_path / f"{name}.{ending}").write_text(write(points))
    found = face_folder(tmp_path)
    assert found.names == NAMES
    assert found.images.shape == (3, 24, 30)
    assert found.images.dtype == np.uint8
    assert np.allclose(found.landmarks, POINTS)
    assert np.allclose(read_landmarks(tmp_path / f"a.{ending}"), POINTS[0])
    assert np.allclose(face_folder(tmp_path, first_pixel=1).landmarks, POINTS - 1)


def test_landmarks_in_one_file(tmp_path):
    _pictures(tmp_path)
    np.savez(tmp_path / "landmarks.npz", points=POINTS[::-1].astype(np.float32), name=np.array(NAMES[::-1]))
    packed = face_folder(tmp_path, colour=True)
    assert packed.images.shape == (3, 24, 30, 3)
    assert np.allclose(packed.landmarks, POINTS, atol=1e-5)
    (tmp_path / "landmarks.npz").unlink()
    rows = [",".join([f"{n}.png", *map(str, p.ravel())]) for n, p in zip(NAMES, POINTS)]
    (tmp_path / "landmarks.csv").write_text("\n".join(["name,x1,y1", *rows]))
    assert np.allclose(face_folder(tmp_path).landmarks, POINTS)
    assert "3 of 24x30, 5 landmarks" in repr(packed)
    assert packed.table()["left"].tolist() == pytest.approx(POINTS[..., 0].min(1))


def test_another_size_moves_landmarks_with_the_pixels(tmp_path):
    _pictures(tmp_path, [(24, 30), (48, 60), (24, 30)])
    np.savez(tmp_path / "landmarks.npz", points=POINTS, name=np.array(NAMES))
    found = face_folder(tmp_path, 12)
    assert found.images.shape == (3, 12, 15)
    assert np.allclose(found.landmarks[0], (POINTS[0] + 0.5) / 2 - 0.5)
    assert np.allclose(found.landmarks[1], (POINTS[1] + 0.5) / 4 - 0.5)


def test_pictures_without_landmarks_are_left_out(tmp_path):
    _pictures(tmp_path)
    (tmp_path / "b.pts").write_text(_pts(POINTS[1]))
    assert face_folder(tmp_path).names == ("b",)


def test_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)
    assert "nowhere yet" in where()
    with pytest.raises(StoreError, match="no folder 'faces' was found"):
        faces()
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    _pictures(tmp_path / "faces")
    np.savez(tmp_path / "faces" / "landmarks.npz", points=POINTS, name=np.array(NAMES))
    assert where() == "the data folder"
    assert "from the data folder" in repr(faces(12))


def _none(folder):
    pass


def _shapes(folder):
    _pictures(folder, [(24, 30), (24, 31), (24, 30)])
    np.savez(folder / "landmarks.npz", points=POINTS, name=np.array(NAMES))


def _broken_npz(folder):
    (folder / "landmarks.npz").write_bytes(b"no")


def _odd_npz(folder):
    np.savez(folder / "landmarks.npz", points=POINTS[0], name=np.array(NAMES))


def _broken_csv(folder):
    (folder / "landmarks.csv").write_text("a,1,2\nb,1,2,3")


def _broken_picture(folder):
    (folder / "a.png").write_bytes(b"no")
    (folder / "a.pts").write_text(_pts(POINTS[0]))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (_none, "holds no picture with landmarks; 0 sets"),
        (_shapes, r"pictures of shapes \[\(24, 30\), \(24, 31\)\]"),
        (_broken_npz, "landmarks.npz cannot be read"),
        (_odd_npz, r"landmarks.npz holds points \[5, 2\] and 3 names"),
        (_broken_csv, "landmarks.csv, line 2"),
        (_broken_picture, "a.png cannot be read"),
    ],
)
def test_folders_that_are_wrong(tmp_path, make, match):
    make(tmp_path)
    with pytest.raises(StoreError, match=match):
        face_folder(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("a.pts", "version: 1\nn_points: 2\n{\n1 2\n}", "no .pts file of landmarks .1 points, its header promises 2"),
        ("a.pts", "1 2", "no .pts file"),
        ("a.tem", "3\n1\t2\n", "no .tem file of landmarks .1 points, its first line promises 3"),
        ("a.csv", "x,y\n1,b", "no .csv file"),
        ("a.csv", "1,nan", r"numbers of shape \[1, 2\]; needed: finite"),
    ],
)
def test_files_that_are_wrong(tmp_path, name, text, match):
    (tmp_path / name).write_text(text)
    with pytest.raises(StoreError, match=match):
        read_landmarks(tmp_path / name)


def test_wrong_use(tmp_path):
    with pytest.raises(InputError, match="unknown ending of a landmark file '.xml'"):
        read_landmarks(tmp_path / "a.xml")
    with pytest.raises(StoreError, match=r"a\.pts cannot be read"):
        read_landmarks(tmp_path / "a.pts")
    with pytest.raises(InputError, match="size is 4"):
        face_folder(tmp_path, 4)
    with pytest.raises(StoreError, match="gone is no folder"):
        face_folder(tmp_path / "gone")
