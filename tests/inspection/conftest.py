"""A folder as a user has it: a file of models and probes, and one that cannot be imported."""

import pytest

FILE = """
import torch
from torch import nn
class Net(nn.Sequential):
    def __init__(self, width=5):
        super().__init__(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))
def make():
    torch.manual_seed(0)
    return Net()
def with_probe():
    return make(), torch.ones(7, 4), torch.arange(7) % 2
def broken():
    raise ValueError("not today")
def wants(argument):
    return Net()
def number():
    return 3
def four():
    return make(), 1, 2, 3
ready = make()
def pairs():
    return torch.ones(6, 4), [0, 1, 0, 1, 0, 1]
class Data(torch.utils.data.Dataset):
    def __len__(self): return 9
    def __getitem__(self, k): return torch.full((4,), float(k)), k % 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FILE)
    (tmp_path / "crash.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path
