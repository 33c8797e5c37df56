"""The instrument gives the numbers of layer_bound, and says where it has none."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.inspection import bottleneck_bound
from deeptheory.inspection.engine import measure


def task(n=64, seed=0):
    """All 6-bit inputs and a soft label of their sum."""
    x = ((np.arange(n)[:, None] >> np.arange(6)) & 1) * 2.0 - 1
    p = 1 / (1 + np.exp(-2 * x.sum(1)))
    return torch.as_tensor(x, dtype=torch.float32), np.stack([p, 1 - p], 1) / n


def network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 2), nn.Tanh(), nn.Linear(2, 1), nn.Tanh())


def test_numbers_are_those_of_layer_bound():
    x, p_xy = task()
    net = network()
    found = measure(net, x, torch.arange(64) % 2, instruments=bottleneck_bound(p_xy, 5), twins=1)["bottleneck_bound"]
    recorder = dt.Recorder(net, x, layers=["1", "output"])
    recorder.snapshot(0)
    truth = dt.layer_bound(recorder.recording, p_xy, readout=dt.Binning(5, "layer"))
    for k, layer in enumerate(("1", "output")):
        assert found.at(layer, "i_x").value == pytest.approx(truth.i_x[0, 0, k], abs=1e-9)
        assert found.at(layer, "i_y").value == pytest.approx(truth.i_y[0, 0, k], abs=1e-9)
        assert found.at(layer, "distance").value == pytest.approx(truth.distance[0, 0, k], abs=1e-9)
        assert len(found.at(layer, "distance").permuted) == 20
        assert len(found.at(layer, "distance").twins) == 1


def test_a_sufficient_statistic_is_on_the_bound():
    x, p_xy = task()
    net = nn.Sequential(nn.Linear(6, 1, bias=False), nn.Tanh())
    net[0].weight.data.fill_(0.1)  # the sum
    found = measure(net, x, torch.arange(64) % 2, instruments=bottleneck_bound(p_xy, 100), twins=0)["bottleneck_bound"]
    r = found.at("output", "distance")
    assert r.value < 1e-4
    assert r.beyond_permuted
    assert "is nearest to the bottleneck bound" in found.instrument.finding(found).text


def test_what_has_no_distance_says_why():
    x, p_xy = task()
    other = measure(network(), x[:30], torch.arange(30) % 2, instruments=bottleneck_bound(p_xy), twins=0)[
        "bottleneck_bound"
    ]
    assert math.isnan(other.at("1", "distance").value)
    assert "64 rows" in other.at("1", "distance").note
    fine = measure(network(), x, torch.arange(64) % 2, instruments=bottleneck_bound(p_xy, 100_000), twins=0)
    assert "whatever is trained" in fine["bottleneck_bound"].at("input", "distance").note
    skewed = p_xy * np.linspace(1, 2, 64)[:, None]
    skewed /= skewed.sum()
    assert (
        measure(network(), x, None, instruments=bottleneck_bound(skewed), twins=0)["bottleneck_bound"]
        .at("1", "distance")
        .permuted
        == ()
    )
