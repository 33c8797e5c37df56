"""A claim's strip shows where value, interval and region lie to each other."""

import re

import pytest

from deeptheory.report.strips import WIDTH, strip, swatch, tally


def claim(**more):
    given = {"measured": 1.0, "low": 0.5, "high": 1.5, "region": "[0, 2]", "published": None, "verdict": "reproduced"}
    return given | more


def parts(svg):
    """Ends of region and interval, place of the value."""
    region = re.search(r'class="region" x="([\d.]+)" y="2" width="([\d.]+)"', svg)
    a = float(region[1])
    interval = re.search(r'class="ci \w+" x1="([\d.]+)" y1="8" x2="([\d.]+)"', svg)
    value = float(re.search(r'cx="([\d.]+)"', svg)[1])
    return (a, a + float(region[2])), interval and tuple(map(float, interval.groups())), value


def test_the_order_is_that_of_the_numbers():
    (a, b), (low, high), at = parts(strip(claim()))
    assert a < low < at < high < b
    (a, b), (low, high), at = parts(strip(claim(measured=5.0, low=4.0, high=6.0, verdict="contradicted")))
    assert a < b < low < at < high
    (a, b), (low, high), at = parts(strip(claim(low=-1.0, high=1.5)))
    assert low < a < at < high < b


@pytest.mark.parametrize(
    ("region", "to"), [("> 0.95", "right"), ("< 0.95", "left"), ("<= -3", "left"), (">= 1e9", "right")]
)
def test_a_region_without_end_goes_to_the_edge(region, to):
    (a, b), _, _ = parts(strip(claim(region=region)))
    assert (b == WIDTH - 6) == (to == "right")
    assert (a == 6) == (to == "left")


@pytest.mark.parametrize(
    "odd",
    [
        {"low": "-inf", "high": "inf"},
        {"low": None, "high": None},
        {"measured": "inf", "low": 13.0, "high": "inf"},
        {"measured": 0.0, "low": 0.0, "high": 0.0, "region": "= 0"},
        {"measured": 160, "low": 160, "high": 160, "region": "exact", "published": 160},
        {"measured": 1e300, "region": "< 1e-300"},
        {"published": "about 6"},
    ],
)
def test_odd_claims_stay_inside(odd):
    svg = strip(claim(**odd))
    numbers = [float(v) for v in re.findall(r' (?:x|cx|x1|x2)="([^"]*)"', svg)]
    assert numbers
    assert all(0 <= v <= WIDTH for v in numbers)
    assert "nan" not in svg


@pytest.mark.parametrize("none", [{"measured": None}, {"region": ""}, {"region": "about two"}, {"region": "exact"}])
def test_nothing_is_drawn_where_nothing_was_stated_or_measured(none):
    assert strip(claim(**none)) == ""


@pytest.mark.parametrize(
    ("verdict", "css"), [("holds here", "good"), ("fails here", "bad"), ("inconclusive", "open"), ("not run", "open")]
)
def test_the_color_is_the_verdict(verdict, css):
    assert f'<circle class="{css}"' in strip(claim(verdict=verdict))
    assert verdict in strip(claim(verdict=verdict))  # and in words


def test_the_bar_is_shared_by_counts():
    svg = tally(
        [("published", [(3, "reproduced"), (1, "contradicted")]), ("other data", [(2, "holds here"), (4, "not run")])]
    )
    found = dict(re.findall(r'class="(\w+)" x="[\d.]+" y="0" width="([\d.]+)"', svg))
    assert {k: round((float(v) + 2) / 30) for k, v in found.items()} == {"good": 5, "bad": 1, "none": 4}
    assert "rect" not in tally([])


def test_a_swatch_escapes_what_it_is_given():
    assert "script" not in swatch('"><script>', "solid")
    assert "stroke-dasharray" in swatch("#123456", "dash")
