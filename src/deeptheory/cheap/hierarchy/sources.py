"""A chain from samples, or from a generator's kernels: the tables that MarkovHierarchy takes."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole, whole_numbers

_MOST_STATES = 10**7


def tables_of_samples(samples, states: Sequence[int] | None, smoothing: float):
    """prior and sparse [new, old] transitions of relative frequencies. Errors: see MarkovHierarchy.from_samples."""
    from scipy import sparse

    y = as_numpy(samples)
    if y.ndim != 2 or y.shape[1] < 2 or not len(y) or y.dtype.kind not in "iu" or y.min() < 0:
        raise InputError(
            f"samples have shape {list(y.shape)}, dtype {y.dtype}; needed: [N, levels + 1] of 0, 1, 2, ..."
        )
    sizes = [int(v) + 1 for v in y.max(axis=0)] if states is None else whole_numbers("states", states).tolist()
    if max(sizes, default=0) > _MOST_STATES:
        raise InputError(f"a level has {max(sizes)} states, the limit is {_MOST_STATES}; number them 0, 1, 2, ...")
    if len(sizes) != y.shape[1] or any(s <= v for s, v in zip(sizes, y.max(axis=0))):
        raise InputError(f"states is {sizes}; the samples need {[int(v) + 1 for v in y.max(axis=0)]} at least")
    check_number(smoothing=smoothing)
    if not 0 <= smoothing < np.inf:
        raise InputError(f"smoothing is {smoothing}; counts are finite and not negative")
    prior = np.bincount(y[:, 0], minlength=sizes[0]) + smoothing
    tables = []
    for k, (old, new) in enumerate(zip(y.T, y.T[1:]), start=1):
        counts = sparse.coo_array((np.ones(len(y)), (new, old)), shape=(sizes[k], sizes[k - 1])).tocsc()
        if smoothing:
            counts = sparse.csc_array(counts.toarray() + smoothing)
        totals = np.asarray(counts.sum(axis=0)).reshape(-1)
        if not (totals > 0).all():
            state = int(np.argmin(totals))
            raise InputError(f"state {state} of level {k - 1} has no successor in the samples; relabel, or smoothing=")
        tables.append(counts @ sparse.diags_array(1 / totals))
    return prior / prior.sum(), tables


def tables_of_kernels(prior: Mapping, kernels: Sequence[Callable[[Any], Mapping]]):
    """prior, [new, old] tables (sparse, or dense Fractions) and the states' own names, level by level."""
    from scipy import sparse

    if not isinstance(prior, Mapping):
        raise InputError(f"prior is a {type(prior).__name__}; needed: a mapping of states to their probabilities")
    exact = all(isinstance(p, Fraction | int) for p in prior.values())
    names: list[list] = [list(prior)]
    steps = []
    for k, kernel in enumerate(kernels, start=1):
        known: dict[Any, int] = {}
        row, column, weight = [], [], []
        for j, state in enumerate(names[-1]):
            leads = kernel(state)
            if not leads:
                raise InputError(f"kernel {k} leads nowhere from {state!r}; give at least one next state")
            if not isinstance(leads, Mapping) or any(isinstance(p, str) for p in leads.values()):
                raise InputError(f"kernel {k} gives {leads!r:.60}; needed: a mapping of next states to probabilities")
            for following, p in leads.items():
                row.append(known.setdefault(following, len(known)))
                column.append(j)
                weight.append(p)
        exact = exact and all(isinstance(p, Fraction | int) for p in weight)
        names.append(list(known))
        steps.append((row, column, weight))
    tables = []
    for (row, column, weight), old, new in zip(steps, names, names[1:]):
        if exact:
            table = np.full((len(new), len(old)), Fraction(0), dtype=object)
            for r, c, w in zip(row, column, weight):
                table[r, c] += w
        else:
            table = sparse.csc_array((np.array(weight, dtype=float), (row, column)), shape=(len(new), len(old)))
        tables.append(table)
    p = list(prior.values())
    return np.array(p, dtype=object if exact else float), tables, tuple(tuple(n) for n in names)


def lumpable_chain(seed: int, *, levels: int = 5, states: int = 8, zeros: float = 0.2):
    """A random chain in which levels forget: prior and transitions, integers (exact counts).

    Returns prior [states] and a list of `levels` transitions [states, states], new by old, int64; neither the prior nor
    the columns are normalized: MarkovHierarchy takes them as they are. The construction is ours; drawn by seed.
    At each step the next states fall into 2..states groups; within a group they differ only by a weight that does not
    depend on the state before, so that a statistic may merge them. Each group but the first comes with a chance of .8
    from one group of the level before only, so that statistics further up may merge more. zeros: chance that a group
    cannot be reached from a state, before groups are tied to one origin.
    InputError: fewer than 1 level or 2 states, no integers, or zeros outside [0, 1).
    """
    check_whole(seed=(seed, 0), levels=(levels, 1), states=(states, 2))
    check_number(zeros=zeros)
    if not 0 <= zeros < 1:
        raise InputError(f"zeros is {zeros}; needed: a chance from 0 to below 1")
    rng = np.random.default_rng(seed)
    prior = rng.integers(1, 10, states)
    tables, before = [], np.arange(states)
    for _ in range(levels):
        groups = int(rng.integers(2, states + 1))
        of = np.concatenate([np.arange(groups), rng.integers(0, groups, states - groups)])
        between = rng.integers(1, 10, (groups, states)) * (rng.random((groups, states)) >= zeros)
        for g in range(1, groups):
            if rng.random() < 0.8:  # this group has its origin in one group of the level before
                between[g] *= before == rng.choice(before)
        between[0] += (between.sum(axis=0) == 0).astype(between.dtype)
        tables.append(between[of] * rng.integers(1, 10, states)[:, None])
        before = of
    return prior, tables
