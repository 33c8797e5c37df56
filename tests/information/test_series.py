"""Lags and transfer entropy: closed forms, which way time runs, and what is refused."""

import math

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information import lagged_information, transfer_entropy


def driven(n, seed=0):
    """y_t = .5 y_t-1 + .8 x_t-2 + noise; I(Y_t; X_t-2 | Y_t-1) = log2(1.64) / 2."""
    rng = np.random.default_rng(seed)
    x, noise, y = rng.normal(size=n), rng.normal(size=n), np.zeros(n)
    for t in range(2, n):
        y[t] = 0.5 * y[t - 1] + 0.8 * x[t - 2] + noise[t]
    return x, y


@pytest.mark.parametrize("method", ["ksg", "gaussian"])
def test_a_driven_series(method):
    x, y = driven(2000)
    got = transfer_entropy(x, y, lag=2, method=method)
    assert got.value == pytest.approx(0.5 * np.log2(1.64), abs=0.06)
    assert transfer_entropy(y, x, method=method).low <= 0
    assert "transfer entropy, lag 2, history 1" in got.method
    nats = transfer_entropy(x, y, lag=2, method=method, unit="nats")
    assert nats.value == pytest.approx(got.value * np.log(2))


def test_counts_are_conditional_information_of_shifted_rows():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 500)
    y = np.r_[0, x[:-1]] ^ (rng.random(500) < 0.1)
    got = transfer_entropy(x, y, history=2)
    past = np.c_[y[1:-1], y[:-2]]
    assert got.value == dt.conditional_mutual_information(x[1:-1], y[2:], past, method="plugin").value
    assert got.value == pytest.approx(1 + 0.1 * np.log2(0.1) + 0.9 * np.log2(0.9), abs=0.1)


def test_lags_run_forward():
    x, y = driven(1000)
    got = lagged_information(x, y, range(-3, 4), method="gaussian")
    assert got.lag.tolist() == list(range(-3, 4))
    assert got.lag[got.best] == 2
    one = dt.mutual_information(x[:-2], y[2:], "gaussian")
    assert got.estimates[5].value == one.value
    assert got.table()["value"].tolist() == [e.value for e in got.estimates]
    assert list(got.figure().data[0].x) == got.lag.tolist()
    assert "largest at 2" in repr(got)
    back = lagged_information(y, x, -2, method="gaussian")
    assert back.estimates[0].value == pytest.approx(one.value, abs=1e-12)


def test_a_memory_on_both_sides_makes_blocks():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(2, 4000))
    for t in range(1, 4000):
        a[:, t] += 0.8 * a[:, t - 1]
    slow = lagged_information(a[0], a[1], [0], method="gaussian").estimates[0]
    assert "interval by blocks of" in slow.method
    assert "blocks" not in lagged_information(*rng.normal(size=(2, 400)), [0]).estimates[0].method
    assert "interval by blocks of 5" in transfer_entropy(a[0], a[1], method="gaussian", block=5).method


