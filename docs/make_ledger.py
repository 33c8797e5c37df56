"""Write the ledgers of runs as a page: python docs/make_ledger.py docs/ledgers/NAME.md RUN [RUN ...]

With --beside before the name: what the runs of several studies say to the same questions.
"""

import json
import sys
from pathlib import Path

from deeptheory.core.verdicts import counted, headline
from deeptheory.report.page import interval, number, seconds


def part(folder: Path) -> str:
    """A run and its ledger in Markdown, generated and never typed."""
    run = json.loads((folder / "run.json").read_text())
    claims = json.loads((folder / "claims.json").read_text())
    times = ", ".join(f"{k} {seconds(v)}" for k, v in run["times"]["steps"].items())
    machine = run["machine"]
    lines = [
        f"## Scale “{run['scale']}”, protocol “{run['settings']['protocol']}”",
        "",
        f"`{run['command']}`: {_how_many(run)}, on "
        f"{machine['processor']}, {machine['cores']} core{'s' * (machine['cores'] != 1)}; time in steps, summed over "
        f"workers: {times}.",
        "",
        *(f"- {setting}: {', '.join(counted(n, v) for n, v in counts)}" for setting, counts in headline(claims)),
        "",
        "p: the smallest level at which the interval decides; * where the verdict holds for all claims of "
        "the study together (Holm).",
        "",
        "| verdict | setting | claim | measured [95 %] | unit | region | n | p | what |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for c in claims:
        unit = "" if c["unit"] == "1" else c["unit"]
        p = "" if c["p"] is None else number(c["p"]) + (" *" if c["study_wise"] else "")
        n = "" if c["seeds"] is None else str(c["seeds"])
        cells = (c["verdict"], c["setting"], f"`{c['id']}`", interval(c), unit, c["region"], n, p, what(c))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _how_many(run: dict) -> str:
    """Of a run of single steps the record's seeds say nothing; n of each claim does."""
    if run["times"]["finished"] is None:
        names = list(run["times"]["steps"])
        return f"step{'s' * (len(names) > 1)} {', '.join(names)} alone, networks as column n says"
    return f"{len(run['seeds'])} independent networks or draws"


def what(c: dict) -> str:
    """Why it was not run, or what was measured and what the note says beyond how the interval was made."""
    return c["note"] if c["measured"] is None else "; ".join([c["quantity"], *c["note"].split("; ", 1)[1:]])


def page(folders: list[Path]) -> str:
    """Ledgers one below the other."""
    study = json.loads((folders[0] / "run.json").read_text())["study"]
    return f"# The ledgers of {study}\n\n" + "\n".join(part(f) for f in folders)


def beside(folders: list[Path]) -> str:
    """Claims of several studies under the question that they answer; what no run here knows is left out."""
    from deeptheory.studies.comparisons import QUESTIONS

    known = {}
    for folder in folders:
        run, claims = (json.loads((folder / name).read_text()) for name in ("run.json", "claims.json"))
        known[run["study"]] = (run, {c["id"]: c for c in claims})
    lines = ["# Both sides, claim by claim", ""]
    lines += [f"`{run['command']}`: scale “{run['scale']}”.\n" for run, _ in known.values()]
    for question in QUESTIONS:
        lines += [
            f"## {question.text}",
            "",
            "| study | verdict | claim | measured [95 %] | region | what |",
            "|---|---|---|---|---|---|",
        ]
        for study, name in question.answers:
            c = known.get(study, ({}, {}))[1].get(name)
            if c:
                unit = "" if c["unit"] == "1" or c["measured"] is None else f" {c['unit']}"
                row = [
                    study,
                    c["verdict"],
                    f"`{name}`",
                    f"{interval(c)}{unit}",
                    c["region"],
                    f"{c['statement']} {what(c)}",
                ]
                lines.append(f"| {' | '.join(row)} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    given = sys.argv[1:]
    make = beside if given[0] == "--beside" else page
    name, *runs = given[1:] if make is beside else given
    Path(name).write_text(make([Path(r) for r in runs]), encoding="utf-8")
