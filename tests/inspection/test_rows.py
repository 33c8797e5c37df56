"""What instruments hold of the probe: whatever dtype, grad mode or default dtype, and values at the edges of it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection.engine import measure
from deeptheory.inspection.instrument import Batch, Context
from deeptheory.inspection.instruments import INSTRUMENTS, load
from deeptheory.inspection.rows import Held, chosen_inputs, chosen_rows, kept_rows

NAMES = [name for name in INSTRUMENTS if name not in ("health", "hessian", "capsule_routing")]


def network(dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)).to(dtype)


def probe(n=80):
    return torch.randn(n, 8, generator=torch.Generator().manual_seed(1)), torch.arange(n) % 4


def values(results):
    return {(name, r.layer, r.quantity): r.value for name, found in results.items() for r in found.rows}


def context(n, codes, seed=0):
    targets = torch.as_tensor(codes)[:, None]
    return Context(
        model=None,
        n=n,
        classes=2,
        permutations=0,
        targets=targets,
        held_out=torch.zeros(n, dtype=torch.bool),
        inputs=torch.arange(n),
        layers=(),
        head="none",
        seed=seed,
    )


def test_each_class_keeps_its_part():
    codes = np.repeat([0, 1], [900, 100])
    rows = kept_rows(context(1000, codes), 200).numpy()
    assert len(set(rows)) == 200
    assert (codes[rows] == 1).sum() == 20
    assert (np.diff(rows) > 0).all()
    few = kept_rows(context(1000, np.repeat([0, 1], [999, 1])), 10).numpy()
    assert 999 in few
    assert kept_rows(context(5, [0, 1, 0, 1, 0]), 10).tolist() == [0, 1, 2, 3, 4]


def test_inputs_are_those_of_the_rows():
    c = context(100, np.arange(100) % 2, seed=3)
    assert torch.equal(chosen_inputs(c, 7), chosen_rows(c, 7))
    assert torch.equal(chosen_rows(c, 7), chosen_rows(c, 7))


def test_batches_in_any_order():
    x = torch.arange(20.0)[:, None].repeat(1, 3)
    held = Held(torch.tensor([2, 5, 19]), 20, torch.tensor([1, 2]))
    for rows in (torch.arange(10, 20), torch.arange(0, 10)):
        held.take(Batch(activations=x[rows], whole=x[rows][:, :, None], targets=None, rows=rows))
    assert torch.equal(held.x, torch.tensor([[2.0, 2], [5, 5], [19, 19]]))


@pytest.mark.parametrize("how", ["float64", "default float64", "inference mode", "no grad"])
def test_numbers_are_those_of_float32(how):
    x, y = probe()
    truth = values(measure(network(), x, y, instruments=NAMES, twins=0, permutations=3))
    before = torch.get_default_dtype()
    net, given = (network(torch.float64), x.double()) if how == "float64" else (network(), x)
    try:
        torch.set_default_dtype(torch.float64 if how == "default float64" else before)
        with torch.inference_mode(how == "inference mode"), torch.set_grad_enabled(how != "no grad"):
            found = values(measure(net, given, y, instruments=NAMES, twins=0, permutations=3))
    finally:
        torch.set_default_dtype(before)
    assert found.keys() == truth.keys()
    for key, value in truth.items():
        assert found[key] == pytest.approx(value, rel=1e-3, abs=1e-4, nan_ok=True), key


def test_huge_values_are_no_infinities():
    """Geometry, correlation and cheapness of a linear network do not depend on the unit of its inputs."""
    x, y = probe()
    net = nn.Sequential(nn.Linear(8, 16, bias=False), nn.ReLU(), nn.Linear(16, 4, bias=False)).double()
    one, huge = (
        values(measure(net, s * x.double(), y, instruments=NAMES, twins=0, permutations=3)) for s in (1, 1e200)
    )
    same = [k for k in one if k[0] in ("class_geometry", "cheapness", "information") and k[2] != "nc4"]
    for key in same:
        assert huge[key] == pytest.approx(one[key], rel=1e-6, abs=1e-6, nan_ok=True), key
    assert not any(map(math.isinf, huge.values()))


@pytest.mark.parametrize("name", [name for name in INSTRUMENTS if name != "health"])
@pytest.mark.parametrize(
    "what", ["NaN weight", "equal inputs", "two samples", "a rare class", "batch statistics", "frozen"]
)
def test_every_number_or_its_reason(name, what):
    net, (x, y) = network(), probe()
    if what == "NaN weight":
        net[0].weight.data[0, 0] = math.nan
    elif what == "equal inputs":
        x = x[:1].expand(80, 8).clone()
    elif what == "two samples":
        x, y = x[:2], torch.tensor([0, 1])
    elif what == "a rare class":
        y = torch.tensor([0] * 60 + [1] * 19 + [2])
    elif what == "batch statistics":
        net = nn.Sequential(net[0], nn.BatchNorm1d(16, track_running_stats=False), *net[1:])
    else:
        net.requires_grad_(False)
    found = measure(net, x, y, instruments=[name], twins=0, permutations=3)[name]
    assert found.rows
    for r in found.rows:
        assert math.isfinite(r.value) or r.note
        assert not math.isinf(r.value)
    load(name).finding(found)
    if what == "NaN weight" and name == "propagation":
        assert "no finite number" in found.of("largest")[0].note
    if what == "batch statistics" and name == "propagation":
        assert "see each other" in found.of("largest")[0].note


def test_inputs_without_a_jacobian_are_left_out():
    """A product with 0: the Jacobian is 0 there, and its spread has no value."""

    class Dead(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Linear(8, 4)

        def forward(self, x):
            return self.last(torch.relu(x))

    x, y = probe()
    x[:10] = -x[:10].abs()
    found = measure(Dead(), x, y, instruments="propagation", twins=0)["propagation"]
    assert "have a Jacobian of 0 and are left out" in found.of("relative_variance")[0].note
    none = measure(Dead(), -x.abs(), y, instruments="propagation", twins=0)["propagation"]
    assert none.of("relative_variance")[0].note == "the Jacobian is 0 at every input"
    assert none.of("largest")[0].value == 0


def test_labels_are_those_of_a_probe_with_classes():
    probe = context(4, [0, 1, 0, 1])
    assert probe.labels is probe.targets
    for without in (replace(probe, classes=None), replace(probe, targets=None)):
        with pytest.raises(InputError, match="no classes"):
            without.labels
