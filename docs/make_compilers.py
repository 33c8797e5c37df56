"""Write what `python -m benchmarks.compilers` measured as a table: python docs/make_compilers.py compilers.json
docs/compile.md

The table stands between two marks in the page; the rest of the page is left as it is.
"""

import json
import math
import statistics
import sys
from pathlib import Path

START, END = "<!-- compilers -->", "<!-- /compilers -->"
HEAD = """| formula | ours: neurons | layers | worst error | certified | build | run | kanpiler: right? | worst error | parameters | build | run | sympytorch: run | PolyBake: worst error | bound | trained, as many neurons | intervals |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
"""  # noqa: E501  # lines of the page
WRONG = 0.01  # of the largest value


def row(m: dict) -> str:
    """One formula; errors in parts of the largest value met."""
    size, ours = m["size"], m["ours"]

    def part(value: float | None) -> str:
        return "" if value is None or not math.isfinite(value) else f"{value / size:.0e}".replace("e-0", "e-")

    def ms(seconds: float | None) -> str:
        return "" if seconds is None else f"{1000 * seconds:.{0 if seconds > 0.01 else 2}f} ms"

    cells = [m["label"].removeprefix("Feynman ")]
    if ours["refused"]:
        cells += ["refused", "", "", "", "", ""]
    else:
        cells += [
            str(ours["neurons"]),
            str(ours["depth"]),
            part(ours["error"]),
            part(ours["certified"]),
            ms(ours["build"]),
            ms(ours["run"]),
        ]
    kan = m.get("kan", {"failed": " "})
    if kan["failed"]:
        cells += ["failed" * bool(kan["failed"].strip()), "", "", "", ""]
    else:
        right = "**no**" if kan["error"] > WRONG * size else "yes"
        cells += [right, part(kan["error"]), str(kan["size"]), ms(kan["build"]), ms(kan["run"])]
    other = m.get("sympytorch", {"failed": " "})
    cells += ["failed" * bool(other["failed"].strip()) or ms(other.get("run"))]
    bake = m.get("polybake", {"failed": " "})
    if bake["failed"]:
        cells += ["refused" * bool(bake["failed"].strip()), ""]
    else:
        cells += [part(bake["error"]), part(bake["bound"]) if bake["bound"] else "exact"]
    cells += [part(m.get("trained", {}).get("error")), "" if m.get("intervals") is None else f"{m['intervals']:.0e}"]
    return f"| {' | '.join(cells)} |"


def words(measured: dict) -> str:
    """The sentences above the table, from the same numbers."""
    formulas, machine = measured["formulas"], measured["machine"]
    feynman = [m for m in formulas if m["label"].startswith("Feynman")]
    made = [m for m in formulas if not m["ours"]["refused"]]
    kan = [m for m in formulas if "kan" in m and not m["kan"]["failed"]]
    right = [m for m in kan if m["kan"]["error"] <= WRONG * m["size"]]
    both = [m for m in right if not m["ours"]["refused"]]
    bake = [m for m in formulas if "polybake" in m and not m["polybake"]["failed"]]
    held = sum(m["ours"]["error"] <= m["ours"]["certified"] for m in made)

    def ratio(of: list[dict], a: str, key: str) -> str:
        got = sorted(m[a][key] / m["ours"][key] for m in of if a in m and not m[a]["failed"])
        return f"{statistics.median(got):.2g} [{got[0]:.2g}, {got[-1]:.2g}]" if got else "not measured"

    lines = [
        f"`python -m benchmarks.compilers`, {machine['processor']}, {machine['cores']} cores, busy with "
        f"other work: {len(feynman)} Feynman equations on the "
        "database's own intervals and three formulas of pykan's issues. Errors are in parts of the largest "
        "value met on 2,000 rows; "
        "ours is asked for 1e-3. One thread; each formula is built and run by all sides in turn.",
        "",
        f"- **Ours** compiled {len(made)} of {len(formulas)}; {held} of {len(made)} worst errors lie "
        "within the certificate.",
        f"- **pykan's kanpiler** is right on {len(right)} of {len(formulas)}: off by more than 1 % on "
        f"{len(kan) - len(right)}, failed on "
        f"{sum('kan' in m and bool(m['kan']['failed']) for m in formulas)}. Where both are right its time "
        f"to run over ours is {ratio(both, 'kan', 'run')} "
        f"(median, least, largest), to build {ratio(both, 'kan', 'build')}. It has no bound, and keeps "
        "products and functions as primitives, "
        "so that it is exact to float32 where it is right.",
        "- **sympytorch** runs the formula's own operations: its time to run over ours is "
        f"{ratio(made, 'sympytorch', 'run')}.",
        f"- **PolyBake** compiled {len(bake)} of {len(formulas)}; "
        f"{sum(m['polybake']['error'] <= m['polybake']['bound'] for m in bake if m['polybake']['bound'])} of "
        f"{sum(bool(m['polybake']['bound']) for m in bake)} worst errors lie within its bound, the others "
        "it calls exact (float32 rounding left out). It keeps products, "
        "and quotients of numbers, as primitives; its time to run over ours is "
        f"{ratio([m for m in bake if not m['ours']['refused']], 'polybake', 'run')} (numpy, float32), to "
        f"build {ratio([m for m in bake if not m['ours']['refused']], 'polybake', 'build')}. "
        "It declares Python 3.14; measured on 3.13 with annotations deferred, which is all that it needs of it.",
        "- **Trained**: as many neurons in two layers, 2,000 steps of Adam, the better of two seeds. "
        "**Intervals**: how far interval bound "
        "propagation through our network lies beyond the values met, over the certificate.",
        "",
    ]
    return "\n".join(lines)


def refusals(measured: dict) -> str:
    lines = []
    for m in measured["formulas"]:
        for side, said in (
            ("ours", m["ours"]["refused"]),
            *((k, m[k]["failed"]) for k in ("kan", "polybake") if k in m),
        ):
            if said:
                name = {"ours": "Ours", "kan": "The kanpiler", "polybake": "PolyBake"}[side]
                lines.append(f"- {name}, {m['label']}: {said.split(':')[0] if side == 'polybake' else said}")
    return "What was refused, or failed:\n\n" + "\n".join(lines) + "\n" if lines else ""


def page(measured: dict, old: str) -> str:
    """The page with the table that was measured now. ValueError: the marks are not in it."""
    before, after = old[: old.index(START)], old[old.index(END) + len(END) :]
    table = HEAD + "\n".join(row(m) for m in measured["formulas"])
    return f"{before}{START}\n{words(measured)}\n{table}\n\n{refusals(measured)}{END}{after}"


if __name__ == "__main__":
    to = Path(sys.argv[2])
    to.write_text(page(json.loads(Path(sys.argv[1]).read_text()), to.read_text()), "utf-8")
