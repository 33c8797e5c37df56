"""One row of the figure by depth as inline SVG: a model's line with its interval, the band of its twins, that of
permuted labels.

It needs no script, prints, and takes its colors from the page's style sheet. Knows rows of inspection.json, not how
they came to be.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 150, 58, 128, 12, 12
_NAME = 20  # characters of a layer's name at the axis
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_APART = 14.0  # between two labels at the ends of lines


def chart(
    rows: Sequence[dict[str, Any]],
    quantity: dict[str, Any],
    axis: Sequence[str],
    checkpoints: Sequence[str],
    names: Mapping[str, str] | None,
) -> str:
    """rows: of one quantity, of all checkpoints.

    axis: layers, without their parts, in order. names: what to write below each, None for nothing.
    """
    values = [
        v
        for r in rows
        for v in (
            r["value"],
            r["low"],
            r["high"],
            r["twin_least"],
            r["twin_most"],
            r["permuted_low"],
            r["permuted_high"],
        )
        if isinstance(v, int | float)
    ]
    if quantity.get("chance") is not None:
        values.append(quantity["chance"])
    scale = _scale(values, bool(quantity["log"]), quantity.get("ends"))
    if scale is None:
        return ""
    below = BOTTOM + (_name_height(_without_common([names[name] for name in axis])) if names else 0)
    place = {name: _x(k, len(axis)) for k, name in enumerate(axis)}
    parts = [_grid(scale)]
    if quantity.get("chance") is not None:
        y = _y(scale, quantity["chance"])
        parts.append(
            f'<line class="chance" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"><title>chance: '
            f"{short(quantity['chance'])}</title></line>"
        )
    ends: list[tuple[float, str, str]] = []
    for series in _series(rows, checkpoints):
        parts.append(_line(series, place, scale))
        last = next((p for p in reversed(series["points"]) if p[1] is not None), None)
        if last is not None and series["label"]:
            ends.append((_y(scale, last[1]), series["kind"], series["label"]))
    parts += _labels(ends)
    if names:
        parts.append(_names(axis, names, place))
    height = HEIGHT + below - BOTTOM
    label = escape(f"{quantity['title']} by depth, {len(axis)} layers", quote=True)
    return f'<svg class="depth" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


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
    points = [(r["base"], *(_number(r[f]) for f in fields), _said(r)) for r in sorted(rows, key=lambda r: r["depth"])]
    return {"kind": kind, "label": label, "points": points, "band": band}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _said(r: dict[str, Any]) -> str:
    """One point in words, with interval and controls."""
    value, low, high = _number(r["value"]), _number(r["low"]), _number(r["high"])
    if value is None:
        return f"{r['label']}: not measured ({r['note']})"
    text = f"{r['label']}: {short(value)}"
    text += "" if low is None or high is None else f" [{short(low)}, {short(high)}]"
    if r["twins"]:
        text += f"; {r['control']} {short(r['twin_least'])} to {short(r['twin_most'])}"
    if r["permutations"]:
        text += f"; permuted labels {short(r['permuted_low'])} to {short(r['permuted_high'])}"
    return text + (f". {r['note']}" if r["note"] else "")


def _line(series: dict[str, Any], place: dict[str, float], scale: tuple) -> str:
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
            edge = [(place[p[0]], _y(scale, p[3])) for p in banded] + [
                (place[p[0]], _y(scale, p[2])) for p in reversed(banded)
            ]
            out.append(f'<polygon class="band {kind}" points="{_path(edge)}"/>')
        elif banded:  # the whiskers of the model, or of a control at a single layer
            out += [
                f'<line class="whisker {kind}" x1="{place[p[0]]:.1f}" x2="{place[p[0]]:.1f}" '
                f'y1="{_y(scale, p[2]):.1f}" y2="{_y(scale, p[3]):.1f}"/>'
                for p in banded
            ]
        if len(run) > 1:
            out.append(
                f'<polyline class="line {kind}" points="{_path([(place[p[0]], _y(scale, p[1])) for p in run])}"/>'
            )
        radius = 4 if kind == "model" else 2.5
        out += [
            f'<circle class="dot {kind}" cx="{place[p[0]]:.1f}" cy="{_y(scale, p[1]):.1f}" '
            f'r="{radius}"><title>{escape(p[4])}</title></circle>'
            for p in run
        ]
    if kind == "model":
        out += [
            f'<text class="lost" x="{place[p[0]]:.1f}" y="{HEIGHT - BOTTOM - 3}">×<title>{escape(p[4])}</title></text>'
            for p in points
            if p[1] is None
        ]
    return "".join(out)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _labels(ends: list[tuple[float, str, str]]) -> list[str]:
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
        f'y="{y + 4:.1f}">{escape(_cut(label, 18))}<title>{escape(label)}</title></text>'
        for y, (_, kind, label) in zip(ys, ends)
    ]


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
            f'y="{y}"{turn}>{escape(_cut(shown[name], _NAME))}<title>{escape(name)}</title></text>'
        )
    return "".join(out)


def _slanted(axis: Sequence[str]) -> bool:
    room = (WIDTH - LEFT - RIGHT) / max(len(axis) - 1, 1)
    return max(len(_cut(name, _NAME)) for name in axis) * 7 > room


def _name_height(axis: Sequence[str]) -> int:
    if not _slanted(axis):
        return 14
    return 16 + int(max(len(_cut(name, _NAME)) for name in axis) * 5)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2 - 1]}…{text[-(most - most // 2) :]}"


def _x(k: int, n: int) -> float:
    return (LEFT + WIDTH - RIGHT) / 2 if n == 1 else LEFT + 8 + k * (WIDTH - LEFT - RIGHT - 16) / (n - 1)


def _scale(values: Sequence[float], log: bool, ends: Any) -> tuple[float, float, bool, list[float]] | None:
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


def _y(scale: tuple, value: float) -> float:
    low, high, log, _ = scale
    at = math.log10(value) if log and value > 0 else low if log else value
    share = min(max((at - low) / (high - low), 0.0), 1.0)
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def _grid(scale: tuple) -> str:
    _, _, log, ticks = scale
    out = []
    for t, text in zip(ticks, tick_texts(ticks, log)):
        y = _y(scale, 10.0**t if log else t)
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
    v = _number(value)
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
