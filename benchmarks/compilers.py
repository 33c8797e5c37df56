"""Formulas compiled: ours beside pykan's kanpiler, sympytorch, PolyBake, a trained network and interval bounds.

Three formulas of pykan's open issues and 30 equations of the Feynman database on its own intervals
(benchmarks/formulas.py); ours to a tolerance of 1e-3 of the largest value met, 2,000 rows, one thread. The peers live
in environments of their own: DEEPTHEORY_PEERS names a folder in which `kan/bin/python` has pykan and sympytorch and
`bake/bin/python` has PolyBake; without one its columns stay empty, and a sentence on stderr says so. Each formula is
built and run by all sides in turn, one after the other, so that a busy machine is busy for all.
`python -m benchmarks.compilers > compilers.json` and `python docs/make_compilers.py compilers.json docs/compile.md`
write the table of docs/compile.md.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import sympy
import torch
from torch import nn

from benchmarks.cheap import interval_bounds
from benchmarks.formulas import FORMULAS, Domain
from benchmarks.timing import Row, interleaved
from deeptheory.cheap import compile_polynomial
from deeptheory.core.errors import InputError

TOLERANCE = 1e-3  # of the largest |value| met
ROWS = 2000
PEERS = {"kan": ("kan", "formula_peers.py"), "polybake": ("bake", "polybake_peer.py")}  # folder, script


def run(rounds: int, quick: bool) -> list[Row]:
    """One row a formula: time to run, ours and the kanpiler's."""
    return rows_of(measure(rounds, quick))


def rows_of(measured: list[dict[str, Any]]) -> list[Row]:
    """The same of records that were measured before."""
    rows = []
    for m in measured:
        ours, kan = m["ours"], m.get("kan", {"failed": "not here"})
        nan = float("nan")
        a = 1000 * ours["run"] if not ours["refused"] else nan
        b = 1000 * kan["run"] if not kan["failed"] else nan
        note = (
            ours["refused"]
            or f"{ours['neurons']} neurons, certified to {ours['certified'] / m['size']:.1e} of the largest value"
        )
        note += "" if not kan["failed"] else f"; the kanpiler failed: {kan['failed']}"
        note += "" if kan["failed"] else f"; the kanpiler is off by {kan['error'] / m['size']:.1e}"
        off = None if ours["refused"] else ours["error"] / m["size"]
        rows.append(
            Row(
                f"run {m['label']}: `{m['text']}`",
                a,
                "pykan kanpiler",
                b,
                b / a,
                b / a,
                b / a,
                off,
                "of the largest value: error of ours",
                note,
            )
        )
    return rows


def measure(rounds: int, quick: bool) -> list[dict[str, Any]]:
    """One record a formula."""
    torch.set_num_threads(1)
    peers = {name: process for name, where in PEERS.items() if (process := _started(*where))}
    out = []
    warm = problem("x*y + sin(x)", (-1, 1))  # what is imported late is imported now
    _ours(warm, 1)
    for process in peers.values():
        _asked(process, warm)
    for label, text, domain in FORMULAS[:3] if quick else FORMULAS:
        p = problem(text, domain)
        record = {"label": label, "text": text, "domain": str(domain), "size": p["size"], "ours": _ours(p, rounds)}
        record |= _beside(record["ours"].pop("network", None), p, quick)
        for name, process in peers.items():
            record |= _asked(process, p) or {name: {"failed": "its process ended"}}
        print(f"{label}: done", file=sys.stderr, flush=True)
        out.append(record)
    for process in peers.values():
        process.stdin.close()
        process.wait(timeout=20)
    return out


def problem(text: str, domain: Domain) -> dict[str, Any]:
    """A formula with its box, rows to try it on, and their true values in float64."""
    named = set(re.findall(r"[A-Za-z_]\w*", text)) - {"sin", "cos", "exp", "sqrt", "pi"}
    names = sorted(named)
    box = [domain[n] if isinstance(domain, dict) else domain for n in names]
    low, high = ([float(b[k]) for b in box] for k in (0, 1))
    symbols = [sympy.Symbol(n) for n in names]
    x = np.random.default_rng(0).uniform(low, high, (ROWS, len(names)))
    truth = sympy.lambdify(symbols, sympy.sympify(text, locals=dict(zip(names, symbols))), "numpy")(*x.T)
    size = float(np.abs(truth).max())
    return {
        "text": text,
        "names": names,
        "low": low,
        "high": high,
        "rows": ROWS,
        "tolerance": TOLERANCE * size,
        "size": size,
        "x": x,
        "truth": truth,
    }


