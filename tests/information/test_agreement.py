"""A trained estimate beside "auto": said where they lie apart, and nowhere else."""

import math

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.agreement import compared_with_auto, disagreement, rows_compared


def _estimate(low, high):
    return Estimate(value=(low + high) / 2, low=low, high=high, method="any")


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
@pytest.mark.parametrize(
    ("got", "other", "said"),
    [
        ((1, 2), (3, 4), "above this interval"),
        ((3, 4), (1, 2), "below this interval"),
        ((1, 3), (2, 4), None),
        ((2, 3), (1, 4), None),
        ((1, 2), (2, 3), None),  # they touch
        ((1, 2), (-math.inf, math.inf), None),
        ((math.nan, math.nan), (3, 4), None),
    ],
)
def test_only_intervals_that_lie_apart_are_named(got, other, said, scale):
    notes = disagreement(*(_estimate(a * scale, b * scale) for a, b in (got, other)))
    assert bool(notes) == (said is not None)
    if said:
        assert said in notes[0]
        assert f"{other[0] * scale:.3g}" in notes[0]


@pytest.mark.parametrize(
    ("n", "columns", "dependent", "rows"),
    [
        (10_000, 50, False, 10_000),
        (100_000, 50, False, 10_000),
        (100_000, 50, True, None),  # a series cannot be drawn row by row
        (5_000, 3_073, False, None),  # more columns than rows would be compared
        (1_000, 2_000, False, None),
        (99, 2, False, None),
        (10**6, 2, False, 50_000),
    ],
)
def test_work_is_bounded_before_it_begins(n, columns, dependent, rows):
    found = rows_compared(n, columns, dependent=dependent)
    assert (None if found is None else len(found)) == rows
    if found is not None:
        assert len(np.unique(found)) == rows
        assert found.max() < n


def test_what_auto_refuses_is_no_note():
    def refuses(rows):
        raise InputError("no")

    assert compared_with_auto(_estimate(0, 1), {"x": np.zeros(200)}, refuses, 2, False) == ()
    nothing = Estimate(value=math.nan, low=math.nan, high=math.nan, method="any")
    assert compared_with_auto(nothing, {"x": np.zeros(200)}, lambda rows: _estimate(2, 3), 2, False) == ()


def _tails(n, seed):
    """Student's t with two degrees of freedom in five columns a side, which maps of numbers to a normal pair miss."""
    return dt.datasets.ground_truth("student-5x5-dof2").sample(n, seed=seed)


@pytest.mark.parametrize("unit", ["bits", "nats"])
def test_a_network_that_learned_too_little_is_named(unit):
    got = dt.mutual_information(*_tails(1_000, 1), "flow", steps=40, unit=unit)
    assert any("'auto' gives" in note and "above this interval" in note for note in got.notes)
    assert any("bits of the same samples" in note for note in got.notes)


@pytest.mark.parametrize("method", ["infonce", "doe", "flow"])
@pytest.mark.parametrize("dependent", [{}, {"block": 5}])
def test_on_independent_samples_nothing_is_named(method, dependent):
    for seed in range(3):
        x, y = np.random.default_rng(seed).standard_normal((2, 400, 2))
        got = dt.mutual_information(x, y, method, steps=40, **dependent)
        assert not any("'auto' gives" in note for note in got.notes)


@pytest.mark.parametrize("rows", ["copies", "series"])
def test_rows_that_depend_are_not_compared(rows):
    """Counts take copies and neighbors in time for information: 2 bits of none."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 200, 2))
    x, y = ((np.repeat(v, 2, axis=0) if rows == "copies" else np.cumsum(v, axis=0)) for v in (x, y))
    got = dt.mutual_information(x, y, "infonce", steps=40)
    assert any(("copies" if rows == "copies" else "series") in note for note in got.notes)
    assert not any("'auto' gives" in note for note in got.notes)
    assert dt.mutual_information(x, y).low > got.high


def test_neither_bound_is_said_of_the_method_and_doubts_are_notes():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((600, 2))
    y = 0.6 * x + 0.8 * rng.standard_normal((600, 2))
    for method in ("smile", "doe", "flow"):
        got = dt.mutual_information(x, y, method, steps=100)
        assert "neither bound" in got.method
        assert not any("neither bound" in note for note in got.notes)
