"""PixelSpace: principal components of pictures as they are (eigenfaces), the usual rival of a face space.

Source: Turk & Pentland 1991; the "Eigenface" model of Chang & Tsao 2017, figure 4L. Shape and appearance stay mixed: a
nose that is longer is many pixels that change.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numbers, like, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes
from deeptheory.faces.principal import needs_float64, principal

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class PixelSpace(Result):
    """Principal components of pixels (Turk & Pentland 1991), the Eigenface model of Chang & Tsao 2017, figure 4L.

    mean: [H, W(, channels)]; components: [k, H, W(, channels)], orthonormal, variance falling, the largest entry of
    each positive; variances: [k], unbiased, of the coordinates over the images of the fit.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray

    @classmethod
    def fit(cls, images: Any, components: int = 50) -> "PixelSpace":
        """The first components of images [n, H, W(, channels)]; kept in float32, of float64 images in float64.

        Float64, too, where float32 would round: integers beyond 2^24, numbers beyond 1e30.
        InputError: another shape, NaN, components below 1 or more than there are (n - 1 at most).
        """
        return cls._fit(images, components, at_most=False)

    @classmethod
    def _fit(cls, images: Any, components: int, *, at_most: bool) -> "PixelSpace":
        """at_most: so many components or all there are."""
        x = _pictures(images)
        found = principal(x.reshape(len(x), -1), components, "components", at_most=at_most)
        return cls(
            mean=found.mean.reshape(x.shape[1:]),
            components=found.components.reshape(len(found.components), *x.shape[1:]),
            variances=found.variances,
        )

    def __repr__(self) -> str:
        return f"PixelSpace({len(self.components)} components of {'x'.join(map(str, self.mean.shape))} pictures)"

    def encode(self, images: Any) -> Any:
        """Coordinates [n, k] of images [n, H, W(, channels)], numpy or torch as they; without gradient.

        InputError: another size, NaN.
        """
        x = _pictures(images)
        if x.shape[1:] != self.mean.shape:
            raise InputError(f"images are {list(x.shape[1:])}, this space is of {list(self.mean.shape)}")
        return like((x - self.mean).reshape(len(x), -1) @ self.components.reshape(len(self.components), -1).T, images)

    def decode(self, coordinates: Any) -> Any:
        """Images [n, H, W(, channels)] of coordinates [n, k], in their kind and dtype; differentiable in torch.

        InputError: another shape, NaN.
        """
        c = real_tensor("coordinates", coordinates)
        check_shapes(coordinates=(c, f"n {len(self.components)}"))
        check_finite(coordinates=c)
        mean, parts = (torch.as_tensor(a).to(c) for a in (self.mean, self.components))
        return like(mean + torch.einsum("nk,k...->n...", c, parts), coordinates)

    def table(self) -> "pandas.DataFrame":
        """One row per component (from 1): its variance and share_of_kept, its fraction of the sum of variances."""
        import pandas as pd

        share = self.variances / self.variances.sum()
        return pd.DataFrame(
            {"component": np.arange(1, len(share) + 1), "variance": self.variances, "share_of_kept": share}
        )


def _pictures(images: Any) -> np.ndarray:
    x = as_numbers(images)
    if x.ndim not in (3, 4) or not x.size:
        raise InputError(f"images have shape {list(x.shape)}; needed: [n, H, W] or [n, H, W, channels]")
    check_finite(images=x)
    return x.astype(np.float64 if needs_float64(x) else np.float32, copy=False)
