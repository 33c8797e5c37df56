"""The colours of the mean head and 25 smooth ways in which they differ, as maps over its surface (an atlas).

Colours are red, green, blue from 0 to 1, before light. A face's colours are the mean plus latents times modes: linear,
and given in the mean head's own coordinates, so that shape and appearance do not mix: first the texture, then the
shape.
"""

from collections.abc import Callable

import numpy as np

from deeptheory.faces.head import BROW, CHIN, EYE, EYE_W, MOUTH, MOUTH_W, _bump, _spot, _step, brow_line, hair_share
from deeptheory.faces.head import half_width as _half_width

LUMINANCE = np.array([0.299, 0.587, 0.114])
_SKIN, _HAIR = np.array([0.82, 0.63, 0.53]), np.array([0.24, 0.18, 0.14])


class _Place:
    """Where a point of the surface is: angle, height, and x over a frontal picture; front is 1 there, 0 behind."""

    def __init__(self, theta: np.ndarray, y: np.ndarray):
        self.theta, self.y = theta, y
        self.x = _half_width(y) * np.sin(theta)
        self.s = np.abs(self.x)
        self.front = (np.cos(theta) > 0.05).astype(float)
        self.hair = hair_share(theta, y)
        self.eye = self._eye()
        self.lips = self._lips(0.018)
        self.brow = self._brow(0.040)
        self.skin = (1 - self.hair) * (1 - self.eye) * (1 - self.lips)

    def _eye(self) -> np.ndarray:
        u = (self.s - EYE[0]) / EYE_W
        high = np.where(self.y < EYE[1], 0.085, 0.062) * np.clip(1 - u**2, 0, 1) ** 0.8
        return _step((high - np.abs(self.y - EYE[1])) / 0.022) * (np.abs(u) < 1.05) * self.front

    def _lips(self, soft: float) -> np.ndarray:
        u = np.clip(self.s / MOUTH_W, 0, 1.2)
        arch = 0.72 - 0.30 * 0.12 * _bump(self.s, 0.05) * -1 - 0.045 * _bump(self.s - 0.1, 0.1)
        top = arch + (MOUTH[1] - arch) * u**2.4
        bottom = MOUTH[1] + 0.135 * np.clip(1 - u**2.2, 0, 1)
        return _step((self.y - top) / soft) * _step((bottom - self.y) / soft) * (u < 1.02) * self.front

    def _brow(self, thick: float) -> np.ndarray:
        u = (self.s - BROW[0]) / 0.30
        width = thick * np.clip(1.05 - 0.35 * (u + 0.3) ** 2, 0.2, 1)
        inside = _step((1 - np.abs(u)) / 0.12)
        return _step((width - np.abs(self.y - brow_line(self.s))) / 0.022) * inside * self.front


def _mean(p: _Place) -> np.ndarray:
    out = np.broadcast_to(_SKIN, (*p.y.shape, 3)).copy()
    shade = 0.05 * _spot(p.s, p.y, 0.54, 0.30, 0.2, 0.15) * p.front  # blood in the cheeks
    out += shade[..., None] * np.array([0.6, -1.0, -0.8])
    out -= (0.10 * _spot(p.s, p.y, EYE[0], EYE[1] - 0.11, 0.20, 0.045) * p.front)[..., None]  # the fold of the lid
    out -= (0.07 * _spot(p.s, p.y, EYE[0], EYE[1] + 0.10, 0.17, 0.05) * p.front)[..., None]
    out -= (0.10 * _spot(p.x, p.y, 0, 0.515, 0.13, 0.03) * p.front)[..., None]  # under the nose
    out -= (0.07 * _spot(p.s, p.y, 0.21, 0.43, 0.03, 0.06) * p.front)[..., None]  # around its wings
    out -= (0.06 * _spot(p.x, p.y, 0, 0.925, 0.17, 0.03) * p.front)[..., None]
    out = _over(out, p.lips, np.array([0.66, 0.38, 0.36]))
    out = _over(out, 0.85 * _mouth_line(p), np.array([0.25, 0.12, 0.11]))
    out = _over(out, 0.75 * _spot(p.s, p.y, 0.085, 0.468, 0.036, 0.017) * p.front, np.array([0.18, 0.10, 0.09]))
    out = _over(out, p.eye, np.array([0.90, 0.89, 0.87]))
    r = np.hypot(p.s - EYE[0], p.y - EYE[1] + 0.005)
    out = _over(out, p.eye * _step((0.080 - r) / 0.014), np.array([0.32, 0.25, 0.20]))
    out = _over(out, p.eye * _step((0.036 - r) / 0.010), np.array([0.05, 0.05, 0.05]))
    out = _over(out, 0.8 * _lashes(p), np.array([0.14, 0.10, 0.08]))
    out = _over(out, 0.85 * p.brow, np.array([0.27, 0.20, 0.15]))
    return _over(out, p.hair, _HAIR)


def _mouth_line(p: _Place) -> np.ndarray:
    return _bump(p.y - 0.757 - 0.012 * np.cos(p.x * 14) * (p.s < 0.2), 0.013) * _step((MOUTH_W - p.s) / 0.03) * p.front


