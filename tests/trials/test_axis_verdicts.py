"""Verdicts of the axis science: silently wrong names are rare on anybody's features, and power stands beside."""

import numpy as np

import deeptheory as dt
from trials import axis_data as data
from trials.frame import Found, Row, all_of, often, quick, rare

KINDS = ("Gaussian", "skewed", "exponential", "heavy-tailed", "binary", "sphere", "collinear", "decaying")


def said(kind, code, units, rng, n=1000, d=20, ceiling=0.5, trials=4):
    s = data.features(kind, rng, n, d)
    y = data.recorded(data.cells(code, s, units, rng), ceiling, trials, rng)
    return dt.axis_code(y, s, folds=5, permutations=99).models


def wrong_names(kind, codes=tuple(data.TRUE), n=1000, d=20):
    """Units of every code, each called its own name or undetermined. "none" of a coded unit is a wrong name, too."""

    def check(rng, draws):
        wrong = total = 0
        for code in codes:
            verdict = said(kind, code, draws, rng, n, d, float(rng.choice([0.3, 0.5, 0.8]))).verdict
            wrong += int(((verdict != data.TRUE[code]) & (verdict != "undetermined")).sum())
            total += draws
        return rare(wrong, total)

    return check


def named(kind, code, rate, n=1000, ceiling=0.5):
    def check(rng, draws):
        return often(
            int((said(kind, code, draws, rng, n, ceiling=ceiling).verdict == data.TRUE[code]).sum()), draws, rate
        )

    return check


def one_family(kind):
    def check(rng, draws):
        found = [said(kind, code, draws, rng, 500, 10) for code in ("axis", "exemplar")]
        undecided = all((m.verdict == "undetermined").all() for m in found)
        why = {r for m in found for r in m.reason}
        return Found(
            f"all undetermined: {undecided}; {why}",
            "undetermined, equal length",
            undecided and all("equal length" in r for r in why),
        )

    return check


def half_of_the_ceiling(rng, draws):
    verdict, named_ = [], 0
    for code in ("XOR", "axis", "energy", "exemplar"):
        m = said("Gaussian", code, draws, rng, 600, 8, 0.8)
        coded = ~np.isin(m.verdict, ["undetermined", "none"])
        best = np.array([m.of(v)[k] if c else 1 for k, (v, c) in enumerate(zip(m.verdict, coded))])
        named_ += int(coded.sum())
        verdict.append(bool((best >= 0.5 * np.where(coded, m.ceiling, 0)).all()))
    said_ = f"{named_} of {4 * draws} units named, every name at half of its ceiling: {verdict}"
    return Found(said_, "a third named, all of them there", all(verdict) and named_ >= 4 * draws / 3)


def none_is_nominal(n, d):
    def check(rng, draws):
        verdict = said("Gaussian", "none", draws, rng, n, d).verdict
        return all_of(
            rare(int((~np.isin(verdict, ["none", "undetermined"])).sum()), draws),
            often(int((verdict == "none").sum()), draws, 0.75),
        )

    return check


ROWS = [
    *(Row("axis.AxisCode.verdict", "null", f"{k} features: wrong names", wrong_names(k), 0, 40) for k in KINDS),
    *(Row("axis.AxisCode.verdict", "null", f"{k} features, 400 stimuli, 8 features: wrong names",
        wrong_names(k, ("axis", "rectified", "energy", "XOR"), 400, 8), 8 if k in KINDS[:2] else 0, 60)
            for k in KINDS[:4]),
    Row("axis.AxisCode.verdict", "power", "axis cells, Gaussian, ceiling .5, 1,000 stimuli, 20 features",
        named("Gaussian", "axis", 0.8), 20, 400),
    *(Row("axis.AxisCode.verdict", "power", f"{c} cells, Gaussian, ceiling .5, 1,000 stimuli, 20 features",
        named("Gaussian", c, 0.8), 0, 200) for c in ("softplus", "exemplar", "energy")),
    *(Row("axis.Models.counts", "truth", f"{k}: exemplar and axis are one family", one_family(k), 8, 60)
        for k in ("sphere", "binary")),
    Row("axis.AxisCode.share", "truth", "no name without half of the ceiling", half_of_the_ceiling, 6, 60),
    *(Row("axis.AxisCode.verdict", "null", f"no code, {n} stimuli, {d} features", none_is_nominal(n, d), 0, 200)
        for n, d in ((600, 20), (1000, 50))),
]  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
