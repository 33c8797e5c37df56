"""Which rows are measured, in which order: cheap and telling ones first, so that a run that is stopped has the most.

Untrained estimators: 5 seeds at n = 1,000 and 10,000 on the forty, one on the further pairs. Trained ones: 2 seeds at
n = 10,000. The two hundreds of held-out pairs get two draws of "auto" at both n: of seeds of their own, but for the
first draw of the first hundred: seed 0, which was fixed with the list, though pairs that are maps of one another share
it. Others get one, where they are asked for.
"""

from collections.abc import Iterable
from typing import NamedTuple

from benchmarks import truths
from deeptheory.information.estimators import MUTUAL_INFORMATION

TRAINED = ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow")  # by name, where they are in the dict
SIZES = (1_000, 10_000)
FIRST = ("auto", "ksg", "gaussian", "copula", "mixed", "labels", "plugin")
QUICK_TASKS = ("normal-1x1", "student-1x1-dof1", "binary-symmetric-0.1", "two-classes")
QUICK_N = 300


class Row(NamedTuple):
    """estimator, task, n, and the seeds that it is owed."""

    estimator: str
    task: str
    n: int
    seeds: tuple[int, ...]


def estimators() -> list[str]:
    """The names to measure: auto and all in MUTUAL_INFORMATION, those of users and plug-ins too; cheap ones first."""
    names = list(MUTUAL_INFORMATION)
    first = [name for name in FIRST if name == "auto" or name in names]
    return first + [name for name in names if name not in first]


def seeds_of(estimator: str, task: str, n: int, most: int | None = None) -> tuple[int, ...]:
    """The seeds that the protocol asks for; none where it asks for no such row."""
    held_out = truths.set_of(task) in truths.HELD
    if estimator in TRAINED:
        count = 0 if n < SIZES[1] else 1 if held_out else 2
    else:
        count = 5 if truths.set_of(task) == "forty" else 2 if held_out and estimator == "auto" else 1
    return tuple(range(count if most is None else min(most, count)))


def rows(
    names: Iterable[str],
    tasks: Iterable[str],
    sizes: Iterable[int] = SIZES,
    most: int | None = None,
) -> list[Row]:
    """Rows in order: "auto" on the held-out pairs, then by n, set, estimator."""
    order, sets = list(dict.fromkeys(names)), {task: truths.set_of(task) for task in tasks}
    made = [
        Row(name, task, n, seeds)
        for n in dict.fromkeys(sizes)
        for task in sets
        for name in order
        if (seeds := seeds_of(name, task, n, most))
    ]

    def rank(row: Row) -> tuple:
        which, auto = sets[row.task], row.estimator == "auto"
        return (not (auto and which != "further"), row.n, row.estimator in TRAINED, which in truths.HELD,
                which == "further", order.index(row.estimator))  # fmt: skip

    return sorted(made, key=rank)


def tasks_of(given: Iterable[str]) -> list[str]:
    """Names of tasks, sets replaced by theirs."""
    return [task for g in given for task in (truths.names(g) if g in truths.SETS else [g])]


def whole(names: Iterable[str], sizes: Iterable[int] = SIZES, most: int | None = None) -> list[Row]:
    """The table: all on the forty and the further pairs, "auto" on those held out, too."""
    order = list(names)
    made = rows(order, tasks_of(("forty", "further")), sizes, most)
    auto = rows(["auto"], tasks_of(truths.HELD), sizes, most) if "auto" in order else []
    return auto + made