def _lashes(p: _Place) -> np.ndarray:
    u = (p.s - EYE[0]) / EYE_W
    rim = EYE[1] - 0.085 * np.clip(1 - u**2, 0, 1) ** 0.8
    return _bump(p.y - rim, 0.016) * _step((1.05 - np.abs(u)) / 0.06) * p.front


def _over(below: np.ndarray, share: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return below + share[..., None] * (colour - below)


def _fold(p: _Place) -> np.ndarray:
    """The line from the nose to the corner of the mouth."""
    line = 0.22 + 0.26 * np.clip((p.y - 0.42) / 0.4, 0, 1)
    return _bump(p.s - line, 0.03) * _spot(0 * p.s, p.y, 0, 0.6, 1, 0.14) * p.front


def _wave(p: _Place, a: float, b: float, shift: float) -> np.ndarray:
    return np.cos(a * p.x + shift) * np.cos(b * p.y + 2 * shift) * p.skin


# name -> (pattern over the surface, red green blue of one standard deviation)
LOOKS: dict[str, tuple[Callable[[_Place], np.ndarray], tuple[float, float, float]]] = {
    "skin light": (lambda p: p.skin, (0.085, 0.09, 0.09)),
    "skin warm": (lambda p: p.skin, (0.015, -0.005, -0.03)),
    "skin red": (lambda p: p.skin, (0.012, -0.015, -0.012)),
    "hair light": (lambda p: p.hair, (0.13, 0.10, 0.06)),
    "brows dark": (lambda p: p.brow, (-0.10, -0.10, -0.09)),
    "brows thick": (lambda p: p._brow(0.075) - p.brow, (-0.16, -0.15, -0.14)),
    "irises light": (lambda p: p.eye * _bump(np.hypot(p.s - EYE[0], p.y - EYE[1]) - 0.058, 0.018), (0.04, 0.10, 0.16)),
    "eyes made up": (lambda p: _spot(p.s, p.y, EYE[0], EYE[1] - 0.13, 0.20, 0.06) * p.front * p.skin, (-0.11, -0.11,
    -0.08)),
    "under the eyes": (lambda p: _spot(p.s, p.y, EYE[0], EYE[1] + 0.15, 0.17, 0.06) * p.front * p.skin, (-0.08, -0.08,
    -0.06)),
    "lashes dark": (lambda p: _lashes(p) + 0.6 * _bump(p.y - EYE[1] - 0.06, 0.018) * _bump(p.s - EYE[0], 0.1) * p.front,
    (-0.10, -0.09, -0.08)),
    "lips red": (lambda p: p.lips, (0.02, -0.05, -0.035)),
    "lips light": (lambda p: p.lips, (0.055, 0.045, 0.045)),
    "cheeks red": (lambda p: _spot(p.s, p.y, 0.52, 0.33, 0.2, 0.17) * p.front, (0.015, -0.035, -0.03)),
    "cheeks light": (lambda p: _spot(p.s, p.y, 0.50, 0.25, 0.22, 0.2) * p.front, (0.06, 0.06, 0.06)),
    "beard": (lambda p: p.skin * _step((p.y - 0.66) / 0.14) * _step((CHIN + 0.2 - p.y) / 0.1), (-0.085, -0.08, -0.07)),
    "moustache": (lambda p: p.skin * _spot(p.x, p.y, 0, 0.605, 0.22, 0.05) * p.front, (-0.11, -0.10, -0.09)),
    "forehead light": (lambda p: p.skin * _spot(p.x, p.y, 0, -0.62, 0.5, 0.16), (0.06, 0.06, 0.06)),
    "forehead lined": (lambda p: p.skin * np.cos(34 * (p.y + 0.62 - 0.05 * p.x**2)) * _spot(p.x, p.y, 0, -0.62, 0.36,
    0.12), (-0.045, -0.045, -0.04)),
    "hairline low": (lambda p: (_step((-0.66 + 0.08 * np.cos(3 * np.minimum(np.abs(p.theta),
    1)) - p.y) / 0.1) - p.hair).clip(0) * p.front, (-0.16, -0.14, -0.12)),
    "nose light": (lambda p: p.skin * _spot(p.x, p.y, 0, 0.22, 0.12, 0.25), (0.06, 0.05, 0.05)),
    "folds": (_fold, (-0.085, -0.085, -0.075)),
    "sides dark": (lambda p: p.skin * _step((np.abs(p.theta) - 0.85) / 0.25), (-0.06, -0.06, -0.06)),
    "wave 1": (lambda p: _wave(p, 2.2, 3.1, 0.4), (0.04, 0.04, 0.04)),
    "wave 2": (lambda p: _wave(p, 4.3, 2.0, 1.3), (0.04, 0.04, 0.04)),
    "wave 3": (lambda p: _wave(p, 3.4, 5.2, 2.2), (0.035, 0.035, 0.035)),
}  # fmt: skip


def atlas(theta: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour [..., 3] and modes [25, ..., 3] at points (theta, y) of the surface."""
    place = _Place(theta, y)
    modes = np.stack([pattern(place)[..., None] * np.array(colour) for pattern, colour in LOOKS.values()])
    return _mean(place), modes
