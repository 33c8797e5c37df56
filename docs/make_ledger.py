"""Write the ledger of a run folder as a page: python docs/make_ledger.py runs/paper docs/ledgers/NAME.md"""

import json
import sys
from pathlib import Path

from deeptheory.report.page import interval, seconds


def page(folder: Path) -> str:
    """The run and its ledger in Markdown, generated and never typed."""
    run = json.loads((folder / "run.json").read_text())
    claims = json.loads((folder / "claims.json").read_text())
    times = ", ".join(f"{k} {seconds(v)}" for k, v in run["times"]["steps"].items())
    machine = run["machine"]
    lines = [
        f"# The ledger of {run['study']} at scale “{run['scale']}”",
        "",
        f"`{run['command']}`: {len(run['seeds'])} networks, protocol “{run['settings']['protocol']}”, on "
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


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(page(Path(sys.argv[1])), encoding="utf-8")
