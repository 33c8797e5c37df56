"""The part of a width that a line in the offset explains: what the offsets' unit and kind must not change."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError

c = dt.capsules
OFFSETS = np.linspace(-0.2, 0.2, 5)


def explained(offsets, winners=(0, 0, 1), n=3):
    """Of bars that widen with the offset, each image by another amount."""
    drawings = np.zeros((n, 1, len(offsets), 4, 60))
    for image in range(n):
        for k in range(len(offsets)):
            drawings[image, 0, k, :, 10 : 15 + (2 + image) * k + k * k] = 1
    return c.Perturbation(drawings=drawings, offsets=offsets, winners=winners).explained()


@pytest.mark.parametrize("unit", [1e-300, 1e-170, 1e-9, 1e9, 1e160, 1e300])
def test_offsets_have_any_unit(unit):
    """Squares of offsets left float64, and R2 was NaN."""
    np.testing.assert_allclose(explained(OFFSETS * unit), explained(OFFSETS), rtol=1e-9)


def test_offsets_and_winners_of_any_kind():
    truth = explained(np.arange(5.0), np.array([0, 0, 1]))
    assert 0.9 < truth.min() < 1
    for offsets in (np.arange(5, dtype=np.uint8), list(range(5)), np.arange(5.0) + 1e6):
        np.testing.assert_allclose(explained(offsets, [0, 0, 1]), truth, rtol=1e-9)


@pytest.mark.parametrize("constant", [np.full(7, 0.7, np.float32), np.full(11, 0.3), np.full(3, 1e-3)])
def test_offsets_that_do_not_differ_are_refused_whatever_their_mean_rounds_to(constant):
    """The mean of seven times 0.7 is not 0.7, and an R2 of 0 came out."""
    with pytest.raises(InputError, match="a line needs two that differ"):
        explained(constant)


def test_what_has_no_line():
    with pytest.raises(InputError, match="offsets holds 1 values that are NaN"):
        explained(np.array([0, 1, np.nan]))
    with pytest.raises(InputError, match="there is no drawing"):
        explained(OFFSETS, np.zeros(0, int), n=0)
