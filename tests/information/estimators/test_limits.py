"""When a bias that batches show lies within an interval, so that no note is needed."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.estimators.limits import BIAS_WITHIN, bias_within


@pytest.mark.parametrize("d", [4, 10, 50])
@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_the_bias_left_is_what_the_rate_leaves(d, scale):
    """A bias of c n^(-2 / d): c at n, c 10^(2 / d) at n / 10, in batches without spread."""
    for sign in (-1, 1):
        parts = [5 * scale + sign * 0.1 * scale * 10 ** (2 / d)] * 10
        value = 5 * scale + sign * 0.1 * scale
        assert not bias_within(value, 0.099 * scale, parts, d)
        assert bias_within(value, 0.101 * scale, parts, d)


@pytest.mark.parametrize("parts", [[], [1.0], [1.0, np.nan], [1.0, -np.inf]])
def test_without_batches_nothing_is_within(parts):
    assert not bias_within(1.0, 10.0, parts, 4)
    assert not bias_within(1.0, np.nan, [1.0, 1.0], 4)


def test_spread_batches_leave_a_doubt():
    """The same mean, once without and once with a spread that the interval does not cover."""
    assert bias_within(1.0, 0.05, [1.0] * 10, 10)
    assert not bias_within(1.0, 0.05, [0.8, 1.2] * 5, 10)


def _normal(n, columns, seed, share=0.6):
    z = np.random.default_rng(seed).standard_normal((2, n, columns))
    return z[0], share * z[0] + np.sqrt(1 - share**2) * z[1]


@pytest.mark.parametrize("method", ["wkl", "compressed"])
def test_the_note_on_sampling_error_is_for_a_bias_that_may_be_there(method):
    """Two columns each: the rate is seen and little is left. Five each: what is left cannot be told."""

    def doubts(n, columns, seed):
        got = dt.mutual_information(
            *_normal(n, columns, seed), method, **({"dims": columns} if method[0] == "c" else {})
        )
        noted = any("sampling error only" in note for note in got.notes)
        assert noted == (BIAS_WITHIN not in got.method)
        return noted

    assert sum(doubts(2_000, 2, seed) for seed in range(10)) <= 2
    assert all(doubts(500, 5, seed) for seed in range(5))
