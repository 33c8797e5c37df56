"""The instrument gives the numbers of trace_routing, and says where there is nothing to route."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory import capsules
from deeptheory.inspection.engine import measure
from deeptheory.inspection.instruments import load

NAME = "capsule_routing"


def images(n=6, shape=(2, 32, 32)):
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))


def test_numbers_are_those_of_the_trace():
    x = images()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = capsules.MatrixCapsuleNetwork(image_shape=(2, 32, 32), classes=3, types=(4, 4, 4, 4))
    net.train()
    found = measure(net, x, torch.arange(6) % 3, instruments=NAME, twins=1)[NAME]
    traces = capsules.trace_routing(net, x).values()
    assert found.of("agreement")[0].value == pytest.approx(np.mean([t.agreement[-1] for t in traces]), abs=1e-6)
    assert found.of("entropy")[0].value == pytest.approx(
        np.mean([t.entropy[-1] / t.entropy[0] for t in traces]), abs=1e-6
    )
    assert found.of("dead_parents")[0].value == pytest.approx(np.mean([t.dead[-1] for t in traces]))
    assert len(found.of("entropy")[0].twins) == 1
    assert "classifier" in found.of("entropy")[0].note
    assert "of the entropy of uniform coupling" in load(NAME).finding(found).text
    assert net.training


def test_no_capsules_no_numbers():
    x, y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 2
    found = measure(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), x, y, instruments=NAME, twins=0)[NAME]
    assert all(math.isnan(r.value) and "no routed layer" in r.note for r in found.rows)
    assert load(NAME).finding(found) is None


def test_no_child_that_is_there_is_no_uniform_coupling(monkeypatch):
    """An entropy of NaN over NaN read as 1: nothing is routed."""
    x = images()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = capsules.MatrixCapsuleNetwork(image_shape=(2, 32, 32), classes=3, types=(4, 4, 4, 4))
    traces = capsules.trace_routing(net, x)
    empty = {name: replace(t, entropy=np.full_like(t.entropy, np.nan)) for name, t in traces.items()}
    monkeypatch.setattr("deeptheory.inspection.capsule_routing.trace_routing", lambda *_: empty)
    found = measure(net, x, torch.arange(6) % 3, instruments=NAME, twins=0)[NAME].of("entropy")[0]
    assert math.isnan(found.value)
    assert "classifier nan" in found.note
