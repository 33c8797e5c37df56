"""The Hessian's targets as people have them, and what is no target."""

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import fisher_trace, hessian_eigenvalues, jacobian_moments, spectral_density
from deeptheory.inspection.engine import measure
from trials.inspection_hessian import Weights

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


def quadratic(size, scale=1.0):
    a = np.random.default_rng(1).standard_normal((size, size))
    a = a + a.T
    matrix = torch.as_tensor(a)
    return a, lambda out, y: scale * (out @ matrix * out).sum(1).mean() / 2


@pytest.mark.parametrize("scale", [1e-8, 1e-15, 1e-100, 1e-190, 1e100])
def test_the_unit_of_the_loss_does_not_matter(scale):
    """ARPACK takes what is below 4e-11 for converged: eigenvalues of 1e-15 were 5 % too small."""
    a, loss = quadratic(350, scale)
    found = hessian_eigenvalues(Weights(350), torch.zeros(2, 1), torch.zeros(2), k=3, loss=loss, tolerance=1e-8)
    assert found / scale == pytest.approx(np.linalg.eigvalsh(a)[::-1][:3], rel=1e-6)
    a, small = quadratic(6, scale)
    density = spectral_density(Weights(6), torch.zeros(2, 1), torch.zeros(2), loss=small, steps=6)
    assert density.nodes[0] / scale == pytest.approx(np.linalg.eigvalsh(a), rel=1e-6)


def test_a_loss_without_curvature_in_many_weights():
    found = hessian_eigenvalues(Weights(400), torch.zeros(2, 1), torch.zeros(2), k=3, loss=lambda out, y: out.mean())
    assert found.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        # torch leaves -100 out of each batch's mean, and batches of 64 count alike
        (lambda: hessian_eigenvalues(net(), X, np.where(Y == 1, -100, 0)), "targets hold -100, no class index"),
        (lambda: fisher_trace(nn.Linear(4, 1), X), "one number, whose softmax is 1"),
    ],
)
def test_what_would_be_silently_wrong_is_refused(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_axes_of_the_output_in_another_order_are_refused():
    images = nn.Sequential(nn.Linear(4, 6), nn.Unflatten(1, (2, 3)))
    y = np.zeros((20, 2, 3))
    assert hessian_eigenvalues(images, X, y, loss="squared", k=2) == pytest.approx(
        hessian_eigenvalues(images, X, y.reshape(20, 6), loss="squared", k=2)
    )
    with pytest.raises(InputError, match="axes are in another order"):
        hessian_eigenvalues(images, X, y.transpose(0, 2, 1), loss="squared")


def test_seeds_of_any_size():
    assert fisher_trace(net(), X, seed=2**64 + 3) == fisher_trace(net(), X, seed=3)
    assert torch.equal(jacobian_moments(net(), X, seed=2**64).largest, jacobian_moments(net(), X).largest)


def largest(model, y, **options):
    found = measure(model, torch.as_tensor(X, dtype=torch.float32), y, instruments="hessian", twins=0, **options)
    return found["hessian"].of("largest")[0]


def test_a_class_that_the_probe_lacks_moves_no_other_to_its_output():
    model = nn.Sequential(*list(net())[:2], nn.Linear(3, 4))
    y = np.array([0, 1, 3])[np.arange(20) % 3]
    truth = hessian_eigenvalues(model, X, y, k=1)[0]
    for targets in (y, y.astype(float), np.eye(4)[y]):
        assert largest(model, targets).value == pytest.approx(truth, rel=1e-5)
    words = largest(model, np.array(["a", "b", "c"])[np.arange(20) % 3])
    assert np.isnan(words.value)
    assert "4 outputs for 3 classes" in words.note


def test_numbers_far_from_zero_keep_their_digits_in_float64():
    """A residual of 1 next to 1e9 is 64 or 0 in float32."""
    last = nn.Linear(5, 1)
    nn.init.constant_(last.bias, 1e9)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), last).double()
    y = 1e9 + X[:, 0]
    found = measure(model, torch.as_tensor(X), y, instruments="hessian", twins=0, task="regression")["hessian"]
    truth = hessian_eigenvalues(model, X, y, k=1, loss="squared")[0]
    assert found.of("largest")[0].value == pytest.approx(truth, rel=1e-6)
