"""The marks of a static figure as SVG: lines, bands, dots, error bars, bars, cells and images, each in few bytes.

Coordinates have one decimal of a page unit at most. A line leaves out points that lie within `slack` units of what is
drawn, and dots those that another covers: what is left out cannot be seen.
"""

import itertools
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

Point = tuple[float, float]
_DASH = {"dash": "6 4", "dot": "1.5 3.5", "dashdot": "6 3 1.5 3", "longdash": "10 4"}
_SHAPES = {  # around a point, for a size of 2
    "diamond": "m-1.2 0l1.2-1.2 1.2 1.2-1.2 1.2z",
    "triangle-up": "m-1.1 .8l1.1-1.9 1.1 1.9z",
    "star": "m0-1.3l.4.8.9.1-.6.7.1.9-.8-.4-.8.4.1-.9-.6-.7.9-.1z",
    "pentagon": "m0-1.1l1 .8-.4 1.2h-1.2l-.4-1.2z",
    "hexagon": "m-.5-.9h1l.5.9-.5.9h-1l-.5-.9z",
}
_CROSSES = {"x": "m-1-1l2 2m0-2l-2 2", "cross": "m-1 0h2m-1-1v2", "line-ns": "m0-1v2"}
_MANY = 400  # points of a line, more than a page shows
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)[^)]*\)")


def color(given: Any, default: str = "#7f8794") -> str:
    """A color in seven characters; what is none is the default."""
    if not isinstance(given, str):
        return default
    if found := _RGB.fullmatch(given.strip()):
        return "#" + "".join(f"{min(int(v), 255):02x}" for v in found.groups())
    return given if re.fullmatch(r"#[0-9A-Fa-f]{3,8}|[a-z]+", given) else default


def scaled(scale: Sequence[Any], at: float) -> str:
    """The color of a colorscale [[place, color], ...] at a place from 0 to 1."""
    at = min(max(at, 0.0), 1.0)
    stops = [(float(p), color(c)) for p, c in scale]
    for (p, a), (q, b) in itertools.pairwise(stops):
        if at <= q:
            t = 0 if q == p else (at - p) / (q - p)
            parts = [(int(a[k : k + 2], 16), int(b[k : k + 2], 16)) for k in (1, 3, 5)]
            return "#" + "".join(f"{round(u + t * (v - u)):02x}" for u, v in parts)
    return stops[-1][1]


def digits(value: float, places: int = 1) -> str:
    """A coordinate in few characters."""
    text = f"{value:.{places}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def path(runs: Iterable[Sequence[Point]], places: int = 1, close: bool = False) -> str:
    """Lines through points, relative to each other, so that most numbers are short."""
    out = []
    for run in runs:
        before = (0.0, 0.0)
        for k, (x, y) in enumerate(run):
            if k == 0:
                x0, y0 = float(digits(x, places)), float(digits(y, places))
                out.append(f"M{_pair(x0, y0, places)}")
                before = (x0, y0)
                continue
            dx, dy = float(digits(x - before[0], places)), float(digits(y - before[1], places))
            out.append(("l" if k == 1 else "") + _pair(dx, dy, places, k > 1))
            before = before[0] + dx, before[1] + dy  # what a reader adds up: rounding does not pile up
        if close and run:
            out.append("z")
    return "".join(out)


def _pair(x: float, y: float, places: int, follows: bool = False) -> str:
    first, second = digits(x, places), digits(y, places)
    glue = "" if second.startswith("-") else " "
    return ("" if not follows or first.startswith("-") else " ") + first + glue + second


def runs_of(points: Iterable[tuple[float | None, float | None]]) -> list[list[Point]]:
    """Points in stretches, cut where one is missing."""
    out: list[list[Point]] = [[]]
    for x, y in points:
        if x is None or y is None:
            out.append([])
        else:
            out[-1].append((x, y))
    return [run for run in out if run]


def thinned(run: Sequence[Point], slack: float) -> list[Point]:
    """Few points of a line such that none that is left out lies further than `slack` from it.

    First, of points that follow each other in a column of that width, the outer ones; then Douglas & Peucker.
    """
    run = _outer(run, slack) if len(run) > _MANY else run
    if len(run) < 3:
        return list(run)
    kept, stack = {0, len(run) - 1}, [(0, len(run) - 1)]
    while stack:
        a, b = stack.pop()
        if b - a < 2:
            continue
        (x0, y0), (x1, y1) = run[a], run[b]
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        furthest, at = -1.0, a
        for k in range(a + 1, b):
            x, y = run[k][0] - x0, run[k][1] - y0
            t = min(max((x * dx + y * dy) / length, 0.0), 1.0) if length else 0.0
            d = (x - t * dx) ** 2 + (y - t * dy) ** 2
            if d > furthest:
                furthest, at = d, k
        if furthest > slack * slack:
            kept.add(at)
            stack += [(a, at), (at, b)]
    return [run[k] for k in sorted(kept)]


