"""Traces of routing: numbers by hand, in every layer, and the module left as it was."""

import math
from typing import Any, cast

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError

c = dt.capsules


def test_numbers_by_hand():
    torch.manual_seed(0)
    layer = c.Capsules(6, 4, 3, 5).double()
    u = torch.randn(2, 6, 4, dtype=torch.float64)
    (trace,) = c.trace_routing(layer, u).values()
    assert trace.entropy[0] == pytest.approx(math.log2(3))  # uniform in the first iteration
    assert trace.entropy[2] < trace.entropy[0]
    np.testing.assert_allclose(trace.mass.sum(1), 6)
    np.testing.assert_allclose(trace.distances.sum((1, 2)), 2 * 6)
    v = layer(u).detach()
    np.testing.assert_allclose(trace.presence[-1], v.norm(dim=-1).mean(0).numpy())
    votes = torch.einsum("BIp,IJqp->BIJq", u, layer.weight.detach())
    first = c.squash(votes.mean(1) * 6 / 3 + layer.bias.detach())
    agreement = torch.einsum("BIJq,BJq->BIJ", votes, first)
    assert np.isnan(trace.change[0])
    assert trace.change[1] == pytest.approx(float(agreement.abs().mean()))
    cosine = torch.cosine_similarity(votes, first[:, None], dim=-1)
    assert trace.agreement[0] == pytest.approx(float(cosine.mean()))
    assert np.isnan(trace.cost).all()


def test_votes_tighten_around_a_cluster():
    """Children that agree about one class: distances fall from iteration to iteration, and that class gets the mass."""
    torch.manual_seed(0)
    layer = c.ClassCapsules(4, 3, iterations=3, coordinates=False)
    torch.nn.init.normal_(layer.weight, std=1.0)
    poses = torch.linalg.inv(layer.weight[:, 1]).detach() + 0.01 * torch.randn(
        8, 3, 3, 4, 4, 4
    )  # all vote for the identity
    (trace,) = c.trace_routing(layer, poses, torch.full((8, 3, 3, 4), 0.9)).values()
    distance = trace.table()["mean_distance"].to_numpy()
    assert distance[-1] < 0.1 * distance[0]
    assert trace.mass[-1].argmax() == 1
    np.testing.assert_allclose(trace.mass.sum(1), 0.9 * 36, rtol=1e-5)
    assert trace.agreement[-1] > 0.99
    assert trace.dead[-1] == pytest.approx(2 / 3)
    assert np.isfinite(trace.cost).all()


def test_every_routed_layer_of_a_network_and_nothing_is_left_behind():
    torch.manual_seed(0)
    net = c.MatrixCapsuleNetwork((1, 20, 20), 3, (4, 2, 3, 2), iterations=2).train()
    x = torch.rand(3, 1, 20, 20)
    before = [p.clone() for p in net.parameters()]
    out = net(x)[0]
    traces = c.trace_routing(net, x)
    assert list(traces) == ["capsules.0", "capsules.1", "classifier"]
    assert net.training
    assert all(not m._forward_pre_hooks for m in net.modules())
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters()))
    assert torch.equal(net(x)[0], out)
    np.testing.assert_allclose(traces["classifier"].presence[-1], out.detach().mean(0).numpy(), atol=1e-6)
    mixed = torch.nn.Sequential(
        c.PrimaryCapsules(1, 2, 4, kernel_size=5),
        c.ConvCapsules(2, 4, 3, 5, kernel_size=3, stride=2),
        c.Capsules(36, 5, 2, 4),
    )
    assert list(c.trace_routing(mixed, torch.rand(2, 1, 17, 21))) == ["1", "2"]


def test_a_trace_shows_itself():
    torch.manual_seed(0)
    net = c.CapsuleNetwork(
        (1, 20, 20), 3, channels=4, kernel_size=5, primary=c.Primary(types=2, kernel_size=5), reconstruction=False
    )
    (trace,) = c.trace_routing(net, torch.rand(4, 1, 20, 20)).values()
    assert repr(trace).startswith("RoutingTrace(capsules.0, agreement, 3 iterations, entropy 1.58 to")
    assert list(trace.table()["iteration"]) == [1, 2, 3]
    assert dict(trace.dataset().sizes) == {"iteration": 3, "parent": 3, "distance": 60}
    assert len(trace.figure().data) == 3
    assert sum(trace.figure().data[0].y) == pytest.approx(1, abs=1e-3)
    assert len(trace.figure_of_change().data[0].y) == 2


