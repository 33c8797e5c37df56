"""Numbers over the steps of training as inline SVG: a line per layer, the range of untrained networks, permuted labels.

Knows series of inspection.json, not how they came to be. Pitfall: untrained networks have one number per layer and no
step, so theirs is a mark at the left, and a band for the layer in blue.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deeptheory.report.svg import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    below,
    dot,
    drawing,
    end_labels,
    grid,
    height_of,
    number,
    path_of,
    polyline,
    scale_of,
    short,
    shortened,
    straight,
    tick_texts,
)

LINES = 5  # layers that are drawn
KINDS = ("model", *(f"other other-{k}" for k in range(LINES - 1)))
Point = tuple[float, float]
Row = Mapping[str, Any]
_SLOT = 76  # left of the first step, for untrained networks
_DOTS = 12  # steps up to which each has a point of its own
_POINTS = 300  # of a line
_UNEVEN = 4.0  # times the least gap between steps from which their axis is logarithmic


@dataclass(frozen=True)
class Steps:
    """Where steps are drawn. at: from 0 to 1, by checkpoint; order: of the checkpoints; ticks: (place, text).

    log: whether the axis is that of log(step + 1). title: what is written at its end.
    """

    at: tuple[float, ...]
    order: tuple[int, ...]
    ticks: tuple[tuple[float, str], ...]
    log: bool
    title: str = "step"

    def x(self, k: int) -> float:
        """Of a checkpoint."""
        return _across(self.at[k])


def steps_axis(names: Sequence[str], steps: Sequence[float] | None) -> Steps:
    """names: of the checkpoints; steps: theirs, or None where they have none and stand side by side."""
    n = len(names)
    if steps is None:
        at = tuple(k / max(n - 1, 1) for k in range(n))
        every = max(1, math.ceil(n / 8))
        shown = [k for k in range(n) if k == n - 1 or (k % every == 0 and n - 1 - k >= every)]
        return Steps(at, tuple(range(n)), tuple((at[k], shortened(names[k], 12)) for k in shown), False, "")
    order = tuple(sorted(range(n), key=lambda k: steps[k]))
    low, high = steps[order[0]], steps[order[-1]]
    gaps = [steps[b] - steps[a] for a, b in itertools.pairwise(order)]
    log = low >= 0 and len(gaps) > 1 and max(gaps) > _UNEVEN * min(gaps)

    def place(v: float) -> float:
        a, b, v = (math.log1p(low), math.log1p(high), math.log1p(v)) if log else (low, high, v)
        return (v - a) / (b - a) if b > a else 0.5

    if log:
        values = sorted({low, high, *(10.0**k for k in range(13) if low < 10**k < high)})
        values = [v for v in values if v == high or place(high) - place(v) > 0.08]
        texts = [f"{v:,.6g}" for v in values]
    else:
        scale = scale_of([low, high], False, None)
        values = [v for v in (scale[3] if scale else ()) if low <= v <= high]
        texts = tick_texts(values, False) if len(values) > 1 else [f"{v:,.6g}" for v in values]
    return Steps(tuple(map(place, steps)), order, tuple(zip(map(place, values), texts)), log)


def over_steps(lines: Sequence[Row], quantity: Row, steps: Steps) -> str:
    """lines: series of layers, the one in blue first, at most LINES. quantity: title, log, ends."""
    values = [v for s in lines for f in ("value", "low", "high", "permuted_mean") for v in s.get(f, ())]
    values += [s.get(f) for s in lines for f in ("twin_least", "twin_most", "floor")]
    scale = scale_of(_numbers(values), bool(quantity["log"]), quantity.get("ends"))
    if scale is None:
        return ""
    first, right = lines[0], WIDTH - RIGHT
    out: list[str] = [grid(scale), *_ticks(steps, any(number(s.get("twin_least")) is not None for s in lines))]
    ends: list[tuple[float, str, str]] = []
    low, high = number(first.get("twin_least")), number(first.get("twin_most"))
    if low is not None and high is not None:
        top, bottom = height_of(scale, high), height_of(scale, low)
        corners = [(LEFT, top), (right, top), (right, max(bottom, top + 1)), (LEFT, max(bottom, top + 1))]
        out.append(f'<polygon class="band twin" points="{path_of(corners)}"/>')
        ends.append(((top + bottom) / 2, "twin", first["control"]))
    if number(first.get("floor")) is not None:
        y = height_of(scale, first["floor"])
        out.append(straight("line permuted", (LEFT, y), (right, y)))
        ends.append((y, "permuted", "pure noise"))
    null = _points(first.get("permuted_mean", ()), steps, scale)
    if null:
        out += [polyline("permuted", run) for run in null]
        ends.append((null[-1][-1][1], "permuted", "permuted labels"))
    for k in reversed(range(len(lines))):
        s, kind = lines[k], KINDS[k]
        runs = _points(s["value"], steps, scale)
        if runs:
            out += [*_interval(s, steps, scale, kind), *(polyline(kind, run) for run in runs)]
            out += [_marked_dot(s, j, steps, scale, kind) for j in _marked(s["value"], steps)]
            out += _untrained(s, k, scale, kind)
            ends.append((runs[-1][-1][1], kind, s["label"]))
    label = f"{quantity['title']} over training, {len(steps.at)} steps"
    return drawing(HEIGHT + 18, label, [*out, *end_labels(ends)])


def plane(paths: Sequence[Row], title: str) -> str:
    """The information plane: a path per layer, from a hollow point to a full one; untrained networks as gray points."""
    xs = [v for p in paths for v in (*p["x"], *(t[0] for t in p["twins"]))]
    ys = [v for p in paths for v in (*p["y"], *(t[1] for t in p["twins"]), *p["permuted"])]
    across, up = (scale_of([0.0, *_numbers(vs)], False, None) for vs in (xs, ys))
    if across is None or up is None:
        return ""
    low, high, right = across[0], across[1], WIDTH - RIGHT

    def at(x: Any, y: Any) -> Point | None:
        if number(x) is None or number(y) is None:
            return None
        return LEFT + (x - low) / (high - low) * (right - LEFT), height_of(up, y)

    out = [grid(up), below(LEFT, 8, "I(T;Y), bits", "start"), below(right + 12, HEIGHT + 4, "I(X;T), bits", "start")]
    ends: list[tuple[float, str, str]] = []
    for tick, text in zip(across[3], tick_texts(across[3], False)):
        out.append(below(LEFT + (tick - low) / (high - low) * (right - LEFT), HEIGHT + 4, text))
    twins = [at(*t) for p in paths for t in p["twins"]]
    out += [dot("twin", t, 2.5) for t in twins if t]
    for k in reversed(range(len(paths))):
        p, kind = paths[k], KINDS[k]
        points = [q for q in map(at, p["x"], p["y"]) if q]
        if not points:
            continue
        end = f"{p['label']}, last: I(X;T) {short(p['x'][-1])}, I(T;Y) {short(p['y'][-1])} bits"
        null = at(p["x"][-1], p["permuted"][-1])
        if null:
            out.append(straight("whisker permuted", (null[0] - 6, null[1]), (null[0] + 6, null[1])))
            end += f"; permuted labels {short(p['permuted'][-1])}"
        out += [polyline(kind, _thinned(points)), dot(f"hollow {kind}", points[0], 3.5), dot(kind, points[-1], 4, end)]
        ends.append((points[-1][1], kind, p["label"]))
    return drawing(HEIGHT + 12, title, [*out, *end_labels(ends)])


def said_at(s: Row, k: int) -> str:
    """The number of one step with its interval and controls."""
    text = short(s["value"][k])
    if s.get("low") and number(s["low"][k]) is not None:
        text += f" [{short(s['low'][k])}, {short(s['high'][k])}]"
    if number(s.get("twin_least")) is not None:
        text += f"; {s['control']} {short(s['twin_least'])} to {short(s['twin_most'])}"
    if s.get("permuted_mean") and number(s["permuted_mean"][k]) is not None:
        text += f"; permuted labels {short(s['permuted_low'][k])} to {short(s['permuted_high'][k])}"
    return text


def _numbers(values: Sequence[Any]) -> list[float]:
    return [v for v in map(number, values) if v is not None]


def _across(share: float) -> float:
    return LEFT + _SLOT + share * (WIDTH - LEFT - RIGHT - _SLOT - 8)


def _ticks(steps: Steps, untrained: bool) -> list[str]:
    out = [below(WIDTH - RIGHT + 12, HEIGHT + 10, steps.title, "start")]
    out += [below(LEFT + 2, HEIGHT + 10, "untrained", "start")] if untrained else []
    return out + [below(_across(share), HEIGHT + 10, text) for share, text in steps.ticks]


def _points(values: Sequence[Any], steps: Steps, scale: Scale) -> list[list[Point]]:
    """Runs of neighbors that have a number, in the order of steps."""
    runs: list[list[Point]] = [[]]
    for k in steps.order if values else ():
        v = number(values[k])
        if v is None:
            runs.append([])
        else:
            runs[-1].append((steps.x(k), height_of(scale, v)))
    return [_thinned(run) for run in runs if run]


def _thinned(points: list[Point]) -> list[Point]:
    """At most so many points, the first and the last among them."""
    if len(points) <= _POINTS:
        return points
    return [points[round(k * (len(points) - 1) / (_POINTS - 1))] for k in range(_POINTS)]


def _interval(s: Row, steps: Steps, scale: Scale, kind: str) -> list[str]:
    """The 95 % interval of the layer in blue."""
    if kind != "model" or not s.get("low"):
        return []
    there = [k for k in steps.order if number(s["low"][k]) is not None and number(s["high"][k]) is not None]
    upper = _thinned([(steps.x(k), height_of(scale, s["high"][k])) for k in there])
    lower = _thinned([(steps.x(k), height_of(scale, s["low"][k])) for k in there])
    edge = path_of([*upper, *reversed(lower)])
    return [f'<polygon class="band model" points="{edge}"/>'] if len(there) > 1 else []


def _marked(values: Sequence[Any], steps: Steps) -> list[int]:
    there = [k for k in steps.order if number(values[k]) is not None]
    return there if len(there) <= _DOTS else [there[0], there[-1]]


def _marked_dot(s: Row, k: int, steps: Steps, scale: Scale, kind: str) -> str:
    at = steps.x(k), height_of(scale, s["value"][k])
    return dot(kind, at, 3.5 if kind == "model" else 2.5, f"{s['label']}, {s['names'][k]}: {said_at(s, k)}")


def _untrained(s: Row, k: int, scale: Scale, kind: str) -> list[str]:
    """The range of the untrained networks at this layer, left of the first step."""
    low, high, mean = (number(s.get(f)) for f in ("twin_least", "twin_most", "twin_mean"))
    if low is None or high is None or mean is None:
        return []
    x, top, bottom = LEFT + 10 + 9 * k, height_of(scale, high), height_of(scale, low)
    said = f"{s['label']}, {s['control']}: {short(low)} to {short(high)}"
    return [
        straight(f"whisker {kind}", (x, top), (x, max(bottom, top + 1))),
        dot(f"hollow {kind}", (x, height_of(scale, mean)), 2.5, said),
    ]
