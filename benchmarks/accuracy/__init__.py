"""Estimators of mutual information on pairs of known information: how far off, how often held, how long.

`python -m benchmarks.accuracy`, or `deeptheory bench estimators`: "auto" and every name in MUTUAL_INFORMATION, a user's
own and those of plug-ins included, and with --peers other packages, each in an environment of its own.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas


def judge(estimator: str, tasks: Iterable[str] = ("forty",), *, n: int = 1_000, seeds: int = 1) -> "pandas.DataFrame":
    """An estimator in MUTUAL_INFORMATION on these tasks or sets, as the table judges it; nothing is written.

    One row per draw: estimator, task, n, seed, value, low, high (bits), notes (how many), seconds, method, end (why
    there is no number, or ""), truth, error (value less truth), held (None without an interval), silent (off by over
    .2 bit, not held, no note). InputError: an unknown estimator or task.
    """
    from dataclasses import asdict

    import pandas as pd

    from benchmarks.accuracy import counts, plan, rows
    from deeptheory.core.names import pick

    pick(dict.fromkeys(plan.estimators()), estimator, what="estimator")
    run = rows.ours(estimator)
    draws = [d for task in plan.tasks_of(tasks) for d in rows.measure(run, estimator, task, n, range(seeds))]
    told = [
        {k: v for k, v in asdict(d).items() if k != "at"}
        | {"truth": counts.truth_of(d.task), "error": d.value - counts.truth_of(d.task)}
        | {"held": counts.holds(d), "silent": counts.silent(d)}
        for d in draws
    ]
    return pd.DataFrame(told)
