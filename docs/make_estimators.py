"""The table of estimators: python docs/make_estimators.py [DRAWS.jsonl ...]

DRAWS are files that `deeptheory bench estimators` keeps; they become docs/estimators.csv. Without them the page
docs/estimators.md and its picture are made again from that file. Nothing on the page is typed.
"""

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import truths
from benchmarks.accuracy import counts, data, peers, plan, rows
from benchmarks.accuracy.peers import PEERS
from benchmarks.accuracy.rows import Draw

DOCS = Path(__file__).parent
DATA, PAGE, PICTURE = DOCS / "estimators.csv", DOCS / "estimators.md", DOCS / "images" / "estimators.png"
HEAD = """# A table of estimators

What estimators of mutual information say of pairs whose information is known: the [forty](known_information.md) of Czyz
et al. (2023), {further} further ones (channels of symbols, labels beside numbers, linear-Gaussian layers, one neuron,
ReLU layers), and two hundreds of held-out ones in {families} families. Made by

```sh
deeptheory bench estimators            # resumable; --peers with the other packages, --only NAME, --quick, --json
python docs/make_estimators.py runs/estimators.jsonl
```

All numbers are in bits. *Near*: the mean of |estimate - truth| over a row's draws is at most .2; a pair without a
number is not near. *Best of*: for each pair the estimator that came nearest, chosen with the truth in hand: a limit, no
method. *Covered*: intervals without a note that hold the truth. *Silent*: off by over .2, not in the interval (or no
interval), no note. *Noted*: a note on an estimate that is within .15. Counts are `k of n` with the exact 95 % interval
of the proportion (Clopper and Pearson). Every pair has seeds of its own, but for the first draw of the first hundred:
that was fixed as seed 0 for all, so that pairs which are maps of one another share a sample there, and its interval is
too narrow. Seconds are of the processor, median over draws. The draws: [estimators.csv](estimators.csv).

The rules of `"auto"` are those that stand in `deeptheory/information/automatic.py`. Those of the value were made before
any held-out pair was tried. Allowances in the interval, and two notes, were added after the misses on the first hundred
had been seen, on the forty and the further pairs alone; the second hundred (*fresh*) was written down before they were
tried on it, and no rule was changed since: what changed is by which rows halves are drawn beside labels of three or
more columns, and how sparse tables of symbols are halved, so that neither the order of rows nor a sign counts; pairs
with repeated values were measured again after it. So what the first hundred says of the allowances is no longer held
out, what the second says is. The interval makes no allowance for the choice of a method itself: its coverage here is
the measure of what that costs.

Trained methods are noted where their interval lies apart from that of `"auto"`; for draws that are older than this
rule, their notes were counted again from both intervals in the table. The rule that leaves a note out with "wkl" and
"compressed" was made on other draws of the forty and the further pairs (`bias_within` in estimators/limits.py).
"""

_NEAR = counts.GOALS["near"]
_DRAWS = {  # by set
    "held-out": ("the draw of seed 0 that was fixed with the list", "a second draw, of another seed for each pair"),
    "fresh": ("the first draw", "the second"),
}
_TITLES = {
    "held-out": "The first hundred, no longer held out where intervals are concerned",
    "fresh": "The second hundred, held out",
}


def of(count: dict[str, Any]) -> str:
    """k of n [low, high]."""
    if not count["of"]:
        return "-"
    return f"{count['k']} of {count['of']} [{count['low']:.2f}, {count['high']:.2f}]"


def names(draws: list[Draw]) -> tuple[list[str], list[str]]:
    """Estimators with draws: ours in the order of the plan, peers."""
    seen = {d.estimator for d in draws}
    order = [name for name in plan.estimators() if name in seen]
    return order + sorted(seen - set(order) - set(PEERS)), [p for p in PEERS if p in seen]


