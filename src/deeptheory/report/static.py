"""A static drawing of an interactive figure: the same numbers as inline SVG, for print, for phones and without scripts.

`draw` reads what plotly was given (figures/NAME.json, drawn from the table beside it), so that the two cannot differ.
Each panel says its scale (`data-x`, `data-y`: kind, ends, ends on the page), so that numbers can be read back from the
drawing. At most MOST bytes: what is too much is drawn coarser, never left out.
"""

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from deeptheory.core.errors import StoreError
from deeptheory.report import marks
from deeptheory.report.marks import digits
from deeptheory.report.panels import (
    BAR,
    LEFT,
    LETTER,
    MOST,
    WIDTH,
    Panel,
    groups_of,
    labeled,
    on_page,
    pair_of,
    panels_of,
    places,
    titled,
)
from deeptheory.report.scales import color_bar
from deeptheory.report.traces import DRAWN, cut, shape

_SLACK = (0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0)  # page units that a drawing may be off, until it fits
_MANY = 4000  # points that fine strokes cannot hold
_REMARK = 90  # letters from which on a text stands below the drawing
_APART = 12  # page units between the names at the ends of lines
_FIXED = 0.8  # plotly's pixels in page units


@dataclass(frozen=True)
class Drawing:
    """svg: the drawing. key: (name, color, dash or symbol) of what it shows, which stands below it; labeled: it stands
    at the ends of the lines as well. remarks: long texts of the figure, which would cover it. off: how far, in page
    units, a point that was left out may lie from what is drawn.
    """

    svg: str
    key: list[tuple[str, str, str]]
    labeled: bool
    remarks: list[str]
    off: float


def draw(figure: Mapping[str, Any], alt: str) -> Drawing:
    """The drawing of a figure in plotly's JSON; the same figure gives the same bytes.

    alt: what it shows, for those who do not see it. StoreError: a kind of trace that is not drawn, or of another form.
    """
    layout = dict(figure.get("layout") or {})
    traces = [t for t in figure.get("data") or [] if t.get("visible") not in (False, "legendonly")]
    for trace in traces:
        if trace.get("type", "scatter") not in DRAWN:
            known = ", ".join(DRAWN)
            raise StoreError(f"a trace of type {trace.get('type')!r} has no static drawing; known: {known}")
    try:
        height, panels = panels_of(layout, traces)
        labels = _end_labels(layout, traces, panels)
        fixed = _notes(layout, panels) + color_bar(traces, LEFT, height - BAR + 4) + labels
        head = f'<svg class="fig" viewBox="0 0 {WIDTH} {digits(height)}" role="img" aria-label="{escape(alt)}">'
        svg, slack = "", 0.0
        for slack in _SLACK[2 if sum(len(places(t, "y")) for t in traces) > _MANY else 0 :]:
            body = "".join(_panel(p, name, layout, traces, slack) for name, p in panels.items())
            svg = f"{head}{body}{fixed}</svg>"
            if len(svg.encode()) <= MOST:
                break
        key = _key(layout, traces)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        said = f"{type(error).__name__}: {error}"
        raise StoreError(f"a figure is of another form ({said}); run again to write it again") from error
    remarks = [re.sub(r"<br ?/?>", " ", str(a["text"])) for a in layout.get("annotations") or [] if _long(a)]
    return Drawing(svg, key, bool(labels), remarks, slack)


def _long(note: dict[str, Any]) -> bool:
    return len(str(note.get("text"))) > _REMARK


def _panel(panel: Panel, name: str, layout: dict[str, Any], traces: list[dict], slack: float) -> str:
    """The grid, the lines of reference and the traces of one panel."""
    x, y = panel.x, panel.y
    parts = [f'<g class="panel" data-axes="{name}" data-x="{x.said()}" data-y="{y.said()}">']
    if not any(t.get("type") == "image" for t in traces):
        lines = [f"M{digits(at)} {digits(y.start)}V{digits(y.end)}" for at, _ in x.ticks(panel.x_layout)]
        lines += [f"M{digits(x.start)} {digits(at)}H{digits(x.end)}" for at, _ in y.ticks(panel.y_layout)]
        parts.append(f'<path class="g" d="{"".join(lines)}"/>')
    parts.append(_texts(panel, layout))
    parts += [shape(s, panel) for s in layout.get("shapes") or [] if _belongs(s, name)]
    base: dict[Any, float] = {}
    for k, trace in enumerate(traces):
        if " ".join(pair_of(trace)) == name:
            body = DRAWN[trace.get("type", "scatter")](trace, panel, slack, layout, base)
            parts.append(f'<g data-trace="{k}">{cut(body, trace, panel)}</g>' if body else "")
    return "".join(parts) + "</g>"


def _texts(panel: Panel, layout: dict[str, Any]) -> str:
    """Tick labels and titles of a panel's axes; the title of the vertical one is written above it."""
    x, y, parts = panel.x, panel.y, []
    groups = groups_of(x)
    if panel.x_layout.get("showticklabels") is not False:
        ticks = x.ticks(panel.x_layout)
        room = abs(x.end - x.start) / max(1, len(ticks))
        crowded = max((LETTER * len(t) for _, t in ticks), default=0) > room - 4
        parts += [
            marks.text(at, y.start + (28 if crowded and k % 2 else 15), said, "t", "middle")
            for k, (at, said) in enumerate(ticks)
        ]
        parts += [marks.text(at, y.start + 42, said, "t", "middle") for at, said in groups]
    if panel.y_layout.get("showticklabels") is not False:
        parts += [marks.text(x.start - 6, at + 4, said, "t", "end") for at, said in y.ticks(panel.y_layout)]
    if said := _title(panel.x_layout):
        middle, below = (x.start + x.end) / 2, y.start + (56 if groups else 34)
        parts.append(marks.text(middle, below, said, "a x", "middle"))
    if said := _title(panel.y_layout):
        left = 2 if x.start < 0.5 * WIDTH else x.start
        parts.append(marks.text(left, y.end - (24 if titled(layout) else 9), said, "a"))
    return "".join(parts)


