"""Simple solids of five kinds, put together from ellipsoids, boxes and cylinders; every instance has other proportions.

The kinds are those of smallNORB: four-legged animals, human figures, airplanes, trucks, cars. x is forward, z is up.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deeptheory.core.names import pick

ELLIPSOID, BOX, CYLINDER = 0, 1, 2  # the unit ball; the cube [-1, 1]^3; x^2 + y^2 <= 1, |z| <= 1


@dataclass(frozen=True, eq=False)
class Solid:
    """P parts, each a unit form under an affine map.

    kind: [P]; centre: [P, 3]; frame: [P, 3, 3], columns are half axes.
    """

    kind: np.ndarray
    centre: np.ndarray
    frame: np.ndarray

    def fitted(self) -> "Solid":
        """The same, moved and scaled so that it just fits into the unit ball, by points on the surface of its parts."""
        rim = np.concatenate(
            [c + np.einsum("ij,nj->ni", f, _RIM[int(k)]) for k, c, f in zip(self.kind, self.centre, self.frame)]
        )
        middle = (rim.min(0) + rim.max(0)) / 2
        reach = np.linalg.norm(rim - middle, axis=1).max()
        return Solid(self.kind, (self.centre - middle) / reach, self.frame / reach)


_LATTICE = np.array(
    [[a, b, c] for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) if (a, b, c) != (0, 0, 0)], float
)
_ROUND = np.stack([np.cos(np.arange(16) * np.pi / 8), np.sin(np.arange(16) * np.pi / 8)], axis=1)
_RIM = {  # points on each unit form, the farthest among them
    ELLIPSOID: _LATTICE / np.linalg.norm(_LATTICE, axis=1, keepdims=True),
    BOX: _LATTICE[np.abs(_LATTICE).sum(1) == 3],
    CYLINDER: np.concatenate([np.column_stack([_ROUND, np.full(16, z)]) for z in (-1, 1)]),
}


class _Parts(list):
    """Parts while a solid is put together."""

    def ellipsoid(self, centre, radii) -> None:
        self.append((ELLIPSOID, centre, np.diag(radii)))

    def box(self, centre, half, turn: float = 0.0) -> None:
        """half sizes, turned about z by `turn` radians."""
        c, s = np.cos(turn), np.sin(turn)
        self.append((BOX, centre, np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag(half)))

    def limb(self, start, end, radius: float, form: int = CYLINDER) -> None:
        """A round bar from start to end."""
        start, end = np.asarray(start, float), np.asarray(end, float)
        along = (end - start) / 2
        side = np.cross(along, [1, 0, 0] if abs(along[0]) < 0.9 * np.linalg.norm(along) else [0, 1, 0])
        side *= radius / np.linalg.norm(side)
        other = np.cross(along, side)
        other *= radius / np.linalg.norm(other)
        self.append((form, (start + end) / 2, np.stack([side, other, along], axis=1)))

    def solid(self) -> Solid:
        kind, centre, frame = zip(*self)
        return Solid(np.array(kind), np.array(centre, float), np.array(frame, float)).fitted()


def animal(g: np.random.Generator) -> Solid:
    """Trunk, four legs, neck, head, muzzle, tail."""
    p, length, height, width = _Parts(), g.uniform(0.75, 1.1), g.uniform(0.6, 1.1), g.uniform(0.25, 0.42)
    leg, stance = g.uniform(0.07, 0.13), g.uniform(0.6, 0.8)
    p.ellipsoid((0, 0, height), (length, width, g.uniform(0.28, 0.42)))
    for x in (-stance * length, stance * length):
        for y in (-0.7 * width, 0.7 * width):
            p.limb((x, y, 0), (x * 0.9, y, height), leg)
    head = np.array([length + g.uniform(0.05, 0.4), 0, height + g.uniform(0.1, 0.9)])
    p.limb((0.8 * length, 0, height), head, g.uniform(0.1, 0.18))
    p.ellipsoid(head, (g.uniform(0.2, 0.3), 0.17, 0.19))
    muzzle = np.array([g.uniform(0.2, 0.3), 0, -0.05])
    p.ellipsoid(head + muzzle, (0.18, 0.1, 0.1))
    p.limb(
        (-0.9 * length, 0, height),
        (-length - g.uniform(0.1, 0.5), 0, height + g.uniform(-0.4, 0.5)),
        g.uniform(0.03, 0.07),
    )
    return p.solid()


def human(g: np.random.Generator) -> Solid:
    """Trunk, hips, head, arms and legs in a drawn posture."""
    p, hips, torso, width = _Parts(), g.uniform(0.75, 1.0), g.uniform(0.55, 0.75), g.uniform(0.2, 0.3)
    shoulders = hips + torso
    p.ellipsoid((0, 0, hips + torso / 2), (0.15, width, torso / 2 + 0.1))
    p.ellipsoid((0, 0, hips), (0.15, 0.85 * width, 0.15))
    p.ellipsoid((0, 0, shoulders + g.uniform(0.25, 0.32)), (0.15, 0.14, 0.18))
    stride = g.uniform(0, 0.35)
    for side in (-1, 1):
        p.limb((0, 0.6 * side * width, hips), (side * stride, side * g.uniform(0.1, 0.3), 0), g.uniform(0.07, 0.1))
        lift, forward = g.uniform(-1.2, 0.8), g.uniform(-0.3, 0.5)
        hand = (forward, side * (width + 0.6 * np.cos(lift)), shoulders + 0.6 * np.sin(lift))
        p.limb((0, side * width, shoulders - 0.05), hand, g.uniform(0.05, 0.08))
    return p.solid()


def airplane(g: np.random.Generator) -> Solid:
    """Fuselage, swept wings, tailplane, fin, sometimes engines."""
    p, radius, span, sweep = _Parts(), g.uniform(0.1, 0.17), g.uniform(0.65, 1.0), g.uniform(0, 0.6)
    chord, low = g.uniform(0.12, 0.24), g.uniform(-0.7, 0.7) * radius
    p.limb((-1, 0, 0), (1, 0, 0), radius, ELLIPSOID)
    p.limb((-0.6, 0, 0), (0.6, 0, 0), 0.95 * radius)
    for side in (-1, 1):
        middle = (0.1 - span / 2 * np.sin(sweep), side * span / 2 * np.cos(sweep), low)
        p.box(middle, (chord, span / 2 + 0.05, 0.03), side * sweep)
        p.box((-0.88, side * 0.2, 0.05), (0.1, 0.22, 0.025), side * sweep)
    p.box((-0.88, 0, 0.2 + radius), (0.13, 0.025, g.uniform(0.14, 0.26)))
    if g.random() < 0.6:
        for side in (-1, 1):
            at = np.array([0.15 - span / 2 * np.sin(sweep), side * span / 2 * np.cos(sweep), low - 0.09])
            p.limb(at - np.array([0.15, 0, 0]), at + np.array([0.2, 0, 0]), 0.07)
    return p.solid()


def truck(g: np.random.Generator) -> Solid:
    """Cargo, cab, chassis, four or six wheels."""
    p, length, width = _Parts(), g.uniform(0.55, 0.85), g.uniform(0.28, 0.36)
    wheel, cab, height = g.uniform(0.13, 0.19), g.uniform(0.2, 0.3), g.uniform(0.15, 0.4)
    floor = wheel * 1.6
    p.box((0, 0, floor), (length + cab, 0.9 * width, 0.05))
    p.box((-cab, 0, floor + height), (length - 0.03, width, height))
    tall = g.uniform(0.2, 0.33)
    p.box((length, 0, floor + tall), (cab, 0.92 * width, tall))
    axles = [length, -length * 0.7, *([-length * 0.7 + 2.4 * wheel] if g.random() < 0.5 else [])]
    _wheels(p, axles, width, wheel)
    return p.solid()


def car(g: np.random.Generator) -> Solid:
    """Body, cabin (round or square), bonnet, four wheels."""
    p, length, width = _Parts(), g.uniform(0.75, 0.95), g.uniform(0.34, 0.44)
    wheel, low = g.uniform(0.14, 0.2), g.uniform(0.12, 0.18)
    floor = wheel * 1.2
    p.box((0, 0, floor + low / 2), (length, width, low))
    at, half = g.uniform(-0.3, 0.05), g.uniform(0.35, 0.55)
    roof = floor + 1.5 * low
    if g.random() < 0.5:
        p.ellipsoid((at, 0, roof), (half + 0.1, 0.9 * width, g.uniform(0.22, 0.34)))
    else:
        p.box((at, 0, roof + 0.12), (half, 0.85 * width, g.uniform(0.14, 0.2)))
    _wheels(p, [0.62 * length, -0.62 * length], width, wheel)
    return p.solid()


def _wheels(p: _Parts, axles, width: float, radius: float) -> None:
    for x in axles:
        for side in (-1, 1):
            p.limb((x, side * (width - 0.06), radius), (x, side * (width + 0.04), radius), radius)


KINDS: dict[str, Callable[[np.random.Generator], Solid]] = {
    "animal": animal,
    "human": human,
    "airplane": airplane,
    "truck": truck,
    "car": car,
}


def solid(kind: str, instance: int, seed: int = 0) -> Solid:
    """That instance of a kind, its proportions drawn by (seed, kind, instance). InputError: an unknown kind."""
    make = pick(KINDS, kind, what="kind of solid")
    return make(np.random.default_rng([seed, list(KINDS).index(kind), instance]))
