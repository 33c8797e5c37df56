"""Bottleneck curves against embo and dit, and how the solver's time grows.

The peers live in an environment of their own, since their requirements differ: DEEPTHEORY_PEERS names a folder in which
ib/bin/python has `embo` and `dit`; without it their rows are left out and a sentence says so. Each is a process that
stays up; the time is that of the answer, a pipe's round trip (under 0.1 ms) included.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import deeptheory as dt
from benchmarks.timing import Row, compare
from deeptheory.datasets.tasks.icosahedron import vertices

_WORKER = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
which, p, low, high, count = json.loads(sys.stdin.readline())
p = np.array(p)
if which == "embo":
    import embo
    def work():
        ib = embo.InformationBottleneck(pxy=p, minbeta=low, maxbeta=high, numbeta=count)
        return [np.asarray(v).tolist() for v in (ib.get_beta_values(), ib.get_ix(), ib.get_iy())]
else:
    from dit.rate_distortion.blahut_arimoto import blahut_arimoto_ib
    h = lambda v: -(v[v > 0] * np.log2(v[v > 0])).sum()
    i_xy = h(p.sum(0)) + h(p.sum(1)) - h(p.ravel())
    def work():
        found = blahut_arimoto_ib(p, low, restarts=1)[0]
        return [[low], [float(found.rate)], [float(i_xy - found.distortion)]]
for line in sys.stdin:
    print(json.dumps(work()), flush=True)
"""


class Peer:
    """A worker process that solves the problem each time it is called; answer: betas, I(X;T), I(T;Y)."""

    def __init__(self, python: Path, which: str, p: np.ndarray, low: float, high: float, count: int):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        command = [str(python), "-c", _WORKER]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._say(json.dumps([which, p.tolist(), low, high, count]))

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __call__(self) -> np.ndarray:
        assert self.process.stdout is not None
        self._say("go")
        self.answer = np.array(json.loads(self.process.stdout.readline()))
        return self.answer

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def states() -> np.ndarray:
    """p(x, y) of the 12-bit rule, gamma = 50, by the 53 values of its score: [53, 2]."""
    data = dt.datasets.icosahedron(gamma=50)
    score = data.x.sum(1, dtype=np.float64) + np.linalg.norm(data.x.astype(np.float64) @ vertices(), axis=1)
    _, which = np.unique(np.round(score, 9), return_inverse=True)
    out = np.zeros((which.max() + 1, 2))
    np.add.at(out, which.ravel(), data.p_xy)
    return out


