"""How well coordinates hold faces that they were not made from: a face space beside pixel components of equal
dimension.

Identities are held out whole. Errors are over the pixels of each face, which the mean frame's mask covers when warped
onto its own landmarks; outside it all pictures are set to the background, for both models, as in Chang & Tsao 2017.
Pitfall: a face space also keeps a pose (4 numbers) out of its coordinates; pixel components get four more for it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import as_floats, as_numbers, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes, check_whole, whole_numbers
from deeptheory.faces.alignment import Normalization
from deeptheory.faces.frames import as_points
from deeptheory.faces.pixels import PixelSpace
from deeptheory.faces.space import FaceSpace

_PROBES = 1024  # compared with the gallery at a time: bounds memory, changes nothing else

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HeldOut(Result):
    """Errors of n held-out faces by number of components. components: [k], rising, so many of each block.

    landmark_error: [n, k], mean distance of the landmarks in pixels. pixel_error, pixels_alone: [n, k], root mean
    square over the face's pixels, in the units of the images, of the face space at its own pose (4 numbers), and of
    pixel components (PixelSpace) of equal dimension, twice as many and 4, or all there are. folds: as asked for.
    """

    components: np.ndarray
    landmark_error: np.ndarray
    pixel_error: np.ndarray
    pixels_alone: np.ndarray
    folds: int

    def __repr__(self) -> str:
        a, b = self.pixel_error[:, -1].mean(), self.pixels_alone[:, -1].mean()
        k, n = self.components[-1], len(self.pixel_error)
        return f"HeldOut({n} faces; {k} + {k} components leave {a:.3g}, as many of pixels {b:.3g})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: the three errors over [face, components]."""
        import xarray as xr

        names = ("landmark_error", "pixel_error", "pixels_alone")
        return xr.Dataset(
            {name: (("face", "components"), getattr(self, name)) for name in names},
            coords={"components": self.components},
        )

    def table(self) -> "pandas.DataFrame":
        """One row per number of components: means of the three errors over the held-out faces."""
        return self.dataset().mean("face").to_dataframe().reset_index()

    def figure(self) -> "plotly.graph_objects.Figure":
        """pixel_error and pixels_alone against the number of components, means over the held-out faces."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        table = self.table()
        figure = new_figure(xaxis_title="components a block", yaxis_title="pixel error, held-out faces (rms)")
        for name, label in (("pixel_error", "face space"), ("pixels_alone", "pixel components, equal dimension")):
            figure.add_trace(go.Scatter(x=table["components"], y=table[name], name=label, mode="lines+markers"))
        figure.update_yaxes(rangemode="tozero")
        return figure


def held_out(
    images: Any,
    landmarks: Any,
    components: Any = (1, 2, 5, 10, 25),
    *,
    folds: int = 5,
    normalize: Normalization = "procrustes",
    mask: Any = "hull",
    seed: int = 0,
) -> HeldOut:
    """Errors on held-out faces, every face held out once, in folds drawn by seed; -> HeldOut.

    images: [n, H, W(, channels)], landmarks: [n, L, 2], normalize, mask: as in `FaceSpace.fit`, one image an identity.
    components: integers, so many of each block. Outside the face both models see the background, as in Chang & Tsao
    2017. InputError: fewer than 2 folds or faces than folds, more components than the other folds' faces have,
    landmarks of another number of faces, a face without a pixel on its image, what `FaceSpace.fit` refuses.
    """
    check_whole(folds=(folds, 2), seed=(seed, 0))
    counts = np.unique(whole_numbers("components", components, 1))
    if not len(counts):
        raise InputError("components is empty; needed: numbers of components")
    x = _near_zero(as_numbers(images))
    points = as_points(landmarks, len(x) if x.ndim else 0)
    n, most = len(x), int(counts[-1])
    if not 2 <= folds <= n:
        raise InputError(f"folds is {folds} for {n} faces; needed: 2 to the number of faces")
    out = {name: np.empty((n, len(counts))) for name in ("landmark_error", "pixel_error", "pixels_alone")}
    for held in np.array_split(np.random.default_rng(seed).permutation(n), folds):
        rest = np.setdiff1d(np.arange(n), held)
        space = FaceSpace.fit(x[rest], points[rest], shape=most, appearance=most, normalize=normalize, mask=mask)
        face = space.face_pixels(points)
        if not (seen := face.any((1, 2))).all():
            raise InputError(f"face {int((~seen).argmax())} has no pixel on its image; leave it out")
        cut = np.where(face[..., None] if x.ndim == 4 else face, x, np.float32(space.background)).astype(np.float32)
        alone = PixelSpace._fit(cut[rest], 2 * most + 4, at_most=True)
        coordinates, pose, scores = (
            space.encode(x[held], points[held]),
            space.pose(points[held]),
            alone.encode(cut[held]),
        )
        for i, k in enumerate(counts):
            kept = coordinates * np.tile(np.arange(most) < k, 2)
            off = np.linalg.norm(space.landmarks(kept, pose) - points[held], axis=2).mean(1)
            out["landmark_error"][held, i] = off
            few = scores * (np.arange(scores.shape[1]) < 2 * k + 4)
            for name, drawn in (("pixel_error", space.decode(kept, pose)), ("pixels_alone", alone.decode(few))):
                out[name][held, i] = _rms(drawn - cut[held], face[held])
    return HeldOut(components=counts, folds=folds, **out)


def recognized(gallery: Any, probes: Any, identity: Any, *, spread: Any = None) -> np.ndarray:
    """[m] bool: whether the nearest row of gallery [n, k] to each of probes [m, k] is row identity[m].

    Euclidean; ties: the first row. identity: [m] integers. spread: [k], what one unit of distance is in each
    coordinate, 0 for those to leave out; by default the gallery's standard deviations, and coordinates that do not
    vary over the gallery are left out, each judged by its own size.
    InputError: shapes that do not fit together, an empty gallery, NaN, identities that are no rows of the gallery, a
    spread below 0 or 0 throughout.
    """
    from scipy.spatial.distance import cdist

    a, b, identity = as_floats(gallery), as_floats(probes), as_numpy(identity)
    step = np.finfo(np.float32 if as_numpy(gallery).dtype in (np.float16, np.float32) else np.float64).eps
    if a.ndim != 2 or b.ndim != 2 or not a.size or a.shape[1] != b.shape[1] or identity.shape != (len(b),):
        raise InputError(
            f"gallery {list(a.shape)}, probes {list(b.shape)}, identity {list(identity.shape)}; "
            "needed: [n, k], [m, k], [m]"
        )
    check_finite(gallery=a, probes=b)
    if (rows := whole_numbers("identity", identity)).max(initial=0) >= len(a):
        raise InputError(f"identity runs to {rows.max()}; the gallery has rows 0 to {len(a) - 1}")
    if spread is None:
        size = np.abs(a).max(0)
        size = np.where(size > 0, size, 1.0)  # squares of 1e-200 are 0, of 1e200 infinite
        a, b = a / size, b / size
    unit = a.std(0) if spread is None else as_floats(spread)
    check_shapes(gallery=(a, "n k"), spread=(unit, "k"))
    check_finite(spread=unit)
    if spread is not None and not (unit.min() >= 0 < unit.max()):
        raise InputError(f"spread is {unit.min():.3g} to {unit.max():.3g}; needed: 0 or more, above 0 somewhere")
    unit = np.where(unit > (0 if spread is not None else 16 * step), unit, np.inf)  # what does not vary tells nothing
    a, b = a / unit, b / unit  # of differences: products of large coordinates would cancel
    nearest = [cdist(b[k : k + _PROBES], a).argmin(1) for k in range(0, len(b), _PROBES)]
    return np.concatenate([*nearest, np.empty(0, dtype=np.int64)]) == rows


def _near_zero(x: np.ndarray) -> np.ndarray:
    """Images, where they are far from 0 for their spread brought near it: errors do not change, and float32, in which
    faces are drawn, would round them."""
    if not x.size or x.dtype == bool:
        return x
    middle, spread = float(x.mean(dtype=np.float64)), float(x.std(dtype=np.float64))
    far = np.isfinite(middle) and abs(middle) > 1e3 * spread
    return x - np.float64(middle) if far else x


def _rms(off: np.ndarray, face: np.ndarray) -> np.ndarray:
    squared = off.astype(np.float64) ** 2
    squared = squared.mean(-1) if squared.ndim == 4 else squared
    return np.sqrt((squared * face).sum((1, 2)) / face.sum((1, 2)))
