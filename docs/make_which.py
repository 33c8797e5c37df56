"""Which number can I trust? The page and its decision figure: python docs/make_which.py

STEPS is the whole of it: each question with its answer and the rows of the trials, pairs of known information or tests
that it rests on. What was measured is read from docs/trials/information.md and docs/known_information.md; a row that is
not there yet at full size is named by its test. tests/test_which_number.py holds the page to this.
"""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent
PAGE = DOCS / "which_number.md"
PICTURE = "images/which_number_{}.png"
THEMES = {"light": ("#ffffff", "#1f2328", "#0072B2", "#e8f1f8"), "dark": ("#131416", "#e6e6e6", "#56B4E9", "#1d2b36")}


@dataclass(frozen=True)
class Step:
    """One question of the figure, what to do where the answer is yes, what it rests on, and what remains open."""

    question: str
    answer: str
    text: str
    rows: tuple[str, ...] = ()  # cases of the trials, as they stand in the tables
    pairs: tuple[str, ...] = ()  # names of the forty pairs
    tests: tuple[str, ...] = ()  # files of tests


STEPS = (
    Step(
        "Is one side computed from the other,\nwithout noise (a layer of a network)?",
        "no estimate: the truth is infinite, or H(X);\nname a readout: dt.Binning, dt.GaussianNoise",
        "Of numbers $I(X;f(X))$ is infinite, of finitely many inputs it is $H(X)$, whatever the network "
        "learned. Methods that meet a copy say so in a note. What a layer keeps under a named noise or bins "
        "is a number: [the information plane](information_plane.md).",
        rows=("I(X;X) and repeated columns",),
    ),
    Step(
        "Are rows a series, or do several\nbelong together (repeats, subjects)?",
        "add block= or groups=, then go on below",
        "The value stays; interval and p move whole pieces. Series on both sides are noted. With fewer than "
        "20 groups or 200 blocks there is no interval, and a note says so; p remains.",
        rows=(
            "series on both sides are noted, else not",
            "two AR(.8) of 4,000, intervals by blocks of 20",
            "permutation p of two AR(.8), blocks of 40",
            "permutation p of 40 groups of 5 rows",
            "60 groups of 10, gaussian",
            "an interval by groups is as wide as that of rows, every method",
        ),
        tests=("tests/information/test_rules.py",),
    ),
    Step(
        "Both sides labels or counts?",
        'auto: counts less their bias;\nfew samples per cell: correct="nsb", and permutations=',
        "Counts show information where there is none, the more cells the more; the note says how much, and "
        "the interval runs over it. Where more than a fifth of the samples have a cell of their own, a note "
        "says that the number says little.",
        rows=(
            "plugin: 6 x 6 symbols, n = 400",
            "plugin: 30 x 30 symbols, n = 400",
            "null mean is the bias, plug-in 20 x 20, n = 200",
            "plugin, nsb: 30 x 30 symbols, n = 400",
        ),
        tests=("tests/information/test_rules.py",),
    ),
    Step(
        "One side labels, the other numbers?",
        'auto (Ross\'s counts; "labels" by name)',
        "Codes of labels do not matter, and rare classes are taken as they are. A label seen once tells "
        "nothing and is left out.",
        rows=(
            "auto: shift 1.0 by a label of probability 0.5, quadrature",
            "auto: shift 2.0 by a label of probability 0.02, quadrature",
            "labels: 3 columns, a class of 2 %, n = 1,000",
            "labels: 10 columns of ReLU, balanced, n = 1,000",
            "codes and names of labels",
        ),
        tests=("tests/information/test_local.py",),
    ),
    Step(
        "Numbers, two or three columns in all?",
        'auto, or "ksg" by name; long tails: ranks=True;\nseveral bits along a line: "lnc"',
        "Neighbor counts follow a roll that correlations miss. Their intervals are of sampling error only "
        "when asked for by name. Tails and outliers mislead distances until ranks take their place, and a "
        "note says so.",
        rows=(
            "ksg: normals of correlation 0.9, closed form",
            "ksg with ranks: outliers of 1e3, 1e5, 1e12",
            "lognormal tails with ranks, by method",
            "ksg: order of rows, units from 1e-200 to 1e200",
            "lnc: uniform noise of 0.0001 on a uniform, n = 500, closed form",
        ),
        pairs=("swiss-roll-2x1", "wiggly-1x1", "student-1x1-dof1"),
        tests=("tests/information/test_measures.py", "tests/information/test_estimate.py"),
    ),
    Step(
        "Numbers, more columns?",
        "auto, with its notes; fewer columns first, if you can",
        "Neighbor counts lose what there is in many columns; canonical correlations follow what is nearly "
        "normal into 25 dimensions and miss shapes. Auto chooses between them. Spirals in five columns stay "
        "wrong, with a note in each draw.",
        rows=("gaussian: 20 x 20 normals of correlation .6", "gaussian: 250 x 40 dense, n = 300"),
        pairs=("two-pairs-25x25", "dense-25x25", "spiral-two-pairs-5x5"),
    ),
    Step(
        "Is it anything at all?",
        "permutations=199: p, and the mean of y permuted",
        "The same estimator on y permuted: p is uniform where nothing is shared, and the mean of the draws is "
        "the estimator's bias there.",
        rows=(
            "permutation p, ksg, n = 60",
            "permutation p, labels, a rare class, n = 80",
            "permutation p, Gaussian 20 x 20, n = 60",
            "permutation p, plugin, n = 60",
            "permutation p, auto, n = 60",
            "permutation p, ksg: .5 bit, n = 100",
        ),
    ),
    Step(
        "Would more samples change it?",
        ".convergence(): the value at fewer of them",
        "A value that still moves by more than half its interval is noted. A flat end is no proof: an "
        "estimator that cannot see a dependence is flat at 0, as correlations of the roll above.",
        rows=("a bias of 1 / n halves, a settled value stays",),
        tests=("tests/information/test_convergence.py",),
    ),
    Step(
        "Does one series drive another?",
        "information.transfer_entropy(x, y, shifts=199);\na third series: given=",
        "What x adds beyond y's own past; p by shifts in time. It is no proof of a cause: a common driver "
        "looks the same until it is given.",
        rows=(
            "p by shifts against the drive, n = 300",
            "a driven AR(.5), a binary channel; names, units",
            "a common driver, by the covariance; given it: 0",
        ),
        tests=("tests/information/test_series.py", "examples/spikes_and_maps.py"),
    ),
)
RULES = (  # what misleads, where it is met, and the test that it is
    ("a layer of numbers without noise has infinite information; a finite one needs a stated readout",
     "information/plane.py", "tests/information/test_plane.py::test_wrong_use"),
    ("bins that hold one sample each say H(Y) for any labels", "information/plane.py",
     "tests/information/test_readouts.py::test_cells_of_their_own_make_random_labels_look_learnt"),
    ("so do counts of samples", "information/estimators/plugin.py",
     "tests/information/test_rules.py::test_cells_of_one_sample_are_said"),
    ("fixed bins are wrong for values outside them; a tanh of float32 is exactly 1", "information/readouts/binning.py",
     "tests/information/test_readouts.py::test_a_saturated_float32_tanh_stays_inside"),
    ("noise has a scale, and is in training or in the analysis alone", "information/plane.py",
     "tests/information/test_rules.py::test_noise_says_where_it_is_and_in_which_units"),
    ("ties break neighbor counts", "information/estimators/columns.py",
     "tests/information/test_ties.py::test_independent_variables_share_nothing"),
    ("neighbor counts are strict, and a value below 0 stays", "information/estimators/ksg.py",
     "tests/information/test_estimators.py::test_negative_values_stay_and_doubts_are_said"),
    ("intervals from subsamples hold no common bias", "information/measures.py",
     "tests/information/test_measures.py::test_an_interval_without_its_bias_says_so"),
    ("dependent rows make intervals too narrow and p too small", "information/doubts.py",
     "tests/information/test_rules.py::test_series_are_said_of_every_quantity"),
    ("an interval by groups or blocks keeps what batches cannot see", "information/measures.py",
     "tests/information/test_rules.py::test_pieces_keep_the_bracket_of_bounds"),
    ("a difference of two upper bounds is no bound", "information/plane.py",
     "tests/information/test_rules.py::test_a_difference_of_bounds_is_no_bound"),
    ("apparent compression by occupied cells: permuted labels beside", "information/plane.py",
     "tests/information/test_readouts.py::test_permuted_labels_show_what_is_real"),
    ("where Y is a function of X the Lagrangian has corners alone; the squared one reaches every point",
     "information/bottleneck/squared.py",
     "tests/information/bottleneck/test_solvers.py::test_where_y_is_a_function_of_x_it_reaches_every_point"),
    ("a fitted beta has a residual and a null", "information/layer_bound.py",
     "tests/information/test_layer_bound.py::test_shuffled_labels_fit_worse_where_the_layer_knows_them"),
    ("bits; nats on request", "information/measures.py",
     "tests/information/test_rules.py::test_nats_are_bits_by_log_2"),
    ("squares of float32 differences cancel: sums in float64", "information/mixtures.py",
     "tests/information/test_readouts.py::test_noise_bounds_agree_with_the_double_loop"),
    ("other quantities than Shannon's are not on its axis", "information/options.py",
     "tests/information/test_rules.py::test_other_quantities_are_named_as_such"),
    ("compression and generalization occur in all four combinations", "information/phases.py",
     "tests/information/test_rules.py::test_nothing_says_that_compression_is_generalization"),
    ("heavy tails: standard deviations mean little, ranks", "information/doubts.py",
     "tests/information/test_estimate.py::test_long_tails_are_noted_where_the_method_sees_them"),
)  # fmt: skip
METHODS = 6  # so many questions choose a method; the others are asked of any number
HEAD = """# Which number can I trust?

```{{image}} {light}
:alt: Questions to ask of the data from top to bottom, each with the call that answers it; the table below says the same
:class: only-light
```

```{{image}} {dark}
:alt: Questions to ask of the data from top to bottom, each with the call that answers it; the table below says the same
:class: only-dark
```

Every estimate has a unit, a direction ("lower", "consistent", "exact"), an interval and notes; a number without its
notes is half of it. The questions of the figure, with what was measured for each answer: rows of the
[trials](trials/information.md) ("held" counts intervals that hold the truth, 95 % nominal) and of the
[forty pairs](known_information.md) (bits, n = 2,000). Written by `docs/make_which.py`, no value typed.
"""
TABLE = """
## What misleads, and where it is met

| what misleads | in `src/deeptheory/` | test |
|---|---|---|
"""
FOOT = """
## What no row says

{silent}

Data unlike all of these have no row. What you know of your own data can be one: simulate pairs that look like yours,
with a known answer, and run the same call on them.
"""


