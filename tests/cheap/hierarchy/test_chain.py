"""Tables as they are handed in: large integers, objects that are no numbers, rows of several lengths."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import sparse

from deeptheory.cheap import MarkovHierarchy
from deeptheory.core.errors import InputError

_TWO = np.eye(2)


@pytest.mark.parametrize("kind", ["numpy", "sparse"])
def test_counts_whose_sum_is_beyond_int64(kind):
    counts = np.array([[2**62, 2**62], [2**62, 0]])
    h = MarkovHierarchy(np.array([1, 1]) if kind == "numpy" else [0.5, 0.5],
        [counts if kind == "numpy" else sparse.csr_array(counts)])  # fmt: skip
    np.testing.assert_allclose(h.posterior(), [[1 / 3, 2 / 3], [1, 0]])
    top = MarkovHierarchy(np.array([2**63, 2**63], dtype=np.uint64), [np.eye(2, dtype=int)])
    assert [float(p) for p in top.marginals[0]] == [0.5, 0.5]


def test_decimals_are_exact():
    h = MarkovHierarchy([Decimal("0.1"), Decimal("0.9")], [np.eye(2, dtype=int)])
    assert h.exact
    assert h.marginals[1].tolist() == [Fraction(1, 10), Fraction(9, 10)]


@pytest.mark.parametrize(
    ("prior", "tables", "match"),
    [
        (np.array([0.5, 0.4], dtype=object), [_TWO], "columns of prior miss 1 by up to 0.1"),
        ([Fraction(1, 2), None], [_TWO], "prior is no table of finite real numbers"),
        (np.array([1, float("nan")], dtype=object), [_TWO], "prior is no table"),
        (np.array([1, float("inf")], dtype=object), [_TWO], "prior is no table"),
        (np.array([0.5, 0.5j], dtype=object), [_TWO], "prior is no table"),
        (np.array(["1/2", "1/2"], dtype=object), [_TWO], "'1/2' is text"),
        ([[0.5], [0.5, 2]], [_TWO], "prior is no table"),
        ([0.5, 0.5], [[[1, 2], [3]]], "transition 1 is no table"),
        ([0.5, 0.5], [torch.eye(2).to_sparse()], "to_dense"),
        ([0.5, 0.5], [sparse.csr_array(_TWO * 1j)], "transition 1 holds complex128"),
        ([0.5, 0.5], 5, "transitions is 5; needed: a list of tables"),
    ],
)
def test_wrong_use(prior, tables, match):
    with pytest.raises(InputError, match=match):
        MarkovHierarchy(prior, tables)
