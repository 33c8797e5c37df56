"""The counterexample at offsets, sizes and couplings at which sums are rounded."""

from fractions import Fraction

import numpy as np
import pytest

from deeptheory.cheap import partition_counterexample
from deeptheory.core.errors import InputError

_H, _K = np.array([0.25, 1.125, 3.75, 2.5]), np.array([0.0, 1.0, 0.25, -0.5])


@pytest.mark.parametrize("offset", [1e6, 1e12, 2.0**48, -(2.0**48)])
def test_a_constant_added_to_energies_changes_no_probability(offset):
    plain = partition_counterexample(_H, _K)
    for found in (partition_counterexample(_H + offset, _K), partition_counterexample(_H, _K + offset)):
        np.testing.assert_allclose(found.p, plain.p, rtol=1e-14)
        np.testing.assert_allclose(found.marginal, plain.marginal, rtol=1e-14)
        assert found.bits == pytest.approx(plain.bits, rel=1e-12)
    assert partition_counterexample(_H + offset, _K).log_z == pytest.approx(plain.log_z - offset, rel=1e-15)


@pytest.mark.parametrize("size", [1e-3, 1e-5, 1e-9])
def test_bits_of_a_weak_coupling(size):
    """KL of p and p exp(-K) / z is K's variance under p over 2 ln 2, but for terms of third order."""
    p = np.exp(-_H) / np.exp(-_H).sum()
    variance = float(p @ _K**2 - (p @ _K) ** 2) * size**2
    bits = partition_counterexample(_H, _K * size).bits
    assert bits == pytest.approx(variance / 2 / np.log(2), rel=10 * size + 1e-6)


def test_energies_whose_differences_are_huge():
    found = partition_counterexample([1e300, 1.0, 2.0], [1e300, 0.0, 1e300])
    np.testing.assert_allclose(found.p, [0, 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    np.testing.assert_array_equal(found.marginal, [0, 1, 0])
    assert found.bits == pytest.approx(float(Fraction(10) ** 300) * found.p[2] / np.log(2))


def test_pairs_in_parts(monkeypatch):
    h, k = np.random.default_rng(0).normal(size=(2, 50))
    whole = partition_counterexample(h, k)
    monkeypatch.setattr("deeptheory.cheap.hamiltonians.partition_function._AT_ONCE", 170)
    parts = partition_counterexample(h, k)
    np.testing.assert_array_equal(parts.marginal, whole.marginal)
    assert parts.log_z_total == whole.log_z_total


@pytest.mark.parametrize(
    ("h", "k", "match"),
    [
        ([1e308, -1e308], [1.0, 1.0], "leave float64"),
        ([0.0, 1.0], [1e308, -1e308], "leave float64"),
        (np.zeros(20_001), np.zeros(20_001), "of up to 20000"),
    ],
)
def test_wrong_use(h, k, match):
    with pytest.raises(InputError, match=match):
        partition_counterexample(h, k)
