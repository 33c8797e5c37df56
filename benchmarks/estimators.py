"""Estimators from samples against scikit-learn, ennemi and npeet-plus: n = 10,000, one thread, our interval included.

The peers live in an environment of their own: DEEPTHEORY_PEERS names a folder in which information/bin/python has
`ennemi`, `npeet-plus` and `scikit-learn`; without it their rows are left out and a sentence says so. Each is a process
that stays up and holds the data; times are processor times of one thread, taken on both sides in turn. The peers give
a number, ours an interval and notes as well, by ten batches. "Agree" compares the numbers: npeet-plus adds noise of
1e-10 and counts neighbors at the distance itself, ennemi and scikit-learn write psi otherwise.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import deeptheory as dt
from benchmarks.timing import Row, interleaved

_WORKER = """
import json, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
which, path = json.loads(sys.stdin.readline())
data = np.load(path)
x, y, z = (data[name] if name in data else None for name in "xyz")
bits = np.log(2)
if which.startswith("ennemi"):
    import ennemi
elif which.startswith("npeet"):
    import npeet_plus
elif which.startswith("infomeasure"):
    import infomeasure
elif which.startswith("benchmark-mi"):
    import bmi
else:
    from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
    from sklearn.metrics import mutual_info_score
work = {
    "ennemi entropy": lambda: ennemi.estimate_entropy(x, k=3, multidim=True) / bits,
    "npeet entropy": lambda: npeet_plus.entropy(x, k=3),
    "ennemi information": lambda: ennemi.estimate_mi(y[:, 0], x, k=3, max_threads=1) / bits,
    "ennemi labels": lambda: ennemi.estimate_mi(y, x, k=3, discrete_y=True, max_threads=1) / bits,
    "ennemi conditional": lambda: ennemi.estimate_mi(y[:, 0], x, cond=z, k=3, max_threads=1) / bits,
    "infomeasure information": lambda: infomeasure.mutual_information(x, y, approach="ksg", k=3, base=2),
    "benchmark-mi information": lambda: bmi.estimators.KSGEnsembleFirstEstimator(neighborhoods=(3,)).estimate(x, y)
    / bits,
    "npeet information": lambda: npeet_plus.mi(x, y, k=3),
    "npeet labels": lambda: npeet_plus.micd(x, y[:, None], k=3),
    "npeet conditional": lambda: npeet_plus.cmi(x, y, z, k=3),
    "scikit-learn information": lambda: mutual_info_regression(x, y[:, 0], random_state=0, n_jobs=1) / bits,
    "scikit-learn labels": lambda: mutual_info_classif(x, y, random_state=0, n_jobs=1) / bits,
    "scikit-learn counts": lambda: mutual_info_score(x, y) / bits,
}[which]
for line in sys.stdin:
    start = time.process_time()
    value = float(np.squeeze(work()))
    print(json.dumps([value, time.process_time() - start]), flush=True)
"""


class Peer:
    """A worker process that estimates each time it is called."""

    def __init__(self, python: Path, which: str, folder: str, **data: np.ndarray):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        environment.pop("PYTHONPATH", None)
        path = Path(folder) / f"{which}-{'-'.join(str(v.shape) for v in data.values())}.npz"
        np.savez(path, **data)
        command = [str(python), "-c", _WORKER]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        self._say(json.dumps([which, str(path)]))

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __call__(self) -> tuple[float, float]:
        """The estimate, and the processor time of it in seconds."""
        self._say("again")
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            assert self.process.stderr is not None
            raise RuntimeError(self.process.stderr.read()[-2000:])
        value, seconds = json.loads(line)
        return value, seconds

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def tree_recipe(x: np.ndarray, y: np.ndarray, k: int = 3) -> float:
    """KSG as it is written with scikit-learn's trees: one for the pair, one for each side."""
    from scipy.special import digamma
    from sklearn.neighbors import KDTree

    x, y = x / x.std(0), y / y.std(0)
    both = np.concatenate([x, y], axis=1)
    reach = np.nextafter(KDTree(both, metric="chebyshev").query(both, k=k + 1)[0][:, k], 0)
    counts = [KDTree(v, metric="chebyshev").query_radius(v, reach, count_only=True) for v in (x, y)]
    nats = digamma(k) + digamma(len(x)) - digamma(counts[0]).mean() - digamma(counts[1]).mean()
    return float(nats / np.log(2))


