"""Forty pairs of variables whose mutual information is known: what an estimator should have said.

Source: Czyz, Grabowski, Vogt, Beerenwinkel & Marx 2023, "Beyond normal: on the evaluation of mutual information
estimators" (NeurIPS), whose tasks these are, drawn again from their definitions: normals, Student's t, noise added to a
uniform, and one-to-one maps of each variable apart, which change the shape of a distribution and leave its information
as it is.
Pitfall: an estimator that reaches all of the normal tasks may fail on each of the others; no one passes all forty.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole

if TYPE_CHECKING:
    import pandas

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
Map = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroundTruth(Result):
    """A pair of variables of known information (Czyz et al. 2023).

    dims: numbers in x and in y; mutual_information: bits, exact up to float64; about: in words; draw: the sampler
    behind `sample`.
    """

    name: str
    about: str
    dims: tuple[int, int]
    mutual_information: float
    draw: Draw = field(repr=False)

    def __repr__(self) -> str:
        return f"GroundTruth({self.name}, {self.dims[0]} x {self.dims[1]}, I(X;Y) = {self.mutual_information:.6f} bits)"

    def sample(self, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """n independent pairs: x [n, dims[0]], y [n, dims[1]], float64, drawn by seed and n.

        A larger n gives other samples, not more of the same. InputError: n no integer of 1 or more, seed below 0.
        """
        check_whole(n=(n, 1), seed=(seed, 0))
        return self.draw(np.random.default_rng([seed, n]), n)

    def table(self) -> "pandas.DataFrame":
        """One row: name, dx, dy, mutual_information (bits), about."""
        import pandas as pd

        row = {"name": self.name, "dx": self.dims[0], "dy": self.dims[1], "mutual_information": self.mutual_information}
        return pd.DataFrame([row | {"about": self.about}])


def normal(cov: np.ndarray, dx: int) -> tuple[Draw, float]:
    """Jointly normal with this covariance, the first dx columns x: sampler, nats."""
    root = np.linalg.cholesky(cov)

    def draw(rng, n):
        both = rng.standard_normal((n, len(cov))) @ root.T
        return both[:, :dx], both[:, dx:]

    logs = [np.linalg.slogdet(c)[1] for c in (cov[:dx, :dx], cov[dx:, dx:], cov)]
    return draw, float(logs[0] + logs[1] - logs[2]) / 2


def dense(d: int) -> tuple[Draw, float]:
    """d x d, unit variances, every correlation a half."""
    return normal(np.full((2 * d, 2 * d), 0.5) + 0.5 * np.eye(2 * d), d)


def two_pairs(d: int) -> tuple[Draw, float]:
    """d x d, two pairs of columns with correlation 4/5, all else independent."""
    cov = np.eye(2 * d)
    for k in (0, 1):
        cov[k, d + k] = cov[d + k, k] = 0.8
    return normal(cov, d)


def one_pair() -> tuple[Draw, float]:
    """1 x 1, correlation 3/4."""
    return normal(np.array([[1.0, 0.75], [0.75, 1.0]]), 1)


def student(d: int, dof: int) -> tuple[Draw, float]:
    """d x d, Student's t with identity dispersion: no correlation, but one common scale.

    Nats: Arellano-Valle et al. 2013.
    """
    from scipy.special import digamma, gammaln

    def draw(rng, n):
        both = rng.standard_normal((n, 2 * d)) / np.sqrt(rng.chisquare(dof, (n, 1)) / dof)
        return both[:, :d], both[:, d:]

    def g(v: float) -> float:
        return float(gammaln(v / 2) - v / 2 * digamma(v / 2))

    return draw, g(dof) + g(dof + 2 * d) - 2 * g(dof + d)


def additive(eps: float) -> tuple[Draw, float]:
    """x uniform on [0, 1], y = x + noise uniform on [-eps, eps]."""

    def draw(rng, n):
        x = rng.uniform(0, 1, (n, 1))
        return x, x + rng.uniform(-eps, eps, (n, 1))

    return draw, eps - math.log(2 * eps) if eps <= 0.5 else 1 / (4 * eps)


def mapped(base: tuple[Draw, float], of_x: Map, of_y: Map) -> tuple[Draw, float]:
    """Another variable for each, one to one: the information stays."""

    def draw(rng, n):
        x, y = base[0](rng, n)
        return of_x(x), of_y(y)

    return draw, base[1]


def identity(x: np.ndarray) -> np.ndarray:
    """x."""
    return x


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """Each number through the distribution function of a normal: uniform columns in (0, 1)."""
    from scipy.special import ndtr

    return ndtr(x)


def half_cube(x: np.ndarray) -> np.ndarray:
    """x sqrt|x|: longer tails."""
    return x * np.sqrt(np.abs(x))


def wiggly_x(x: np.ndarray) -> np.ndarray:
    """Increasing, with waves."""
    return x + 0.4 * np.sin(x) + 0.2 * np.sin(1.7 * x + 1) + 0.03 * np.sin(3.3 * x - 2.5)


def wiggly_y(y: np.ndarray) -> np.ndarray:
    """The same with other waves."""
    return y - 0.4 * np.sin(0.4 * y) + 0.17 * np.sin(1.3 * y + 3.5) + 0.02 * np.sin(4.3 * y - 2.5)


def swiss_roll(x: np.ndarray) -> np.ndarray:
    """A normal number laid along a spiral in the plane: [n, 1] -> [n, 2]."""
    t = 1.5 * np.pi * (1 + 2 * normal_cdf(x))
    return np.concatenate([t * np.cos(t), t * np.sin(t)], axis=1) / 21


def spiral(i: int, j: int) -> Map:
    """Columns i and j turned by an angle of |x|^2 / columns: the norm stays, so that it can be undone."""

    def turn(x):
        angle = (x**2).sum(1) / x.shape[1]
        out = x.copy()
        out[:, i] = np.cos(angle) * x[:, i] - np.sin(angle) * x[:, j]
        out[:, j] = np.sin(angle) * x[:, i] + np.cos(angle) * x[:, j]
        return out

    return turn


def two_humps(weight: float, first: float, second: float) -> Map:
    """A normal number turned into a mixture weight N(first, 1) + (1 - weight) N(second, 1): the mixture's quantiles, by
    bisection to the last bits."""
    from scipy.special import ndtr

    def quantile(x):
        p, low, high = ndtr(x), np.full(x.shape, -40.0), np.full(x.shape, 40.0)
        for _ in range(80):
            middle = (low + high) / 2
            below = weight * ndtr(middle - first) + (1 - weight) * ndtr(middle - second) < p
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    return quantile


def _tasks() -> dict[str, tuple[str, tuple[int, int], Callable[[], tuple[Draw, float]]]]:
    """name -> what it is, dimensions, how it is made."""
    one, square = (1, 1), lambda d: (d, d)
    spirals = spiral(0, 1), spiral(1, 2)
    out: dict[str, tuple[str, tuple[int, int], Callable[[], tuple[Draw, float]]]] = {
        "normal-1x1": ("a normal pair, correlation 0.75", one, one_pair),
        "normal-cdf-1x1": ("the same with uniform margins", one, lambda: mapped(one_pair(), normal_cdf, normal_cdf)),
        "bimodal-1x1": ("the same with two humps in each margin", one, lambda: mapped(one_pair(), two_humps(0.3, 0, 5),
        two_humps(0.5, -1, 3))),
        "wiggly-1x1": ("the same through increasing waves", one, lambda: mapped(one_pair(), wiggly_x, wiggly_y)),
        "half-cube-1x1": ("the same with longer tails", one, lambda: mapped(one_pair(), half_cube, half_cube)),
        "swiss-roll-2x1": ("the same, x laid along a spiral in the plane", (2, 1), lambda: mapped(one_pair(),
        swiss_roll, normal_cdf)),
        "additive-0.1": ("a uniform number and the same with noise of up to 0.1", one, lambda: additive(0.1)),
        "additive-0.75": ("a uniform number and the same with noise of up to 0.75", one, lambda: additive(0.75)),
    }  # fmt: skip
    for d in (2, 3, 5, 25, 50):
        out[f"dense-{d}x{d}"] = "normal, every correlation a half", square(d), lambda d=d: dense(d)
    for d in (2, 3, 5, 25):
        out[f"two-pairs-{d}x{d}"] = (
            "normal, two pairs of columns with correlation 0.8",
            square(d),
            lambda d=d: two_pairs(d),
        )
    for d, dof in ((1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3)):
        out[f"student-{d}x{d}-dof{dof}"] = (
            f"Student's t, {dof} degrees of freedom",
            square(d),
            lambda d=d, v=dof: student(d, v),
        )
    for d, dof in ((1, 1), (2, 1), (3, 2), (5, 2)):
        out[f"asinh-student-{d}x{d}-dof{dof}"] = (
            "the same with short tails",
            square(d),
            lambda d=d, v=dof: mapped(student(d, v), np.arcsinh, np.arcsinh),
        )
    for d in (3, 5, 25):
        out[f"normal-cdf-two-pairs-{d}x{d}"] = (
            "two pairs with uniform margins",
            square(d),
            lambda d=d: mapped(two_pairs(d), normal_cdf, normal_cdf),
        )
        out[f"half-cube-two-pairs-{d}x{d}"] = (
            "two pairs with longer tails",
            square(d),
            lambda d=d: mapped(two_pairs(d), half_cube, half_cube),
        )
        out[f"spiral-two-pairs-{d}x{d}"] = (
            "two pairs, turned the further the longer",
            square(d),
            lambda d=d: mapped(two_pairs(d), *spirals),
        )
        out[f"spiral-normal-cdf-two-pairs-{d}x{d}"] = (
            "uniform margins, turned the further the longer",
            square(d),
            lambda d=d: mapped(mapped(two_pairs(d), normal_cdf, normal_cdf), *spirals),
        )
    return out


TASKS = _tasks()


def ground_truths() -> list[str]:
    """The names that `ground_truth` knows: forty pairs of known information (Czyz et al. 2023)."""
    return list(TASKS)


def ground_truth(name: str) -> GroundTruth:
    """The pair of that name, with its information in bits and a sampler; `ground_truths()` lists the names.

    Source: Czyz et al. 2023, drawn again from their definitions. InputError: unknown (near names are suggested).
    """
    about, dims, make = pick(TASKS, name, what="ground truth")
    draw, nats = make()
    return GroundTruth(name=name, about=about, dims=dims, mutual_information=nats / math.log(2), draw=draw)
