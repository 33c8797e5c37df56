"""Runs killed by `kill -9`, resumed, and compared with unbroken ones.

A run of four steps (draws, a training and a sum with a checkpoint at each of their steps, one that needs others) and
its ledger is killed at its k-th write, for every k: before it, and with the file that it opens left empty. A write is
whatever Python opens for writing, makes, renames or removes in the run folder, in any of its processes (an audit hook
counts them). With workers, either the run itself is killed, and its workers find themselves alone, or the worker that
writes, as the system does for want of memory; writes are then a sample, evenly spread, and the training is left out,
since torch takes each new worker seconds to load. Other kills come at random moments, again and again until the run
comes to its end; so do those of a study with its page. A kill that a run does not notice, of a worker that has
nothing to do, is not counted. Every file of data must then be that of an unbroken run, byte for byte (run.json but
for its times), with nothing half written left.

`python -m benchmarks.kills` does all, `--few` seven trials; finished trials are kept in runs/kills.jsonl, so that a
second call goes on; `--page docs/kills.md` writes the table.
"""

import argparse
import hashlib
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from benchmarks.killed_runs import RUNS, SAID, arm

_TIMES = ("times", "notes")  # of run.json: when, how long, and that it was gone on with
_LEFT = re.compile(r"\.new(-\d+)?$|\.old(-\d+)?$|\.work$|\.share$")


@dataclass(frozen=True)
class Trial:
    """run: in RUNS. victim: "run" or "worker". at: the write at which it is killed, None for random moments. empty: the
    file that it opens is left empty. number: of the trials at random moments."""

    run: str
    engine: str
    victim: str
    at: int | None
    empty: bool = False
    number: int = 0


@dataclass(frozen=True)
class Outcome:
    """kills: how many there were, 0 where the run ended before. wrong: what differs from an unbroken run, or ""."""

    trial: Trial
    kills: int
    wrong: str
    seconds: float