def measured() -> dict[str, tuple[str, str]]:
    """Case -> what was measured and needed at full size."""
    out = {}
    for line in (DOCS / "trials" / "information.md").read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split(" | ")]
        if len(cells) == 7 and cells[6].startswith("yes"):
            out[cells[2]] = (cells[4], cells[5])
    return out


def pairs() -> dict[str, dict[str, str]]:
    """Name of a pair -> its row of docs/known_information.md by heading."""
    lines = [x for x in (DOCS / "known_information.md").read_text(encoding="utf-8").splitlines() if x.startswith("|")]
    names = [c.strip() for c in lines[0].strip("|").split("|")]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines[2:]]
    return {r[0]: dict(zip(names, r)) for r in rows}


def _short(text: str) -> str:
    parts = text.split("; ")
    return "; ".join(parts[:2]) + (" ..." if len(parts) > 2 else "")


def page() -> str:
    """The page in Markdown."""
    found, known, out = measured(), pairs(), [HEAD.format(**{t: PICTURE.format(t) for t in THEMES})]
    for at, step in enumerate(STEPS, 1):
        question, answer = (" ".join(t.split()) for t in (step.question, step.answer))
        text = textwrap.fill(step.text, 120, break_long_words=False, break_on_hyphens=False)
        out.append(f"\n## {at}. {question}\n\n**Then: {answer}.**\n\n{text}\n")
        rows = [(r, *found[r]) for r in step.rows if r in found]
        if rows:
            out.append("\n| trial | measured | needed |\n|---|---|---|\n")
            out += [f"| {r} | {_short(was)} | {_short(need)} |\n" for r, was, need in rows]
        if step.pairs:
            out.append("\n| pair | truth | auto | ksg | gaussian | auto: noted |\n|---|---|---|---|---|---|\n")
            heads = ("truth", "auto", "ksg", "gaussian", "auto: noted")
            out += [f"| {p} | {' | '.join(known[p][h] for h in heads)} |\n" for p in step.pairs]
        rest = [f'"{r}" (a row of `tests/trials`)' for r in step.rows if r not in found]
        rest += [f"`{t}`" for t in step.tests]
        if rest:
            said = f"{'Also' if rows else 'It rests on'}: {', '.join(rest)}."
            out.append(f"\n{textwrap.fill(said, 120, break_long_words=False, break_on_hyphens=False)}\n")
    text = (DOCS / "known_information.md").read_text(encoding="utf-8")
    silent = re.search(r"^Of \d+ estimates by `auto`.*$", text, re.M)
    assert silent is not None
    out.append(TABLE)
    out += [f"| {what} | `{file}` | `{test}` |\n" for what, file, test in RULES]
    out.append(FOOT.format(silent=f"{silent[0]} ([forty pairs](known_information.md))"))
    return "".join(out)


