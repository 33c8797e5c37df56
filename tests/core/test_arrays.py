"""float64 of integers: exact, or refused by name."""

import numpy as np
import pandas as pd
import pytest
import torch

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError


@pytest.mark.parametrize("value", [2**53 + 1, -(2**53) - 1, 1_600_000_000_000_000_001, 2**63 - 1])
@pytest.mark.parametrize("make", [np.array, torch.tensor, list])
def test_integers_that_float64_would_round_are_refused(value, make):
    with pytest.raises(InputError, match=f"{value} is an integer that float64 rounds to .* take off an offset"):
        as_floats(make([0, 5, value]))


def test_those_of_lists_too():
    """pandas rounds its own nullable integers where one is missing, before anybody can see them."""
    for values in (pd.Series([1, 2**53 + 1], dtype="Int64"), [None, 2**53 + 1], [2**64 + 1, 1]):
        with pytest.raises(InputError, match="float64 rounds"):
            as_floats(values)
    assert np.isnan(as_floats(pd.Series([1, None], dtype="Int64"))[1])


def test_unsigned_ones_too():
    with pytest.raises(InputError, match=str(2**64 - 1)):
        as_floats(np.array([2**64 - 1], dtype=np.uint64))


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**60, 2**53 + 2, -(2**63), 0])
def test_integers_that_are_doubles_are_taken(value):
    assert as_floats([1, value]).tolist() == [1.0, float(value)]
