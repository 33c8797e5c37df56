"""The traces of a static figure: scatter, bar, heatmap, image, as plotly has them; and lines and boxes of reference."""

import itertools
from typing import Any

from deeptheory.report import marks
from deeptheory.report.axes import Axis, number, values_of
from deeptheory.report.marks import digits
from deeptheory.report.panels import MOST, Panel, places
from deeptheory.report.raster import small_image
from deeptheory.report.scales import ends_of, scale_of, shade

_SMALL = 20  # points up to which plotly marks each where no mode is said


def cut(body: str, trace: dict[str, Any], panel: Panel) -> str:
    """The marks of a trace, cut at the ends of the axes where it goes beyond them."""
    values = [(axis.at(v), axis) for axis, letter in ((panel.x, "x"), (panel.y, "y")) for v in places(trace, letter)]
    beyond = any(at is not None and not axis.within(at, 1) for at, axis in values)
    if trace.get("type") == "heatmap":
        beyond = "range" in panel.x_layout or "range" in panel.y_layout
    if not beyond:
        return body
    room = 0 if trace.get("type") == "heatmap" else 4
    left, top = panel.x.start - room, panel.y.end - room
    wide, tall = panel.x.end - panel.x.start + 2 * room, panel.y.start - panel.y.end + 2 * room
    x, y, w, h = map(digits, (left, top, wide, tall))
    return f'<svg class="cut" x="{x}" y="{y}" width="{w}" height="{h}" viewBox="{x} {y} {w} {h}">{body}</svg>'


def scatter(trace: dict[str, Any], panel: Panel, slack: float, layout: dict, base: dict) -> str:
    """Lines, dots, bands, intervals and texts."""
    points = [(panel.x.at(a), panel.y.at(b)) for a, b in zip(places(trace, "x"), places(trace, "y"))]
    line, dot = trace.get("line") or {}, trace.get("marker") or {}
    runs = marks.runs_of(points)
    if trace.get("fill"):
        shape = marks.path([marks.thinned(r, slack) for r in runs], 1 if slack < 0.5 else 0, close=True)
        paint = marks.color(trace.get("fillcolor") or line.get("color"))
        return f'<path d="{shape}" fill="{paint}" opacity="{digits(float(trace.get("opacity", 0.3)), 2)}"/>'
    mode = trace.get("mode") or ("lines+markers" if len(points) < _SMALL else "lines")
    own = dot.get("color") if isinstance(dot.get("color"), str) else None
    color = marks.color(line.get("color") or own)
    parts = [
        _intervals(trace, k, axis, points, marks.color(own or color)) for k, axis in (("y", panel.y), ("x", panel.x))
    ]
    if "lines" in mode:
        if line.get("shape") in ("hv", "hvh"):
            runs = [marks.stepped(r, line["shape"]) for r in runs]
        shape = marks.path(marks.distinct([marks.thinned(r, slack) for r in runs], slack), 1 if slack < 2 else 0)
        paint = marks.stroke(color, 0.8 * float(line.get("width", 2)), line.get("dash", ""))
        parts.append(f'<path d="{shape}" {paint}{_faint(trace.get("opacity"))}/>')
    if "markers" in mode:
        parts += _dots(trace, dot, points, color, slack)
    if "text" in mode:
        said = zip(points, _each(trace.get("text"), len(points)))
        parts += [marks.text(a, b - 8, t, "t", "middle") for (a, b), t in said if a is not None and b is not None and t]
    return "".join(parts)


def _dots(trace: dict, dot: dict, points: list, color: str, slack: float) -> list[str]:
    """One path for each color and symbol."""
    groups: dict[tuple[str, str], list[marks.Point]] = {}
    given = dot.get("color") or (dot.get("line") or {}).get("color")
    for (a, b), c, symbol in zip(points, _each(given, len(points)), _each(dot.get("symbol"), len(points))):
        if a is not None and b is not None:
            groups.setdefault((color if c is None else shade(c, dot), str(symbol or "circle")), []).append((a, b))
    opacity = number(dot.get("opacity"))
    opacity = float(trace.get("opacity", 1)) if opacity is None else opacity
    size = 0.8 * (number(dot.get("size")) or 6)
    return [marks.dots(p, size, c, symbol, opacity, slack) for (c, symbol), p in groups.items()]


def _intervals(trace: dict, letter: str, scale: Axis, points: list, color: str) -> str:
    error = trace.get(f"error_{letter}") or {}
    up = values_of(error.get("array"))
    down, out = values_of(error.get("arrayminus")) or up, []
    for (a, b), v, high, low in zip(points, values_of(trace.get(letter)), up, down):
        known = number(v) is not None and number(high) is not None and number(low) is not None
        ends = [e for e in (scale.at(v + high), scale.at(v - low)) if e is not None] if known else []
        if a is None or b is None or len(ends) < 2:
            continue
        first, last = map(digits, ends)
        out.append(f"M{digits(a)} {first}V{last}" if letter == "y" else f"M{first} {digits(b)}H{last}")
    return f'<path class="ci" d="{"".join(out)}" {marks.stroke(color, 1.5)}/>' if out else ""


