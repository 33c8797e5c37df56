"""Write what the trained estimators say of pairs whose information is known, from measurements stored beside the page.

python docs/make_trained.py                          docs/trained_estimators.md from docs/trained_estimators.json
python docs/make_trained.py --measure N [METHOD ...]   measure what is not stored yet at N samples, then write the page
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

import deeptheory as dt

HERE = Path(__file__).parent
STORE, PAGE = HERE / "trained_estimators.json", HERE / "trained_estimators.md"
SEED = 0
METHODS = ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow")
NOTHING = "independent-5x5"
PAIRS = (
    NOTHING, "dense-5x5", "dense-25x25", "two-pairs-5x5", "spiral-two-pairs-3x3", "swiss-roll-2x1",
    "student-2x2-dof1", "additive-0.1",
)  # fmt: skip
HEAD = """# What trained estimators say

The seven trained methods of `dt.mutual_information` on pairs of known information (`dt.datasets.ground_truths()`, Czyz et al. 2023, and
two independent normals of five columns), in bits, default settings, one draw (seed 0): value and 95 % interval. **Bold**: within
a tenth of the truth, or of a tenth of a bit. *: with a note. The interval holds sampling error and the spread over networks, no bias. Written by
`docs/make_trained.py`, nothing chosen by hand; [what counts and correlations say](known_information.md) of these and others.

"infonce", "nwj" and "dv" are lower bounds: what is not learned is not in them. "smile", "doe", "lmi" and "flow" are no bounds. None
of them is chosen by `"auto"`: they cost seconds to minutes. But `"auto"` is set beside them on the same samples, and where the two
intervals lie apart a note says so.
"""  # noqa: E501  # lines of the page


def draw(name: str, n: int) -> tuple[np.ndarray, np.ndarray, float]:
    """x, y and their information in bits."""
    if name == NOTHING:
        x, y = np.random.default_rng(SEED).normal(size=(2, n, 5))
        return x, y, 0.0
    truth = dt.datasets.ground_truth(name)
    return *truth.sample(n, SEED), truth.mutual_information


def stored() -> list[dict]:
    """Every measurement so far."""
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else []


def measure(n: int, methods: list[str]) -> None:
    """What is not stored yet, one estimate after the other, each stored at once."""
    for name in PAIRS:
        for method in methods:
            if any((r["pair"], r["n"], r["method"]) == (name, n, method) for r in stored()):
                continue
            x, y, truth = draw(name, n)
            began = time.process_time()
            got = dt.mutual_information(x, y, method, progress=False)
            row = {"pair": name, "n": n, "method": method, "truth": round(truth, 4), "value": round(got.value, 4)}
            row |= {"low": round(got.low, 4), "high": round(got.high, 4), "notes": list(got.notes)}
            row["cpu_seconds"] = round(time.process_time() - began, 1)
            rows = [*stored(), row]  # read again: another process may measure other methods
            rows.sort(key=lambda r: (r["n"], PAIRS.index(r["pair"]), METHODS.index(r["method"])))
            new = STORE.with_suffix(f".{os.getpid()}")
            new.write_text("[\n" + ",\n".join(json.dumps(r) for r in rows) + "\n]\n", encoding="utf-8")
            new.replace(STORE)
            print(f"{name} {method} n = {n}: {got.value:.3f} of {truth:.3f}, {row['cpu_seconds']} s", flush=True)


def cell(found: list[dict]) -> str:
    """One estimate; "not measured" where there is none."""
    if not found:
        return "not measured"
    row = found[0]
    text = f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]{'*' * bool(row['notes'])}"
    return f"**{text}**" if abs(row["value"] - row["truth"]) <= max(0.1, 0.1 * row["truth"]) else text


def page(rows: list[dict]) -> str:
    """The page of these measurements."""
    out = HEAD
    for n in sorted({r["n"] for r in rows}):
        out += f"\n## {n:,} pairs\n\n| pair | truth | {' | '.join(METHODS)} |\n|---|---|{'---|' * len(METHODS)}\n"
        here = [r for r in rows if r["n"] == n]
        for name in (p for p in PAIRS if any(r["pair"] == p for r in here)):
            mine = {m: [r for r in here if (r["pair"], r["method"]) == (name, m)] for m in METHODS}
            truth = next(r["truth"] for r in here if r["pair"] == name)
            out += f"| {name} | {truth:.3f} | {' | '.join(cell(mine[m]) for m in METHODS)} |\n"
        seconds = {m: [r["cpu_seconds"] for r in here if r["method"] == m] for m in METHODS}
        said = ", ".join(f"{m} {min(v):.0f} to {max(v):.0f}" for m, v in seconds.items() if v)
        out += f"\nProcessor seconds per estimate, one thread, on a machine shared with other work: {said}.\n"
    return out


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(int(sys.argv[2]), sys.argv[3:] or list(METHODS))
    PAGE.write_text(page(stored()), encoding="utf-8")
