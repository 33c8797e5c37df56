"""Dissimilarities whose last bits are rounding, masks of rows that mask something, and squares that leave float64."""

import numpy as np
import pytest

from deeptheory.axis import cross_validated_rdm, rdm, rdm_correlation
from deeptheory.core.errors import InputError

R = np.random.default_rng(0)
CLASSES = np.repeat(np.arange(5), 6)
Y = R.standard_normal((30, 40)) + 2 * R.standard_normal((5, 40))[CLASSES]


def test_equal_patterns_have_no_negative_dissimilarity():
    found = rdm(np.repeat(R.standard_normal((10, 37)), 3, 0))
    assert found.min() == 0
    assert found.max() <= 2


def test_classes_tie_whether_their_matrix_was_typed_or_measured():
    """By the last bits of equal dissimilarities the interval was as wide as [.648, .656]; typed, it has no width."""
    typed = rdm_correlation(rdm(Y), (CLASSES[:, None] != CLASSES) * 1.0, permutations=9)
    measured = rdm_correlation(rdm(Y), rdm(np.eye(5)[CLASSES]), permutations=9)
    assert repr(measured) == repr(typed)
    assert measured.value == typed.value


@pytest.mark.parametrize("k", [7, 10, 30])
def test_a_matrix_that_is_one_value_but_for_rounding_has_no_correlation(k):
    with pytest.raises(InputError, match=r"the first matrix has one value for all"):
        rdm_correlation(rdm(np.eye(k)), rdm(Y[:k]), permutations=0)


def test_units_of_responses_of_few_values_change_no_rank():
    """The correlation of patterns of two values was .0356 or .0352, by the unit of the responses."""
    few = (R.random((40, 12)) < 0.5) * 1.0
    few = few[few.std(1) > 0][:30]
    found = [rdm_correlation(rdm(few * a + b), rdm(Y), permutations=0).value for a, b in ((1, 0), (0.1, 0), (1 / 3, 7))]
    assert found == pytest.approx([found[0]] * 3, abs=1e-14)


def test_rows_that_mask_values_are_refused():
    rows = np.ma.array(np.ones(30, bool), mask=np.arange(30) < 10)
    with pytest.raises(InputError, match="rows holds 10 masked values"):
        rdm_correlation(rdm(Y), rdm(Y), rows)


def test_distances_below_float64_are_refused():
    trials = R.standard_normal((6, 3, 4))
    found = cross_validated_rdm(trials * 2.0**-400, whiten=False)
    np.testing.assert_array_equal(found, cross_validated_rdm(trials, whiten=False) * 2.0**-800)
    with pytest.raises(InputError, match=r"trials reach 2\^-5\d\d, whose squares are 0 in float64; scale them up"):
        cross_validated_rdm(trials * 1e-170, whiten=False)
    assert not cross_validated_rdm(np.ones((6, 3, 4)), whiten=False).any()


def test_dissimilarities_of_many_sizes_keep_their_ranks():
    """Those below 1e-14 of the largest were ties."""
    size = np.random.default_rng(0).uniform(0, 12, (12, 12))
    size = np.triu(size, 1) + np.triu(size, 1).T
    small = np.where(np.eye(12, dtype=bool), 0.0, 10.0 ** (-size))
    assert rdm_correlation(size, small, permutations=0).value == pytest.approx(-1, abs=1e-12)
