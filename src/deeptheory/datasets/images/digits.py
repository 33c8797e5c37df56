"""Labeled pictures, and the 1,797 small digits that scikit-learn ships."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas

_LABELS_SHA256 = "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"  # of the labels as bytes
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
    check_sha256(np.asarray(y).astype(np.uint8), _LABELS_SHA256, "the labels of scikit-learn's digits")
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


def whole_column(values: np.ndarray, n: int, least: int, most: int, what: str) -> np.ndarray:
    """A file's labels [n] or the like as int64 [n]. StoreError: another shape, no integers, or beyond least to most."""
    from deeptheory.core.errors import StoreError

    numbers = values.dtype.kind in "biuf" and values.shape == (n,)
    if not numbers or not ((values >= least) & (values <= most) & (values == np.floor(values))).all():
        seen = f", from {values.min():g} to {values.max():g}" if numbers and n else ""
        raise StoreError(
            f"{what} are {values.dtype} {list(values.shape)}{seen}; integers {least} to {most} [{n}] belong there"
        )
    return values.astype(np.int64)


def check_sha256(array: np.ndarray, expected: str, what: str) -> None:
    """StoreError where the array's bytes are not the ones expected; names both checksums."""
    from deeptheory.core.errors import StoreError

    seen = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    if seen != expected:
        raise StoreError(f"{what}: sha256 is {seen}, expected {expected}; the file changed or is corrupt, get it again")
