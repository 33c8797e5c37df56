"""What the frame of trials may not be fooled by: nothing compared, NaN, bands that no outcome could miss."""

import numpy as np
import pytest

from trials.frame import Found, Row, all_of, covers, near, often, rare, refused, same, uniform


@pytest.mark.parametrize(
    "found",
    [
        near([], [], 1),
        near(np.zeros((3, 0)), 0, 1),
        near(np.nan, 0, 1e300),
        near(np.nan, np.nan, 1),
        near([0, np.nan], 0, 1),
        near(np.inf, -np.inf, 1e300),
        all_of(),
        all_of(near(1, 1, 0), near(1, 2, 0)),
        same([1.0]),
        same([[1.0, 1.0], [1.0]]),
        same([1.0, np.nan]),
        covers(0, 0),
        covers(0, 1),
        covers(0, 2),
        often(0, 4, 0.8),
        rare(2, 2),
        rare(0, 0),
        uniform([]),
        uniform([np.nan] * 50),
        uniform([-1.0] * 50),
        uniform([2.0] * 50),
        uniform([0.01] * 50),
        refused(lambda: None, "."),
        refused(lambda: [][0], "."),
    ],
)
def test_these_do_not_hold(found):
    assert not found.held, found


@pytest.mark.parametrize(
    "found",
    [
        near([np.inf, 1], [np.inf, 1], 0), covers(2, 2), often(1, 4, 0.8), rare(1, 2), uniform(np.linspace(0, 1, 99)),
        same([1.0, 1.0]),
    ],
)  # fmt: skip
def test_these_hold(found):
    assert found.held, found


def test_a_verdict_that_is_no_truth_value_is_an_error():
    with pytest.raises(AssertionError):
        Row("mutual_information", "truth", "NaN counts as true", lambda rng, draws: Found("", "", np.nan)).run()
