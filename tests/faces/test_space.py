"""The face space on faces whose every number is known, against loops, and its laws."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.faces import FaceSpace, PixelSpace, held_out, image_figure, montage, recognized
from deeptheory.faces.fitting import warn_of
from deeptheory.faces.principal import principal
from oracles import faces as oracle


@pytest.fixture(scope="module")
def made():
    return oracle.made_faces(40)


@pytest.fixture(scope="module")
def space(made):
    images, landmarks, _ = made
    return FaceSpace.fit(images, landmarks, shape=3, appearance=3, normalize="none")


def test_it_finds_the_latents(space, made):
    """Linear in, linear out: coordinates span the very latents that the pictures were drawn from."""
    images, landmarks, latents = made
    got = space.encode(images, landmarks)
    assert got.shape == (40, 6)
    for name, block in space.blocks.items():
        x = np.column_stack([got[:, block], np.ones(40)])
        y = latents[:, block]
        left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        assert (left.var(0) / y.var(0) < (1e-6 if name == "shape" else 0.02)).all(), name


def test_coordinates_are_those_of_loops(space, made):
    images, landmarks, _ = made
    mean = landmarks.mean(0)
    assert np.allclose(space.shape_mean, mean)
    inside = np.argwhere(space.mask)[:, ::-1].astype(float)
    textures = np.stack([oracle.shape_free(i, mean, p, inside) for i, p in zip(images, landmarks)])
    u, s, vt = np.linalg.svd(textures - textures.mean(0), full_matrices=False)
    signs = np.sign(vt[np.arange(3), np.abs(vt[:3]).argmax(1)])
    expected = u[:, :3] * s[:3] * signs
    got = space.encode(images, landmarks)[:, space.blocks["appearance"]]
    assert np.abs(got - expected).max() < 2e-3 * np.abs(expected).max()  # float32 pictures and places
    assert np.allclose(space.variances[3:], s[:3] ** 2 / 39, rtol=1e-3)


def test_procrustes_is_that_of_singular_values(made):
    images, landmarks, _ = made
    space = FaceSpace.fit(images, landmarks, shape=3, appearance=3)
    mean, _ = oracle.procrustes_mean(landmarks)
    mine = space.shape_mean / np.sqrt((space.shape_mean**2).sum() / 16)  # the mean of turned shapes has size below 1
    turn = np.linalg.svd(mean.T @ mine)
    assert np.abs(mean @ turn[0] @ turn[2] - mine).max() < 1e-9


@pytest.mark.parametrize("normalize", ["procrustes", "reference_code"])
def test_moving_a_face_changes_its_pose_and_not_its_shape(made, normalize):
    images, landmarks, _ = made
    space = FaceSpace.fit(images, landmarks, shape=3, appearance=3, normalize=normalize)
    angle = 0.3 if normalize == "procrustes" else 0.0
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = 1.7 * landmarks @ turn + [25, 18]
    around = np.pad(images, ((0, 0), (20, 50), (20, 50)), mode="edge")  # landmarks lie inside their pictures
    a, b = (space.encode(i, p)[:, space.blocks["shape"]] for i, p in ((images, landmarks), (around, moved)))
    assert np.abs(a - b).max() < 1e-5
    assert space.pose(moved)[:, 0] == pytest.approx(1.7 * space.pose(landmarks)[:, 0])
    assert space.pose(moved)[:, 1] == pytest.approx(space.pose(landmarks)[:, 1] + angle)
    off = space.landmarks(space.encode(around, moved), space.pose(moved)) - moved
    assert np.abs(off).max() < 0.8  # three components of a space whose poses were taken out


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_exchanged_axes_and_other_units_are_refused(made, space, seed):
    images, landmarks, _ = made
    rows = np.random.default_rng(seed).permutation(len(images))[:5]
    with pytest.raises(InputError, match="only with x and y exchanged"):
        space.encode(images[rows], landmarks[rows][..., ::-1])
    for factor in (1 / 255, 257.0):
        with pytest.raises(InputError, match="bring them to the same units"):
            space.encode(images[rows] * factor, landmarks[rows])
        with pytest.raises(InputError, match="bring them to the same units"):
            space.search(images[rows] * factor)
    with pytest.raises(InputError, match="landmarks lie outside"):
        space.encode(images[rows], landmarks[rows] * 40)


def test_drawing_is_the_slow_drawing(space):
    c = space.sample(4, seed=1)
    got = space.decode(c)
    mean = space.landmarks(np.zeros((1, 6), np.float32))[0]
    for k, points in enumerate(space.landmarks(c).astype(float)):
        texture = np.full(space.mask.shape, space.background)
        look = space.appearance_mean + np.tensordot(c[k, 3:], space.appearance_components, 1)
        texture[space.mask] = look[:, 0]
        expected = oracle.draw(texture, mean.astype(float), points, 24, space.background)
        assert np.abs(got[k] - expected).max() < 0.05 * np.abs(np.gradient(texture)).max()  # a twentieth of a pixel


def test_what_is_drawn_is_read_back(space):
    c = space.sample(8, seed=2)
    back = space.encode(space.decode(c), space.landmarks(c))
    assert np.abs(back[:, :3] - c[:, :3]).max() < 1e-4
    together = np.corrcoef(back[:, 3:].T, c[:, 3:].T)[:3, 3:]
    assert (together.diagonal() > 0.98).all()  # interpolated twice, and mixed with the background at the rim
    drawn, again = space.decode(c), space.decode(back)
    face = space.face_pixels(space.landmarks(c))
    assert np.abs((drawn - again)[face]).mean() < 2  # of values that span 120


def test_drawing_is_differentiable(space):
    c = torch.as_tensor(space.sample(2, seed=3)).double().requires_grad_()
    face = torch.as_tensor(space.face_pixels(space.landmarks(c.detach().numpy())))
    inner = face & face.roll(2, 1) & face.roll(-2, 1) & face.roll(2, 2) & face.roll(-2, 2)
    (space.decode(c)[inner] ** 2).sum().backward()
    for k in range(6):
        move = torch.zeros(6, dtype=torch.float64)
        move[k] = 0.02 * float(np.sqrt(space.variances[k]))
        with torch.no_grad():
            sides = [(space.decode(c + s * move)[inner] ** 2).sum() for s in (1, -1)]
        slope = float(sides[0] - sides[1]) / 2
        assert float(c.grad.sum(0)[k] * move[k]) == pytest.approx(slope, rel=0.05, abs=0.02 * float(sides[0]) * 0.01)


def test_numpy_in_numpy_out_torch_in_torch_out(space, made):
    images, landmarks, _ = made
    c = space.encode(images[:2], landmarks[:2])
    assert isinstance(c, np.ndarray)
    t = space.encode(torch.as_tensor(images[:2]), torch.as_tensor(landmarks[:2]))
    assert isinstance(t, torch.Tensor)
    assert torch.equal(t, torch.as_tensor(c))
    assert isinstance(space.decode(t), torch.Tensor)
    assert np.array_equal(space.decode(t).numpy(), space.decode(c))
    assert space.decode(c[:0]).shape == (0, 24, 24)


def test_color_and_bytes(made):
    images, landmarks, _ = made
    color = np.stack([images, 0.5 * images, 255 - images], -1).clip(0, 255).astype(np.uint8)
    space = FaceSpace.fit(color, landmarks, shape=3, appearance=3)
    c = space.encode(color, landmarks)
    drawn = space.decode(c, space.pose(landmarks))
    assert drawn.shape == (40, 24, 24, 3)
    face = space.face_pixels(landmarks)
    assert np.abs(drawn[face] - color[face]).mean() < 3
    assert "3 channels" in repr(space)
    with pytest.raises(InputError, match="images are gray, this space is of 3 channels"):
        space.encode(images, landmarks)


def test_a_chunk_boundary_changes_nothing(space):
    c = space.sample(66)
    both = space.decode(c, np.tile(space.mean_pose, (66, 1)))
    assert np.abs(both[62:] - space.decode(c[62:])).max() < 1e-3


def test_samples_have_the_variances_and_a_seed(space):
    x = space.sample(4000, seed=5)
    assert np.array_equal(x, space.sample(4000, seed=5))
    assert not np.array_equal(x, space.sample(4000, seed=6))
    assert x.var(0) / space.variances == pytest.approx(np.ones(6), abs=0.12)
    assert np.abs(np.corrcoef(x.T) - np.eye(6)).max() < 0.06


def test_it_shows_itself(space):
    assert "3 shape + 3 appearance from 40 faces, 16 landmarks, 24x24 gray, none" in repr(space)
    table = space.table()
    assert len(table) == 6
    assert table["share_of_kept"].sum() == pytest.approx(2)
    assert space.figure(2).layout.yaxis.ticktext == ("shape 1", "shape 2", "appearance 1", "appearance 2")


def test_a_face_is_found_without_landmarks(made):
    images, landmarks, _ = made
    space = FaceSpace.fit(images[:30], landmarks[:30], shape=3, appearance=3)
    found = space.search(images[30:])
    off = np.linalg.norm(found.landmarks - landmarks[30:], axis=2).mean(1)
    start = np.linalg.norm(space.landmarks(np.zeros((1, 6), np.float32)) - landmarks[30:], axis=2).mean(1)
    assert found.converged.all()
    assert np.median(off) < 0.3 < np.median(start)
    assert list(found.table().columns) == ["face", "converged", "iterations", "residual", "scale", "angle", "x", "y"]
    assert "10 of 10 faces converged" in repr(found)
    assert len(found.figure().data) == 2
    assert np.array_equal(space.encode(images[30:]), found.coordinates)


def test_a_search_that_does_not_end_says_so(made):
    images, landmarks, _ = made
    space = FaceSpace.fit(images, landmarks, shape=3, appearance=3)
    assert not space.search(images[:1], iterations=1, tolerance=1e-9).converged.any()
    lost = space.search(images[:1], iterations=1, tolerance=1e-9)
    with pytest.warns(UserWarning, match=r"1 of 1 faces did not converge \(numbers 0\)"):
        warn_of(lost)


def test_kept_and_brought_back(space, tmp_path):
    space.save(tmp_path / "kept")
    space.save(tmp_path / "kept")
    back = FaceSpace.load(tmp_path / "kept")
    assert {p.name for p in (tmp_path / "kept").iterdir()} == {"arrays.safetensors", "space.json"}
    assert np.array_equal(back.decode(space.sample(2)), space.decode(space.sample(2)))
    assert repr(back) == repr(space)


def _break(folder, how):
    if how == "bytes":
        path = folder / "arrays.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"\0\1")
    elif how == "schema":
        path = folder / "space.json"
        path.write_text(path.read_text().replace('"schema": 1', '"schema": 9'))
    elif how == "field":
        path = folder / "space.json"
        path.write_text(path.read_text().replace('"noise"', '"noises"'))
    else:
        (folder / "space.json").unlink()


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ("bytes", r"kept/arrays\.safetensors is corrupt \(checksum\)"),
        ("schema", "no face space of schema 1"),
        ("field", r"kept/space\.json is damaged in .*noise"),
        ("gone", r"kept/space\.json is missing; this is not a complete face space"),
    ],
)
def test_damage_is_named(space, tmp_path, how, match):
    space.save(tmp_path / "kept")
    _break(tmp_path / "kept", how)
    with pytest.raises(StoreError, match=match):
        FaceSpace.load(tmp_path / "kept")


def test_a_place_that_cannot_be_written(space, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="kept could not be written"):
        space.save(tmp_path / "file" / "kept")


def test_pixel_components_are_scikit_learns(made):
    from sklearn.decomposition import PCA

    images = made[0]
    space = PixelSpace.fit(images, 5)
    other = PCA(5, svd_solver="full").fit(images.reshape(40, -1).astype(float))
    assert np.allclose(space.variances, other.explained_variance_, rtol=1e-4)
    expected = other.transform(images.reshape(40, -1).astype(float))
    assert np.abs(np.abs(space.encode(images)) - np.abs(expected)).max() < 1e-2
    assert (
        np.abs(space.decode(space.encode(images)) - other.inverse_transform(expected).reshape(images.shape)).max()
        < 0.05
    )
    assert "5 components of 24x24" in repr(space)
    assert space.table()["share_of_kept"].sum() == pytest.approx(1)
    c = torch.zeros(1, 5, requires_grad=True)
    space.decode(c).sum().backward()
    assert c.grad is not None


def test_held_out_faces(made):
    images, landmarks, _ = made
    got = held_out(images, landmarks, (1, 3), folds=4)
    assert (got.landmark_error[:, 1] < got.landmark_error[:, 0]).mean() > 0.9
    assert got.pixel_error[:, 1].mean() < 0.5 * got.pixel_error[:, 0].mean()
    assert got.pixel_error[:, 1].mean() < got.pixels_alone[:, 1].mean()  # the faces are made of shape and appearance
    assert list(got.table()["components"]) == [1, 3]
    assert len(got.figure().data) == 2
    assert "40 faces; 3 + 3 components" in repr(got)


def test_recognized():
    gallery = np.array([[0.0, 0], [1, 0], [0, 100]])
    assert recognized(gallery, gallery + 0.1, [0, 1, 2]).all()
    assert list(recognized(gallery, [[0.7, 60.0]], [1])) == [True]
    assert list(recognized(gallery, [[0.7, 60.0]], [1], spread=[1000, 1])) == [False]


def test_montage_and_picture():
    x = np.arange(3 * 4 * 5, dtype=np.float32).reshape(3, 4, 5)
    placed = montage(x, 2, low=0, high=59)
    assert placed.shape == (8, 10, 3)
    assert placed[0, 0, 0] == 0
    assert placed[3, 9, 0] == round(39 / 59 * 255)
    assert (placed[4:, 5:] == 0).all()
    assert montage(x / 60, 3).max() == 251
    figure = image_figure(placed, ["a", "b"], ["c"])
    assert figure.data[0].source.startswith("data:image/png;base64,")
    assert list(figure.layout.xaxis.tickvals) == [2.5, 7.5]


def test_one_component_too_many_is_named():
    rows = np.outer(np.arange(5.0), [1, 2, 3])
    assert principal(rows, 1, "shape").variances == pytest.approx([2.5 * 14])
    with pytest.raises(InputError, match="shape is 2; 5 faces hold 1 to 1 components"):
        principal(rows, 2, "shape")


IMAGES, POINTS = np.random.default_rng(0).random((6, 8, 8)), np.random.default_rng(1).random((6, 5, 2)) * 8
LINE = np.repeat(np.linspace(1, 6, 5)[None, :, None], 2, axis=2) + np.zeros((6, 1, 1))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda s: FaceSpace.fit(IMAGES[0], POINTS), r"images have shape \[8, 8\]; needed"),
        (lambda s: FaceSpace.fit(IMAGES[:, None].repeat(6, 1), POINTS), "channels come last, 1 to 4"),
        (lambda s: FaceSpace.fit(IMAGES * np.nan, POINTS), "images holds 384 values that are NaN"),
        (lambda s: FaceSpace.fit(IMAGES, POINTS[:5]), "landmarks are of 5 faces, images of 6"),
        (lambda s: FaceSpace.fit(IMAGES, POINTS[..., 0]), r"landmarks has shape \[6, 5\]"),
        (lambda s: FaceSpace.fit(IMAGES[:2], POINTS[:2]), "images hold 2 faces; a space needs 3"),
        (
            lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2, normalize="scale"),
            "unknown normalization 'scale'.*procrustes",
        ),
        (lambda s: FaceSpace.fit(IMAGES, POINTS, shape=9, appearance=2), "shape is 9; 6 faces hold 1 to"),
        (lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=6), "appearance is 6; 6 faces hold 1 to 5"),
        (lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2, mask="oval"), "unknown mask 'oval'"),
        (
            lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2, mask=[1, 9, 2]),
            r"mask names landmarks \[1, 9, 2\]; needed",
        ),
        (
            lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2, mask=np.zeros((8, 8), bool)),
            "bool and 0 pixels",
        ),
        (
            lambda s: FaceSpace.fit(IMAGES, POINTS, shape=2, appearance=2, mask=np.ones((8, 7), bool)),
            r"mask has shape \[8, 7\]",
        ),
        (
            lambda s: FaceSpace.fit(IMAGES, POINTS - 90, shape=2, appearance=2),
            "100% of the landmarks lie outside the 8x8 pictures",
        ),
        (
            lambda s: FaceSpace.fit(np.tile(IMAGES, (1, 1, 5)), POINTS * [4, 1], shape=2, appearance=2).encode(
                np.tile(IMAGES, (1, 1, 5)), (POINTS * [4, 1])[..., ::-1]
            ),
            "as .y, x. they would lie inside",
        ),
        (lambda s: s.encode(np.zeros((2, 24, 24)), np.zeros((2, 15, 2))), "landmarks are 15 a face; this space has 16"),
        (lambda s: s.decode(np.zeros((2, 5))), r"coordinates has shape \[2, 5\]"),
        (lambda s: s.decode(np.full((1, 6), np.nan)), "coordinates holds 6 values that are NaN"),
        (lambda s: s.decode(np.zeros((1, 6)), np.zeros(3)), r"pose has shape \[3\]"),
        (lambda s: s.sample(0), "n is 0; needed: an integer, at least 1"),
        (
            lambda s: s.search(np.zeros((2, 24, 24)), start=np.zeros((3, 4))),
            r"start has shape \[3, 4\]; needed: \[4\] or \[2, 4\]",
        ),
        (
            lambda s: s.search(np.zeros((1, 24, 24)), iterations=0),
            "iterations is 0; needed: an integer, at least 1",
        ),
        (lambda s: PixelSpace.fit(IMAGES[0]), r"images have shape \[8, 8\]"),
        (lambda s: PixelSpace.fit(IMAGES, 2).encode(IMAGES[:, :7]), r"images are \[7, 8\], this space is of \[8, 8\]"),
        (lambda s: PixelSpace.fit(IMAGES, 2).decode(np.zeros((1, 3))), r"coordinates has shape \[1, 3\]"),
        (lambda s: held_out(IMAGES, POINTS, 1, folds=7), "folds is 7 for 6 faces"),
        (lambda s: recognized(np.zeros((3, 2)), np.zeros((3, 1)), [0, 1, 2]), r"gallery \[3, 2\], probes \[3, 1\]"),
        (lambda s: montage(np.zeros((0, 3, 3))), r"images have shape \[0, 3, 3\]"),
        (lambda s: montage(np.zeros((2, 3, 3, 1))), r"images have shape \[2, 3, 3, 1\]"),
    ],
)
def test_wrong_use(space, call, match):
    with pytest.raises(InputError, match=match):
        call(space)


def test_it_is_reached_from_the_package():
    assert dt.faces.FaceSpace is FaceSpace
