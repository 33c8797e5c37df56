"""Corrections of counts against the papers' formulas by loops, and what is refused."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from oracles.information import corrected_entropy, corrected_information

NAMES = ["miller-madow", "grassberger", "chao-shen", "shrink"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "counts",
    [[1, 1], [5], [1] * 7, [2] * 6, [9, 4, 3, 1, 1], [1000, 1], [40, 3, 2, 2, 1, 1, 1], list(range(1, 30))],
    ids=str,
)
def test_entropies_agree_with_the_loops(name, counts):
    x = np.repeat(np.arange(len(counts)) * 7 - 3, counts)
    got = dt.entropy(np.random.default_rng(0).permutation(x), "plugin", correct=name)
    assert got.value == pytest.approx(corrected_entropy(counts, name), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "table",
    [
        [[1, 0], [0, 1]],
        [[3, 1, 2], [0, 4, 1]],
        [[2, 2], [2, 2]],
        [[50, 0, 0], [0, 1, 0], [0, 0, 1]],
        [[1, 1], [1, 0]],
        [[4, 9]],
    ],
    ids=str,
)
def test_informations_agree_with_the_loops(name, table):
    pairs = [(i, j) for i, row in enumerate(table) for j, c in enumerate(row) for _ in range(c)]
    x, y = np.array(pairs).T
    got = dt.mutual_information(x, y, "plugin", correct=name)
    assert got.value == pytest.approx(corrected_information(table, name), abs=1e-12)
    assert dt.mutual_information(y, x, "plugin", correct=name).value == pytest.approx(got.value, abs=1e-12)


def test_true_is_miller_madow_and_names_are_those_of_the_field():
    x, y = np.random.default_rng(0).integers(0, 5, (2, 200))
    for name in ("miller-madow", "Miller_Madow"):
        assert (
            dt.mutual_information(x, y, "plugin", correct=name).value
            == dt.mutual_information(x, y, "plugin", correct=True).value
        )
    got = dt.mutual_information(x, y, "plugin", correct="Chao Shen")
    assert "Chao-Shen" in got.method
    assert got.low <= got.value <= got.high


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x: dt.entropy(x, "plugin", correct="grasberger"), "unknown correction 'grasberger'.*grassberger"),
        (lambda x: dt.mutual_information(x, x, "plugin", correct=3), "unknown correction '3'"),
        (lambda x: dt.entropy(x, "plugin", correct=None), "unknown correction 'None'"),
        (
            lambda x: dt.conditional_mutual_information(x, x, x, method="plugin", correct="shrink"),
            "a condition has Miller-Madow's alone",
        ),
        (lambda x: dt.mutual_information(x, x, "chao-shen"), "use 'plugin' with correct='chao-shen'"),
        (lambda x: dt.entropy(x, "nsb"), "use 'plugin' with correct='nsb'"),
        (lambda x: dt.entropy(x, "plugin", correct="nsb", alphabet=3), "alphabet is 3 where 7 symbols were seen"),
        (lambda x: dt.entropy(x, "plugin", correct="nsb", alphabet=(9, 9)), "needed: 1 integer, one per variable"),
        (lambda x: dt.mutual_information(x, x, "plugin", correct="nsb", alphabet=9), "needed: 2 integers"),
        (lambda x: dt.entropy(x, "plugin", correct="nsb", alphabet=9.5), "alphabet is 9.5; needed: an integer"),
        (lambda x: dt.entropy(x, "plugin", alphabet=9), "plain counts do not ask"),
        (lambda x: dt.entropy(x, "plugin", correct="chao-shen", alphabet=9), "Chao-Shen do not ask"),
        (lambda x: dt.mutual_information(x, x, "plugin", correction="shrink"), "use correct= with method='plugin'"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call(np.arange(60) % 7)


def test_order_names_and_sides_of_sparse_counts_do_not_matter():
    """y permuted was drawn in the order of rows: 1.307 to 1.324 bits of the same samples."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 60, 600)
    y = (x + rng.integers(0, 10, 600)) % 60
    names, rows = rng.permutation(60), rng.permutation(600)
    for method in ("auto", "plugin"):
        one = dt.mutual_information(x, y, method)
        for a, b in ((x[rows], y[rows]), (names[x], y), (x, names[y].astype(str)), (y, x)):
            got = dt.mutual_information(a, b, method)
            assert (got.value, got.low, got.high) == pytest.approx((one.value, one.low, one.high), abs=1e-12)