def draw(theme: str, path: Path) -> None:
    """The questions from top to bottom, each with its answer to the right."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    back, ink, edge, fill = THEMES[theme]
    places = [-k - (0.7 if k >= METHODS else 0) for k in range(len(STEPS))]
    fig, axis = plt.subplots(figsize=(8.6, 0.7 * (len(STEPS) + 1.2)), dpi=120)
    fig.subplots_adjust(0, 0, 1, 1)
    axis.set(xlim=(0, 10), ylim=(places[-1] - 0.6, 0.6))
    axis.axis("off")
    for k, (step, at) in enumerate(zip(STEPS, places)):
        box = {"boxstyle": "round,pad=0.45", "facecolor": fill, "edgecolor": edge, "linewidth": 1.2}
        axis.text(2.2, at, step.question, ha="center", va="center", fontsize=9, color=ink, bbox=box)
        axis.text(5.2, at, step.answer, ha="left", va="center", fontsize=9, color=ink)
        axis.annotate("", (5.1, at), (4.35, at), arrowprops={"arrowstyle": "-|>", "color": edge})
        axis.text(4.72, at + 0.14, "yes" if k < METHODS else "", ha="center", fontsize=8, color=ink)
        if k + 1 < METHODS:
            axis.annotate("", (2.2, at - 0.7), (2.2, at - 0.3), arrowprops={"arrowstyle": "-|>", "color": ink})
            axis.text(2.3, at - 0.5, "" if k == 1 else "no", va="center", fontsize=8, color=ink)
    axis.text(0.45, places[METHODS] + 0.62, "Then, of any number:", fontsize=9, color=ink, weight="bold")
    fig.savefig(path, facecolor=back)
    plt.close(fig)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    for theme in THEMES:
        draw(theme, DOCS / PICTURE.format(theme))
