"""The logged epochs run from 0 to the last one, however many there are."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.networks import log_epochs


@pytest.mark.parametrize("epochs", [1, 2, 3, 1000, 8000, 10**7, 10**8 + 7, 123_456_789, 10**12 + 1, 2**53])
def test_the_last_epoch_is_there(epochs):
    found = log_epochs(epochs, 50)
    assert found[0] == 0
    assert found[-1] == epochs - 1


def test_powers_of_two_are_met_exactly():
    assert log_epochs(2**40, 41) == [2**k - 1 for k in range(41)]


def test_ordinary_counts_are_those_of_the_plain_formula():
    for epochs in (*range(1, 300), 999, 8000, 10_000, 30_000):
        for n in (1, 2, 7, 400):
            exact = 2.0 ** np.linspace(0, np.log2(epochs), n)
            assert log_epochs(epochs, n) == sorted({int(np.floor(e + 1e-9)) - 1 for e in exact})


def test_wrong_use():
    with pytest.raises(InputError, match=r"epochs is 10000.*at most 2\^53"):
        log_epochs(10**400, 5)
