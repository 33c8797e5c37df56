"""What one number of a capsule's pose means: change it a little and look at what the decoder draws.

Source: Sabour, Frosst & Hinton 2017, section 5.1 and figure 4: each of the 16 numbers of the winning capsule is moved
by -0.25 to 0.25 in steps of 0.05.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.capsules.networks import CapsuleNetwork
from deeptheory.capsules.objectives import decoded
from deeptheory.core.arrays import as_floats, as_numpy, as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes
from deeptheory.networks.single.modules import predict

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

OFFSETS = tuple(round(-0.25 + 0.05 * k, 2) for k in range(11))


@dataclass(frozen=True, kw_only=True, eq=False)
class Perturbation(Result):
    """Drawings of n images' longest capsules, each of its d numbers moved by each of k offsets.

    Source: Sabour et al. 2017, section 5.1, figure 4. drawings: [n, d, k, H, W], the first channel; offsets: [k];
    winners: [n], the class that was drawn.
    """

    drawings: np.ndarray
    offsets: np.ndarray
    winners: np.ndarray

    def __repr__(self) -> str:
        n, d, k = self.drawings.shape[:3]
        return (
            f"Perturbation({n} pictures, {d} dimensions, {k} offsets from {self.offsets[0]:g} to {self.offsets[-1]:g})"
        )

    @property
    def widths(self) -> np.ndarray:
        """[n, d, k]: width of the ink in pixels, see `ink_width`. InputError: negative ink."""
        return ink_width(self.drawings)

    def explained(self) -> np.ndarray:
        """[classes seen, d]: R2 of the change of width by a straight line in the offset, over all images of a class.

        Classes in rising order. Each image's mean width over the offsets is taken off first; the line has one slope for
        all images of the class. 0 where the width does not change at all. InputError: offsets that do not differ or
        are not finite, no image, negative ink.
        """
        widths, offsets, winners = self.widths, np.asarray(self.offsets), np.asarray(self.winners)
        if not len(widths):
            raise InputError("there is no drawing, and so no width; needed: one image or more")
        check_finite(offsets=offsets)
        if offsets.min() == offsets.max():
            raise InputError(f"the offsets are {offsets.tolist()}; a line needs two that differ")
        change = widths - widths.mean(2, keepdims=True)
        x = near_one((offsets - offsets.mean()).astype(float))  # offsets of any unit
        rounding = 1e-13 * (widths**2).mean() * offsets.size  # of float32 images, squared; below it a width is constant
        out = []
        for label in np.unique(winners):
            y = change[winners == label]  # [m, d, k]
            slope = np.einsum("mdk,k->d", y, x) / (len(y) * (x @ x))
            total = (y**2).sum((0, 2))
            moves = total > rounding * len(y)
            out.append(np.where(moves, slope**2 * len(y) * (x @ x) / np.where(moves, total, 1), 0.0))
        return np.stack(out)

    def table(self) -> "pandas.DataFrame":
        """One row per class and dimension (from 0): explained, the R2. InputError: see explained."""
        import pandas as pd

        values = self.explained()
        rows = [
            {"class": int(c), "dimension": d, "explained": values[i, d]}
            for i, c in enumerate(np.unique(self.winners))
            for d in range(values.shape[1])
        ]
        return pd.DataFrame(rows)

    def figure(self) -> "plotly.graph_objects.Figure":
        """explained as a heat map, class by dimension, from 0 to 1. InputError: see explained."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        figure = new_figure(xaxis_title="dimension of the pose", yaxis_title="class")
        classes = [str(c) for c in np.unique(self.winners)]
        heat = {"z": self.explained().round(3).tolist(), "y": classes, "zmin": 0, "zmax": 1, "colorscale": "Viridis"}
        figure.add_trace(go.Heatmap(**heat, colorbar={"title": "R2 of width"}))
        return figure


def perturb(model: CapsuleNetwork, images: Any, *, offsets: Any = OFFSETS, batch: int = 64) -> Perturbation:
    """Move each number of the longest capsule by each offset and draw it (Sabour et al. 2017, section 5.1, figure 4).

    model: with a decoder. images: [n, C, H, W], `batch` at a time; the first channel of the drawings is kept. offsets:
    [k], added to a number of the capsule, whose length is below 1; by default the paper's, -0.25 to 0.25 in steps of
    0.05. -> Perturbation, drawings [n, d, k, H, W], d numbers a capsule. InputError: a network without a decoder, no
    offset, NaN.
    """
    if getattr(model, "decoder", None) is None:
        raise InputError("this network has no decoder, so that nothing can be drawn; make it with reconstruction=True")
    offsets = as_floats(offsets).astype(np.float32)
    if offsets.ndim != 1 or not len(offsets):
        raise InputError(f"offsets have shape {list(offsets.shape)}; needed: one or more numbers")
    check_finite(offsets=offsets)
    images = as_tensor(images)
    check_shapes(images=(images, "n C H W"))
    out = predict(model, images, batch=batch)
    capsules, winners = as_numpy(out.capsules), as_numpy(out.lengths.argmax(1))
    n, j, d = capsules.shape
    moved = np.broadcast_to(capsules[:, None, None], (n, d, len(offsets), j, d)).copy()
    at = np.arange(n)[:, None, None]
    axis = np.arange(d)[None, :, None]
    moved[at, axis, np.arange(len(offsets))[None, None], winners[:, None, None], axis] += offsets
    labels = np.broadcast_to(winners[:, None, None], (n, d, len(offsets))).ravel()
    drawn = decoded(model, moved.reshape(-1, j, d), labels.copy(), batch=1024)
    return Perturbation(
        drawings=drawn[:, 0].reshape(n, d, len(offsets), *drawn.shape[2:]), offsets=offsets, winners=winners
    )


def ink_width(images: np.ndarray) -> np.ndarray:
    """Width of the ink in pixels: four times the standard deviation of the column, weighted by ink.

    images [..., H, W] -> [...]. A vertical bar of ink w pixels wide gives 1.155 sqrt(w^2 - 1). No ink: 0. InputError:
    another shape, NaN or infinity, negative ink, of which there is no width.
    """
    ink = as_floats(images)
    if ink.ndim < 2:
        raise InputError(f"images have shape {list(ink.shape)}; needed: [..., H, W]")
    check_finite(images=ink)
    if ink.size and ink.min() < 0:
        raise InputError(
            f"the images run from {ink.min():.3g}; ink is 0 or more: undo a normalization first, or take 1 - image"
        )
    ink = ink / np.maximum(
        ink.max((-2, -1), keepdims=True, initial=0), np.finfo(float).tiny
    )  # any unit of ink: no overflow, no floor
    ink = ink.sum(-2)  # by column
    mass = np.where(ink.sum(-1) > 0, ink.sum(-1), 1)
    column = np.arange(ink.shape[-1])
    mean = (ink * column).sum(-1) / mass
    return 4 * np.sqrt((ink * (column - mean[..., None]) ** 2).sum(-1) / mass)
