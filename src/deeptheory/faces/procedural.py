"""ProceduralFaces: faces whose every factor is known, drawn from a head in three dimensions.

Chang & Tsao 2017 varied 25 shape and 25 appearance coordinates of photographed faces; no such set is free and has
landmarks. Here the same two blocks are latents of a small head model, and light and pose are nuisances apart from them.
One seed is one face: face k of a seed is the same however many are drawn.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_finite, check_real, check_shapes, check_whole
from deeptheory.faces import head, skin
from deeptheory.faces.rasterizing import draw

_FRAME = 3.15  # heights of the picture in units of half a head's width
_MIDDLE = -0.10  # the y of the head that stands in the middle of the picture
_CHUNK = 64
_LARGEST = 1e6  # of a pose's or a light's numbers: beyond it, a face is no longer on the picture

POSE = ("yaw", "pitch", "roll", "x", "y", "size")
LIGHT = ("azimuth", "elevation", "ambient", "strength")
_FRONTAL_LIGHT = np.array([20.0, 35.0, 0.42, 1.12])
POSES: dict[str, tuple] = {  # name -> lowest and highest of each of POSE
    "frontal": ((0, 0), (0, 0), (0, 0), (0, 0), (0, 0), (1, 1)),
    "near": ((-6, 6), (-4, 4), (-3, 3), (-0.015, 0.015), (-0.015, 0.015), (0.97, 1.03)),
    "any": ((-90, 90), (-15, 15), (-8, 8), (-0.03, 0.03), (-0.03, 0.03), (0.94, 1.06)),
}
LIGHTS: dict[str, tuple] = {  # name -> lowest and highest of each of LIGHT
    "fixed": tuple((v, v) for v in _FRONTAL_LIGHT),
    "any": ((-85, 85), (-25, 75), (0.08, 0.35), (0.7, 1.5)),
}


class Faces(NamedTuple):
    """images: [n, size, size] or [n, size, size, 3] float32 in [0, 1]; landmarks: [n, 58, 2], pixels (x, y).

    Landmarks: 13 around the face, 5 on each brow, 7 on each eye, 9 on the nose, 12 on the mouth; hidden ones too.
    latents: blocks by name, float64: "shape" [n, 25] and "appearance" [n, 25], standard normal where drawn; "pose"
    [n, 6]: yaw (to the right of the image), pitch (up), roll (clockwise) in degrees, x, y as fractions of the side,
    size as a factor; "light" [n, 4]: azimuth (to the right of the image), elevation in degrees, fraction of ambient
    light, strength; "identity" [n], integers: the number of the face.
    """

    images: np.ndarray
    landmarks: np.ndarray
    latents: dict[str, np.ndarray]


class ProceduralFaces:
    """Heads with 25 shape and 25 appearance latents, under a light and in a pose; the head model is ours.

    `.sample(n, seed)` draws latents, `.render(shape, appearance)` takes them ([n, 25] each); both return `Faces`.
    Points of the head are its mean plus latents times shape modes, its colors the mean plus latents times appearance
    modes (named in shape_names, appearance_names, 25 each), lit by Lambert's law.
    size: pixels of a side. color: red, green, blue; else their luminance. background: gray from 0 to 1 (the paper's 85
    of 255). InputError: size below 16, or a background out of range.
    """

    shape_names = tuple(head.SHAPES)
    appearance_names = tuple(skin.LOOKS)

    def __init__(self, size: int = 64, *, color: bool = False, background: float = 1 / 3):
        check_whole(size=(size, 1))
        check_real(background=(background, -np.inf))
        if size < 16:
            raise InputError(f"size is {size}; a face needs at least 16 pixels")
        if not 0 <= background <= 1:
            raise InputError(f"background is {background}; needed: 0 (black) to 1 (white)")
        self.size, self.color, self.background = int(size), bool(color), float(background)

    def __repr__(self) -> str:
        return (
            f"ProceduralFaces(size={self.size}, {'color' if self.color else 'gray'}, 25 shape + 25 appearance latents)"
        )

    def sample(
        self,
        n: int,
        seed: int = 0,
        *,
        images_per_face: int = 1,
        pose: Any = "frontal",
        light: Any = "fixed",
        first: int = 0,
    ) -> Faces:
        """n faces of this seed, `images_per_face` of each one after the other, [n * images_per_face] in all; -> Faces.

        pose: "frontal", "near" (yaw to 6 degrees, pitch 4, roll 3), "any" (to both profiles), drawn evenly for each
        image; or values [6] or [n * images_per_face, 6], as in Faces. light: "fixed" (20 degrees right, 35 above),
        "any", or values [4] or [n * images_per_face, 4]. first: the number of the first face; face k of a seed is the
        same however many are drawn.
        InputError: numbers below 1, an unknown name, values of another shape, NaN or beyond 1e6, a size of 0 or less.
        """
        check_whole(n=(n, 1), images_per_face=(images_per_face, 1), first=(first, 0), seed=(seed, 0))
        if first + n > 2**63 - 1:
            raise InputError(f"first is {first}; needed: numbers of faces below 2^63")
        who = np.arange(first, first + n)
        drawn = np.stack([np.random.default_rng([seed, int(k)]).standard_normal(50) for k in who])
        which = [(int(k), j) for k in who for j in range(images_per_face)]
        poses = self._nuisance(pose, POSES, "pose", which, [seed, 1])
        lights = self._nuisance(light, LIGHTS, "light", which, [seed, 2])
        rows = np.repeat(np.arange(n), images_per_face)
        return self._render(drawn[:, :25], drawn[:, 25:], rows, poses, lights, np.repeat(who, images_per_face))

    def render(
        self, shape: Any, appearance: Any, *, pose: Any = "frontal", light: Any = "fixed", seed: int = 0
    ) -> Faces:
        """The faces with these latents, shape [n, 25] and appearance [n, 25], in standard deviations; -> Faces.

        pose, light: as in sample, seed: of theirs where drawn. Colors are clipped to [0, 1], latents are not.
        InputError: no face, latents of another shape or that are NaN, pose and light as in sample.
        """
        check_whole(seed=(seed, 0))
        a, b = as_floats(shape), as_floats(appearance)
        n = check_shapes(shape=(a, "n 25"), appearance=(b, "n 25"))["n"]
        check_finite(shape=a, appearance=b)
        if max(np.abs(a).max(initial=0), np.abs(b).max(initial=0)) > 1e30:
            raise InputError("shape or appearance holds a number beyond 1e30; both are in standard deviations")
        if not n:
            raise InputError("shape and appearance hold no face; needed: one row or more")
        which = [(k, 0) for k in range(n)]
        poses = self._nuisance(pose, POSES, "pose", which, [seed, 1])
        lights = self._nuisance(light, LIGHTS, "light", which, [seed, 2])
        return self._render(a, b, np.arange(n), poses, lights, np.arange(n))

    def _nuisance(
        self, asked: Any, known: dict, what: str, which: list[tuple[int, int]], seed: list[int]
    ) -> np.ndarray:
        if isinstance(asked, str):
            low, high = np.array(pick(known, asked, what=what), dtype=np.float64).T
            unit = np.stack([np.random.default_rng([*seed, *pair]).random(len(low)) for pair in which])
            return low + unit * (high - low)
        values = as_floats(asked)
        width = len(next(iter(known.values())))
        if values.shape not in ((width,), (len(which), width)):
            raise InputError(
                f"{what} has shape {list(values.shape)}; needed: [{width}], [{len(which)}, {width}] or a name"
            )
        check_finite(**{what: values})
        if np.abs(values).max(initial=0) > _LARGEST:
            raise InputError(f"{what} reaches {np.abs(values).max():.3g}; needed: numbers of at most {_LARGEST:g}")
        if what == "pose" and (values[..., 5] <= 0).any():
            raise InputError(f"pose has a size of {values[..., 5].min():g}; needed: a factor above 0")
        return np.broadcast_to(values, (len(which), width)).copy()

    def _render(self, shape, appearance, rows, poses, lights, identity) -> Faces:
        size, channels = self.size, 3 if self.color else 1
        images = np.empty((len(rows), size, size, channels), dtype=np.float32)
        turn = rotations(poses[:, :3])
        scale = size / _FRAME * poses[:, 5]
        middle = (size - 1) / 2 + poses[:, 3:5] * size - np.array([[0, _MIDDLE]]) * scale[:, None]
        place = np.column_stack([scale, middle])
        beams = np.column_stack([directions(lights[:, 0], lights[:, 1]), lights[:, 2:]])

        def part(k: int) -> None:
            at = slice(k, k + _CHUNK)
            people = np.unique(rows[at])
            points = _mixed(self._surface, shape[people])
            colors = _mixed(self._colors, appearance[people].astype(np.float32))
            mine = np.searchsorted(people, rows[at])
            draw(
                points[mine],
                colors,
                mine,
                turn[at],
                place[at],
                beams[at].astype(np.float32),
                self.background,
                images[at],
            )

        _ = self._surface, self._colors  # made once, before threads ask for them
        starts = range(0, len(rows), _CHUNK)
        with ThreadPoolExecutor(_threads()) as pool:
            list(pool.map(part, starts))
        points = _mixed(self._landmarks, shape)
        turned = np.einsum("nij,nlj->nli", turn, points[rows])[..., :2]
        landmarks = turned * scale[:, None, None] + middle[:, None]
        latents = {
            "shape": shape[rows],
            "appearance": appearance[rows],
            "pose": poses,
            "light": lights,
            "identity": identity,
        }
        return Faces(images if self.color else images[..., 0], landmarks, latents)

    @cached_property
    def _surface(self) -> tuple[np.ndarray, np.ndarray]:
        points = head.mesh()[0]
        return points, head.shape_modes(points)

    @cached_property
    def _landmarks(self) -> tuple[np.ndarray, np.ndarray]:
        points = head.landmarks()
        return points, head.shape_modes(points)

    @cached_property
    def _colors(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean [R, C, channels] and modes [25, R, C, channels], float32; about two texels a pixel in front."""
        high, wide = int(3 * self.size), int(4.5 * self.size)
        t = np.linspace(-1, 1, wide)
        theta = np.pi * (0.55 * t + 0.45 * t**3)
        phi = np.linspace(0, np.pi, high)
        y = (head.TOP + head.CHIN) / 2 - (head.CHIN - head.TOP) / 2 * np.cos(phi)
        mean, modes = skin.atlas(*np.broadcast_arrays(theta[None], y[:, None]))
        if not self.color:
            mean, modes = mean @ skin.LUMINANCE[:, None], modes @ skin.LUMINANCE[:, None]
        return mean.astype(np.float32), modes.astype(np.float32)


def rotations(angles: np.ndarray) -> np.ndarray:
    """[n, 3, 3] of yaw (to the right of the picture), pitch (up), roll (clockwise), degrees [n, 3]: roll pitch yaw."""
    (cy, sy), (cp, sp), (cr, sr) = ((np.cos(a), np.sin(a)) for a in np.radians(angles).T)
    zero, one = np.zeros(len(angles)), np.ones(len(angles))
    yaw = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    pitch = np.array([[one, zero, zero], [zero, cp, -sp], [zero, sp, cp]])
    roll = np.array([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return np.einsum("ijn,jkn,kln->nil", roll, pitch, yaw)


def directions(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """[n, 3], unit: towards a light at these angles in degrees; azimuth to the right of the picture, elevation up."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.sin(a) * np.cos(e), -np.sin(e), np.cos(a) * np.cos(e)], axis=1)


def _mixed(model: tuple[np.ndarray, np.ndarray], latents: np.ndarray) -> np.ndarray:
    """Mean plus latents [n, 25] times modes, face by face: a larger product would round a face by its company."""
    mean, modes = model
    return np.stack([mean + np.tensordot(row, modes, 1) for row in latents])


def _threads() -> int:
    import torch

    return torch.get_num_threads()
