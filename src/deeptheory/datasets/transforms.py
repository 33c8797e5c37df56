"""Digits moved: put anywhere on a larger canvas, under small affine transformations, or two on top of each other.

These are the sets of Sabour, Frosst & Hinton 2017 made from any digits: expanded MNIST, a set like affNIST, and
MultiMNIST. All are drawn by `seed`, a number or a numpy generator, so that a training
draws fresh ones at each step and a test set is the same everywhere.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import as_numbers, as_numpy, is_torch, like
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import (
    check_finite,
    check_real,
    check_shapes,
    check_whole,
    codes_of,
    ends_of,
    generator_of,
    labels_of,
)

if TYPE_CHECKING:
    import pandas

Seed = int | np.random.Generator
_FARTHEST = 1e6  # beyond it a picture has no pixel left, and far beyond the matrix no inverse
_STRONGEST = 1e4  # of brightness and contrast: float16 holds it, and pixels are black or white long before
_ROUNDS = 1000  # of drawing second digits again
AFFINE = {"rotation": 20.0, "shear": 0.2, "scale": (0.8, 1.2)}  # degrees, and factors: affNIST's ranges (unverified)


@dataclass(frozen=True, kw_only=True, eq=False)
class MultiDigit(Result):
    """Pairs of digits of two classes, one over the other, as numpy arrays.

    images: [n, H, W], the sum clipped at white: 255 for uint8, 1 for floats. sources: [n, 2, H, W], both alone, where
    they stand. Both in the dtype of the digits. labels: [n, 2], in the order of sources.
    """

    images: np.ndarray
    sources: np.ndarray
    labels: np.ndarray

    def __repr__(self) -> str:
        n, h, w = self.images.shape
        return f"MultiDigit({n} pairs on {h}x{w}, boxes overlap by {100 * self.overlap.mean():.0f} % on average)"

    @property
    def overlap(self) -> np.ndarray:
        """[n] float64, 0 to 1: the area that both bounding boxes share, as a fraction of the smaller one's.

        A box holds all pixels above 0; 0 where a digit is all black.
        """
        boxes = np.stack([_boxes(self.sources[:, k]) for k in (0, 1)])  # [2, n, 4]: top, bottom, left, right
        top, left = boxes[..., 0].max(0), boxes[..., 2].max(0)
        bottom, right = boxes[..., 1].min(0), boxes[..., 3].min(0)
        area = ((boxes[..., 1] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 2])).min(0)
        return np.maximum(bottom - top, 0) * np.maximum(right - left, 0) / np.maximum(area, 1)

    def table(self) -> "pandas.DataFrame":
        """One row per pair: first, second (its labels) and overlap."""
        import pandas as pd

        return pd.DataFrame({"first": self.labels[:, 0], "second": self.labels[:, 1], "overlap": self.overlap})


def random_shift(images: Any, *, seed: Seed, pad: int = 0, max_shift: int = 2) -> Any:
    """Each image on black, `pad` pixels larger on every side, moved by whole pixels up to max_shift in each axis.

    images: [n, H, W], numpy or torch -> [n, H + 2 pad, W + 2 pad] in kind, same dtype and device, detached. The moves
    are uniform on -max_shift to max_shift, drawn by seed (an integer, or a numpy Generator, which goes on). pad 0,
    max_shift 2: the training of Sabour et al. 2017 on MNIST; pad 6, max_shift 6: their expanded MNIST on 40x40. What is
    moved off the canvas is lost; NaN is moved like a number. InputError: another shape, no numbers, pad or max_shift no
    integer from 0 to 1e6.
    """
    if is_torch(images):
        return _in_kind(random_shift(as_numpy(images), seed=seed, pad=pad, max_shift=max_shift), images)
    images = _moved_only(images)
    check_shapes(images=(images, "n h w"))
    check_whole(pad=(pad, 0), max_shift=(max_shift, 0))
    if max(pad, max_shift) > _FARTHEST:
        raise InputError(f"pad is {pad} and max_shift {max_shift}; needed: at most {_FARTHEST:g} pixels")
    n, h, w = images.shape
    top, left = generator_of(seed).integers(0, 2 * max_shift + 1, (2, n))
    rows = top[:, None] + np.arange(h + 2 * pad) - pad - max_shift  # of the image, for each of the canvas
    columns = left[:, None] + np.arange(w + 2 * pad) - pad - max_shift
    on = ((rows >= 0) & (rows < h))[:, :, None] & ((columns >= 0) & (columns < w))[:, None, :]
    out = np.zeros(on.shape, dtype=images.dtype)
    which, row, column = np.nonzero(on)
    out[on] = images[which, rows[which, row], columns[which, column]]
    return out


def random_affine(
    images: Any,
    *,
    seed: Seed,
    size: int = 40,
    rotation: float = AFFINE["rotation"],
    shear: float = AFFINE["shear"],
    scale: tuple[float, float] = AFFINE["scale"],
    shift: float | None = None,
) -> Any:
    """Each image under its own small affine transformation on a black canvas [n, size, size], after affNIST.

    Drawn uniformly by seed (an integer or a numpy Generator): rotation up to so many degrees either way, shear (a
    slope) up to so much either way, the height and the width each scaled by a factor within `scale`; then moved,
    uniformly over all places where the ink stays on the canvas (shift=None), or up to `shift` pixels in each axis from
    the center. Bilinear. images: [n, H, W], numpy or torch, uint8 or floats in [0, 1]; kind, device and dtype stay,
    bytes are rounded. The default ranges are affNIST's as remembered, unverified. InputError: another shape or kind of
    pixels, a size below that of the images, rotation, shear or shift below 0 or above 1e6, a scale beyond 1e-6 to 1e6
    or reversed.
    """
    from scipy.ndimage import affine_transform

    if is_torch(images):
        how = {"size": size, "rotation": rotation, "shear": shear, "scale": scale, "shift": shift}
        return _in_kind(random_affine(as_numpy(images), seed=seed, **how), images)
    images, white = _pixels(images)
    n, h, w = (check_shapes(images=(images, "n h w"))[k] for k in "nhw")
    check_whole(size=(size, 1))
    for name, reach in (("rotation", rotation), ("shear", shear), ("shift", 0 if shift is None else shift)):
        check_real(**{name: (reach, -np.inf)})
        if not 0 <= reach <= _FARTHEST:
            raise InputError(f"{name} is {reach}; needed: a number from 0 to {_FARTHEST:g}, either way")
    rotation, shear = abs(rotation), abs(shear)  # -0.0 is 0
    if size < max(h, w):
        raise InputError(f"size is {size}; the canvas holds pictures of {h}x{w}, so that it needs {max(h, w)} or more")
    low, high = ends_of("scale", scale)
    if not 1 / _FARTHEST <= low <= high <= _FARTHEST:
        raise InputError(f"scale is {scale}; needed: (least, largest), both from {1 / _FARTHEST:g} to {_FARTHEST:g}")
    generator = generator_of(seed)
    angle = np.deg2rad(generator.uniform(-rotation, rotation, n))
    slant = generator.uniform(-shear, shear, n)
    stretch = generator.uniform(low, high, (n, 2))
    place = generator.uniform(0, 1, (n, 2))
    faint = images.dtype.itemsize > 4 and images.max(initial=0) < 1e-30  # float32 would lose these
    exact = np.float64 if faint else np.float32
    out = np.zeros((n, size, size), dtype=images.dtype)
    middle = np.array([h - 1, w - 1]) / 2
    for k in range(n):
        turn = np.array([[np.cos(angle[k]), -np.sin(angle[k])], [np.sin(angle[k]), np.cos(angle[k])]])
        matrix = turn @ np.array([[1, 0], [slant[k], 1]]) @ np.diag(stretch[k])  # picture (row, column) -> canvas
        rows, columns = np.nonzero(images[k])
        ink = matrix @ (np.stack([rows, columns]) - middle[:, None]) if len(rows) else np.zeros((2, 1))
        least, most = 1 - ink.min(1), size - 2 - ink.max(1)  # one pixel of margin for the interpolation
        if shift is None:
            center = np.where(most > least, least + place[k] * (most - least), (least + most) / 2)
        else:
            center = (size - 1) / 2 + (2 * place[k] - 1) * shift
        back = np.linalg.inv(matrix)
        moved = affine_transform(images[k].astype(exact), back, middle - back @ center, (size, size), order=1)
        out[k] = np.clip(np.rint(moved) if white == 255 else moved, 0, white)
    return out


def multi_digit(
    images: Any,
    labels: Any,
    n: int,
    *,
    seed: Seed,
    pad: int = 4,
    max_shift: int = 4,
) -> MultiDigit:
    """MultiMNIST (Sabour et al. 2017): n pairs of digits of two classes, each moved on a canvas `pad` larger all round.

    images: [m, H, W], numpy or torch, uint8 or floats in [0, 1]; labels: [m] classes. Returns numpy arrays [n, H + 2
    pad, W + 2 pad]. Both digits of a pair are drawn by seed (an integer or a numpy Generator) with replacement and move
    independently by up to max_shift pixels, see random_shift; pixels are added and clipped at white, 255 or 1. The
    paper's text says 4 pixels (unverified), the command in the released program 6: this is max_shift. The released
    program keeps one shift of a base digit for all its partners; here every pair draws its own.
    InputError: shapes that do not fit, another kind of pixels, labels of one class (NaN are one), n no integer of 1 or
    more, pad or max_shift below 0.
    """
    images, white = _pixels(images)
    check_shapes(images=(images, "n h w"), labels=(labels, "n"))
    labels = labels_of("labels", labels, len(images))
    check_whole(n=(n, 1), pad=(pad, 0), max_shift=(max_shift, 0))
    codes = codes_of(labels)
    if codes.max(initial=0) < 1:
        raise InputError("labels hold one class; a pair needs two")
    generator = generator_of(seed)
    first = generator.integers(0, len(images), n)
    second = generator.integers(0, len(images), n)
    for _ in range(_ROUNDS):  # drawn again until the classes differ
        if not (same := codes[first] == codes[second]).any():
            break
        second[same] = generator.integers(0, len(images), int(same.sum()))
    for k in np.nonzero(codes[first] == codes[second])[0]:  # nearly all are of one class: drawn from the others
        second[k] = generator.choice(np.nonzero(codes != codes[first[k]])[0])
    sources = np.stack(
        [random_shift(images[rows], seed=generator, pad=pad, max_shift=max_shift) for rows in (first, second)], axis=1
    )
    wide = sources.astype(np.uint16 if white == 255 else sources.dtype)
    total = np.minimum(wide.sum(1), white).astype(sources.dtype)
    pairs = np.stack([labels[first], labels[second]], axis=1)
    return MultiDigit(images=total, sources=sources, labels=pairs)


def _in_kind(result: np.ndarray, images: Any) -> Any:
    """result as a tensor with the dtype and on the device of images; bfloat16 and uint16 pass numpy as other ones."""
    out: Any = like(result, images)
    return out.to(images.dtype)


def _moved_only(images: Any) -> np.ndarray:
    """images as numbers of any dtype; NaN and infinity are moved as they are. InputError: no numbers, or masked."""
    if np.ma.is_masked(images):
        raise InputError(f"images mask {int(np.ma.getmaskarray(images).sum())} pixels; fill them first")
    return as_numbers(_array(images))


def _array(images: Any) -> np.ndarray:
    try:
        return as_numpy(images)
    except ValueError as error:  # lists of several lengths
        raise InputError(f"images are lists of several lengths; needed: one array ({error})") from error


def _pixels(images: Any) -> tuple[np.ndarray, int]:
    """images and their white: 255 for bytes, 1 for floats. InputError: pixels of another kind or range."""
    x = _array(images)
    if x.dtype == np.uint8:
        return x, 255
    if x.dtype.kind == "f":
        check_finite(images=x)
        if not x.size or (x.min() >= 0 and x.max() <= 1):
            return x, 1
        raise InputError(
            f"images are floats from {x.min():.3g} to {x.max():.3g}; floats run from 0 (black) to 1 (white), "
            "bytes to 255"
        )
    raise InputError(f"images are {x.dtype}; needed: uint8, 0 to 255, or floats, 0 to 1")


def _boxes(images: np.ndarray) -> np.ndarray:
    """[n, 4]: first and one past the last row and column with ink; zeros where there is none."""
    ink = np.asarray(images > 0)
    out = []
    for axis in (2, 1):
        any_ink = np.any(ink, axis=axis)  # [n, rows] or [n, columns]
        last = any_ink.shape[1] - np.argmax(any_ink[:, ::-1], axis=1)
        out += [np.argmax(any_ink, axis=1), np.where(np.any(any_ink, axis=1), last, 0)]
    return np.stack(out, axis=1)


def downsample(images: Any, factor: int = 1) -> np.ndarray:
    """Images as a network's input, a numpy array [n, C, H / factor, W / factor] float32 in [0, 1].

    images: [n, H, W] (C is 1) or [n, C, H, W], numpy or torch, uint8 (divided by 255) or floats in [0, 1].
    factor: each square of factor x factor pixels becomes one, their mean; 1 changes the form alone. InputError: another
    shape or kind of pixels, a factor that is no integer of 1 or more or does not divide height and width.
    """
    check_whole(factor=(factor, 1))
    x, white = _pixels(images)
    x = x[:, None] if x.ndim == 3 else x
    if x.ndim != 4 or x.shape[2] % factor or x.shape[3] % factor:
        raise InputError(
            f"images have shape {list(np.shape(images))}, factor is {factor}; it must divide height and width"
        )
    n, c, h, w = x.shape
    small = x.reshape(n, c, h // factor, factor, w // factor, factor).mean((3, 5), dtype=np.float32)
    return small / np.float32(white)


def center_crop(images: Any, size: int) -> Any:
    """The middle square of images [..., H, W], numpy or torch -> [..., size, size] in kind, same dtype, detached.

    Where what is cut off is odd, one row more is cut below than above, one column more right than left. NaN stays.
    InputError: no numbers, a size that is no integer from 1 to the shorter side, fewer than two axes.
    """
    check_whole(size=(size, 1))
    if is_torch(images):
        return _in_kind(center_crop(as_numpy(images), size), images)
    x = _moved_only(images)
    h, w = _room(x, size, least=2)
    top, left = (h - size) // 2, (w - size) // 2
    return x[..., top : top + size, left : left + size].copy()  # what is done to it leaves the images alone


def random_crop(images: Any, size: int, *, seed: Seed) -> Any:
    """A square of each image anywhere in it, another for each: images [n, ..., H, W] -> [n, ..., size, size].

    numpy or torch, in kind, same dtype, detached; NaN stays. Corners are uniform over all places, drawn by seed (an
    integer or a numpy Generator). InputError: no numbers, a size that is no integer from 1 to the shorter side, a
    single image, no image.
    """
    check_whole(size=(size, 1))
    if is_torch(images):
        return _in_kind(random_crop(as_numpy(images), size, seed=seed), images)
    x = _moved_only(images)
    h, w = _room(x, size, least=3)
    if not len(x):
        raise InputError("images is empty; give at least one")
    generator = generator_of(seed)
    top, left = generator.integers(0, h - size + 1, len(x)), generator.integers(0, w - size + 1, len(x))
    return np.stack([p[..., t : t + size, s : s + size] for p, t, s in zip(x, top, left)])


def _room(x: np.ndarray, size: int, least: int) -> tuple[int, int]:
    if x.ndim < least:
        form = "[..., H, W]" if least == 2 else "[n, ..., H, W]"
        raise InputError(f"images have shape {list(x.shape)}; needed: {form}")
    *_, h, w = x.shape
    if not 1 <= size <= min(h, w):
        raise InputError(f"size is {size}; from images of {h}x{w} squares of 1 to {min(h, w)} can be cut")
    return h, w


def color_jitter(
    images: Any,
    *,
    seed: Seed,
    brightness: float = 63 / 255,
    contrast: tuple[float, float] = (0.2, 1.8),
) -> Any:
    """Each image brighter or darker, then each of its channels stretched about its own mean; clipped to [0, 1].

    images: [n, C, H, W] floats in [0, 1], numpy or torch -> the same shape, kind and dtype, detached. Drawn uniformly
    by seed (an integer or a numpy Generator), one number of each per image: what is added, from -brightness to
    brightness, and the factor, within contrast = (least, largest). The training of Hinton et al. 2018 on smallNORB;
    clipping is ours: attacks and images live in [0, 1]. InputError: another shape, bytes, floats outside [0, 1],
    brightness below 0, contrast below 0 or reversed, either beyond 1e4.
    """
    if is_torch(images):
        return _in_kind(color_jitter(as_numpy(images), seed=seed, brightness=brightness, contrast=contrast), images)
    check_real(brightness=(brightness, -np.inf))
    if brightness < 0:
        raise InputError(f"brightness is {brightness}; needed: 0 or more")
    brightness, contrast = abs(brightness), ends_of("contrast", contrast, least=0)
    if max(brightness, contrast[1]) > _STRONGEST:
        raise InputError(f"brightness is {brightness}, contrast {contrast}; needed: at most {_STRONGEST:g}")
    x, white = _pixels(images)
    check_shapes(images=(x, "n c h w"))
    if white == 255:
        raise InputError(
            "images are uint8; color_jitter takes floats in [0, 1]: scale them first, dt.datasets.downsample(images)"
        )
    if not x.size:
        raise InputError(f"images have shape {list(x.shape)}; give at least one pixel")
    shape = (len(x), *[1] * (x.ndim - 1))
    generator = generator_of(seed)
    x = x + generator.uniform(-brightness, brightness, shape).astype(x.dtype)
    mean = x.mean(tuple(range(2, x.ndim)), keepdims=True)
    return np.clip((x - mean) * generator.uniform(*contrast, shape).astype(x.dtype) + mean, 0, 1)
