"""What a claim states of its paper, to be drawn and said: regions and printed numbers, with their doubt."""

import dataclasses
import math

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import InputError
from deeptheory.networks import log_epochs
from deeptheory.runs import NotRun, Sample, decide
from deeptheory.studies import find
from deeptheory.studies.paper import LEAST_LOOKS, Paper, along, printed, printed_rows, same, stated

PAPER = Paper(citation="A 2020", protocol="p")


def claim(id, region: str | None = "> 0", **more):
    return PAPER.claim(id, "table 1", "s", "q", region, lambda results: 1.0, **more)


CLAIMS = [
    claim("error", "= 1", unit="%", published=0.34, published_trust="text"),
    claim("memory", "[1, 2]", unit="%", published=66.0, published_trust="unverified: from memory of the paper"),
    claim("size", published="8.2M", published_trust="text"),
    claim("bare", None),
]


def test_a_printed_number_has_its_unit_and_its_doubt():
    assert [printed(CLAIMS, name) for name in ("error", "memory", "size")] == ["0.34 %", "66 % (unverified)", "8.2M"]
    assert printed_rows(CLAIMS, {"one": "error", "other": "memory"}) == "one 0.34 %, other 66 % (unverified)"


def test_a_number_that_no_paper_prints_cannot_be_said():
    with pytest.raises(InputError, match="unknown claim with a number 'bare'"):
        printed(CLAIMS, "bare")
    with pytest.raises(InputError, match="unknown claim with a number 'eror'; did you mean error"):
        printed(CLAIMS, "eror")


def test_regions_are_as_stated():
    assert stated(CLAIMS, "memory") == (1, 2)
    assert stated(CLAIMS, "size") == (0, math.inf)
    with pytest.raises(InputError, match="unknown claim with a region 'bare'"):
        stated(CLAIMS, "bare")


def course(looks, networks=8):
    return {"a": xr.Dataset({"i_x": (("seed", "step"), np.ones((networks, looks)))})}


@pytest.mark.parametrize(
    "found", [np.linspace(1, 2, 8), np.ones(8, dtype=bool), Sample(np.linspace(1, 2, 8), "median")]
)
def test_a_claim_about_a_course_is_not_decided_on_two_logged_epochs(found):
    judged = dataclasses.replace(claim("c", ">= 0.5"), measure=along(lambda results: found, "a"))
    few, enough = (decide([judged], course(looks), scale="quick")["c"] for looks in (4, 5))
    assert (few.verdict, enough.verdict) == ("inconclusive", "reproduced")
    assert few.measured == enough.measured
    assert "4 logged epochs; needs 5 or more" in few.note
    assert "logged epochs" not in enough.note


def test_what_was_not_run_stays_so_however_few_its_epochs():
    assert along(lambda results: NotRun("later"), "a")(course(1)) == NotRun("later")


def test_one_experiment_is_not_compared_with_itself():
    one, other = course(6)["a"], course(6)["a"]
    found = same({"full": one, "mini": other}, "i_x", "full", "mini")
    assert found is not None
    assert "full and mini are the same networks" in found.reason
    assert same({"full": one, "mini": other + 1e-9}, "i_x", "full", "mini") is None
    assert same({"full": one, "mini": course(7)["a"]}, "i_x", "full", "mini") is None


@pytest.mark.parametrize(
    ("study", "epochs", "logged"),
    [
        ("shwartz-ziv-tishby-2017", "epochs", "points"),
        ("shwartz-ziv-tishby-2017", "epochs", "few_points"),
        ("shwartz-ziv-tishby-2017", "picture_epochs", "few_points"),
        ("saxe-2018", "epochs", "points"),
        ("goldfeld-2019", "epochs", "points"),
        ("goldfeld-2019", "epochs", "quantised_points"),
    ],
)
def test_every_scale_logs_enough_epochs_to_decide(study, epochs, logged):
    for scale in find(study).scales:
        values, _ = find(study).values(scale)
        assert len(log_epochs(values[epochs], values[logged])) >= 2 * LEAST_LOOKS, scale
