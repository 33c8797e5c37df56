"""One row of the figure by depth as inline SVG: a model's line with its interval, the band of its twins, that of
permuted labels.

It needs no script, prints, and takes its colors from the page's style sheet. Knows rows of inspection.json, not how
they came to be.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from deeptheory.report.svg import (
    BOTTOM,
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Scale,
    end_labels,
    grid,
    height_of,
    number,
    path_of,
    scale_of,
    short,
    shortened,
)

_NAME = 20  # characters of a layer's name at the axis


def chart(
    rows: Sequence[dict[str, Any]],
    quantity: dict[str, Any],
    axis: Sequence[str],
    checkpoints: Sequence[str],
    names: Mapping[str, str] | None,
    also: Sequence[float] = (),
) -> str:
    """rows: of one quantity, of all checkpoints.

    axis: layers, without their parts, in order. names: what to write below each, None for nothing. also: numbers that
    the axis of values must hold, too.
    """
    values = [*numbers_in(rows), *also]
    if quantity.get("chance") is not None:
        values.append(quantity["chance"])
    scale = scale_of(values, bool(quantity["log"]), quantity.get("ends"))
    if scale is None:
        return ""
    below = BOTTOM + (_name_height(_without_common([names[name] for name in axis])) if names else 0)
    place = {name: _x(k, len(axis)) for k, name in enumerate(axis)}
    parts = [grid(scale)]
    if quantity.get("chance") is not None:
        y = height_of(scale, quantity["chance"])
        parts.append(
            f'<line class="chance" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"><title>chance: '
            f"{short(quantity['chance'])}</title></line>"
        )
    ends: list[tuple[float, str, str]] = []
    for series in _series(rows, checkpoints):
        parts.append(_line(series, place, scale))
        last = next((p for p in reversed(series["points"]) if p[1] is not None), None)
        if last is not None and series["label"]:
            ends.append((height_of(scale, last[1]), series["kind"], series["label"]))
    parts += end_labels(ends)
    if names:
        parts.append(_names(axis, names, place))
    height = HEIGHT + below - BOTTOM
    label = escape(f"{quantity['title']} by depth, {len(axis)} layers", quote=True)
    return f'<svg class="depth" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def numbers_in(rows: Sequence[dict[str, Any]]) -> list[float]:
    """All that is drawn of rows: values, ends of intervals, controls."""
    fields = ("value", "low", "high", "twin_least", "twin_most", "permuted_low", "permuted_high")
    return [v for r in rows for f in fields if (v := number(r[f])) is not None]


def _series(rows: Sequence[dict[str, Any]], checkpoints: Sequence[str]) -> list[dict[str, Any]]:
    """Lines from back to front: permuted labels, twins, earlier checkpoints, the model."""
    out = []
    last = checkpoints[-1]
    parts = sorted({r["part"] for r in rows if r["layer"]})
    for part in parts:
        mine = [r for r in rows if r["layer"] and r["part"] == part and r["checkpoint"] == last]
        ending = f", {part}" if part else ""
        faint = " part" if part else ""
        if any(r["permutations"] for r in mine) and not part:
            out.append(
                _one(mine, "permuted", "permuted labels", ("permuted_mean", "permuted_low", "permuted_high"), band=True)
            )
        if any(r["twins"] for r in mine):
            control = mine[0]["control"]
            out.append(
                _one(
                    mine,
                    "twin" + faint,
                    "" if part else control,
                    ("twin_mean", "twin_least", "twin_most"),
                    band=not part,
                )
            )
        for k, c in enumerate(checkpoints[:-1]):
            those = [r for r in rows if r["layer"] and r["part"] == part and r["checkpoint"] == c]
            out.append(
                _one(
                    those,
                    f"other other-{(len(checkpoints) - 2 - k) % 4}{faint}",
                    f"{c}{ending}",
                    ("value", "low", "high"),
                    band=False,
                )
            )
        out.append(_one(mine, "model" + faint, part or last or "this model", ("value", "low", "high"), band=False))
    return out


def _one(
    rows: Sequence[dict[str, Any]], kind: str, label: str, fields: tuple[str, str, str], band: bool
) -> dict[str, Any]:
    points = [(r["base"], *(number(r[f]) for f in fields), _said(r)) for r in sorted(rows, key=lambda r: r["depth"])]
    return {"kind": kind, "label": label, "points": points, "band": band}


def _said(r: dict[str, Any]) -> str:
    """One point in words, with interval and controls."""
    value, low, high = number(r["value"]), number(r["low"]), number(r["high"])
    if value is None:
        return f"{r['label']}: not measured ({r['note']})"
    text = f"{r['label']}: {short(value)}"
    text += "" if low is None or high is None else f" [{short(low)}, {short(high)}]"
    if r["twins"]:
        text += f"; {r['control']} {short(r['twin_least'])} to {short(r['twin_most'])}"
    if r["permutations"]:
        text += f"; permuted labels {short(r['permuted_low'])} to {short(r['permuted_high'])}"
    return text + (f". {r['note']}" if r["note"] else "")


def _line(series: dict[str, Any], place: dict[str, float], scale: Scale) -> str:
    kind, out = series["kind"], []
    points = [p for p in series["points"] if p[0] in place]
    runs: list[list[tuple]] = [[]]
    for p in points:
        if p[1] is None:
            runs.append([])
        else:
            runs[-1].append(p)
    for run in filter(None, runs):
        banded = [p for p in run if p[2] is not None and p[3] is not None]
        if series["band"] and len(banded) > 1:
            edge = [(place[p[0]], height_of(scale, p[3])) for p in banded] + [
                (place[p[0]], height_of(scale, p[2])) for p in reversed(banded)
            ]
            out.append(f'<polygon class="band {kind}" points="{path_of(edge)}"/>')
        elif banded:  # the whiskers of the model, or of a control at a single layer
            out += [
                f'<line class="whisker {kind}" x1="{place[p[0]]:.1f}" x2="{place[p[0]]:.1f}" '
                f'y1="{height_of(scale, p[2]):.1f}" y2="{height_of(scale, p[3]):.1f}"/>'
                for p in banded
            ]
        if len(run) > 1:
            points_of_run = path_of([(place[p[0]], height_of(scale, p[1])) for p in run])
            out.append(f'<polyline class="line {kind}" points="{points_of_run}"/>')
        radius = 4 if kind == "model" else 2.5
        own = not kind.startswith(("twin", "permuted"))  # a control's point would say the same again
        out += [
            f'<circle class="dot {kind}" cx="{place[p[0]]:.1f}" cy="{height_of(scale, p[1]):.1f}" '
            f'r="{radius}">{f"<title>{escape(p[4])}</title>" if own else ""}</circle>'
            for p in run
        ]
    if kind == "model":
        out += [
            f'<text class="lost" x="{place[p[0]]:.1f}" y="{HEIGHT - BOTTOM - 3}">×<title>{escape(p[4])}</title></text>'
            for p in points
            if p[1] is None
        ]
    return "".join(out)


def _without_common(labels: Sequence[str]) -> list[str]:
    """Names without the beginning that most of them share: "bert.encoder.layer.0.output" becomes "0.output"."""
    start = ""
    while True:
        heads = [
            name[len(start) :].partition(".")[0] + "."
            for name in labels
            if name.startswith(start) and "." in name[len(start) :]
        ]
        common = max(dict.fromkeys(heads), key=heads.count, default="")
        if not common or heads.count(common) < 0.6 * len(labels):
            break
        start += common
    short_ones = [name.removeprefix(start) for name in labels]
    return short_ones if len(set(short_ones)) == len(set(labels)) else list(labels)


def _names(axis: Sequence[str], labels: Mapping[str, str], place: dict[str, float]) -> str:
    shown = dict(zip(axis, _without_common([labels[name] for name in axis])))
    slanted = _slanted(list(shown.values()))
    every = max(1, math.ceil(len(axis) / 40))
    out = []
    for k, name in enumerate(axis):
        last = len(axis) - 1
        if k != last and (k % every or last - k < every):
            continue
        x, y = place[name], HEIGHT + 8
        turn = f' transform="rotate(-45 {x:.1f} {y})" text-anchor="end"' if slanted else ' text-anchor="middle"'
        out.append(
            f'<text class="name" x="{x:.1f}" '
            f'y="{y}"{turn}>{escape(shortened(shown[name], _NAME))}<title>{escape(name)}</title></text>'
        )
    return "".join(out)


def _slanted(axis: Sequence[str]) -> bool:
    room = (WIDTH - LEFT - RIGHT) / max(len(axis) - 1, 1)
    return max(len(shortened(name, _NAME)) for name in axis) * 7 > room


def _name_height(axis: Sequence[str]) -> int:
    if not _slanted(axis):
        return 14
    return 16 + int(max(len(shortened(name, _NAME)) for name in axis) * 5)


def _x(k: int, n: int) -> float:
    return (LEFT + WIDTH - RIGHT) / 2 if n == 1 else LEFT + 8 + k * (WIDTH - LEFT - RIGHT - 16) / (n - 1)
