"""What estimators from samples hand back: an Estimate with its permutation null, and, while it holds its samples, what
it is at fewer of them, sample by sample, and as a fraction."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.results import Estimate
from deeptheory.information.convergence import Convergence, converged
from deeptheory.information.estimators.plugin import discrete, plugin_entropy
from deeptheory.information.local import local_values
from deeptheory.information.reading import read

By = Literal[
    "x entropy",
    "y entropy",
    "min entropy",
    "max entropy",
    "mean entropy",
    "geometric mean entropy",
    "joint entropy",
    "correlation",
]
PER_UNIT = {"bits": 1.0, "nats": math.log(2)}  # what a bit is in it
_MEANS: dict[str, Callable[[float, float], float]] = {
    "min entropy": min,
    "max entropy": max,
    "mean entropy": lambda a, b: (a + b) / 2,
    "geometric mean entropy": lambda a, b: math.sqrt(a * b),
}


@dataclass(frozen=True)
class Samples:
    """What an estimate was made from: function(*sides, **options), and what its unit is in that of the estimate."""

    function: Callable[..., Estimate]
    sides: Mapping[str, Any]
    options: Mapping[str, Any]
    per: float
    groups: Any = None
    block: int | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class InformationEstimate(Estimate):
    """An Estimate with its permutation null, and what its samples say beyond it.

    p: (b + 1) / (m + 1), b of m draws of y permuted at or above the value; null_mean: their mean in `unit`, the
    estimator's bias at independence. Both NaN without permutations.

    It holds on to the samples it was made from (no copy), for .convergence(), .local and .normalized().
    """

    p: float = math.nan
    null_mean: float = math.nan

    def __repr__(self) -> str:
        text = super().__repr__()
        return text if math.isnan(self.p) else f"{text[:-1]}, p = {self.p:.3g})"

    def convergence(
        self, fractions: tuple[float, ...] = (1 / 16, 1 / 8, 1 / 4, 1 / 2), *, parts: int = 8, seed: int = 0
    ) -> Convergence:
        """The value at fewer samples: at each fraction of them, the mean over up to `parts` disjoint parts.

        Parts are random rows, whole groups (groups=) or stretches of the series (block=). InputError: a fraction
        outside 0..1, no fraction of which the estimator takes the rows.
        """
        held = held_by(self)
        got = converged(
            held.function, held.sides, held.options, fractions=fractions, parts=parts, seed=seed, groups=held.groups,
            block=held.block,
        )  # fmt: skip
        return got.ending(self, held.per)

    @property
    def local(self) -> np.ndarray:
        """[n] in `unit`: what each sample adds, so that their mean is the value; NaN for samples left out.

        InputError: an estimator without such values, "auto" among them (name its method).
        """
        held = held_by(self)
        return local_values(held.function, held.sides, held.options, self.value / held.per) * held.per

    def normalized(self, by: By = "min entropy") -> Estimate:
        """I(X;Y) as a fraction of an entropy, or as a correlation.

        by: "x entropy", "y entropy" (uncertainty coefficients), their "min", "max", "mean" or "geometric mean entropy",
        the "joint entropy", each of plain or alike corrected counts; or "correlation", sqrt(1 - 2^(-2 I)), that of a
        normal pair which shares as much (Linfoot 1957), for numbers.
        The interval is that of the information; the entropy is taken as known. A variable of entropy 0 gives NaN, with
        a note. InputError: an unknown name, entropies of numbers that are not discrete, no information of two sides.
        """
        if by not in get_args(By):
            raise InputError(unknown(by, get_args(By), what="normalization"))
        held = held_by(self)
        if set(held.sides) != {"x", "y"}:
            raise InputError("only an information between x and y has normalized forms")
        if self.unit not in PER_UNIT:
            raise InputError(f"the estimate is in {self.unit}; normalized forms are of bits or nats")
        bits = [v / PER_UNIT[self.unit] for v in (self.value, self.low, self.high)]
        notes, said = self.notes, f"{self.method}; normalized by {by}"
        if by == "correlation":
            values = [_as_correlation(v) for v in bits]
            if bits[0] < 0:
                notes += (f"an estimate of {bits[0]:.3g} bits is below 0, where the correlation is put to 0",)
        else:
            size = self._entropy(by)
            if size == 0:
                values = [math.nan] * 3
                notes += (f"the {by} is 0: there is no fraction of nothing",)
            else:
                values = [v / size for v in bits]
                notes += (f"the {by}, {size:.4g} bits, is taken as known",)
                if values[0] > 1 + 1e-9:
                    notes += ("above 1, where no information is: the estimate is biased upwards",)
        return Estimate(
            value=values[0], low=values[1], high=values[2], unit="fraction", method=said, direction=self.direction,
            notes=notes,
        )  # fmt: skip

    def _entropy(self, by: str) -> float:
        held = held_by(self)
        correct = held.options.get("correct", False)
        correct = correct if isinstance(correct, str | bool) else False
        kinds = held.options.get("alphabet") or (None, None)
        sides = {"x": held.sides["x"], "y": held.sides["y"]}

        def counted(name: str) -> bool:
            values, named = read(sides[name], name)
            return named or discrete(values)

        def of(name: str) -> float:
            if not counted(name):
                other = "xy"["yx".index(name)]
                said = f"by='{other} entropy' divides by that of the other side, " if counted(other) else ""
                raise InputError(
                    f"{name} is continuous and has no entropy to divide by; {said}by='correlation' takes numbers"
                )
            return plugin_entropy(sides[name], correct=correct, alphabet=kinds["xy".index(name)]).value

        if by in ("x entropy", "y entropy"):
            return of(by[0])
        first, second = of("x"), of("y")
        if by == "joint entropy":
            return first + second - self.value / PER_UNIT[self.unit]
        return _MEANS[by](first, second)


def holding(estimate: InformationEstimate, samples: Samples) -> InformationEstimate:
    """The same estimate, with the samples beside its fields: they are no part of its table."""
    object.__setattr__(estimate, "_samples", samples)
    return estimate


def held_by(estimate: InformationEstimate) -> Samples:
    """What an estimate was made from. InputError: it was copied or loaded, and holds nothing."""
    held = getattr(estimate, "_samples", None)
    if held is None:
        raise InputError("this estimate does not hold its samples (it was copied or loaded); estimate again")
    return held


def _as_correlation(bits: float) -> float:
    return math.sqrt(-math.expm1(-2 * bits * math.log(2))) if bits > 0 else 0.0 if bits <= 0 else math.nan
