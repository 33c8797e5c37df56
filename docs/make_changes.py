"""What turned since an earlier ledger, and why: python docs/make_changes.py REVISION RUN [RUN ...] >
docs/ledgers/changes.md

The earlier verdicts are read from docs/ledgers as they were at that git revision; the later ones from the runs' claims.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from deeptheory.report.page import interval

_OWN = {"holds here": "reproduced", "fails here": "contradicted"}  # the same verdict, said of another setting
CAUSES = {  # beginning of a claim's id -> what changed
    "shwartz-ziv-tishby-2017/fit-then-compress": "layers 1 to 3 are listed without a verdict (the paper denies of the "
    "first what the claim asks); cells as in the released program; the needed n is stated",
    "shwartz-ziv-tishby-2017/fit-then-compress/layer5": "cells as in the released program",
    "shwartz-ziv-tishby-2017/beta-falls-with-depth": "a layer that loses nothing has beta infinite; it was 0",
    "shwartz-ziv-tishby-2017/on-the-bound": "the bound without rounding of p(y|x); Fieller's interval; cells as in the "
    "released program",
    "shwartz-ziv-tishby-2017/small-data-loses/45": "a value of 0 or above is true by construction: no verdict",
    "shwartz-ziv-tishby-2017/snr-transition": "median by order statistics; undefined ratios left out",
    "shwartz-ziv-tishby-2017/mnist-gradient-phases": "four networks have no interval of a median",
    "tishby-zaslavsky-2015/layers-after-bifurcations": "signed distance, trained minus untrained, in place of an "
    "unsigned one",
    "chang-tsao-2017/ramp": "a ramp needs positive evidence; units that do not tell are left out",
    "chang-tsao-2017/eigenface-worse": "a difference in place of a ratio that may be negative",
    "tishby-zaslavsky-2015/dpi-chain": "a theorem on exact symbols: listed without a verdict, held by a test",
    "tishby-zaslavsky-2015/bound-above-layers": "a theorem: listed without a verdict, held by a test",
    "rolnick-tegmark-2018/bounded-degree-no-gap": "arithmetic: listed without a verdict, held by a test",
    "chang-tsao-2017/flat-orthogonal": "exact F test cleared of linear terms; flat counts tuned units only",
    "chang-tsao-2017/identify-at-40": "decoders choose their penalty without the faces they are scored on",
    "chang-tsao-2017/decode": "decoders choose their penalty without the faces they are scored on",
    "chang-tsao-2017/axes-not-mutually-orthogonal": "difference of cosines in place of a rank that is arithmetic",
    "chang-tsao-2017/untrained-control/flat-orthogonal": "exact F test cleared of linear terms; flat counts tuned "
    "units only",
    "chang-tsao-2017/published-network/flat-orthogonal": "exact F test cleared of linear terms; flat counts tuned "
    "units only",
    "chang-tsao-2017/axis-metric-efficient": "a median of four has no interval",
    "chang-tsao-2017/200-suffice": "decoders choose their penalty without the faces they are scored on; Student's "
    "interval",
    "saxe-2018/mnist-noise-readout": "left out of this run (picture_steps=0), which trains no MNIST networks",
    "saxe-2018/all-four-cells": "an interval over random networks in place of a count",
    "hinton-2018": "Student's or Fieller's interval in place of a bootstrap; other last bits of the routing lead to "
    "other trainings",
    "hinton-2018/parameters/cnn": "4.2M is rounded from [4.15, 4.25) million",
}
_STUDENT = "Student's or Fieller's interval in place of a bootstrap"


def before(revision: str, study: str, scale: str) -> dict[str, tuple[str, str]]:
    """claim -> (verdict, measured) of the docs' ledger at that revision, of the scale where it has several."""
    done = subprocess.run(
        ["git", "show", f"{revision}:docs/ledgers/{study}.md"], capture_output=True, text=True, check=True
    )
    parts = re.split(r"^## ", done.stdout, flags=re.M)
    chosen = next((p for p in parts if p.startswith(f"Scale “{scale}”")), done.stdout)
    rows = [line.split(" | ") for line in chosen.splitlines() if line.startswith("| ") and "`" in line]
    return {r[1].strip("`"): (r[0].lstrip("| "), r[2]) for r in rows}


def cause(study: str, claim: str) -> str:
    """The longest entry of CAUSES that begins the claim's name."""
    known = [k for k in CAUSES if f"{study}/{claim}".startswith(k)]
    return CAUSES[max(known, key=len)] if known else _STUDENT


def main(revision: str, runs: list[Path]) -> str:
    lines = [
        "# What changed since the last ledgers, and why",
        "",
        f"Verdicts that turned since the ledgers at {revision}, quick scale and seed 0 on both sides. A "
        "claim that is now said of another",
        "setting (*holds here* for *reproduced*) and did not turn is not listed.",
        "",
        "| study | claim | was | is | why |",
        "|---|---|---|---|---|",
    ]
    same = gone = 0
    for run in runs:
        record = json.loads((run / "run.json").read_text())
        old = before(revision, record["study"], record["scale"])
        rows = {c["id"]: c for c in json.loads((run / "claims.json").read_text())}
        gone += len(set(old) - set(rows))
        for name, c in rows.items():
            verdict, measured = old.get(name, ("not there", "–"))
            if _OWN.get(c["verdict"], c["verdict"]) == verdict:
                same += 1
                continue
            why = "new" if verdict == "not there" else cause(record["study"], name)
            lines.append(
                f"| {record['study']} | `{name}` | {verdict}, {measured} | {c['verdict']}, {interval(c)} | {why} |"
            )
    lines += ["", f"{same} claims kept their verdict; {gone} are no longer claims."]
    return "\n".join(lines)


if __name__ == "__main__":
    print(main(sys.argv[1], [Path(r) for r in sys.argv[2:]]))
