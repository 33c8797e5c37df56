"""Objects seen from many sides: pictures with the viewpoint of each."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.datasets.images.digits import Images

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Views(Images):
    """Labeled pictures with viewpoints. images: [n, channel, H, W] uint8; labels: [n] the category.

    instance: [n], which object of its category. azimuth, elevation: [n] int64, degrees. light: [n], number of the
    lighting. A factor that does not vary is 0 throughout.
    """

    instance: np.ndarray
    azimuth: np.ndarray
    elevation: np.ndarray
    light: np.ndarray

    def table(self) -> "pandas.DataFrame":
        """One row per category: how many pictures, instances, azimuths, elevations and lightings it has."""
        import pandas as pd

        names = ("instance", "azimuth", "elevation", "light")
        frame = pd.DataFrame({"label": self.labels, "train": self.train, **{k: getattr(self, k) for k in names}})
        return (
            frame.groupby("label")
            .agg(pictures=("train", "size"), train=("train", "sum"), **{f"{k}s": (k, "nunique") for k in names})
            .reset_index()
        )

    def select(self, rows: np.ndarray) -> "Views":
        """The same of some rows. rows: a boolean mask [n] or row numbers [m]."""
        from dataclasses import fields, replace

        arrays = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[rows] for k, v in arrays.items() if isinstance(v, np.ndarray)})
