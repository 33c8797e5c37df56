"""What counts as the same readout, and as the same sample."""

import datetime
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.recording.identity import distinct_of, key_of

X, Y = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32), np.arange(60) % 2


class Read:
    """A readout of one's own: the mean of a function of the activations."""

    def __init__(self, function):
        self.function = function

    def summarize(self, activations, targets):
        return {"mean": self.function(np.asarray(activations)).mean((1, 2))}

    def double(self, a):
        return 2 * self.function(a)


def above(a, bound=0.0):
    return (a > bound).astype(float)


def above_by_closure(bound):
    return lambda a: (a > bound).astype(float)


def above_by_default(bound):
    return lambda a, at=bound: (a > at).astype(float)


PAIRS = {
    "a constant in the code": (lambda a: (a > 0.0) * 1.0, lambda a: (a > 0.5) * 1.0),
    "what it closes over": (above_by_closure(0.0), above_by_closure(0.5)),
    "a default": (above_by_default(0.0), above_by_default(0.5)),
    "a partial": (partial(above, bound=0.0), partial(above, bound=0.5)),
    "a method's object": (Read(above_by_closure(0.0)).double, Read(above_by_closure(0.5)).double),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_readouts_that_differ_in_a_function_are_two(kind):
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh())
    one, two = (Read(f) for f in PAIRS[kind])
    recorder = dt.Recorder(model, X, Y, readouts=[one, two])
    recorder.snapshot(0)
    assert len(recorder.recording.readouts) == 2
    h = recorder.recording
    assert h.named(one) != h.named(two)
    for readout in (one, two):
        truth = readout.summarize(model(torch.as_tensor(X)).detach()[None], Y)["mean"]
        assert h.summary(readout)["mean"].values[0, 0, 0] == pytest.approx(truth[0])


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1j, 2j), (b"a", b"b"), (torch.float32, torch.float64), (range(3), range(4)), (slice(1), slice(2)),
        (datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)), (np.random.default_rng(0), np.random.default_rng(1)),
        ({1: 2}, {"1": 2}), (np.sin, np.cos), (2**60, 2**60 + 1), (10**400, 10**401), (0.1, np.nextafter(0.1, 1)),
    ],
)  # fmt: skip
def test_other_values_have_other_keys(one, two):
    assert key_of(one) != key_of(two)
    assert key_of([one]) == key_of((one,))


def test_equal_values_have_one_key():
    assert key_of(np.float64(0.1)) == key_of(0.1)
    assert key_of(1.0) == key_of(1) == key_of(np.int8(1))
    assert key_of(above_by_closure(0.5)) == key_of(above_by_closure(0.5))
    assert key_of(np.random.default_rng(3)) == key_of(np.random.default_rng(3))


def test_what_holds_itself_has_a_key():
    held: list = [1]
    held.append(held)
    again = Read(above)
    vars(again)["self"] = again
    assert key_of(held)
    assert key_of(again) != key_of(Read(above))


def test_samples_differ_by_all_of_their_inputs():
    x = torch.as_tensor(X)
    same = torch.ones(60, 4)
    assert distinct_of((same, x)) == distinct_of({"a": same, "b": [x]}) == distinct_of(x) == 60
    assert distinct_of((same, x[:2])) == distinct_of(same) == 1
    assert distinct_of(torch.tensor([[0.0], [-0.0], [1.0]])) == 2
    assert distinct_of(torch.zeros(3, 0)) == 1
    assert distinct_of(torch.tensor([True, False, True])) == 2
    assert distinct_of({}) == 0
