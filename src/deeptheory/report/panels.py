"""Where the panels of a static figure are, and what their axes span, read from the layout of the interactive one."""

from dataclasses import dataclass
from typing import Any

from deeptheory.report.axes import Axis, axis, number, values_of
from deeptheory.report.raster import small_image
from deeptheory.report.scales import color_bar_of

WIDTH, MOST = 640, 20_000  # page units; bytes of a drawing
LETTER = 5.6  # width of a letter, about
LEFT, BAR = 50, 40  # room for numbers at the left, for a bar of colors below
_RIGHT, _TOP, _BOTTOM = 14, 26, 44
_LABELS, _LONGEST = 8, 30  # lines whose names are written at their ends, at most; letters of such a name


@dataclass(frozen=True)
class Panel:
    """One pair of axes on the page."""

    x: Axis
    y: Axis
    x_layout: dict[str, Any]
    y_layout: dict[str, Any]


def panels_of(layout: dict[str, Any], traces: list[dict]) -> tuple[float, dict[str, Panel]]:
    """Height of the page, and each panel by the names of its axes, "x y"."""
    names = dict.fromkeys(pair_of(t) for t in traces) or {("x", "y"): None}
    image = any(t.get("type") == "image" for t in traces)
    left, right = _left(layout, traces), _RIGHT + (label_room(layout, traces) if len(names) == 1 else 0)
    height = _height(layout, traces)
    top = _TOP + (16 if titled(layout) else 0)
    bottom = height - _BOTTOM - (BAR if color_bar_of(traces) else 0) - (14 if _in_groups(traces) else 0)
    values = {letter: _spans(layout, traces, letter) for letter in "xy"}
    out = {}
    for pair in names:
        sides = {}
        for letter, name, start, end in (("x", pair[0], left, WIDTH - right), ("y", pair[1], bottom, top)):
            own = layout.get(f"{letter}axis{name[1:]}") or {}
            a, b = own.get("domain") or (0.0, 1.0)
            if image and letter == "y" and "autorange" not in own:
                own = {**own, "autorange": "reversed"}
            ends = start + a * (end - start), start + b * (end - start)
            sides[letter] = axis(own, values[letter].get(name, []), *ends, exact=image), own
        out[" ".join(pair)] = Panel(sides["x"][0], sides["y"][0], sides["x"][1], sides["y"][1])
    return height, out


def places(trace: dict[str, Any], letter: str) -> list[Any]:
    """The values of a trace along an axis; two rows of names as pairs."""
    values = values_of(trace.get(letter))
    return list(zip(*values)) if values and isinstance(values[0], list) else values


def pair_of(trace: dict[str, Any]) -> tuple[str, str]:
    """The names of a trace's axes."""
    return trace.get("xaxis") or "x", trace.get("yaxis") or "y"


def titled(layout: dict[str, Any]) -> bool:
    """Whether panels have titles above them."""
    return any(on_page(a) and a.get("yanchor") == "bottom" for a in layout.get("annotations") or [])


def on_page(note: dict[str, Any]) -> bool:
    """Whether a remark is placed on the page and not at a value."""
    return note.get("xref") == "paper" and note.get("yref") == "paper"


def labeled(layout: dict[str, Any], traces: list[dict]) -> list[dict]:
    """The lines whose names can be written at their ends: few, in one panel, one each, none too long."""
    seen = [t for t in traces if not t.get("fill")]
    named = [t for t in seen if t.get("name") and t.get("showlegend") is not False]
    lines = [t for t in named if "lines" in (t.get("mode") or "")]
    shades = {str((t.get("line") or {}).get("color")) for t in lines}
    fits = 2 <= len(lines) <= _LABELS and all(len(str(t["name"])) <= _LONGEST for t in lines)
    alone = len(lines) == len(seen) == len(shades) and len({pair_of(t) for t in traces}) == 1
    return lines if fits and alone and layout.get("showlegend") is not False else []


def label_room(layout: dict[str, Any], traces: list[dict]) -> float:
    """Width that the names at the ends of lines take."""
    longest = max((len(str(t["name"])) for t in labeled(layout, traces)), default=0)
    return 8 + 1.08 * LETTER * longest if longest else 0


