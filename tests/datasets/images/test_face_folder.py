"""Folders of faces: every form in which landmarks come, and every way in which a folder can be wrong."""

import numpy as np
import pytest
from PIL import Image

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets import face_folder, faces, read_landmarks
from deeptheory.datasets.images.face_folder import where
from deeptheory.datasets.images.image_files import read_image

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


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n{}",
        "\ufeffx,y\n{}",
        "\ufeff{}",
        "{}",
        "point,x,y\n{n}",
        "Y,X\n{yx}",
        "x;y\n{comma}",
        "x\ty\n{tab}",
        "X, Y\n{}",
        '"x","y"\n{}',
        "label,y,x\n{nyx}",
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_columns_are_read_as_their_heading_says(tmp_path, text, seed):
    points = np.random.default_rng(seed).uniform(1, 90, (5 + seed, 2)).round(2)
    forms = {
        "n": "\n".join(f"{k},{x},{y}" for k, (x, y) in enumerate(points)),
        "yx": "\n".join(f"{y},{x}" for x, y in points),
        "nyx": "\n".join(f"a{k},{y},{x}" for k, (x, y) in enumerate(points)),
        "comma": "\n".join(f"{x};{y}".replace(".", ",") for x, y in points),
        "tab": "\n".join(f"{x}\t{y}" for x, y in points),
    }
    (tmp_path / "a.csv").write_text(text.format("\n".join(f"{x},{y}" for x, y in points), **forms), encoding="utf-8")
    assert read_landmarks(tmp_path / "a.csv") == pytest.approx(points)


def test_pictures_are_read_as_their_files_say(tmp_path):
    from PIL import Image

    grey = np.linspace(0, 255, 24 * 30).reshape(24, 30).round()
    kinds = {
        "eight": Image.fromarray(grey.astype(np.uint8)),
        "sixteen": Image.fromarray((grey * 257).astype(np.uint16)),
        "unit": Image.fromarray((grey / 255).astype(np.float32)),
        "float": Image.fromarray(grey.astype(np.float32)),
    }
    for name, image in kinds.items():
        for ending in ("tiff", "png") if name in ("eight", "sixteen") else ("tiff",):
            image.save(tmp_path / f"{name}.{ending}")
            got = np.asarray(read_image(tmp_path / f"{name}.{ending}")).astype(float)
            assert np.abs(got - grey).max() <= 0.5, (name, ending)
    dark = Image.fromarray((grey / 10).astype(np.uint16))  # 16 bits whose values stay below 255
    dark.save(tmp_path / "dark.png")
    assert np.asarray(read_image(tmp_path / "dark.png")).max() == 0
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned by 90 degrees
    kinds["eight"].save(tmp_path / "turned.jpg", exif=exif, quality=95)
    assert read_image(tmp_path / "turned.jpg").size == (24, 30)


def _alpha(path, value):
    from PIL import Image

    rgba = np.full((9, 9, 4), 255, dtype=np.uint8)
    rgba[0, 0, 3] = value
    Image.fromarray(rgba).save(path)


def test_pictures_that_are_not_what_they_seem_are_refused(tmp_path):
    from PIL import Image

    _alpha(tmp_path / "clear.png", 0)
    with pytest.raises(StoreError, match=r"clear\.png has 1 transparent pixels"):
        read_image(tmp_path / "clear.png")
    _alpha(tmp_path / "full.png", 255)
    assert read_image(tmp_path / "full.png").size == (9, 9)
    frames = [Image.new("L", (9, 9), k) for k in (0, 9)]
    frames[0].save(tmp_path / "two.tiff", save_all=True, append_images=frames[1:])
    with pytest.raises(StoreError, match="holds 2 frames"):
        read_image(tmp_path / "two.tiff")
    Image.fromarray(np.full((9, 9), -3.0, dtype=np.float32)).save(tmp_path / "minus.tiff")
    with pytest.raises(StoreError, match="holds values from -3 to -3"):
        read_image(tmp_path / "minus.tiff")
    (tmp_path / "huge.pgm").write_bytes(b"P5 999999 999999 255\n")
    with pytest.raises(StoreError, match="cannot be read as a picture"):
        read_image(tmp_path / "huge.pgm")


def test_two_pictures_of_one_name_need_full_names(tmp_path):
    _pictures(tmp_path)
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.png").read_bytes())
    np.savez(tmp_path / "landmarks.npz", points=POINTS, name=np.array(NAMES))
    with pytest.raises(StoreError, match=r"a\.jpg and a\.png have one set of landmarks between them"):
        face_folder(tmp_path)
    np.savez(tmp_path / "landmarks.npz", points=POINTS, name=np.array(["a.png", "b", "c"]))
    assert face_folder(tmp_path).names == ("a", "b", "c")
    np.savez(tmp_path / "landmarks.npz", points=POINTS, name=np.array(["a.png", "b", "b"]))
    with pytest.raises(StoreError, match="landmarks of 'b' more than once"):
        face_folder(tmp_path)


def test_landmarks_outside_their_picture_are_refused(tmp_path):
    _pictures(tmp_path, [(24, 90)] * 3)
    wide = np.random.default_rng(0).uniform((30, 2), (88, 22), (3, 5, 2))
    np.savez(tmp_path / "landmarks.npz", points=wide[..., ::-1], name=np.array(NAMES))
    with pytest.raises(StoreError, match="swap the columns"):
        face_folder(tmp_path)
    np.savez(tmp_path / "landmarks.npz", points=wide * 5, name=np.array(NAMES))
    with pytest.raises(StoreError, match="landmarks lie outside"):
        face_folder(tmp_path)


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
        ("a.csv", "1,nan", r"1 of 1 points are marked as missing, the first is \(1, nan\)"),
        ("a.csv", "1,2\n-1,-1", r"1 of 2 points are marked as missing, the first is \(-1, -1\) at \[1\]"),
        ("a.pts", "n_points: 2\n{\n1 2\n0 0\n}", r"the first is \(0, 0\)"),
        ("a.pts", "n_points: x\n{\n1 2\n}", "n_points has no number behind it"),
        ("a.csv", "1,5,2,5", "4 columns without a heading"),
        ("a.csv", "1,2,3", "3 columns without a heading"),
        ("a.csv", "lat,lon\n1,2", "its heading is lat, lon; needed: one column x"),
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


@pytest.mark.parametrize(
    ("text", "match"),
    [("x,y\n1,5,2,5\n", "line 2 has 4 cells, the heading 2"), ("x,y\n1,2\n3\n", "line 3 has 1 cells"), ("", "empty")],
)
def test_lines_of_another_length_than_the_heading_are_refused(tmp_path, text, match):
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(StoreError, match=match):
        read_landmarks(tmp_path / "a.csv")


def test_a_lab_picture_is_refused_by_name(tmp_path):
    Image.fromarray(np.zeros((4, 4, 3), "u1"), "LAB").save(tmp_path / "a.tif")
    with pytest.raises(StoreError, match=r"a\.tif cannot be made grey"):
        read_image(tmp_path / "a.tif")
