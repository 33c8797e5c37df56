"""Procedural faces: every factor does what its name says, one seed is one face, and the raster is that of a slow
one.
"""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.faces import FaceSpace, ProceduralFaces
from deeptheory.faces.procedural import LIGHT, POSE, directions, rotations
from oracles import faces as oracle

ZERO = np.zeros((1, 25))


@pytest.fixture(scope="module")
def faces():
    return ProceduralFaces(48)


def _one(name, names, value=1.5):
    out = np.zeros((1, 25))
    out[0, names.index(name)] = value
    return out


def test_what_a_sample_holds(faces):
    images, landmarks, latents = faces.sample(3, 7, images_per_face=2, pose="near", light="any")
    assert images.shape == (6, 48, 48)
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert landmarks.shape == (6, 58, 2)
    shapes = {k: v.shape for k, v in latents.items()}
    assert shapes == {
        "shape": (6, 25),
        "appearance": (6, 25),
        "pose": (6, len(POSE)),
        "light": (6, len(LIGHT)),
        "identity": (6,),
    }
    assert latents["identity"].tolist() == [0, 0, 1, 1, 2, 2]
    assert np.array_equal(latents["shape"][0], latents["shape"][1])
    assert not np.array_equal(latents["light"][0], latents["light"][1])
    assert ProceduralFaces(48, color=True).sample(1).images.shape == (1, 48, 48, 3)


def test_one_seed_is_one_face_however_many_are_drawn(faces):
    many, few, later = faces.sample(5, 3), faces.sample(2, 3), faces.sample(2, 3, first=3)
    assert np.array_equal(many.images[:2], few.images)
    assert np.array_equal(many.images[3:], later.images)
    assert not np.allclose(many.images[0], faces.sample(1, 4).images[0], atol=0.05)
    posed = faces.sample(70, 3, images_per_face=2, pose="near", light="any")
    assert np.array_equal(
        posed.images[-2:], faces.sample(1, 3, images_per_face=2, pose="near", light="any", first=69).images
    )
    again = faces.render(many.latents["shape"], many.latents["appearance"])
    assert np.array_equal(again.images, many.images)


def test_latents_are_standard_normal(faces):
    latents = ProceduralFaces(16).sample(400, 0).latents
    for block in ("shape", "appearance"):
        assert np.abs(latents[block].mean(0)).max() < 0.25
        assert latents[block].std() == pytest.approx(1, abs=0.03)


def test_frontal_landmarks_are_linear_in_the_shape_latents(faces):
    a, b = np.random.default_rng(0).standard_normal((2, 1, 25))
    at = [faces.render(s, ZERO).landmarks for s in (ZERO, a, b, 2 * a - 3 * b)]
    assert np.abs(at[3] - (at[0] + 2 * (at[1] - at[0]) - 3 * (at[2] - at[0]))).max() < 1e-9
    assert np.array_equal(faces.render(a, ZERO).landmarks, faces.render(a, 0 * ZERO + 1).landmarks)


@pytest.mark.parametrize("name", ProceduralFaces.shape_names)
def test_every_shape_latent_changes_the_head(faces, name):
    other = faces.render(_one(name, faces.shape_names), ZERO, pose=np.array([35.0, 0, 0, 0, 0, 1]))
    mean = faces.render(ZERO, ZERO, pose=np.array([35.0, 0, 0, 0, 0, 1]))
    assert np.abs(other.images - mean.images).max() > 0.03
    assert np.abs(other.landmarks - mean.landmarks).max() > 0.15


@pytest.mark.parametrize("name", ProceduralFaces.appearance_names)
def test_every_appearance_latent_changes_colors_alone(name):
    faces = ProceduralFaces(48, color=True)
    other, mean = faces.render(ZERO, _one(name, faces.appearance_names)), faces.render(ZERO, ZERO)
    assert np.abs(other.images - mean.images).max() > 0.02
    assert np.array_equal(other.landmarks, mean.landmarks)


