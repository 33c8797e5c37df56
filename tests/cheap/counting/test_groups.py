"""Groups at sizes and depths where integers wrap around, digits run out and recursion ends."""

import math
from itertools import pairwise

import numpy as np
import pytest

from deeptheory.cheap import neuron_count, product_optimum, real_groups
from deeptheory.core.errors import InputError


def test_numpy_integers_are_integers():
    """2^70 of an int64 is 0, and a result that is stored under 70 is that of int(70), too."""
    assert product_optimum(np.int64(70), 1) == (2**70, (70,))
    assert product_optimum(70, 1) == (2**70, (70,))
    assert product_optimum(np.int64(9), np.int64(2), carry=np.int64(2)) == product_optimum(9, 2)
    assert repr(neuron_count("x*y", np.int64(2))) == repr(neuron_count("x*y", 2))


_CASES = [(n, k) for n in (2, 5, 50.0, 1e4, 1e12, 1e100, 1e200) for k in (1, 2, 3, 8)]


@pytest.mark.parametrize(("n", "depth"), [*_CASES, (1e4, 15), (1e12, 30), (1e100, 100), (1e200, 200), (1e308, 3)])
def test_the_product_of_real_groups_is_n(n, depth):
    b = real_groups(n, depth)
    assert len(b) == depth
    assert min(b) > 0
    assert sum(map(math.log, b)) == pytest.approx(math.log(n), abs=1e-6)
    for first, second in pairwise(b):
        if first > 1 / math.log(2) + 1e-3:
            assert second == pytest.approx(first + math.log2(first - 1 / math.log(2)), rel=1e-9)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: product_optimum(10**12, 1), "of fewer numbers"),
        (lambda: product_optimum(10**5, 3), "of fewer numbers"),
        (lambda: product_optimum(2000, 1500), "up to 500 layers"),
        (lambda: product_optimum(3, 5000, idle=True), "up to 500 layers"),
        (lambda: real_groups(3, 10**9), "up to 500 layers"),
        (lambda: real_groups(2, 30), "too small for 30 layers"),
        (lambda: real_groups(1e9, 100), "too small for 100 layers"),
        (lambda: neuron_count("x*y", 10**6), "up to 500 hidden layers"),
    ],
)
def test_what_would_take_minutes(make, match):
    with pytest.raises(InputError, match=match):
        make()
