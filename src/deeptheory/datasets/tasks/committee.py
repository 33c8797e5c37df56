"""A second rule on all 4096 patterns of 12 bits: the majority vote of three perceptrons.

Shwartz-Ziv & Tishby 2017 (figure 8) name a committee machine as their second task. The formula behind their two
further label files is not published and was not recovered, so this is a task of the same kind, not theirs.
"""

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole
from deeptheory.datasets.tasks.binary import BinaryTask, all_patterns, binary_task

_MOST = 9999  # perceptrons


def committee(members: int = 3, gamma: float | None = None, seed: int = 0) -> BinaryTask:
    """All 4096 patterns of 12 bits; y = 1 where most of `members` random perceptrons say so.

    A task of the kind of Shwartz-Ziv & Tishby 2017, figure 8, not theirs, whose formula is not published. Each member's
    weights are standard normal (drawn by seed) and its threshold the median of its field over the patterns, so that it
    says yes to half of them. gamma: None for the majority itself; a number for p(y=1|x) = 1/(1 + exp(-gamma m)), m the
    mean vote in [-1, 1], y drawn by seed. signatures: [4096, members], the votes, -1 or 1. InputError: members even or
    below 1 (a tie has no majority), above 9999 or no integer; gamma not above 0.
    """
    check_whole(members=(members, 1), seed=(seed, 0))
    if members % 2 == 0:
        raise InputError(f"members is {members}; a majority needs an odd number of at least 1")
    if members > _MOST:
        raise InputError(f"members is {members}; needed: at most {_MOST}, whose fields take a gigabyte")
    x = all_patterns(12)
    weights = np.random.default_rng(seed).standard_normal((12, members))
    field = (2 * x.astype(np.float64) - 1) @ weights
    votes = np.where(field > np.median(field, axis=0), 1, -1)
    rule = f"majority of {members} perceptrons with normal weights"
    return binary_task("committee", x, votes.mean(1), votes, rule, gamma, seed)
