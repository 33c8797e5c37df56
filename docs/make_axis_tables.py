"""Measure what the axis bench can tell, and write the tables into its page:
python docs/make_axis_tables.py docs/what_axis_tests_tell.md [--units 400] [--only power,families,null,fit,statistics]
[--keep FILE]

Cells of known code are simulated, the bench is asked, answers are counted. Each part replaces its own table in the
page. --keep: counts of verdicts are written there one by one, and those that are there are not measured again: a run
that was stopped goes on where it was. --kept: nothing is measured; rows without a count there stay as they are in the
page.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.axis import Power, axis_code, simulate, verdict_power
from deeptheory.axis.models.verdicts import VERDICTS
from deeptheory.core.statistics import proportion_interval

SPREADS = {"isotropic": "equal variances", "paper": "the paper's variances"}

KEEP: list[Path] = []  # the file of --keep, if there is one
KEPT: list[str] = []  # the page as it is, where only what was measured before counts


def asked(code: str | dict[str, float], n: int, **options: Any) -> Power:
    """verdict_power, or what it said before."""
    kept = json.loads(KEEP[0].read_text()) if KEEP and KEEP[0].exists() else {}
    key = json.dumps([code, n, options])
    if key in kept:
        usual = {"d": 50, "reliability": 0.9, "variances": "isotropic", "controversial": 0}
        return Power(counts=kept[key], n=n, **usual | {k: v for k, v in options.items() if k in (*usual, "seed")})
    if KEPT:  # NaN: not measured
        names = [code] if isinstance(code, str) else list(code)
        return Power(
            counts={c: dict.fromkeys(VERDICTS, math.nan) for c in names},
            n=n,
            d=50,
            reliability=0.9,
            variances="isotropic",
            controversial=0,
            seed=0,
        )  # type: ignore[arg-type]  # the code is a text of the table
    found = verdict_power(code, n=n, **options)
    if KEEP:
        KEEP[0].write_text(json.dumps(kept | {key: found.counts}, indent=1))
    return found


def kept_or(key: str, measure: Callable[[], dict[str, int]]) -> dict[str, int]:
    """What was measured before under that key, or now."""
    kept = json.loads(KEEP[0].read_text()) if KEEP and KEEP[0].exists() else {}
    if key not in kept:
        kept[key] = measure()
        if KEEP:
            KEEP[0].write_text(json.dumps(kept, indent=1))
    return kept[key]


@dataclass(frozen=True)
class Row:
    """of cells, k did what `what` says; the share should be at least (or at most) `target`; None: no target was set."""

    cells: str
    stimuli: str
    what: str
    k: int
    of: int
    target: float | None
    at_most: bool = False

    @property
    def met(self) -> bool:
        share = self.k / self.of
        return self.target is None or (share <= self.target if self.at_most else share >= self.target)

    def markdown(self) -> str:
        found = proportion_interval(self.k, self.of)
        share, low, high = found.value, found.low, found.high
        goal = "" if self.target is None else f"{'at most' if self.at_most else 'at least'} {self.target:.1%}"
        met = "" if self.target is None else "yes" if self.met else "no"
        found = f"{share:.1%} [{low:.1%}, {high:.1%}]"
        return f"| {self.cells} | {self.stimuli} | {self.what} | {found} | {self.of} | {goal} | {met} |"


def told_apart(units: int, n: int = 2000) -> Iterator[Row]:
    """axis and exemplar cells (radius .5 to 1.5 of the median norm, both signs) at reliability .9 and .5."""
    for spread, words in SPREADS.items():
        for reliability, least in ((0.9, 0.99), (0.5, 0.95)):
            for code in ("axis", "exemplar"):
                found = asked(code, n, units=units, reliability=reliability, variances=spread, seed=21)
                counts = found.counts[code]
                where = f"{n:,}, {words}"
                yield Row(f"{code}, reliability {reliability}", where, f"called {code}", counts[code], units, least)
                wrong = units - counts[code] - counts["undetermined"]
                yield Row(f"{code}, reliability {reliability}", where, "called another", wrong, units, None, True)


def few_stimuli(units: int, n: int = 400) -> Iterator[Row]:
    """Wrong is worse than unsure."""
    for spread, words in SPREADS.items():
        for code in ("axis", "exemplar"):
            counts = asked(code, n, units=units, reliability=0.5, variances=spread, seed=21).counts[code]
            where = f"{n}, {words}"
            wrong = units - counts[code] - counts["undetermined"]
            yield Row(f"{code}, reliability 0.5", where, "called another", wrong, units, 0.05, True)
            yield Row(f"{code}, reliability 0.5", where, f"called {code}", counts[code], units, None)


def norm_by_direction(units: int, n: int = 2000, added: int = 200) -> Iterator[Row]:
    """Before and after controversial stimuli of the bench's own making."""
    name = "norm x direction"
    for spread, words in SPREADS.items():
        for reliability in (0.9, 0.5):
            cells, options = f"{name}, reliability {reliability}", {"reliability": reliability, "variances": spread}
            before = asked(name, n, units=units, seed=22, **options).counts[name]
            yield Row(cells, f"{n:,}, {words}", "called undetermined", before["undetermined"], units, 0.9)
            wrong = units - before[name] - before["undetermined"]
            yield Row(cells, f"{n:,}, {words}", "called another", wrong, units, None, True)
            after = asked(name, n, units=units, seed=22, controversial=added, **options).counts[name]
            where = f"{n:,} and {added} controversial, {words}"
            yield Row(cells, where, f"called {name}", after[name], units, 0.9)
            yield Row(cells, where, "called another", units - after[name] - after["undetermined"], units, None, True)


