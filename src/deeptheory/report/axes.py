"""Axes of a static figure: which numbers they span, where on the page each is, and which of them are written.

They are read from the layout of the interactive figure, so that both drawings have the same ends and the same scale.
"""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deeptheory.report.svg import tick_texts

_MOST = sys.float_info.max
_PAD = 0.04  # of the range, on both sides
_TICKS = 6  # of a linear axis, about
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Axis:
    """kind: "linear", "log" or "category". low, high: the ends, of a logarithmic axis their powers of ten; start, end:
    the same on the page. names: of a category axis, in order.
    """

    kind: str
    low: float
    high: float
    start: float
    end: float
    names: tuple[Any, ...] = ()

    def at(self, value: Any) -> float | None:
        """Where a value is drawn; None where it is no number, or not positive on a logarithmic axis."""
        if self.names and value in self.names:
            value = self.names.index(value)
        x = number(value)
        if x is None or (self.kind == "log" and x <= 0):
            return None
        return self.along(math.log10(x) if self.kind == "log" else x)

    def along(self, value: float) -> float:
        """Where a value is drawn that is a power of ten already, as in ranges and annotations."""
        share = (value - self.low) / (self.high - self.low)
        if math.isinf(self.high - self.low):  # from -1e308 to 1e308
            share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + share * (self.end - self.start)

    def part(self, fraction: float) -> float:
        """A fraction of the way from the low end to the high one."""
        return self.start + fraction * (self.end - self.start)

    def said(self) -> str:
        """The scale as text: who reads the drawing gets the numbers back from it."""
        return f"{self.kind} {self.low:.7g} {self.high:.7g} {self.start:.7g} {self.end:.7g}"

    def ticks(self, layout: dict[str, Any]) -> list[tuple[float, str]]:
        """(place, text) of each tick, few of them."""
        given = layout.get("tickvals")
        if given is not None:
            texts = values_of(layout.get("ticktext")) or [plain(v) for v in values_of(given)]
            places = [self.at(v) for v in values_of(given)]
            return [(p, str(t)) for p, t in zip(places, texts) if p is not None and self.within(p)]
        if self.kind == "category":
            each = -(-len(self.names) // 12)
            names = [n[1] if isinstance(n, tuple) else n for n in self.names]
            return [(self.along(k), str(n)) for k, n in enumerate(names) if k % each == 0]
        if self.kind == "log":
            return _log_ticks(self)
        low, high = sorted((self.low, self.high))
        places = _linear_ticks(low, high, layout.get("dtick"))
        return [(self.along(v), t) for v, t in zip(places, _texts(places))]

    def within(self, place: float, slack: float = 0.5) -> bool:
        """Whether a place lies between the ends, or `slack` beyond."""
        low, high = sorted((self.start, self.end))
        return low - slack <= place <= high + slack


def axis(layout: dict[str, Any], values: Iterable[Any], start: float, end: float, *, exact: bool = False) -> Axis:
    """The axis of a layout over those values. exact: it ends at the outermost of them."""
    seen = list(values)
    names = tuple(dict.fromkeys(v for v in seen if isinstance(v, str | tuple)))
    kind = "category" if names else "log" if layout.get("type") == "log" else "linear"
    given = layout.get("range")
    ends = [number(v) for v in values_of(given)] if given is not None else []
    if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
        low, high = ends[0], ends[1]
    else:
        if names:
            numbers = [-0.5, len(names) - 0.5]
        else:
            numbers = [x for v in seen if (x := number(v)) is not None]
            numbers = [math.log10(x) for x in numbers if x > 0] if kind == "log" else numbers
        low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
        if high - low <= max(1e-13 * max(abs(low), abs(high)), 1e-320):  # equal up to rounding: no axis is that fine
            low, high = low - (abs(low) or 1) * 0.1, high + (abs(high) or 1) * 0.1
        pad = 0 if exact or names else _PAD * high - _PAD * low
        low, high = max(low - pad, -_MOST), min(high + pad, _MOST)
        if layout.get("autorange") == "reversed":
            low, high = high, low
    if abs(high - low) < 1e-320:
        high = low + 1
    return Axis(kind, low, high, start, end, names)


def values_of(given: Any) -> list[Any]:
    """A list from figure JSON: as it is, or of packed numbers, which plotly writes for arrays."""
    if isinstance(given, dict) and "bdata" in given:
        import base64

        import numpy as np

        values = np.frombuffer(base64.b64decode(given["bdata"]), dtype=given["dtype"])
        if "shape" in given:
            values = values.reshape([int(n) for n in str(given["shape"]).split(",")])
        return values.tolist()
    return list(given) if isinstance(given, Sequence) and not isinstance(given, str) else []


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def plain(value: Any) -> str:
    """A number as a tick says it."""
    x = number(value)
    if x is None:
        return str(value)
    if x == 0:
        return "0"
    if abs(x) >= 1e5 or abs(x) < 1e-3:
        digits, _, power = f"{x:.2e}".partition("e")
        digits = f"{float(digits):.3g}".replace("-", "−")
        return {"1": "", "−1": "−"}.get(digits, f"{digits}·") + "10" + str(int(power)).translate(_RAISED)
    return f"{x:.6g}".replace("-", "−")


def _texts(values: list[float]) -> list[str]:
    """What is said at equal steps: with more digits where the step is small for such values."""
    texts = [plain(v) for v in values]
    return tick_texts(values, log=False) if len(set(texts)) < len(texts) else texts


def _linear_ticks(low: float, high: float, every: Any = None) -> list[float]:
    step = number(every)
    if not step or (high - low) / step > 2.5 * _TICKS:
        raw = high / _TICKS - low / _TICKS if math.isinf(high - low) else (high - low) / _TICKS
        power = 10.0 ** math.floor(math.log10(raw)) if raw else 0.0
        if not power:  # next to the smallest number
            return [low, high]
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    digits = max(12, 6 - math.floor(math.log10(step)))  # after the point: k * step, less what it was rounded by
    return [round(k * step, digits) for k in range(first, math.floor(high / step + 1e-9) + 1)]


def _log_ticks(axis: Axis) -> list[tuple[float, str]]:
    low, high = sorted((axis.low, axis.high))
    decades = range(max(math.ceil(low - 1e-9), -307), min(math.floor(high + 1e-9), 307) + 1)
    if len(decades) >= 2:
        each = -(-len(decades) // 7)
        return [(axis.along(k), plain(10.0**k)) for k in decades if k % each == 0]
    values = [float(f"{m}e{k}") for k in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
    inside = [v for v in values if 0 < v <= _MOST and low - 1e-9 <= math.log10(v) <= high + 1e-9]
    if len(inside) >= 2:
        return [(axis.along(math.log10(v)), plain(v)) for v in inside]
    inside = [v for v in _linear_ticks(10.0**low, 10.0**high) if v > 0]
    return [(axis.along(math.log10(v)), t) for v, t in zip(inside, _texts(inside))]
