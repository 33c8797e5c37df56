"""H(X|Y) against differences of entropies by dictionaries, closed forms, and what is refused."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import conditional_entropy
from oracles.information import entropy


@pytest.mark.parametrize("words", [False, True])
def test_counts_are_a_difference_of_entropies(words):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 300)
    x = (y + rng.integers(0, 3, 300)) % 5
    x, y = (np.array(list("abcde"))[v] if words else v for v in (x, y))
    slow = entropy(list(zip(x.tolist(), y.tolist()))) - entropy(y.tolist())
    got = conditional_entropy(x, y)
    assert got.value == pytest.approx(slow, abs=1e-12)
    assert got.direction == "lower"
    chain = dt.entropy(x).value - dt.mutual_information(x, y, "plugin").value
    assert got.value == pytest.approx(chain, abs=1e-12)
    corrected = conditional_entropy(x, y, correct=True)
    cells, kinds = len(set(zip(x.tolist(), y.tolist()))), len(set(y.tolist()))
    assert corrected.value == pytest.approx(slow + (cells - kinds) / (600 * np.log(2)), abs=1e-12)
    for name in ("grassberger", "chao-shen", "shrink", "nsb"):
        other = conditional_entropy(x, y, correct=name)
        assert other.low <= other.value <= other.high


def test_a_condition_that_names_every_sample_says_nothing():
    x = np.random.default_rng(0).integers(0, 4, 100)
    got = conditional_entropy(x, np.arange(100))
    assert got.value == 0
    assert got.high >= 1.9  # H(X) is 2 bits, and all that is known
    assert "a cell of their own" in " ".join(got.notes)


def test_numbers_given_labels_and_numbers():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1500)
    x = 10 * y + (1 + y) * rng.normal(size=1500)
    truth = np.mean([np.log2((1 + c) * np.sqrt(2 * np.pi * np.e)) for c in range(3)])
    got = conditional_entropy(x, y)
    assert got.low <= truth <= got.high
    assert got.value == pytest.approx(truth, abs=0.12)
    z = rng.normal(size=1500)
    w = 0.6 * z + 0.8 * rng.normal(size=1500)
    truth = np.log2(0.8 * np.sqrt(2 * np.pi * np.e))
    for method in ("kl", "gaussian"):
        assert conditional_entropy(w, z, method=method).value == pytest.approx(truth, abs=0.12)
    assert conditional_entropy(w * 1e100, z, method="gaussian").value == pytest.approx(
        conditional_entropy(w, z, method="gaussian").value + 100 * np.log2(10), abs=1e-6
    )


def test_a_label_given_numbers():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, 1000)
    far = conditional_entropy(x, rng.normal(size=1000) + 20 * x)
    near = conditional_entropy(x, rng.normal(size=1000))
    assert far.value == pytest.approx(0, abs=0.05)
    assert near.low <= 1 <= near.high


def test_the_gaussian_form_is_a_difference_of_determinants():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 3))
    logdet = np.linalg.slogdet(np.cov(z, rowvar=False))[1], np.log(np.var(z[:, 2], ddof=1))
    truth = (logdet[0] - logdet[1]) / (2 * np.log(2)) + np.log2(2 * np.pi * np.e)
    got = conditional_entropy(z[:, :2], z[:, 2], method="gaussian", correct=False)
    assert got.value == pytest.approx(truth, abs=1e-9)
    assert got.direction == "upper"


@pytest.mark.parametrize(
    ("x", "y", "options", "match"),
    [
        (np.arange(40.0), np.arange(40) % 20, {}, "20 of 20 labels of y have 3 samples or fewer"),
        (np.arange(40) % 4, np.arange(40) % 4, {"method": "plug"}, "unknown estimator 'plug'; did you mean plugin"),
        (np.arange(40) % 4, np.arange(40) % 4, {"permutations": 9}, "unknown option 'permutations'"),
        (np.arange(40) % 4, np.arange(30), {}, "paired samples"),
        (np.arange(4.0), np.arange(4.0), {"method": "gaussian"}, "4 samples for 2 columns"),
        (np.arange(40.0), np.arange(40.0), {"method": "gaussian"}, "nothing is left of it"),
        (np.array(["a", "b"] * 20), np.arange(40.0), {"method": "kl"}, "x holds words"),
        (np.random.default_rng(0).normal(size=40), np.arange(40) % 4, {"method": "plugin"}, "needs discrete symbols"),
        (np.arange(40) % 4, np.array(["a", "b"] * 20), {"method": "labels"}, "holds words"),
        (np.arange(40.0), np.round(np.arange(40) / 3), {}, "entropies have no density there"),
    ],
)
def test_wrong_use(x, y, options, match):
    with pytest.raises(InputError, match=match):
        conditional_entropy(x, y, **options)


def test_a_copy_leaves_nothing():
    u = np.random.default_rng(0).normal(size=300)
    assert conditional_entropy(u, u).value == -np.inf
    assert conditional_entropy(np.ones(300), np.arange(300) % 3).value == -np.inf
