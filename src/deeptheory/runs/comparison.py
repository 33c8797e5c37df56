"""Two runs of a study side by side: whose verdict, number or region differs,
and what else was different about the runs.

Pitfall: another machine moves last bits, so numbers count as the same within one part in a million.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.names import count_of
from deeptheory.core.places import RemotePath, place
from deeptheory.runs.ledger import Entry, Ledger
from deeptheory.runs.record import Record, read_record

_SAME = 1e-6  # relative


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One claim. how: "verdict", "region", "number", "number (intervals apart)", "added", "removed", or "" where
    nothing moved. before, after: its rows as in claims.json; None where the run has no such claim."""

    id: str
    how: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, kw_only=True)
class RunComparison:
    """rows: every claim of either run, in their order. differences: lines on what differs about the runs themselves."""

    study: str
    rows: tuple[Moved, ...]
    differences: tuple[str, ...]

    def moved(self) -> tuple[Moved, ...]:
        """The claims that moved."""
        return tuple(r for r in self.rows if r.how)

    def summary(self) -> str:
        """How many moved, and how."""
        moved = self.moved()
        counts = {how: sum(r.how == how for r in moved) for how in dict.fromkeys(r.how for r in moved)}
        said = f" ({', '.join(f'{how}: {n}' for how, n in counts.items())})" if counts else ""
        return f"{len(moved)} of {count_of(len(self.rows), 'claim')} moved{said}"

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "study": self.study,
            "differences": list(self.differences),
            "claims": len(self.rows),
            "moved": [vars(r) for r in self.moved()],
        }


def compare_runs(before: str | Path | RemotePath, after: str | Path | RemotePath) -> RunComparison:
    """The ledgers of two run folders, claim by claim.

    A claim moved if its verdict, its region (or criterion), or, by more than one part in a million, its measured value
    or an end of its interval differs; the first of these is named. "intervals apart": the two intervals share no value.
    InputError: the runs are of two studies. StoreError: a folder holds no ledger, or one that cannot be read.
    """
    one, two = place(before), place(after)
    records = read_record(one), read_record(two)
    if records[0].study != records[1].study:
        raise InputError(f"{one} is a run of {records[0].study} and {two} of {records[1].study}; give two of one study")
    old, new = Ledger.load(one), Ledger.load(two)
    olds, news = ({e.id: (e, row) for e, row in zip(x, x.rows(), strict=True)} for x in (old, new))
    rows = []
    for name in dict.fromkeys([*olds, *news]):
        a, b = olds.get(name), news.get(name)
        how = "added" if a is None else "removed" if b is None else _how(a[0], b[0])
        rows.append(Moved(id=name, how=how, before=a and a[1], after=b and b[1]))
    return RunComparison(study=records[0].study, rows=tuple(rows), differences=_differences(*records))


def _how(a: Entry, b: Entry) -> str:
    if a.verdict != b.verdict:
        return "verdict"
    if (a.region, a.criterion) != (b.region, b.criterion):
        return "region"
    if all(_same(getattr(a, k), getattr(b, k)) for k in ("measured", "low", "high")):
        return ""
    ends = [v for v in (a.low, a.high, b.low, b.high) if v is not None and not math.isnan(v)]
    if len(ends) < 4:
        return "number"
    low, high, other_low, other_high = ends
    apart = high < other_low or other_high < low
    return "number (intervals apart)" if apart else "number"


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=_SAME)


def _differences(a: Record, b: Record) -> tuple[str, ...]:
    pairs = [(name, getattr(a, name), getattr(b, name)) for name in ("scale", "seed")]
    for part in ("settings", "versions"):
        was, now = getattr(a, part), getattr(b, part)
        pairs += [(name, was.get(name, "none"), now.get(name, "none")) for name in sorted(was.keys() | now.keys())]
    lines = [f"{name}: {was} -> {now}" for name, was, now in pairs if was != now]
    return (*lines, *(["machine: another"] if a.machine != b.machine else []))