def groups_of(x: Axis) -> list[tuple[float, str]]:
    """Middle and name of each group of a category axis of pairs."""
    spans: dict[str, list[int]] = {}
    for k, n in enumerate(x.names):
        if isinstance(n, tuple):
            spans.setdefault(str(n[0]), []).append(k)
    return [(x.along((ks[0] + ks[-1]) / 2), g) for g, ks in spans.items()]


def _height(layout: dict[str, Any], traces: list[dict]) -> float:
    given = number(layout.get("height"))
    if any(t.get("type") == "image" for t in traces) and given:
        return given * WIDTH / 900 + 20
    extra = BAR if color_bar_of(traces) else 0
    return (min(given * 0.72, 820) if given else 350) + extra


def _left(layout: dict[str, Any], traces: list[dict]) -> float:
    """Room for the longest text at a vertical axis."""
    longest = 0
    for name in dict.fromkeys(pair_of(t)[1] for t in traces):
        own = layout.get(f"yaxis{name[1:]}") or {}
        names = [v for t in traces for v in values_of(t.get("y")) if isinstance(v, str)]
        longest = max([longest, *(len(str(t)) for t in values_of(own.get("ticktext")) or names)])
    return max(LEFT, min(14 + LETTER * longest, 0.42 * WIDTH))


def _spans(layout: dict[str, Any], traces: list[dict], letter: str) -> dict[str, list[Any]]:
    """All values along each axis; axes that match have those of each other."""
    found: dict[str, list[Any]] = {}
    for trace in traces:
        found.setdefault(pair_of(trace)["xy".index(letter)], []).extend(_reach(trace, letter))
    for name, value in _stacked(layout, traces, letter):
        found[name].append(value)
    groups: dict[str, list[Any]] = {}
    for name, values in found.items():
        groups.setdefault(_matched(layout, letter, name), []).extend(values)
    return {name: groups[_matched(layout, letter, name)] for name in found}


def _stacked(layout: dict[str, Any], traces: list[dict], letter: str) -> list[tuple[str, float]]:
    """(axis, height) of each stack of bars along it."""
    sums: dict[Any, float] = {}
    for trace in traces if layout.get("barmode") in ("stack", "relative") else ():
        lying = trace.get("orientation") == "h"
        if trace.get("type") == "bar" and letter == ("x" if lying else "y"):
            axis_name = pair_of(trace)["xy".index(letter)]
            for place, v in zip(places(trace, "y" if lying else "x"), values_of(trace.get(letter))):
                sums[axis_name, place] = sums.get((axis_name, place), 0.0) + (number(v) or 0.0)
    return [(name, total) for (name, _), total in sums.items()]


def _matched(layout: dict[str, Any], letter: str, name: str) -> str:
    seen = set()
    while name not in seen:
        seen.add(name)
        name = (layout.get(f"{letter}axis{name[1:]}") or {}).get("matches") or name
    return name


def _reach(trace: dict[str, Any], letter: str) -> list[Any]:
    """What a trace covers along one axis, its intervals included."""
    kind = trace.get("type", "scatter")
    if kind == "image":
        width, height = small_image(trace["source"], MOST)[1]
        return [-0.5, (width if letter == "x" else height) - 0.5]
    if kind == "heatmap":
        rows = values_of(trace["z"])
        at = values_of(trace.get(letter)) or list(range(len(rows[0]) if letter == "x" else len(rows)))
        if any(isinstance(v, str) for v in at):
            return at
        edge = (at[1] - at[0]) / 2 if len(at) > 1 else 0.5
        return [at[0] - edge, at[-1] + edge]
    values = places(trace, letter)
    error = trace.get(f"error_{letter}") or {}
    up = values_of(error.get("array"))
    down = values_of(error.get("arrayminus")) or up
    both = [(v, e, sign) for ends, sign in ((up, 1), (down, -1)) for v, e in zip(values, ends)]
    ends = [v + sign * e for v, e, sign in both if number(v) is not None and number(e) is not None]
    if kind == "bar" and letter == ("x" if trace.get("orientation") == "h" else "y"):
        ends.append(0)
    return [*values, *ends]


def _in_groups(traces: list[dict]) -> bool:
    return any(t.get("type") == "bar" and values_of(t.get("x"))[:1] and isinstance(t["x"][0], list) for t in traces)
