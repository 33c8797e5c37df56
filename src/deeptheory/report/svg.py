"""What the page's inline charts share: a scale with few ticks of one style, its grid, names at the ends of lines.

A chart needs no script, prints, and takes its colors from the page's style sheet.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 150, 58, 128, 12, 12
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_APART = 14.0  # between two labels at the ends of lines
Scale = tuple[float, float, bool, list[float]]  # (low, high, log, ticks), in the axis's own units


def scale_of(values: Sequence[float], log: bool, ends: Any) -> Scale | None:
    """(low, high, log, ticks) in the axis's own units; None without a value."""
    there = [float(v) for v in values if math.isfinite(v)]
    if not there:
        return None
    if log and min(there) > 0:
        low, high = math.floor(math.log10(min(there))), math.ceil(math.log10(max(there)))
        if low == high:
            high += 1
        step = max(1, math.ceil((high - low) / 4))
        return low, high, True, [float(k) for k in range(low, high + 1, step)]
    low, high = min(there), max(there)
    if ends is not None and ends[0] <= low and high <= ends[1] and high - low > 0.25 * (ends[1] - ends[0]):
        low, high = (ends[0] if low < 0 or ends[0] >= 0 else 0.0), ends[1]
    elif low >= 0 and low < 0.5 * high:
        low = 0.0
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # equal up to rounding: no axis is that fine
        size = 0.5 * max(abs(low), abs(high))
        low, high = (low - size, high + size) if size else (0.0, 1.0)
    step = _nice((high - low) / 3 if ends is None else (high - low) / 2)
    first, last = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
    return first, last, False, [first + k * step for k in range(round((last - first) / step) + 1)]


def _nice(step: float) -> float:
    size = 10.0 ** math.floor(math.log10(step))
    return next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= step * (1 - 1e-9))


def height_of(scale: Scale, value: float) -> float:
    """Where a value is drawn; one beyond the axis at its end."""
    low, high, log, _ = scale
    at = math.log10(value) if log and value > 0 else low if log else value
    share = min(max((at - low) / (high - low), 0.0), 1.0)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def grid(scale: Scale) -> str:
    """A line and a text at every tick."""
    _, _, log, ticks = scale
    out = []
    for t, text in zip(ticks, tick_texts(ticks, log)):
        y = height_of(scale, 10.0**t if log else t)
        out.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/><text '
            f'class="tick" x="{LEFT - 8}" y="{y + 4:.1f}">{text}</text>'
        )
    return "".join(out)


def tick_texts(ticks: Sequence[float], log: bool) -> list[str]:
    """What is written at an axis's ticks, all in one style: plain numbers, or powers of ten where one of them needs it.

    ticks: equally spaced, ascending; exponents of ten where log.
    """
    if log:
        plain = min(ticks) >= -3 and max(ticks) <= 4
        return [f"{10.0**t:,.10g}" if plain else f"10{str(round(t)).translate(_RAISED)}" for t in ticks]
    step = ticks[1] - ticks[0]
    digits = -math.floor(math.log10(step) + 1e-9)  # after the point, so that two ticks never read alike
    digits += round(step * 10.0**digits, 6) % 1 != 0  # 2.5 needs one more than 2
    top = max(abs(t) for t in ticks)
    if top < 1e6 and digits <= 4:
        return [f"{t:,.{max(digits, 0)}f}".replace("-", "−") for t in ticks]
    power = math.floor(math.log10(top) + 1e-9)
    raised, places = str(power).translate(_RAISED), min(max(digits + power, 0), 6)
    out = ["0" if t == 0 else f"{t / 10.0**power:.{places}f}×10{raised}".replace("-", "−") for t in ticks]
    return out if len(set(out)) == len(out) else [f"{t:.17g}".replace("-", "−") for t in ticks]


def short(value: Any) -> str:
    """Three digits that count; a dash for none."""
    v = number(value)
    if v is None:
        return "–"
    if v == 0:
        return "0"
    if abs(v) >= 1e5 or abs(v) < 1e-3:
        digits, _, power = f"{v:.2g}".partition("e") if "e" in f"{v:.2g}" else f"{v:.1e}".partition("e")
        raised = str(int(power)).translate(_RAISED)
        digits = digits.removesuffix(".0")
        return (f"10{raised}" if digits == "1" else f"{digits}×10{raised}").replace("-", "−")
    text = f"{v:.3g}" if abs(v) < 1000 else f"{v:,.0f}"
    return text.replace("-", "−")


def number(value: Any) -> float | None:
    """A finite number, None for anything else."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def path_of(points: Sequence[tuple[float, float]]) -> str:
    """As the points of a polyline."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def end_labels(ends: list[tuple[float, str, str]]) -> list[str]:
    """Names at the ends of the lines, pushed apart where they would overlap."""
    ends = sorted(ends)
    ys: list[float] = []
    for y, *_ in ends:
        ys.append(max(y, ys[-1] + _APART) if ys else max(y, TOP))
    over = (ys[-1] - (HEIGHT - BOTTOM)) if ys else 0.0
    if over > 0:
        ys[-1] -= over
        for k in range(len(ys) - 2, -1, -1):
            ys[k] = min(ys[k], ys[k + 1] - _APART)
    return [
        f'<text class="label {kind}" x="{WIDTH - RIGHT + 12}" '
        f'y="{y + 4:.1f}">{escape(shortened(label, 18))}<title>{escape(label)}</title></text>'
        for y, (_, kind, label) in zip(ys, ends)
    ]


def shortened(text: str, most: int) -> str:
    """A name of at most so many characters, cut in its middle."""
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def polyline(kind: str, points: Sequence[tuple[float, float]]) -> str:
    """A line, "" through fewer than two points."""
    return f'<polyline class="line {kind}" points="{path_of(points)}"/>' if len(points) > 1 else ""


def dot(kind: str, at: tuple[float, float], radius: float, title: str = "") -> str:
    """A point; title: shown where it is pointed at."""
    said = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle class="dot {kind}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{radius}">{said}</circle>'


def straight(kind: str, start: tuple[float, float], end: tuple[float, float]) -> str:
    """A straight line."""
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{kind}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def below(x: float, y: float, text: str, anchor: str = "middle") -> str:
    """A text below an axis."""
    return f'<text class="name" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def drawing(height: int, label: str, parts: Sequence[str]) -> str:
    """The whole, with what it is in words for those who do not see it."""
    box = f'class="depth" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label, quote=True)}"'
    return f"<svg {box}>{''.join(parts)}</svg>"
