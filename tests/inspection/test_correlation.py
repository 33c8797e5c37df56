"""What cannot be the kernel of a layer, and what is no activation."""

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import cells_of_their_own, mean_correlation, mean_field_kernel, polynomial_r2
from deeptheory.inspection.engine import measure

K = np.array([[1.0, 0.5], [0.5, 1.0]])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: mean_field_kernel(K, "relu"), "activation is 'relu'"),
        (lambda: mean_field_kernel(K, nn.ReLU(), weight_variance=float("nan")), "weight_variance is nan"),
        (lambda: mean_field_kernel(K, nn.ReLU(), bias_variance=-1), "bias_variance is -1"),
        (lambda: mean_field_kernel([[1.0, 5.0], [5.0, 1.0]], nn.ReLU()), "the Gram matrix of no inputs"),
        (lambda: cells_of_their_own([]), r"symbols have shape \[0\]"),
        (lambda: cells_of_their_own(np.ones((3, 2))), r"symbols have shape \[3, 2\]"),
        (lambda: cells_of_their_own(np.ma.array([1, 2, 2], mask=[1, 0, 0])), "symbols holds 1 masked values"),
        (lambda: mean_correlation(np.ones((3, 0))), "features hold 3 inputs, 3 of them zeros"),
        (lambda: polynomial_r2(np.ones((60, 0)), np.ones((60, 1)), 1), "the inputs do not vary"),
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_kernel_of_equal_inputs_is_taken_for_all_its_rounding():
    x = np.random.default_rng(0).standard_normal((1, 300)).repeat(4, axis=0)
    assert np.allclose(mean_field_kernel(x @ x.T / 300, nn.ReLU(), weight_variance=2.0), (x @ x.T / 300)[0, 0])


def test_the_sum_over_pairs_of_many_inputs_is_that_of_few(monkeypatch):
    x = np.random.default_rng(0).standard_normal((60, 3)) + 0.5
    few = mean_correlation(x)
    monkeypatch.setattr("deeptheory.inspection.correlation._PAIRED", 10)
    assert mean_correlation(x * np.logspace(-200, 200, 60)[:, None]) == pytest.approx(few, abs=1e-14)


@pytest.mark.parametrize(
    ("activation", "match"),
    [
        (nn.ReLU, "needed: a torch module such as"),  # the class, not a module
        (nn.Softmax(-1), "not pointwise"),
        (lambda z: nn.functional.dropout(z, 0.5), "not pointwise, or random"),
        (lambda z: z.sum(), "not pointwise"),
        (nn.GLU(), "not pointwise"),
        (nn.Linear(64, 64), "does not take float64"),
        (nn.BatchNorm1d(64), "does not take float64"),
        (torch.log, "not finite"),
    ],
)
def test_what_is_not_pointwise_has_no_map(activation, match):
    with pytest.raises(InputError, match=match):
        mean_field_kernel(K, activation)


def test_a_module_with_weights_of_float32():
    slope = nn.PReLU(init=0.25)
    assert mean_field_kernel(K, slope) == pytest.approx(mean_field_kernel(K, nn.LeakyReLU(0.25)), rel=0.02)
    assert slope.weight.dtype == torch.float32


@pytest.mark.parametrize("activation", [None, nn.ReLU(), nn.Tanh()])
def test_squares_beyond_float64_are_refused(activation):
    with pytest.raises(InputError, match="beyond the largest float64"):
        mean_field_kernel(K * 1e300, activation, weight_variance=1e10)


class _Skip(nn.Sequential):
    def forward(self, input):
        return input + super().forward(input)


def _references(model, x):
    found = measure(model, x, None, instruments="correlation", twins=0)["correlation"]
    return {r.layer for r in found.rows if r.quantity == "mean_field"}


def test_the_map_is_drawn_for_networks_that_it_describes():
    x = torch.randn(30, 8, generator=torch.Generator().manual_seed(0))
    first, last = nn.Linear(8, 8), nn.Linear(8, 3)
    assert _references(nn.Sequential(first, nn.Tanh(), last), x) == {"1", "output"}
    assert _references(nn.Sequential(_Skip(first, nn.Tanh()), last), x) == set()  # a skip connection
    assert _references(nn.Sequential(nn.Tanh(), last), x) == set()  # what feeds the weights is not the input
    assert "output" not in _references(nn.Sequential(first, nn.ReLU(), nn.Tanh(), last), x)
    assert _references(nn.Sequential(first, nn.Tanh(), last), x[:28].reshape(7, 4, 8)) == set()  # by position
    assert _references(nn.Sequential(nn.Flatten(), nn.Linear(32, 3)), x[:28].reshape(7, 4, 8)) == {"output"}


def test_an_input_of_another_size_is_not_silent():
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0)).double()
    faint = x * torch.logspace(0, -250, 20, dtype=torch.float64)[:, None]
    net = nn.Linear(5, 5, bias=False).double()
    one, two = (
        measure(net, v, None, instruments="correlation", twins=0)["correlation"].at("output", "correlation")
        for v in (x, faint)
    )
    assert two.value == pytest.approx(one.value, abs=1e-12)
    assert "zeros only" not in two.note
