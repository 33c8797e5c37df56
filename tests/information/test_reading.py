"""Integers that doubles would round, as times in nanoseconds are: an offset changes no information."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.reading import from_least, read


def _pair(n=300):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(n)
    return (1_000 * x).astype(np.int64), x + 0.5 * rng.standard_normal(n)


OFFSETS = [1_600_000_000_000_000_000, -9_000_000_000_000_000_000, 2**53, 2**62]


@pytest.mark.parametrize("offset", OFFSETS)
@pytest.mark.parametrize("method", ["auto", "ksg", "mixed", "kl", "wkl", "gaussian", "copula", "lnc", "compressed"])
def test_an_offset_changes_nothing(method, offset):
    """1.31 bits became 1.21 at 1.6e18, without a word."""
    x, y = _pair()
    near, far = (dt.mutual_information(v, y, method) for v in (x - x.min(), x + offset))
    assert far.value == pytest.approx(near.value, abs=1e-12)
    assert far.high == pytest.approx(near.high, abs=1e-12)


@pytest.mark.parametrize("offset", OFFSETS)
def test_entropies_and_conditions_do_not_see_it_either(offset):
    x, y = _pair()
    z = np.random.default_rng(4).standard_normal(len(x))
    for f in (
        lambda v: dt.information.entropy(v, "kl"),
        lambda v: dt.information.entropy(v // 500, "plugin"),
        lambda v: dt.conditional_mutual_information(v, y, z),
        lambda v: dt.information.transfer_entropy(v, y),
    ):
        assert f(x + offset - offset % 500).value == pytest.approx(f(x - x.min() // 500 * 500).value, abs=1e-12)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_columns_are_less_their_least_exactly_and_the_user_s_array_stays(dtype):
    least = 2**63 if dtype == np.uint64 else -(2**63)
    near = np.array([[0, 5], [1, 6], [1_001, 7]], dtype=dtype)
    far = near + np.array([least, 0], dtype=dtype)
    before = far.copy()
    assert from_least(far).tolist() == near.tolist()
    assert np.array_equal(far, before)
    assert read(far, "x")[0].tolist() == near.tolist()


def test_what_is_small_or_too_wide_stays():
    small = np.array([[2**53], [-(2**53)]])
    assert from_least(small) is small
    wide = np.array([[2**63 - 1], [-(2**63)]])
    assert from_least(wide) is wide
    assert from_least(np.zeros((0, 2), dtype=np.int64)).shape == (0, 2)
