"""The part of an inspection's page that is about training: a row per main number, the information plane, gradient
phases.

A page draws at most five layers and tabulates at most six steps; the download holds every layer and step of the main
numbers.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from deeptheory.report.svg import number, short
from deeptheory.report.training_chart import LINES, Steps, over_steps, plane, steps_axis

_COLUMNS = 6  # steps in a table
_DIGITS = 4  # in the download


def training_section(found: dict[str, Any]) -> dict[str, Any] | None:
    """What the template shows of document["training"]; None where there is none."""
    given = found.get("training")
    if given is None:
        return None
    steps = steps_axis(given["names"], given["steps"])
    head = next((m["name"] for m in found["measured"] if m["role"] == "head input"), None)
    rows = []
    for i, q in main_quantities(found["instruments"]):
        mine = [s for s in given["series"] if s["instrument"] == i["name"] and s["quantity"] == q["name"]]
        mine = [{**s, "names": given["names"]} for s in mine if any(number(v) is not None for v in s["value"])]
        if mine:
            lines = drawn(mine, head)
            picked = _columns(steps)
            rows.append(
                {
                    "instrument": i["name"], "quantity": q, "first_last": _first_last(lines[0], q, steps),
                    "svg": over_steps(lines, q, steps), "names": [given["names"][k] for k in picked],
                    "table": [_cells(s, picked) for s in mine], "permuted": any(s["permuted_mean"] for s in mine),
                    "left_out": len(mine) - len(lines),
                }
            )  # fmt: skip
    return {
        "rows": rows,
        "steps": len(given["names"]),
        "log": steps.log,
        "planes": [_plane(p, head) for p in given["planes"]],
        "phases": _phases(given["phases"]) if given["phases"] else None,
        "csv": _csv(given, {(r["instrument"], r["quantity"]["name"]) for r in rows}),
    }


def main_quantities(instruments: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Those in the figure by depth; of an instrument that has none there, its first."""
    out = []
    for i in instruments:
        shown = [q for q in i["quantities"] if q["shown"]] or i["quantities"][:1]
        out += [(i, q) for q in shown]
    return out


def drawn(series: Sequence[Mapping[str, Any]], head: str | None) -> list[Mapping[str, Any]]:
    """At most LINES layers, the main one first: what feeds the head, or the last layer before the output."""
    by_depth = sorted(series, key=lambda s: s["depth"])
    inner = [s for s in by_depth if s["layer"] != "output"] or by_depth
    main = next((s for s in by_depth if s["layer"] == head), inner[-1])
    rest = [s for s in by_depth if s is not main]
    if len(rest) > LINES - 1:
        at = {round(k * (len(rest) - 1) / (LINES - 2)) for k in range(LINES - 1)}
        rest = [rest[k] for k in sorted(at)]
    return [main, *rest]


def _columns(steps: Steps) -> list[int]:
    """Checkpoints that a table shows: evenly in their order, the first and the last among them."""
    n = len(steps.order)
    at = {round(k * (n - 1) / (_COLUMNS - 1)) for k in range(_COLUMNS)} if n > _COLUMNS else set(range(n))
    return [steps.order[k] for k in sorted(at)]


def _cells(s: Mapping[str, Any], picked: Sequence[int]) -> dict[str, Any]:
    last = picked[-1]
    return {
        "label": s["label"],
        "values": [short(s["value"][k]) for k in picked],
        "twins": f"{short(s['twin_least'])} to {short(s['twin_most'])}" if s["twins"] else "–",
        "permuted": f"{short(s['permuted_low'][last])} to {short(s['permuted_high'][last])}"
        if s["permuted_mean"]
        else "–",
    }


def _first_last(s: Mapping[str, Any], quantity: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
    """The main layer's number at the first and last step that has one, each with its interval, and its controls."""
    there = [k for k in steps.order if number(s["value"][k]) is not None]

    def at(k: int) -> str:
        low, high = (s[f][k] if s[f] else None for f in ("low", "high"))
        return short(s["value"][k]) + ("" if number(low) is None else f" [{short(low)}, {short(high)}]")

    unit = "" if quantity["unit"] == "1" else f" ({quantity['unit']})"
    return {
        **_cells(s, [there[-1]]),
        "title": quantity["title"] + unit,
        "first": at(there[0]),
        "last": at(there[-1]),
        "names": (s["names"][there[0]], s["names"][there[-1]]),
    }


def _plane(given: Mapping[str, Any], head: str | None) -> dict[str, Any]:
    paths = drawn(given["paths"], head)
    return {
        **given,
        "svg": plane(paths, f"Information plane, {given['title']}"),
        "left_out": len(given["paths"]) - len(paths),
    }


def _phases(given: Mapping[str, Any]) -> dict[str, Any]:
    names = [f"{s:g}" for s in given["steps"]]
    lines = [
        {**p, "label": p["layer"], "depth": k, "value": p["snr"], "names": names, "control": "pure noise", "twins": 0}
        for k, p in enumerate(given["layers"])
    ]
    quantity = {"title": "Signal-to-noise ratio of the gradient", "log": True, "ends": None}
    steps = steps_axis(names, given["steps"])
    return {**given, "svg": over_steps(drawn(lines, None), quantity, steps), "left_out": max(len(lines) - LINES, 0)}


def _csv(given: Mapping[str, Any], main: set[tuple[str, str]]) -> str:
    """A row per quantity and layer, a column per step."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    fields = ("instrument", "quantity", "layer", "control", "twin_mean", "twin_least", "twin_most")
    writer.writerow([*fields, *given["names"]])
    for s in given["series"]:
        if (s["instrument"], s["quantity"]) in main:
            values = [s["twin_mean"], s["twin_least"], s["twin_most"], *s["value"]]
            texts = ["" if number(v) is None else f"{v:.{_DIGITS}g}" for v in values]
            writer.writerow([s[f] for f in fields[:4]] + texts)
    return out.getvalue()
