"""The preview of layers: what would be kept, and why the others would not."""

import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


class Functional(nn.Module):
    """torch.relu twice, no module for it."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.c(F.relu(self.b(h)))


def test_the_preview_says_what_is_kept_and_why():
    table = dt.layers(nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), X).table().set_index("name")
    assert table.kept.tolist() == [False, True, False, True]
    assert table.why["0"] == "not a nonlinearity"
    assert table.why["2"] == "the same tensor as the model's output"
    assert table.loc["1", "bytes"] == 8 * 5 * 4
    assert table.loc["1", "shape"] == (8, 5)
    asked = dt.layers(Functional(), X, layers="a").table().set_index("name")
    assert asked.kept["a"]
    assert asked.why["relu"] == "not asked for"
