"""A simple head in three dimensions: its surface, 25 ways in which heads differ, and 58 landmarks on it.

The head is a stack of half ellipses with relief (nose, sockets, lips, ...) added towards the viewer. Coordinates: x to
the right of the picture, y down, z towards the viewer; 1 is half the width of the head, the middle of the face is near
0. Every way of differing is a smooth displacement of space, so that surface and landmarks move by the same formula and
the landmarks of a frontal head are linear in the shape latents.
"""

from collections.abc import Callable

import numpy as np

TOP, CHIN = -1.45, 1.25
EYE, BROW, NOSE, MOUTH = (0.40, -0.10), (0.42, -0.41), (0.0, 0.40), (0.0, 0.76)
ROWS, COLUMNS = 72, 97  # of the mesh, from top to chin and around from behind; the last column is the first again


def mesh() -> tuple[np.ndarray, np.ndarray]:
    """Surface points [ROWS, COLUMNS, 3], and the angle theta of each column (0 in front)."""
    t = np.linspace(-1, 1, COLUMNS)
    theta = np.pi * (0.55 * t + 0.45 * t**3)  # denser in front
    phi = np.linspace(0, np.pi, ROWS)
    y = (TOP + CHIN) / 2 - (CHIN - TOP) / 2 * np.cos(phi)
    return surface_at(np.broadcast_to(theta, (ROWS, COLUMNS)), np.broadcast_to(y[:, None], (ROWS, COLUMNS))), theta


def surface_at(theta: np.ndarray, y: np.ndarray) -> np.ndarray:
    """[..., 3]: the mean head's surface at angle theta and height y."""
    x = half_width(y) * np.sin(theta)
    front = np.cos(theta)
    z = np.where(front > 0, depth(y), _skull(y)) * front
    ears = 0.12 * _bump(np.abs(theta) - 1.66, 0.09) * _step((y + 0.20) / 0.08) * _step((0.34 - y) / 0.12)
    hair = 0.07 * hair_share(theta, y)
    facing = np.clip(front * 3, 0, 1)
    return np.stack(
        [x * (1 + ears + hair), y - 0.05 * hair_share(theta, y) * (y < -0.8), z * (1 + hair) + facing * relief(x, y)],
        axis=-1,
    )


def on_front(points: np.ndarray) -> np.ndarray:
    """[n, 3]: the mean head's surface over points (x, y) of a frontal picture."""
    x, y = points[:, 0], points[:, 1]
    return surface_at(np.arcsin(np.clip(x / np.maximum(half_width(y), 1e-9), -1, 1)), y)


def half_width(y: np.ndarray) -> np.ndarray:
    """Half the width of the head at height y."""
    up = np.clip(y / TOP, 0, 1)
    down = np.clip(y / CHIN, 0, 1)
    return np.where(y < 0, (1 - up**2.4) ** 0.46, (1 - down**2.5) ** 0.52) * 0.88


def depth(y: np.ndarray) -> np.ndarray:
    """How far the middle of the face stands out at height y, without relief."""
    up, down = np.clip(y / TOP, 0, 1), np.clip(y / CHIN, 0, 1)
    return np.where(y < 0, (1 - up**3.2) ** 0.5, (1 - down**7) ** 0.45)


def _skull(y: np.ndarray) -> np.ndarray:
    """How far the back of the head stands out at height y."""
    return half_width(y) * (1.25 - 0.6 * _step((y - 0.45) / 0.35))


def hair_share(theta: np.ndarray, y: np.ndarray) -> np.ndarray:
    """0 to 1: how much hair covers the head there."""
    side = np.abs(theta)
    line = (
        -0.90
        + 0.09 * np.cos(3 * np.minimum(side, 1.0))
        + 1.25 * _step((side - 1.28) / 0.16)
        - 0.45 * _bump(side - 1.66, 0.12)
    )
    line = line + 0.55 * _step((side - 2.0) / 0.3)
    return _step((line - y) / 0.10)


