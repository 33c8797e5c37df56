"""Estimators from samples: against literal loops, against exact truths, and with every doubt said."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.errors import InputError
from deeptheory.information.estimators import ENTROPY, MUTUAL_INFORMATION
from deeptheory.information.estimators.kozachenko_leonenko import _weights
from oracles import neighbours as oracle

LN2 = np.log(2)


def pair(n, rho, seed=0, columns=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, columns))
    y = rng.standard_normal((n, columns))
    y[:, 0] = rho * x[:, 0] + np.sqrt(1 - rho**2) * y[:, 0]
    return x, y


@pytest.mark.parametrize(("k", "dx", "dy"), [(1, 1, 1), (3, 2, 1), (5, 3, 4)])
def test_ksg_agrees_with_the_literal_loop(k, dx, dy):
    rng = np.random.default_rng(k)
    x, y = rng.standard_normal((60, dx)), rng.standard_normal((60, dy))
    y[:, 0] += 2 * x[:, 0]
    got = dt.mutual_information(x, y, "ksg", k=k, standardize=False)
    assert got.value == pytest.approx(oracle.ksg(x, y, k) / LN2, abs=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5, 9])  # sorted, by tree, by tree, by scan
def test_kozachenko_leonenko_agrees_with_the_literal_loop(d):
    x = np.random.default_rng(d).standard_normal((50, d))
    assert dt.entropy(x, "kl", k=3).value == pytest.approx(oracle.kozachenko_leonenko(x, 3) / LN2, abs=1e-12)


def test_weights_sum_to_one_and_cancel_the_first_order():
    from scipy.special import gammaln

    for d, k in ((4, 5), (8, 12)):
        w = _weights(k, d)
        j = np.arange(1, k + 1)
        assert w.sum() == pytest.approx(1)
        for order in range(1, d // 4 + 1):
            assert (w * np.exp(gammaln(j + 2 * order / d) - gammaln(j))).sum() == pytest.approx(0, abs=1e-9)
    assert _weights(5, 3).tolist() == [0, 0, 0, 0, 1]  # below four dimensions there is nothing to cancel


@pytest.mark.parametrize("method", ["ksg", "gaussian", "wkl"])
def test_a_correlated_normal_pair_is_found_within_the_interval(method):
    truth = -0.5 * np.log2(1 - 0.8**2)
    held = 0
    for seed in range(10):
        got = dt.mutual_information(*pair(1000, 0.8, seed), method)
        held += got.low <= truth <= got.high
        assert got.value == pytest.approx(truth, abs=0.25)
    assert held >= 7  # 10 draws of a 95 % interval miss this by chance about once in 1000


def test_the_entropy_of_a_normal_is_found():
    x = np.random.default_rng(0).standard_normal((2000, 4))
    truth = 2 * np.log2(2 * np.pi * np.e)
    for options in ({"method": "kl"}, {"method": "kl", "k": 5, "weighted": True}, {"method": "gaussian"}):
        assert dt.entropy(x, **options).value == pytest.approx(truth, abs=0.25)
    assert dt.entropy(7 * x, "kl").value - dt.entropy(x, "kl").value == pytest.approx(4 * np.log2(7), abs=1e-9)


def test_plug_in_counts_and_says_its_bias():
    x = np.array([0, 0, 1, 1] * 50)
    y = np.array([0, 1, 0, 1] * 50)
    assert dt.mutual_information(x, y).value == pytest.approx(0, abs=1e-12)
    same = dt.mutual_information(x, x, "plugin")
    assert same.value == pytest.approx(1)
    assert dt.entropy(np.stack([x, y], 1)).value == pytest.approx(2)
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 6, 400), rng.integers(0, 6, 400)
    raw, mended = (dt.mutual_information(a, b, "plugin", correct=c) for c in (False, True))
    assert abs(mended.value) < raw.value  # the truth is 0
    assert raw.value - mended.value == pytest.approx(25 / (800 * LN2))
    low, high = (dt.entropy(a, "plugin", correct=c).value for c in (False, True))
    assert high - low == pytest.approx(5 / (800 * LN2))


def test_information_does_not_see_scale_or_order_and_is_symmetric():
    x, y = pair(300, 0.7, columns=2)
    first = dt.mutual_information(x, y, "ksg")
    assert dt.mutual_information(y, x, "ksg").value == pytest.approx(first.value, abs=1e-12)
    assert dt.mutual_information(5 * x - 3, y, "ksg").value == pytest.approx(first.value, abs=1e-9)
    order = np.random.default_rng(1).permutation(300)
    assert dt.mutual_information(x[order], y[order], "ksg").value == pytest.approx(first.value, abs=1e-12)


def test_negative_values_stay_and_doubts_are_said():
    x, y = pair(400, 0.0, seed=3)
    values = [dt.mutual_information(*pair(200, 0.0, s), "ksg").value for s in range(20)]
    assert min(values) < 0
    assert (
        dt.mutual_information(x[:100], y[:100], "ksg").low != dt.mutual_information(x[:100], y[:100], "ksg").low
    )  # NaN
    assert "ties broken by noise" in dt.mutual_information(np.round(x, 1), y, "ksg").method
    near = dt.mutual_information(x, x + 1e-4 * y, "ksg")
    assert any("near the largest value" in n for n in near.notes)
    wide = dt.mutual_information(*pair(300, 0.9, columns=5), "ksg")
    assert any("10 columns" in n for n in wide.notes)
    assert any("fifth of the samples" in n for n in dt.mutual_information(np.arange(50), np.arange(50) % 2).notes)


def test_tensors_and_own_functions_are_taken():
    x, y = (torch.as_tensor(a) for a in pair(300, 0.6))
    assert dt.mutual_information(x, y).method == "KSG, k = 3"
    assert dt.mutual_information(x, y, lambda a, b, *, c: dt.Estimate(value=c, method="mine"), c=2).value == 2
    assert dt.entropy(x, lambda a: dt.Estimate(value=1, method="mine")).value == 1
    assert dt.entropy(x).method.startswith("Kozachenko")
    assert set(MUTUAL_INFORMATION) >= {"ksg", "plugin", "gaussian"}
    assert set(ENTROPY) >= {"plugin", "gaussian", "kl"}


def test_labels_may_be_words():
    x, y = pair(300, 0.6)
    words, codes = np.where(y[:, 0] > 0, "up", "down"), (y[:, 0] > 0).astype(int)
    for call in (lambda a: dt.mutual_information(x, a), lambda a: dt.mutual_information(a, a), dt.entropy):
        assert call(words).value == call(codes).value > 0
        assert call(words).method == call(codes).method


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x, y: dt.mutual_information(x, y + 1j), "y holds complex128; needed: numbers"),
        (lambda x, y: dt.mutual_information(x, [["a", "b"]] * 30), "y holds <U1; needed: numbers"),
        (lambda x, y: dt.mutual_information(x, y[:5]), "y has 5 rows, x has 30"),
        (lambda x, y: dt.mutual_information(x[..., None], y), "x has shape"),
        (lambda x, y: dt.mutual_information(x[:1], y[:1]), "x has 1 samples"),
        (lambda x, y: dt.mutual_information(x * np.nan, y), "x holds 60 values that are NaN"),
        (lambda x, y: dt.mutual_information(x, y, "ksg", k=30), "k is 30 for 30 samples"),
        (lambda x, y: dt.mutual_information(x, y, "wkl", k=0), "k is 0 for 30 samples"),
        (lambda x, y: dt.mutual_information(x, y, "wkl", k=1), "the weights need at least 2 different neighbours"),
        (lambda x, y: dt.mutual_information(x, y, "plugin"), "plug-in needs discrete symbols"),
        (lambda x, y: dt.mutual_information(x[:4], y[:4], "gaussian"), "4 samples for 4 columns"),
        (lambda x, y: dt.mutual_information(x, y[:, [0, 0]], "gaussian"), "columns of y are constant or depend"),
        (lambda x, y: dt.mutual_information(x, y, "kgs"), "unknown estimator 'kgs'; did you mean ksg"),
        (lambda x, y: dt.entropy(x, "gausian"), "unknown estimator 'gausian'; did you mean gaussian"),
        (lambda x, y: dt.entropy(x[:3], "gaussian"), "3 samples for 2 columns"),
        (lambda x, y: dt.entropy(x[:, [0, 0]], "gaussian"), "depend linearly"),
        (lambda x, y: dt.entropy(np.round(x), "kl"), "rows are listed more than once"),
    ],
)  # fmt: skip
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call(*pair(30, 0.5, columns=2))
