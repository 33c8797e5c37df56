"""Large loads: their time and most memory, each in a process of its own.

`python -m benchmarks.load [--only NAME] [--part .1] [--page FILE]`; finished rows are kept in runs/load.json, so that
a second call goes on. --part: a part of each load's size, for a look. --page: what is kept becomes a page.

Seconds are processor time of the one thread that works, so that a busy machine does not count; memory is the most that
the process held (resident, VmHWM), libraries included, which are about a quarter of a GB.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

import deeptheory as dt

ROOT = Path(__file__).resolve().parents[1]


def recording(part: float) -> str:
    """1,000 snapshots of 20 networks of 50 layers on 256 inputs, read by 30 bins while they are taken"""
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 2, (256, 12)).astype(np.float32), rng.integers(0, 2, 256)
    nets = dt.networks.Population.mlp([12, *[4] * 49, 2], seeds=range(20))
    recorder = dt.Recorder(nets, x, y, layers="layer*", readouts=[dt.Binning(30, (-1, 1))])
    steps = max(2, int(1000 * part))
    for step in range(steps):
        with torch.no_grad():
            for parameter in nets.parameters():
                parameter.mul_(1.0005)
        recorder.snapshot(step)
    plane = dt.information_plane(recorder.recording, dt.Binning(30, (-1, 1)))
    return f"{plane.i_x.size:,} points of the plane"


def points(part: float) -> str:
    """the information plane of 100,000 points (50 layers, 100 steps, 20 networks) as a page of its own"""
    rng = np.random.default_rng(0)
    steps = max(2, int(100 * part))
    recording = dt.Recording(range(20), rng.integers(0, 2, 64), inputs=64)
    for step in range(steps):
        spread = 0.5 + step / 40
        recording.add(
            step,
            {f"layer{k}": np.tanh(spread * rng.standard_normal((20, 64, 3))).astype(np.float32) for k in range(50)},
        )
    plane = dt.information_plane(recording, dt.Binning(30, (-1, 1)))
    page = ROOT / "runs" / "load" / "plane.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    plane.figure().write_html(page)
    return f"{plane.i_x.size:,} points, page {page.stat().st_size / 1e6:.1f} MB"


def axis(part: float) -> str:
    """the axis bench of 10,000 units, 2,000 stimuli, 50 features, without rival models, 100 shuffles"""
    units = max(20, int(10_000 * part))
    sim = dt.axis.simulate({"axis": 0.6, "exemplar": 0.4}, n=2000, d=50, units=units, reliability=0.5)
    found = dt.axis_code(sim.responses, sim.features, permutations=100, models=False)
    return f"{len(found.table()):,} units"


def _estimate(method: str, columns: int, labels: int = 0, **options):
    def load(part: float) -> str:
        rng, n = np.random.default_rng(0), int(1e6 * part)
        x = rng.standard_normal((n, columns))
        mix = rng.standard_normal((columns, columns))
        y = x @ mix + rng.standard_normal((n, columns))
        truth = f"; truth {np.linalg.slogdet(np.eye(columns) + mix.T @ mix)[1] / 2 / np.log(2):.4f}"
        if labels:
            y, truth = np.digitize(y[:, 0], np.quantile(y[:, 0], np.linspace(0, 1, labels + 1)[1:-1])), ""
        if method == "plugin":
            x, y, truth = np.digitize(x, [-1, 0, 1]), np.digitize(y, [-1, 0, 1]), ""
        found = dt.mutual_information(x, y, method, **options)
        return f"{found.value:.4f} bits [{found.low:.4f}, {found.high:.4f}]{truth}"

    return load


LOADS = {
    "recording": (recording, recording.__doc__),
    "points": (points, points.__doc__),
    "axis": (axis, axis.__doc__),
    "plugin": (_estimate("plugin", 3), "plug-in of counts, 10^6 rows of 3 and 3 integers"),
    "gaussian": (_estimate("gaussian", 10), "canonical correlations, 10^6 rows of 10 and 10 columns"),
    "labels": (_estimate("labels", 1, labels=3), "one column and 3 labels, 10^6 rows"),
    "ksg": (_estimate("ksg", 1), "KSG, 10^6 rows of 1 and 1 column"),
    "ksg 3 x 3": (_estimate("ksg", 3), "KSG, 10^6 rows of 3 and 3 columns"),
    "auto": (_estimate("auto", 2), "`auto`, 10^6 rows of 2 and 2 columns"),
}
LIMITS = """What bounds a load: activations that are kept (no `readouts=`, no `store=`) take 4 bytes a number, and
`Recorder` refuses what memory does not hold; a plane's figure writes every point into the page; the axis bench holds a
few copies of responses [stimulus, unit] in float64; estimates by neighbors hold a tree of the rows and never a table of
pairs. With a million rows the sampling error is so small that an interval of neighbor counts can miss the truth by
their bias, a few thousandths of a bit in 2 and 2 columns, as two rows above show."""


def run(name: str, part: float) -> None:
    """One load, in this process: one JSON line."""
    torch.set_num_threads(1)
    start = time.process_time()
    found = LOADS[name][0](part)
    seconds = time.process_time() - start
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) * 1024
    print(json.dumps({"seconds": round(seconds, 2), "peak_gb": round(peak / 1e9, 3), "found": found, "part": part}))


def page(kept: dict) -> str:
    """The table of what is kept, in the order of LOADS."""
    lines = [
        "# Large loads", "",
        "What large inputs take: processor seconds of one thread, and the most memory of the process (libraries are",
        "about a quarter of a GB of it). Made by `python -m benchmarks.load`, and with `--page`.", "",
        "| load | seconds | GB | what came out |", "|---|---|---|---|",
    ]  # fmt: skip
    for name, (_, words) in LOADS.items():
        if name in kept:
            k = kept[name]
            share = "" if k["part"] == 1 else f" ({k['part']:g} of it)"
            lines.append(f"| {words}{share} | {k['seconds']:g} | {k['peak_gb']:g} | {k['found']} |")
        else:
            lines.append(f"| {words} | not run | | |")
    return "\n".join([*lines, "", LIMITS]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=LOADS)
    parser.add_argument("--part", type=float, default=1.0)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--here", action="store_true", help="in this process, as the runner does")
    given = parser.parse_args()
    path = ROOT / "runs" / "load.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    if given.page is not None:
        given.page.write_text(page(kept), encoding="utf-8")
        return
    if given.here:
        run(given.only, given.part)
        return
    for name in [given.only] if given.only else LOADS:
        if given.only is None and kept.get(name, {}).get("part") == given.part:
            continue
        command = [sys.executable, "-m", "benchmarks.load", "--here", "--only", name, "--part", str(given.part)]
        out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if out.returncode:
            raise SystemExit(f"{name} ended with {out.returncode}:\n{out.stderr[-2000:]}")
        kept[name] = json.loads(out.stdout.splitlines()[-1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(kept, indent=1))
        print(f"{name}: {kept[name]}", flush=True)


if __name__ == "__main__":
    main()
