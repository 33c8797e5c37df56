"""Draws of the table: an estimator on one sample of a task. A row is an estimator, a task and an n, in several seeds.

Each draw is one line of a file, written when it is there, so that a killed run goes on with the next draw and a later
one with more seeds adds to the same row. A row gets ten minutes: what is left of it then is written down as such, and
so are refusals and failures; they are part of the table. Seconds are of the processor, of one thread.
"""

import json
import math
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import truths
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.results import Estimate

ROW_SECONDS = 600
Run = Callable[[np.ndarray, np.ndarray, float], "Found"]


class Found(NamedTuple):
    """What an estimator said: bits, NaN where there is none; notes: how many; seconds of the processor."""

    value: float
    low: float
    high: float
    notes: int
    seconds: float
    method: str = ""


class Key(NamedTuple):
    """A draw: which estimator, task, samples, and the number of the draw, from 0 (its seed: truths.seed_of)."""

    estimator: str
    task: str
    n: int
    seed: int


@dataclass(frozen=True)
class Draw:
    """A draw and what became of it; end: "" where it gave a number, else why not. at: the commit or version."""

    estimator: str
    task: str
    n: int
    seed: int
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    notes: int = 0
    seconds: float = math.nan
    method: str = ""
    end: str = ""
    at: str = ""

    @property
    def key(self) -> Key:
        return Key(self.estimator, self.task, self.n, self.seed)


class PeerError(Exception):
    """What went wrong in a peer's process, in its words."""


class TimeIsUp(Exception):
    """A row's ten minutes are over."""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """TimeIsUp in the block after so many seconds by the clock, where the system can (POSIX, main thread)."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def read(path: Path) -> dict[Key, Draw]:
    """Draws of a file, by key; a later line replaces an earlier one, a last line that was cut off is left out.

    StoreError: any other line that is none. InputError: a folder.
    """
    found: dict[Key, Draw] = {}
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file for the draws")
    if not path.exists():
        return found
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        try:
            draw = Draw(**{k: math.nan if v is None else v for k, v in json.loads(line).items()})
        except (ValueError, TypeError) as error:
            if number == len(lines) and not line.endswith("\n"):
                break
            raise StoreError(f"{path}, line {number}, is no draw ({error}); delete the line or the file") from error
        found[draw.key] = draw
    return found


def append(path: Path, draw: Draw) -> None:
    """One more line, after cutting off one that was left half written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {
        k: (None if not math.isfinite(v) else float(f"{v:.6g}")) if isinstance(v, float) else v
        for k, v in asdict(draw).items()
    }
    for name in ("low", "high"):  # unbounded is no missing interval
        if math.isinf(getattr(draw, name)):
            fields[name] = getattr(draw, name)
    with path.open("a+b") as file:
        size = file.seek(0, 2)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                whole = path.read_bytes().rfind(b"\n") + 1
                file.truncate(whole)
        file.write(json.dumps(fields).encode() + b"\n")


def ours(name: str) -> Run:
    """An estimator of deeptheory by its name, or one that a user or a plug-in added to MUTUAL_INFORMATION."""
    from deeptheory.information.measures import mutual_information

    def run(x: np.ndarray, y: np.ndarray, seconds: float) -> Found:
        start = time.process_time()
        method: Any = name  # of a plug-in, too, which the names in the signature do not hold
        got: Estimate = mutual_information(x, y, method)
        return Found(got.value, got.low, got.high, len(got.notes), time.process_time() - start, got.method)

    return run


def measure(run: Run, estimator: str, task: str, n: int, seeds: Iterable[int], at: str = "") -> Iterator[Draw]:
    """The draws of one row, in ten minutes. Refusals (InputError), failures and lack of time end a draw, not the row;
    once there is no time, the draws that are left are not begun."""
    started, truth = time.monotonic(), truths.task(task)
    for seed in seeds:
        key = Key(estimator, task, n, seed)
        left = ROW_SECONDS - (time.monotonic() - started)
        if left <= 0:
            yield Draw(*key, end="no time left in the row", at=at)
            continue
        x, y = truth.sample(n, truths.seed_of(task, seed))
        try:
            with limit(left), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = run(x, y, left)
            yield Draw(*key, *found, at=at)
        except TimeIsUp:
            yield Draw(*key, end=f"over {ROW_SECONDS} seconds", at=at)
        except InputError as refused:
            yield Draw(*key, end=f"refused: {refused}"[:160], at=at)
        except PeerError as error:
            yield Draw(*key, end=f"failed: {error}"[:160], at=at)
        except Exception as error:  # somebody else's estimator may raise anything: it stands in the table
            yield Draw(*key, end=f"failed: {type(error).__name__}: {error}"[:160], at=at)
