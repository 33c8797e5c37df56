"""Conditional information, mixtures and labels: literal loops, exact truths, laws, and every refusal."""

import numpy as np
import pytest
import torch
from scipy.special import digamma

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators import CONDITIONAL
from oracles import neighbors as oracle

LN2 = np.log(2)


def chain(n, a, b, seed=0):
    """x = z + a noise, y = b x + z + noise: what y shares with x beyond z is known. -> x, y, z, bits."""
    rng = np.random.default_rng(seed)
    z, e, f = rng.standard_normal((3, n, 1))
    return z + a * e, b * (z + a * e) + z + f, z, 0.5 * np.log2(1 + (a * b) ** 2)


@pytest.mark.parametrize("method", ["ksg", "mixed"])
@pytest.mark.parametrize(("k", "dx", "dy", "dz"), [(1, 1, 1, 1), (3, 2, 1, 2), (4, 1, 2, 1), (3, 3, 3, 3)])
def test_neighbor_counts_agree_with_the_literal_loop(k, dx, dy, dz, method):
    rng = np.random.default_rng(k)
    x, y, z = (rng.standard_normal((50, d)) for d in (dx, dy, dz))
    x, y = x + z[:, :1], y + x[:, :1]
    got = dt.conditional_mutual_information(x, y, z, method=method, k=k, standardize=False)
    assert got.value == pytest.approx(oracle.information(x, y, z, k, inclusive=method == "mixed") / LN2, abs=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_mixtures_agree_with_the_literal_loop(k):
    """On rows without ties; ties are broken first (test_ties.py)."""
    rng = np.random.default_rng(k)
    x, y = rng.standard_normal((60, 2)), rng.standard_normal((60, 1))
    y += x[:, :1]
    got = dt.mutual_information(x, y, "mixed", k=k, standardize=False)
    psi_for_log = np.log(60) - digamma(60)  # Gao et al. write log n for KSG's psi(n)
    assert got.value == pytest.approx((oracle.ksg(x, y, k) + psi_for_log) / LN2, abs=1e-12)


@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 2)])
def test_labels_agree_with_the_literal_loop(k, d):
    rng = np.random.default_rng(k)
    label = rng.integers(0, 3, 60)
    x = rng.standard_normal((60, d)) + label[:, None]
    got = dt.mutual_information(x, label, "labels", k=k, standardize=False)
    assert got.value == pytest.approx(oracle.ross(x, label, k) / LN2, abs=1e-12)


@pytest.mark.parametrize("method", ["ksg", "mixed", "gaussian"])
def test_what_is_shared_beyond_a_third_is_found(method):
    """Ten draws; a 95 % interval misses four or more by chance about once in 1000."""
    held, values, truth = 0, [], 0.0
    for seed in range(10):
        x, y, z, truth = chain(800, 1.0, 1.0, seed)
        got = dt.conditional_mutual_information(x, y, z, method=method)
        held += got.low <= truth <= got.high
        values.append(got.value)
    assert np.mean(values) == pytest.approx(truth, abs=0.06)
    assert held >= (7 if method != "mixed" else 5)  # inclusive counts lean towards 0 on continuous samples
    x, y, z, truth = chain(3000, 1.0, 0.0)  # x and y depend through z alone
    assert truth == 0
    assert dt.mutual_information(x, y, "gaussian").value > 0.15
    assert dt.conditional_mutual_information(x, y, z, method=method).value == pytest.approx(0, abs=0.05)


def test_a_gate_that_only_the_third_opens():
    """y = x xor z, all fair: I(X;Y) = 0 and I(X;Y|Z) = 1 bit."""
    rng = np.random.default_rng(0)
    x, z = rng.integers(0, 2, (2, 4000))
    y = x ^ z
    assert dt.mutual_information(x, y).value < 0.01
    for method in ("auto", "plugin", "mixed"):
        assert dt.conditional_mutual_information(x, y, z, method=method).value == pytest.approx(1, abs=0.01)


def test_plug_in_is_the_mean_over_z_and_says_its_bias():
    rng = np.random.default_rng(1)
    z = rng.integers(0, 3, 600)
    x, y = rng.integers(0, 4, 600), (rng.integers(0, 4, 600) + z) % 5
    found = dt.conditional_mutual_information(x, y, z)
    by_hand = sum((z == c).mean() * dt.mutual_information(x[z == c], y[z == c], "plugin").value for c in range(3))
    assert found.value == pytest.approx(by_hand, abs=1e-12)
    mended = dt.conditional_mutual_information(x, y, z, method="plugin", correct=True)
    assert found.value - mended.value == pytest.approx(3 * 9 / (1200 * LN2))  # four symbols of x, four of y, for each z
    assert "first-order bias upwards" in found.notes[0]
    assert "taken off" in mended.notes[0]
    own = dt.conditional_mutual_information(np.arange(40), np.arange(40), z[:40], method="plugin")
    assert "a cell of their own" in own.notes[1]


