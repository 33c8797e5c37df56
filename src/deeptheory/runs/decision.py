"""Claims and how they are decided: reproduced when the whole interval lies in the region,
contradicted when wholly outside.

Inconclusive when it straddles, or too few units are behind it; "holds here" and "fails here" where the setting is not
the paper's own; measured and not judged where settings were changed, or the claim states no region;
not run with the reason.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.region import Region
from deeptheory.core.results import Estimate
from deeptheory.core.statistics import LEVEL, holm
from deeptheory.core.verdicts import DECIDED, INCONCLUSIVE, NOT_JUDGED, NOT_RUN, PUBLISHED, SETTINGS, in_words
from deeptheory.runs.intervals import Sample, deciding_p, interval, least_p, needs, sample_of
from deeptheory.runs.ledger import COLUMNS, Entry, Ledger


@dataclass(frozen=True)
class NotRun:
    """What a claim's measure returns where it measured nothing. reason: why, with its cost where cost is the reason."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a paper, with the criterion written before the measurement.

    figure, source: its place in the paper; statement: what the paper says; quantity, unit: what is measured; criterion:
    the region in words; protocol: how it is measured. published: as printed in the paper, or None; published_trust: how
    far that number can be trusted. region: text for Region.parse, or None: listed with its value and no verdict.
    setting: "published", "reference code", "scaled down" or "other data"; None: that of the run. n_of: what the
    independent units are. measure(results), results by step -> array [n] over units (their mean counts), bool array [n]
    (the fraction that is true counts), Sample, Estimate, one number (deterministic), or NotRun.
    InputError: a region that cannot be read, an unknown setting.
    """

    id: str
    figure: str
    source: str
    statement: str
    quantity: str
    unit: str
    region: str | None
    criterion: str
    protocol: str
    measure: Callable[[Mapping[str, Any]], Any]
    published: float | str | None = None
    published_trust: str = ""
    setting: str | None = None
    n_of: str = "networks"

    def __post_init__(self) -> None:
        if self.region is not None:
            Region.parse(self.region, self.published)
        if self.setting is not None and self.setting not in SETTINGS:
            raise InputError(unknown(self.setting, SETTINGS, what="setting"))


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """What one claim's measure gave: the value with its interval, the units behind it, and what must be said of it."""

    value: float
    low: float
    high: float
    sample: Sample | None = None
    missing: int = 0
    n: int | None = None
    notes: tuple[str, ...] = ()


def decide(
    claims: Sequence[Claim],
    results: Mapping[str, Any],
    *,
    scale: str,
    command: str = "",
    changed: Mapping[str, Any] | None = None,
    setting: str = PUBLISHED,
) -> Ledger:
    """Measure every claim and give its verdict: the ledger, in the order of the claims.

    "reproduced" where the whole interval lies in the region, "contradicted" where none of it does, "inconclusive" where
    it straddles, has no ends, too few units are behind it, or nothing has a value; at the settings "scaled down" and
    "other data" the first two read "holds here" and "fails here"; "measured, not judged" without a region; "not run"
    where the measure says so, gives no unit at all, or raises an InputError, whose message is kept. Holm's correction
    over all claims with a p gives study_wise. results: Datasets by step. scale, command: for the record. changed:
    settings that are not the published ones, name -> value; with any of them every claim is measured and none is
    judged. setting: of the claims that state none themselves.
    InputError: an id twice, an unknown setting, or a measure that returns something else than Claim names.
    Other errors of a measure pass through, with the claim's id as a note.
    """
    ids = [c.id for c in claims]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise InputError(f"claim id {twice[0]!r} is listed twice; each claim has an id of its own")
    if setting not in SETTINGS:
        raise InputError(unknown(setting, SETTINGS, what="setting"))
    entries = [_decide(c, results, scale, command, changed or {}, setting) for c in claims]
    adjusted = holm([math.nan if e.p is None else e.p for e in entries])
    decided = [e.verdict in DECIDED for e in entries]
    return Ledger(
        entries=tuple(
            replace(e, study_wise=bool(a <= 1 - LEVEL)) if d and e.p is not None else e
            for e, a, d in zip(entries, adjusted, decided)
        )
    )