MIXTURE = {"axis": 0.4, "exemplar": 0.25, "energy": 0.2, "none": 0.15}


def mixture(units: int, n: int = 2000) -> Iterator[Row]:
    """Shares of a mixture, each within 5 points: k counts verdicts, whoever got them."""
    found = asked(MIXTURE, n, units=units, seed=23)
    for code, share in MIXTURE.items():
        k = sum(counts[code] for counts in found.counts.values())
        above = k / units > share
        bound = round(share + 0.05 if above else share - 0.05, 4)
        yield Row(f"mixture, {share:.0%} {code}", f"{n:,}, equal variances", f"called {code}", k, units, bound, above)


def false_alarms(units: int, n: int = 1000) -> Iterator[Row]:
    """Cells without a code: nominal 5 %, and 2 points."""
    sim = simulate("none", n=n, units=units, seed=23)
    code = axis_code(sim.responses, sim.features, sim.blocks, permutations=500)
    found = {
        "ramp, p < .05": code.ramp.p < 0.05,
        "orthogonal tuning, all axes, p < .05": code.flatness.p < 0.05,
        "orthogonal tuning, longest axis, p < .05": code.flatness.p_single < 0.05,
        "length of the orthogonal part, p < .05": code.flatness.p_norm < 0.05,
        "preference for a block, p < .05": code.preference.p[:, 0] < 0.05,
        "tuned to a feature at all (5 % within the unit)": code.preference.tuned_dimensions > 0,
        "a verdict other than none": code.verdict != "none",
    }
    for what, seen in found.items():
        yield Row("none", f"{n:,}, equal variances", what, int(seen.sum()), len(seen), 0.07, True)


FAMILIES = ("Gaussian", "skewed", "exponential", "heavy-tailed", "binary", "sphere", "collinear", "decaying")


