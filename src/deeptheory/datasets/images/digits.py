"""Labeled pictures, and the 1,797 small digits that scikit-learn ships."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas

_DIGITS_SHA256 = "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"


@dataclass(frozen=True, kw_only=True, eq=False)
class Images(Result):
    """Labeled pictures.

    images: [n, H, W] or [n, channel, H, W], uint8 or float32 in the source's own range; labels: [n] int64.

    train: [n] bool, the source's own division where it has one, all True otherwise.
    """

    name: str
    images: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    source: str
    license: str

    def __repr__(self) -> str:
        n, *size = self.images.shape
        classes = len(np.unique(self.labels))
        return (
            f"{type(self).__name__}({self.name}, {n} of {'x'.join(map(str, size))}, {classes} classes, from "
            f"{self.source})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per class: how many pictures of it, for training and held out."""
        import pandas as pd

        frame = pd.DataFrame({"label": self.labels, "train": self.train})
        return frame.groupby("label").agg(pictures=("train", "size"), train=("train", "sum")).reset_index()


def digits() -> Images:
    """1,797 handwritten digits of 8x8 pixels, values 0 to 16, float32 (Alpaydin & Kaynak 1998; in scikit-learn)."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    images = np.asarray(x, dtype=np.float32).reshape(-1, 8, 8)
    check_sha256(images.astype(np.uint8), _DIGITS_SHA256, "scikit-learn's digits")
    return Images(
        name="digits",
        images=images,
        labels=np.asarray(y, dtype=np.int64),
        train=np.ones(len(images), dtype=bool),
        source=where(),
        license="CC BY 4.0",
    )


def where() -> str:
    """In words: these come with a dependency."""
    return "the package scikit-learn"


def check_sha256(array: np.ndarray, expected: str, what: str) -> None:
    """StoreError where the array's bytes are not the ones expected; names both checksums."""
    from deeptheory.core.errors import StoreError

    seen = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    if seen != expected:
        raise StoreError(f"{what}: sha256 is {seen}, expected {expected}; the file changed or is corrupt, get it again")
