"""What the draws say: error, coverage, silent errors, needless notes and time of each estimator, and the goals.

A draw is off by |value - truth| bits. Silent: off by over .2 bit, the interval misses the truth (or there is none) and
no note. A row counts as near where the mean of |value - truth| over its draws is at most .2 bit. Best-of takes, for
each task, the estimator that came nearest: it is chosen with the truth in hand, so it is a limit, no method.
"""

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from benchmarks import truths
from benchmarks.accuracy.rows import Draw
from deeptheory.core.statistics import proportion_interval

NEAR = 0.2  # bits: goal of a row, and from where on an error that nobody mentions is silent
RIGHT = 0.15  # bits: a draw that needs no note
GOALS = {  # as they were asked for; judged for "auto", counted for all
    "near": "within .2 bit on at least 34 of the forty at n = 10,000",
    "silent": "wrong and silent on at most 5 of the 100",
    "covered": "at least 90 % of intervals without a note hold the truth",
    "noted": "a note on at most a quarter of the draws that are within .15 bit",
}


def truth_of(task: str, known: dict[str, float] = {}) -> float:  # noqa: B006  # computed once per task
    """Bits."""
    if task not in known:
        known[task] = truths.task(task).mutual_information
    return known[task]


def off(draw: Draw) -> float:
    """|value - truth| in bits; NaN without a value."""
    return abs(draw.value - truth_of(draw.task))


def holds(draw: Draw) -> bool | None:
    """Whether the interval holds the truth; None where there is no interval."""
    if math.isnan(draw.low) or math.isnan(draw.high):
        return None
    return draw.low - 1e-9 <= truth_of(draw.task) <= draw.high + 1e-9


def silent(draw: Draw) -> bool:
    """Wrong, and nothing says so."""
    return not draw.end and not off(draw) <= NEAR and not holds(draw) and not draw.notes


def share(k: int, n: int) -> dict[str, Any]:
    """k of n with the exact interval of the proportion."""
    if not n:
        return {"k": 0, "of": 0, "low": None, "high": None}
    found = proportion_interval(k, n)
    return {"k": k, "of": n, "low": round(found.low, 4), "high": round(found.high, 4)}


def summary(draws: Iterable[Draw]) -> list[dict[str, Any]]:
    """One dict per estimator, set and n."""
    groups: dict[tuple[str, str, int], list[Draw]] = defaultdict(list)
    for draw in draws:
        groups[draw.estimator, truths.set_of(draw.task), draw.n].append(draw)
    return [{"estimator": e, "set": which, "n": n, **of_draws(group)} for (e, which, n), group in groups.items()]


def of_draws(draws: list[Draw]) -> dict[str, Any]:
    """The counts of one estimator on one set at one n."""
    gave = [d for d in draws if not d.end]
    errors: dict[str, list[float]] = defaultdict(list)
    for d in gave:
        errors[d.task].append(off(d))
    mean = {task: float(np.nan_to_num(np.mean(v), nan=math.inf)) for task, v in errors.items()}  # no number: any error
    clear = [held for d in gave if not d.notes and (held := holds(d)) is not None]
    right = [d for d in gave if off(d) <= RIGHT]
    every = {d.task for d in draws}
    return {
        "tasks": len(every),
        "answered": len(mean),
        "median_error": float(np.median([*mean.values()])) if mean else math.nan,
        "near": share(sum(v <= NEAR for v in mean.values()), len(every)),
        "covered": share(sum(clear), len(clear)),
        "silent": share(sum(map(silent, gave)), len(draws)),
        "noted": share(sum(d.notes > 0 for d in right), len(right)),
        "seconds": float(np.median([d.seconds for d in gave])) if gave else math.nan,
    }


def best_of(draws: Iterable[Draw]) -> dict[tuple[str, int], tuple[str, float]]:
    """(task, n) -> the estimator whose mean error is least, and that error: in hindsight."""
    errors: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for d in draws:
        if not d.end and not math.isnan(d.value):
            errors[d.task, d.n, d.estimator].append(off(d))
    found: dict[tuple[str, int], tuple[str, float]] = {}
    for (task, n, name), values in errors.items():
        mean = float(np.mean(values))
        if (task, n) not in found or mean < found[task, n][1]:
            found[task, n] = name, mean
    return found


def told(rows: list[dict[str, Any]]) -> str:
    """The summary in lines of text."""
    heading = ("estimator", "set", "n", "answered", "near", "median error", "covered", "silent", "noted", "seconds")
    cells = [heading]
    for r in rows:
        cells.append((
            r["estimator"], r["set"], str(r["n"]), f"{r['answered']} of {r['tasks']}", _of(r["near"]),
            f"{r['median_error']:.3f}", _of(r["covered"]), _of(r["silent"]), _of(r["noted"]), f"{r['seconds']:.2g}",
        ))  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*cells)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths)).rstrip() for row in cells)


def _of(count: dict[str, Any]) -> str:
    return f"{count['k']} of {count['of']}"
