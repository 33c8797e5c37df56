"""Objects seen from many sides: pictures with the viewpoint of each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import labels_array
from deeptheory.datasets.images.digits import Images

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Views(Images):
    """Labeled images with viewpoints. images: [n, channel, H, W] uint8; labels: [n] int64, the category.

    instance: [n], which object of its category. azimuth, elevation: [n], degrees. light: [n], number of the lighting.
    All int64; a factor that a source does not have is 0 throughout. The other fields are those of `Images`.
    """

    instance: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    light: np.ndarray

    def table(self) -> "pandas.DataFrame":
        """One row per category: label, pictures, train, and how many instances, azimuths, elevations, lights it has."""
        import pandas as pd

        names = ("instance", "azimuth", "elevation", "light")
        frame = pd.DataFrame({"label": self.labels, "train": self.train, **{k: getattr(self, k) for k in names}})
        return (
            frame.groupby("label")
            .agg(pictures=("train", "size"), train=("train", "sum"), **{f"{k}s": (k, "nunique") for k in names})
            .reset_index()
        )

    def select(self, rows: np.ndarray) -> "Views":
        """The same of some rows, copied. rows: a boolean mask [n] or row numbers [m] from 0 (below 0: from the end).

        InputError: a mask of another length, numbers out of range, not whole or masked.
        """
        from dataclasses import fields, replace

        rows, n = labels_array("rows", rows), len(self.labels)
        fits = rows.shape == (n,) if rows.dtype == bool else rows.ndim == 1 and rows.dtype.kind in "iu"
        if not fits or (rows.dtype != bool and rows.size and not -n <= rows.min() <= rows.max() < n):
            raise InputError(f"rows is {rows.dtype} {list(rows.shape)}; needed: bool [{n}], or integers below {n}")
        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[rows] for k, v in arrays.items() if isinstance(v, np.ndarray)})
