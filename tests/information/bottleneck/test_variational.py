"""Training a variational bottleneck under whatever state torch is in."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError

TABLE = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(4, 3)


def trained(**options):
    return dt.bottleneck(TABLE, 5.0, "variational", **({"steps": 5} | options))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16], ids=str)
def test_the_default_dtype_changes_no_number(dtype):
    want, before = trained().i_x, torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        assert trained().i_x == want
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_trains_where_gradients_are_off(mode):
    want = trained().i_x
    with mode():
        assert trained().i_x == want


@pytest.mark.parametrize(
    ("name", "value"),
    [("steps", 1.5), ("steps", "3"), ("steps", True), ("latent", 1.5), ("samples", 2.5), ("decoder", 2.5),
     ("decoder", -1), ("lr", np.inf), ("lr", 0.0)],
)  # fmt: skip
def test_numbers_that_are_none_are_refused(name, value):
    with pytest.raises(InputError, match=name):
        trained(**{name: value})
