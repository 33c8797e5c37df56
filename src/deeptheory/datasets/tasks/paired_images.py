"""Pairs of images whose mutual information is known: two numbers draw each image, and the numbers are dependent.

Source: Butakov et al. 2024, section 5 (Gaussians and rectangles). The drawing is continuous and one to one, so that
I(X;Y) of the images is that of the numbers: two pairs of correlated normals, turned uniform by their distribution
function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number, check_whole

if TYPE_CHECKING:
    import pandas

_MOST = 40  # bits: 1 - 2^-40 is four thousand steps of float64 below 1


@dataclass(frozen=True, kw_only=True, eq=False)
class PairedImages(Result):
    """Pairs of images whose mutual information is known.

    Source: Butakov et al. 2024, section 5. kind: "gaussians" or "rectangles". x, y: [n, size, size] float32, in [0, 1];
    numbers_x, numbers_y: [n, 2] float64, uniform on [0, 1], from which x and y were drawn one to one; column k of both
    is one correlated pair, the two columns are independent. mutual_information: I(X;Y) in bits, exact, half of it in
    each column; seed: of all draws.
    """

    kind: str
    x: np.ndarray
    y: np.ndarray
    numbers_x: np.ndarray
    numbers_y: np.ndarray
    mutual_information: float
    seed: int

    def __repr__(self) -> str:
        n, size, _ = self.x.shape
        return f"PairedImages({n} pairs of {self.kind}, {size} x {size}, I(X;Y) = {self.mutual_information:g} bits)"

    def table(self) -> "pandas.DataFrame":
        """One row per pair: x1, x2, y1, y2, the numbers that drew its images."""
        import pandas as pd

        return pd.DataFrame(np.concatenate([self.numbers_x, self.numbers_y], axis=1), columns=["x1", "x2", "y1", "y2"])


def gaussians(u: np.ndarray, size: int) -> np.ndarray:
    """A round bump of width size / 6 with its center within the middle half: [n, 2] -> [n, size, size]."""
    at = (0.25 + 0.5 * u) * size
    pixels = np.arange(size) + 0.5
    each = np.exp(-((pixels - at[..., None]) ** 2) / (2 * (size / 6) ** 2))
    return each[:, 0, :, None] * each[:, 1, None, :]


def rectangles(u: np.ndarray, size: int) -> np.ndarray:
    """A centered rectangle with sides from a quarter to three quarters of the image, edges smoothed by the share of a
    pixel that is covered (else sides within a pixel would look alike): [n, 2] -> [n, size, size]."""
    half = (0.125 + 0.25 * u) * size
    low = np.arange(size) - size / 2
    left, right = np.maximum(low, -half[..., None]), np.minimum(low + 1, half[..., None])
    each = np.maximum(right - left, 0)
    return each[:, 0, :, None] * each[:, 1, None, :]


KINDS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"gaussians": gaussians, "rectangles": rectangles}


def paired_images(kind: str, mutual_information: float, n: int, *, size: int = 16, seed: int = 0) -> PairedImages:
    """n pairs of synthetic images [n, size, size] with I(X;Y) = mutual_information bits, half in each of two numbers.

    Source: Butakov et al. 2024, section 5. kind: "gaussians" (where a bump lies) or "rectangles" (how wide and high).
    In each of two pairs of normals the correlation is sqrt(1 - 2^-bits). Drawn by seed and n. Above 40 bits the
    correlations could not be told from 1 in float64, and the images would be equal. InputError: an unknown kind,
    information below 0 or above 40, n below 1, size below 4, or no integers.
    """
    draw = pick(KINDS, kind, what="kind of image")
    check_number(mutual_information=mutual_information)
    if not 0 <= mutual_information <= _MOST:
        raise InputError(f"mutual_information is {mutual_information}; needed: a finite number of bits, 0 to {_MOST}")
    check_whole(n=(n, 1), size=(size, 4), seed=(seed, 0))
    from scipy.special import ndtr

    rho = np.sqrt(1 - 2.0 ** -float(mutual_information))  # -1/2 log2(1 - rho^2) is half of it, for each of two pairs
    rng = np.random.default_rng([seed, n])
    a, b = rng.standard_normal((2, n, 2))
    numbers = ndtr(a), ndtr(rho * a + np.sqrt(1 - rho**2) * b)
    x, y = (draw(u, size).astype(np.float32) for u in numbers)
    return PairedImages(
        kind=kind, x=x, y=y, numbers_x=numbers[0], numbers_y=numbers[1], mutual_information=float(mutual_information),
        seed=seed
    )  # fmt: skip
