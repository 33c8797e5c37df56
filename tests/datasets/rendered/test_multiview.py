"""The rendered set: against a picture made by walking along rays, and the grid that it promises."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.datasets import multiview
from deeptheory.datasets.rendered import rendering
from deeptheory.datasets.rendered.solids import BOX, CYLINDER, ELLIPSOID, KINDS, Solid, solid
from oracles import rays


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("azimuth", "elevation", "lamp"), [(0, 30, 0), (60, 45, 1), (200, 70, 4)])
def test_a_picture_is_that_of_a_walk_along_its_rays(kind, azimuth, elevation, lamp):
    it = solid(kind, 3)
    ours = rendering.render(it, azimuth, elevation, lamp, 14, samples=1)
    theirs = rays.picture(
        it, azimuth, elevation, rendering.LAMPS[lamp], 14, rendering._PAINT, rendering._GROUND, rendering._REACH
    )
    close = np.abs(ours - theirs) <= 2
    assert close.mean() > 0.97, np.argwhere(~close)  # a ray that grazes an edge may fall on either side of it


def test_a_ball_is_a_disc_and_is_shaded_by_lambert():
    ball = Solid(np.array([ELLIPSOID]), np.zeros((1, 3)), 0.8 * np.eye(3)[None])
    picture = rendering.render(ball, 33, 50, 3, 64, samples=1).astype(float)
    ground = picture[0, 0]
    share = (picture != ground).mean() * (2 * rendering._REACH) ** 2
    assert share == pytest.approx(np.pi * 0.64, rel=0.02)
    assert np.array_equal(
        picture, rendering.render(ball, 250, 50, 3, 64, samples=1)
    )  # a ball looks the same from all sides


@pytest.mark.parametrize(("kind", "area"), [(BOX, 4.0), (CYLINDER, np.pi)])
def test_from_above_a_box_is_a_square_and_a_rod_a_disc(kind, area):
    it = Solid(np.array([kind]), np.zeros((1, 3)), 0.6 * np.eye(3)[None])
    picture = rendering.render(it, 0, 90, 2, 80, samples=1)
    assert (picture != picture[0, 0]).mean() * (2 * rendering._REACH) ** 2 == pytest.approx(0.36 * area, rel=0.02)


def test_every_solid_fits_into_its_picture():
    for kind in KINDS:
        for instance in range(6):
            for azimuth in (0, 100, 240):
                picture = rendering.render(solid(kind, instance), azimuth, 40, 0, 40)
                edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
                assert len(np.unique(edge)) == 1, (kind, instance, azimuth)
                assert (picture != edge[0]).mean() > 0.03


def test_the_grid_is_smallnorbs():
    data = multiview(None, size=8, instances=2, elevations=(30,), lights=(0,), stereo=False)
    assert data.images.shape == (5 * 2 * 18, 1, 8, 8)
    assert sorted(set(data.azimuth.tolist())) == list(range(0, 360, 20))
    assert len({*zip(data.labels, data.instance, data.azimuth)}) == 180
    assert (data.train == (data.instance == 0)).all()
    table = data.table()
    assert table["pictures"].tolist() == [36] * 5
    assert table["azimuths"].tolist() == [18] * 5
    assert "Views(multiview, 180 of 1x8x8, 5 classes, from generated)" in repr(data)
    some = data.select(data.azimuth < 60)
    assert set(some.azimuth.tolist()) == {0, 20, 40}
    assert len(some.images) == 30
    assert some.name == "multiview"


def test_a_picture_depends_on_seed_kind_instance_and_viewpoint_alone():
    few = multiview(60, size=12, seed=3)
    again = multiview(60, size=12, seed=3)
    assert np.array_equal(few.images, again.images)
    whole = multiview(
        None, size=12, seed=3, azimuths=few.azimuth[:1], elevations=few.elevation[:1], lights=few.light[:1]
    )
    row = (whole.labels == few.labels[0]) & (whole.instance == few.instance[0])
    assert np.array_equal(whole.images[row][0], few.images[0])
    assert not np.array_equal(few.images, multiview(60, size=12, seed=4).images)
    assert np.bincount(few.labels).tolist() == [12] * 5


def test_two_eyes_see_nearly_the_same():
    data = multiview(40, size=24)
    left, right = data.images[:, 0].astype(float), data.images[:, 1].astype(float)
    differ = np.abs(left - right).mean((1, 2))
    assert (differ > 0).all()
    assert differ.mean() < np.abs(left - left[::-1]).mean()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: multiview(10, size=4), "size is 4"),
        (lambda: multiview(0), "n is 0; the grid holds 48600"),
        (lambda: multiview(48601), "n is 48601"),
        (lambda: multiview(10, azimuths=()), "the grid is empty: 10 instances, 0 azimuths"),
        (lambda: multiview(10, instances=0), "the grid is empty: 0 instances"),
        (lambda: multiview(10, lights=(6,)), "lights run from 6 to 6; there are 0 to 5"),
        (lambda: solid("boat", 0), "unknown kind of solid 'boat'"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
