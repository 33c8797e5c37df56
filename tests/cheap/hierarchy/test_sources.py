"""Samples and kernels as they are handed in."""

import numpy as np
import pytest

from deeptheory.cheap import MarkovHierarchy
from deeptheory.core.errors import InputError

_Y = np.array([[0, 0], [1, 1]])


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: MarkovHierarchy.from_samples(_Y, states=(2.9, 2.9)), r"states is \(2.9, 2.9\)"),
        (lambda: MarkovHierarchy.from_samples(_Y, states=2), "the samples need"),
        (lambda: MarkovHierarchy.from_samples(_Y * 10**12), "number them 0, 1, 2"),
        (lambda: MarkovHierarchy.from_samples(_Y, states=(2, 10**12)), "number them 0, 1, 2"),
        (lambda: MarkovHierarchy.from_kernels([0.5, 0.5], [lambda y: {0: 1.0}]), "prior is a list"),
        (lambda: MarkovHierarchy.from_kernels({0: 1.0}, [lambda y: [(0, 1.0)]]), "kernel 1 gives"),
        (lambda: MarkovHierarchy.from_kernels({0: 1.0}, [lambda y: {0: "a"}]), "kernel 1 gives"),
        (lambda: MarkovHierarchy(*([0.5, 0.5], [np.eye(2)])).compose([[0], [0, 1]]), "several lengths"),
    ],
)
def test_wrong_use(make, match):
    with pytest.raises(InputError, match=match):
        make()
