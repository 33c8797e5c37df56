"""The way back through a warp: for every pixel of a face, its place in the mean frame.

The warp is known exactly on a grid of the mean frame and taken as bilinear between its points; Newton's iteration
inverts that, each pixel starting from its left neighbor's answer. The gradient is that of the implicit function: for
f(x; c) = pixel, dx = -J^-1 df.
Pitfall: where a warp folds (far outside the faces it was made from) a pixel has several places, and one of them is
taken.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deeptheory.core.compiled import njit

_ROUNDS = 30
FAR = -1e4
_CLOSE = 1e-3  # pixels
_BENT = 0.02  # pixels


def invert(field: Tensor, origin: tuple[int, int], size: tuple[int, int], exact: tuple | None = None) -> Tensor:
    """[n, height, width, 2]: where each pixel of the faces lies in the mean frame, pixels (x, y); dtype of field.

    field: [2, n, rows, columns], the x and y to which the warp carries the pixels of a part of the mean frame whose
    first is origin (x, y). size: height, width of the faces. exact: the warp's (points [g, 2], coefficients [n, g + 3,
    2]); with them, pixels where it bends too much for a bilinear form are solved on the warp itself. Differentiable.
    Pixels that come from elsewhere get a place outside that part: FAR away, or by the border's slope.
    """
    plain = field.detach().float().cpu().contiguous().numpy()
    n = plain.shape[1]
    points, weights = (np.zeros((0, 2)), np.zeros((n, 3, 2))) if exact is None else exact
    points, weights = np.ascontiguousarray(points), np.ascontiguousarray(weights)
    out = np.full((n, *size, 2), FAR, dtype=np.float32)

    def part(rows: np.ndarray) -> None:
        at = slice(rows[0], rows[-1] + 1)
        _invert(plain[0, at], plain[1, at], np.float32(origin[0]), np.float32(origin[1]), points, weights[at], out[at])

    parts = [p for p in np.array_split(np.arange(n), torch.get_num_threads()) if len(p)]
    if len(parts) == 1:
        part(parts[0])
    else:
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(part, parts))
    x = torch.from_numpy(out).to(field)
    return _with_gradient(x, field, origin) if field.requires_grad else x


def _with_gradient(x: Tensor, field: Tensor, origin: tuple[int, int]) -> Tensor:
    """x, with the gradient -J^-1 df of the implicit function."""
    rows, columns = field.shape[2:]
    first = torch.tensor(origin, dtype=x.dtype, device=x.device)
    span = torch.tensor([columns - 1, rows - 1], dtype=x.dtype, device=x.device)
    channels = field.transpose(0, 1)

    def at(points: Tensor) -> Tensor:
        return F.grid_sample(channels, 2 * (points - first) / span - 1, padding_mode="border", align_corners=True)

    f = at(x).permute(0, 2, 3, 1)
    with torch.no_grad():
        half = 0.5 * torch.eye(2, dtype=x.dtype, device=x.device)
        (a, c), (b, d) = ((at(x + h) - at(x - h)).unbind(1) for h in half)  # the columns of J
        det = a * d - b * c
        least = 1e-2 * torch.clamp(4 * _area(field), max=1)[:, None, None]
        safe = torch.where(det.abs() > least, det, torch.full_like(det, torch.inf))  # beyond the part: no gradient
    g = f - f.detach()
    step = torch.stack([(d * g[..., 0] - b * g[..., 1]) / safe, (a * g[..., 1] - c * g[..., 0]) / safe], dim=-1)
    return x - step


def _area(field: Tensor) -> Tensor:
    """[n]: pixels of the face per pixel of the mean frame, by the corners of the part; 1 for faces of the same size."""
    a, b, c, d = (field[:, :, r, s] for r, s in ((0, 0), (0, -1), (-1, -1), (-1, 0)))
    twice = ((c - a)[0] * (d - b)[1] - (c - a)[1] * (d - b)[0]).abs()
    return twice / 2 / ((field.shape[2] - 1) * (field.shape[3] - 1))


@njit(cache=True, nogil=True, fastmath=True)
def _invert(fx, fy, x0, y0, points, weights, out):
    n, rows, columns = fx.shape
    _, height, width, _ = out.shape
    zero, one, far = np.float32(0), np.float32(1), np.float32(4)
    bent = np.zeros((rows, columns), dtype=np.bool_)
    for i in range(n):
        u, v = fx[i], fy[i]
        # a small face has small determinants everywhere, which are no folds
        px, qx = u[rows - 1, columns - 1] - u[0, 0], u[rows - 1, 0] - u[0, columns - 1]
        py, qy = v[rows - 1, columns - 1] - v[0, 0], v[rows - 1, 0] - v[0, columns - 1]
        area = abs(px * qy - py * qx) / np.float32(2 * (rows - 1) * (columns - 1))
        small = np.float32(0.05) * min(one, max(np.float32(4) * area, np.float32(1e-6)))
        left, right = max(int(np.floor(u.min())), 0), min(int(np.ceil(u.max())), width - 1)
        top, bottom = max(int(np.floor(v.min())), 0), min(int(np.ceil(v.max())), height - 1)
        if len(points):
            _where_bent(u, v, bent)
        for r in range(top, bottom + 1):  # sx, sy: places in grid steps; a row starts from the row above it
            sx = zero if r == top else out[i, r - 1, left, 0] - x0
            sy = zero if r == top else out[i, r - 1, left, 1] - y0 + one
            for c in range(left, right + 1):
                on_the_warp = 0
                for _ in range(_ROUNDS):
                    ix = min(max(int(np.floor(sx)), 0), columns - 2)
                    iy = min(max(int(np.floor(sy)), 0), rows - 2)
                    s, t = sx - np.float32(ix), sy - np.float32(iy)
                    cs, ct = min(max(s, zero), one), min(max(t, zero), one)
                    x00, x10, x01, x11 = u[iy, ix], u[iy, ix + 1], u[iy + 1, ix], u[iy + 1, ix + 1]
                    y00, y10, y01, y11 = v[iy, ix], v[iy, ix + 1], v[iy + 1, ix], v[iy + 1, ix + 1]
                    xs = (x10 - x00) * (one - ct) + (x11 - x01) * ct
                    ys = (y10 - y00) * (one - ct) + (y11 - y01) * ct
                    xt = (x01 - x00) * (one - cs) + (x11 - x10) * cs
                    yt = (y01 - y00) * (one - cs) + (y11 - y10) * cs
                    if on_the_warp > 0:
                        ex, ey = _exact(np.float64(sx + x0), np.float64(sy + y0), points, weights[i])
                    else:  # beyond the border its slope goes on
                        ex = x00 + (x10 - x00) * s + (x01 - x00) * t + (x11 - x10 - x01 + x00) * cs * ct
                        ey = y00 + (y10 - y00) * s + (y01 - y00) * t + (y11 - y10 - y01 + y00) * cs * ct
                    ex, ey = ex - np.float32(c), ey - np.float32(r)
                    if abs(ex) + abs(ey) < _CLOSE * (1 + 9 * on_the_warp):
                        if on_the_warp > 0 or not bent[iy, ix]:
                            break
                        on_the_warp = 1
                        continue
                    det = xs * yt - xt * ys
                    if det < small:  # a fold: go slowly, and not backwards
                        det = small
                    dx, dy = (yt * ex - xt * ey) / det, (xs * ey - ys * ex) / det
                    sx -= min(max(dx, -far), far)
                    sy -= min(max(dy, -far), far)
                    if on_the_warp > 0 and abs(dx) + abs(dy) < 0.1:  # the next step would be a tenth of it or less
                        break
                out[i, r, c, 0], out[i, r, c, 1] = sx + x0, sy + y0
                sx += one


@njit(cache=True, nogil=True, fastmath=True)
def _where_bent(u, v, bent):
    """Cells where a bilinear form may be off by more than _BENT pixels, from second differences around them."""
    rows, columns = u.shape
    bent[:] = False
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            a = abs(u[r, c + 1] - 2 * u[r, c] + u[r, c - 1]) + abs(u[r + 1, c] - 2 * u[r, c] + u[r - 1, c])
            b = abs(v[r, c + 1] - 2 * v[r, c] + v[r, c - 1]) + abs(v[r + 1, c] - 2 * v[r, c] + v[r - 1, c])
            if max(a, b) > 8 * _BENT:
                bent[r - 1 : r + 1, c - 1 : c + 1] = True


@njit(cache=True, nogil=True, fastmath=True)
def _exact(x, y, points, weights):
    g = len(points)
    fx = weights[g, 0] + weights[g + 1, 0] * x + weights[g + 2, 0] * y
    fy = weights[g, 1] + weights[g + 1, 1] * x + weights[g + 2, 1] * y
    for k in range(g):
        q = (x - points[k, 0]) ** 2 + (y - points[k, 1]) ** 2
        u = q * np.log(q + 1e-30)
        fx += weights[k, 0] * u
        fy += weights[k, 1] * u
    return np.float32(fx), np.float32(fy)