def goals(draws: list[Draw]) -> list[str]:
    """The goals, what was measured of `auto`, and whether it is reached."""
    auto = [d for d in draws if d.estimator == "auto"]
    ours = [d for d in draws if d.estimator not in PEERS]
    out = ["## Goals", "", "| goal | n | measured | reached |", "|---|---|---|---|"]

    def line(goal: str, n: str, count: dict, needed: int, reached: bool | None) -> None:
        whole = f"; {count['of']} of {needed} measured so far" if count["of"] < needed else ""
        word = "-" if reached is None else "yes" if reached else "open" if whole else "no"
        out.append(f"| {goal} | {n} | {of(count)}{whole} | {word} |")

    said = dict(zip(plan.SIZES, ("`auto` within .2 bit on the forty, the smaller n (no goal)", f"`auto` {_NEAR}")))
    for n in plan.SIZES:
        found = counts.of_draws([d for d in auto if d.n == n and truths.set_of(d.task) == "forty"])["near"]
        line(said[n], f"{n:,}", found, 40, found["k"] >= 34 if n == plan.SIZES[1] else None)
    for n in plan.SIZES:
        for held in truths.HELD:
            for k, which in enumerate(_DRAWS[held]):
                found = counts.of_draws(held_out_draws(draws, held, n, k))["silent"]
                line(f"`auto`, {held}: {counts.GOALS['silent']}, {which}", f"{n:,}", found, 100,
                     found["of"] == 100 and found["k"] <= 5)  # fmt: skip
    for n in plan.SIZES:
        for which in truths.SETS:
            mine = [d for d in auto if d.n == n and truths.set_of(d.task) == which]
            if mine:
                found = counts.of_draws(mine)["covered"]
                line(f"`auto`, {which}: {counts.GOALS['covered']}", f"{n:,}", found, 0,
                     found["of"] > 0 and found["k"] >= 0.9 * found["of"])  # fmt: skip
    for n in plan.SIZES:
        found = counts.of_draws([d for d in ours if d.n == n])["noted"]
        many = len({d.estimator for d in ours if d.n == n and not d.end})
        line(
            f"ours, {many} estimator{'s' * (many != 1)}: {counts.GOALS['noted']}",
            f"{n:,}",
            found,
            0,
            found["of"] > 0 and found["k"] <= found["of"] / 4,
        )
    return out


def held_out_draws(draws: list[Draw], which: str, n: int, k: int) -> list[Draw]:
    """The k-th draws of `auto` on a hundred."""
    return [d for d in draws if d.estimator == "auto" and (d.n, d.seed) == (n, k) and truths.set_of(d.task) == which]


