"""Traces of routing: numbers by hand, in every layer, and the module left as it was."""

import math

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