def test_shifts_tell_what_binds_from_memory():
    x, y = driven(400)
    assert transfer_entropy(x, y, lag=2, method="gaussian", shifts=39).p == pytest.approx(1 / 40)
    assert transfer_entropy(y, x, method="gaussian", shifts=39).p > 1 / 40
    again = [transfer_entropy(y, x, method="gaussian", shifts=9, seed=3).null_mean for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x, y: transfer_entropy(x, y[:-1]), "y has 99 rows, x has 100"),
        (lambda x, y: transfer_entropy(x, y, lag=0), "lag is 0"),
        (lambda x, y: transfer_entropy(x, y, lag=-1), "lag is -1"),
        (lambda x, y: transfer_entropy(x, y, history=0), "history is 0"),
        (lambda x, y: transfer_entropy(x, y, lag=90), "leave 10 of 100 rows"),
        (lambda x, y: transfer_entropy(x, y, shifts=1.5), "shifts is 1.5"),
        (lambda x, y: transfer_entropy(x, y, block=0), "block is 0"),
        (lambda x, y: transfer_entropy(np.where(x > 2, np.nan, x) * np.nan, y), "NaN"),
        (lambda x, y: transfer_entropy(x, y, method="te"), "unknown conditional estimator 'te'"),
        (lambda x, y: lagged_information(x, y, []), "lags is empty"),
        (lambda x, y: lagged_information(x, y, [1.5]), "lag is 1.5"),
        (lambda x, y: lagged_information(x, y, [-95]), "lag -95 leaves 5 of 100 rows"),
        (lambda x, y: lagged_information(x, y[:-1]), "y has 99 rows"),
        (lambda x, y: lagged_information(x, y, [1], n_neighbors=3), "use k="),
        (lambda x, y: lagged_information(x, y, [1], groups=[0] * 100), "for series give block="),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call(*np.random.default_rng(0).normal(size=(2, 100)))


def test_a_lag_without_a_value_is_not_the_largest():
    """numpy's argmax takes NaN for the largest."""
    values = iter([0.2, math.nan, 0.5])

    def method(x, y):
        value = next(values)
        return Estimate(value=value, low=value, high=value, method="given")

    found = lagged_information(np.arange(40.0), np.arange(40.0)[::-1], range(3), block=1, method=method)
    assert (found.best, "largest at 2" in repr(found)) == (2, True)


def test_words_of_many_kinds_are_no_numbers():
    """Their codes were: of 100 words in 600 rows .007 and 6.39 bits where counts say otherwise."""
    rng = np.random.default_rng(0)
    codes, names = rng.integers(0, 100, 600), rng.permutation(100)
    x, number = np.array([f"w{c}" for c in codes]), rng.normal(size=600)
    renamed = np.array([f"w{c}" for c in names[codes]])
    y = np.roll(x, 1)
    for other in (y, number):
        one, two = (lagged_information(v, other, [0, 1], block=1) for v in (x, renamed))
        direct = dt.mutual_information(x[:-1], other[1:])
        assert one.estimates[1].value == pytest.approx(direct.value, abs=1e-12)
        assert [e.value for e in one.estimates] == pytest.approx([e.value for e in two.estimates], abs=1e-12)
    with pytest.raises(InputError, match="words"):
        lagged_information(x, number, [0], method="gaussian")
    for a, b in ((x, number), (x, y)):
        swap = {id(x): renamed, id(y): np.roll(renamed, 1), id(number): number}
        one, two = transfer_entropy(a, b), transfer_entropy(swap[id(a)], swap[id(b)])
        assert one.value == pytest.approx(two.value, abs=1e-9)


def test_row_labels_of_series_are_asked():
    """Two pandas series in another order were paired by position without a word."""
    pd = pytest.importorskip("pandas")
    x, y = driven(200)
    one, turned = pd.Series(x), pd.Series(y, index=np.arange(200)[::-1])
    for refused in (lambda: lagged_information(one, turned, [0]), lambda: transfer_entropy(one, turned)):
        with pytest.raises(InputError, match="the same row labels in another order"):
            refused()
    with pytest.raises(InputError, match="the same row labels in another order"):
        transfer_entropy(one, pd.Series(y), given=turned)
    late = pd.Series(y, index=np.arange(3, 203))
    assert any("a lag" in t for t in lagged_information(one, late, [0]).estimates[0].notes)
    assert any("a lag" in t for t in transfer_entropy(one, late).notes)
    assert any("read as 2 columns" in t for t in transfer_entropy(x.reshape(100, 2, 1), y[:100]).notes)


@pytest.mark.parametrize("lags", [None, 1.5, "12", b"1"])
def test_lags_are_integers(lags):
    x, y = driven(100)
    with pytest.raises(InputError, match="needed: integers"):
        lagged_information(x, y, lags)
