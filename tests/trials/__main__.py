"""`make trials SCIENCE=axis`: the full rows of one science, resumable by row, and their table for the docs.

`python -m trials axis --finished` writes the table of the rows that have been run, and says how many have not.
"""

import subprocess
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

from trials.frame import run_full

ROOT = Path(__file__).resolve().parents[2]


def main(science: str, run: bool = True) -> int:
    rows = [r for r in import_module(f"trials.test_{science}").ROWS if r.full]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()
    found = run_full(science, rows, ROOT / "runs" / "trials" / science, commit, run)
    commits = ", ".join(sorted({f["commit"] for f in found}))
    broken = sum(not f["held"] for f in found)
    lines = [
        f"# Trials: {science}",
        "",
        f"{len(found)} of {len(rows)} rows at full size, {broken} did not hold; {date.today().isoformat()}, "
        f"at {commits}.",
        f"Made by `make trials SCIENCE={science}`.",
        "",
        "| number | trial | case | draws | measured | needed | held |",
        "|---|---|---|---|---|---|---|",
    ]
    for f in found:
        cells = (
            f["number"],
            f["trial"],
            f["case"],
            f["draws"],
            f["measured"],
            f["needed"],
            "yes" if f["held"] else "**no**",
        )
        lines.append("| " + " | ".join(str(c).replace("|", "\\|").replace("\n", " ") for c in cells) + " |")
    target = ROOT / "docs" / "trials"
    target.mkdir(exist_ok=True)
    (target / f"{science}.md").write_text("\n".join(lines) + "\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], run="--finished" not in sys.argv[2:]))
