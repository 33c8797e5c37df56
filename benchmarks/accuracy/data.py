"""The draws as a small table of text that the docs ship: one line per row, values of its seeds side by side.

estimator, task, n, seeds, then one entry per seed, separated by blanks: values, lows, highs (bits, 4 digits after the
point; "-" where there is none), notes (how many), seconds (2 digits). Draws without a number are lines of their own:
there task names all tasks of one estimator and n with that end, which says why.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from benchmarks.accuracy.rows import Draw
from deeptheory.core.errors import StoreError

HEADING = ("estimator", "task", "n", "seeds", "values", "lows", "highs", "notes", "seconds", "end")


def write(path: Path, draws: Iterable[Draw]) -> None:
    """Write them, sorted as they come by estimator, task and n."""
    groups: dict[tuple[str, str, int, str], list[Draw]] = defaultdict(list)
    without: dict[tuple[str, int, str, str], list[str]] = defaultdict(list)  # seeds -> tasks
    ended: dict[tuple[str, str, int, str], list[int]] = defaultdict(list)
    for d in draws:
        if d.end:
            ended[d.estimator, d.task, d.n, d.end].append(d.seed)
        else:
            groups[d.estimator, d.task, d.n, ""].append(d)
    for (estimator, task, n, end), seeds in ended.items():
        without[estimator, n, " ".join(map(str, sorted(seeds))), end].append(task)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(HEADING)
        for (estimator, n, seeds, end), tasks in without.items():
            out.writerow([estimator, " ".join(tasks), n, seeds, "", "", "", "", "", end])
        for (estimator, task, n, end), group in groups.items():
            group.sort(key=lambda d: d.seed)
            cells = [
                " ".join(f(d) for d in group)
                for f in (
                    lambda d: _text(d.value),
                    lambda d: _text(d.low),
                    lambda d: _text(d.high),
                    lambda d: str(d.notes),
                    lambda d: f"{d.seconds:.2g}",
                )
            ]
            out.writerow([estimator, task, n, " ".join(str(d.seed) for d in group), *cells, end])


def read(path: Path) -> list[Draw]:
    """What `write` wrote. StoreError: a line that is none."""
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        lines = csv.reader(file)
        if tuple(next(lines, ())) != HEADING:
            raise StoreError(f"{path} does not open with {','.join(HEADING)}")
        for number, line in enumerate(lines, 2):
            try:
                estimator, task, n, seeds, *lists, end = line
                if end:
                    found += [Draw(estimator, t, int(n), int(s), end=end) for t in task.split() for s in seeds.split()]
                    continue
                columns = [c.split() for c in lists]
                for k, seed in enumerate(seeds.split()):
                    key = (estimator, task, int(n), int(seed))
                    value, low, high = (_number(c[k]) for c in columns[:3])
                    found.append(Draw(*key, value, low, high, int(columns[3][k]), float(columns[4][k])))
            except (ValueError, IndexError) as error:
                raise StoreError(f"{path}, line {number}, is no row of draws: {line}") from error
    return found


def _text(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".") if math.isfinite(value) else str(value)


def _number(text: str) -> float:
    return math.nan if text == "-" else float(text)
