"""python -m benchmarks.accuracy [--only NAME] [--peers] [--quick] [--json], as `deeptheory bench estimators`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy import plan, rows
from benchmarks.accuracy.counts import summary, told
from benchmarks.accuracy.peers import PEERS, peer
from benchmarks.command import command
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.runs.machine import machine, versions

KEPT = Path("runs") / "estimators.jsonl"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="an estimator by name; may be repeated")
    parser.add_argument(
        "--tasks", action="append", default=[], help="a set (forty, further, held-out, fresh) or a task"
    )
    parser.add_argument("--n", action="append", type=int, default=[], help="samples; 1000 and 10000")
    parser.add_argument("--seeds", type=int, help="at most so many draws per row")
    parser.add_argument("--peers", action="store_true", help="other packages, from the folder DEEPTHEORY_PEERS")
    parser.add_argument("--quick", action="store_true", help="four tasks, 300 samples, one draw")
    parser.add_argument("--minutes", type=float, help="begin no row after so many minutes")
    parser.add_argument("--keep", type=Path, default=KEPT, help="file of finished draws; a later call goes on with it")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    chosen = parser.parse_args(arguments)
    todo = chosen_rows(chosen)
    done = rows.read(chosen.keep)
    go(todo, done, chosen.keep, None if chosen.minutes is None else 60 * chosen.minutes)
    asked = {(r.estimator, r.task, r.n, seed) for r in todo for seed in r.seeds}
    draws = [d for d in done.values() if d.key in asked]
    missing = len(asked) - len(draws)
    if chosen.json:
        said = {"machine": machine(), "versions": versions(), "missing": missing, "estimators": summary(draws)}
        print(json.dumps(said | {"draws": [asdict(d) for d in draws]}, indent=1))
        return
    print(told(summary(draws)))
    if missing:
        print(f"{missing} of {len(asked)} draws are not measured yet; the same command goes on", file=sys.stderr)


def chosen_rows(chosen: argparse.Namespace) -> list[plan.Row]:
    """The rows that the options ask for. InputError: an unknown name, a size below 10."""
    known = [*plan.estimators(), *PEERS]
    for name in chosen.only:
        pick(dict.fromkeys(known), name, what="estimator")
    names = chosen.only or (known if chosen.peers else plan.estimators())
    sizes = chosen.n or ([plan.QUICK_N] if chosen.quick else list(plan.SIZES))
    if min(sizes) < 10:
        raise InputError(f"--n is {min(sizes)}; needed: 10 samples or more")
    if chosen.seeds is not None and chosen.seeds < 1:
        raise InputError(f"--seeds is {chosen.seeds}; needed: 1 or more")
    most = 1 if chosen.quick else chosen.seeds
    if chosen.tasks or chosen.quick:
        return plan.rows(names, plan.tasks_of(chosen.tasks or plan.QUICK_TASKS), sizes, most)
    return plan.whole(names, sizes, most)


def go(todo: list[plan.Row], done: dict[rows.Key, rows.Draw], kept: Path, seconds: float | None) -> None:
    """Measure what is not done yet, row by row, into the file and into `done`; progress on stderr."""
    started, open_runs, at = time.monotonic(), {}, commit()
    left = [
        (row, seeds)
        for row in todo
        if (seeds := [s for s in row.seeds if (row.estimator, row.task, row.n, s) not in done])
    ]
    try:
        for number, (row, seeds) in enumerate(left, 1):
            if seconds is not None and time.monotonic() - started > seconds:
                print(f"time is up: {len(left) - number + 1} rows are left", file=sys.stderr)
                return
            if row.estimator not in open_runs:
                open_runs[row.estimator] = runner(row.estimator)
            run, end = open_runs[row.estimator]
            draws = rows.measure(run, row.estimator, row.task, row.n, seeds, at)
            for draw in draws if not end else []:
                rows.append(kept, draw)
                done[draw.key] = draw
            print(
                f"{number} of {len(left)}: {row.estimator}, {row.task}, n = {row.n}"
                f"{f': {end}' if end else ''}, {time.monotonic() - started:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    finally:
        for run, _ in open_runs.values():
            getattr(run, "close", lambda: None)()


def runner(estimator: str) -> tuple[Callable, str]:
    """What measures an estimator, and why it cannot be measured here, or ""."""
    if estimator in PEERS:
        return peer(estimator)
    return rows.ours(estimator), ""


def commit() -> str:
    """The short commit of this checkout, "" where there is none."""
    try:
        asked = ["git", "rev-parse", "--short", "HEAD"]
        return subprocess.run(asked, capture_output=True, text=True, cwd=Path(__file__).parent).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    command(main)