def attempt(trial: Trial, folder: Path, count: Path | None, log: Path) -> int:
    """Fork a process that makes the run, killed as the trial says where there is a file to count in; its number."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.setsid()
        if count is not None:
            said = {
                "folder": str(folder),
                "at": trial.at,
                "empty": trial.empty,
                "victim": trial.victim,
                "count": str(count),
                "owner": os.getpid(),
            }
            if trial.engine == "processes":
                os.environ[SAID] = json.dumps(said)
            arm(**said)
        RUNS[trial.run](folder, trial.engine)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def ended(child: int) -> int:
    """Exit code of the child, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def files(folder: Path) -> dict[str, str]:
    """Digest of every file of data, by its name in the folder."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = str(path.relative_to(folder))
        data = path.read_bytes()
        if name == "run.json":
            data = json.dumps({k: v for k, v in json.loads(data).items() if k not in _TIMES}).encode()
        if name == "report.html" or path.name.startswith("."):  # the page says how long the run took
            continue
        found[name] = hashlib.sha256(data).hexdigest()
    return found


def difference(folder: Path, unbroken: dict[str, str]) -> str:
    """What is not as in an unbroken run, or ""."""
    seen = files(folder)
    names = sorted(k for k in {**seen, **unbroken} if seen.get(k) != unbroken.get(k))
    left = sorted(str(p.relative_to(folder)) for p in folder.rglob(".*") if _LEFT.search(p.name))
    return "; ".join(
        x for x in (f"differ: {names[:3]}" if names else "", f"left over: {left[:3]}" if left else "") if x
    )


class Trials:
    """Trials, done or to do, in one folder."""

    def __init__(self, keep: Path):
        self.keep = keep
        self.done = {}
        if keep.exists():
            rows = [json.loads(line) for line in keep.read_text().splitlines()]
            outcomes = [Outcome(Trial(**r.pop("trial")), **r) for r in rows]
            self.done = {o.trial: o for o in outcomes}
        self._unbroken: dict[tuple[str, str], tuple[dict[str, str], float]] = {}

    def unbroken(self, run: str, engine: str) -> tuple[dict[str, str], float]:
        """Digests of a run that nobody kills, and its seconds."""
        if (run, engine) not in self._unbroken:
            with tempfile.TemporaryDirectory() as place:
                started = time.monotonic()
                code = ended(attempt(Trial(run, engine, "", None), Path(place) / "r", None, Path(place) / "log"))
                if code:
                    raise SystemExit(f"the unbroken run fails:\n{(Path(place) / 'log').read_text()}")
                self._unbroken[run, engine] = files(Path(place) / "r"), time.monotonic() - started
        return self._unbroken[run, engine]

    def outcome(self, trial: Trial) -> Outcome:
        """Do the trial, unless it was done."""
        if trial not in self.done:
            started = time.monotonic()
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
                kills, wrong = self._tried(trial, Path(place))
            made = Outcome(trial, kills, wrong, round(time.monotonic() - started, 2))
            self.keep.parent.mkdir(parents=True, exist_ok=True)
            with self.keep.open("a") as file:
                file.write(json.dumps(asdict(made)) + "\n")
            self.done[trial] = made
            print(f"{trial}: {kills} kills, {made.seconds} s {wrong}", file=sys.stderr, flush=True)
        return self.done[trial]

    def _tried(self, trial: Trial, place: Path) -> tuple[int, str]:
        unbroken, seconds = self.unbroken(trial.run, trial.engine)
        folder, log = place / "r", place / "log"
        if trial.at is None:
            kills = _again_and_again(trial, folder, log, seconds)
        else:
            code = ended(attempt(trial, folder, place / "count", log))
            kills = int(code != 0)
            if code not in (0, -signal.SIGKILL) and "a worker process was killed" not in log.read_text():
                return kills, f"exit code {code} for a kill: {log.read_text()[-500:]}"
        code = ended(attempt(trial, folder, None, log))
        if code:
            return kills, f"exit code {code} when resumed: {log.read_text()[-500:]}"
        return kills, difference(folder, unbroken)


def _again_and_again(trial: Trial, folder: Path, log: Path, seconds: float) -> int:
    """Kill at random moments until the run comes to its end by itself; how often."""
    dice = random.Random(repr(trial))
    for kills in range(20):
        child = attempt(trial, folder, None, log)
        time.sleep(dice.uniform(0, 1.2 * seconds))
        at_work = [int(p) for p in Path(f"/proc/{child}/task/{child}/children").read_text().split()]
        if trial.victim == "worker" and at_work:
            os.kill(dice.choice(at_work), signal.SIGKILL)
            code = ended(child)  # it says that a worker was killed, and stops
        else:
            if os.waitpid(child, os.WNOHANG) != (0, 0):
                return kills
            os.kill(child, signal.SIGKILL)
            code = ended(child)
        if code == 0:
            return kills
    return 20


def every_write(trials: Trials, engine: str, victim: str, most: int | None) -> Iterator[Outcome]:
    """Trials at every write, in an order that is evenly spread at any time; `most`: no more writes than that."""
    writes = _writes(trials, engine)
    for k in spread(len(writes))[:most]:
        yield trials.outcome(Trial("small", engine, victim, k))
        if writes[k - 1 : k] == b"o":
            yield trials.outcome(Trial("small", engine, victim, k, empty=True))


def spread(n: int) -> list[int]:
    """1 to n: the first, then the numbers with their binary digits reversed, so that any beginning is evenly spread."""
    digits = max(n - 1, 1).bit_length()
    return [1 + k for k in (int(f"{i:0{digits}b}"[::-1], 2) for i in range(1 << digits)) if k < n]


def _writes(trials: Trials, engine: str) -> bytes:
    """The writes of an unbroken run: "o" where a file is opened, "x" for another."""
    with tempfile.TemporaryDirectory() as place:
        count = Path(place) / "count"
        ended(attempt(Trial("small", engine, "run", 0), Path(place) / "r", count, Path(place) / "log"))
        return count.read_bytes()


def at_moments(trials: Trials, run: str, engine: str, victim: str, kills: int) -> Iterator[Outcome]:
    """Trials at random moments until there were so many kills."""
    number = there = 0
    while there < kills:
        made = trials.outcome(Trial(run, engine, victim, None, number=number))
        number, there = number + 1, there + max(made.kills, 1)
        yield made


def plan(trials: Trials, kills: int, few: bool, only: str | None) -> Iterator[Outcome]:
    """All trials, kinds by turns: every write of the serial run; with workers, and at random moments, by `kills`."""
    sides = [s for s in (("serial", "run"), ("processes", "run"), ("processes", "worker")) if only in (None, s[0])]
    if few:
        kinds = [every_write(trials, e, v, 2 if e == "serial" else 1) for e, v in sides if v == "run"]
        kinds += [at_moments(trials, "small", e, v, 1) for e, v in sides if e == "serial"]
    else:
        kinds = [every_write(trials, e, v, None if e == "serial" else kills // 4) for e, v in sides]
        kinds += [at_moments(trials, "small", e, v, kills // 8) for e, v in sides]
        kinds += [at_moments(trials, "study", e, v, kills // 20) for e, v in sides]
    while kinds:
        for kind in list(kinds):
            made = next(kind, None)
            if made is None:
                kinds.remove(kind)
            else:
                yield made


def table(outcomes: list[Outcome]) -> list[str]:
    """Markdown: one row for each kind of trial."""
    lines = [
        "| run | engine | killed | when | kills | resumed to the same bits | not |",
        "|---|---|---|---|---|---|---|",
    ]
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for o in outcomes:
        t = o.trial
        when = "at a write, its file left empty" if t.empty else "before a write" if t.at else "random moments"
        what = "a study" if t.run == "study" else "four steps" if t.engine == "serial" else "three steps"
        groups.setdefault((what, t.engine, "the run" if t.victim == "run" else "a worker", when), []).append(o)
    for key, rows in groups.items():
        right = sum(not o.wrong for o in rows)
        lines.append(
            f"| {' | '.join(key)} | {sum(o.kills for o in rows)} | {right} of {len(rows)} | {len(rows) - right} |"
        )
    return lines


def page(outcomes: list[Outcome]) -> str:
    """docs/kills.md: what was done, and its table."""
    from deeptheory.runs.machine import machine

    here = machine()
    said = (__doc__ or "").split("\n\n")[1]
    kills = sum(o.kills for o in outcomes)
    wrong = [f"- {o.trial}: {o.wrong}" for o in outcomes if o.wrong]
    lines = [
        "# Runs that were killed",
        "",
        said,
        "",
        f"{kills} kills in {len(outcomes)} trials; {here['processor']}, {here['cores']} cores. Made by "
        "`python -m benchmarks.kills --page docs/kills.md`.",
        "",
        *table(outcomes),
        *([""] if wrong else []),
        *wrong,
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.kills")
    parser.add_argument(
        "--kills",
        type=int,
        default=200,
        help="a quarter of it: writes at which a run with workers is killed; an eighth: random moments",
    )
    parser.add_argument("--only", choices=("serial", "processes"), help="one engine alone")
    parser.add_argument("--few", action="store_true", help="seven trials")
    parser.add_argument("--keep", type=Path, default=Path("runs/kills.jsonl"), help="where finished trials are kept")
    parser.add_argument(
        "--seconds", type=float, default=float("inf"), help="stop after so long, 0: do nothing; a second call goes on"
    )
    parser.add_argument("--page", type=Path, help="write the table there")
    chosen = parser.parse_args()
    for name in (
        "deeptheory.networks",
        "deeptheory.studies.study",
        "torch._dynamo",
        "xarray",
        "zarr",
        "scipy.stats",
        "joblib",
    ):
        import_module(name)  # once, before processes are forked

    trials, started = Trials(chosen.keep), time.monotonic()
    for _ in plan(trials, chosen.kills, chosen.few, chosen.only) if chosen.seconds > 0 else ():
        if time.monotonic() - started > chosen.seconds:
            print("stopped for want of time; the same call goes on", file=sys.stderr)
            break
    outcomes = list(trials.done.values())
    print("\n".join(table(outcomes)))
    if chosen.page:
        chosen.page.write_text(page(outcomes), encoding="utf-8")
    return int(any(o.wrong for o in outcomes))


if __name__ == "__main__":
    sys.exit(main())