def test_named_factors_do_what_they_say(faces):
    mean = faces.render(ZERO, ZERO)

    def moved(name):
        return faces.render(_one(name, faces.shape_names), ZERO).landmarks[0] - mean.landmarks[0]

    pupils, corners, chin = (29, 36), (46, 47), 0
    apart = moved("eyes apart")
    assert apart[pupils[0], 0] < -0.3 < 0.3 < apart[pupils[1], 0]
    assert moved("lower face length")[chin, 1] > 1
    assert moved("mouth corners")[list(corners), 1].max() < -0.2  # up
    assert moved("nose forward")[:, :].max() < 1e-9  # straight from in front nobody sees it
    dark = faces.render(ZERO, _one("skin light", faces.appearance_names, -2)).images[0]
    x, y = mean.landmarks[0, 38].round().astype(int)  # on the bridge of the nose
    assert dark[y, x] < mean.images[0, y, x] - 0.1


def test_landmarks_lie_on_what_they_name():
    faces = ProceduralFaces(256, color=True)
    picture, points, _ = faces.render(ZERO, ZERO)
    gray, at = picture[0].mean(-1), points[0].round().astype(int)

    def value(k):
        return gray[at[k, 1], at[k, 0]]

    assert value(29) < 0.15  # pupils
    assert value(36) < 0.15
    assert value(38) > 0.5  # nose
    assert max(value(15), value(20)) < value(38) - 0.1  # brows
    red = picture[0, at[53, 1] - 3, at[53, 0]]
    assert red[0] > 1.3 * red[1]  # lips


def test_turning_the_head(faces):
    left, front, right = (faces.render(ZERO, ZERO, pose=np.array([y, 0, 0, 0, 0, 1.0])) for y in (-40, 0, 40))
    tip = 41
    assert left.landmarks[0, tip, 0] < front.landmarks[0, tip, 0] - 4
    assert right.landmarks[0, tip, 0] > front.landmarks[0, tip, 0] + 4
    assert np.abs(front.images[0] - front.images[0, :, ::-1])[:, 4:-4].mean() < 0.06
    mirrored = faces.render(ZERO, ZERO, pose=np.array([40.0, 0, 0, 0, 0, 1]), light=np.array([0, 0, 1.0, 1]))
    other = faces.render(ZERO, ZERO, pose=np.array([-40.0, 0, 0, 0, 0, 1]), light=np.array([0, 0, 1.0, 1]))
    assert np.abs(mirrored.images[0] - other.images[0, :, ::-1]).mean() < 0.004
    up = faces.render(ZERO, ZERO, pose=np.array([0, 15.0, 0, 0, 0, 1]))
    assert up.landmarks[0, tip, 1] < front.landmarks[0, tip, 1] - 1
    turned = faces.render(ZERO, ZERO, pose=np.array([0, 0, 10.0, 0, 0, 1])).landmarks[0]
    assert turned[36, 1] > turned[29, 1] + 1  # clockwise: the eye on the right of the picture sinks
    away = faces.render(ZERO, ZERO, pose=np.array([0, 0, 0, 0.1, -0.05, 1])).landmarks - front.landmarks
    assert np.allclose(away, [4.8, -2.4])
    larger = faces.render(ZERO, ZERO, pose=np.array([0, 0, 0, 0, 0, 1.2])).landmarks
    assert np.ptp(larger, axis=1) == pytest.approx(1.2 * np.ptp(front.landmarks, axis=1))


def test_light_comes_from_where_it_is_said(faces):
    def halves(azimuth, elevation):
        picture = faces.render(ZERO, ZERO, light=np.array([azimuth, elevation, 0.1, 1.0])).images[0]
        return (
            picture[16:36, 8:22].mean(),
            picture[16:36, 26:40].mean(),
            picture[12:16, 16:32].mean(),
            picture[38:42, 18:30].mean(),
        )

    left, right, _, _ = halves(60, 0)
    assert right > 1.5 * left
    _, _, brow, chin = halves(0, 60)
    _, _, brow_below, chin_below = halves(0, -40)
    assert brow / chin > 1.2 * brow_below / chin_below
    twice = [faces.render(ZERO, ZERO, light=np.array([0, 0, 0.5, s])).images for s in (0.4, 0.8)]
    head = np.abs(twice[0] - 1 / 3) > 1e-3
    assert np.median(twice[1][head] / twice[0][head]) == pytest.approx(2, abs=0.05)


