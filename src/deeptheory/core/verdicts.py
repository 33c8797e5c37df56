"""The words of the ledger: verdicts, the settings at which they are said, and the headline that counts them.

Only the paper's own setting, or that of its released program, can reproduce or contradict it; elsewhere a claim holds
or fails here. Contradicted is a result and no failure.
"""

from collections.abc import Iterable, Mapping
from typing import Any

REPRODUCED, CONTRADICTED, INCONCLUSIVE, NOT_RUN = "reproduced", "contradicted", "inconclusive", "not run"
HOLDS, FAILS, NOT_JUDGED = "holds here", "fails here", "measured, not judged"
VERDICTS = (REPRODUCED, CONTRADICTED, HOLDS, FAILS, INCONCLUSIVE, NOT_JUDGED, NOT_RUN)
DECIDED = (REPRODUCED, CONTRADICTED, HOLDS, FAILS)

PUBLISHED, REFERENCE_CODE, SCALED_DOWN, OTHER_DATA = "published", "reference code", "scaled down", "other data"
SETTINGS = (PUBLISHED, REFERENCE_CODE, SCALED_DOWN, OTHER_DATA)
_HERE = {REPRODUCED: HOLDS, CONTRADICTED: FAILS}


def in_words(verdict: str, setting: str) -> str:
    """A verdict as it is said of that setting."""
    return _HERE.get(verdict, verdict) if setting in (SCALED_DOWN, OTHER_DATA) else verdict


def headline(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[tuple[int, str]]]]:
    """For rows of claims.json: (setting, [(count, verdict), ...]) for each setting that occurs."""
    said = [(r["setting"], r["verdict"]) for r in rows]
    out = []
    for setting in SETTINGS:
        counts = [(said.count((setting, v)), v) for v in VERDICTS]
        if any(n for n, _ in counts):
            out.append((setting, [(n, v) for n, v in counts if n]))
    return out


def counted(n: int, verdict: str) -> str:
    """As in "1 holds here", "3 hold here" and "2 reproduced"."""
    plural = {HOLDS: "hold here", FAILS: "fail here"}
    return f"{n} {plural.get(verdict, verdict) if n != 1 else verdict}"
