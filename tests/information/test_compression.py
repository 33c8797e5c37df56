"""Fit and compression: the half of the fall counts, and only after the maximum."""

import numpy as np
import pytest

from deeptheory.information import fall, fits_before_compressing, fraction_of_information


@pytest.mark.parametrize("lost_when_fitted", [0.30, 0.45, 0.55, 0.70])
@pytest.mark.parametrize("total", [0.6, 2.0, 5.0])
def test_half_of_the_fall_decides(lost_when_fitted, total):
    """I(X;T) falls in a straight line by `total`; I(T;Y) is reached when that share of the fall is lost."""
    steps = np.linspace(0, 1, 201)
    i_x = 6 - total * steps
    i_y = np.where(steps >= lost_when_fitted, 1.0, 0.2)
    assert fall(i_x[None])[0] == pytest.approx(total)
    assert fits_before_compressing(i_x[None], i_y[None])[0] == (lost_when_fitted < 0.5)


@pytest.mark.parametrize("rise", [0.0, 1.0, 3.0])
def test_what_lies_before_the_maximum_is_no_fall(rise):
    i_x = np.concatenate([np.linspace(5 - rise, 5, 50), np.linspace(5, 4.6, 50)])
    assert fall(i_x[None])[0] == pytest.approx(0.4)
    assert not fits_before_compressing(i_x[None], np.ones((1, 100)))[0]  # a fall of 0.4 bit is none


def test_95_percent_of_the_end_value_counts_as_fitted():
    i_x = np.array([6.0, 6, 6, 5, 4, 3, 2])
    for at, expected in ((0.96, True), (0.94, False)):
        i_y = np.array([0.1, 0.2, at, at, at, at, 1.0])
        assert fits_before_compressing(i_x[None], i_y[None])[0] == expected
    assert fraction_of_information(i_y[None], 0.5)[0] == 2


def test_information_that_ends_below_0_is_reached_at_its_end():
    """A proxy may be negative: 95 % of -1 is above -1, and was never reached, which counted as reached at once."""
    i_x, i_y = np.array([[0.0, 5, 1, 0]]), np.array([[-3.0, -2, -2, -1]])
    assert not fits_before_compressing(i_x, i_y)
    assert fits_before_compressing(i_x, i_y[:, ::-1] - 3)


def test_an_infinite_fall_is_halved_by_the_first_finite_value():
    i_x, i_y = np.array([[0.0, np.inf, 1, 0]]), np.array([[0.0, 1, 1, 1]])
    assert fits_before_compressing(i_x, i_y)
    assert not fits_before_compressing(i_x, np.array([[0.0, 0, 0, 1]]))
