"""What Procedure 1 of the EM paper leaves open or the authors' program does otherwise, by name.

Source: Hinton, Sabour & Frosst 2018, Procedure 1; their released code (google-research, capsule_em), read line by line.
"balanced" is ours, and what learns: in the paper's text a parent's logit is lambda times a sum over children, with one
lambda for layers of 1 and of 500 children a parent, so that in small networks all activations are equal (to 3e-6 at the
start, on 20x20 pixels) and hardly move. Gritzman 2019 (arXiv 1907.00652) divides the cost by the even share of children
and multiplies it by 100; so do we, by 50, with initial weights whose votes keep their scale from layer to layer, and a
variance floor of that scale (1): with the text's 5e-4 sixteen dimensions make nearly every assignment all or nothing
from the start. In the paper's letters the released logit of a parent is 2 lambda (beta_a - cost): it adds log variances
where the paper adds log deviations. Its parameters are b_a = -beta_a / 2500 and b_s = 2 beta_u / (1 + ln 2 pi).
"""

import math
import sys
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal, get_args

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.plugins import Registry
from deeptheory.core.shapes import check_real, check_whole, check_within

Init = Literal["scaled", "paper"]  # of `initialization`, which builds on this room


@dataclass(frozen=True)
class Variant:
    """Constants of EM routing; VARIANTS holds "paper", "reference_code" (the authors' program) and "balanced" (ours).

    damping: share of the previous mean in the new one (0 at the start). logit_scale: factor of lambda. variance_floor,
    mass_floor: added to variance and mass. class_temperature: factor of lambda in the class layer. class_mass_floor:
    the floor there.
    coordinates: the two entries of the 16 of a vote to which row and column are added in the class layer (in poses of
    another size the same row and column, the last column the last).
    relative_cost: 0: a parent's cost is a sum over its mass, as in the text; c: it is c times that sum over an even
    share of the children, so that one lambda suits layers of any number of children (Gritzman 2019); "balanced" takes
    50, and a variance_floor of 1. init: of layers, "paper", the released initial values, or "scaled", with which votes
    keep their scale.
    """

    _: KW_ONLY
    damping: float = 0.0
    logit_scale: float = 1.0
    variance_floor: float = 5e-4
    mass_floor: float = 1e-7
    class_temperature: float = 1.0
    class_mass_floor: float = 1e-7
    coordinates: tuple[int, int] = (3, 7)  # the right-hand column, first two rows
    relative_cost: float = 0.0
    init: Init = "paper"

    def __post_init__(self) -> None:
        """InputError: constants that are no finite numbers, damping outside [0, 1], a floor or relative_cost below 0,
        coordinates that are not two different entries of 16, another init.
        """
        check_within(damping=(self.damping, 0, 1))
        check_real(**{k: (getattr(self, k), -math.inf) for k in ("logit_scale", "class_temperature")})
        floors = ("variance_floor", "mass_floor", "class_mass_floor", "relative_cost")
        check_within(**{k: (getattr(self, k), 0, sys.float_info.max) for k in floors})
        entries = self.coordinates if isinstance(self.coordinates, Sequence) else ()
        if len(entries) != 2 or entries[0] == entries[1] or any(k not in range(16) for k in entries):
            raise InputError(f"coordinates are {self.coordinates!r}; needed: two different entries of a vote, 0 to 15")
        pick(dict.fromkeys(get_args(Init)), self.init, what="init")


VariantName = Literal["balanced", "paper", "reference_code"]


def accept(name: str, loaded: object) -> Variant:
    """A plug-in's constants. TypeError: anything but a Variant."""
    if not isinstance(loaded, Variant):
        raise TypeError(f"it is a {type(loaded).__name__}; needed: a deeptheory.capsules.Variant")
    return loaded


VARIANTS: Registry[Variant] = Registry(
    "routings",
    {
        "balanced": Variant(variance_floor=1.0, relative_cost=50.0, init="scaled"),
        "paper": Variant(),
        "reference_code": Variant(
            damping=0.1, logit_scale=2.0, class_temperature=0.25, class_mass_floor=1e-5, coordinates=(0, 1)
        ),
    },
    accept=accept,
)


def variant_of(name: str | Variant) -> Variant:
    """The constants by name, or the caller's own."""
    return name if isinstance(name, Variant) else pick(VARIANTS, name, what="variant of EM routing")


def check_iterations(iterations: int) -> int:
    """iterations, as Python's own integer. InputError: below 1, or no integer."""
    if isinstance(iterations, bool) or not hasattr(iterations, "__index__"):
        raise InputError(f"iterations is {iterations!r}; it needs an integer")
    if iterations < 1:
        raise InputError(f"iterations is {iterations}; routing needs at least 1")
    check_whole(iterations=(iterations, 1))
    return int(iterations)


def in_shares(lambdas: Sequence[float], constants: Variant, share: float) -> tuple[tuple[float, ...], float]:
    """The lambdas with which the cost is relative to an even share of children, and the unit of beta_a in which its own
    part of the logit is unchanged. share: children per parent, 1 child divided among its parents."""
    factor = constants.relative_cost / share if constants.relative_cost else 1.0
    return tuple(x * factor for x in lambdas), 1 / factor


def inverse_temperatures(iterations: int, schedule: float | Sequence[float]) -> tuple[float, ...]:
    """lambda for each iteration.

    schedule: a number is the final lambda, lambda_i = final * (1 - 0.95^(i+1)), i from 0 (the authors' reply on
    OpenReview, and the released code, with final 0.01); a sequence is taken as it is. InputError: iterations < 1,
    another number of entries, no finite numbers.
    """
    iterations = check_iterations(iterations)
    try:
        given = as_floats(schedule)
        right = not isinstance(schedule, bool) and given.ndim < 2 and bool(np.isfinite(given).all())
    except (TypeError, ValueError):
        given, right = np.zeros(()), False
    if not right:
        raise InputError(f"schedule is {schedule!r}; needed: a finite final lambda, or one an iteration")
    if not given.ndim:
        return tuple(float(given) * (1 - 0.95 ** (i + 1)) for i in range(iterations))
    if len(given) != iterations:
        raise InputError(f"schedule has {len(given)} entries for {iterations} iterations; give one lambda an iteration")
    return tuple(float(x) for x in given)
