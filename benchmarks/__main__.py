"""python -m benchmarks [--only NAME] [--quick] [--json]"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse
import json
import sys
from importlib import import_module

from benchmarks.command import command
from deeptheory.core.names import pick
from deeptheory.runs.machine import machine, versions

BENCHMARKS = (  # modules here, with run(rounds, quick) -> rows; the docstring is what docs/speed.md says of it
    "plane",
    "population",
    "recorder",
    "growth",
    "capsules",
    "faces",
    "bottleneck",
    "cheap",
    "compilers",
    "known",
    "axis",
    "estimators",
    "neighbors",
)


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("--only", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller sizes")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    chosen = parser.parse_args()
    if chosen.only is not None:
        pick(dict.fromkeys(BENCHMARKS), chosen.only, what="benchmark")
    rows = []
    for name in [chosen.only] if chosen.only else BENCHMARKS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        made = import_module(f"benchmarks.{name}").run(3 if chosen.quick else 9, chosen.quick)
        rows += [(name, r) for r in made]
    if chosen.json:
        kept = [{"benchmark": name, **r.as_dict()} for name, r in rows]
        print(json.dumps({"machine": machine(), "versions": versions(), "rows": kept}, indent=1))
        return
    for _, r in rows:
        error = "" if r.error is None else f"; agree to {r.error:.1e} ({r.error_of})"
        note = f"; {r.note}" if r.note else ""
        print(
            f"{r.name}\n  {r.ours_ms:.2f} ms; {r.theirs}: {r.theirs_ms:.2f} ms; ratio {r.ratio:.3g} "
            f"[{r.least:.3g}, {r.largest:.3g}]{error}{note}"
        )


if __name__ == "__main__":
    command(main)
