"""Training rows by number are one row of numbers for each network."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.networks.population.splits import split


def test_rows_by_number_train_and_the_others_are_held_out():
    order, counts = split(6, [np.array([4, 1], dtype=np.uint64), [0]], [0, 1])
    assert order.tolist() == [[4, 1, 0, 2, 3, 5], [0, 1, 2, 3, 4, 5]]
    assert counts.tolist() == [2, 1]


@pytest.mark.parametrize("rows", [np.arange(3)[:, None], np.arange(3)[None], np.zeros((1, 1, 1), dtype=int)])
def test_rows_of_several_axes_are_refused(rows):
    with pytest.raises(InputError, match=r"training rows have shape \[.*needed: \[m\] row numbers"):
        split(6, [rows, rows], [0, 1])
