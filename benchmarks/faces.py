"""Faces: drawing and reading 100 faces of 128x128 in a face space, against the same warps by scipy, face by face.

The usual way fits a thin-plate spline for every face and evaluates it at every pixel. Drawing: scipy's spline goes from
the face's landmarks back to the mean ones, which is another warp than the paper's, of the same cost; what is compared
is our place of every pixel with the exact inverse of the paper's warp. Reading: both sides sample the same picture at
the same places.
"""

import numpy as np
import torch
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates

import deeptheory as dt
from benchmarks.timing import Row, compare
from deeptheory.faces.thin_plate import ThinPlate, grid

_SIZE, _FACES, _THEIRS = 128, 100, 4


def places(space, points) -> np.ndarray:
    """Ours: where each pixel of faces with these landmarks lies in the mean frame, [n, H, W, 2]."""
    return space._warped(torch.as_tensor(points)).numpy()


def error_of_places(space, points) -> float:
    """Largest distance in pixels between a pixel and where the exact warp carries the place that we give it."""
    warp = ThinPlate(space.landmarks(np.zeros((1, 50), np.float32))[0].astype(float))
    worst = 0.0
    for at, target in zip(places(space, points).reshape(len(points), -1, 2), points.astype(float)):
        inside = space.mask[tuple(np.clip(at.round().astype(int), 0, _SIZE - 1).T[::-1])]
        back = warp.basis(at[inside]) @ target
        worst = max(worst, float(np.linalg.norm(back - grid(_SIZE, _SIZE)[inside], axis=1).max()))
    return worst


def their_drawing(space, c, points) -> np.ndarray:
    """scipy: spline from the face back to the mean, at every pixel, then the texture there."""
    mean = space.landmarks(np.zeros((1, 50), np.float32))[0].astype(float)
    pixels, out = grid(_SIZE, _SIZE), []
    look = space.appearance_mean[:, 0] + c[:, 25:] @ space.appearance_components[:, :, 0]
    for texture, target in zip(look, points.astype(float)):
        canvas = np.full(space.mask.shape, space.background)
        canvas[space.mask] = texture
        at = RBFInterpolator(target, mean, kernel="thin_plate_spline", degree=1)(pixels)
        out.append(map_coordinates(canvas, at[:, ::-1].T, order=1, cval=space.background).reshape(_SIZE, _SIZE))
    return np.stack(out)


def their_reading(space, images, points) -> np.ndarray:
    """scipy: spline from the mean to the face, the picture there, projections."""
    mean = space.landmarks(np.zeros((1, 50), np.float32))[0].astype(float)
    pixels = grid(_SIZE, _SIZE)[space.mask.ravel()]
    rows = []
    for image, target in zip(images, points):
        at = RBFInterpolator(mean, target, kernel="thin_plate_spline", degree=1)(pixels)
        rows.append(map_coordinates(image, at[:, ::-1].T, order=1, mode="nearest"))
    return (np.stack(rows) - space.appearance_mean[:, 0]) @ space.appearance_components[:, :, 0].T


def run(rounds: int, quick: bool) -> list[Row]:
    """Their side does 4 faces, its time is multiplied by 25."""
    torch.set_num_threads(1)
    images, points, _ = dt.faces.ProceduralFaces(_SIZE).sample(200, 0)
    space = dt.faces.FaceSpace.fit(images, points)
    c = space.sample(_FACES, 0)
    drawn = space.landmarks(c)
    few = c[:_THEIRS]
    note = f"theirs measured on {_THEIRS} faces, times {_FACES // _THEIRS}"
    mine = space.encode(images[:_THEIRS], points[:_THEIRS])[:, 25:]
    off = np.abs(mine - their_reading(space, images[:_THEIRS], points[:_THEIRS])).max() / np.sqrt(space.variances[25])
    return [
        compare(
            f"draw {_FACES} faces of {_SIZE}x{_SIZE}",
            lambda: space.decode(c),
            "scipy spline a face",
            lambda: their_drawing(space, few, drawn[:_THEIRS]),
            max(3, rounds // 2),
            theirs_scale=_FACES / _THEIRS,
            error=error_of_places(space, drawn[: 4 if quick else 20]),
            error_of="pixels from the exact warp",
            note=note,
        ),
        compare(
            f"read {_FACES} faces of {_SIZE}x{_SIZE}",
            lambda: space.encode(images[:_FACES], points[:_FACES]),
            "scipy spline a face",
            lambda: their_reading(space, images[:_THEIRS], points[:_THEIRS]),
            max(3, rounds // 2),
            theirs_scale=_FACES / _THEIRS,
            error=float(off),
            error_of="s.d. of the first component",
            note=note,
        ),
    ]
