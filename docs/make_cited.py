"""What the stored ledgers say, into sentences of the pages: python docs/make_cited.py

A sentence cites a run of docs/ledgers/runs between two comments, `<!-- ledger RUN: WHAT -->...<!-- /ledger -->`, and
what lies between them is written here. WHAT is the id of a claim (its value and interval, without unit), `verdict of
ID`, `last note of ID`, `verdicts` (counted, of all claims), `networks`, `time`, or `setting NAME`. A comment must not
open a line: Markdown would take the whole line for HTML.
"""

import json
import re
from collections import Counter
from pathlib import Path

from deeptheory.core.verdicts import VERDICTS, counted
from deeptheory.report.page import interval, seconds

DOCS = Path(__file__).parent
CITED = re.compile(r"(<!-- ledger ([\w.-]+): ([^>]+?) -->)(.*?)(<!-- /ledger -->)", re.S)


def said(run: str, what: str) -> str:
    """What a stored run says."""
    folder = DOCS / "ledgers" / "runs" / run
    if not folder.is_dir():
        raise SystemExit(f"docs/ledgers/runs has no {run}")
    record, claims = (json.loads((folder / f"{n}.json").read_text(encoding="utf-8")) for n in ("run", "claims"))
    by_id = {c["id"]: c for c in claims}
    of = what.rpartition(" of ")[2]
    if what == "verdicts":
        found = Counter(c["verdict"] for c in claims)
        return ", ".join(counted(found[v], v) for v in VERDICTS if found[v])
    if what == "networks":
        return str(len(record["seeds"]))
    if what == "time":
        return seconds(sum(record["times"]["steps"].values()))
    if what.startswith("setting "):
        value = record["settings"][what.removeprefix("setting ")]
        return f"{value:,}" if isinstance(value, int) else str(value)  # 2000 as "2,000"
    if of not in by_id:
        raise SystemExit(f"{run} has no claim {of!r}")
    claim = by_id[of]
    if what.startswith("verdict of "):
        return claim["verdict"]
    if what.startswith("last note of "):
        return claim["note"].rpartition("; ")[2]
    return interval(claim)


def filled(page: Path) -> str:
    """A page with what the ledgers say between its comments."""
    text = page.read_text(encoding="utf-8")
    if text.count("<!-- ledger ") != len(CITED.findall(text)):
        raise SystemExit(f"{page.name}: a comment is not closed, or its words are none of those that are known")
    if re.search(r"^[ >*-]*<!-- /?ledger", text, re.M):
        raise SystemExit(f"{page.name}: a comment opens a line")
    return CITED.sub(lambda m: m[1] + said(m[2], m[3]) + m[5], text)


def pages() -> list[Path]:
    """The pages that cite a ledger in a sentence."""
    found = [*sorted(DOCS.glob("*.md")), *sorted((DOCS / "theory").glob("*.md"))]
    return [p for p in found if "<!-- ledger " in p.read_text(encoding="utf-8")]


def main() -> None:
    for page in pages():
        page.write_text(filled(page), encoding="utf-8")


if __name__ == "__main__":
    main()
