"""Digits moved, bent and overlaid: what is promised about each, on digits drawn by the tests."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.datasets import affine, cropped, overlaid, relit, shifted

LABELS = np.arange(30) % 3


def _blots():
    images = np.zeros((30, 12, 10), np.uint8)
    images[:, 3:9, 2:7] = 40 + 7 * np.arange(30)[:, None, None].astype(np.uint8)
    images[:, 4, 3] = 250
    return images


IMAGES = _blots()


def g(seed=0):
    return np.random.default_rng(seed)


def test_shifted_is_a_shift_of_each_on_its_own():
    out = shifted(IMAGES, g(), pad=5, max_shift=3)
    assert out.shape == (30, 22, 20)
    seen = set()
    for before, after in zip(IMAGES, out):
        places = [
            (r, c) for r in range(2, 9) for c in range(2, 9) if np.array_equal(after[r : r + 12, c : c + 10], before)
        ]
        assert len(places) == 1
        assert after.sum() == before.sum()
        seen.add(places[0])
    assert len(seen) > 15
    assert {r for r, _ in seen} == set(range(2, 9)) == {c for _, c in seen}


def test_what_is_moved_off_the_canvas_is_lost():
    out = shifted(IMAGES, g(1), pad=0, max_shift=6)
    assert out.shape == IMAGES.shape
    assert (out.sum((1, 2)) <= IMAGES.sum((1, 2))).all()
    assert (out.sum((1, 2)) < IMAGES.sum((1, 2))).any()
    assert np.array_equal(shifted(IMAGES, g(), pad=0, max_shift=0), IMAGES)


def test_affine_with_nothing_drawn_is_the_picture_in_the_middle():
    out = affine(IMAGES, g(), size=22, rotation=0, shear=0, scale=(1, 1), shift=0)
    wide = np.zeros((30, 22, 22))
    wide[:, 5:17, 6:16] = IMAGES
    assert np.array_equal(out, wide)


def test_affine_turns_and_stretches():
    bar = np.zeros((1, 21, 21), np.uint8)
    bar[0, 10, 2:19] = 255
    kept = {"rotation": 0, "shear": 0, "shift": 0}
    turned = affine(np.repeat(bar, 200, 0), g(), size=31, **{**kept, "rotation": 20}, scale=(1, 1))
    rows = [np.nonzero(t.sum(1))[0] for t in turned]
    rise = np.array([r.max() - r.min() for r in rows])
    assert 4 <= rise.max() <= 7.5  # 16 sin(20 degrees) = 5.5, and a pixel for interpolation
    wide = affine(np.repeat(bar, 50, 0), g(), size=31, scale=(1.2, 1.2), **kept)
    length = [(w.max(0) > 100).sum() for w in wide]
    assert all(18 <= n <= 21 for n in length)  # 16 * 1.2 + 1 = 20.2
    other = affine(np.repeat(bar, 50, 0), g(1), size=31, scale=(0.8, 0.8), **kept)
    assert all(12 <= (w.max(0) > 100).sum() <= 15 for w in other)


def test_affine_keeps_its_ink_and_goes_everywhere():
    many = np.repeat(IMAGES[:1], 400, 0)
    out = affine(many, g(), size=40)
    edge = [out[:, 0], out[:, -1], out[:, :, 0], out[:, :, -1]]
    assert sum(int(e.sum()) for e in edge) < 1e-5 * int(out.sum())  # a faint rim of interpolation
    mass = out.astype(float).sum((1, 2))
    middle = (out.astype(float).sum(2) * np.arange(40)).sum(1) / mass
    assert middle.min() < 8
    assert middle.max() > 31
    assert 0.6 < mass.mean() / IMAGES[0].sum() < 1.4


def test_overlaid_is_the_clipped_sum_of_two_classes():
    pairs = overlaid(IMAGES, LABELS, 500, g())
    assert pairs.images.shape == (500, 20, 18)
    assert (pairs.labels[:, 0] != pairs.labels[:, 1]).all()
    assert np.array_equal(pairs.images, np.minimum(pairs.sources.astype(int).sum(1), 255))
    assert pairs.images.max() == 255
    single = IMAGES.reshape(30, -1).astype(int).sum(1)
    assert np.isin(pairs.sources.astype(int).sum((2, 3)), single).all()
    assert 0 < pairs.overlap.mean() < 1
    assert "500 pairs on 20x18, boxes overlap by" in repr(pairs)
    assert list(pairs.table().columns) == ["first", "second", "overlap"]
    assert np.array_equal(overlaid(IMAGES, LABELS, 500, g()).images, pairs.images)


def test_overlap_by_hand():
    from deeptheory.datasets import Overlaid

    sources = np.zeros((2, 2, 8, 8), np.uint8)
    sources[:, 0, 1:5, 1:5] = 9
    sources[0, 1, 3:5, 3:7] = 9  # 2 x 2 of a box of 2 x 4
    sources[1, 1, 6:8, 6:8] = 9  # apart
    pairs = Overlaid(images=sources.max(1), sources=sources, labels=np.zeros((2, 2), int))
    assert pairs.overlap.tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: shifted(IMAGES[0], g()), r"images has shape \[12, 10\]; it needs 3 axes"),
        (lambda: shifted(IMAGES, g(), pad=-1), "pad is -1"),
        (lambda: affine(IMAGES, g(), size=11), "size is 11; the canvas holds pictures of 12x10"),
        (lambda: affine(IMAGES, g(), scale=(1.2, 0.8)), r"scale is \(1.2, 0.8\)"),
        (lambda: affine(IMAGES, g(), scale=(0, 1)), r"scale is \(0, 1\)"),
        (lambda: overlaid(IMAGES, LABELS[:3], 5, g()), "labels has shape"),
        (lambda: overlaid(IMAGES, LABELS, 0, g()), "count is 0"),
        (lambda: overlaid(IMAGES, np.zeros(30), 5, g()), "labels hold one class"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_cropped_is_a_square_of_each_on_its_own():
    images = np.arange(40 * 2 * 9 * 8).reshape(40, 2, 9, 8)
    middle = cropped(images, 4)
    assert np.array_equal(middle, images[:, :, 2:6, 2:6])
    out = cropped(images, 4, g())
    assert out.shape == (40, 2, 4, 4)
    places = {((o - i).min(), (o - i).max()) for o, i in zip(out, images[:, :, :4, :4])}
    assert len(places) > 10
    for low, high in places:
        assert low == high  # whole pixels, the same for both channels
    with pytest.raises(InputError, match="size is 9; of pictures of 9x8 squares of 1 to 8"):
        cropped(images, 9)


def test_relit_changes_brightness_and_contrast_and_stays_within_the_pixels():
    images = np.full((300, 2, 6, 6), 0.5, np.float32)
    images[:, :, ::2] = 0.6
    out = relit(images, g())
    assert out.dtype == np.float32
    assert 0 <= out.min() <= out.max() <= 1
    contrast = (out[:, 0, 0, 0] - out[:, 0, 1, 0]) / 0.1
    assert contrast.min() < 0.4
    assert contrast.max() > 1.6
    means = out.mean((1, 2, 3))
    assert means.min() < 0.35
    assert means.max() > 0.75
    assert np.array_equal(out[:, 0], out[:, 1])
