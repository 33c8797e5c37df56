"""Files that travel inside the page: links that work once the page is mailed alone, with or without scripts."""

import base64
import csv
import gzip
import io
import json
from typing import Any

_PLAIN = 40_000  # bytes; what is larger is packed, and unpacked by the page's script where scripts run


def link(name: str, text: str) -> dict[str, Any]:
    """href and name of a link with the file inside it; packed: whether it is compressed, which its name then says."""
    kind = "text/csv" if name.endswith(".csv") else "application/json"
    data = text.encode()
    if len(data) <= _PLAIN:
        return {"name": name, "packed": False, "href": f"data:{kind};base64,{base64.b64encode(data).decode()}"}
    return packed(name, data)


def packed(name: str, data: bytes) -> dict[str, Any]:
    """The same, always compressed."""
    return {"name": f"{name}.gz", "packed": True, "href": f"data:application/gzip;base64,{pack(data)}"}


def pack(data: bytes) -> str:
    """gzip in base64; the same data gives the same text."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def as_csv(rows: list[dict[str, Any]]) -> str:
    """Rows of claims.json as a table; nothing where there are none."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def rounded(table: str, digits: int = 6) -> str:
    """A CSV with its numbers to that many digits that count; what is no number, or has no fraction, stays."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in csv.reader(io.StringIO(table)):
        writer.writerow([_short(cell, digits) for cell in row])
    return out.getvalue()


def _short(cell: str, digits: int) -> str:
    if len(cell) <= digits + 1 or "." not in cell:
        return cell
    try:
        return f"{float(cell):.{digits}g}"
    except ValueError:
        return cell


def as_json(value: Any) -> str:
    """As it lies in the run folder."""
    return json.dumps(value, indent=1, ensure_ascii=False)
