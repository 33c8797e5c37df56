"""Digits moved, bent and overlaid: what is promised about each, on digits drawn by the tests."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.datasets import center_crop, color_jitter, multi_digit, random_affine, random_crop, random_shift

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
    out = random_shift(IMAGES, seed=g(), pad=5, max_shift=3)
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
    out = random_shift(IMAGES, seed=g(1), pad=0, max_shift=6)
    assert out.shape == IMAGES.shape
    assert (out.sum((1, 2)) <= IMAGES.sum((1, 2))).all()
    assert (out.sum((1, 2)) < IMAGES.sum((1, 2))).any()
    assert np.array_equal(random_shift(IMAGES, seed=g(), pad=0, max_shift=0), IMAGES)


def test_affine_with_nothing_drawn_is_the_picture_in_the_middle():
    out = random_affine(IMAGES, seed=g(), size=22, rotation=0, shear=0, scale=(1, 1), shift=0)
    wide = np.zeros((30, 22, 22))
    wide[:, 5:17, 6:16] = IMAGES
    assert np.array_equal(out, wide)


def test_affine_turns_and_stretches():
    bar = np.zeros((1, 21, 21), np.uint8)
    bar[0, 10, 2:19] = 255
    kept = {"rotation": 0, "shear": 0, "shift": 0}
    turned = random_affine(np.repeat(bar, 200, 0), seed=g(), size=31, **{**kept, "rotation": 20}, scale=(1, 1))
    rows = [np.nonzero(t.sum(1))[0] for t in turned]
    rise = np.array([r.max() - r.min() for r in rows])
    assert 4 <= rise.max() <= 7.5  # 16 sin(20 degrees) = 5.5, and a pixel for interpolation
    wide = random_affine(np.repeat(bar, 50, 0), seed=g(), size=31, scale=(1.2, 1.2), **kept)
    length = [(w.max(0) > 100).sum() for w in wide]
    assert all(18 <= n <= 21 for n in length)  # 16 * 1.2 + 1 = 20.2
    other = random_affine(np.repeat(bar, 50, 0), seed=g(1), size=31, scale=(0.8, 0.8), **kept)
    assert all(12 <= (w.max(0) > 100).sum() <= 15 for w in other)


def test_affine_keeps_its_ink_and_goes_everywhere():
    many = np.repeat(IMAGES[:1], 400, 0)
    out = random_affine(many, seed=g(), size=40)
    edge = [out[:, 0], out[:, -1], out[:, :, 0], out[:, :, -1]]
    assert sum(int(e.sum()) for e in edge) < 1e-5 * int(out.sum())  # a faint rim of interpolation
    mass = out.astype(float).sum((1, 2))
    middle = (out.astype(float).sum(2) * np.arange(40)).sum(1) / mass
    assert middle.min() < 8
    assert middle.max() > 31
    assert 0.6 < mass.mean() / IMAGES[0].sum() < 1.4


def test_overlaid_is_the_clipped_sum_of_two_classes():
    pairs = multi_digit(IMAGES, LABELS, 500, seed=g())
    assert pairs.images.shape == (500, 20, 18)
    assert (pairs.labels[:, 0] != pairs.labels[:, 1]).all()
    assert np.array_equal(pairs.images, np.minimum(pairs.sources.astype(int).sum(1), 255))
    assert pairs.images.max() == 255
    single = IMAGES.reshape(30, -1).astype(int).sum(1)
    assert np.isin(pairs.sources.astype(int).sum((2, 3)), single).all()
    assert 0 < pairs.overlap.mean() < 1
    assert "500 pairs on 20x18, boxes overlap by" in repr(pairs)
    assert list(pairs.table().columns) == ["first", "second", "overlap"]
    assert np.array_equal(multi_digit(IMAGES, LABELS, 500, seed=g()).images, pairs.images)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("most", [1.0, 0.25])
def test_two_pictures_of_floats_are_not_black(dtype, most):
    """Floats in [0, 1] were clipped at 255 and rounded to 0."""
    images = (IMAGES / 255 * most).astype(dtype)
    pairs = multi_digit(images, LABELS, 60, seed=g())
    assert pairs.images.dtype == dtype
    assert np.allclose(pairs.images, np.minimum(pairs.sources.sum(1), 1), atol=1e-6)
    whole = multi_digit(IMAGES, LABELS, 60, seed=g())
    assert np.allclose(pairs.sources * 255 / most, whole.sources, atol=1e-3)


def test_overlap_by_hand():
    from deeptheory.datasets import MultiDigit

    sources = np.zeros((2, 2, 8, 8), np.uint8)
    sources[:, 0, 1:5, 1:5] = 9
    sources[0, 1, 3:5, 3:7] = 9  # 2 x 2 of a box of 2 x 4
    sources[1, 1, 6:8, 6:8] = 9  # apart
    pairs = MultiDigit(images=sources.max(1), sources=sources, labels=np.zeros((2, 2), int))
    assert pairs.overlap.tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: random_shift(IMAGES[0], seed=g()), r"images has shape \[12, 10\]; it needs 3 axes"),
        (lambda: random_shift(IMAGES, seed=g(), pad=-1), "pad is -1"),
        (lambda: random_affine(IMAGES, seed=g(), size=11), "size is 11; the canvas holds pictures of 12x10"),
        (lambda: random_affine(IMAGES, seed=g(), scale=(1.2, 0.8)), r"scale is \(1.2, 0.8\)"),
        (lambda: random_affine(IMAGES, seed=g(), scale=(0, 1)), r"scale is \(0, 1\)"),
        (lambda: multi_digit(IMAGES, LABELS[:3], 5, seed=g()), "labels has shape"),
        (lambda: multi_digit(IMAGES, LABELS, 0, seed=g()), "n is 0"),
        (lambda: multi_digit(IMAGES, np.zeros(30), 5, seed=g()), "labels hold one class"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_crop_is_a_square_of_each_on_its_own():
    images = np.arange(40 * 2 * 9 * 8).reshape(40, 2, 9, 8)
    middle = center_crop(images, 4)
    assert np.array_equal(middle, images[:, :, 2:6, 2:6])
    out = random_crop(images, 4, seed=g())
    assert out.shape == (40, 2, 4, 4)
    places = {((o - i).min(), (o - i).max()) for o, i in zip(out, images[:, :, :4, :4])}
    assert len(places) > 10
    for low, high in places:
        assert low == high  # whole pixels, the same for both channels
    with pytest.raises(InputError, match="size is 9; from images of 9x8 squares of 1 to 8"):
        center_crop(images, 9)


def test_color_jitter_changes_brightness_and_contrast_and_stays_within_the_pixels():
    images = np.full((300, 2, 6, 6), 0.5, np.float32)
    images[:, :, ::2] = 0.6
    out = color_jitter(images, seed=g())
    assert out.dtype == np.float32
    assert 0 <= out.min() <= out.max() <= 1
    contrast = (out[:, 0, 0, 0] - out[:, 0, 1, 0]) / 0.1
    assert contrast.min() < 0.4
    assert contrast.max() > 1.6
    means = out.mean((1, 2, 3))
    assert means.min() < 0.35
    assert means.max() > 0.75
    assert np.array_equal(out[:, 0], out[:, 1])


def _forms(torch, call):
    x = torch.as_tensor(IMAGES / 255)
    return {d: call(x.to(d)) for d in (torch.bfloat16, torch.float16, torch.float32, torch.float64)}


@pytest.mark.parametrize(
    "call",
    [
        lambda x: random_shift(x, seed=0),
        lambda x: random_affine(x, seed=0),
        lambda x: center_crop(x, 4),
        lambda x: random_crop(x, 4, seed=0),
        lambda x: color_jitter(x[:, None], seed=0),
    ],
)
def test_tensors_keep_their_dtype(call):
    """bfloat16 came back as float32, uint16 as int64."""
    import torch

    for dtype, out in _forms(torch, call).items():
        assert out.dtype == dtype
    bytes_ = torch.as_tensor(IMAGES.astype(np.uint16))
    assert random_shift(bytes_, seed=0).dtype == random_crop(bytes_, 3, seed=0).dtype == torch.uint16


def test_what_is_done_to_a_crop_leaves_the_images_alone():
    import torch

    for images in (IMAGES.copy(), torch.as_tensor(IMAGES.copy())):
        crop = center_crop(images, 4)
        crop[:] = 255
        assert np.array_equal(np.asarray(images), IMAGES)


def test_far_shifts_need_no_canvas():
    """The canvas was max_shift wider on all sides: 10,000 on one picture were 3.2 GB."""
    out = random_shift(IMAGES, seed=g(2), max_shift=10**6)
    assert out.shape == IMAGES.shape
    near = random_shift(IMAGES, seed=g(2), pad=3, max_shift=9)
    top, left = g(2).integers(0, 19, (2, 30))
    wide = np.zeros((30, 12 + 24, 10 + 24), np.uint8)
    wide[:, 12:24, 12:22] = IMAGES
    for k in range(30):
        assert np.array_equal(near[k], wide[k, top[k] : top[k] + 18, left[k] : left[k] + 16])


def test_faint_pictures_are_moved_like_bright_ones():
    """In float32, 1e-50 was 0."""
    x = IMAGES / 255
    faint = random_affine(x * 1e-50, seed=0, size=20)
    assert np.allclose(faint * 1e50, random_affine(x, seed=0, size=20), atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_strongest_jitter_is_black_and_white(dtype):
    images = np.full((50, 2, 4, 4), 0.5, dtype)
    images[:, :, 0] = 0.25
    out = color_jitter(images, seed=0, brightness=1e4, contrast=(0, 1e4))
    assert np.isfinite(out).all()
    assert 0 <= out.min() <= out.max() <= 1


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: color_jitter(IMAGES[:, None] / 255, seed=0, brightness=1e39), "brightness is 1e.39"),
        (lambda: color_jitter(IMAGES[:, None] / 255, seed=0, brightness=1e308), "brightness is 1e.308"),
        (lambda: color_jitter(IMAGES[:, None] / 255, seed=0, contrast=(0, 1e39)), "contrast .0.0, 1e.39."),
        (lambda: random_shift(IMAGES, seed=0, max_shift=2**62), "max_shift 4611686018427387904; needed: at most"),
        (lambda: random_shift(IMAGES, seed=0, pad=10**9), "pad is 1000000000"),
        (lambda: random_shift([[[1, 2], [3]]], seed=0), "lists of several lengths"),
        (lambda: multi_digit(IMAGES, np.full(30, np.nan), 5, seed=0), "labels hold one class"),
    ],
)
def test_what_overflowed_is_refused(call, match):
    """Brightness of 1e39 made pictures of NaN; the others were errors of numpy."""
    with pytest.raises(InputError, match=match):
        call()


def test_labels_that_are_nan_are_one_class():
    labels = np.where(np.arange(30) % 3, np.nan, 1.0)
    pairs = multi_digit(IMAGES, labels, 300, seed=0).labels
    assert (np.isnan(pairs).sum(1) == 1).all()


def test_a_class_of_one_is_drawn_without_waiting():
    """Second digits were drawn until one of them was the only one: hours, for one in millions."""
    images, labels = np.zeros((400_000, 1, 1), np.uint8), np.zeros(400_000, int)
    labels[7] = 1
    pairs = multi_digit(images, labels, 300, seed=0, pad=0, max_shift=0)
    assert (pairs.labels.sum(1) == 1).all()
