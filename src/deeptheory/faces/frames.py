"""What a face space does to arrays: checks of arguments, the mask, reading pictures through a warp and drawing
through one.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deeptheory.core.arrays import as_floats, as_numpy, as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_finite, check_shapes
from deeptheory.faces.alignment import rotated
from deeptheory.faces.principal import needs_float64
from deeptheory.faces.thin_plate import grid

CHUNK = 64  # faces warped at a time: bounds memory, changes nothing else


def as_pictures(images: Any) -> tuple[Tensor, bool]:
    """[n, channels, H, W] float32 or wider, on the host, and whether the channel axis was missing."""
    x = as_tensor(images).detach().cpu()
    if x.dtype != torch.bfloat16 and needs_float64(x.numpy()):
        x = torch.as_tensor(as_floats(images))  # refuses what float64 would round
    x = real_tensor("images", x)
    if x.ndim not in (3, 4):
        raise InputError(f"images have shape {list(x.shape)}; needed: [n, H, W] or [n, H, W, channels]")
    if not x.numel():
        raise InputError(f"images have shape {list(x.shape)}, which holds no pixel; needed: one image or more")
    check_finite(images=x)
    flat = x.ndim == 3
    x = x[..., None] if flat else x
    if min(x.shape[1:3]) < 2:
        raise InputError(f"images have shape {list(x.shape[:3])}; a picture needs 2 rows and 2 columns or more")
    if x.shape[3] > 4:
        raise InputError(f"images have shape {list(x.shape)}; channels come last, 1 to 4 of them")
    return (x if x.dtype == torch.float64 else x.float()).permute(0, 3, 1, 2), flat


def as_points(landmarks: Any, n: int | None) -> np.ndarray:
    """[n, L, 2] float64."""
    points = as_floats(landmarks)
    check_shapes(landmarks=(points, "n L 2"))
    check_finite(landmarks=points)
    if not points.shape[1]:
        raise InputError(f"landmarks have shape {list(points.shape)}; needed: one or more on each face")
    if np.abs(points).max(initial=0) > 1e30:
        raise InputError(f"landmarks reach {np.abs(points).max():.3g}; they are pixels (x, y) of a picture")
    if n is not None and len(points) != n:
        raise InputError(f"landmarks are of {len(points)} faces, images of {n}; one set a face is needed")
    return points


def check_on_pictures(points: np.ndarray, height: int, width: int) -> None:
    """InputError: over a fifth of all landmarks [n, L, 2] lie outside pictures of that size."""

    def outside(p):
        return float(((p < -0.5) | (p > (width - 0.5, height - 0.5))).any(-1).mean())

    if outside(points) > 0.2:
        turned = outside(points[..., ::-1]) < outside(points) / 3
        hint = "; as (y, x) they would lie inside: swap the columns" if turned else "; they are pixels (x, y)"
        raise InputError(f"{outside(points):.0%} of the landmarks lie outside the {width}x{height} pictures{hint}")


def check_not_swapped(points: np.ndarray, mean: np.ndarray) -> None:
    """InputError: most faces fit the mean shape [L, 2] far better with x and y exchanged, which mirrors them."""

    def left(p):  # squared distance after the best similarity without reflection, as a share of the size
        p, m = p - p.mean(1, keepdims=True), mean - mean.mean(0)
        a, b = p[..., 0] + 1j * p[..., 1], m[:, 0] + 1j * m[:, 1]
        fit = np.abs(a @ b.conj()) ** 2 / (np.sum(np.abs(a) ** 2, 1) * np.sum(np.abs(b) ** 2))
        return 1 - fit

    given, turned = left(points), left(points[..., ::-1])
    worse = (given > 4 * turned) & (given > 0.02)
    if worse.mean() > 0.5:
        raise InputError(
            f"{int(worse.sum())} of {len(points)} faces fit this space's mean shape only with x and y "
            "exchanged; landmarks are (x, y)"
        )


def check_units(values: np.ndarray, own: np.ndarray) -> None:
    """InputError: a picture whose contrast is under a twentieth or over twenty times that of the space's own.

    values: [n, ...], of n pictures, each judged on its own: what a batch holds besides must not matter.
    """
    mine = float(own.std(dtype=np.float64))
    spread = np.std(values.reshape(len(values), -1), axis=1, dtype=np.float64)
    wrong = ~((spread > mine / 20) & (spread < mine * 20))
    if mine > 0 and wrong.any():
        k = int(wrong.argmax())
        raise InputError(
            f"images have values from {values[k].min():.3g} to {values[k].max():.3g} on the face (the first such is "
            f"picture {k}), this space was fit on values around {own.min():.3g} to {own.max():.3g}; bring them to the "
            "same units (0 to 255, or 0 to 1), and leave out pictures without contrast"
        )


def placed(shapes: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Landmarks in pixels of shapes [n, L, 2] at poses [n, 4]."""
    return pose[:, :1, None] * rotated(shapes, pose[:, 1]) + pose[:, None, 2:]


