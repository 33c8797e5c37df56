"""The ledger: regions read, intervals honest, verdicts by rule."""

import json
import math

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.theme import new_figure
from deeptheory.runs import (
    Claim,
    Ledger,
    NotDone,
    NotRun,
    PageFigure,
    Region,
    Sample,
    decide,
    read_figure,
    share_of,
)
from deeptheory.runs.intervals import interval

KEYS = {
    "id", "figure", "source", "statement", "published", "published_trust", "quantity", "unit", "measured", "low",
    "high", "region", "criterion", "verdict", "setting", "n_of", "seeds", "needs", "p", "least_p", "study_wise",
    "protocol", "scale", "command", "note", "schema",
}  # fmt: skip


def claim(measured, region=">= 0.8", published=None, id="c", setting=None):
    def measure(results):
        if isinstance(measured, Exception):
            raise measured
        return measured

    return Claim(
        id=id,
        figure="1",
        source="paper",
        statement="says",
        quantity="q",
        unit="1",
        region=region,
        criterion="as region",
        protocol="p",
        measure=measure,
        published=published,
        setting=setting,
    )


def verdict(measured, region=">= 0.8", scale="quick", **more):
    return decide([claim(measured, region)], {}, scale=scale, **more)["c"]


@pytest.mark.parametrize("text", ["[2, 1]", "(2, 1)", "(1, 1]", "[1, 1)", "(1, 1)", "1 +- -0.5"])
def test_a_region_that_holds_nothing_is_refused(text):
    with pytest.raises(InputError, match="region"):
        Region.parse(text)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (">= 0.8", [0.8, 9], [0.79]),
        ("> 0.8", [0.81], [0.8]),
        ("< 1e-10", [0, 1e-11], [1e-10]),
        ("[1/3, 3]", [1 / 3, 3], [0.3, 3.1]),
        ("(0, 0.5]", [0.5, 0.1], [0]),
        ("1 +- 0.05", [0.95, 1.05], [0.94]),
        ("= 160", [160], [161]),
        ("[2, inf)", [5], [1]),
    ],
)
def test_regions_are_read(text, inside, outside):
    region = Region.parse(text)
    assert all(x in region for x in inside)
    assert not any(x in region for x in outside)


@pytest.mark.parametrize("text", ["about 3", "[3, 1]", "(1, 1)", "exact", ""])
def test_regions_that_cannot_be_read_are_refused(text):
    with pytest.raises(InputError, match="region"):
        Region.parse(text)


def test_verdicts_follow_the_rule():
    rng = np.random.default_rng(0)
    assert verdict(1 + 0.01 * rng.standard_normal(20)).verdict == "reproduced"
    assert verdict(0.5 + 0.01 * rng.standard_normal(20)).verdict == "contradicted"
    assert verdict(0.8 + 0.1 * rng.standard_normal(20)).verdict == "inconclusive"
    assert verdict(NotRun("costs a week")).note == "costs a week"
    assert verdict(InputError("undefined with one minibatch")).note == "undefined with one minibatch"
    assert verdict(NotDone("step x has 0 of 1 units; run it first")).verdict == "not run"
    assert verdict(3.0, "= 3").verdict == "reproduced"
    assert verdict(3.0, "= 3").seeds is None


def test_exact_means_the_published_number():
    entry = decide([claim(5, "exact", published=4)], {}, scale="quick")["c"]
    assert entry.verdict == "contradicted"


def test_too_few_units_decide_nothing():
    assert verdict(np.array([1.0, 1.1, 1.05])).verdict == "inconclusive"
    assert "3 networks; needs n >= 4" in verdict(np.full(3, 1.0)).note
    assert verdict(np.full(4, 1.0)).verdict == "reproduced"
    assert verdict(Sample(np.full(5, 1.0), "median")).verdict == "inconclusive"
    assert verdict(Sample(np.full(6, 1.0), "median")).verdict == "reproduced"


