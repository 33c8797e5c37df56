"""Pictures of a solid: one ray a point of the picture against every part at once, shaded by one lamp and the sky.

The camera is far away (parallel rays), so that in a part's own frame all rays of a picture have one direction. Every
part is
convex: it is entered where the last of its bounds is entered, if no bound is left before. No shadows are cast.
"""

import numpy as np

from deeptheory.datasets.rendered.solids import BOX, CYLINDER, ELLIPSOID, Solid

LAMPS = np.array(  # to the lamp, in the camera's frame: right, up, towards the camera; then its strength and the sky's
    [
        [-0.8, 0.6, 0.5, 0.85, 0.20],
        [0.8, 0.6, 0.5, 0.85, 0.20],
        [0.0, 1.0, 0.3, 0.80, 0.25],
        [0.0, 0.3, 1.0, 0.60, 0.35],
        [-0.9, 0.1, 0.4, 0.70, 0.15],
        [0.9, -0.1, 0.4, 0.95, 0.25],
    ]
)
_PAINT, _GROUND = 0.8, 0.55  # one paint for all: shape alone tells the kinds apart
_REACH = 1.05  # half the side of the picture; a solid fits into the unit ball
_FAR = 4.0


def render(solid: Solid, azimuth: float, elevation: float, lamp: int, size: int, samples: int = 2) -> np.ndarray:
    """The picture [size, size] uint8 from azimuth and elevation in degrees, samples^2 rays a pixel."""
    right, up, back = camera(azimuth, elevation)
    inverse = np.linalg.inv(solid.frame)  # [P, 3, 3]: world -> the part's own frame
    axes = np.stack([right, up, -back], axis=1)
    to = (inverse @ axes).astype(np.float32)  # [P, 3, 3]: columns right, up, along the ray
    start = np.einsum("pij,pj->pi", inverse, _FAR * back - solid.centre).astype(np.float32)
    n = size * samples
    line = ((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1) * _REACH
    depth = np.full((n, n), np.inf, dtype=np.float32)
    shade = np.full((n, n), _GROUND * (0.5 + 0.5 * LAMPS[lamp, 3] + LAMPS[lamp, 4] - 0.2), dtype=np.float32)
    light = LAMPS[lamp, :3] / np.linalg.norm(LAMPS[lamp, :3])
    world_light = axes @ (light * [1, 1, -1])
    for p in range(len(solid.kind)):
        box = _window(solid, p, right, up, line)
        if box is None:
            continue
        rows, columns = box
        origin = (
            start[p][:, None, None]
            + to[p, :, 0][:, None, None] * line[None, None, columns]
            - to[p, :, 1][:, None, None] * line[None, rows, None]
        )  # [3, h, w] in the part's frame; rows go down, up is up
        enter, normal = _ENTER[int(solid.kind[p])](origin, to[p, :, 2])
        near = enter < depth[rows, columns]
        if not near.any():
            continue
        lit = np.einsum("kn,kj,j->n", normal[:, near], inverse[p].astype(np.float32), world_light.astype(np.float32))
        length = np.linalg.norm(inverse[p].T.astype(np.float32) @ normal[:, near], axis=0)
        value = _PAINT * (LAMPS[lamp, 4] + LAMPS[lamp, 3] * np.maximum(lit / np.maximum(length, 1e-9), 0))
        depth[rows, columns][near] = enter[near]
        shade[rows, columns][near] = value
    picture = shade.reshape(size, samples, size, samples).mean((1, 3))
    return np.rint(255 * np.clip(picture, 0, 1)).astype(np.uint8)


def camera(azimuth: float, elevation: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors right, up and towards the camera, for angles in degrees; azimuth 0 looks the solid in the face."""
    a, e = np.deg2rad([azimuth, elevation])
    back = np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)])
    right = np.array([-np.sin(a), np.cos(a), 0.0])
    return right, np.cross(back, right), back


def _window(solid: Solid, p: int, right, up, line) -> tuple[slice, slice] | None:
    """Rows and columns that the part can reach; None outside the picture."""
    out = []
    for axis, flip in ((up, -1), (right, 1)):
        half = np.abs(solid.frame[p].T @ axis)
        reach = np.linalg.norm(half) if solid.kind[p] == ELLIPSOID else half.sum()
        middle = flip * float(axis @ solid.centre[p])
        first, last = np.searchsorted(line, [middle - reach, middle + reach])
        if first == last:
            return None
        out.append(slice(int(first), int(last)))
    return out[0], out[1]


def _ball(o: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where o + t d enters |p| <= 1: t [h, w], inf for a miss, and p there, which is the normal."""
    enter, _ = _round(o, d)
    return enter, o + np.where(np.isfinite(enter), enter, 0) * d[:, None, None]


def _slab(o: np.ndarray, d: float) -> tuple[np.ndarray, np.ndarray]:
    """t at which |o + t d| <= 1 begins and ends; everywhere or nowhere for a ray along the slab."""
    if abs(d) < 1e-7:
        inside = np.abs(o) <= 1
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    a, b = (-1 - o) / d, (1 - o) / d
    return np.minimum(a, b), np.maximum(a, b)


def _round(o: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """t at which |o + t d| <= 1 begins and ends, in two or three dimensions."""
    a = float(d @ d)
    if a < 1e-12:
        inside = (o * o).sum(0) <= 1
        return np.where(inside, -np.inf, np.inf), np.where(inside, np.inf, -np.inf)
    b = np.einsum("khw,k->hw", o, d)
    root = b * b - a * ((o * o).sum(0) - 1)
    hit = root >= 0
    root = np.sqrt(np.where(hit, root, 0))
    return np.where(hit, (-b - root) / a, np.inf), np.where(hit, (-b + root) / a, -np.inf)


def _cube(o: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    bounds = [_slab(o[k], float(d[k])) for k in range(3)]
    enter = np.stack([b[0] for b in bounds])
    last = enter.argmax(0)
    first = enter.max(0)
    hit = first < np.minimum(np.minimum(bounds[0][1], bounds[1][1]), bounds[2][1])
    normal = -np.sign(d)[:, None, None] * (last[None] == np.arange(3)[:, None, None])
    return np.where(hit, first, np.inf), normal.astype(np.float32)


def _rod(o: np.ndarray, d: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    side_in, side_out = _round(o[:2], d[:2])
    cap_in, cap_out = _slab(o[2], float(d[2]))
    enter = np.maximum(side_in, cap_in)
    hit = enter < np.minimum(side_out, cap_out)
    at = np.where(hit & np.isfinite(enter), enter, 0)
    on_side = side_in >= cap_in
    normal = np.stack(
        [
            np.where(on_side, o[0] + at * d[0], 0),
            np.where(on_side, o[1] + at * d[1], 0),
            np.where(on_side, 0, -np.sign(d[2])),
        ]
    )
    return np.where(hit, enter, np.inf), normal.astype(np.float32)


_ENTER = {ELLIPSOID: _ball, BOX: _cube, CYLINDER: _rod}
