"""Coarse-graining of Gaussian fields, and the pair with the right partition function and the wrong distribution."""

import math

import numpy as np
import pytest

from deeptheory.cheap import (
    block_average,
    gaussian_field,
    partition_counterexample,
    renormalization_flow,
    renormalized,
)
from deeptheory.cheap.hamiltonians.renormalization import _fit
from deeptheory.core.errors import InputError
from oracles import physics as oracle

Y = (0.02, 1.0, 4.0)


def test_the_rule():
    np.testing.assert_allclose(renormalized([1, 1, 1, 1], 2), [4, 1, 1 / 4, 1 / 16])
    np.testing.assert_allclose(renormalized([1, 1], 3, d=3), [27, 3])


def test_a_field_has_the_spectrum_that_was_asked_for():
    """Mean of 400 periodograms by the double sum, each mode within 6 standard errors of 1 / (2 sum y k^2i)."""
    fields = [gaussian_field(Y, 4, seed) for seed in range(400)]
    mean = np.mean([oracle.spectrum(f.tolist()) for f in fields], axis=0)
    for a in range(4):
        for b in range(4):
            k = math.hypot(*(2 * math.pi * (m if m < 2 else m - 4) / 4 for m in (a, b)))
            truth = 1 / (2 * sum(y * k ** (2 * i) for i, y in enumerate(Y)))
            spread = math.sqrt(2) if a in (0, 2) and b in (0, 2) else 1  # real modes: chi-square of one degree
            assert abs(mean[a][b] / truth - 1) < 6 * spread / math.sqrt(len(fields))


def test_the_fit_finds_couplings_of_a_field_whose_periodogram_is_its_spectrum():
    """Amplitudes exact, phases free: no noise left, so the fit is exact."""
    size = 64
    k = 2 * np.pi * np.fft.fftfreq(size)
    wave = np.hypot(k[:, None], k[None])
    root = np.sqrt(1 / (2 * sum(y * wave ** (2 * i) for i, y in enumerate(Y))))
    noise = np.fft.fft2(np.random.default_rng(0).standard_normal((size, size)))
    field = np.fft.ifft2(size * root * noise / np.abs(noise)).real
    np.testing.assert_allclose(_fit(field, 1, 3, 1.2), Y, rtol=1e-6)


def test_blocks_are_means():
    field = np.arange(16.0).reshape(4, 4)
    np.testing.assert_array_equal(block_average(field, 2), [[2.5, 4.5], [10.5, 12.5]])
    assert block_average(np.zeros((3, 4, 4)), 4).shape == (3, 1, 1)


def test_exponents():
    """2, 0 and -2 within three standard errors over 12 independent fields, and those are small."""
    fields = np.stack([gaussian_field(Y, 256, seed) for seed in range(12)])
    flow = renormalization_flow(fields)
    for i, (e, p) in enumerate(zip(flow.exponents, flow.predicted)):
        assert p == 2 - 2 * i
        assert abs(e.value - p) < 1.5 * (e.high - e.low) / 2 * 1.4
        assert e.high - e.low < 0.4
    assert flow.dataset()["coupling"].shape == (12, 2, 3)
    assert flow.table()["predicted"].tolist() == [2, 0, -2]
    assert flow.scalars()["exponent/0"] == flow.exponents[0].value
    assert len(flow.figure().data) == 6
    assert "predicted 2, 0, -2" in repr(flow)


def test_white_noise_and_scaling_the_field_are_exact():
    """y_0 alone: averaging b x b sites divides the spectrum by b^2. Scaling phi by c divides every y by c^2."""
    fields = np.stack([gaussian_field([0.5], 128, seed) for seed in range(6)])
    flow = renormalization_flow(fields, terms=1, k_max=0.8)
    assert abs(flow.exponents[0].value - 2) < 0.2
    twice = renormalization_flow(2 * fields, terms=1, k_max=0.8)
    np.testing.assert_allclose(twice.couplings, flow.couplings / 4, rtol=1e-8)
    np.testing.assert_allclose(twice.exponents[0].value, flow.exponents[0].value, atol=1e-8)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_means_of_the_largest_numbers_are_finite(dtype):
    top = np.finfo(dtype).max
    field = np.full((4, 4), top)
    field[0, 0], field[3, 3] = -top, np.inf
    expected = np.array([[0.5 * float(top), top], [top, np.inf]])
    found = block_average(field, 2)
    assert found.dtype == dtype
    np.testing.assert_allclose(found.astype(np.float64) / float(top), expected / float(top), rtol=1e-3)


