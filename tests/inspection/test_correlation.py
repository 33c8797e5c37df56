"""What cannot be the kernel of a layer, and what is no activation."""

import numpy as np
import pytest
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import cells_of_their_own, mean_correlation, mean_field_kernel, polynomial_r2

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