def face_mask(mask: Any, at: np.ndarray, height: int, width: int) -> np.ndarray:
    """[H, W] bool: "hull" of the landmarks at [L, 2], "all" pixels, landmarks by number, or a mask as given.

    InputError: another name, fewer than 3 landmarks, another shape or dtype, an empty mask.
    """
    if isinstance(mask, str):
        if pick({"hull": True, "all": False}, mask, what="mask"):
            return _hull(at, height, width)
        return np.ones((height, width), dtype=bool)
    mask = as_numpy(mask)
    if mask.ndim == 1 and mask.dtype.kind in "iu":
        if len(mask) < 3 or mask.min() < 0 or mask.max() >= len(at):
            raise InputError(f"mask names landmarks {mask.tolist()}; needed: 3 or more of 0 to {len(at) - 1}")
        return _hull(at[mask], height, width)
    check_shapes(mask=(mask, f"{height} {width}"))
    if mask.dtype != bool or not mask.any():
        raise InputError(f"mask has dtype {mask.dtype} and {int(mask.sum())} pixels; needed: bool, at least one true")
    return mask


def _hull(at: np.ndarray, height: int, width: int) -> np.ndarray:
    from scipy.spatial import ConvexHull, QhullError

    try:
        sides = ConvexHull(at).equations  # [sides, 3]: normal and offset, negative inside
    except QhullError as error:
        raise InputError("the mean landmarks lie on one line, which has no hull; needed: points off it") from error
    pixels = grid(height, width)
    inside = (pixels @ sides[:, :2].T + sides[:, 2] <= 1e-9).all(1)
    if not inside.any():
        raise InputError(f"the mean landmarks hold no pixel of the {height}x{width} frame; are they in pixels (x, y)?")
    return inside.reshape(height, width)


def sampled(pictures: Tensor, points: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """[n, m, channels]: the pictures at the places that the warp gives the m pixels."""
    out, height, width = [], *pictures.shape[2:]
    warp = torch.as_tensor(basis).to(pictures.dtype)
    span = torch.tensor([width - 1, height - 1], dtype=pictures.dtype)
    for k in range(0, len(pictures), CHUNK):
        part = torch.as_tensor(points[k : k + CHUNK]).to(pictures.dtype)
        at = 2 * torch.einsum("ml,nlx->nmx", warp, part) / span - 1
        seen = F.grid_sample(pictures[k : k + CHUNK], at[:, :, None], padding_mode="border", align_corners=True)
        out.append(seen[..., 0].permute(0, 2, 1))
    return torch.cat(out).numpy()


def drawn(canvas: Tensor, at: Tensor) -> Tensor:
    """The canvas [n, channels, H, W] of the mean frame seen at places [n, H, W, 2]; 0 beyond it."""
    span = torch.tensor([canvas.shape[3] - 1, canvas.shape[2] - 1], dtype=at.dtype, device=at.device)
    return F.grid_sample(canvas, 2 * at / span - 1, align_corners=True)
