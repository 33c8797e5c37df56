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
    """Labeled images.

    images: [n, H, W] or [n, channel, H, W], uint8 or float32 in the source's own range; labels: [n] int64, classes from
    0; train: [n] bool, the source's own division where it has one, all True otherwise. source: where they were read
    from, in words.
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
        """One row per class: label, pictures (how many images there are of it) and train (how many of them train)."""
        import pandas as pd

        frame = pd.DataFrame({"label": self.labels, "train": self.train})
        return frame.groupby("label").agg(pictures=("train", "size"), train=("train", "sum")).reset_index()


def digits() -> Images:
    """1,797 handwritten digits (Alpaydin & Kaynak 1998), images [1797, 8, 8] float32 0 to 16, labels 0 to 9.

    They come with scikit-learn; all are marked for training. StoreError: its file is not the one expected.
    """
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
