"""KSG by columns and samples, against infomeasure, benchmark-mi, npeet-plus and scikit-learn's trees; one thread.

2 x 2 to 25 x 25 columns of n = 10,000: the same columns, of standard deviation 1, on both sides, k = 3, our interval
and notes included. Processor times in turn, so that a busy machine does not count; a peer whose first call takes over
4 s is called once more, one of over 15 s not again. Then ours alone: how time grows with n and with columns, and the
largest memory of a process of its own, which is never n x n. Up to 7 columns in all a k-d tree is asked, in more where
there are more samples; else all pairs are scanned (time n^2, memory n): trees win while few of their boxes are near.
benchmark-mi lives in an environment of its own, bmi/bin/python beside information/bin/python in DEEPTHEORY_PEERS.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import deeptheory as dt
from benchmarks.estimators import Peer, timed, tree_recipe
from benchmarks.timing import Row

COLUMNS = (2, 5, 10, 25)
_SLOW, _VERY_SLOW = 4.0, 15.0
PEERS = {"infomeasure": "information", "benchmark-mi": "bmi", "npeet-plus": "information", "trees": ""}
_WORK = {
    "infomeasure": "infomeasure information",
    "benchmark-mi": "benchmark-mi information",
    "npeet-plus": "npeet information",
}
_ALONE = """
import json, resource, sys, time
import numpy as np
import deeptheory as dt
n, d = map(int, sys.argv[1:])
x, y = np.random.default_rng(0).standard_normal((2, n, d))
dt.mutual_information(x[:300], x[:300] + y[:300], "ksg")
start = time.process_time()
value = dt.mutual_information(x, x + y, "ksg").value
took = time.process_time() - start
print(json.dumps([value, took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""


def pair(n: int, d: int) -> dict[str, np.ndarray]:
    """x and y [n, d] float64, y with half of x's variance, each column of standard deviation 1."""
    x, noise = np.random.default_rng(0).standard_normal((2, n, d))
    y = x + noise
    return {"x": (x - x.mean(0)) / x.std(0), "y": (y - y.mean(0)) / y.std(0)}


def against(who: str, n: int, d: int, rounds: int, folder: Path | None, place: str) -> Row | None:
    """Ours beside one peer on the same samples; None where the peer is not there."""
    data = pair(n, d)
    theirs: Any
    if who == "trees":
        theirs, close = lambda: timed(lambda: tree_recipe(data["x"], data["y"])), None
    else:
        python = folder / PEERS[who] / "bin/python" if folder else None
        if python is None or not python.exists():
            return None
        theirs = Peer(python, _WORK[who], place, **data)
        close = theirs.close
    ours = lambda: timed(lambda: dt.mutual_information(data["x"], data["y"], "ksg").value)  # noqa: E731
    our_value = ours()[0]
    their_value, first = theirs()
    pairs = [(ours()[1], first)] if first > _VERY_SLOW else []
    for k in range(0 if pairs else 1 if first > _SLOW else rounds):
        if k % 2:
            their_time, our_time = theirs()[1], ours()[1]
        else:
            our_time, their_time = ours()[1], theirs()[1]
        pairs.append((our_time, their_time))
    if close:
        close()
    a, b = (1000 * float(np.median(v)) for v in zip(*pairs))
    ratios = sorted(y / x for x, y in pairs)
    called = f"{len(pairs)} call{'s' * (len(pairs) > 1)} of each"
    return Row(
        f"KSG, {d} x {d}, {n} rows", a, who, b, float(np.median(ratios)), ratios[0], ratios[-1],
        abs(our_value - their_value), "bits", f"our interval included; {called}",
    )  # fmt: skip


def alone(n: int, d: int) -> tuple[float, float, float]:
    """Bits, seconds of processor time and largest memory in MB of a process that does nothing else."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _ALONE, str(n), str(d)], capture_output=True, text=True, check=True, env=environment
    )
    value, seconds, memory = json.loads(done.stdout)
    return value, seconds, memory / (1024 if sys.platform != "darwin" else 1024**2)


def growth(steps: list[tuple[int, int]]) -> list[Row]:
    """Each (n, columns a side) beside the first, by processor time."""
    rows, first = [], None
    for n, d in steps:
        _, seconds, memory = alone(n, d)
        first = first or (n, d, seconds)
        ratio = seconds / first[2]
        square = f", n x n of numbers would be {8 * n * n / 1e6:,.0f}"
        rows.append(
            Row(
                f"KSG, {d} x {d}, {n} rows", 1000 * seconds, f"ours, {first[1]} x {first[1]}, {first[0]} rows",
                1000 * first[2], ratio, ratio, ratio, None, "",
                f"ratio: growth of processor time; largest memory {memory:,.0f} MB{square if d > 3 else ''}",
            )
        )  # fmt: skip
    return rows


def run(rounds: int, quick: bool) -> list[Row]:
    named = os.environ.get("DEEPTHEORY_PEERS")
    folder = Path(named) if named else None
    rows, missing = [], []
    with tempfile.TemporaryDirectory() as place:
        for d in COLUMNS[:2] if quick else COLUMNS:
            for who in PEERS:
                row = against(who, 1_000 if quick else 10_000, d, min(rounds, 5), folder, place)
                rows += [row] if row else []
                missing += [] if row else [who]
    if missing:
        print(f"{', '.join(dict.fromkeys(missing))}: left out (DEEPTHEORY_PEERS has no such folder)", file=sys.stderr)
    by_n = [(500, 2), (1_000, 2)] if quick else [(10_000, 2), (30_000, 2), (100_000, 2)]
    by_d = [(500, 2), (500, 5)] if quick else [(10_000, d) for d in (1, 2, 3, 5, 10, 25)]
    large = [] if quick else [(10_000, 25), (30_000, 25), (100_000, 25)]
    return rows + growth(by_n) + growth(by_d) + (growth(large) if large else [])
