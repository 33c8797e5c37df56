"""The claims ledger: for each claim the measured value with its 95 % interval,
the region stated beforehand, a verdict."""

import csv
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import count_of, unknown
from deeptheory.core.places import RemotePath, place
from deeptheory.core.region import Region
from deeptheory.core.results import Result
from deeptheory.core.storage import CLAIMS_SCHEMA, check_claims, read_json, write_text
from deeptheory.core.verdicts import VERDICTS, counted, headline

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of claims.json: the fields of its Claim, and what was found.

    measured, low, high: the value and its 95 % interval in `unit`, None for none. verdict: see `decide`. setting: in
    which it was measured. seeds: n, independent units (n_of: what they are) behind the interval, None for none; needs:
    the n at which the claim can be decided. p: the smallest level at which the interval decides, least_p: the smallest
    that this n allows, both None for exact claims. study_wise: whether the verdict holds by Holm over all claims of the
    study, None where it is not decided by an interval. note: how it was measured, and what must be said of it.
    """

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
    setting: str
    n_of: str
    seeds: int | None
    needs: int | None
    p: float | None
    least_p: float | None
    study_wise: bool | None
    protocol: str
    scale: str
    command: str
    note: str
    schema: int = CLAIMS_SCHEMA


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Ledger(Result):
    """The entries of a run, in order; ledger["id"] is one of them (InputError: there is none)."""

    entries: tuple[Entry, ...]

    def __repr__(self) -> str:
        return f"Ledger({count_of(len(self.entries), 'claim')}; {'; '.join(self.headline()) or 'none'})"

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

    def counts(self, setting: str | None = None) -> dict[str, int]:
        """How many claims got each verdict, by verdict, in all or at one setting; 0 for those that none got."""
        chosen = [e for e in self.entries if setting in (None, e.setting)]
        return {verdict: sum(e.verdict == verdict for e in chosen) for verdict in VERDICTS}

    def headline(self) -> tuple[str, ...]:
        """One line per setting that occurs: "scaled down: 3 hold here, 1 inconclusive"."""
        return tuple(f"{s}: {', '.join(counted(n, v) for n, v in counts)}" for s, counts in headline(self.rows()))

    def wrong_by_chance(self) -> float:
        """An upper limit of the number of verdicts, of the whole ledger, that are expected to be wrong by chance.

        .025 for each verdict from an interval whose region is one-sided and .05 for each other; deterministic ones 0.
        """
        regions = [Region.parse(e.region, e.published) for e in self.entries if e.study_wise is not None]
        return sum(0.025 if r.one_sided else 0.05 for r in regions)

    def scalars(self) -> dict[str, float]:
        """Measured values by claim id, those that were measured."""
        return {e.id: e.measured for e in self.entries if e.measured is not None}

    def rows(self) -> list[dict[str, Any]]:
        """The entries as plain JSON values: infinity is the text "inf", as JSON has no number for it."""
        return [{k: _to_json(v) for k, v in vars(e).items()} for e in self.entries]

    def table(self) -> "pandas.DataFrame":
        """One row per claim, the columns of claims.json."""
        import pandas as pd

        return pd.DataFrame([vars(e) for e in self.entries], columns=COLUMNS)

    def _shown(self) -> "pandas.DataFrame":
        import pandas as pd

        said = ["id", "figure", "statement", "measured", "low", "high", "region", "verdict", "setting", "note"]
        return pd.DataFrame([{name: getattr(e, name) for name in said} for e in self.entries], columns=said)

    def write(self, folder: str | Path | RemotePath) -> None:
        """Write claims.json and claims.csv into the folder. StoreError: they cannot be written."""
        rows, text = self.rows(), io.StringIO()
        table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        write_text(place(folder) / "claims.json", json.dumps(rows, indent=1, ensure_ascii=False, allow_nan=False))
        write_text(place(folder) / "claims.csv", text.getvalue())

    @classmethod
    def load(cls, folder: str | Path | RemotePath) -> "Ledger":
        """The ledger in a run folder. StoreError: missing, or not of this form."""
        kept = read_json(place(folder) / "claims.json", "ledger")
        check_claims(kept)
        try:
            return cls(entries=tuple(Entry(**{k: _from_json(k, v) for k, v in row.items()}) for row in kept))
        except (TypeError, AttributeError, ValueError) as error:
            raise StoreError(f"claims.json is damaged ({error}); run again to write it again") from error


COLUMNS = [f.name for f in fields(Entry)]


def _to_json(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _from_json(key: str, value: Any) -> Any:
    return float(value) if key in ("measured", "low", "high") and value in ("inf", "-inf") else value