def test_no_routed_layer():
    with pytest.raises(
        InputError, match="no routed layer was reached in Linear; routed layers are Capsules, ConvCapsules"
    ):
        c.trace_routing(torch.nn.Linear(2, 3), torch.rand(1, 2))


def test_a_layer_called_twice_and_inputs_written_into_afterwards():
    """The second call has a name of its own; what was caught is a copy; keywords go where they belong."""

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = c.Capsules(4, 5, 4, 5)

        def forward(self, u):
            v = self.layer(mask=torch.ones(3, 4, dtype=torch.bool), u=u)
            u.mul_(0)
            return self.layer(v)

    torch.manual_seed(0)
    model, u = Twice(), torch.randn(3, 4, 5)
    alone = c.trace_routing(model.layer, u.clone(), couplings=True)["Capsules"]
    traces = c.trace_routing(model, u.clone(), couplings=True)
    assert list(traces) == ["layer", "layer (2)"]
    np.testing.assert_allclose(traces["layer"].couplings, alone.couplings)


def test_padding_takes_no_part_and_mixing_proportions_are_shown():
    torch.manual_seed(0)
    layer = c.ConvCapsules(2, 4, 3, 5, padding=1)
    trace = c.trace_routing(layer, torch.randn(2, 4, 4, 2, 4), couplings=True)["ConvCapsules"]
    np.testing.assert_allclose(
        trace.couplings.sum((2, 3, 4)), 4 * 4 * 2, rtol=1e-5
    )  # every real child gives itself once
    mixing = c.ConvMatrixCapsules(2, 3, presence="mass")
    pose, a = torch.randn(2, 4, 4, 2, 4, 4), torch.rand(2, 4, 4, 2)
    trace = c.trace_routing(mixing, pose, a)["ConvMatrixCapsules"]
    np.testing.assert_allclose(trace.presence[-1], mixing(pose, a)[1].mean((0, 1, 2)).detach().numpy(), rtol=1e-5)


def scaled_trace(size, dtype=torch.float32):
    """The trace of children whose votes have that size, of a layer without biases."""
    torch.manual_seed(0)
    layer = c.Capsules(6, 4, 3, 5, bias=False, iterations=1).to(dtype)
    (trace,) = c.trace_routing(layer, size * torch.randn(8, 6, 4).to(dtype)).values()
    return trace


@pytest.mark.parametrize(
    ("size", "dtype"), [*((s, torch.float32) for s in (1e-15, 1e-9, 1e9, 1e25)), (1e-60, torch.float64)]
)
def test_cosine_and_distances_know_no_unit_of_the_votes(size, dtype):
    """Votes below 1e-12 agreed by 0 and lay in one bin; those above 1e19 by NaN."""
    one, other = scaled_trace(1.0, torch.float64), scaled_trace(size, dtype)
    np.testing.assert_allclose(other.agreement, one.agreement, rtol=1e-3)
    if size < 1:  # the parents' lengths are bounded, so that distances are then votes' lengths
        small = scaled_trace(1e-6, torch.float64)
        np.testing.assert_allclose(other.edges / size, small.edges / 1e-6, rtol=1e-3)
        assert ((other.distances > 0).sum(-1) > 5).all()
    x = other.figure().to_dict()["data"][0]["x"]
    assert len(set(x)) == len(x)


@pytest.mark.parametrize("activation", [1e-20, 1e-30, 1e-35])
def test_means_are_weighted_by_activations_of_any_size(activation):
    """Cosines of 25,605,158 and entropies of 0.001 bits where activations were below 1e-30."""
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(2, 3)
    pose = torch.randn(2, 4, 4, 2, 4, 4)
    (trace,) = c.trace_routing(layer, pose, torch.full((2, 4, 4, 2), activation)).values()
    assert trace.entropy[0] == pytest.approx(math.log2(3))
    assert (np.abs(trace.agreement) <= 1).all()
    (usual,) = c.trace_routing(layer, pose, torch.full((2, 4, 4, 2), 0.5)).values()
    assert trace.agreement[0] == pytest.approx(usual.agreement[0], rel=1e-3)


