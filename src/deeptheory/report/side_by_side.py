"""Two to four inspections on one page: a column per model over its own layers, on the same axes, next to its controls.

Pitfall: intervals are over the samples of a probe, for these networks only. That two of them lie apart says that these
networks differ on this probe, not that their architectures or ways of training do.
"""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from deeptheory import __version__
from deeptheory.core.errors import InputError
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.storage import write_text
from deeptheory.report.assets import NAME, asset, hash_of, seconds
from deeptheory.report.depth_chart import chart, numbers_in
from deeptheory.report.inspection import axis_of, labels_of, read_inspection
from deeptheory.report.svg import number, short
from deeptheory.report.training import drawn, main_quantities

MOST = 4
_SAME = (
    ("checksum", "probe"), ("n", "number of samples"), ("split", "split"), ("targets", "targets"), ("dtype", "dtype"),
    ("twins", "number of twins"), ("control", "kind of twin"), ("permutations", "number of permutations"),
)  # fmt: skip


def write_side_by_side(runs: Sequence[str | Path | RemotePath], out: str | Path | RemotePath) -> Folder:
    """report.html in the folder `out`, from the inspection.json of each folder in `runs`; its path.

    InputError: fewer than two runs, or more than four. StoreError: one holds no inspection, or the disk is full.
    """
    folders = [place(r) for r in runs]
    if not 2 <= len(folders) <= MOST:
        raise InputError(
            f"{len(folders)} inspection{'s were' if len(folders) != 1 else ' was'} given; needed: 2 to {MOST}"
        )
    found = [read_inspection(f) for f in folders]
    write_text(place(out) / NAME, _render(found, _names([f["title"] for f in found], folders)))
    return place(out) / NAME


def _render(found: list[dict[str, Any]], names: list[str]) -> str:
    from jinja2 import Environment, StrictUndefined

    style = asset("page.css") + asset("inspection.css")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"seconds": seconds, "count": lambda v: f"{v:,}"}
    rows = [_row(found, i, q) for i, q in _quantities(found)]
    return environment.from_string(asset("side_by_side.html.j2")).render(
        found=list(zip(names, found)),
        names=names,
        differ=_differ(found, names),
        rows=[r for r in rows if any(c["svg"] for c in r["columns"])],
        table=[r for r in rows if any(c["number"] for c in r["columns"])],
        cannot=list(dict.fromkeys(text for f in found for text in f["cannot"])),
        policy=f"default-src 'none'; style-src {hash_of(style)}; base-uri 'none'; form-action 'none'",
        style=style,
        version=__version__,
    )


def _names(titles: list[str], folders: list[Folder]) -> list[str]:
    """A name for each column: its title, with the folder where two have the same."""
    return [t if titles.count(t) == 1 else f"{t} ({f.name})" for t, f in zip(titles, folders)]


def _quantities(found: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """(instrument, quantity) of the main numbers of any of them, in the order of the page."""
    out: dict[tuple[str, str], dict[str, Any]] = {}
    for f in found:
        for i, q in main_quantities(f["instruments"]):
            out.setdefault((i["name"], q["name"]), q)
    return [(instrument, q) for (instrument, _), q in out.items()]


def _row(found: list[dict[str, Any]], instrument: str, quantity: dict[str, Any]) -> dict[str, Any]:
    mine = [_rows_of(f, instrument, quantity["name"]) for f in found]
    everything = [v for rows in mine for v in numbers_in(rows)]
    columns = []
    for f, rows in zip(found, mine):
        described = [r for r in rows if r["checkpoint"] == f["checkpoints"][-1]]
        given = {**quantity, "chance": _chance(f, instrument, quantity["name"])}
        axis = axis_of(described)
        svg = chart(described, given, axis, f["checkpoints"][-1:], labels_of(described), everything) if axis else ""
        columns.append({"svg": svg, "number": _number(described, f), "why": f["refused"].get(instrument, "")})
    there = [c["number"] for c in columns if c["number"]]
    return {
        "instrument": instrument,
        "quantity": quantity,
        "columns": columns,
        "apart": _apart(there) if len(there) == len(columns) else "",
    }


def _chance(found: dict[str, Any], instrument: str, quantity: str) -> float | None:
    """The value without any relation, of this probe."""
    quantities = [q for i in found["instruments"] if i["name"] == instrument for q in i["quantities"]]
    return next((q["chance"] for q in quantities if q["name"] == quantity), None)


def _rows_of(found: dict[str, Any], instrument: str, quantity: str) -> list[dict[str, Any]]:
    return [r for i in found["instruments"] if i["name"] == instrument for r in i["rows"] if r["quantity"] == quantity]


def _number(rows: list[dict[str, Any]], found: dict[str, Any]) -> dict[str, Any] | None:
    """The number at the layer that feeds the head, or the last before the output, with interval and controls."""
    there = [r for r in rows if number(r["value"]) is not None]
    if not there:
        return None
    head = next((m["name"] for m in found["measured"] if m["role"] == "head input"), None)
    r = drawn(there, head)[0]
    low, high = number(r["low"]), number(r["high"])
    null = f"permuted labels {short(r['permuted_low'])} to {short(r['permuted_high'])}" if r["permutations"] else ""
    return {
        "layer": r["label"],
        "value": short(r["value"]) + ("" if low is None or high is None else f" [{short(low)}, {short(high)}]"),
        "twins": f"{r['control']} {short(r['twin_least'])} to {short(r['twin_most'])}" if r["twins"] else "no twins",
        "permuted": null,
        "ends": None if low is None or high is None else (low, high),
    }


def _apart(numbers: list[dict[str, Any]]) -> str:
    """Whether the intervals of all lie apart from each other; "" where one has none."""
    ends = [n["ends"] for n in numbers]
    if any(e is None for e in ends):
        return "no interval"
    return "apart" if all(a[1] < b[0] for a, b in pairwise(sorted(ends))) else "overlap"


def _differ(found: list[dict[str, Any]], names: list[str]) -> list[str]:
    """What about the runs differs, beside the model: numbers on other inputs cannot be compared."""
    out = []
    for key, said in _SAME:
        values = [f["facts"].get(key) for f in found]
        if len(set(map(str, values))) > 1:
            out.append(f"The {said} differs: " + ", ".join(f"{v} ({n})" for v, n in zip(values, names)))
    if any(line.startswith(("The probe", "The split")) for line in out):
        out.append(
            "Numbers on other inputs are not comparable, whatever their intervals; inspect both on the same probe."
        )
    return out