def _decide(claim: Claim, results: Mapping, scale: str, command: str, changed: Mapping, setting: str) -> Entry:
    said: dict[str, Any] = {name: getattr(claim, name) for name in COLUMNS if hasattr(claim, name)}
    said |= {"region": claim.region or "", "setting": claim.setting or setting, "scale": scale, "command": command}
    try:
        measured = claim.measure(results)
    except InputError as error:  # not done, or settings with which it is not defined: one claim less, not the ledger
        measured = NotRun(str(error))
    except Exception as error:
        error.add_note(f"while measuring the claim {claim.id}")
        raise
    found = measured if isinstance(measured, NotRun) else _read(measured, claim.id)
    if isinstance(found, NotRun):
        empty: dict[str, Any] = dict.fromkeys(
            ("measured", "low", "high", "seeds", "needs", "p", "least_p", "study_wise")
        )
        return Entry(**said, **empty, verdict=NOT_RUN, note=found.reason)
    notes = list(found.notes)
    numbers: dict[str, Any] = dict.fromkeys(("needs", "p", "least_p", "study_wise"))
    if claim.region is None:
        verdict = NOT_JUDGED
    else:
        region = Region.parse(claim.region, claim.published)
        verdict = region.verdict(found.low, found.high)
        if found.sample is not None:
            numbers["needs"] = needs(found.sample.statistic, region)
            p = deciding_p(found.sample, region), least_p(found.sample, region)
            numbers["p"], numbers["least_p"] = (None if math.isnan(v) else v for v in p)
            if found.n is not None and found.n < numbers["needs"]:
                verdict = INCONCLUSIVE
                notes.append(f"{found.n} {claim.n_of}; needs n >= {numbers['needs']}")
            if found.sample.undecided:
                verdict = INCONCLUSIVE
        if found.missing:
            verdict = INCONCLUSIVE
    if found.sample is not None and found.sample.undecided:
        notes.append(found.sample.undecided)
    if found.missing:
        notes.append(f"no value in {found.missing} of {found.missing + (found.n or 0)} {claim.n_of}")
    if changed:
        verdict = NOT_JUDGED
        notes.insert(0, f"not the published settings ({', '.join(f'{k} = {v}' for k, v in changed.items())})")
    if math.isnan(found.value):  # nothing was measured that could go without a judgement
        verdict = INCONCLUSIVE
        notes += ["no value"] if found.sample is None else []
    ends: dict[str, Any] = {
        k: None if math.isnan(v) else v
        for k, v in (("measured", found.value), ("low", found.low), ("high", found.high))
    }
    verdict = in_words(verdict, said["setting"])
    return Entry(**said, **ends, **numbers, verdict=verdict, seeds=found.n, note="; ".join(notes))


def _read(measured: Any, name: str) -> _Measured | NotRun:
    """What a measure returned, as numbers; NotRun where there is no unit, or its statistic is not defined for them."""
    if isinstance(measured, Estimate):
        notes = (f"{measured.method}, {measured.direction}", *measured.notes)
        low, high = measured.low, measured.high
        if math.isnan(low) or math.isnan(high):
            if measured.direction == "exact":
                low = high = measured.value
            else:
                notes += ("the estimate has no interval",)
        return _Measured(value=measured.value, low=low, high=high, notes=notes)
    if not isinstance(measured, Sample):
        if isinstance(measured, str) or np.ndim(measured) == 0:
            try:
                value = float(measured)
            except (TypeError, ValueError) as error:
                kind = type(measured).__name__
                raise InputError(
                    f"claim {name} measured {kind}; return an array, Sample, Estimate, number or NotRun"
                ) from error
            return _Measured(value=value, low=value, high=value, notes=("deterministic",))
        if np.shape(measured) == (0,):
            return NotRun("nothing to measure: no unit")
        measured = sample_of(measured)
    try:
        found = interval(measured)
    except InputError as error:
        return NotRun(str(error))
    return _Measured(
        value=found.value, low=found.low, high=found.high, sample=measured, missing=found.missing, n=found.n,
        notes=(found.method, *measured.notes),
    )  # fmt: skip
