"""What cannot be a level, a probability, a tail or an order is told; nothing of it becomes a number."""

import numpy as np
import pytest

from deeptheory import statistics
from deeptheory.core.errors import InputError

X = [1.0, 2.0, 4.0, 3.0, 5.0, 7.0, 6.0]


@pytest.mark.parametrize("level", [0, 1, 95, -0.5, float("nan")])
@pytest.mark.parametrize(
    "interval",
    [
        lambda level: statistics.mean_interval(X, level),
        lambda level: statistics.geometric_mean_interval(X, level),
        lambda level: statistics.median_interval(X, level),
        lambda level: statistics.proportion_interval(3, 7, level),
        lambda level: statistics.ratio_interval(X, X[::-1], level),
        lambda level: statistics.bootstrap_interval(np.mean, X, level=level),
        lambda level: statistics.rank_correlation(X, X[::-1], level=level),
    ],
)
def test_a_level_is_a_probability(interval, level):
    with pytest.raises(InputError, match="level is .*; needed: between 0 and 1"):
        interval(level)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: statistics.bootstrap_interval(np.mean), r"columns have \[\] values"),
        (lambda: statistics.permutation_p(1.0, [0.0, 2.0], tail="two"), "tail is 'two'; known: greater, less, both"),
        (lambda: statistics.permutation_p([1.0, 2.0], np.zeros((5, 3))), r"null has shape \[5, 3\]"),
        (lambda: statistics.permutation_p([1.0, 2.0], np.zeros(5)), r"null has shape \[5\]"),
        (lambda: statistics.permutations(0, 2), "n is 0; needed: an integer"),
        (lambda: statistics.permutations(4, -1), "draws is -1; needed: an integer"),
        (lambda: statistics.permutations(4, 1, block=1.5), "block is 1.5; needed: an integer"),
        (lambda: statistics.false_discovery([0.1, 2.0]), "p holds 2; needed: probabilities"),
        (lambda: statistics.holm([-0.1, 0.2]), "p holds -0.1; needed: probabilities"),
        (lambda: statistics.holm(np.full((2, 2), 0.1)), r"p has shape \[2, 2\]"),
        (lambda: statistics.autocorrelation_time([1.0, 2.0, np.nan, 4.0]), "x holds 1 values that are NaN"),
        (lambda: statistics.autocorrelation_time(X, groups=[0, 0]), "groups has 2 values for 7 rows"),
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_no_value_has_no_mean():
    found = statistics.mean_interval([np.nan, np.nan])
    assert np.isnan([found.value, found.low, found.high]).all()
    assert (found.n, found.missing, found.method) == (0, 2, "no value")
