"""The claims ledger: for each claim the measured value with its 95 % interval, the region stated beforehand, a verdict.

The verdict is computed: reproduced when the whole interval lies in the region, contradicted when wholly outside,
inconclusive when it straddles or too few seeds stand behind it, not run with the reason. Contradicted is a result.
"""

import csv
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.errors import InputError, StoreError
from deeptheory.names import unknown
from deeptheory.results import Estimate, Result
from deeptheory.runs.intervals import Sample, interval
from deeptheory.runs.region import INCONCLUSIVE, NOT_RUN, VERDICTS, Region
from deeptheory.runs.results import NotDone
from deeptheory.stored import read_json, write_text

if TYPE_CHECKING:
    import pandas

LEAST_SEEDS = {"quick": 4}  # fewer independent seeds decide nothing
_LEAST_ELSEWHERE = 8


@dataclass(frozen=True)
class NotRun:
    """A measurement that was not made, and why: with its cost, where cost is the reason."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of a paper, with the criterion written before the measurement.

    published: as printed in the paper, or None; published_trust: how far that number can be trusted. region: text for
    Region.parse. measure(results) -> array [n] over seeds (their mean counts), bool array [n] (their share counts),
    Sample, Estimate, one number (deterministic), or NotRun.
    InputError: a region that cannot be read.
    """

    id: str
    figure: str
    source: str
    statement: str
    quantity: str
    unit: str
    region: str
    criterion: str
    protocol: str
    measure: Callable[[Mapping[str, Any]], Any]
    published: float | str | None = None
    published_trust: str = ""

    def __post_init__(self) -> None:
        Region.parse(self.region, self.published)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of claims.json. seeds: how many independent seeds stand behind the interval, None for none."""

    id: str
    figure: str
    source: str
    statement: str
    published: float | str | None
    published_trust: str
    quantity: str
    unit: str
    measured: float | None
    low: float | None
    high: float | None
    region: str
    criterion: str
    verdict: str
    protocol: str
    scale: str
    seeds: int | None
    command: str
    note: str


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Ledger(Result):
    """The entries of a run; ledger["id"] is one of them."""

    entries: tuple[Entry, ...]

    def __repr__(self) -> str:
        said = ", ".join(f"{n} {verdict}" for verdict, n in self.counts().items() if n)
        return f"Ledger({len(self.entries)} claims: {said or 'none'})"

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, name: str) -> Entry:
        """The entry of that id. InputError: there is none."""
        for entry in self.entries:
            if entry.id == name:
                return entry
        raise InputError(unknown(name, [e.id for e in self.entries], what="claim"))

    def counts(self) -> dict[str, int]:
        """How many claims got each verdict."""
        return {verdict: sum(e.verdict == verdict for e in self.entries) for verdict in VERDICTS}

    def scalars(self) -> dict[str, float]:
        """Measured values by claim id."""
        return {e.id: e.measured for e in self.entries if e.measured is not None}

    def rows(self) -> list[dict[str, Any]]:
        """The entries as plain JSON values: infinity is the text "inf", as JSON has no number for it."""
        return [{k: _to_json(v) for k, v in vars(e).items()} for e in self.entries]

    def table(self) -> "pandas.DataFrame":
        """One row a claim, the columns of claims.json."""
        import pandas as pd

        return pd.DataFrame([vars(e) for e in self.entries], columns=_COLUMNS)

    def write(self, folder: str | Path) -> None:
        """claims.json and claims.csv. StoreError: they cannot be written."""
        rows, text = self.rows(), io.StringIO()
        table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_text(Path(folder) / "claims.json", json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False))
        write_text(Path(folder) / "claims.csv", text.getvalue())

    @classmethod
    def load(cls, folder: str | Path) -> "Ledger":
        """The ledger in a run folder. StoreError: missing, or not of this form."""
        kept = read_json(Path(folder) / "claims.json", "ledger")
        try:
            return cls(entries=tuple(Entry(**{k: _from_json(k, v) for k, v in row.items()}) for row in kept))
        except (TypeError, AttributeError, ValueError) as error:
            raise StoreError(f"claims.json is damaged ({error}); run again to write it anew") from error


_COLUMNS = [f.name for f in fields(Entry)]


def decide(
    claims: Sequence[Claim],
    results: Mapping[str, Any],
    *,
    scale: str,
    command: str = "",
    changed: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> Ledger:
    """Measure every claim and give its verdict.

    changed: settings that are not the published ones, name -> value; with any of them no published claim is decided,
    but what was measured is shown. seed: of the bootstrap, which is the same for every claim of that seed.
    InputError: an id twice, or a measure that returns something else than Claim names.
    """
    ids = [c.id for c in claims]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise InputError(f"claim id {twice[0]!r} stands twice; each claim has an id of its own")
    return Ledger(entries=tuple(_decide(c, results, scale, command, changed or {}, seed) for c in claims))


def _decide(claim: Claim, results: Mapping, scale: str, command: str, changed: Mapping, seed: int) -> Entry:
    said: dict[str, Any] = {name: getattr(claim, name) for name in _COLUMNS if hasattr(claim, name)}
    said |= {"scale": scale, "command": command}
    try:
        measured = claim.measure(results)
    except NotDone as error:
        measured = NotRun(str(error))
    except Exception as error:
        error.add_note(f"while measuring the claim {claim.id}")
        raise
    if isinstance(measured, NotRun):
        empty: dict[str, Any] = dict.fromkeys(("measured", "low", "high", "seeds"))
        return Entry(**said, **empty, verdict=NOT_RUN, note=measured.reason)
    value, low, high, seeds, notes = _read(measured, claim.id, seed)
    verdict = Region.parse(claim.region, claim.published).verdict(low, high)
    least = LEAST_SEEDS.get(scale, _LEAST_ELSEWHERE)
    if seeds is not None and seeds < least:
        verdict = INCONCLUSIVE
        notes.append(f"{seeds} seeds; {scale} needs {least} to decide")
    if any(n.startswith(_NO_VALUE) for n in notes):
        verdict = INCONCLUSIVE
    if changed:
        verdict = NOT_RUN
        turned = ", ".join(f"{k} = {v}" for k, v in changed.items())
        notes.insert(0, f"not the published settings ({turned}): no published claim is decided")
    finite: dict[str, Any] = {
        k: None if math.isnan(v) else v for k, v in (("measured", value), ("low", low), ("high", high))
    }
    return Entry(**said, **finite, verdict=verdict, seeds=seeds, note="; ".join(notes))


_NO_VALUE = "no value in "


def _read(measured: Any, name: str, seed: int) -> tuple[float, float, float, int | None, list[str]]:
    """value, low, high, number of seeds (None: deterministic or an Estimate's own affair), notes."""
    if isinstance(measured, Estimate):
        notes = [f"{measured.method}, {measured.direction}", *measured.notes]
        if math.isnan(measured.low) or math.isnan(measured.high):
            if measured.direction == "exact":
                return measured.value, measured.value, measured.value, None, notes
            notes.append("the estimate has no interval")
        return measured.value, measured.low, measured.high, None, notes
    if not isinstance(measured, Sample):
        if isinstance(measured, str) or np.ndim(measured) == 0:
            try:
                value = float(measured)
            except (TypeError, ValueError) as error:
                kind = type(measured).__name__
                raise InputError(
                    f"claim {name} measured {kind}; return an array, Sample, Estimate, number or NotRun"
                ) from error
            return value, value, value, None, ["deterministic"]
        values = np.asarray(measured)
        measured = Sample(values, "share" if values.dtype == bool else "mean")
    found = interval(measured)
    notes = [found.method, *measured.notes]
    if found.missing:
        notes.append(f"{_NO_VALUE}{found.missing} of {found.missing + found.n} seeds")
    return found.value, found.low, found.high, found.n, notes


def _to_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _from_json(key: str, value: Any) -> Any:
    return float(value) if key in ("measured", "low", "high") and value in ("inf", "-inf") else value
