"""What a claim states of its paper, to be drawn and said: regions and printed numbers, with their doubt."""

import math

import pytest

from deeptheory.core.errors import InputError
from deeptheory.studies.paper import Paper, printed, printed_rows, stated

PAPER = Paper(citation="A 2020", protocol="p")


def claim(id, region="> 0", **more):
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
