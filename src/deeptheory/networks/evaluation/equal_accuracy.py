"""Two networks compared where they are equally good: what holds of one at the moment when it is as good as the other.

Capsule papers compare a familiar condition (where both are trained to the same accuracy) with a new one. Pitfall:
taking the best of many evaluations of a test set is peeking; here the target is where the worse of the two ended, and
the better is taken when it first got there.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class EqualAccuracy(Result):
    """Two curves compared at the same familiar value.

    target: the familiar value at which both are taken; first, second: the other value of each there, in its own unit.
    """

    target: float
    first: float
    second: float

    def __repr__(self) -> str:
        return f"EqualAccuracy(at {self.target:.4g}: {self.first:.4g} and {self.second:.4g})"

    def table(self) -> "pandas.DataFrame":
        """One row: target, first, second."""
        import pandas as pd

        return pd.DataFrame([{"target": self.target, "first": self.first, "second": self.second}])


def compare_at_equal_accuracy(first: tuple[Any, Any], second: tuple[Any, Any]) -> EqualAccuracy:
    """Compare two networks at equal familiar accuracy.

    Source: Sabour et al. 2017, section 5.2; Hinton et al. 2018, section 5.1.
    first, second: (familiar, other), each [evaluations] while training; in familiar higher is better. The target is the
    lower of the two familiar values at the end. Each network is taken where it first reached the target, on the
    straight line from the evaluation before; at its first evaluation, if it is there already.
    InputError: familiar and other of other lengths or not [evaluations], none, NaN or infinity.
    """
    curves = []
    for name, (familiar, other) in (("first", first), ("second", second)):
        familiar, other = as_floats(familiar), as_floats(other)
        check_shapes(**{f"{name}_familiar": (familiar, "k"), f"{name}_other": (other, "k")})
        check_finite(**{f"{name}_familiar": familiar, f"{name}_other": other})
        if not len(familiar):
            raise InputError(f"the {name} curve has no evaluation; evaluate while training")
        curves.append((familiar, other))
    target = float(min(familiar[-1] for familiar, _ in curves))
    a, b = (_at(familiar, other, target) for familiar, other in curves)
    return EqualAccuracy(target=target, first=a, second=b)


def _at(familiar: np.ndarray, other: np.ndarray, target: float) -> float:
    k = int(np.argmax(familiar >= target))  # the last always is
    if k == 0:
        return float(other[0])
    share = (target - familiar[k - 1]) / (familiar[k] - familiar[k - 1])
    return float(other[k - 1] + share * (other[k] - other[k - 1]))
