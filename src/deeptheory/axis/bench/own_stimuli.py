"""Units that saw different stimuli: each is measured on its own, and put back among the others.

Units with the same stimuli are measured together. All share the scaling of the features, so that their axes can be
compared; center, principal directions and folds are those of their own stimuli. Only readers of the population need
every unit's response to
every stimulus: there a response that is missing is the unit's mean, which says nothing of the stimulus.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import torch

from deeptheory.axis.bench.dependence import Rows
from deeptheory.axis.bench.validation import Entered
from deeptheory.core.errors import InputError
from deeptheory.core.statistics import codes_of, false_discovery

_UNIT_AXIS = {"r2": 1, "aic": 1, "radius": 1, "lead": 2, "lead_error": 2}  # of arrays whose units do not come first


def patterns(seen: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(units, rows) of each set of stimuli that some units share; seen [n, u]."""
    _, which = np.unique(seen.T, axis=0, return_inverse=True)
    which = which.ravel()
    return [(np.flatnonzero(which == k), np.flatnonzero(seen[:, which == k][:, 0])) for k in range(which.max() + 1)]


def restricted(e: Entered, units: np.ndarray, rows: np.ndarray) -> Entered:
    """What some units saw."""
    at = torch.as_tensor(rows)
    s = e.s[at]
    s = torch.where((s == s[0]).all(0), 0.0, s - s.mean(0))  # constant here: the mean may be rounded
    if not bool(s.any()):
        raise InputError(
            f"no feature varies over the {len(s)} stimuli that unit {e.units[units[0]]} saw"
            f"{f' and {len(units) - 1} others' if len(units) > 1 else ''}; leave it out"
        )
    values, vectors = torch.linalg.eigh(s.mT @ s / len(s))
    values, vectors = values.flip(0), vectors.flip(1)
    rank = int((values > 1e-10 * values[0]).sum())
    old = e.dependence
    runs = None if old.runs is None else codes_of(old.runs[rows])
    return replace(
        e,
        y=e.y[at][:, units],
        trials=None if e.trials is None else e.trials[at][:, :, units],
        s=s,
        basis=vectors[:, :rank],
        variances=values[:rank],
        units=e.units[units],
        seen=None,
        dependence=Rows(len(rows), runs, old.time, old.whole),
    )


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Results of several sets of units (by name: a result, an array by unit, or None) as one, in the order of the
    units.
    """
    order = np.argsort(np.concatenate([p["axes"].units for p in parts]))
    return {name: _together([p[name] for p in parts], order) for name in parts[0]}


def _together(parts: list[Any], order: np.ndarray) -> Any:
    if parts[0] is None:
        return None
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)[order]
    changed: dict[str, Any] = {}
    for f in fields(parts[0]):
        values = [getattr(p, f.name) for p in parts]
        if isinstance(values[0], np.ndarray):
            axis = _UNIT_AXIS.get(f.name, 0)
            changed[f.name] = np.take(np.concatenate(values, axis), order, axis)
    if "q" in changed:  # adjusted over all units, not over those with the same stimuli
        changed["q"] = false_discovery(changed["p"])
    return replace(parts[0], **changed)
