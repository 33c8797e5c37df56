"""NSB against sums in 25 digits, against a published program, and at the edges."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.estimators.nsb import nsb
from oracles.information import nsb as slow


@pytest.mark.parametrize(("counts", "cells"), [([1, 1], 2), ([5], 3), ([9, 4, 3, 1, 1], 5), ([40, 3, 2], 6)], ids=str)
def test_mean_and_deviation_agree_with_the_sums(counts, cells):
    got = nsb(np.array(counts), cells)
    assert got == pytest.approx(slow(counts, cells), abs=1e-10)


def test_a_published_program_says_the_same():
    """ndd 1.6.1 prints 2.840012048914245 nats for these counts of 100 symbols; 1.7 2.8400090835681375 with the
    deviation .10884840411906187 (both read in their README)."""
    counts = np.array([12, 4, 12, 4, 5, 3, 1, 5, 1, 2, 2, 2, 2, 11, 3, 4, 12, 12, 1, 2])
    mean, deviation = (v * np.log(2) for v in nsb(counts, 100))
    assert mean == pytest.approx(2.840012048914245, abs=1e-9)
    assert deviation == pytest.approx(0.10884840411906187, abs=1e-4)


@pytest.mark.parametrize(
    ("counts", "cells", "low", "high"),
    [
        (np.full(100, 10_000), 100, 6.6438, 6.6439),  # log2(100) but for sampling
        (np.array([10**6]), 2, 0, 1e-4),
        (np.array([10**6, 1]), 10**9, 0, 1e-3),
        (np.ones(50), 10**6, 5.64, 19.94),  # no symbol twice: anything above log2 of 50
        (np.array([1]), 1, 0, 0),
    ],
)
def test_edges(counts, cells, low, high):
    mean, deviation = nsb(counts, cells)
    assert low <= mean <= high
    assert 0 <= deviation < np.inf


def test_the_alphabet_counts_where_samples_are_few():
    x = np.random.default_rng(0).integers(0, 1000, 100)
    seen = dt.entropy(x, "plugin", correct="nsb")
    known = dt.entropy(x, "plugin", correct="nsb", alphabet=1000)
    assert seen.value < known.value < np.log2(1000) + 0.2
    assert known.low <= np.log2(1000) <= known.high
    y = np.random.default_rng(1).integers(0, 1000, 100)
    got = dt.mutual_information(x, y, "plugin", correct="nsb", alphabet=(1000, 1000))
    assert got.low <= 0 <= got.high


def test_an_alphabet_for_shrinking_is_that_of_the_uniform():
    """Hausser & Strimmer's table with a symbol that was never seen."""
    x = np.array([0] * 6 + [1] * 2)
    n, target = 8, 1 / 3
    p = np.array([6 / 8, 2 / 8, 0])
    weight = (1 - (p**2).sum()) / ((n - 1) * ((target - p) ** 2).sum())
    q = weight * target + (1 - weight) * p
    got = dt.entropy(x, "plugin", correct="shrink", alphabet=3)
    assert got.value == pytest.approx(-(q * np.log2(q)).sum(), abs=1e-12)


@pytest.mark.parametrize("digits", [8, 10, 14, 18, 24, 35])
def test_alphabets_of_any_size(digits):
    """Of 10^24 symbols 22.9 bits were found in 600 samples of two: the peak lay below the grid that sought it."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 600)
    y = (x + (rng.random(600) < 0.2)) % 2
    assert dt.entropy(x, correct="nsb", alphabet=10**digits).value == pytest.approx(1.0, abs=0.1)
    got = dt.mutual_information(x, y, "plugin", correct="nsb", alphabet=(10**digits, 10**digits))
    assert got.value == pytest.approx(dt.mutual_information(x, y, "plugin").value, abs=0.1)


@pytest.mark.parametrize("correct", ["nsb", "shrink"])
def test_an_alphabet_beyond_numbers_is_refused(correct):
    with pytest.raises(InputError, match="401 digits"):
        dt.entropy([0, 1, 1, 0], correct=correct, alphabet=10**400)


@pytest.mark.parametrize("name", [["nsb"], {"nsb": 1}, 1, None])
def test_a_correction_is_a_name(name):
    with pytest.raises(InputError, match="unknown correction"):
        dt.entropy([0, 1, 1, 0], correct=name)
