"""A stored step holds what the model gave, in the dtype and with the units that it has now."""

import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError

X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(60) % 2


class Trimmed(nn.Module):
    """As many units as the largest input of the batch says."""

    def __init__(self):
        super().__init__()
        self.inner, self.act = nn.Linear(4, 6), nn.ReLU()

    def forward(self, x):
        return self.act(self.inner(x))[:, : int(x[:, 0].abs().max().round()) + 1]


@pytest.mark.parametrize("kind", ["memory", "store", "readouts"])
def test_units_that_vary_by_batch_are_refused(tmp_path, kind):
    how: dict = {"memory": {}, "store": {"store": tmp_path / "s"}, "readouts": {"readouts": dt.Exact()}}[kind]
    recorder = dt.Recorder(Trimmed(), X, Y, batch=10, layers="output", **how)
    with pytest.raises(InputError, match=r"layer 'output' has (\d units|two axes)"):
        recorder.snapshot(0)
    assert recorder.steps == ()


@pytest.mark.parametrize("stored", [False, True])
def test_a_layer_of_other_units_is_refused_at_a_later_snapshot(tmp_path, stored):
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    recorder = dt.Recorder(model, X, store=tmp_path / "s" if stored else None)
    recorder.snapshot(0)
    model[0], model[2] = nn.Linear(4, 5), nn.Linear(5, 2)
    with pytest.raises(InputError, match=r"layer '1' has shape \[1, 60, 5\] at step 1; needed: \(1, 60, 3\)"):
        recorder.snapshot(1)
    assert recorder.steps == (0,)


@pytest.mark.parametrize("n", [2, 30])
def test_a_model_of_another_dtype_is_stored_in_it(tmp_path, n):
    """Integers go into any dtype of weights, so that nothing else tells."""
    model = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 4), nn.Tanh())
    x = torch.arange(2 * n).reshape(n, 2) % 5
    recorder = dt.Recorder(model, x, store=tmp_path / "s")
    for step, dtype in enumerate((torch.float32, torch.float64, torch.float32)):
        model.to(dtype)
        recorder.snapshot(step)
        found = recorder.recording.activations("output", step)
        assert found.dtype == dtype
        with torch.no_grad():
            torch.testing.assert_close(found[0], model(x), atol=0, rtol=0)