@pytest.mark.parametrize("setting", ["published", "reference code", "scaled down", "other data"])
def test_only_the_papers_own_setting_reproduces_or_contradicts(setting):
    own = setting in ("published", "reference code")
    assert verdict(np.full(5, 1.0), setting=setting).verdict == ("reproduced" if own else "holds here")
    assert verdict(np.full(5, 0.0), setting=setting).verdict == ("contradicted" if own else "fails here")
    assert verdict(np.arange(5) / 4, setting=setting).verdict == "inconclusive"


def test_p_is_the_level_at_which_the_interval_decides():
    from scipy.stats import ttest_1samp

    values = np.random.default_rng(3).normal(1, 0.2, 9)
    entry = verdict(values)
    assert entry.p == pytest.approx(ttest_1samp(values, 0.8).pvalue, rel=1e-6)
    assert entry.least_p == 0
    share = verdict(np.ones(17, dtype=bool))
    assert share.p == pytest.approx(2 * 0.8**17, rel=1e-6)  # Clopper-Pearson: half of alpha at each end
    assert share.least_p == pytest.approx(2 * 0.2**17, rel=1e-3)  # all 17 false
    assert verdict(3.0, "= 3").p is None


def test_a_verdict_holds_for_the_study_only_after_holm():
    rng = np.random.default_rng(0)
    weak = [claim(0.8 + 0.02 * np.array([1.0, 1.5, 2.0, 0.1, 1.2]), id=f"w{k}") for k in range(20)]
    strong = claim(1 + 0.001 * rng.standard_normal(9), id="s")
    ledger = decide([*weak, strong, claim(1.0, id="exact")], {}, scale="quick")
    assert ledger["w0"].verdict == "reproduced"
    assert ledger["w0"].p < 0.05
    assert ledger["w0"].study_wise is False
    assert ledger["s"].study_wise is True
    assert ledger["exact"].study_wise is None
    assert ledger.wrong_by_chance() == pytest.approx(21 * 0.025)


def test_a_claim_without_a_region_is_measured_and_not_judged():
    entry = verdict(np.full(5, 1.0), None)
    assert (entry.verdict, entry.measured, entry.region) == ("measured, not judged", 1.0, "")


def test_the_headline_goes_by_setting():
    claims = [claim(1.0), claim(0.0, id="d", setting="other data")]
    ledger = decide(claims, {}, scale="quick")
    assert ledger.headline() == ("published: 1 reproduced", "other data: 1 fails here")
    with pytest.raises(InputError, match="unknown setting 'toy'"):
        decide(claims, {}, scale="quick", setting="toy")


def test_an_open_upper_end_does_not_belong_to_the_region():
    assert 4_250_000 not in Region.parse("[4150000, 4250000)")
    assert 4_150_000 in Region.parse("[4150000, 4250000)")
    assert verdict(4_250_000.0, "[4150000, 4250000)").verdict == "contradicted"
    assert Region.parse("[0, 1)").verdict(1.0, 2.0) == "contradicted"


def test_a_seed_without_a_value_leaves_the_claim_open():
    entry = verdict(np.array([1.0] * 9 + [np.nan]))
    assert entry.verdict == "inconclusive"
    assert "no value in 1 of 10 networks" in entry.note


def test_with_a_changed_setting_claims_are_measured_and_not_judged():
    entry = verdict(np.full(8, 1.0), changed={"lr": 1.0})
    assert entry.verdict == "measured, not judged"
    assert entry.measured == 1.0
    assert "lr = 1.0" in entry.note


def test_shares_are_never_surer_than_their_seeds():
    assert verdict(np.ones(12, dtype=bool)).low == pytest.approx(0.7354, abs=1e-4)
    assert verdict(np.ones(16, dtype=bool)).verdict == "inconclusive"
    assert verdict(np.ones(17, dtype=bool)).verdict == "reproduced"


