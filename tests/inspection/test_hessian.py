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
        (lambda: hessian_eigenvalues(net(), X, np.ma.array(Y, mask=Y == 1)), r"targets mask \d+ values"),
        (lambda: spectral_density(net(), X, Y + 0j), "targets are complex"),
        (lambda: hessian_eigenvalues(net(), X, [None] * 20), "targets are no numbers"),
        (lambda: hessian_eigenvalues(net(), X, 1), "targets have no rows, inputs 20"),
        (lambda: fisher_trace(net(), X * np.nan), "the Fisher trace is nan"),
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


def test_an_input_without_a_jacobian_leaves_the_others_theirs():
    bad = X.copy()
    bad[3] = np.nan
    whole, found = (jacobian_moments(net(), x, vectors=4, steps=3, seed=np.int64(1)) for x in (X, bad))
    for name in ("mean_square", "largest"):
        expected, got = getattr(whole, name).numpy(), getattr(found, name).numpy()
        assert np.flatnonzero(np.isnan(got)).tolist() == [3]
        np.testing.assert_allclose(np.delete(got, 3), np.delete(expected, 3), rtol=1e-6)
