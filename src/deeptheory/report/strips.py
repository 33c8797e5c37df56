"""A claim in one line, as inline SVG: the region that was stated beforehand, the interval, the value.

Beside it the other small drawings of a page: the bar that counts verdicts, and the samples of a legend.
"""

import math
from html import escape
from typing import Any

from markupsafe import Markup

from deeptheory.core.errors import InputError
from deeptheory.core.region import Region
from deeptheory.report.marks import color, digits, dots, stroke

WIDTH, HEIGHT = 230, 16
_EDGE = 6
_CSS = {"reproduced": "good", "holds here": "good", "contradicted": "bad", "fails here": "bad"}


def strip(claim: dict[str, Any]) -> str:
    """The line of a row of claims.json; empty where nothing was measured or no region was stated.

    The axis spans all that is finite: the ends of region and interval, the value, and the published one if a number.
    """
    value, low, high = (_number(claim[k]) for k in ("measured", "low", "high"))
    if value is None or not claim["region"]:
        return ""
    try:
        region = Region.parse(claim["region"], claim["published"])
    except InputError:
        return ""
    published = _number(claim["published"])
    seen = [v for v in (value, low, high, region.low, region.high, published) if v is not None and math.isfinite(v)]
    first, last = min(seen), max(seen)
    room = 0.25 * (last - first) or 0.1 * (abs(first) or 1)
    first, last = first - room, last + room

    def at(v: float) -> float:
        inside = min(max((v - first) / (last - first), 0.0), 1.0)
        return _EDGE + inside * (WIDTH - 2 * _EDGE)

    a, b = at(region.low), at(region.high)
    if b - a < 3:
        a, b = (a + b) / 2 - 1.5, (a + b) / 2 + 1.5
    css, y = _CSS.get(claim["verdict"], "open"), HEIGHT / 2
    parts = [f'<rect class="region" x="{digits(a)}" y="2" width="{digits(b - a)}" height="{HEIGHT - 4}"/>']
    parts.append(f'<line class="axis" x1="{_EDGE}" y1="{y:g}" x2="{WIDTH - _EDGE}" y2="{y:g}"/>')
    if published is not None and math.isfinite(published):
        parts.append(f'<path class="published" d="M{digits(at(published))} 1v{HEIGHT - 2}"/>')
    if low is not None and high is not None and high > low:
        parts.append(f'<line class="ci {css}" x1="{digits(at(low))}" y1="{y:g}" x2="{digits(at(high))}" y2="{y:g}"/>')
    parts.append(f'<circle class="{css}" cx="{digits(at(value))}" cy="{y:g}" r="4"/>')
    said = escape(f"region {claim['region']}, {claim['verdict']}")
    head = f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{said}">'
    return f"{head}{''.join(parts)}</svg>"


def _number(value: Any) -> float | None:
    """A number of claims.json, where infinity is the text "inf"."""
    if isinstance(value, str):
        return {"inf": math.inf, "-inf": -math.inf}.get(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def tally(counts: list[tuple[str, list[tuple[int, str]]]]) -> str:
    """All verdicts of a headline as one bar: good, open, bad and not judged; the numbers are said beside it."""
    sums: dict[str, int] = dict.fromkeys(("good", "open", "bad", "none"), 0)
    for _, verdicts in counts:
        for n, verdict in verdicts:
            sums[_CSS.get(verdict, "open" if verdict == "inconclusive" else "none")] += n
    total, x, parts = sum(sums.values()), 0.0, []
    for css, n in sums.items():
        wide = 300 * n / total if total else 0
        if n:
            parts.append(
                f'<rect class="{css}" x="{digits(x)}" y="0" width="{digits(max(wide - 2, 1))}" height="12" rx="2"/>'
            )
        x += wide
    return (
        f'<svg class="tally" viewBox="0 0 300 12" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'
    )


def swatch(shade: str, kind: str) -> Markup:
    """The sample of a legend: a line of that dash, a block, or a dot of that symbol."""
    shade = color(shade)
    if kind in ("solid", "dash", "dot", "dashdot", "longdash"):
        body = f'<path d="M1 6H25" {stroke(shade, 2.4, kind)}/>'
    elif kind == "bar":
        body = f'<rect x="5" y="1" width="14" height="10" fill="{shade}"/>'
    else:
        body = dots([(13, 6)], 8, shade, kind)
    drawing = f'<svg viewBox="0 0 26 12" aria-hidden="true">{body}</svg>'
    return Markup(drawing)  # noqa: S704  # numbers of ours, and a color that color() has read