@pytest.mark.parametrize("n", [17, 40])
@pytest.mark.parametrize("missing", [1, 5])
def test_a_network_without_a_value_is_no_network_in_which_the_claim_fails(n, missing):
    measured = np.full((n + missing, 3), 2.0)
    measured[:missing, 1] = math.nan
    sample = share_of((measured > 1).all(1), measured)
    found = interval(sample)
    assert (found.value, found.n, found.missing) == (1, n, missing)
    assert found.low == interval(Sample(np.ones(n, dtype=bool), "share")).low
    entry = verdict(sample)
    assert entry.verdict == "inconclusive"
    assert entry.measured == 1
    assert entry.least_p == verdict(np.ones(n, dtype=bool)).least_p
    assert f"no value in {missing} of {n + missing} networks" in entry.note
    assert verdict(share_of(measured[missing:, 0] > 1, measured[missing:])).verdict == "reproduced"


def test_a_share_of_nothing_has_no_value():
    entry = verdict(share_of(np.zeros(3, dtype=bool), np.full(3, math.nan)))
    assert (entry.verdict, entry.measured, entry.p, entry.least_p) == ("inconclusive", None, None, None)
    assert "no value in 3 of 3 networks" in entry.note


def test_paired_columns_stay_together():
    rng = np.random.default_rng(0)
    b = rng.uniform(1, 9, 20)
    found = interval(Sample(np.stack([2 * b, b], 1), "ratio"))
    assert found.low == pytest.approx(2)
    assert found.high == pytest.approx(2)


def test_infinite_values_have_a_median_and_an_infinite_end():
    found = interval(Sample([1, 2, 3, 4, math.inf, math.inf, 5, 6], "median"))
    assert (found.value, found.low, found.high) == (4.5, 1, math.inf)


def test_the_files_hold_the_keys_and_come_back(tmp_path):
    claims = [claim(np.full(5, 1.0)), claim(math.inf, "[0, 1]", id="d"), claim(NotRun("later"), id="e")]
    ledger = decide(claims, {}, scale="quick", command="do it")
    ledger.write(tmp_path)
    rows = json.loads((tmp_path / "claims.json").read_text())
    assert all(set(row) == KEYS for row in rows)
    assert rows[1]["measured"] == "inf"
    again = Ledger.load(tmp_path)
    assert again.rows() == ledger.rows()
    assert again["d"].measured == math.inf
    assert (tmp_path / "claims.csv").read_text().splitlines()[0].split(",")[0] == "id"
    assert {k: v for k, v in ledger.counts().items() if v} == {"reproduced": 1, "contradicted": 1, "not run": 1}
    assert len(ledger.table()) == 3
    assert "1 contradicted" in repr(ledger)
    (tmp_path / "claims.json").write_text('[{"id": 1}]')
    with pytest.raises(StoreError, match="has schema 1, this version reads 2"):
        Ledger.load(tmp_path)
    (tmp_path / "claims.json").write_text('[{"id": 1, "schema": 2}]')
    with pytest.raises(StoreError, match="claims.json is damaged"):
        Ledger.load(tmp_path)


def test_an_estimate_brings_its_own_interval():
    entry = verdict(dt.Estimate(value=1.0, low=0.9, high=1.1, method="m", direction="lower"))
    assert entry.verdict == "reproduced"
    assert "m, lower" in entry.note
    assert verdict(dt.Estimate(value=1.0, method="m")).verdict == "inconclusive"
    assert verdict(dt.Estimate(value=1.0, method="m", direction="exact")).verdict == "reproduced"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: verdict("many"), "claim c measured str"),
        (lambda: decide([claim(1), claim(1)], {}, scale="quick"), "claim id 'c' is listed twice"),
        (lambda: decide([], {}, scale="quick")["c"], "unknown claim 'c'"),
        (lambda: Sample([]), r"values have shape \[0\]"),
        (lambda: Sample([1.0], "mode"), "unknown statistic"),
        (lambda: Sample([0.5], "share"), "such as 0.5; a share is of"),
        (lambda: Sample([1], "share"), "a share is of"),
        (lambda: Sample([1.0, math.inf], "share"), "a share is of"),
        (lambda: share_of([1.0], [1.0]), "holds has dtype float64"),
        (lambda: share_of([True], ["a"]), "measured has dtype <U1"),
        (lambda: share_of([True], [1.0, 2.0]), r"measured has shape \[2\], holds has 1"),
        (lambda: Sample([[1.0, 2.0]], "mean"), r"'mean' needs \[n\]"),
        (lambda: PageFigure(name="a/b", title="t", figure=None, table=None, shows="s", limitations="t", alt="a"),
            "figure name is"),
        (lambda: PageFigure(name="a", title="t", figure=None, table=None, shows="s", limitations=" ", alt="a"),
            "has no limitations"),
    ],
)  # fmt: skip
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_plate_s_files_come_back(tmp_path):
    import pandas as pd

    table = pd.DataFrame({"a": [1, 2]})
    figure = new_figure(title="t")
    PageFigure(name="p", title="t", figure=figure, table=table, shows="s", limitations="t", alt="a").write(tmp_path)
    assert read_figure(tmp_path, "p").layout.title.text == "t"
    assert (tmp_path / "figures" / "p.csv").read_text() == "a\n1\n2\n"
    with pytest.raises(InputError, match="unknown figure 'q'"):
        read_figure(tmp_path, "q")
    (tmp_path / "figures" / "p.json").write_text("[]")
    with pytest.raises(StoreError, match="damaged"):
        read_figure(tmp_path, "p")


