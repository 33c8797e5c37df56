"""The Hessian's targets as people have them, and what is no target."""

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import fisher_trace, hessian_eigenvalues, jacobian_moments, spectral_density

X = np.random.default_rng(0).standard_normal((20, 4))
Y = np.arange(20) % 2


def net():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))


@pytest.mark.parametrize("dtype", ["int8", "int32", "uint8"])
def test_class_indices_of_any_integer_dtype_are_the_same_targets(dtype):
    assert hessian_eigenvalues(net(), X, Y.astype(dtype), k=3) == pytest.approx(hessian_eigenvalues(net(), X, Y, k=3))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: hessian_eigenvalues(net(), X, np.array(list("ab" * 10))), "targets are no numbers"),
        (lambda: hessian_eigenvalues(net(), X, Y + 5), r"does not take an output of shape \[20, 2\] .*out of bounds"),
        (lambda: hessian_eigenvalues(net(), X, Y, loss="squared"), r"does not take an output of shape \[20, 2\]"),
        (lambda: hessian_eigenvalues(net(), X, Y, k=1.5), "k is 1.5; needed: an integer"),
        (lambda: spectral_density(net(), X, Y, steps=2.5), "steps is 2.5; needed: an integer"),
        (lambda: spectral_density(net(), X, Y, vectors=0), "vectors is 0; needed: an integer"),
        (lambda: fisher_trace(net(), X, vectors=2.5), "vectors is 2.5; needed: an integer"),
        (lambda: jacobian_moments(net(), X, vectors=1), "vectors is 1; needed: an integer, at least 2"),
        (lambda: jacobian_moments(net(), X, steps=1.5), "steps is 1.5; needed: an integer"),
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()
