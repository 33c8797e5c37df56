"""Write what `deeptheory bench --json` measured as a page: python docs/make_speed.py bench.json docs/speed.md

A document of one benchmark (--only NAME) replaces that benchmark's section and leaves the others.
"""

import json
import re
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


if __name__ == "__main__":
    to = Path(sys.argv[2])
    to.write_text(page(json.loads(Path(sys.argv[1]).read_text()), to.read_text() if to.exists() else ""), "utf-8")