def test_a_notebook_shows_the_verdicts_of_a_ledger_and_how_many_rows():
    ledger = decide([claim(0.5 + k / 100, id=f"c{k}") for k in range(60)], {}, scale="quick")
    shown = ledger._repr_html_()
    assert "20 of 60 rows" in shown
    assert all(line in shown for line in ledger.headline())
    assert "<td>c0</td>" in shown
    assert "<td>protocol</td>" not in shown
    assert "0 claims" in Ledger(entries=())._repr_html_()


@pytest.mark.parametrize("text", [">= 1/0", "[1/0, 2]", "1 +- 1/0", "1 +- inf", ">= 5e400"])
def test_a_region_has_numbers_that_a_float_holds(text):
    with pytest.raises(InputError, match="needed: a finite number"):
        Region.parse(text)


def test_exact_needs_a_finite_number():
    with pytest.raises(InputError, match="the published value is nan"):
        Region.parse("exact", math.nan)


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (np.array([math.nan, math.nan]), "no value in 2 of 2 networks"),
        (math.nan, "no value"),
        (Sample(np.array([[1.0, 0.0], [2.0, 0.0]]), "ratio"), "the denominator may be 0"),
    ],
)
@pytest.mark.parametrize(("region", "changed"), [("> 1", {"lr": 3}), (None, {}), (None, {"lr": 3})])
def test_what_has_no_value_was_not_measured(measured, said, region, changed):
    entry = verdict(measured, region, changed=changed)
    assert (entry.measured, entry.verdict) == (None, "inconclusive")
    assert said in entry.note


def test_masked_values_are_no_values():
    entry = verdict(np.ma.array([0.9, 0.9, 0.91, 0.92, -1e20], mask=[0, 0, 0, 0, 1]))
    assert entry.measured == pytest.approx(0.9075)
    assert (entry.verdict, entry.seeds) == ("inconclusive", 4)
    assert "no value in 1 of 5 networks" in entry.note


@pytest.mark.parametrize("measured", [np.array([]), Sample(np.array([1.0, -1.0, 2.0, 3.0]), "geometric mean")])
def test_one_claim_that_cannot_be_measured_does_not_end_the_others(measured):
    ledger = decide([claim(measured, id="a"), claim(np.full(8, 0.9) + np.arange(8) / 100, id="b")], {}, scale="quick")
    assert (ledger["a"].verdict, ledger["b"].verdict) == ("not run", "reproduced")
    assert ledger["a"].note


@pytest.mark.parametrize(("changed", "found"), [({}, "inconclusive"), ({"lr": 3}, "measured, not judged")])
def test_a_sample_says_that_it_decides_nothing(changed, found):
    entry = verdict(Sample(np.linspace(0.9, 1.0, 8), undecided="2 logged epochs; needs 5"), changed=changed)
    assert entry.verdict == found
    assert entry.measured == pytest.approx(0.95)
    assert entry.study_wise is None
    assert "2 logged epochs; needs 5" in entry.note
