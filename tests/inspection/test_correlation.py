"""What cannot be the kernel of a layer, and what is no activation."""

import numpy as np
import pytest
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection import cells_of_their_own, mean_field_kernel

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
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_kernel_of_equal_inputs_is_taken_for_all_its_rounding():
    x = np.random.default_rng(0).standard_normal((1, 300)).repeat(4, axis=0)
    assert np.allclose(mean_field_kernel(x @ x.T / 300, nn.ReLU(), weight_variance=2.0), (x @ x.T / 300)[0, 0])
