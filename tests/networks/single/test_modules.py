"""Beginning a module from a seed, all of its outputs, its parameters counted."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.networks import Population, parameter_count, predict, seeded

X = np.random.default_rng(0).standard_normal((25, 4)).astype(np.float32)


def make():
    return nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5), nn.Linear(3, 2))


class Pair(NamedTuple):
    whole: torch.Tensor
    none: torch.Tensor | None


class Both(nn.Module):
    def forward(self, x, y):
        return Pair(x + y, None)


def test_a_seed_is_a_beginning_and_leaves_the_generator_alone():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    a, b, c = seeded(make, 1), seeded(make, 1), seeded(make, 2)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(a[0].weight, b[0].weight)
    assert not torch.equal(a[0].weight, c[0].weight)


@pytest.mark.parametrize("batch", [1, 7, 25, 100])
def test_outputs_are_those_of_one_pass_in_eval_mode(batch):
    module = seeded(make, 0)
    module[0].eval()
    found = predict(module, X, batch=batch)
    module.eval()
    assert torch.allclose(found, module(torch.as_tensor(X)), atol=1e-6)
    assert not found.requires_grad
    module = seeded(make, 0)
    module[1].eval()
    predict(module, X)
    assert [m.training for m in module.modules()] == [True, True, False, True]


def test_outputs_of_several_inputs_keep_their_form():
    found = predict(Both(), X, torch.as_tensor(2 * X), batch=10)
    assert isinstance(found, Pair)
    assert torch.allclose(found.whole, torch.as_tensor(3 * X))
    assert found.none is None
    a, b = predict(lambda x: (x, x * 2), X, batch=10)
    assert torch.equal(2 * a, b)


def test_flags_are_put_back_after_an_error():
    module = seeded(make, 0)
    with pytest.raises(RuntimeError):
        predict(module, X[:, :3])
    assert all(m.training for m in module.modules())


def test_parameters_are_counted_with_and_without_memory():
    assert parameter_count(make) == parameter_count(seeded(make, 1)) == 4 * 3 + 3 + 3 * 2 + 2


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: predict(make()), r"inputs have \[\] rows"),
        (lambda: predict(Both(), X, X[:3]), r"inputs have \[25, 3\] rows"),
        (lambda: predict(make(), X, batch=0), "batch is 0"),
        (lambda: predict(lambda x: {"a": x}, X), "the module gave dict"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


class Averages(nn.Module):
    """One row for a whole batch."""

    def forward(self, x):
        return x.mean(0)


@pytest.mark.parametrize("n", [60, 65])
def test_what_has_no_row_for_each_of_a_batch_is_not_joined(n):
    x = torch.rand(n, 5, 4)
    recurrent = nn.GRU(4, 3, batch_first=True)
    population = Population.mlp([4, 3, 2], seeds=[0, 1])
    for model, given in ((recurrent, x), (Averages(), x), (population, x[:, 0]), (lambda v: v.mean(), x)):
        with pytest.raises(InputError, match=r"the model gave shape \[.*\] for a batch of 20 rows; .*one row each"):
            predict(model, given, batch=20)
    out, state = predict(recurrent, x, batch=n)
    assert (out.shape, state.shape) == ((n, 5, 3), (1, n, 3))
    torch.testing.assert_close(predict(lambda v: recurrent(v)[0].detach(), x, batch=20), out)


def test_what_is_no_row_no_module_and_no_seed_is_told():
    with pytest.raises(InputError, match=r"inputs have \[0\] rows"):
        predict(nn.Identity(), 3.0)
    with pytest.raises(InputError, match="weight is not initialized yet"):
        parameter_count(nn.LazyLinear(3))
    with pytest.raises(InputError, match="the factory gave a int"):
        parameter_count(lambda: 3)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="below 2"):
        seeded(lambda: nn.Linear(2, 2), 2**64)
