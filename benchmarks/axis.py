"""The axis bench: all statistics and models of 205 units; the usual leave-one-out exemplar; growth with units; two
peers.

The whole bench is 500 shuffles, 10 folds and every rival model on 205 simulated units, 2,000 stimuli, 50 features; it
is to take less than 20 s on two cores. Its time is wall time, with processor time and the machine's load beside it.
The literal exemplar leaves out one stimulus at a time and fits all 54 parameters with scipy.
Growth: each number of units in a process of its own, its largest memory beside it.
Ridge is compared with himalaya's RidgeCV (5 folds; ours leaves out one stimulus at a time, in closed form), similarity
matrices with rsatoolbox's correlation distances. Both live in an environment of their own: DEEPTHEORY_PEERS names a
folder in which axis/bin/python has `himalaya` and `rsatoolbox`; without it their rows are left out and a sentence says
so. scikit-learn's RidgeCV leaves out one stimulus at a time in closed form, as ours does.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import least_squares

from benchmarks.timing import Row, compare
from deeptheory.axis import axis_code, similarity_matrix, simulate
from deeptheory.axis.bench.axes import _ALPHAS, _ridge
from deeptheory.axis.bench.validation import enter
from deeptheory.axis.models.fitting import Design, fit
from deeptheory.axis.models.generators import GENERATORS, Stimuli
from deeptheory.axis.models.starts import even_axis, start

MIXTURE = {"axis": 0.6, "exemplar": 0.4}

_PEER = """
import json, sys, warnings
import numpy as np
warnings.simplefilter("ignore")
which, path = json.loads(sys.stdin.readline())
data = np.load(path)
y, s = data["y"], data["s"]
if which == "himalaya":
    from himalaya.ridge import RidgeCV
    def work():
        model = RidgeCV(alphas=len(s) * s.var(0).mean() * data["alphas"], cv=5, fit_intercept=True).fit(s, y)
        return np.asarray(model.predict(s))
else:
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm
    def work():
        return 1 - calc_rdm(Dataset(y), method="correlation").get_matrices()[0]
for line in sys.stdin:
    if line.strip() == "save":
        np.save(path + "." + which + ".npy", work())
    else:
        work()
    print("done", flush=True)