def bar(trace: dict[str, Any], panel: Panel, slack: float, layout: dict, base: dict) -> str:
    """Bars, on those of the traces before where the layout stacks."""
    lying = trace.get("orientation") == "h"
    along, across = (panel.y, panel.x) if lying else (panel.x, panel.y)
    names, values = places(trace, "y" if lying else "x"), values_of(trace["x" if lying else "y"])
    at = [along.at(n) for n in names]
    gaps = {round(abs(a - b), 6) for a, b in itertools.pairwise(at) if a is not None and b is not None} - {0}
    wide = 0.8 * min([*gaps, abs(along.end - along.start) / max(1, len(along.names) or len(at))])
    stacked, out = layout.get("barmode") in ("stack", "relative"), []
    for name, a, value, color in zip(names, at, values, _each((trace.get("marker") or {}).get("color"), len(at))):
        v, start = number(value), base.get(name, 0.0) if stacked else 0.0
        if a is None or not v:
            continue
        base[name] = start + v
        ends = across.at(start), across.at(start + v)
        low, high = (across.start if e is None else e for e in ends)
        box = min(low, high), a - wide / 2, abs(high - low), wide
        x, y, w, h = map(digits, box if lying else (box[1], box[0], box[3], box[2]))
        paint = shade(color, trace.get("marker") or {})
        out.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{paint}"/>')
    return "".join(out)


def heatmap(trace: dict[str, Any], panel: Panel, slack: float, layout: dict, base: dict) -> str:
    """Cells, those of one color in one path, and their texts."""
    rows = [[number(v) for v in row] for row in values_of(trace["z"])]
    xs = values_of(trace.get("x")) or list(range(len(rows[0])))
    ys = values_of(trace.get("y")) or list(range(len(rows)))
    low, high = ends_of(trace, [v for row in rows for v in row if v is not None] or [0.0])
    scale, steps = scale_of(trace), 40 if slack < 1 else 12
    wide, tall = _cell(panel.x, xs), _cell(panel.y, ys)
    said = values_of(trace.get("text")) or [[""] * len(r) for r in rows]
    cells: dict[str, list[str]] = {}
    texts = []
    for b, row, words in zip(ys, rows, said):
        for a, v, word in zip(xs, row, words):
            px, py = panel.x.at(a), panel.y.at(b)
            if v is None or px is None or py is None:
                continue
            part = (v - low) / (high - low) if high > low else 0.5
            color = marks.scaled(scale, round(part * steps) / steps)
            x, y, w, h = map(digits, (px - wide / 2, py - tall / 2, wide, tall))
            cells.setdefault(color, []).append(f"M{x} {y}h{w}v{h}h-{w}z")
            if trace.get("texttemplate") and word:
                texts.append(marks.text(px, py + 4, word, "on" if marks.dark(color) else "off", "middle"))
    return "".join(f'<path d="{"".join(d)}" fill="{color}"/>' for color, d in cells.items()) + "".join(texts)


def image(trace: dict[str, Any], panel: Panel, slack: float, layout: dict, base: dict) -> str:
    """A picture over the whole panel."""
    x, y = panel.x, panel.y
    box = zip(("x", "y", "width", "height"), (x.start, y.end, x.end - x.start, y.start - y.end))
    place = " ".join(f'{k}="{digits(v)}"' for k, v in box)
    return f'<image {place} preserveAspectRatio="none" href="{small_image(trace["source"], MOST)[0]}"/>'


DRAWN = {"scatter": scatter, "bar": bar, "heatmap": heatmap, "image": image}


def shape(given: dict[str, Any], panel: Panel) -> str:
    """A line or a box of the layout, in the units of an axis or in parts of it."""
    at: dict[str, float | None] = {}
    for letter, along in (("x", panel.x), ("y", panel.y)):
        inside = str(given.get(f"{letter}ref") or letter).endswith(("domain", "paper"))
        for end in "01":
            value = given[f"{letter}{end}"]
            at[letter + end] = along.part(value) if inside else along.at(value)
    x0, x1, y0, y1 = (at[k] for k in ("x0", "x1", "y0", "y1"))
    if x0 is None or x1 is None or y0 is None or y1 is None:
        return ""
    if given.get("type") == "rect":
        (a, b), (c, d) = _clipped(panel.x, x0, x1), _clipped(panel.y, y0, y1)
        region = given.get("name") == "region"
        paint = f'fill="{marks.color(given.get("fillcolor"))}" opacity="{given.get("opacity", 0.2)}"'
        box = f'x="{digits(a)}" y="{digits(c)}" width="{digits(b - a)}" height="{digits(d - c)}"'
        return f"<rect {'class=' + chr(34) + 'region' + chr(34) if region else paint} {box}/>"
    line = given.get("line") or {}
    paint = marks.stroke(marks.color(line.get("color")), float(line.get("width", 1)), line.get("dash", ""))
    return f'<line x1="{digits(x0)}" y1="{digits(y0)}" x2="{digits(x1)}" y2="{digits(y1)}" {paint}/>'


def _clipped(axis: Axis, a: float, b: float) -> tuple[float, float]:
    low, high = sorted((axis.start, axis.end))
    first, last = sorted((a, b))
    return min(max(first, low), high), min(max(last, low), high)


def _each(value: Any, n: int) -> list[Any]:
    """One for each point: a list as it is, anything else n times."""
    return values_of(value) or [value] * n


def _faint(opacity: Any) -> str:
    part = number(opacity)
    return f' opacity="{digits(part, 2)}"' if part is not None and part < 1 else ""


def _cell(along: Axis, values: list[Any]) -> float:
    found = [p for p in map(along.at, values) if p is not None]
    gaps = [abs(a - b) for a, b in itertools.pairwise(found) if a != b]
    return min(gaps) if gaps else abs(along.end - along.start)