def test_a_condition_that_says_nothing_changes_nothing():
    x, y, _, _ = chain(500, 1.0, 1.0)
    z = np.random.default_rng(5).standard_normal((500, 1))
    plain, given = (
        dt.mutual_information(x, y, "gaussian"),
        dt.conditional_mutual_information(x, y, z, method="gaussian"),
    )
    assert given.value == pytest.approx(plain.value, abs=0.02)
    nothing = np.zeros(
        2000
    )  # with a constant condition it is the information itself: x and y correlate with 3 / sqrt(12)
    x, y, _, _ = chain(2000, 1.0, 1.0)
    assert dt.conditional_mutual_information(x, y, nothing, method="mixed").value == pytest.approx(1, abs=0.1)
    x, y = x[:500], y[:500]
    same = dt.conditional_mutual_information(y, x, z, method="ksg").value
    assert same == pytest.approx(dt.conditional_mutual_information(x, y, z, method="ksg").value, abs=1e-12)


def test_mixtures_of_known_information():
    """Gao et al. 2017, experiment II: x uniform on 0..4, y uniform on [x, x + 2]: log 5 - 4/5 log 2 nats."""
    rng = np.random.default_rng(2)
    x = rng.integers(0, 5, 3000)
    y = x + rng.uniform(0, 2, 3000)
    truth = np.log2(5) - 0.8
    for method in ("auto", "mixed", "labels"):
        pair = (y, x) if method == "labels" else (x, y)
        got = dt.mutual_information(*pair, method)
        assert got.value == pytest.approx(truth, abs=0.08), method
        assert got.low < got.value < got.high
    plain, half = rng.standard_normal((2, 2000, 1))  # half of the pairs copy one value of ten, half are independent
    copies = rng.integers(0, 10, (2000, 1)) / 10
    which = rng.random((2000, 1)) < 0.5
    x, y = np.where(which, copies, 5 + plain), np.where(which, copies, 5 + half)
    assert dt.mutual_information(x, y, "mixed").value == pytest.approx(1 + 0.5 * np.log2(10), abs=0.15)


def test_the_kind_of_numbers_chooses_the_method():
    rng = np.random.default_rng(3)
    x, label = rng.standard_normal((200, 2)), rng.integers(0, 2, 200)
    assert dt.mutual_information(x, label).method.startswith("Ross")
    assert dt.mutual_information(label, x).value == dt.mutual_information(x, label).value
    assert dt.mutual_information(torch.as_tensor(x), torch.as_tensor(label)).method.startswith("Ross")
    assert dt.mutual_information(x, np.stack([label, label], 1)).method.startswith("Gao")
    assert dt.conditional_mutual_information(x, x[:, 0] + 1, label).method.startswith("Mesner")
    assert dt.conditional_mutual_information(x, x + x[::-1], x[::-1]).method.startswith("KSG")
    assert (
        dt.conditional_mutual_information(x, x, x, method=lambda *a, c: dt.Estimate(value=c, method="own"), c=3).value
        == 3
    )
    assert set(CONDITIONAL) >= {"ksg", "mixed", "plugin", "gaussian"}


def test_doubts_are_said():
    x, y, z, _ = chain(60, 1.0, 1.0)
    twice = dt.conditional_mutual_information(np.round(x, 1), y, z, method="ksg")
    assert "ties broken" in twice.method
    wide = [np.repeat(v, 3, 1) + np.random.default_rng(0).standard_normal((60, 3)) for v in (x, y, z)]
    assert "9 columns" in dt.conditional_mutual_information(*wide, method="ksg").notes[0]
    assert "9 columns" in dt.mutual_information(np.concatenate(wide[:2], 1), wide[2], "mixed").notes[0]
    assert "ties broken" in dt.mutual_information(np.round(x, 1), (z[:, 0] > 0).astype(int), "labels").method
    assert np.isnan(twice.low)  # too few for an interval


PAIR = np.random.default_rng(0).standard_normal((30, 2))
LABEL = np.arange(30) // 28


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.conditional_mutual_information(PAIR, PAIR, PAIR[:9]), "z has 9 rows, x has 30"),
        (lambda: dt.conditional_mutual_information(PAIR, PAIR, PAIR, method="ksg", k=30), "k is 30 for 30 samples"),
        (lambda: dt.conditional_mutual_information(PAIR, PAIR, PAIR, method="plugin"),
            "plug-in needs discrete symbols"),
        (lambda: dt.conditional_mutual_information(PAIR, PAIR[::-1], 2 * PAIR, method="gaussian"),
            "linear function of z"),
        (lambda: dt.conditional_mutual_information(PAIR[:5], PAIR[5:10], PAIR[10:15, :1], method="gaussian"),
            "and 1 of the condition"),
        (lambda: dt.conditional_mutual_information(PAIR, PAIR, PAIR, method="ksj"),
            "unknown conditional estimator 'ksj'"),
        (lambda: dt.mutual_information(PAIR, PAIR, "mixed", k=0), "k is 0 for 30 samples"),
        (lambda: dt.mutual_information(PAIR, PAIR[:, 0], "labels"), "a label is one integer per sample"),
        (lambda: dt.mutual_information(PAIR, PAIR, "labels"), r"y has shape \[30, 2\]"),
    ],
)  # fmt: skip
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
