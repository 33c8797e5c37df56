"""What a model says of inputs that it cannot take: the value seen, what its layer takes, and the fix; nothing else
becomes such an error."""

import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError

RELU, FLAT = nn.ReLU(), nn.Flatten()


class Two(nn.Module):
    def forward(self, a, b):
        return torch.relu(a + b)


class Last(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x):
        return self.head(self.lstm(x)[0][:, -1])


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(5, 3))

    def forward(self, x):
        return torch.relu(x @ self.w)


class Fails(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.inner, self.error = nn.Linear(3, 3), error

    def forward(self, x):
        self.inner(x)
        raise self.error


def convolution():
    return nn.Sequential(nn.Conv2d(1, 4, 3), RELU, FLAT, nn.Linear(4 * 36, 3))


def tokens():
    return nn.Sequential(nn.Embedding(10, 4), FLAT, nn.Linear(20, 3), RELU)


CASES = [
    (nn.Sequential(nn.Linear(64, 3), RELU), torch.ones(5, 30),
        r"shape \[n, 30\]: 0 \(Linear\) takes 64 values and was given 30 values; give inputs of 64 values"),
    (nn.Sequential(nn.Linear(1, 3), RELU), torch.ones(5, 2), "takes 1 value and was given 2 values"),
    (nn.Linear(4, 3), torch.ones(5, 2), r"the model \(Linear\) takes 4 values"),
    (convolution(), torch.ones(5, 1, 10, 10),
        r"3 \(Linear\) takes 144 values and was given 256 values; give inputs of the size that the model was made for"),
    (convolution(), torch.ones(5, 3, 8, 8),
        r"0 \(Conv2d\) takes 1 channel and was given 3 channels; give inputs of 1 channel"),
    (convolution(), torch.ones(5, 64), r"takes \[n, 1, height, width\] and was given \[n, 64\]; reshape them"),
    (convolution(), torch.ones(5, 8, 8), r"add the axis of channels, x\[:, None\]"),
    (Last(), torch.ones(5, 3, 7), r"lstm \(LSTM\) takes 4 values and was given 7 values"),
    (tokens(), torch.full((5, 5), 10), r"0 \(Embedding\) takes integers from 0 to 9 and was given 10 to 10"),
    (tokens(), torch.ones(5, 5), r"was given float32 numbers; convert them, x\.astype\(int\)"),
    (nn.Sequential(nn.BatchNorm1d(6), nn.Linear(6, 3)), torch.ones(5, 4),
        r"0 \(BatchNorm1d\) takes 6 values and was given 4 values"),
    (Product(), torch.ones(5, 4), r"shape \[n, 4\] \(RuntimeError: mat1 and mat2 shapes cannot"),
    (nn.TransformerEncoderLayer(8, 2, batch_first=True), torch.ones(5, 4, 7),
        r"shape \[n, 4, 7\] \(AssertionError: was expecting embedding"),
    (nn.Sequential(nn.Linear(4, 3), RELU), torch.ones(5, 4, dtype=torch.uint8),
        r"\(float32\) does not take inputs of uint8; convert them, x\.astype\('float32'\)"),
    (Two(), torch.ones(5, 4),
        r"forward\(a, b\) was given 1 argument \(missing a required argument: 'b'\); give a tuple"),
    (Two(), (torch.ones(5, 4),) * 3, "was given 3 arguments"),
    (Two(), {"a": torch.ones(5, 4), "c": torch.ones(5, 4)}, "was given those named a, c"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "x", "match"), CASES)
def test_the_layer_and_the_fix_are_named(model, x, match):
    with pytest.raises(InputError, match=match):
        dt.Recorder(model, x).snapshot(0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


@pytest.mark.parametrize("error", [KeyError("x"), TypeError("mine"), RuntimeError("no such luck"),
    ZeroDivisionError("0")])  # fmt: skip
def test_what_else_a_model_raises_stays_what_it_is(error):
    with pytest.raises(type(error), match=str(error.args[0])) as raised:
        dt.Recorder(Fails(error), torch.ones(5, 3)).snapshot(0)
    assert not isinstance(raised.value, InputError)


def test_the_cause_is_kept():
    with pytest.raises(InputError) as raised:
        dt.Recorder(Fails(RuntimeError("sizes differ")), torch.ones(5, 3)).snapshot(0)
    assert isinstance(raised.value.__cause__, RuntimeError)
