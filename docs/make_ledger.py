"""Write the ledgers of runs as a page: python docs/make_ledger.py docs/ledgers/NAME.md RUN [RUN ...]"""

import json
import sys
from pathlib import Path

from deeptheory.report.page import interval, seconds


def part(folder: Path) -> str:
    """A run and its ledger in Markdown, generated and never typed."""
    run = json.loads((folder / "run.json").read_text())
    claims = json.loads((folder / "claims.json").read_text())
    times = ", ".join(f"{k} {seconds(v)}" for k, v in run["times"]["steps"].items())
    machine = run["machine"]
    lines = [
        f"## Scale “{run['scale']}”, protocol “{run['settings']['protocol']}”",
        "",
        f"`{run['command']}`: {len(run['seeds'])} independent seeds, on "
        f"{machine['processor']}, {machine['cores']} cores; time in steps, summed over workers: {times}.",
        "",
        "| verdict | claim | measured [95 %] | unit | region | what |",
        "|---|---|---|---|---|---|",
    ]
    for c in claims:
        unit = "" if c["unit"] == "1" else c["unit"]
        what = c["note"] if c["measured"] is None else c["quantity"]
        lines.append(f"| {c['verdict']} | `{c['id']}` | {interval(c)} | {unit} | {c['region']} | {what} |")
    return "\n".join(lines) + "\n"


def page(folders: list[Path]) -> str:
    """Ledgers one below the other."""
    study = json.loads((folders[0] / "run.json").read_text())["study"]
    return f"# The ledgers of {study}\n\n" + "\n".join(part(f) for f in folders)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page([Path(a) for a in sys.argv[2:]]), encoding="utf-8")
