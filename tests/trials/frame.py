"""The form of a trial: one row per public number, kind of trial and case; quick in `make test`, full in `make trials`.

A row reads like a line of a specification. Its check draws what it needs from a generator whose seed comes from the
row's name, `draws` times, and says what it measured, what was needed, and whether that held.
Bands: a rate is judged against the binomial distribution, with one false alarm in a thousand rows. A quick row
of a rate must see 80 % coverage where 95 % is nominal with 90 % probability: 100 draws do.
"""

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

KINDS = ("null", "power", "truth", "invariance")
FALSE_ALARM = 1e-3


@dataclass(frozen=True)
class Found:
    """What a check measured, what was needed, both as text, and whether it held."""

    measured: str
    needed: str
    held: bool


@dataclass(frozen=True)
class Row:
    """number: public name under deeptheory ("mutual_information", "axis.split_half", "axis.AxisCode.identification").
    trial: one of KINDS. case: what is done, with the source of the truth. check(rng, draws) -> Found.
    quick, full: draws in `make test` and in `make trials`, 0: not there."""

    number: str
    trial: str
    case: str
    check: Callable[[np.random.Generator, int], Found]
    quick: int = 1
    full: int = 1

    def __post_init__(self):
        assert self.trial in KINDS, self.trial

    @property
    def name(self) -> str:
        return f"{self.number} | {self.trial} | {self.case}"

    def run(self, full: bool = False) -> Found:
        seed = int(hashlib.sha256(self.name.encode()).hexdigest()[:12], 16)
        found = self.check(np.random.default_rng(seed), self.full if full else self.quick)
        assert isinstance(found.held, bool | np.bool_ | int), found.held  # NaN counts as true
        return found


def covers(hits: int, draws: int, level: float = 0.95) -> Found:
    """So many of the intervals held the truth: at least `level`, within the binomial band."""
    from scipy.stats import binom

    least = max(1, int(binom.ppf(FALSE_ALARM, draws, level)) if draws else 0)  # a band from 0 could not fail
    return Found(f"{hits} of {draws} held it", f"at least {least} ({level:.0%} nominal)", hits >= least)


def rare(hits: int, draws: int, rate: float = 0.05) -> Found:
    """So many false alarms: at most `rate`, within the binomial band."""
    from scipy.stats import binom

    most = min(draws - 1, int(binom.ppf(1 - FALSE_ALARM, draws, rate)) if draws else 0)
    return Found(f"{hits} of {draws} raised", f"at most {most} ({rate:.0%} nominal)", hits <= most)


def often(hits: int, draws: int, rate: float) -> Found:
    """A stated effect was found so many times: at least `rate`, within the binomial band (power)."""
    from scipy.stats import binom

    least = max(1, int(binom.ppf(FALSE_ALARM, draws, rate)) if draws else 0)
    return Found(f"{hits} of {draws} found", f"at least {least} ({rate:.0%} stated)", hits >= least)


def uniform(p: Iterable[float]) -> Found:
    """P(p <= a) <= a at a = .01, .05, .1, .2, .5, within the binomial band."""
    p = np.asarray(list(p), dtype=float)
    levels = (0.01, 0.05, 0.1, 0.2, 0.5)
    if not len(p):
        return Found("no p-value", "P(p <= a) <= a", False)
    found = [rare(int((p <= a).sum()), len(p), a) for a in levels]
    text = ", ".join(f"p <= {a:g}: {(p <= a).mean():.3f}" for a in levels)
    return Found(text, "P(p <= a) <= a", all(f.held for f in found) and bool(((p >= 0) & (p <= 1)).all()))


def near(measured, truth, within: float, what: str = "") -> Found:
    """|measured - truth| <= within, everywhere; equal infinities are equal, NaN is off, and nothing to compare holds
    nothing."""
    a, b = np.broadcast_arrays(np.asarray(measured, dtype=float), np.asarray(truth, dtype=float))
    if not a.size:
        return Found(f"{what}no numbers", f"within {within:g}", False)
    with np.errstate(invalid="ignore"):
        error = np.where(a == b, 0.0, np.abs(a - b))
    worst = float(np.max(error))
    return Found(f"{what}off by {worst:.3g}", f"within {within:g}", bool(worst <= within))


def all_of(*found: Found) -> Found:
    """Each of these held; the texts of those that did not come first. None at all do not hold."""
    if not found:
        return Found("nothing was compared", "something to compare", False)
    order = sorted(found, key=lambda f: f.held)
    shown = order[:3]
    return Found(
        "; ".join(f.measured for f in shown),
        "; ".join(dict.fromkeys(f.needed for f in shown)),
        all(f.held for f in found),
    )


def same(values: Iterable, within: float = 0.0) -> Found:
    """All values equal the first to `within` (absolute), two or more of one shape: what must not matter does not."""
    first, *others = [np.asarray(v, dtype=float) for v in values]
    if any(v.shape != first.shape for v in others):
        return Found(f"shapes {[v.shape for v in (first, *others)]}"[:100], "one shape", False)
    return all_of(*(near(v, first, within) for v in others))


def refused(action: Callable, match: str, kind: type[Exception] | None = None) -> Found:
    """The input is refused by an error of deeptheory's own, or of its class `kind`, that says `match`."""
    import re

    from deeptheory.core.errors import DeeptheoryError

    own = kind or DeeptheoryError
    try:
        action()
    except own as error:
        return Found(str(error)[:100], f"an error about {match!r}", bool(re.search(match, str(error))))
    except Exception as error:  # shown as what it is: a raw error fails the row
        return Found(f"{type(error).__name__}: {error}"[:100], f"an error about {match!r}", False)
    return Found("taken", f"an error about {match!r}", False)


def quick(rows: list[Row]):
    """pytest parameters of the rows of `make test`."""
    import pytest

    names = [r.name for r in rows]
    assert len(set(names)) == len(names), "two rows have one name"
    return pytest.mark.parametrize("row", [r for r in rows if r.quick], ids=lambda r: r.name)


def run_full(science: str, rows: list[Row], folder: Path, commit: str, run: bool = True) -> list[dict]:
    """Every row at full size, one file per row, so that a killed run goes on with the next row. commit: noted in each
    row. run: False reads only the rows that have been run."""
    import time

    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for row in filter(lambda r: r.full, rows):
        path = folder / f"{hashlib.sha256(row.name.encode()).hexdigest()[:16]}.json"
        if not path.exists():
            if not run:
                continue
            started = time.monotonic()
            found = row.run(full=True)
            said = {
                "number": row.number,
                "trial": row.trial,
                "case": row.case,
                "draws": row.full,
                **vars(found),
                "held": bool(found.held),
                "commit": commit,
            }
            path.write_text(json.dumps(said | {"seconds": round(time.monotonic() - started, 1)}))
        out.append(json.loads(path.read_text()))
        print(f"{science}: {'held' if out[-1]['held'] else 'BROKEN'}  {row.name}: {out[-1]['measured']}", flush=True)
    return out