def relief(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What stands out towards the viewer over the plain head."""
    s = np.abs(x)
    nose = np.clip((y + 0.22) / 0.6, 0, 1)
    ridge = (
        (0.04 + 0.36 * nose**1.3) * _bump(x, 0.085 + 0.06 * nose) * _step((0.47 - y) / 0.05) * _step((y + 0.24) / 0.12)
    )
    out = ridge + 0.10 * _spot(s, y, 0.15, 0.395, 0.07, 0.065)
    out = out - 0.13 * _spot(s, y, EYE[0], EYE[1] - 0.02, 0.20, 0.13) + 0.07 * _spot(s, y, *EYE, 0.13, 0.09)
    out = out + 0.06 * _spot(s, y, 0.35, -0.36, 0.26, 0.08) + 0.09 * _spot(s, y, 0.56, 0.22, 0.20, 0.20)
    out = out + 0.085 * _spot(x, y, 0, 0.695, 0.22, 0.045) + 0.095 * _spot(x, y, 0, 0.835, 0.19, 0.055)
    out = out - 0.03 * _spot(x, y, 0, 0.757, 0.30, 0.016) - 0.04 * _spot(x, y, 0, 0.955, 0.22, 0.06)
    return (
        out
        + 0.06 * _spot(x, y, 0, 1.09, 0.20, 0.12)
        - 0.03 * _spot(x, y, 0, 0.60, 0.05, 0.05)
        + 0.06 * _spot(x, y, 0, -0.65, 0.5, 0.25)
    )


def landmarks() -> np.ndarray:
    """[58, 3]: 13 around the face, 5 on each brow, 7 on each eye (the last is the pupil), 9 nose, 12 mouth."""
    around = [(0.0, CHIN - 0.015)]
    for y in (0.15, 0.55, 0.85, 1.08):
        w = float(half_width(np.array(y)))
        around += [(-w, y), (w, y)]
    around += [(-0.74, -0.55), (0.74, -0.55), (-0.42, -0.90), (0.42, -0.90)]
    brow = [(BROW[0] + dx, brow_line(np.array(BROW[0] + dx)) - 0.0) for dx in (-0.27, -0.14, 0.0, 0.14, 0.27)]
    ex, ey = EYE
    eye = [
        (ex - EYE_W, ey),
        (ex + EYE_W, ey),
        (ex - 0.09, ey - 0.075),
        (ex + 0.09, ey - 0.075),
        (ex - 0.09, ey + 0.06),
        (ex + 0.09, ey + 0.06),
        (ex, ey),
    ]
    nose = [
        (0, -0.08),
        (0, 0.09),
        (0, 0.25),
        (0, 0.385),
        (-0.2, 0.40),
        (0.2, 0.40),
        (-0.1, 0.465),
        (0.1, 0.465),
        (0, 0.485),
    ]
    mouth = [
        (-MOUTH_W, MOUTH[1]),
        (MOUTH_W, MOUTH[1]),
        (-0.16, 0.685),
        (0, 0.70),
        (0.16, 0.685),
        (-0.19, 0.86),
        (0, 0.895),
        (0.19, 0.86),
    ]
    mouth += [(-0.16, 0.757), (0.16, 0.757), (0, 0.65), (0, 0.757)]
    both = [(sign * float(x), float(y)) for part in (brow, eye) for sign in (-1, 1) for x, y in part]
    return on_front(np.array(around + both + nose + mouth, dtype=np.float64))


EYE_W, MOUTH_W = 0.185, 0.345  # half the width of an eye, of the mouth


def brow_line(s: np.ndarray) -> np.ndarray:
    """Height of the brow's middle at distance s from the middle of the face."""
    u = (s - BROW[0]) / 0.28
    return BROW[1] - 0.035 + 0.05 * (u - 0.25) ** 2


def _bump(x: np.ndarray, width: float | np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * (x / width) ** 2)


def _spot(x, y, x0, y0, wide, high) -> np.ndarray:
    return _bump(x - x0, wide) * _bump(y - y0, high)


def _step(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(4 * x, -40, 40)))


# --- how heads differ: name -> displacement (dx, dy, dz) at a point of the mean head, for one standard deviation