def _against_peers(rounds: int, quick: bool) -> list[Row]:
    folder = os.environ.get("DEEPTHEORY_PEERS")
    python = Path(folder or ".") / "ib" / "bin" / "python"
    if not folder or not python.exists():
        print("embo and dit: left out; DEEPTHEORY_PEERS names no folder with ib/bin/python", file=sys.stderr)
        return []
    p, low, high, count, rows = states(), 1.02, 20.0, 64, []
    betas = np.linspace(low, high, count)
    for which, version, times in (("embo", "1.1.0", 1), ("dit", "2.3, one restart", count)):
        peer = Peer(python, which, p, low, high, count)
        theirs = peer()
        ours = dt.bottleneck_curve(p, betas, locate=False)
        at = np.searchsorted(betas, theirs[0] - 1e-9)
        above = (ours.i_x - betas * ours.i_y)[at] - (theirs[1] - theirs[0] * theirs[2])  # ours less theirs, bits
        note = f"our Lagrangian is lower by up to {max(-above.min(), 0):.2g} bits, certified to {ours.gap.max():.0e}"
        if times > 1:
            note += f"; theirs measured at one beta, times {times}"
        rows.append(
            compare(
                f"{count} betas of the 12-bit rule, 53 states",
                lambda: dt.bottleneck_curve(p, betas, locate=False),
                f"{which} {version}",
                peer,
                rounds if which == "embo" else max(3, rounds // 3),
                theirs_scale=times,
                error=float(max(above.max(), 0.0)),
                error_of="bits that our Lagrangian is above theirs",
                note=note,
            )
        )
        peer.close()
    return rows


def _growth(quick: bool) -> list[Row]:
    rng, rows, base = np.random.default_rng(0), [], 0.0
    for n in (100,) if quick else (100, 1000, 10_000):
        z = 2 * rng.standard_normal((n, 10))
        q = np.exp(z) / np.exp(z).sum(1, keepdims=True) / n
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        found = dt.bottleneck(q, 5.0)
        seconds = time.perf_counter() - start
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        base = base or seconds
        note = (
            f"{len(found.p_t)} clusters, certified to {found.gap:.0e} bits (from the starts tried), {grown:.0f} MB more"
        )
        rows.append(
            Row(
                f"bottleneck at beta 5, {n} states, 10 labels (base: 100 states)",
                1000 * seconds,
                f"{n // 100} times the states",
                1000 * base,
                seconds / base,
                seconds / base,
                seconds / base,
                None,
                "",
                note,
            )
        )
    return rows


def _against_plain(quick: bool) -> list[Row]:
    """Text-sized tables at beta 10 against plain Blahut-Arimoto (|T| = |X|, random starts), processor time of both."""
    rows = []
    for n, m, starts in ((100, 20, 2),) if quick else ((100, 20, 5), (300, 100, 5), (1000, 500, 1)):
        rng = np.random.default_rng(0)
        p = rng.dirichlet(np.full(10, 0.2), n) @ rng.dirichlet(np.full(m, 0.1), 10)
        p /= p.sum()
        start = time.process_time()
        found = dt.bottleneck(p, 10.0)
        ours = time.process_time() - start
        start = time.process_time()
        best = min(_plain(p, 10.0, s) for s in range(starts))
        theirs = time.process_time() - start
        note = f"our Lagrangian is {best - found.lagrangian:.2g} bits lower, gap {found.gap:.0e}"
        rows.append(
            Row(
                f"bottleneck at beta 10, {n} x {m}",
                1000 * ours,
                f"plain Blahut-Arimoto, {starts} starts",
                1000 * theirs,
                ours / theirs,
                ours / theirs,
                ours / theirs,
                None,
                "",
                note,
            )
        )
    return rows


def _plain(p_xy: np.ndarray, beta: float, seed: int) -> float:
    """The Lagrangian, bits, of one plain run until it moves by less than 1e-9, or 5,000 steps."""
    p = p_xy.sum(1)
    q = p_xy / p[:, None]
    own = (q * np.log(np.where(q > 0, q, 1))).sum(1)
    encoder, last = np.random.default_rng(seed).dirichlet(np.ones(len(p)), len(p)), np.inf
    given = float(p @ own) - float((p @ q) @ np.log(p @ q))  # I(X;Y), nats
    for _ in range(5000):
        w = p @ encoder
        encoder, w = encoder[:, w > 1e-300], w[w > 1e-300]
        r = (encoder * p[:, None]).T @ q / w[:, None]
        score = np.log(w) + beta * (q @ np.log(np.where(r > 0, r, 1e-300)).T - own[:, None])
        top = score.max(1, keepdims=True)
        e = np.exp(score - top)
        z = e.sum(1, keepdims=True)
        value = (-float(p @ (top + np.log(z))[:, 0]) - beta * given) / np.log(2)
        encoder = e / z
        if abs(last - value) < 1e-9:
            break
        last = value
    return value


def run(rounds: int, quick: bool) -> list[Row]:
    """Ours against each peer that is there and against plain runs; growth with the number of states."""
    (
        dt.bottleneck(states(), 5.0),
        dt.bottleneck(np.random.default_rng(1).dirichlet(np.ones(10), 30) / 30, 5.0),
    )  # compile
    return _against_peers(rounds, quick) + _against_plain(quick) + _growth(quick)
