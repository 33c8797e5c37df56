"""Pairs of known information for the table of estimators: the forty, further ones by kind, and two hundreds held out.

All are `GroundTruth`: a name, the truth in bits, and a sampler by seed and n. `further` are the kinds that the forty
lack (channels, labels beside numbers, linear-Gaussian, one neuron, ReLU layers); `held_out` were written down before
any rule of "auto" was tried on them; `fresh` before the rules that were changed in sight of those were tried on any.
"""

import zlib

from benchmarks.truths.fresh import FRESH
from benchmarks.truths.further import FURTHER
from benchmarks.truths.held_out import HELD_OUT
from deeptheory.core.names import pick
from deeptheory.datasets.tasks.ground_truth import GroundTruth, ground_truth, ground_truths

SETS = ("forty", "further", "held-out", "fresh")
HELD = ("held-out", "fresh")  # the sets that "auto" is judged on
_MADE = {"further": FURTHER, "held-out": HELD_OUT, "fresh": FRESH}


def names(which: str) -> list[str]:
    """The names of a set of tasks. InputError: unknown."""
    pick(dict.fromkeys(SETS), which, what="set of tasks")
    return ground_truths() if which == "forty" else list(_MADE[which])


def set_of(name: str) -> str:
    """The set that a task is in. InputError: unknown (near names are suggested)."""
    known = {task: which for which in SETS for task in names(which)}
    return pick(known, name, what="task")


def task(name: str) -> GroundTruth:
    """The task of that name, its truth computed. InputError: unknown."""
    which = set_of(name)
    if which == "forty":
        return ground_truth(name)
    _, about, dims, make = _MADE[which][name]
    pair = make()
    return GroundTruth(name=name, about=about, dims=dims, mutual_information=pair.nats / _LN2, draw=pair.draw)


def seed_of(name: str, k: int) -> int:
    """The seed of a task's k-th draw, another for every task: tasks that are maps of one pair would otherwise share
    their samples, and their errors would be one error. The first draw of a held-out pair has seed 0, as was fixed."""
    return 0 if k == 0 and set_of(name) == "held-out" else zlib.crc32(name.encode()) + k


def family(name: str) -> str:
    """What a task is grouped by: its family, "forty" for those."""
    which = set_of(name)
    return "forty" if which == "forty" else _MADE[which][name][0]


_LN2 = 0.6931471805599453
