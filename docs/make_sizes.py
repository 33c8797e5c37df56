"""How measured values move with the size of the networks: python docs/make_sizes.py PAGE RUN RUN [RUN ...]

Runs of one study that differ in one setting stand beside each other, smallest first; each is a run folder, or a folder
of docs/ledgers/runs.
"""

import json
import sys
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.statistics import spearman
from deeptheory.report.page import interval

_HEAD = """# How the numbers move with size

The networks here are smaller than the papers'. So that nobody has to guess what that does, the same claims were
measured at three sizes: `--set width=W` makes every layer W times as wide as at the quick scale. All else, seeds too,
is as at the quick scale; of the further sizes only the steps that the claims need were run. *Ends apart*: the 95 %
intervals at the smallest and the largest size do not overlap, and the direction in which the value moves. Three sizes
show a direction and no law, and say nothing certain of the paper's own size. Claims that were not measured at all
three sizes are left out, and so are those whose value is the same at each.
"""


def read(folder: Path) -> dict[str, Any]:
    """The record of a run, with its claims."""
    run = json.loads((folder / "run.json").read_text())
    return run | {"claims": {c["id"]: c for c in json.loads((folder / "claims.json").read_text())}}


def differing(runs: list[dict]) -> str:
    """The one setting in which the runs differ; an older run that does not name it has it at 1."""
    names = {k for r in runs for k in r["settings"]}
    found = [k for k in names if len({json.dumps(float_or(r["settings"][k])) for r in runs if k in r["settings"]}) > 1]
    if len(found) != 1:
        said = ", ".join(sorted(found)) or "nothing"
        raise InputError(f"{runs[0]['study']}: the runs differ in {said}; one is needed")
    return found[0]


def float_or(value: Any) -> Any:
    """Numbers alike, whatever their type."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def moved(claims: list[dict]) -> str:
    """Whether the intervals of the ends are apart, and the direction."""
    ends = claims[0], claims[-1]
    if any(c["low"] is None or c["high"] is None for c in ends):
        return "no interval"
    (low, high) = ends
    if low["low"] == low["high"] or high["low"] == high["high"]:
        return "no interval"
    if high["low"] > low["high"]:
        return "up"
    return "down" if high["high"] < low["low"] else "not apart"


def part(study: str, runs: list[dict]) -> str:
    """A study's section."""
    name = differing(runs)
    size = lambda r: float_or(r["settings"].get(name, 1))  # noqa: E731
    runs = sorted(runs, key=size)
    shared = [k for k in runs[0]["claims"] if all(r["claims"].get(k, {}).get("measured") is not None for r in runs)]
    values = {k: [r["claims"][k] for r in runs] for k in shared}
    values = {k: v for k, v in values.items() if len({c["measured"] for c in v}) > 1}
    heads = [f"{name} = {size(r):g}" for r in runs]
    lines = [
        f"## {study}",
        "",
        *(f"- {h}: `{r['command']}`" for h, r in zip(heads, runs, strict=True)),
        "",
        f"| claim | region | {' | '.join(heads)} | unit | ends apart | what |",
        f"|---|---|{'---|' * len(runs)}---|---|---|",
    ]
    for k, v in values.items():
        c = v[-1]
        cells = [
            f"`{k}`",
            c["region"],
            *map(interval, v),
            "" if c["unit"] == "1" else c["unit"],
            moved(v),
            c["quantity"],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    counts = [moved(v) for v in values.values()]
    ranked = [abs(spearman(range(len(v)), [c["measured"] for c in v])) == 1 for v in values.values()]
    lines += [
        "",
        f"{len(values)} values: {counts.count('up')} up, {counts.count('down')} down, {counts.count('not apart')} not "
        f"apart, {counts.count('no interval')} without an interval; {sum(ranked)} move in one direction over the sizes "
        "(of values that owe nothing to size a third would).",
    ]
    return "\n".join(lines) + "\n"


def page(folders: list[Path]) -> str:
    """All studies' sections, in the order in which they are given."""
    runs = [read(f) for f in folders]
    studies = list(dict.fromkeys(r["study"] for r in runs))
    return "\n".join([_HEAD, *(part(s, [r for r in runs if r["study"] == s]) for s in studies)])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page([Path(p) for p in sys.argv[2:]]), encoding="utf-8")
