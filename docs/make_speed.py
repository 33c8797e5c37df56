"""Write what `deeptheory bench --json` measured as a page: python docs/make_speed.py bench.json docs/speed.md

A document of one benchmark (--only NAME) replaces that benchmark's section and leaves the others.
python docs/make_speed.py --since v0.1.0 docs/speed_moved.md: which figures of docs/speed.md moved since that commit.
"""

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = """# Speed

Measured by `make bench`: one thread for both sides, rounds interleaved; medians, and of the ratio the least and largest
round. Where both sides compute the same thing, the largest difference stands beside it. Numbers of another machine
differ; the ratios less so.
"""
TABLE = """| what | ours | the other | its time | ratio | agree to | |
|---|---|---|---|---|---|---|
"""


def section(name: str, rows: list[dict], machine: dict) -> str:
    """One benchmark in Markdown: what it is, its rows, how it is done; the words are the module's docstring."""
    title, _, words = (import_module(f"benchmarks.{name}").__doc__ or "").strip().partition("\n")
    lines = []
    for r in rows:
        agree = "" if r["error"] is None else f"{r['error']:.0e} {r['error_of']}"
        ratio = f"{r['ratio']:.3g}"
        if r["least"] != r["largest"]:
            ratio += f" [{r['least']:.3g}, {r['largest']:.3g}]"
        lines.append(
            f"| {r['name']} | {r['ours_ms']:.2f} ms | {r['theirs']} | {r['theirs_ms']:.2f} ms | {ratio} | "
            f"{agree} | {r['note']} |"
        )
    where = f"`deeptheory bench --only {name}`, {machine['processor']}, {machine['cores']} cores.\n"
    return f"## {name}\n\n{title}\n{words}\n\n{where}\n{TABLE}" + "\n".join(lines) + "\n"


def page(measured: dict, old: str = "") -> str:
    """The page with the sections that were measured now, in the benchmarks' order, and the others as they stood."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.__main__ import BENCHMARKS

    sections = {s.split()[1]: s.rstrip() + "\n" for s in re.split(r"(?m)^(?=## )", old)[1:]}
    for name in dict.fromkeys(r["benchmark"] for r in measured["rows"]):
        rows = [r for r in measured["rows"] if r["benchmark"] == name]
        sections[name] = section(name, rows, measured["machine"])
    return HEAD + "".join("\n" + sections[name] for name in BENCHMARKS if name in sections)


Figures = dict[tuple[str, str, str], tuple[float, float, float]]


def figures(text: str) -> Figures:
    """{(benchmark, what, the other): (ratio, least, largest)} of a page, its units left out of the names."""
    out: Figures = {}
    for part in re.split(r"(?m)^## ", text)[1:]:
        for line in part.splitlines():
            cells = [c.strip() for c in line.split(" | ")]
            at = next((k for k, c in enumerate(cells) if re.fullmatch(r"[\d.e+-]+ ms", c)), None)
            if at is None or len(cells) < at + 4:
                continue
            said = [float(v) for v in re.findall(r"\d[\d.e+-]*", cells[at + 3])]
            what = " | ".join(cells[:at]).lstrip("| ")
            out[part.split()[0], what, cells[at + 1]] = (said[0], said[-2] if len(said) > 2 else said[0], said[-1])
    return out


def moved(old: Figures, new: Figures, since: str) -> str:
    """A page: ratios whose ranges over the rounds no longer touch, and rows that are new."""
    lines = [
        "# Speed figures that moved", "",
        f"[Measured ratios](speed.md) against those at `{since}`: a figure moved where the ranges over its rounds do",
        "not touch. A row of one round moved where it is off by more than a tenth. Another machine moves them too. By",
        f"`python docs/make_speed.py --since {since} docs/speed_moved.md`.", "",
        "| benchmark | what | the other | ratio then | ratio now |", "|---|---|---|---|---|",
    ]  # fmt: skip
    same = 0
    for key in (k for k in new if k in old):
        (was, low, high), (now, least, largest) = old[key], new[key]
        apart = abs(now / was - 1) > 0.1 if low == high or least == largest else least > high or largest < low
        same += not apart
        if apart:
            lines.append(
                f"| {' | '.join(key)} | {was:.3g} [{low:.3g}, {high:.3g}] | {now:.3g} [{least:.3g}, {largest:.3g}] |"
            )
    fresh, gone = [k for k in new if k not in old], [k for k in old if k not in new]
    lines += ["", f"{same} figures did not move, {len(fresh)} are new, {len(gone)} are gone or have another name."]
    if fresh:
        lines += ["", "## New", "", *(f"- {name}: {what}, against {other}" for name, what, other in fresh)]
    return "\n".join(lines) + "\n"


def since(commit: str, to: Path) -> None:
    then = subprocess.run(
        ["git", "show", f"{commit}:docs/speed.md"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    to.write_text(moved(figures(then), figures((ROOT / "docs" / "speed.md").read_text()), commit), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "--since":
        since(sys.argv[2], Path(sys.argv[3]))
        sys.exit()
    to = Path(sys.argv[2])
    to.write_text(page(json.loads(Path(sys.argv[1]).read_text()), to.read_text() if to.exists() else ""), "utf-8")