def test_rotations_are_rotations():
    r = rotations(np.random.default_rng(0).uniform(-90, 90, (10, 3)))
    assert np.abs(np.einsum("nij,nkj->nik", r, r) - np.eye(3)).max() < 1e-12
    assert np.allclose(np.linalg.det(r), 1)
    assert np.allclose(directions(np.array([0.0, 90]), np.array([0.0, 0])), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.slow
def test_the_raster_is_that_of_rays(faces):
    got = faces.render(ZERO, ZERO, pose=np.array([25.0, 5, 3, 0, 0, 1])).images[0]
    expected, sure = oracle.ray_traced_head(48, (25.0, 5, 3), (20.0, 35.0, 0.42, 1.12), 1 / 3)
    assert sure.mean() > 0.15
    off = np.abs(got - expected)[sure]
    assert off.max() < 0.16  # the rim of an iris, averaged over four points here and sixteen there
    assert np.quantile(off, 0.95) < 0.06
    assert np.median(off) < 0.01


def test_threads_do_not_change_a_bit(faces):
    import torch

    before, got = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            got.append(faces.sample(70, 0, images_per_face=2, light="any").images)
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(*got)


def test_a_face_space_of_them_spans_their_latents():
    """Frontal faces under even light: shape latents that can be seen from in front are found, and most colors."""
    faces = ProceduralFaces(40)
    images, landmarks, latents = faces.sample(400, 1, light=np.array([0, 0, 1.0, 0.9]))
    space = FaceSpace.fit(images[:300], landmarks[:300], shape=22, appearance=25, normalize="none", mask="all")
    got = space.encode(images, landmarks)
    for block, unseen in (("shape", {"head depth", "chin forward", "nose forward"}), ("appearance", set())):
        x = np.column_stack([got[:, space.blocks[block]], np.ones(400)])
        y = latents[block]
        fit = np.linalg.lstsq(x[:300], y[:300], rcond=None)[0]
        r2 = 1 - ((y - x @ fit)[300:] ** 2).sum(0) / (y[300:] ** 2).sum(0)
        names = getattr(faces, f"{block}_names")
        seen = np.array([n not in unseen for n in names])
        if block == "shape":
            assert (r2[seen] > 0.999).all()
            assert (r2[~seen] < 0.3).all()
        else:
            assert np.median(r2) > 0.6  # some are a pixel wide here
            strong = np.array([n in {"skin light", "hair light", "beard", "wave 1"} for n in names])
            assert (r2[strong] > 0.9).all()


def test_pixels_tell_people_apart_under_one_light_and_not_across_lights():
    faces, n = ProceduralFaces(64), 40
    one = faces.sample(n, 2, images_per_face=12, pose="near", light="fixed").images.reshape(n, 12, -1)
    lights = faces.sample(n, 2, images_per_face=12, pose="near", light="any").images.reshape(n, 12, -1)
    gallery, of = one[:, :6].reshape(6 * n, -1), np.repeat(np.arange(n), 6)

    def share(probes):
        squared = (gallery**2).sum(1)[None] - 2 * probes @ gallery.T
        return (of[squared.argmin(1)] == of).mean()

    assert share(one[:, 6:].reshape(6 * n, -1)) > 0.9
    assert share(lights[:, 6:].reshape(6 * n, -1)) < 0.6


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: ProceduralFaces(8), "size is 8; a face needs at least 16"),
        (lambda f: ProceduralFaces(background=85), "background is 85; needed: 0"),
        (lambda f: f.sample(0), "n is 0; needed: an integer, at least 1"),
        (lambda f: f.sample(1, -1), "seed is -1; needed: an integer, at least 0"),
        (lambda f: f.sample(1, pose="side"), "unknown pose 'side'. Known: frontal, near, any"),
        (lambda f: f.sample(1, light="dim"), "unknown light 'dim'"),
        (lambda f: f.sample(2, pose=np.zeros(5)), r"pose has shape \[5\]; needed: \[6\], \[2, 6\]"),
        (lambda f: f.sample(1, light=[0, 0, np.nan, 1]), "light holds 1 values that are NaN"),
        (lambda f: f.render(np.zeros((2, 25)), ZERO), "appearance has shape .* n is 1 here and 2 from shape"),
        (lambda f: f.render(np.zeros((1, 24)), ZERO), r"shape has shape \[1, 24\]"),
        (lambda f: f.render(ZERO * np.nan, ZERO), "shape holds 25 values that are NaN"),
    ],
)
def test_wrong_use(faces, call, match):
    with pytest.raises(InputError, match=match):
        call(faces)
