"""Object space: the leading principal components of a network's responses to objects, as features for the bench.

Source: Bao, She, McGill & Tsao 2020: 50 components of AlexNet's fc6 (before its ReLU) on 51 objects in 24 views; the
preferred axis of a cell in the plane of the first two tells which of four networks of IT it belongs to. Each component
has unit variance over the reference objects, so that axis_code takes them with normalize="none".
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.population.rounding import rounding_of
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_whole

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class ObjectSpace(Result):
    """Principal components of a layer's responses to reference objects (Bao et al. 2020).

    mean: [units]; components: [k, units], orthonormal, the largest weight of each (the first of several as large)
    positive; deviation: [k], standard
    deviation of the objects along each; explained: [k], fraction of variance; coordinates: [n, k] of the objects, unit
    variance each. notes: components that were asked for and are not there.
    """

    mean: np.ndarray
    components: np.ndarray
    deviation: np.ndarray
    explained: np.ndarray
    coordinates: np.ndarray
    notes: tuple[str, ...] = ()

    def encode(self, responses: Any) -> np.ndarray:
        """[m, k]: coordinates of other stimuli from their responses [m, units] in the same layer.

        InputError: another number of units, NaN.
        """
        y = as_floats(responses)
        if y.ndim != 2 or y.shape[1] != len(self.mean):
            raise InputError(
                f"responses have shape {list(y.shape)}; needed: [m, {len(self.mean)}], the same layer's units"
            )
        check_finite(responses=y)
        return (y - self.mean) @ self.components.T / self.deviation

    def quadrants(self, axes: Any) -> np.ndarray:
        """[unit]: the quadrant of each of axes [unit, k], k 2 or more, in the plane of the first two components.

        0: both positive, then counterclockwise: 1 (-, +), 2 (-, -), 3 (+, -). Bao et al. 2020's four networks.
        InputError: another shape, NaN, an axis of no length in that plane.
        """
        a = as_floats(axes)
        if a.ndim != 2 or a.shape[1] < 2:
            raise InputError(f"axes have shape {list(a.shape)}; needed: [unit, 2 or more components]")
        check_finite(axes=a)
        if (short := ~a[:, :2].any(1)).any():
            raise InputError(f"{short.sum()} of {len(a)} axes are 0 in both components; leave them out")
        x, y = a[:, 0], a[:, 1]  # by signs: an angle near an axis is rounded to it
        return np.select([(x > 0) & (y >= 0), (x <= 0) & (y > 0), (x < 0) & (y <= 0)], [0, 1, 2], 3)

    def __repr__(self) -> str:
        return (
            f"ObjectSpace({len(self.components)} components of {len(self.mean)} units, "
            f"{self.explained.sum():.0%} of variance)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per component: explained, the fraction of variance."""
        import pandas as pd

        return pd.DataFrame({"component": np.arange(len(self.explained)), "explained": self.explained})


def object_space(responses: Any, components: int = 50) -> ObjectSpace:
    """The leading principal components of a layer's responses [n, units] to reference objects; -> ObjectSpace.

    Source: Bao, She, McGill & Tsao 2020, 50 of AlexNet's fc6 before its ReLU. Its coordinates have unit variance, for
    axis_code(normalize="none"). Pitfall: beyond the responses' rank components are rounding, and unit variance would
    blow it up: they are dropped, and a note says so. Rounding is that of the dtype: bfloat16 keeps fewer of them.
    InputError: another shape, more components than n - 1 or units, NaN, responses that do not vary.
    """
    check_whole(components=(components, 1))
    y = as_floats(responses)
    if y.ndim != 2 or not 1 <= components <= min(y.shape[0] - 1, y.shape[1]):
        raise InputError(
            f"responses have shape {list(y.shape)}; {components} components need more objects, and as many units"
        )
    if not np.isfinite(y).all():
        raise InputError(
            f"responses hold NaN or infinities in {int((~np.isfinite(y)).any(1).sum())} of {len(y)} rows; "
            "leave them out"
        )
    power = int(np.frexp(np.abs(y).max())[1]) if np.abs(y).max() > 1e290 else 0  # sums of 1e308 leave float64
    y = np.ldexp(y, -power)
    mean, asked = y.mean(0), components
    u, s, v = np.linalg.svd(y - mean, full_matrices=False)
    size = float(np.abs(y).max()) * (np.sqrt(len(y)) + np.sqrt(y.shape[1]))
    rounding = max(1e-6 * s[0], 8 * rounding_of(responses) * size)  # no response has seven digits
    components = min(components, int((s > rounding).sum()))
    if components == 0:
        raise InputError(f"none of the {y.shape[1]} units varies over the {len(y)} objects")
    notes = (
        ()
        if components == asked
        else (f"{components} components, not {asked}: the responses have no more, the rest is rounding",)
    )
    weights = np.abs(v[:components])
    largest = (weights >= (1 - 1e-9) * weights.max(1, keepdims=True)).argmax(1)  # of weights as large the first: which
    sign = np.sign(v[np.arange(components), largest])  # of them is larger by a rounding would depend on the unit
    deviation = s[:components] / np.sqrt(len(y))
    return ObjectSpace(
        mean=np.ldexp(mean, power),
        components=v[:components] * sign[:, None],
        deviation=np.ldexp(deviation, power),
        explained=(s[:components] / s[0]) ** 2 / np.sum((s / s[0]) ** 2),  # squares of 1e-200 are 0
        coordinates=u[:, :components] * sign * np.sqrt(len(y)),
        notes=notes,
    )