def families(units: int, n: int = 1000, d: int = 20, ceiling: float = 0.5) -> Iterator[Row]:
    """Cells of every code on features of every kind, 4 trials: how many are called by another's name, and by their
    own.
    """
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from trials import axis_data as data

    for at, kind in enumerate(FAMILIES):
        counts: dict[str, dict[str, int]] = {}
        for code in data.TRUE:
            rng = np.random.default_rng([25, at, *code.encode()])

            def measured(code=code, kind=kind, rng=rng) -> dict[str, int]:
                s = data.features(kind, rng, n, d)
                y = data.recorded(data.cells(code, s, units, rng), ceiling, 4, rng)
                models = axis_code(y, s, permutations=200).models
                assert models is not None
                return models.counts

            counts[code] = kept_or(f"{kind}, {code}, {units}, {n}, {d}, {ceiling}", measured)
        cells, wrong = units * len(counts), 0
        for code, found in counts.items():
            wrong += sum(k for name, k in found.items() if name not in (data.TRUE[code], "undetermined"))
        where = f"{n:,}, {d} {kind} features"
        yield Row(f"all codes, ceiling {ceiling}", where, "called another", wrong, cells, 0.05, True)
        for code in ("axis", "exemplar", "energy"):
            least = 0.8 if (kind, code) == ("Gaussian", "axis") else None
            yield Row(f"{code}, ceiling {ceiling}", where, f"called {code}", counts[code][code], units, least)


