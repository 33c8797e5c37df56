"""The page of an inspection: one HTML file from inspection.json, without a script, with its numbers inside as
downloads.
"""

import base64
import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

from deeptheory import __version__
from deeptheory.core.errors import StoreError
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.storage import read_json, write_text
from deeptheory.report.assets import NAME, asset, hash_of, seconds
from deeptheory.report.depth_chart import chart
from deeptheory.report.svg import short
from deeptheory.report.training import training_section

FILE = "inspection.json"
SCHEMA = 2
_PLAIN = 200_000  # bytes up to which a download is not compressed
_CSV = (
    "instrument", "checkpoint", "layer", "depth", "quantity", "value", "low", "high", "unit", "twin_mean", "twin_least",
    "twin_most", "twins",
    "permuted_mean", "permuted_low", "permuted_high", "permutations", "note",
)  # fmt: skip


def write_inspection_page(folder: str | Path | RemotePath) -> Folder:
    """Write report.html from inspection.json in the folder; the same file gives the same bytes.

    StoreError: the folder holds no inspection, of another form, or the disk is full.
    """
    folder = place(folder)
    found = read_inspection(folder)
    try:
        text = _render(found)
    except (KeyError, TypeError, AttributeError) as error:
        raise StoreError(
            f"{folder.name} has an {FILE} of another form ({type(error).__name__}: {error}); inspect the model again"
        ) from error
    write_text(folder / NAME, text)
    return folder / NAME


def read_inspection(folder: Folder) -> dict[str, Any]:
    """The document of an inspection. StoreError: the folder holds none, or one of another form."""
    found = read_json(folder / FILE, "inspection")
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        seen = found.get("schema") if isinstance(found, dict) else type(found).__name__
        raise StoreError(f"{FILE} has schema {seen}, this version reads {SCHEMA}; inspect the model again")
    return found


def _render(found: dict[str, Any]) -> str:
    from jinja2 import Environment, StrictUndefined

    style = asset("page.css") + asset("inspection.css")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"seconds": seconds, "short": short, "bytes": _bytes, "count": lambda v: f"{v:,}"}
    policy = f"default-src 'none'; style-src {hash_of(style)}; img-src data:; base-uri 'none'; form-action 'none'"
    figures, training = _by_depth(found), training_section(found)
    return environment.from_string(asset("inspection.html.j2")).render(
        found=found,
        facts=found["facts"],
        several=len(found["checkpoints"]) > 1,
        by_depth=figures,
        sections=[_section(i, found) for i in found["instruments"]],
        policy=policy,
        style=style,
        version=__version__,
        training=training,
        downloads=_downloads(found, training),
        limits=_limits(found),
    )


def axis_of(rows: list[dict[str, Any]]) -> list[str]:
    """The layers that rows are of, without their parts, in the order of the forward pass."""
    depth: dict[str, int] = {}
    for r in rows:
        if r["layer"]:
            depth[r["base"]] = min(r["depth"], depth.get(r["base"], r["depth"]))
    return sorted(depth, key=lambda name: depth[name])


def labels_of(rows: list[dict[str, Any]]) -> dict[str, str]:
    """For each layer without its part, the name for people."""
    out: dict[str, str] = {}
    for r in rows:
        if r["layer"]:
            end = r["layer"].removeprefix(r["base"])
            out.setdefault(r["base"], r["label"].removesuffix(end) if end else r["label"])
    return out


def _by_depth(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of the main figure; all over the same layers, so that they stand below each other."""
    rows = [(i, q) for i in found["instruments"] for q in i["quantities"] if q["shown"]]
    axis = axis_of([r for i in found["instruments"] for r in i["rows"]])
    out = []
    for i, q in rows:
        mine = [r for r in i["rows"] if r["quantity"] == q["name"]]
        out.append({"instrument": i["name"], "quantity": q, "source": i["source"], "mine": mine})
    drawn = [o for o in out if any(r["layer"] and isinstance(r["value"], int | float) for r in o["mine"])]
    labels = labels_of([r for i in found["instruments"] for r in i["rows"]])
    for k, o in enumerate(drawn):
        o["svg"] = chart(
            o["mine"], o["quantity"], axis, found["checkpoints"], names=labels if k == len(drawn) - 1 else None
        )
        o["twins"] = any(r["twins"] for r in o["mine"])
        o["permuted"] = any(r["permutations"] for r in o["mine"])
    return drawn


def _section(instrument: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    quantities = []
    for q in instrument["quantities"]:
        rows = [r for r in instrument["rows"] if r["quantity"] == q["name"]]
        if not rows:
            continue
        axis = axis_of(rows)
        drawn = not q["shown"] and len(axis) > 1 and _varies(rows)
        svg = chart(rows, q, axis, found["checkpoints"], names=labels_of(rows)) if drawn else ""
        still = "" if _varies(rows) or not axis else short(rows[0]["value"])
        quantities.append(
            {
                **q,
                "rows": rows,
                "svg": svg,
                "still": still,
                "twins": any(r["twins"] for r in rows),
                "permuted": any(r["permutations"] for r in rows),
                "notes": any(r["note"] for r in rows),
            }
        )
    return {**instrument, "measured": quantities}


def _varies(rows: list[dict[str, Any]]) -> bool:
    values = {r[k] for r in rows for k in ("value", "twin_least", "twin_most") if isinstance(r[k], int | float)}
    return len(values) > 1


def _limits(found: dict[str, Any]) -> list[tuple[str, str]]:
    """(whose, what): what no page of this kind says, then each instrument's own."""
    return [("", text) for text in found["cannot"]] + [
        (i["title"], text) for i in found["instruments"] for text in i["limits"]
    ]


def _csv(found: dict[str, Any]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for i in found["instruments"]:
        writer.writerows({"instrument": i["name"], **r} for r in i["rows"])
    return out.getvalue()


def _downloads(found: dict[str, Any], training: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """(file, what it is, link), each within the page."""
    rest = {k: v for k, v in found.items() if k != "training"} if training and training["rows"] else found
    document = json.dumps(rest, ensure_ascii=False, separators=(",", ":"))
    out = [
        ("inspection.json", "JSON", "application/json", document),
        ("inspection.csv", "CSV", "text/csv", _csv(found)),
    ]
    if training and training["rows"]:
        out.append(("training.csv", "main numbers by step (CSV)", "text/csv", training["csv"]))
    return [_link(*given) for given in out]


def _link(name: str, title: str, kind: str, text: str) -> tuple[str, str, str]:
    data = text.encode()
    if len(data) > _PLAIN:
        name, title, kind, data = f"{name}.gz", f"{title}, gzip", "application/gzip", gzip.compress(data, 9, mtime=0)
    return name, title, f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _bytes(n: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.3g} {unit}"
        n /= 1000
    return ""
