"""Targets as classes, and the integers that they are called by."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.inspection.labels import labels_of


@pytest.mark.parametrize(
    ("targets", "values"),
    [
        (np.array([0, 1, 3, 3]), (0, 1, 3)),
        (np.array([0.0, 1, 3, 3]), (0, 1, 3)),
        (np.eye(4)[[0, 1, 3, 3]], (0, 1, 3)),
        (np.array([True, False, True, True]), (0, 1)),
        (np.array(["0", "1", "3", "3"]), ()),
        (np.array([2**63, 1, 1, 1], dtype=np.uint64), ()),
    ],
)
def test_classes_have_the_integers_of_the_targets(targets, values):
    assert labels_of(targets, 4, 0, 0).values == values


def test_targets_without_columns_are_refused():
    with pytest.raises(InputError, match=r"targets have shape \[4, 0\]"):
        labels_of(np.ones((4, 0)), 4, 0, 0)