def _notes(layout: dict[str, Any], panels: dict[str, Panel]) -> str:
    """Titles of panels and remarks, in the units of the page, of an axis, or of a point with an arrow to it."""
    every = list(panels.values())
    ends = {
        "x": (min(p.x.start for p in every), max(p.x.end for p in every)),
        "y": (max(p.y.start for p in every), min(p.y.end for p in every)),
    }
    out = []
    for note in layout.get("annotations") or []:
        if _long(note):
            continue
        refs = {letter: str(note.get(f"{letter}ref") or letter) for letter in "xy"}
        panel = panels.get(" ".join(r.split()[0] for r in refs.values()), every[0])
        at = {}
        for letter, along in (("x", panel.x), ("y", panel.y)):
            value, (start, end) = note[letter], ends[letter]
            if refs[letter] == "paper":
                at[letter] = start + value * (end - start)
            else:
                at[letter] = along.part(value) if refs[letter].endswith("domain") else along.along(value)
        out.append(_note(note, at["x"], at["y"], refs["y"]))
    return "".join(out)


def _note(note: dict[str, Any], x: float, y: float, ref: str) -> str:
    """One remark at its place on the page."""
    anchor = {"center": "middle", "right": "end"}.get(note.get("xanchor") or "left", "")
    arrow = ""
    if note.get("showarrow") is not False and not on_page(note):
        x1, y1 = x + _FIXED * float(note.get("ax", 0)), y + _FIXED * float(note.get("ay", 0))
        arrow = f'<line class="arrow" x1="{digits(x)}" y1="{digits(y)}" x2="{digits(x1)}" y2="{digits(y1)}"/>'
        x, y, anchor = x1, y1 - 3, "middle"
    else:
        raised = note.get("yanchor") == "bottom" or (note.get("yanchor") is None and ref != "paper")
        y -= 5 + 14 * str(note["text"]).count("<br>") if raised else -14
    x += _FIXED * float(note.get("xshift") or 0)
    css = "p" if on_page(note) and anchor == "middle" else "lab" if note.get("name") == "label" else "t"
    return arrow + marks.text(x, y, note["text"], css, anchor)


def _key(layout: dict[str, Any], traces: list[dict]) -> list[tuple[str, str, str]]:
    """(name, color, dash, symbol or "bar") of each name that plotly's legend has."""
    if layout.get("showlegend") is False or (len(traces) == 1 and layout.get("showlegend") is not True):
        return []
    named: dict[str, tuple[str, str, str]] = {}
    for trace in traces:
        name, mode = trace.get("name"), trace.get("mode") or ""
        if not name or trace.get("showlegend") is False:
            continue
        line, dot = trace.get("line") or {}, trace.get("marker") or {}
        own = dot.get("color") if isinstance(dot.get("color"), str) else None
        if trace.get("type") == "bar":
            kind, color = "bar", own
        elif "markers" in mode and "lines" not in mode:
            kind, color = str(dot.get("symbol") or "circle"), own or line.get("color")
        else:
            kind, color = str(line.get("dash") or "solid"), line.get("color") or own
        named.setdefault(str(name), (str(name), marks.color(color), kind))
    return list(named.values())


def _end_labels(layout: dict[str, Any], traces: list[dict], panels: dict[str, Panel]) -> str:
    """The names of lines at their right ends, moved apart where they would cover each other."""
    found = []
    for trace in labeled(layout, traces):
        panel = panels[" ".join(pair_of(trace))]
        points = zip(map(panel.x.at, places(trace, "x")), map(panel.y.at, places(trace, "y")))
        inside = [
            (x, y)
            for x, y in points
            if x is not None and y is not None and panel.x.within(x, 1) and panel.y.within(y, 1)
        ]
        if not inside:
            return ""
        found.append([max(inside)[1] + 4, trace, panel])
    found.sort(key=lambda f: f[0])
    for above, below in itertools.pairwise(found):
        below[0] = max(below[0], above[0] + _APART)
    over = max(0.0, found[-1][0] - found[-1][2].y.start - 4) if found else 0.0
    out = []
    for y, trace, panel in found:
        color = marks.color((trace.get("line") or {}).get("color"))
        place = f'x="{digits(panel.x.end + 6)}" y="{digits(y - over)}" fill="{color}"'
        out.append(f'<text class="lab end" {place}>{escape(str(trace["name"]))}</text>')
    return "".join(out)


def _title(layout: dict[str, Any]) -> str:
    said = layout.get("title")
    return str(said.get("text") or "") if isinstance(said, dict) else str(said or "")


def _belongs(given: dict[str, Any], name: str) -> bool:
    """Whether a shape of the layout is drawn in the panel of those axes."""
    refs = [str(given.get(f"{letter}ref") or letter).split()[0] for letter in "xy"]
    return all(r in (own, "paper") for r, own in zip(refs, name.split()))