def problems(n: int, large: int) -> list[tuple[str, Callable[[], dt.Estimate], tuple[str, ...], dict[str, np.ndarray]]]:
    """(name, ours, which peers, the data they get)."""
    rng = np.random.default_rng(0)
    x, noise, z = rng.standard_normal((3, n, 3))
    y, label = x + noise, rng.integers(0, 3, n)
    shifted = x + label[:, None]
    out = []
    for d in (1, 2, 3):
        a, b, c, s = (np.ascontiguousarray(v[:, :d]) for v in (x, y, z, shifted))
        one = np.ascontiguousarray(y[:, :1])
        columns = f"{d} column{'s' if d > 1 else ''}"
        out += [
            (f"entropy, {columns}", lambda a=a: dt.entropy(a, "kl"), ("ennemi entropy", "npeet entropy"), {"x": a}),
            (
                f"information with 3 labels, {columns}",
                lambda s=s: dt.mutual_information(s, label, "labels"),
                ("scikit-learn labels", "ennemi labels", "npeet labels") if d == 1 else ("npeet labels",),
                {"x": s, "y": label},
            ),
            (
                f"conditional information, 1, 1 | {d}",
                lambda one=one, c=c: dt.conditional_mutual_information(x[:, :1], one, c, method="ksg"),
                ("ennemi conditional", "npeet conditional"),
                {"x": np.ascontiguousarray(x[:, :1]), "y": one, "z": c},
            ),
            (
                f"KSG, {d} x {d}",
                lambda a=a, b=b: dt.mutual_information(a, b, "ksg"),
                ("scikit-learn information", "ennemi information",
                "npeet information") if d == 1 else ("npeet information", "trees"),
                {"x": a, "y": b},
            ),
        ]  # fmt: skip
    i, j = rng.integers(0, 10, (2, large))
    out.append(
        (
            f"counts, {large} rows",
            lambda: dt.mutual_information(i, j, "plugin"),
            ("scikit-learn counts",),
            {"x": i, "y": j},
        )
    )
    return out


def run(rounds: int, quick: bool) -> list[Row]:
    folder = os.environ.get("DEEPTHEORY_PEERS")
    python = Path(folder) / "information/bin/python" if folder else None
    if python is None or not python.exists():
        print(
            "ennemi, npeet-plus, scikit-learn: left out (DEEPTHEORY_PEERS names no folder with information/bin/python)",
            file=sys.stderr,
        )
        python = None
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for name, ours, peers, data in problems(2000 if quick else 10_000, 10**5 if quick else 10**6):
            for which in peers:
                if which == "trees":
                    rows.append(
                        _row(
                            name,
                            ours,
                            which,
                            lambda data=data: timed(lambda: tree_recipe(data["x"], data["y"])),
                            rounds,
                        )
                    )
                elif python is not None:
                    peer = Peer(python, which, place, **data)
                    rows.append(_row(name, ours, which.split()[0], peer, rounds))
                    peer.close()
    return rows + _large(10**4 if quick else 10**5)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    start = time.process_time()
    value = float(work())
    return value, time.process_time() - start


def _row(
    name: str, ours: Callable[[], dt.Estimate], who: str, theirs: Callable[[], tuple[float, float]], rounds: int
) -> Row:
    """One comparison by processor time, sides in turn; the first call of each side is not counted."""
    error = abs(timed(ours)[0] - theirs()[0])
    pairs = []
    for k in range(rounds):
        if k % 2:
            their_time, our_time = theirs()[1], timed(ours)[1]
        else:
            our_time, their_time = timed(ours)[1], theirs()[1]
        pairs.append((1000 * our_time, 1000 * their_time))
    a, b = (float(np.median(v)) for v in zip(*pairs))
    ratios = sorted(y / x for x, y in pairs)
    middle = float(np.median(ratios))
    return Row(name, a, who, b, middle, ratios[0], ratios[-1], float(error), "bits", "our interval included")


def _large(n: int) -> list[Row]:
    """One column, ten times the rows: ratio, how many times the time of n / 10."""
    rng = np.random.default_rng(1)
    x, e = rng.standard_normal((2, n))
    y, label = x + e, rng.integers(0, 3, n)
    every = {
        "entropy": lambda r: dt.entropy(x[:r], "kl"),
        "information with 3 labels": lambda r: dt.mutual_information(x[:r], label[:r], "labels"),
        "KSG, 1 x 1": lambda r: dt.mutual_information(x[:r], y[:r], "ksg"),
        "KSG, 1 x 1, half of them zeros": lambda r: dt.mutual_information(np.maximum(x[:r], 0), y[:r], "ksg"),
        "conditional information, 1, 1 | 1": lambda r: dt.conditional_mutual_information(x[:r], y[:r], (x + y + e)[:r],
        method="ksg"),
    }  # fmt: skip
    rows = []
    for name, f in every.items():
        times = interleaved({"small": lambda f=f: f(n // 10), "large": lambda f=f: f(n)}, 3)
        small, large = (1000 * float(np.median(times[k])) for k in ("small", "large"))
        rows.append(
            Row(
                f"{name}, {n} rows",
                large,
                f"ours, {n // 10} rows",
                small,
                large / small,
                large / small,
                large / small,
                None,
                "",
                "ratio: growth for ten times the rows, by the clock",
            )
        )
    return rows