@pytest.mark.filterwarnings("error")
def test_without_mass_all_parents_are_dead_and_there_is_no_mean():
    """Said "dead 0%", entropy 0 bits, agreement 0, mean distance 0."""
    layer = c.ConvMatrixCapsules(2, 3)
    (trace,) = c.trace_routing(layer, torch.randn(2, 4, 4, 2, 4, 4), torch.zeros(2, 4, 4, 2)).values()
    assert (trace.dead == 1).all()
    assert np.isnan([trace.entropy, trace.agreement, trace.change, trace.table()["mean_distance"]]).all()
    assert np.isnan(np.array(trace.figure().to_dict()["data"][0]["y"], dtype=float)).all()
    nobody = torch.zeros(2, 6, dtype=torch.bool)
    (trace,) = c.trace_routing(c.Capsules(6, 4, 3, 5), torch.randn(2, 6, 4), nobody).values()
    assert (trace.dead == 1).all()
    assert np.isnan([trace.entropy, trace.agreement]).all()


@pytest.mark.parametrize("absent", [3, 30, 9000])
def test_children_that_are_not_there_change_no_number(absent):
    """With 30 masked children the mean change of logits was 11 times smaller; with 9,000 all distances were beyond."""
    torch.manual_seed(0)
    layer, u = c.Capsules(1, 4, 3, 5, shared=True), torch.randn(2, 3, 4)
    mask = torch.arange(3 + absent).expand(2, -1) < 3
    (few,) = c.trace_routing(layer, u).values()
    (many,) = c.trace_routing(layer, torch.cat([u, torch.zeros(2, absent, 4)], 1), mask).values()
    for name in ("entropy", "agreement", "change", "mass", "presence", "dead", "distances", "edges"):
        np.testing.assert_allclose(getattr(many, name), getattr(few, name), rtol=1e-4, atol=1e-6, err_msg=name)
    torch.manual_seed(0)
    pose, a = torch.randn(2, 3, 1, 2, 4, 4), torch.rand(2, 3, 1, 2)
    grown = torch.cat([pose, torch.zeros(2, absent, 1, 2, 4, 4)], 1), torch.cat([a, torch.zeros(2, absent, 1, 2)], 1)
    matrices = c.ClassCapsules(2, 3, coordinates=False)
    (few,), (many,) = (c.trace_routing(matrices, *x).values() for x in ((pose, a), grown))
    for name in ("entropy", "agreement", "change", "mass", "presence", "distances", "edges"):
        np.testing.assert_allclose(getattr(many, name), getattr(few, name), rtol=1e-3, atol=1e-6, err_msg=name)


def test_masks_of_numpy_and_lists_are_masks():
    torch.manual_seed(0)
    layer, u = c.Capsules(8, 4, 3, 5), torch.randn(2, 2, 2, 2, 4)
    mask = torch.rand(2, 2, 2, 2) < 0.6
    truth = layer(u, mask)
    for form in (mask.numpy(), mask.flatten(1).tolist(), mask.long().numpy()):
        assert torch.equal(layer(u, form), truth)
    (a,), (b,) = (c.trace_routing(layer, u, m).values() for m in (mask, mask.numpy()))
    np.testing.assert_array_equal(a.mass, b.mass)


def test_a_trace_under_autocast_routes_in_float32():
    torch.manual_seed(0)
    layer, u = c.Capsules(60, 4, 10, 8, backend="eager", bias=False), torch.randn(3, 60, 4)
    with torch.autocast("cpu", torch.bfloat16):
        presence = layer(u).detach().norm(dim=-1).mean(0)
        (trace,) = c.trace_routing(layer, u).values()
    np.testing.assert_allclose(trace.presence[-1], presence.numpy(), rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: c.trace_routing(cast("Any", "net"), torch.rand(1, 2)), "model is a str; needed: a torch.nn.Module"),
        (lambda: c.trace_routing(c.Capsules(6, 4, 3, 5), torch.rand(2, 6, 4), bins=10**12), "bins is 1000000000000"),
    ],
)
def test_what_no_trace_can_be_made_of(call, match):
    with pytest.raises(InputError, match=match):
        call()
