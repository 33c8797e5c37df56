"""Verdicts: how often the ledger is wrong where the truth is known, and what must not turn a verdict."""

import numpy as np

from deeptheory.runs import Claim, Sample, decide, derive, members, share_of
from deeptheory.runs.intervals import interval
from trials.frame import Row, all_of, often, quick, rare, same


def verdict(sample, region):
    claim = Claim(
        id="c",
        figure="1",
        source="s",
        statement="s",
        quantity="q",
        unit="1",
        region=region,
        criterion="c",
        protocol="p",
        measure=lambda r: sample,
    )
    return decide([claim], {}, scale="quick")["c"]


def at_the_edge(draw, statistic, region, n):
    """The truth lies on the region's boundary: a definite verdict is wrong half of the time at .05, so rare at .05."""

    def check(rng, draws):
        said = [verdict(Sample(draw(rng, n), statistic), region).verdict for _ in range(draws)]
        return rare(sum(s != "inconclusive" for s in said), draws, 0.05)

    return check


def far_inside(draw, statistic, region, n, rate):
    def check(rng, draws):
        said = [verdict(Sample(draw(rng, n), statistic), region).verdict for _ in range(draws)]
        return all_of(often(said.count("reproduced"), draws, rate), rare(said.count("contradicted"), draws, 0.025))

    return check


def uniform_p(rng, draws):
    from trials.frame import uniform

    return uniform(verdict(Sample(rng.normal(size=8)), "> 0").p for _ in range(draws))


def family_wise(rng, draws):
    """20 claims whose truth is the boundary: some verdict called firm for the study in at most 5 % of studies."""

    def claim(k):
        values = rng.normal(size=6)
        return Claim(
            id=str(k), figure="1", source="s", statement="s", quantity="q", unit="1", region="> 0", criterion="c",
            protocol="p", measure=lambda r: values,
        )  # fmt: skip

    wrong = sum(
        any(e.study_wise for e in decide([claim(k) for k in range(20)], {}, scale="quick")) for _ in range(draws)
    )
    return rare(wrong, draws, 0.05)


def units_and_order(rng, draws):
    x = rng.normal(1, 0.3, 10)
    turn = rng.permutation(10)
    forms = [(x, "> 0.5"), (x[turn], "> 0.5"), (x * 1e6, "> 5e5"), (x.astype(np.float32), "> 0.5"), (list(x), "> 0.5")]
    return same([[verdict(v, r).p] for v, r in forms], 1e-5)


def seeds_apart(rng, draws):
    seen = [derive(int(s), name) for s in range(200) for name in ("a", "b", "ab")]
    families = [s for run in range(50) for s in members(run, 30)]
    return same([[len(set(seen)), len(set(families))], [600, 1500]])


def shares(p):
    return lambda rng, n: rng.random(n) < p


def with_missing(n, gone):
    """Values whose sign is a fair coin, some of them missing."""

    def draw(rng):
        values = rng.normal(size=n)
        values[rng.random(n) < gone] = np.nan
        return values

    return draw


def share_covers(n, gone):
    def check(rng, draws):
        found = [interval(share_of(v > 0, v)) for v in (with_missing(n, gone)(rng) for _ in range(draws))]
        return rare(sum(not f.low <= 0.5 <= f.high for f in found if f.n), draws, 0.05)

    return check


def share_counts(rng, draws):
    values = with_missing(200, 0.3)(rng)
    there = values[~np.isnan(values)]
    found = interval(share_of(values > 0, values))
    return same([[found.value, found.n, found.missing], [(there > 0).mean(), len(there), 200 - len(there)]])


def share_in_any_order(rng, draws):
    values = with_missing(50, 0.2)(rng)
    turn = rng.permutation(50)
    forms = [
        (values, values),
        (values[turn], values[turn]),
        (values, values.astype(np.float32)),
        (values, np.stack([values] * 3, 1)),
    ]
    found = [interval(share_of(v > 0, m)) for v, m in forms]
    return same([[f.value, f.low, f.high, f.n] for f in found], 1e-12)


def normals(mean, sd):
    return lambda rng, n: rng.normal(mean, sd, n)


def pairs(ratio):
    def draw(rng, n):
        b = rng.normal(2, 0.4, n)
        return np.stack([ratio * b + rng.normal(0, 0.4, n), b], 1)

    return draw


ROWS = [
    *(Row("runs.decide", "null", f"{n} networks, true mean on the boundary",
        at_the_edge(normals(0, 1), "mean", "> 0", n), 100, 2000) for n in (4, 6, 8, 18)),
    *(Row("runs.decide", "null", f"{n} networks, true share on the boundary",
        at_the_edge(shares(0.8), "share", ">= 0.8", n), 100, 2000) for n in (8, 18, 36)),
    *(Row("runs.decide", "null", f"{n} pairs, true ratio on the boundary", at_the_edge(pairs(0.5), "ratio", "< 0.5", n),
        100, 2000) for n in (4, 8, 18)),
    *(Row("runs.decide", "null", f"{n} networks, true median on the boundary",
        at_the_edge(normals(0, 1), "median", "> 0", n), 100, 1000) for n in (6, 12)),
    Row("runs.decide", "null", "p of a claim whose truth is the boundary", uniform_p, 100, 2000),
    Row("runs.decide", "null", "20 such claims: study-wise verdicts", family_wise, 40, 400),
    Row("runs.decide", "power", "8 networks, mean 2 s.d. inside: reproduced in 90 %",
        far_inside(normals(2, 1), "mean", "> 0", 8, 0.9), 60, 600),
    Row("runs.decide", "power", "18 networks that all agree, >= 0.8: reproduced",
        far_inside(shares(1.0), "share", ">= 0.8", 18, 1.0), 20, 200),
    Row("runs.decide", "power", "18 pairs, ratio .25 where < .5 is claimed: reproduced in 90 %",
        far_inside(pairs(0.25), "ratio", "< 0.5", 18, 0.9), 20, 100),
    Row("runs.decide", "power", "12 networks, median 2 s.d. inside: reproduced in 90 %",
        far_inside(normals(2, 1), "median", "> 0", 12, 0.9), 20, 600),
    Row("runs.decide", "invariance", "order, units, dtype and kind of array", units_and_order),
    *(Row("runs.share_of", "null", f"{n} networks, a fifth without a value: 95 % interval of a fair coin",
        share_covers(n, 0.2), 200, 2000) for n in (6, 18, 60)),
    Row("runs.share_of", "truth", "those without a value are left out and counted", share_counts),
    Row("runs.share_of", "invariance", "order, dtype and columns of what was compared", share_in_any_order),
    Row("runs.derive", "truth", "purposes and families never share a seed", seeds_apart),
]  # fmt: skip
EXEMPT = {
    "runs.chunks": "cuts a list, no number",
    "runs.generator": "a generator of derive's seed",
    "runs.members": "tried with derive",
    "runs.read_figure": "reads a stored figure",
    "runs.read_record": "reads a stored record",
    "runs.Ledger.counts": "counts verdicts; tests/runs compares them",
    "runs.Ledger.wrong_by_chance": "arithmetic on regions; tests/runs compares it",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