def restarts(units: int, tries: int = 200) -> Iterator[Row]:
    """Our exemplar fit against the best of many runs of a general minimizer: at most .005 of R^2 short of it."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from oracles.axis import exemplar

    sim = simulate({"exemplar": 0.5, "axis": 0.5}, n=500, d=10, units=units, reliability=0.7, seed=24)
    models = axis_code(sim.responses, sim.features, normalize="none", permutations=10, folds=4).models
    assert models is not None
    s, at, good = sim.features - sim.features.mean(0), models.names.index("exemplar"), 0
    for k in range(units):
        ours = 1 - np.exp((models.aic[at, k] - 2 * (10 + 4 + 1)) / len(s))  # aic = n log(error) + 2 (parameters + 1)
        good += ours >= exemplar(sim.responses[:, k], s, models.bound, tries, seed=k) - 0.005
    yield Row(
        "axis and exemplar, reliability 0.7", "500, 10 features", f"fit as good as {tries} restarts", good, units, 1.0
    )


def separation(a: np.ndarray, b: np.ndarray) -> float:
    """Area under the ROC curve between two sets of cells, whichever side is larger: .5 nothing, 1 everything."""
    area = ((a[:, None] > b[None]).mean() + 0.5 * (a[:, None] == b[None]).mean()).item()
    return max(area, 1 - area)


def statistics(units: int, reliabilities: tuple[float, ...] = (0.5, 0.9), n: int = 2000) -> tuple[dict, dict]:
    """{statistic: {code: median}} and {statistic: {code: separation of axis cells from these}}; as many cells of each
    reliability, since real cells differ in it, too. Population statistics are those of the first reliability."""
    seen: dict[str, dict[str, np.ndarray]] = {}
    for code in ("axis", "exemplar", "norm x direction", "energy", "none"):
        several = [_statistics(code, units // len(reliabilities), r, n) for r in reliabilities]
        for name in several[0]:
            parts = several[:1] if name.startswith("population") else several
            seen.setdefault(name, {})[code] = np.concatenate([p[name] for p in parts])
    middle = {s: {c: float(np.median(v)) for c, v in by.items()} for s, by in seen.items()}
    apart = {
        s: {c: separation(by["axis"], v) for c, v in by.items() if c != "axis"}
        for s, by in seen.items()
        if not s.startswith("population")
    }
    return middle, apart


def _statistics(code: str, units: int, reliability: float, n: int) -> dict[str, np.ndarray]:
    sim = simulate(code, n=n, units=units, reliability=reliability, seed=31)
    found = axis_code(sim.responses, sim.features, normalize="none", permutations=200)
    m = found.models
    assert m is not None
    axis = m.of("axis")
    return {
        "ramp: correlation along the axis": found.ramp.r,
        "ramp: shuffle p": found.ramp.p,
        "held-out R^2 of the axis model": axis,
        "the same less that of the bounded exemplar": axis - m.of("exemplar"),
        "the same less that of the exemplar at twice the bound": axis - m.of("exemplar, twice the bound"),
        "the same less that of norm x direction": axis - m.of("norm x direction"),
        "the same less that of energy": axis - m.of("energy"),
        "flatness: share along the longest orthogonal axis": found.flatness.share_single,
        "flatness: share along all orthogonal axes": found.flatness.share,
        "flatness: size of the correlation with the length": np.abs(found.flatness.norm_r),
        "score test of the norm, log10 p": np.log10(np.maximum(m.norm_p, 1e-30)),
        "population: mean decoded R^2": found.decoding.explained,
        "population: identified among 40": found.identification(40).accuracy[-1],
    }


def earlier(row: Row) -> str:
    """The same row of the page as it is, with as many cells as it had."""
    start = f"| {row.cells} | {row.stimuli} | {row.what} |"
    return next(line for line in KEPT[0].splitlines() if line.startswith(start))


def rows_table(rows: list[str]) -> str:
    head = "| cells | stimuli | what | share [95 %] | cells | asked for | met |\n|---|---|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def statistics_table(units: int) -> str:
    middle, apart = statistics(units)
    codes = list(next(iter(middle.values())))
    head = f"| median over cells | {' | '.join(codes)} | tells axis from |\n|{'---|' * (len(codes) + 2)}\n"
    lines = []
    for name, by in middle.items():
        well = [f"{c} ({v:.2f})" for c, v in apart.get(name, {}).items() if v >= 0.95]
        said = ", ".join(well) or ("nothing" if name in apart else "")
        lines.append(f"| {name} | {' | '.join(f'{v + 0:.2f}' for v in by.values())} | {said} |")
    return head + "\n".join(lines) + "\n"


def _joined(*parts: Callable[[int], Iterator[Row]]) -> Callable[[int], str]:
    def table(units: int) -> str:
        rows = []
        for part in parts:
            for row in part(units):
                line = row.markdown() if row.k == row.k else earlier(row)
                print(line, file=sys.stderr, flush=True)
                rows.append(line)
        done = sum(f"| {units} |" in line for line in rows)
        if not KEPT or done == len(rows):
            return rows_table(rows)
        said = (
            f"*{done} of {len(rows)} rows are of {units} cells by the verdict rules of this version. The "
            "others, of fewer cells, were measured before verdicts asked for half of the ceiling and for both "
            "arms of an energy code.*"
        )
        return f"{said}\n\n{rows_table(rows)}"

    return table


PARTS: dict[str, Callable[[int], str]] = {
    "power": _joined(told_apart, few_stimuli, norm_by_direction, mixture),
    "families": _joined(families),
    "null": _joined(lambda units: false_alarms(5 * units)),
    "fit": _joined(lambda units: restarts(max(2, units // 25))),
    "statistics": lambda units: statistics_table(units // 2),
}


def placed(page: str, part: str, table: str) -> str:
    """The page with a part's table between its two marks."""
    mark = re.compile(rf"(?s)(<!-- {part}: made by docs/make_axis_tables.py -->\n).*?(<!-- /{part} -->)")
    if not mark.search(page):
        raise ValueError(f"the page has no marks for {part}; see docs/what_axis_tests_tell.md")
    return mark.sub(lambda m: m.group(1) + "\n" + table + "\n" + m.group(2), page)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("--units", type=int, default=400)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--kept", action="store_true")
    chosen = parser.parse_args()
    KEEP[:] = [chosen.keep] if chosen.keep else []
    KEPT[:] = [chosen.page.read_text(encoding="utf-8")] if chosen.kept else []
    for part in chosen.only.split(","):
        table = PARTS[part](chosen.units)
        chosen.page.write_text(placed(chosen.page.read_text(encoding="utf-8"), part, table), encoding="utf-8")


if __name__ == "__main__":
    main()