def _eyes(x, y, wide=0.20, high=0.14):
    return _spot(np.abs(x), y, *EYE, wide, high)


def _brows(x, y):
    return _spot(np.abs(x), y, *BROW, 0.30, 0.10)


SHAPES: dict[str, Callable[..., tuple]] = {
    "head width": lambda x, y, z: (0.055 * x, 0, 0),
    "head depth": lambda x, y, z: (0, 0, 0.06 * z),
    "lower face length": lambda x, y, z: (0, 0.075 * _step((y - 0.55) / 0.5) * (y > 0) * np.clip(y, 0, 2), 0),
    "forehead height": lambda x, y, z: (0, -0.10 * _step((-0.5 - y) / 0.25), 0),
    "forehead width": lambda x, y, z: (0.06 * x * _bump(y + 0.8, 0.35), 0, 0),
    "cheekbones": lambda x, y, z: (0.04 * x * _bump(y - 0.2, 0.25), 0, 0.02 * _spot(np.abs(x), y, 0.56, 0.22, 0.2,
    0.2)),
    "jaw width": lambda x, y, z: (0.085 * x * _bump(y - 0.85, 0.25), 0, 0),
    "chin width": lambda x, y, z: (0.13 * x * _bump(y - 1.16, 0.15), 0, 0),
    "chin forward": lambda x, y, z: (0, 0, 0.09 * _spot(x, y, 0, 1.1, 0.3, 0.16)),
    "eyes apart": lambda x, y, z: (0.036 * np.sign(x) * _eyes(x, y, 0.22, 0.2) * np.clip(np.abs(x) / 0.15, 0, 1), 0, 0),
    "eyes level": lambda x, y, z: (0, 0.035 * (_eyes(x, y, 0.28, 0.16) + 0.6 * _brows(x, y)), 0),
    "eyes open": lambda x, y, z: (0, 0.21 * (y - EYE[1]) * _eyes(x, y), 0),
    "eyes wide": lambda x, y, z: (0.11 * np.sign(x) * (np.abs(x) - EYE[0]) * _eyes(x, y), 0, 0),
    "eyes slanted": lambda x, y, z: (0, -0.13 * (np.abs(x) - EYE[0]) * _eyes(x, y), 0),
    "brows high": lambda x, y, z: (0, -0.042 * _brows(x, y), 0),
    "brows slanted": lambda x, y, z: (0, -0.13 * (np.abs(x) - BROW[0]) * _brows(x, y), 0),
    "nose long": lambda x, y, z: (0, 0.055 * _spot(x, y, 0, 0.42, 0.26, 0.16), 0),
    "nose wide": lambda x, y, z: (0.20 * x * _spot(x, y, 0, 0.40, 0.24, 0.13), 0, 0),
    "nose forward": lambda x, y, z: (0, 0, 0.10 * _spot(x, y, 0, 0.33, 0.13, 0.2)),
    "mouth wide": lambda x, y, z: (0.11 * x * _spot(x, y, *MOUTH, 0.42, 0.12), 0, 0),
    "mouth level": lambda x, y, z: (0, 0.045 * _spot(x, y, *MOUTH, 0.45, 0.15), 0),
    "lips full": lambda x, y, z: (0, 0.24 * (y - 0.757) * _spot(x, y, *MOUTH, 0.33, 0.12), 0),
    "mouth corners": lambda x, y, z: (0, -0.035 * (np.clip(np.abs(x) / 0.34, 0, 1.5) ** 2 - 0.4) * _spot(x, y, *MOUTH,
    0.42, 0.11), 0),
    "face askew": lambda x, y, z: (0.028 * _step((y - 0.3) / 0.3), 0, 0),
    "eyes uneven": lambda x, y, z: (0, 0.016 * np.sign(x) * _eyes(x, y, 0.25, 0.3), 0),
}  # fmt: skip


def shape_modes(points: np.ndarray) -> np.ndarray:
    """[25, ..., 3]: the displacements of points [..., 3] of the mean head, one standard deviation each."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([np.stack([np.broadcast_to(d, x.shape) for d in f(x, y, z)], axis=-1) for f in SHAPES.values()])