def distinct(runs: Iterable[Sequence[Point]], slack: float) -> list[Sequence[Point]]:
    """The stretches that are lines (one point is none), short ones that lie on each other once."""
    seen: dict[Any, Sequence[Point]] = {}
    for k, run in enumerate(runs):
        if len(run) > 1:
            place = tuple((round(x / slack), round(y / slack)) for x, y in run)
            seen.setdefault(place if len(run) < 4 else k, run)
    return list(seen.values())


def _outer(run: Sequence[Point], width: float) -> list[Point]:
    """Of each stretch of points in one column of that width the first, the lowest, the highest and the last."""
    out: list[Point] = []
    for _, group in itertools.groupby(run, lambda p: int(p[0] // width)):
        points = list(group)
        ys = [y for _, y in points]
        kept = sorted({0, ys.index(min(ys)), ys.index(max(ys)), len(points) - 1})
        out += [points[k] for k in kept]
    return out


def stepped(run: Sequence[Point], shape: str) -> list[Point]:
    """The corners of a staircase: "hv" goes across first, "hvh" turns half way."""
    out = [run[0]]
    for (x0, y0), (x1, y1) in itertools.pairwise(run):
        turn = x1 if shape == "hv" else (x0 + x1) / 2
        out += [(turn, y0), (turn, y1), (x1, y1)]
    return out


def stroke(shade: str, width: float, dash: str = "") -> str:
    """Attributes of a line."""
    dashed = f' stroke-dasharray="{_DASH[dash]}"' if dash in _DASH else ""
    return f'fill="none" stroke="{shade}" stroke-width="{digits(width)}"{dashed}'


def dots(
    points: Sequence[Point], size: float, shade: str, symbol: str = "circle", opacity: float = 1, slack: float = 0.3
) -> str:
    """Marks at points; of those on the same spot one is drawn."""
    grid = max(slack, 0.1)
    kept = list({(round(x / grid), round(y / grid)): (x, y) for x, y in points}.values())
    hollow = symbol.endswith("-open")
    symbol = symbol.removesuffix("-open").removesuffix("-thin")
    faint = f' opacity="{digits(opacity, 2)}"' if opacity < 1 else ""
    if symbol in _CROSSES:
        outline, paint = _sized(_CROSSES[symbol], size), stroke(shade, 1.6)
    elif symbol in _SHAPES or hollow:
        r = digits(size / 2)
        ring = f"m-{r} 0a{r} {r} 0 1 0 {digits(size)} 0a{r} {r} 0 1 0-{digits(size)} 0"
        outline = _sized(_SHAPES[symbol], size) if symbol in _SHAPES else ring
        paint = stroke(shade, 1.4) if hollow else f'fill="{shade}"'
    else:
        cap = "square" if symbol == "square" else "round"
        # a square cap on nothing has no direction: PDF leaves it out
        outline = "h.01" if cap == "square" else "h0"
        paint = f'{stroke(shade, size * (0.88 if cap == "square" else 1))} stroke-linecap="{cap}"'
    body = "".join(f"M{_pair(float(digits(x)), float(digits(y)), 1)}{outline}" for x, y in kept)
    return f'<path d="{body}" {paint}{faint}/>'


def _sized(shape: str, size: float) -> str:
    return re.sub(r"-?\d*\.?\d+", lambda m: _spaced(m, float(m[0]) * size / 2), shape)


def _spaced(found: re.Match, value: float) -> str:
    text, before = digits(value), found.string[found.start() - 1] if found.start() else ""
    return text if text.startswith("-") or not (before.isdigit() or before == ".") else f" {text}"


def text(x: float, y: float, said: str, css: str, anchor: str = "") -> str:
    """Text at a place; `<br>` begins a line, other tags go."""
    lines = [escape(re.sub(r"<[^>]*>", "", line)) for line in re.split(r"<br ?/?>", str(said))]
    to = f' text-anchor="{anchor}"' if anchor else ""
    at = f'x="{digits(x)}" y="{digits(y)}"'
    if len(lines) == 1:
        return f'<text {at} class="{css}"{to}>{lines[0]}</text>'
    down = ("", ' dy="1.2em"')
    spans = "".join(f'<tspan x="{digits(x)}"{down[k > 0]}>{line}</tspan>' for k, line in enumerate(lines))
    return f'<text {at} class="{css}"{to}>{spans}</text>'


def dark(shade: str) -> bool:
    """Whether white letters read better on that color than black ones."""
    r, g, b = (int(shade[k : k + 2], 16) for k in (1, 3, 5))
    return 0.3 * r + 0.59 * g + 0.11 * b < 140
