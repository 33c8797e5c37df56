"""The region of a claim, stated as text before the measurement, and the verdict that an interval gets from it."""

import math
import re
from dataclasses import KW_ONLY, dataclass
from fractions import Fraction
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_within
from deeptheory.core.verdicts import CONTRADICTED, INCONCLUSIVE, REPRODUCED

_NUMBER = r"([+-]?(?:\d+/\d+|\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf))"
_ONE_SIDED = re.compile(rf"(<=|>=|<|>|=)\s*{_NUMBER}", re.I)
_INTERVAL = re.compile(rf"([\[(])\s*{_NUMBER}\s*,\s*{_NUMBER}\s*([\])])", re.I)
_AROUND = re.compile(rf"{_NUMBER}\s*(?:\+-|±)\s*{_NUMBER}", re.I)


@dataclass(frozen=True)
class Region:
    """The numbers from low to high; an end marked open does not belong to it. text: as it was stated.

    `x in region` asks for one number. `parse` refuses an empty region. An end without bound is infinite.
    InputError: an end that is no number, or NaN.
    """

    low: float
    high: float
    _: KW_ONLY
    low_open: bool = False
    high_open: bool = False
    text: str = ""

    def __post_init__(self) -> None:
        check_within(low=(self.low, -math.inf, math.inf), high=(self.high, -math.inf, math.inf))

    @classmethod
    def parse(cls, text: str, published: Any = None) -> "Region":
        """Read ">= 0.8", "< 0.1", "= 160", "[1/3, 3]", "(0, 0.5]", "1 +- 0.05", or "exact": = the published number.

        A round bracket marks an open end. Numbers are decimals, fractions such as 1/3, or inf (not about +-), rounded
        to float64. published: read by "exact" alone. InputError: any other text, a number that float64 cannot hold, an
        empty region, or "exact" with no finite published number.
        """
        stated = text.strip()
        if stated == "exact":
            if isinstance(published, bool) or not isinstance(published, int | float) or not math.isfinite(published):
                raise InputError(f"region is 'exact' and the published value is {published!r}; write '= NUMBER'")
            return cls(published, published, text=stated)
        if found := _ONE_SIDED.fullmatch(stated):
            sign, bound = found[1], _number(found[2])
            low = bound if sign in (">", ">=", "=") else -math.inf
            high = bound if sign in ("<", "<=", "=") else math.inf
            region = cls(low, high, low_open=sign == ">", high_open=sign == "<", text=stated)
        elif found := _INTERVAL.fullmatch(stated):
            region = cls(
                _number(found[2]), _number(found[3]), low_open=found[1] == "(", high_open=found[4] == ")", text=stated
            )
        elif found := _AROUND.fullmatch(stated):
            middle, reach = _exact(found[1]), _exact(found[2])  # exact, so that 1 +- 0.05 ends at the float 1.05
            region = cls(float(middle - reach), float(middle + reach), text=stated)
        else:
            raise InputError(f"region is {text!r}; write '>= 0.8', '[1/3, 3]', '1 +- 0.05', '= 160' or 'exact'")
        if region.low > region.high or (region.low == region.high and (region.low_open or region.high_open)):
            raise InputError(f"region {text!r} is empty; the lower end comes first")
        return region

    def __contains__(self, x: float) -> bool:
        above = x > self.low if self.low_open else x >= self.low
        below = x < self.high if self.high_open else x <= self.high
        return above and below

    @property
    def one_sided(self) -> bool:
        """Whether exactly one of its ends is finite, as in ">= 0.8"."""
        return math.isinf(self.low) != math.isinf(self.high)

    def verdict(self, low: float, high: float) -> str:
        """The word for an interval [low, high].

        "reproduced" where all of it lies in the region, "contradicted" where none does, else "inconclusive", as where
        an end is NaN. How a setting words it: `dt.runs.decide`. InputError: an end that is no number.
        """
        check_number(low=low, high=high)
        if math.isnan(low) or math.isnan(high):
            return INCONCLUSIVE
        if low in self and high in self:
            return REPRODUCED
        before = high <= self.low if self.low_open else high < self.low
        after = low >= self.high if self.high_open else low > self.high
        return CONTRADICTED if before or after else INCONCLUSIVE


def _number(text: str) -> float:
    return float(text) if "inf" in text.lower() else float(_exact(text))


def _exact(text: str) -> Fraction:
    """InputError: a division by 0, "inf", or a number that float64 cannot hold."""
    try:
        number = Fraction(text)
        float(number)
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        raise InputError(f"region holds {text!r}; needed: a finite number, or inf for an end without bound") from error
    return number