def test_an_offset_of_the_field_does_not_matter():
    fields = np.stack([gaussian_field(Y, 128, seed) for seed in range(3)])
    for offset, within in ((1e6, 1e-8), (1e12, 1e-2)):
        moved, plain = renormalization_flow(fields + offset), renormalization_flow(fields)
        np.testing.assert_allclose(moved.couplings, plain.couplings, rtol=within)


_STRIPES = np.cos(2 * np.pi * np.arange(63) / 3)[None] * np.ones((2, 63, 1))  # what their long waves hold is rounding
_WAVE = 1e8 * np.cos(2 * np.pi * np.arange(128) / 128)


@pytest.mark.parametrize("seed", range(5))
def test_partition_function_counterexample(seed):
    rng = np.random.default_rng(seed)
    h, k = rng.standard_normal(6), rng.standard_normal(6)
    found = partition_counterexample(h, k)
    z_tilde = sum(math.exp(-a - b) for a, b in zip(h, k))
    z = sum(math.exp(-a) for a in h)
    total = sum(math.exp(-(h[y] + h[w] + k[y] + math.log(z_tilde))) for y in range(6) for w in range(6))
    assert math.exp(found.log_z) == pytest.approx(z, rel=1e-12)
    assert total == pytest.approx(z, rel=1e-12)
    assert found.log_z_total == pytest.approx(found.log_z, abs=1e-12)
    np.testing.assert_allclose(found.marginal, [math.exp(-a - b) / z_tilde for a, b in zip(h, k)], rtol=1e-12)
    np.testing.assert_allclose(found.p, np.exp(-h) / z, rtol=1e-12)
    assert found.bits > 0.01
    assert found.table()["marginal"].sum() == pytest.approx(1)
    assert len(found.figure().data) == 2
    assert "ln Z differs by" in repr(found)


def test_a_constant_coupling_is_no_counterexample():
    assert partition_counterexample([0.0, 1.0, 3.0], [2.0, 2.0, 2.0]).bits == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: renormalized([1], 0), "b is 0"),
        (lambda: gaussian_field(Y, 1, 0), "size is 1"),
        (lambda: gaussian_field([0, 1], 8, 0), "it must be above 0"),
        (lambda: block_average(np.zeros((5, 5)), 2), "L a multiple of b = 2"),
        (lambda: block_average(np.zeros(4), 2), "L a multiple"),
        (lambda: renormalization_flow(np.zeros((1, 8, 8))), "at least 2 fields"),
        (lambda: renormalization_flow(np.full((2, 8, 8), np.nan)), "fields holds"),
        (lambda: renormalization_flow(np.zeros((2, 8, 8)), steps=0), "steps is 0"),
        (lambda: renormalization_flow(np.zeros((2, 8, 8)), 1), "b is 1; needed: an integer, at least 2"),
        (lambda: renormalization_flow(np.zeros((2, 8, 8)), terms=0), "terms is 0"),
        (lambda: renormalized([[1, 1], [1, 1]], 2), r"couplings has shape \[2, 2\]"),
        (lambda: renormalized([1, 1], np.inf), "b is inf"),
        (lambda: gaussian_field(Y, 4.5, 0), "size is 4.5"),
        (lambda: block_average(np.zeros((4, 4)), 2.0), "b is 2.0"),
        (lambda: renormalization_flow(np.ones((2, 8, 8))), "modes lie within k_max"),
        (
            lambda: renormalization_flow(np.stack([gaussian_field([1, 1e-9, 1e-9], 64, s) for s in range(4)])),
            "is fitted as .* not above 0",
        ),
        (lambda: renormalized([1.0], 2, d=10**400), "d is 1000"),
        (lambda: renormalized(np.ones(700), 2), "leave float64"),
        (lambda: gaussian_field([1e308, 1e308], 8, 0), "1/S = inf at some k"),
        (lambda: renormalization_flow(_STRIPES, 3, terms=1), "not above the rounding of its values"),
        (lambda: renormalization_flow(_STRIPES + 1e13, 3, terms=1), "take off its mean"),
        (
            lambda: renormalization_flow(np.stack([gaussian_field(Y, 128, s) + _WAVE for s in range(2)])),
            "a few waves outweigh all others",
        ),
        (lambda: partition_counterexample([1, 2], [1, 2, 3]), "coupling has shape"),
        (lambda: partition_counterexample([1], [1]), "hamiltonian has 1 state"),
        (lambda: partition_counterexample([1, np.inf], [1, 2]), "hamiltonian holds"),
    ],
)
def test_wrong_use(make, match):
    with pytest.raises(InputError, match=match):
        make()
