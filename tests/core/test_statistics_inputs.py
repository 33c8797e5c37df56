"""What the statistics refuse, instead of giving a number that looks like one."""

import numpy as np
import pytest
import torch

from deeptheory import statistics as st
from deeptheory.core.errors import InputError

ROWS = np.arange(30.0)


@pytest.mark.parametrize("level", [95, 1, 0, -0.5, float("nan"), "0.95", True])
def test_a_level_is_a_fraction(level):
    for made in (
        lambda: st.mean_interval(ROWS, level),
        lambda: st.geometric_mean_interval(ROWS + 1, level),
        lambda: st.median_interval(ROWS, level),
        lambda: st.proportion_interval(3, 9, level),
        lambda: st.ratio_interval(ROWS, ROWS + 1, level),
        lambda: st.bootstrap_interval(np.mean, ROWS, level=level),
        lambda: st.rank_correlation(ROWS, ROWS, level=level),
    ):
        with pytest.raises(InputError, match="level is"):
            made()


def test_masked_values_are_missing_ones():
    masked = np.ma.array([1.0, 2.0, 3.0, 1e6], mask=[False, False, False, True])
    found = st.mean_interval(masked)
    assert (found.value, found.n, found.missing) == (2.0, 3, 1)
    assert st.ratio_interval(masked, np.ones(4)).missing == 1


def test_columns_are_columns():
    wide = ROWS.reshape(15, 2)
    for made in (lambda: st.spearman(wide, wide), lambda: st.bootstrap_interval(np.mean, wide)):
        with pytest.raises(InputError, match=r"has shape \[15, 2\]; needed: \[n\]"):
            made()
    assert st.spearman(ROWS[:, None], ROWS) == pytest.approx(1)
    with pytest.raises(InputError, match="no columns"):
        st.bootstrap_interval(np.mean)
    with pytest.raises(InputError, match="x has 30 values, y has 29"):
        st.spearman(ROWS, ROWS[1:])


def test_p_values_lie_between_0_and_1():
    for made in (st.false_discovery, st.holm):
        with pytest.raises(InputError, match="p is from 0.1 to 1.5"):
            made([0.1, 1.5, np.nan])
    with pytest.raises(InputError, match="single number"):
        st.holm(0.5)
    with pytest.raises(InputError, match="one family"):
        st.holm([[0.5, 0.1]])


def test_a_series_is_finite_and_groups_are_of_its_rows():
    with pytest.raises(InputError, match="x holds 1 values"):
        st.autocorrelation_time([1.0, 2.0, np.nan, 3.0, 4.0])
    with pytest.raises(InputError, match="groups has 9 values for 10 rows"):
        st.autocorrelation_time(np.arange(10.0), groups=np.zeros(9))
    with pytest.raises(InputError, match="groups has 9 values for 300 rows"):
        st.batch_interval(0.0, len, 300, groups=np.zeros(9))
    with pytest.raises(InputError, match="block is 0"):
        st.batch_interval(0.0, len, 300, block=0)


def test_counts_are_integers():
    with pytest.raises(InputError, match="k is 2.5"):
        st.proportion_interval(2.5, 5)
    with pytest.raises(InputError, match="resamples is 0"):
        st.bootstrap_interval(np.mean, ROWS, resamples=0)


def test_infinite_values_are_named_as_the_reason():
    found = st.bootstrap_interval(np.mean, [*ROWS, np.inf])
    assert np.isnan(found.low)
    assert found.method == "infinite values have no interval"


def test_tensors_are_taken():
    assert st.mean_interval(torch.arange(4.0)).value == 1.5
    assert st.codes_of(torch.tensor([3, 1, 3])).tolist() == [0, 1, 0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
def test_batches_know_no_unit(power):
    """At 2^-600 the interval had a width of 0, at 2^600 it was infinite."""
    x = np.random.default_rng(0).standard_normal(400)
    near, far = (st.batch_interval(v.mean(), lambda rows, v=v: v[rows].mean(), 400) for v in (x, np.ldexp(x, power)))
    assert near[0] < near[1]
    np.testing.assert_allclose(np.ldexp(far, -power), near, rtol=1e-12)


@pytest.mark.parametrize("values", [[np.inf] * 8, [-np.inf] * 8, [1.0, np.inf, 2.0]])
def test_infinite_values_have_no_interval(values):
    """Eight times infinity had the interval [inf, inf], from which "above 1" was said to be reproduced."""
    found = st.mean_interval(values)
    assert np.isnan([found.low, found.high]).all()
    assert found.method == "infinite values have no interval"
    assert np.isinf(found.value)