def table(draws: list[Draw], which: str, n: int) -> list[str]:
    """One line per estimator on a set at an n."""
    mine, others = names(draws)
    out = [
        f"## {'The forty' if which == 'forty' else 'The further pairs'}, n = {n:,}",
        "",
        "| estimator | answered | near | median error | covered | silent | noted | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    here = [d for d in draws if d.n == n and truths.set_of(d.task) == which]
    total = len(truths.names(which))
    for name in (*mine, *others):
        group = [d for d in here if d.estimator == name]
        if not group:
            continue
        s = counts.of_draws(group)
        missing = f", {total - s['tasks']} not measured" if s["tasks"] < total else ""
        label = f"`{name}`" if name in mine else f"*{name}*"
        if not s["answered"]:
            out.append(f"| {label} | 0 of {s['tasks']}{missing} | - | - | - | - | - | - |")
            continue
        out.append(
            f"| {label} | {s['answered']} of {s['tasks']}{missing} | {of(s['near'])} | {s['median_error']:.3f} | "
            f"{of(s['covered'])} | {of(s['silent'])} | {of(s['noted'])} | {s['seconds']:.2g} |"
        )
    if len(out) == 4:
        return []
    for label, group in (("ours", mine), ("peers", others)):
        best = counts.best_of(d for d in here if d.estimator in group)
        many = len({d.estimator for d in here if d.estimator in group and not d.end})
        if many > 1:
            k = counts.share(sum(error <= counts.NEAR for _, error in best.values()), len(best))
            median = np.median([error for _, error in best.values()])
            said = f"best of {many} of {label}, **in hindsight**"
            out.append(f"| {said} | {len(best)} of {total} | {of(k)} | {median:.3f} | | | | |")
    return [*out, ""]


def held_out(draws: list[Draw], which: str) -> list[str]:
    """By family, and the silent ones by name."""
    out = [f"## {_TITLES[which]}", "", truths_said(which), ""]
    for n, k in [(n, k) for n in plan.SIZES for k in range(len(_DRAWS[which]))]:
        here = held_out_draws(draws, which, n, k)
        if not here:
            out += [f"At n = {n:,}, {_DRAWS[which][k]}: not measured yet.", ""]
            continue
        s, quiet = counts.of_draws(here), [d for d in here if counts.silent(d)]
        bare = [d for d in here if not d.notes and counts.holds(d) is False]
        out += [
            f"At n = {n:,}, {_DRAWS[which][k]}: wrong and silent on **{of(s['silent'])}**; near on "
            f"{of(s['near'])}; of the intervals without a note {of(s['covered'])} hold the truth; of the right ones "
            f"{of(s['noted'])} carry a note.",
            "",
            "| wrong and silent | family | truth | `auto` | interval |",
            "|---|---|---|---|---|",
            *(
                f"| {d.task} | {truths.family(d.task)} | {counts.truth_of(d.task):.3f} | {d.value:.3f} | "
                f"[{d.low:.3f}, {d.high:.3f}] |"
                for d in quiet
            ),
            "",
            f"Within .2 bit, not held, no note: {', '.join(d.task for d in bare if d not in quiet) or 'none'}.",
            "",
            "| family | pairs | near | held | noted | largest error |",
            "|---|---|---|---|---|---|",
        ]
        families: dict[str, list[Draw]] = defaultdict(list)
        for d in here:
            families[truths.family(d.task)].append(d)
        for family, group in families.items():
            errors = [counts.off(d) for d in group]
            out.append(
                f"| {family} | {len(group)} | {sum(e <= counts.NEAR for e in errors)} | "
                f"{sum(bool(counts.holds(d)) for d in group)} | {sum(d.notes > 0 for d in group)} | {max(errors):.2f} |"
            )
        out.append("")
    return out


def truths_said(which: str) -> str:
    """What the list says of itself."""
    from benchmarks.truths import fresh, held_out

    return " ".join(((held_out if which == "held-out" else fresh).__doc__ or "").split())


def unanswered(draws: list[Draw]) -> list[str]:
    """Why there is no number, by estimator."""
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    for d in draws:
        if d.end:
            ends[d.estimator][re.sub(r"-?\d[\d.e+-]*", "N", d.end.split("; ")[0])] += 1
    out = [
        "## Where there is no number",
        "",
        "N: a number of its own in each.",
        "",
        "| estimator | draws | why |",
        "|---|---|---|",
    ]
    for name, why in ends.items():
        for text, k in why.most_common(3):
            said = text.replace("|", "\\|").replace("<", "&lt;")
            out.append(f"| {name} | {k} | {said} |")
        rest = sum(k for _, k in why.most_common()[3:])
        if rest:
            out.append(f"| {name} | {rest} | other reasons |")
    return out


def picture(draws: list[Draw]) -> int:
    """Three maps of the forty and the further pairs at the n with more draws: error, coverage, time. The n."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    n = Counter(d.n for d in draws if truths.set_of(d.task) not in truths.HELD).most_common(1)[0][0]
    mine, others = names([d for d in draws if d.n == n])
    order = [*mine, *others]
    tasks = [*truths.names("forty"), *truths.names("further")]
    cells = np.full((3, len(tasks), len(order)), np.nan)
    for i, task in enumerate(tasks):
        for j, name in enumerate(order):
            group = [d for d in draws if (d.estimator, d.task, d.n) == (name, task, n) and not d.end]
            if group:
                cells[0, i, j] = np.mean([counts.off(d) for d in group])
                held = [h for d in group if (h := counts.holds(d)) is not None]
                cells[1, i, j] = np.mean(held) if held else np.nan
                cells[2, i, j] = np.log10(max(np.median([d.seconds for d in group]), 1e-4))
    fig, axes = plt.subplots(1, 3, figsize=(17, 13), sharey=True, layout="constrained")
    said = (
        ("mean |error|, bits (.5 and more is darkest)", "YlOrRd", 0, 0.5),
        ("intervals that hold the truth", "RdYlGn", 0, 1),
        ("seconds of the processor, log10", "Blues", -3, 2),
    )
    for axis, values, (title, colors, low, high) in zip(axes, cells, said):
        shown = axis.imshow(values, aspect="auto", cmap=colors, vmin=low, vmax=high, interpolation="nearest")
        axis.set_title(f"{title}; n = {n:,}", fontsize=10)
        axis.set_xticks(range(len(order)), order, rotation=90, fontsize=8)
        axis.set_facecolor("0.85")
        axis.axhline(39.5, color="black", linewidth=0.8)
        axis.axvline(len(mine) - 0.5, color="black", linewidth=0.8)
        fig.colorbar(shown, ax=axis, shrink=0.3)
    axes[0].set_yticks(range(len(tasks)), tasks, fontsize=7)
    fig.savefig(PICTURE, dpi=80)
    plt.close(fig)
    return n


def page(draws: list[Draw], n: int) -> str:
    """The whole page."""
    families = {truths.family(t) for t in truths.names("held-out")}
    head = HEAD.format(further=len(truths.names("further")), families=len(families))
    asked = {(r.estimator, r.task, r.n, s) for r in plan.whole(names(draws)[0]) for s in r.seeds}
    there = asked & {d.key for d in draws}
    state = (
        f"Of the {len(asked)} draws that the protocol asks of these estimators of ours, {len(there)} are here; the "
        "command goes on with the others.\nA row counts with the draws that it has.\n"
    )
    lines = [head, state, *goals(draws), "", "## Maps", "", "```{image} images/estimators.png",
             f":alt: Error, coverage and time of every estimator on every pair at n = {n:,}", "```", "",
             "Gray: no number, or no interval. Above the line the forty, below the further pairs; right of it peers.",
             ""]  # fmt: skip
    for size in plan.SIZES:
        lines += [*table(draws, "forty", size), *table(draws, "further", size)]
    about = ["## Peers", "", " ".join((peers.__doc__ or "").split()), ""]
    return "\n".join([*lines, *held_out(draws, "fresh"), *held_out(draws, "held-out"), *about, *unanswered(draws), ""])


def main(files: list[str]) -> None:
    """Data, picture and page."""
    if files:
        found: dict[rows.Key, Draw] = {}
        for name in files:
            found |= rows.read(Path(name))
        data.write(DATA, found.values())
    draws = data.read(DATA)
    PAGE.write_text(page(draws, picture(draws)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
