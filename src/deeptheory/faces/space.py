"""FaceSpace: an active appearance model, a linear space in which every point is a face.

Source: Cootes, Edwards & Taylor 2001; Chang & Tsao 2017 and their released generator. A face is a shape (landmarks,
normalized, principal components) and a shape-free appearance (the picture warped so that its landmarks lie on the mean
ones, principal components). Drawing goes the other way, and order matters: first the texture in the mean frame, then
the warp.
Pitfall: coordinates are raw scores, so that the relative sizes of the components are kept; axes found in this space
depend on how it is normalized, which `dt.axis_code` states.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from deeptheory.core.arrays import as_numpy, like, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_real, check_shapes, check_whole
from deeptheory.faces.alignment import NORMALIZATIONS, Normalization
from deeptheory.faces.frames import (
    CHUNK,
    as_pictures,
    as_points,
    check_not_swapped,
    check_on_pictures,
    check_units,
    drawn,
    face_mask,
    placed,
    sampled,
)
from deeptheory.faces.inverse import invert
from deeptheory.faces.principal import principal
from deeptheory.faces.thin_plate import ThinPlate, grid

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_HALF = (torch.float16, torch.bfloat16)  # whose steps at 100 pixels are half a pixel: computed in float32
_FARTHEST = 1e6  # pixels: beyond it float32 does not tell the places of a face apart
_RIM = 2  # pixels around the mask whose warp is known, so that its edge is drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class FaceSpace(Result):
    """shape + appearance coordinates of faces; made by `FaceSpace.fit`, kept by `.save`, brought back by `.load`.

    Source: Cootes, Edwards & Taylor 2001; Chang & Tsao 2017. A face is landmarks = scale R(angle) shape + (x, y), with
    shape = shape_mean + c shape_components, and an appearance, appearance_mean + c' appearance_components, drawn in
    the mean frame and carried by a thin-plate-spline warp from the mean landmarks to its own.
    frame: (height, width, channels) of the mean frame; flat: whether images come without a channel axis. shape_mean:
    [L, 2], normalized; shape_components: [s, L, 2], orthonormal; appearance_mean: [m, channels] over the m pixels of
    mask [H, W]; appearance_components: [a, m, channels], orthonormal; variances: [s + a], unbiased, of the coordinates
    over the faces of the fit. mean_pose, pose_spread: [4], mean and standard deviation of scale, angle (radians), x, y
    (pixels). noise: variance of a pixel that the components leave over. background: what stands outside the mask, in
    the units of the images. faces: how many it was fit on. normalize: as in fit.
    """

    frame: tuple[int, int, int]
    flat: bool
    normalize: str
    shape_mean: np.ndarray
    shape_components: np.ndarray
    appearance_mean: np.ndarray
    appearance_components: np.ndarray
    variances: np.ndarray
    mask: np.ndarray
    mean_pose: np.ndarray
    pose_spread: np.ndarray
    noise: float
    background: float
    faces: int

    @classmethod
    def fit(
        cls,
        images: Any,
        landmarks: Any,
        *,
        shape: int = 25,
        appearance: int = 25,
        normalize: Normalization = "procrustes",
        mask: Any = "hull",
        background: float | None = None,
    ) -> "FaceSpace":
        """The space of these faces.

        images: [n, H, W] or [n, H, W, channels] (1 to 4), n 3 or more, any numbers (uint8 as 0 to 255). landmarks:
        [n, L, 2], pixels (x, y), the center of the first pixel at (0, 0), the same points in the same order on every
        face. shape, appearance: numbers of components. normalize: "procrustes" takes scale, angle and place out of the
        shape, "reference_code" (Chang & Tsao 2017's) scale and place, "none" nothing. mask: the pixels of the mean
        frame that belong to the face: "hull" of the mean landmarks, integers [k] (the hull of those landmarks alone),
        "all", or bool [H, W]. background: the value outside; by default the mean of the appearance (the paper's gray:
        85 of 255).
        InputError: shapes that do not fit together, NaN, an unknown normalization, landmarks that lie on one line, more
        components than the faces have, over a fifth of the landmarks outside the images, images in units whose
        coordinates leave float32.
        """
        pictures, flat = as_pictures(images)
        points = as_points(landmarks, len(pictures))
        n, _, height, width = pictures.shape
        if n < 3:
            raise InputError(f"images hold {n} faces; a space needs 3 or more")
        check_on_pictures(points, height, width)
        if background is not None:
            check_real(background=(background, -np.inf))
        shapes, pose = pick(NORMALIZATIONS, normalize, what="normalization")(points, None)
        of_shape = principal(shapes.reshape(n, -1), shape, "shape")
        mean = of_shape.mean.reshape(-1, 2)
        mean_pose = pose.mean(0)
        at = placed(mean[None], mean_pose[None])[0]
        inside = face_mask(mask, at, height, width)
        textures = sampled(pictures, points, ThinPlate(at).basis(grid(height, width)[inside.ravel()]))
        of_look = principal(textures.reshape(n, -1), appearance, "appearance")
        if not 1e-30 < (widest := float(np.sqrt(of_look.variances[0]))) < 1e30:
            raise InputError(
                f"coordinates of the appearance would have a standard deviation of {widest:.3g}, and they are float32; "
                "give the images in other units"
            )
        look_mean = of_look.mean.reshape(len(textures[0]), -1)
        return cls(
            frame=(height, width, pictures.shape[1]),
            flat=flat,
            normalize=normalize,
            shape_mean=mean,
            shape_components=of_shape.components.reshape(shape, -1, 2),
            appearance_mean=look_mean,
            appearance_components=of_look.components.reshape(appearance, *look_mean.shape),
            variances=np.concatenate([of_shape.variances, of_look.variances]),
            mask=inside,
            mean_pose=mean_pose,
            pose_spread=np.maximum(pose.std(0, ddof=1), 1e-6),
            noise=of_look.left / look_mean.size,
            background=float(look_mean.mean() if background is None else background),
            faces=n,
        )

    def __repr__(self) -> str:
        s, a = len(self.shape_components), len(self.appearance_components)
        h, w, c = self.frame
        kind = "gray" if self.flat else f"{c} channels"
        points = len(self.shape_mean)
        return (
            f"FaceSpace({s} shape + {a} appearance from {self.faces} faces, {points} landmarks, {h}x{w} "
            f"{kind}, {self.normalize})"
        )

    @property
    def blocks(self) -> dict[str, slice]:
        """{"shape": slice, "appearance": slice} of the coordinates, as `dt.axis_code(blocks=)` takes it."""
        s = len(self.shape_components)
        return {"shape": slice(0, s), "appearance": slice(s, len(self.variances))}

    def encode(self, images: Any, landmarks: Any = None) -> Any:
        """Coordinates [n, shape + appearance] of faces, float32, numpy or torch as the images; without gradient.

        images: [n, H, W(, channels)] of any size; landmarks: [n, L, 2] in their pixels, or None: they are searched for
        (`.search`, which also reports how well that went; here a face that did not converge is warned of). Scores on
        orthonormal components, not divided by their deviations; the pose is left out, see `.pose`.
        InputError: as in fit; no image; landmarks and images of another number or kind; landmarks that are (y, x);
        an image in other units than those of the fit (contrast on the face over 20 times more or less).
        """
        if landmarks is None:
            from deeptheory.faces.fitting import warn_of

            found = self.search(images)
            warn_of(found)
            return like(found.coordinates, images)
        pictures, flat = as_pictures(images)
        points = as_points(landmarks, len(pictures))
        self._check_kind(pictures, flat, points)
        check_on_pictures(points, *pictures.shape[2:])
        check_not_swapped(points, self.shape_mean)
        shapes, _ = NORMALIZATIONS[self.normalize](points, self.shape_mean)
        textures = sampled(pictures, points, self._inside)
        check_units(textures, self.appearance_mean)
        off = (shapes - self.shape_mean).reshape(len(points), -1)
        look = (textures - self.appearance_mean).reshape(len(points), -1)
        parts = [
            off @ self.shape_components.reshape(len(self.shape_components), -1).T,
            look @ self.appearance_components.reshape(len(self.appearance_components), -1).T,
        ]
        return like(np.concatenate(parts, axis=1).astype(np.float32), images)

    def search(self, images: Any, start: Any = None, **options: Any) -> Any:
        """Analysis by synthesis: coordinates and landmarks of faces from their images alone; -> `Search`.

        images: [n, H, W(, channels)] of any size, one face in each, some pixels from where it starts. start: poses
        [n, 4] or [4]; by default the mean pose. options: iterations=40, at most so many at each of three levels of
        blur; tolerance=0.02, pixels, the mean move that ends a level; prior=100, weight of the Gaussian priors of pose,
        shape and appearance, in pixels that carry one pixel's worth of independent evidence, 0 to 1e12. Source:
        Matthews & Baker 2004, Gauss-Newton in the additive form, the appearance integrated out.
        InputError: another shape, kind or units of images, no image, NaN, start of another shape, options out of range.
        """
        from deeptheory.faces.fitting import search

        pictures, flat = as_pictures(images)
        self._check_kind(pictures, flat, None)
        return search(self, self._inside, pictures, start, **options)

    def pose(self, landmarks: Any) -> np.ndarray:
        """[n, 4] float64: scale, angle, x, y of faces, which coordinates do not hold; for `.decode(pose=)`.

        Angle in radians, clockwise on the screen; x, y: the center of the landmarks, pixels. "reference_code" has angle
        0, "none" 1, 0, 0, 0. landmarks: [n, L, 2]. InputError: another shape or number of landmarks, NaN.
        """
        points = self._points(landmarks)
        return NORMALIZATIONS[self.normalize](points, self.shape_mean)[1]

    def landmarks(self, coordinates: Any, pose: Any = None) -> Any:
        """Landmarks [n, L, 2] in pixels (x, y) of faces with coordinates [n, shape + appearance].

        pose: [n, 4] or [4], by default the mean pose. numpy or torch, dtype and device as the coordinates (integers:
        float32), differentiable in both arguments in torch. InputError: another shape, NaN.
        """
        c = self._coordinates(coordinates)
        return like(_as_given(self._landmarks(c, self._poses(pose, c)), coordinates), coordinates)

    def decode(self, coordinates: Any, pose: Any = None) -> Any:
        """Images [n, H, W(, channels)] of the faces with these coordinates [n, shape + appearance], in the fit's frame.

        pose: [n, 4] or [4], by default the mean pose. numpy or torch, dtype and device as the coordinates (integers:
        float32), differentiable in both arguments in torch. Values are not clipped to the range of images, so that the
        gradient never vanishes. InputError: another number of coordinates, a pose of another shape, NaN.
        """
        c = self._coordinates(coordinates)
        pose = self._poses(pose, c)
        pictures = [self._draw(c[k : k + CHUNK], pose[k : k + CHUNK]) for k in range(0, len(c), CHUNK)]
        out = torch.cat(pictures) if pictures else c.new_zeros(0, *self.frame)
        return like(_as_given(out[..., 0] if self.flat else out, coordinates), coordinates)

    def face_pixels(self, landmarks: Any) -> np.ndarray:
        """[n, H, W] bool: the pixels that the mask covers when it is warped onto these landmarks [n, L, 2].

        InputError: another shape or number of landmarks, NaN.
        """
        points = torch.as_tensor(self._points(landmarks)).float()
        if not len(points):
            return np.zeros((0, *self.frame[:2]), dtype=bool)
        parts = [self._warped(points[k : k + CHUNK]) for k in range(0, len(points), CHUNK)]
        mask = torch.as_tensor(self.mask).float()[None, None]
        return torch.cat([drawn(mask.expand(len(at), -1, -1, -1), at)[:, 0] > 0.5 for at in parts]).numpy()

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """[n, shape + appearance] float32: independent Gaussians with the variances of the fit (Chang & Tsao 2017).

        Drawn by seed. InputError: n below 1, a seed below 0.
        """
        check_whole(n=(n, 1), seed=(seed, 0))
        normal = np.random.default_rng(seed).standard_normal((n, len(self.variances)))
        return (normal * np.sqrt(self.variances)).astype(np.float32)

    def table(self) -> "pandas.DataFrame":
        """One row per coordinate: block, component (from 1), variance, share_of_kept (fraction of its block's)."""
        import pandas as pd

        rows = []
        for name, part in self.blocks.items():
            v = self.variances[part]
            rows += [(name, k + 1, x, x / v.sum()) for k, x in enumerate(v)]
        return pd.DataFrame(rows, columns=["block", "component", "variance", "share_of_kept"])

    def figure(self, components: int = 3, reach: float = 2.5) -> "plotly.graph_objects.Figure":
        """The first `components` of each block, or all there are, at -reach, 0 and +reach standard deviations.

        InputError: components below 1, reach no finite number above 0.
        """
        from deeptheory.faces.drawing import components_figure

        check_whole(components=(components, 1))
        check_real(reach=(reach, 0))

        return components_figure(self.blocks, self.variances, self.decode, components, reach)

    def save(self, path: str | Path) -> None:
        """Keep the space in the folder `path`: arrays.safetensors and space.json. An older one is replaced as a whole.

        StoreError: it cannot be written, or the folder holds other things, which would be lost.
        """
        from deeptheory.faces.storage import save

        save(self, Path(path))

    @classmethod
    def load(cls, path: str | Path) -> "FaceSpace":
        """The space kept by `.save` in the folder `path`. StoreError: missing, corrupt, or of another schema."""
        from deeptheory.faces.storage import load

        return load(Path(path), cls)

    # --- inside

    @cached_property
    def _warp(self) -> ThinPlate:
        return ThinPlate(placed(self.shape_mean[None], self.mean_pose[None])[0])

    @cached_property
    def _inside(self) -> np.ndarray:
        """[m, L]: landmarks of a face to the places of its m pixels of the mask."""
        return self._warp.basis(grid(*self.frame[:2])[self.mask.ravel()])

    @cached_property
    def _box(self) -> tuple[int, int, int, int]:
        """x, y, rows, columns of the part of the mean frame that can be seen: the mask and a rim around it."""
        rows, columns = np.nonzero(self.mask.any(1))[0], np.nonzero(self.mask.any(0))[0]
        x, y = int(columns[0]) - _RIM, int(rows[0]) - _RIM
        return x, y, int(rows[-1]) + _RIM - y + 1, int(columns[-1]) + _RIM - x + 1

    @cached_property
    def _around(self) -> np.ndarray:  # no tensor: made in inference mode, none could be differentiated later
        """[L, pixels of the box], float32: landmarks of a face to where those pixels go."""
        x, y, rows, columns = self._box
        return np.ascontiguousarray(self._warp.basis(grid(rows, columns, (x, y))).T.astype(np.float32))

    def _coordinates(self, coordinates: Any) -> Tensor:
        c = real_tensor("coordinates", coordinates)
        check_shapes(coordinates=(c, f"n {len(self.variances)}"))
        check_finite(coordinates=c)
        return c.float() if c.dtype in _HALF else c

    def _points(self, landmarks: Any) -> np.ndarray:
        points = as_points(landmarks, None)
        check_shapes(landmarks=(points, f"n {len(self.shape_mean)} 2"))
        return points

    def _poses(self, pose: Any, c: Tensor) -> Tensor:
        """[n, 4] for coordinates [n, k]. InputError: another shape, NaN."""
        pose = _to(self.mean_pose if pose is None else real_tensor("pose", pose), c)
        if pose.shape not in ((4,), (1, 4), (len(c), 4)):
            raise InputError(f"pose has shape {list(pose.shape)}; needed: [4] or [{len(c)}, 4]: scale, angle, x, y")
        check_finite(pose=pose)
        return pose.expand(len(c), 4)

    def _landmarks(self, c: Tensor, pose: Tensor) -> Tensor:
        s = len(self.shape_components)
        shape = _to(self.shape_mean, c) + torch.einsum("ns,slx->nlx", c[:, :s], _to(self.shape_components, c))
        scale, angle, x, y = pose.unbind(1)
        turn = torch.stack([torch.cos(angle), -torch.sin(angle), torch.sin(angle), torch.cos(angle)], 1).view(-1, 2, 2)
        points = scale[:, None, None] * torch.einsum("nxy,nly->nlx", turn, shape) + torch.stack([x, y], 1)[:, None]
        if not bool(points.detach().isfinite().all()):
            raise InputError("coordinates or pose are so large that the landmarks are infinite; give smaller ones")
        return points

    def _draw(self, c: Tensor, pose: Tensor) -> Tensor:
        height, width, channels = self.frame
        at = self._warped(self._landmarks(c, pose))
        inside = torch.as_tensor(self.mask.ravel().nonzero()[0], device=c.device)
        look = self._textures(c).permute(0, 2, 1) - self.background
        canvas = c.new_zeros(len(c), channels, height * width).index_copy(2, inside, look)
        return drawn(canvas.view(len(c), channels, height, width), at).permute(0, 2, 3, 1) + self.background

    def _warped(self, points: Tensor) -> Tensor:
        """[n, H, W, 2]: where each pixel of faces with these landmarks [n, L, 2] lies in the mean frame."""
        x, y, rows, columns = self._box
        if (reach := float(points.detach().abs().max())) > _FARTHEST:
            raise InputError(f"landmarks reach {reach:.3g} pixels; faces are drawn up to {_FARTHEST:g}")
        field = (points.permute(2, 0, 1) @ _to(self._around, points)).view(2, len(points), rows, columns)
        exact = (self._warp.source, self._warp.coefficients(as_numpy(points)))
        return invert(field, (x, y), self.frame[:2], exact)

    def _textures(self, c: Tensor) -> Tensor:
        """[n, m, channels]: the shape-free appearance."""
        a = _to(self.appearance_components, c).flatten(1)
        return (c[:, len(self.shape_components) :] @ a).view(len(c), *self.appearance_mean.shape) + _to(
            self.appearance_mean, c
        )

    def _check_kind(self, pictures: Tensor, flat: bool, points: np.ndarray | None) -> None:
        if pictures.shape[1] != self.frame[2] or flat != self.flat:
            seen = "gray" if flat else f"{pictures.shape[1]} channels"
            mine = "gray" if self.flat else f"{self.frame[2]} channels"
            raise InputError(f"images are {seen}, this space is of {mine}; convert them")
        if points is not None and points.shape[1] != len(self.shape_mean):
            raise InputError(f"landmarks are {points.shape[1]} a face; this space has {len(self.shape_mean)}")


def _as_given(out: Tensor, coordinates: Any) -> Tensor:
    """out in the dtype of the coordinates, where that is a half precision."""
    given = real_tensor("coordinates", coordinates).dtype
    return out.to(given) if given in _HALF else out


def _to(array: Any, reference: Tensor) -> Tensor:
    return torch.as_tensor(array).to(reference)