"""
_GROWTH = """
import json, resource, sys, time
import torch
torch.set_num_threads(1)
from deeptheory.axis import axis_code, simulate
n, d, units = (int(v) for v in sys.argv[1:])
sim = simulate({"axis": 0.6, "exemplar": 0.4}, n=n, d=d, units=units, reliability=0.5)
y, s = sim.responses, sim.features
del sim
start = time.process_time()
axis_code(y, s, folds=2, permutations=100)
print(json.dumps([time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


class Peer:
    """A worker process that does its work each time it is called; the time is that of the work and a pipe's round
    trip.
    """

    def __init__(self, python: Path, which: str, path: str):
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        environment.pop("PYTHONPATH", None)
        self.process = subprocess.Popen(
            [str(python), "-c", _PEER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._say(json.dumps([which, path]))
        self.file = f"{path}.{which}.npy"

    def _say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def __call__(self, word: str = "go") -> None:
        assert self.process.stdout is not None
        self._say(word)
        if self.process.stdout.readline().strip() != "done":
            raise RuntimeError(f"the peer ended; run {self.file} by hand to see why")

    def answer(self) -> np.ndarray:
        self("save")
        return np.load(self.file)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()


def _whole(quick: bool, threads: int) -> Row:
    units, n = (20, 600) if quick else (205, 2000)
    sim = simulate(MIXTURE, n=n, units=units, variances="paper", reliability=0.5)
    torch.set_num_threads(threads)
    used, began = time.process_time(), time.perf_counter()
    code = axis_code(sim.responses, sim.features, sim.blocks)
    wall, used = time.perf_counter() - began, time.process_time() - used
    torch.set_num_threads(1)
    right = float((code.verdict == np.array(sim.codes)).mean())
    ratio = 20 / wall
    return Row(
        f"the whole bench, {units} units, {n:,} stimuli, 50 features, {threads} thread{'s' * (threads > 1)}",
        1000 * wall,
        "asked for: 20 s on two cores",
        20_000.0,
        ratio,
        ratio,
        ratio,
        1 - right,
        "of the verdicts not the true code",
        f"processor time {used:.1f} s, at a load of {os.getloadavg()[0]:.1f}",
    )


def _cubic(x: np.ndarray, c: np.ndarray) -> np.ndarray:
    return c[0] + c[1] * x + c[2] * x**2 + c[3] * x**3


def _literal(s: np.ndarray, y: np.ndarray, out: int, bound: float) -> float:
    """The squared error of stimulus `out`, all 54 parameters fitted to the others from the direction of the STA."""
    keep = np.arange(len(s)) != out
    a, b = s[keep], y[keep]
    sta = (a - a.mean(0)).T @ (b - b.mean())
    e = sta / np.linalg.norm(sta) * bound / 2
    x = np.linalg.norm(a - e, axis=1)
    c = np.polyfit(x, b, 3)[::-1]

    def far(e):
        return e * min(1.0, bound / np.linalg.norm(e))

    def residual(p):
        return _cubic(np.linalg.norm(a - far(p[4:]), axis=1), p[:4]) - b

    p = least_squares(residual, np.concatenate([c, e]), method="trf", x_scale="jac").x
    return float((_cubic(np.linalg.norm(s[out] - far(p[4:])), p[:4]) - y[out]) ** 2)


def _exemplar(rounds: int, quick: bool) -> Row:
    n, d, units, left = (400, 10, 8, 2) if quick else (2000, 50, 32, 2)
    sim = simulate("exemplar", n=n, d=d, units=units, reliability=0.7)
    s = sim.features - sim.features.mean(0)
    y = (sim.responses - sim.responses.mean(0)) / sim.responses.std(0)
    stimuli, learnt = Stimuli.of(torch.as_tensor(s, dtype=torch.float32)), torch.as_tensor(y.T, dtype=torch.float32)
    bound = 1.5 * stimuli.unit
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    errors = torch.zeros(units, n)

    def ours() -> None:
        for test in order.tensor_split(10):
            train = torch.ones(n, dtype=torch.bool)
            train[test] = False
            inside, part = stimuli.rows(train), learnt[:, train].contiguous()
            design = Design(GENERATORS["exemplar"], inside)
            even = even_axis(Design(GENERATORS["axis"], inside), part)
            found = fit(design, part, start(design, part, even, bound), bound, 12, 5e-5)
            errors[:, test] = found.predict(design.generator, stimuli.rows(test)) - learnt[:, test]

    theirs: list[float] = []

    def literal() -> None:
        theirs[:] = [_literal(s, y[:, 0], int(k), bound) for k in order[:left]]

    ours(), literal()
    mine = [float(errors[0, int(k)] ** 2) for k in order[:left]]
    return compare(
        f"held-out exemplar fits of {units} units, {n:,} stimuli, {d} features",
        ours,
        "scipy, one stimulus left out at a time",
        literal,
        3,
        theirs_scale=units * n / left,
        error=float(np.abs(np.sqrt(mine) - np.sqrt(theirs)).max()),
        error_of="standard deviations, error of a left-out stimulus",
        note=f"ours 10 folds; theirs measured on {left} of {units * n:,} fits",
    )


def _growth(quick: bool) -> list[Row]:
    n, d, sizes = (400, 10, (100, 200)) if quick else (500, 20, (2500, 5000, 10_000))
    cases = [(n, d, units) for units in sizes] + [(4 * n, d // 2, sizes[-1])]
    rows, base = [], 0.0
    for stimuli, features, units in cases:
        done = subprocess.run(
            [sys.executable, "-c", _GROWTH, str(stimuli), str(features), str(units)],
            capture_output=True,
            text=True,
            check=True,
        )
        seconds, megabytes = json.loads(done.stdout)
        base = base or seconds
        rows.append(_grown(stimuli, features, units, seconds, megabytes, base, sizes[0]))
    return rows


def _grown(n: int, d: int, units: int, seconds: float, megabytes: float, base: float, least: int) -> Row:
    ratio = seconds / base
    note = f"processor time; largest memory {megabytes:,.0f} MB, the responses {n * units * 8 / 2**20:,.0f} MB of it"
    name = f"{units:,} units, {n:,} stimuli, {d} features, 2 folds, 100 permutations"
    return Row(
        name,
        1000 * seconds,
        f"{least:,} units in the first of these rows",
        1000 * base,
        ratio,
        ratio,
        ratio,
        None,
        "",
        note,
    )


def _peers(rounds: int, quick: bool) -> list[Row]:
    folder = os.environ.get("DEEPTHEORY_PEERS")
    python = Path(folder or ".") / "axis" / "bin" / "python"
    if not folder or not python.exists():
        print(
            "himalaya and rsatoolbox: left out; DEEPTHEORY_PEERS names no folder with axis/bin/python", file=sys.stderr
        )
        return []
    units, n = (40, 300) if quick else (205, 2000)
    sim = simulate(MIXTURE, n=n, units=units, variances="paper", reliability=0.5)
    e = enter(sim.responses, sim.features, None, "none")
    centered = e.y - e.y.mean(0)
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        path = str(Path(scratch) / "data.npz")
        np.savez(path, y=sim.responses, s=sim.features, alphas=np.array(_ALPHAS))
        himalaya, rsatoolbox = Peer(python, "himalaya", path), Peer(python, "rsatoolbox", path)
        try:
            mine = (e.z @ _ridge(e.z, centered, e.variances, None)[0] + e.y.mean(0)).numpy()
            theirs = himalaya.answer()
            same = np.abs(mine - theirs).max(0) / sim.responses.std(0)
            rows.append(
                compare(
                    f"ridge axes of {units} units, {n:,} stimuli, penalty chosen for each",
                    lambda: _ridge(e.z, centered, e.variances, None),
                    "himalaya 0.4.11, RidgeCV",
                    himalaya,
                    rounds,
                    error=float(np.median(same)),
                    error_of="standard deviations, largest of a unit, median",
                    note="the same penalties; theirs has 5 folds, ours leaves out one; predictions differ where "
                    "another penalty is chosen",
                )
            )
            rows.append(
                compare(
                    f"similarity of {n:,} stimuli, {units} units",
                    lambda: similarity_matrix(sim.responses),
                    "rsatoolbox 0.3.2",
                    rsatoolbox,
                    rounds,
                    error=_similarity_error(sim.responses, rsatoolbox.answer()),
                    error_of="correlation",
                    note="ours also standardizes each unit; agreement without that",
                )
            )
        finally:
            himalaya.close()
            rsatoolbox.close()
    return rows


def _closed_ridge(rounds: int, quick: bool) -> Row:
    """The strongest form at hand of the same computation, in this process: leave-one-out in closed form."""
    from sklearn.linear_model import RidgeCV

    units, n = (40, 300) if quick else (205, 2000)
    sim = simulate(MIXTURE, n=n, units=units, variances="paper", reliability=0.5)
    e = enter(sim.responses, sim.features, None, "none")
    centered, z, y = e.y - e.y.mean(0), e.z.numpy(), e.y.numpy()
    alphas = n * float(e.variances.mean()) * np.array(_ALPHAS)

    def theirs():
        return RidgeCV(alphas, alpha_per_target=True).fit(z, y)

    axis, penalty = _ridge(e.z, centered, e.variances, None)[:2]
    model = theirs()
    same = np.isclose(model.alpha_, n * penalty.numpy(), rtol=1e-9)
    return compare(
        f"ridge axes of {units} units, {n:,} stimuli, penalty chosen for each",
        lambda: _ridge(e.z, centered, e.variances, None),
        f"scikit-learn {version('scikit-learn')}, RidgeCV",
        theirs,
        rounds,
        error=float(np.abs(model.coef_.T - axis.numpy())[:, same].max()),
        error_of="weight of a feature",
        note=f"the same penalty for {same.sum()} of {units} units",
        clock=time.process_time,
    )


def _similarity_error(y: np.ndarray, theirs: np.ndarray) -> float:
    """Theirs does not standardize units; neither does this, for the comparison of values."""
    plain = y - y.mean(1, keepdims=True)
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    off = np.abs(plain @ plain.T - theirs)
    np.fill_diagonal(off, 0)
    return float(off.max())


def run(rounds: int, quick: bool) -> list[Row]:
    """All rows; one thread but for the whole bench, which is shown with two as well."""
    torch.set_num_threads(1)
    return [
        _whole(quick, 1), _whole(quick, 2), _exemplar(rounds, quick), _closed_ridge(rounds, quick),
        *_growth(quick), *_peers(rounds, quick),
    ]  # fmt: skip
