"""Axes of static figures: ticks where the numbers are, no two that read alike, at any scale."""

import pytest

from deeptheory.report.axes import axis, plain
from deeptheory.report.page import number
from deeptheory.report.scales import color_bar

ENDS = [
    (0.0, 1.0),
    (0.0, 1e-13),  # were six ticks at 0
    (-3e-8, 1e-8),
    (0.0, 1e-310),
    (1e6, 1e6 + 1e-3),  # were six times 10^6
    (1e9, 1e9 + 3),
    (12345.67, 12345.69),
    (-1e308, 1e308),  # was an overflow
    (5e-324, 1e-323),
    (1e16, 1e16 + 4),
]


def read(text: str) -> float:
    """The number that a tick says."""
    raised = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−·×", "-0123456789-**")
    digits, ten, power = text.partition("10" if "⁻" in text or text[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹" else "none")
    digits = digits.translate(raised).rstrip("*").replace(",", "")
    return float(f"{digits}{'' if digits.strip('-') else 1}e{power.translate(raised)}" if ten else digits)


@pytest.mark.parametrize(("low", "high"), ENDS)
@pytest.mark.parametrize("kind", ["linear", "log"])
def test_ticks_say_where_they_are(low, high, kind):
    if kind == "log" and low <= 0:
        low = high / 10
    drawn = axis({"type": kind}, [low, high], 0.0, 100.0)
    ticks = drawn.ticks({})
    assert len(ticks) >= 2
    assert len({text for _, text in ticks}) == len(ticks)
    assert all(-0.01 <= place <= 100.01 for place, _ in ticks)
    for place, text in ticks:
        if high > 1e-320:
            assert drawn.at(read(text)) == pytest.approx(place, abs=0.6)


def test_a_number_has_one_form():
    said = [plain(v) for v in (5e-324, 999_999, 1e5, -1e6, 1e-4, 0, 12.5)]
    assert said == ["4.94·10⁻³²⁴", "10⁶", "10⁵", "−10⁶", "10⁻⁴", "0", "12.5"]
    assert [number(v) for v in (float("nan"), float("inf"), 0.5)] == ["–", "∞", "0.5"]


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (1e6, 1e6 + 10), (1.0, 1 + 1e-12), (-1.5e308, 1.5e308)])
def test_values_of_a_color_bar_differ(low, high):
    dot = {"cmin": low, "cmax": high, "showscale": True, "colorbar": {"title": ""}}
    drawn = color_bar([{"marker": dot}], 0.0, 0.0)
    words = [part.partition("<")[0] for part in drawn.split('">')[1:] if "</text>" in part]
    assert len({w for w in words if w}) == 3
    assert "nan" not in drawn