def _ours(p: dict[str, Any], rounds: int) -> dict[str, Any]:
    start = time.perf_counter()
    try:
        made = compile_polynomial(
            p["text"], domain=dict(zip(p["names"], zip(p["low"], p["high"]))), tolerance=p["tolerance"]
        )
    except InputError as refused:
        return {"refused": str(refused)}
    built = time.perf_counter() - start
    t = torch.tensor(p["x"])
    with torch.no_grad():
        off = float(np.abs(made(t)[:, 0].numpy() - p["truth"]).max())
        seconds = float(np.median(interleaved({"ours": lambda: made(t)}, rounds)["ours"]))
    return {
        "refused": "",
        "build": built,
        "run": seconds,
        "error": off,
        "certified": made.certificate.total,
        "neurons": made.neurons,
        "depth": made.depth,
        "network": made,
    }


def _beside(network: Any, p: dict[str, Any], quick: bool) -> dict[str, Any]:
    """What interval bound propagation says of our network, and what training reaches with as many neurons."""
    if network is None:
        return {}
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = interval_bounds(network, np.array(p["low"]), np.array(p["high"]))
    beyond = max(high - float(p["truth"].max()), float(p["truth"].min()) - low)
    worst = [_trained(network.neurons, p, seed, 60 if quick else 2000) for seed in range(1 if quick else 2)]
    return {"intervals": beyond / network.certificate.total, "trained": {"error": min(worst), "seeds": len(worst)}}


def _trained(neurons: int, p: dict[str, Any], seed: int, steps: int) -> float:
    """Largest error, on the rows, of a network of that many neurons in two layers; inputs and target scaled for it."""
    torch.manual_seed(seed)
    half = max(neurons // 2, 1)
    n = len(p["names"])
    mlp = nn.Sequential(
        nn.Linear(n, half),
        nn.SiLU(),
        nn.Linear(half, max(neurons - half, 1)),
        nn.SiLU(),
        nn.Linear(max(neurons - half, 1), 1),
    )
    low, high = np.array(p["low"]), np.array(p["high"])
    symbols = [sympy.Symbol(v) for v in p["names"]]
    f = sympy.lambdify(symbols, sympy.sympify(p["text"], locals=dict(zip(p["names"], symbols))), "numpy")
    u = np.random.default_rng(seed + 1).uniform(-1, 1, (16_384, n))
    y = f(*((u + 1) / 2 * (high - low) + low).T)
    mean, spread = float(np.mean(y)), float(np.std(y)) or 1.0
    inputs, target = torch.tensor(u, dtype=torch.float32), torch.tensor((y - mean) / spread, dtype=torch.float32)
    optimizer = torch.optim.Adam(mlp.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for k in range(steps):
        rows = slice(256 * k % len(u), 256 * k % len(u) + 256)
        optimizer.zero_grad()
        nn.functional.mse_loss(mlp(inputs[rows])[:, 0], target[rows]).backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        fresh = torch.tensor((p["x"] - low) / (high - low) * 2 - 1, dtype=torch.float32)
        return float(np.abs(mlp(fresh)[:, 0].double().numpy() * spread + mean - p["truth"]).max())


def _started(folder: str, script: str) -> Any:
    python = Path(os.environ.get("DEEPTHEORY_PEERS", "")) / folder / "bin" / "python"
    if not python.is_file():
        print(
            f"{script.removesuffix('.py')} is left out: DEEPTHEORY_PEERS names no folder with {folder}/bin/python",
            file=sys.stderr,
        )
        return None
    command = [str(python), str(Path(__file__).parent / script)]
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
    )


def _asked(process: Any, p: dict[str, Any]) -> dict[str, Any]:
    try:
        process.stdin.write(json.dumps({k: v for k, v in p.items() if k not in ("x", "truth")}) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())
    except (OSError, ValueError):
        return {}


if __name__ == "__main__":
    from deeptheory.runs.machine import machine, versions

    print(
        json.dumps(
            {"machine": machine(), "versions": versions(), "formulas": measure(9, "--quick" in sys.argv)}, indent=1
        )
    )
