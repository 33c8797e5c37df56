"""Tables with a row per sample that no input changes are recorded as shown, and as they were then."""

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt


class Tied(nn.Module):
    def __init__(self, rows):
        super().__init__()
        self.emb, self.id, self.h = nn.Embedding(rows, 4), nn.Identity(), nn.Linear(4, 3)

    def forward(self, i):
        z = self.id(self.emb.weight)
        return {"l": self.h(z), "z": z}


@pytest.mark.parametrize("rows", [3, 6, 40])
def test_a_parameter_that_is_shown_is_recorded_as_it_was(rows):
    model = Tied(rows)
    recorder = dt.Recorder(model, torch.arange(rows), np.arange(rows) % 2)
    recorder.snapshot(0)
    before = model.emb.weight.detach().clone()
    with torch.no_grad():
        model.emb.weight.mul_(2)
    recorder.snapshot(1)
    first, second = (recorder.recording.activations("output.z", step) for step in (0, 1))
    np.testing.assert_array_equal(np.asarray(first).squeeze(), before.numpy())
    np.testing.assert_array_equal(np.asarray(second).squeeze(), 2 * before.numpy())
