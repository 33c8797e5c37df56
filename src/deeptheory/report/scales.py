"""Colors that mean a number: the scale of a trace, the color of a value on it, and the bar that explains it."""

from typing import Any

from deeptheory.report import marks
from deeptheory.report.axes import Axis, number, plain, values_of

_WIDE, _PARTS = 260, 40


def scale_of(given: dict[str, Any]) -> list[list[Any]]:
    """The stops [place, color] of a trace or a marker."""
    stops = [list(s) for s in given.get("colorscale") or [[0, "#440154"], [1, "#fde725"]]]
    return [[1 - p, c] for p, c in reversed(stops)] if given.get("reversescale") else stops


def ends_of(trace: dict[str, Any], cells: list[float]) -> tuple[float, float]:
    """The values at the ends of a heat map's scale."""
    low, high = number(trace.get("zmin")), number(trace.get("zmax"))
    return (min(cells) if low is None else low, max(cells) if high is None else high)


def shade(given: Any, dot: dict[str, Any]) -> str:
    """A color, or the color of a number on the marker's scale."""
    x = number(given)
    if x is None:
        return marks.color(given)
    low, high = float(dot.get("cmin", 0)), float(dot.get("cmax", 1))
    return marks.scaled(scale_of(dot), (x - low) / (high - low) if high > low else 0.5)


def color_bar_of(traces: list[dict[str, Any]]) -> tuple[list, float, float, dict] | None:
    """(scale, low, high, layout) of the first trace whose colors are to be explained."""
    for trace in traces:
        dot = trace.get("marker") or {}
        if dot.get("showscale") and dot.get("cmin") is not None:
            return scale_of(dot), float(dot["cmin"]), float(dot["cmax"]), dot.get("colorbar") or {}
        if trace.get("type") == "heatmap" and trace.get("showscale") is not False:
            cells = [v for row in values_of(trace["z"]) for v in row if number(v) is not None]
            return scale_of(trace), *ends_of(trace, cells or [0.0]), trace.get("colorbar") or {}
    return None


def _told(ticks: list[float]) -> list[str]:
    """With two digits, or as many as it takes that no two read alike."""
    for digits in range(2, 17):
        words = [plain(float(f"{v:.{digits}g}")) if digits < 6 else f"{v:.{digits}g}" for v in ticks]
        if len(set(words)) == len(set(ticks)):
            return words
    return [repr(v) for v in ticks]


def color_bar(traces: list[dict[str, Any]], left: float, y: float) -> str:
    """The bar with a few of its values and what they are."""
    found = color_bar_of(traces)
    if found is None:
        return ""
    scale, low, high, bar = found
    step = _WIDE / _PARTS
    parts = "".join(
        f'<rect x="{marks.digits(left + k * step)}" y="{marks.digits(y)}" width="{step + 0.3:g}" height="9" '
        f'fill="{marks.scaled(scale, k / (_PARTS - 1))}"/>'
        for k in range(_PARTS)
    )
    ticks = values_of(bar.get("tickvals")) or [low, low / 2 + high / 2, high]
    words = values_of(bar.get("ticktext")) or _told(ticks)
    places = [Axis("linear", low, high, left, left + _WIDE).along(t) for t in ticks] if high > low else []
    said = "".join(marks.text(p, y + 21, w, "t", "middle") for p, w in zip(places, words))
    title = bar.get("title")
    name = str(title.get("text") or "") if isinstance(title, dict) else str(title or "")
    return f"<g>{parts}{said}{marks.text(left + _WIDE + 14, y + 8, name, 'a')}</g>"
