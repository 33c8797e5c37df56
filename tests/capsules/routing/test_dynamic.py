"""Routing by agreement against loops, its laws, its corners, its gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import deeptheory as dt
from deeptheory.capsules.native import building
from deeptheory.capsules.routing.dynamic import leaky_softmax, route, softmax
from oracles import capsules as oracle

NATIVE = ["native"] if building.missing() is None else []

dynamic_routing = dt.capsules.dynamic_routing


def case(b=2, i=7, j=3, p=4, q=5, seed=0, scale=0.5, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    u = torch.randn(b, i, p, generator=g, dtype=torch.float64)
    weight = scale * torch.randn(i, j, q, p, generator=g, dtype=torch.float64)
    bias = 0.1 * torch.randn(j, q, generator=g, dtype=torch.float64)
    prior = torch.randn(i, j, generator=g, dtype=torch.float64)
    return [x.to(dtype) for x in (u, weight, bias, prior)]


CASES = [
    {},
    {"b": 1, "i": 1, "j": 1, "p": 1, "q": 1},
    {"i": 1},
    {"j": 1},
    {"b": 9, "i": 13, "j": 4},  # not a multiple of any chunk
    {"scale": 0.05},
    {"scale": 4.0},
]


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
@pytest.mark.parametrize("sizes", CASES, ids=str)
@pytest.mark.parametrize("options", [(), ("bias",), ("bias", "leaky"), ("prior",), ("bias", "leaky", "prior")], ids=str)
def test_agrees_with_loops(sizes, iterations, options):
    u, weight, bias, prior = case(**sizes)
    given_ = {"bias": bias if "bias" in options else None, "prior": prior if "prior" in options else None}
    given_["leaky"] = "leaky" in options
    truth = oracle.dynamic_routing(
        u.numpy(), weight.numpy(), iterations, **{k: v.numpy() if torch.is_tensor(v) else v for k, v in given_.items()}
    )
    v = dynamic_routing(u, weight, iterations, **given_)
    np.testing.assert_allclose(v.numpy(), truth, atol=1e-10)
    narrow = {k: v.float() if torch.is_tensor(v) else v for k, v in given_.items()}
    v = dynamic_routing(u.float(), weight.float(), iterations, **narrow)
    assert v.dtype == torch.float32
    rounded = [x.float().double().numpy() if torch.is_tensor(x) else x for x in (u, weight, *given_.values())]
    truth = oracle.dynamic_routing(
        rounded[0], rounded[1], iterations, bias=rounded[2], leaky=rounded[4], prior=rounded[3]
    )
    # at scale 4 logits are in the hundreds, so that their seventh digit, which is all float32 has, is 1e-5
    np.testing.assert_allclose(v.numpy(), truth, atol=1e-5 if sizes.get("scale") == 4.0 else 1e-6)


@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize("leaky", [False, True])
def test_gradients(iterations, leaky):
    u, weight, bias, prior = (x.requires_grad_() for x in case(i=4, p=3, q=2))
    assert torch.autograd.gradcheck(
        lambda *a: dynamic_routing(a[0], a[1], iterations, bias=a[2], leaky=leaky, prior=a[3]), (u, weight, bias, prior)
    )


def test_detach_keeps_values_and_lets_no_gradient_through_the_coupling():
    u, weight, bias, _ = case()
    weight.requires_grad_()
    full, cut = (dynamic_routing(u, weight, 3, bias=bias, detach=d) for d in (False, True))
    assert torch.equal(full, cut)
    (g_full,), (g_cut,) = (torch.autograd.grad(v.sum(), weight, retain_graph=True) for v in (full, cut))
    assert (g_full - g_cut).abs().max() > 1e-3
    seen = []  # the coupling of the last iteration as a constant: its gradient by hand
    votes = torch.einsum("BIp,IJqp->BIJq", u, weight)
    route(votes.detach(), 3, bias, watch=lambda c, b, v, votes: seen.append(c))
    v = dt.capsules.squash(torch.einsum("BIJ,BIJq->BJq", seen[-1], votes) + bias)
    torch.testing.assert_close(torch.autograd.grad(v.sum(), weight)[0], g_cut)


def watched(u, weight, iterations, **options):
    seen = []
    votes = torch.einsum("BIp,IJqp->BIJq", u, weight)
    route(votes, iterations, watch=lambda c, b, v, votes: seen.append((c, b, v)), **options)
    return seen


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_couplings_of_a_child_sum_to_one_over_parents(b, i, j, iterations, seed):
    u, weight, _, _ = case(b, i, j, 3, 4, seed)
    for coupling, _, v in watched(u, weight, iterations):
        torch.testing.assert_close(coupling.sum(-1), torch.ones(b, i, dtype=torch.float64))
        assert (v.norm(dim=-1) < 1).all()
    for coupling, _, _ in watched(u, weight, iterations, over=leaky_softmax):
        assert (coupling.sum(-1) < 1).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_batch_mates_children_and_parents(b, i, j, iterations, seed):
    u, weight, bias, _ = case(b, i, j, 3, 4, seed)
    v = dynamic_routing(u, weight, iterations, bias=bias)
    for n in range(b):  # an example is routed alone
        torch.testing.assert_close(
            dynamic_routing(u[n : n + 1], weight, iterations, bias=bias)[0], v[n], atol=1e-12, rtol=0
        )
    order = torch.randperm(i, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        dynamic_routing(u[:, order], weight[order], iterations, bias=bias), v, atol=1e-12, rtol=0
    )
    order = torch.randperm(j, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(
        dynamic_routing(u, weight[:, order], iterations, bias=bias[order]), v[:, order], atol=1e-12, rtol=0
    )


def test_one_iteration_is_uniform_coupling():
    u, weight, _, _ = case()
    mean = torch.einsum("BIp,IJqp->BJq", u, weight) / 3
    torch.testing.assert_close(dynamic_routing(u, weight, 1), dt.capsules.squash(mean))
    assert (watched(u, weight, 1)[0][0] == 1 / 3).all()


def test_routing_finds_the_children_that_agree():
    """Of 20 children, 8 vote alike for parent 1 and all others at random: routing gives it theirs, and its
    direction is theirs.
    """
    g = torch.Generator().manual_seed(0)
    votes = torch.randn(1, 20, 3, 6, generator=g, dtype=torch.float64)
    pose = torch.randn(6, generator=g, dtype=torch.float64)
    votes[0, :8, 1] = 2 * pose
    seen = []
    v = route(votes, 5, watch=lambda c, b, v, votes: seen.append(c))
    assert seen[-1][0, :8, 1].min() > 0.99
    assert torch.cosine_similarity(v[0, 1], pose, dim=0) > 0.95
    assert v[0].norm(dim=-1).argmax() == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_squash_at_zero_and_far_away(dtype):
    s = torch.zeros(2, 3, dtype=dtype)
    s[1] = 1e4
    s.requires_grad_()
    v = dt.capsules.squash(s)
    v.sum().backward()
    assert (v[0] == 0).all()
    assert (s.grad[0] == 0).all()
    assert s.grad.isfinite().all()
    assert float(v[1].detach().float().norm()) == pytest.approx(1, abs=1e-2 if dtype == torch.bfloat16 else 1e-6)
    assert v.dtype == dtype


def test_squash_is_equation_one():
    s = (
        torch.randn(50, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        * 10.0 ** torch.arange(-10, 15, 0.5)[:, None]
    )
    truth = np.array([oracle.squash(row) for row in s.numpy()])
    np.testing.assert_allclose(dt.capsules.squash(s).numpy(), truth, atol=5e-13, rtol=1e-14)
    assert torch.autograd.gradcheck(dt.capsules.squash, (s[20:30].requires_grad_(),))


def test_all_zero_input_is_finite_forward_and_backward():
    u, weight = torch.zeros(2, 5, 3, requires_grad=True), torch.randn(5, 4, 6, 3, requires_grad=True)
    v = dynamic_routing(u, weight, 3)
    v.norm(dim=-1).sum().backward()
    assert (v == 0).all()
    assert u.grad.isfinite().all()
    assert weight.grad.isfinite().all()


def test_numpy_in_numpy_out():
    u, weight, bias, prior = (x.numpy() for x in case())
    v = dynamic_routing(u, weight, 3, bias=bias, leaky=False, prior=prior)
    assert isinstance(v, np.ndarray)
    np.testing.assert_allclose(v, oracle.dynamic_routing(u, weight, 3, bias=bias, leaky=False, prior=prior), atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_votes_are_routed_in_float32(dtype):
    u, weight, bias, _ = case(dtype=torch.float32)
    truth = dynamic_routing(u.to(dtype).float(), weight.to(dtype).float(), 3, bias=bias)
    v = dynamic_routing(u.to(dtype), weight.to(dtype), 3, bias=bias)
    assert v.dtype == dtype
    with torch.autocast("cpu", dtype=dtype):
        cast = dynamic_routing(u, weight, 3, bias=bias)
    assert cast.dtype == torch.float32
    step = torch.finfo(dtype).eps
    assert (v.float() - truth).abs().max() < 4 * step  # rounding of inputs and votes, not of sums and logits
    assert (cast - truth).abs().max() < 4 * step


def test_softmax_is_over_parents():
    logits = torch.randn(2, 5, 3)
    assert torch.allclose(softmax(logits).sum(-1), torch.ones(2, 5))


@pytest.mark.parametrize("backend", ["auto", "eager", "recompute", *NATIVE])
def test_capsules_of_no_numbers_have_votes_of_zero(backend):
    """The compiled kernel read beyond the end of an empty array, and the process died."""
    bias = torch.rand(3, 5)
    v = dynamic_routing(torch.zeros(2, 6, 0), torch.zeros(6, 3, 5, 0), bias=bias, backend=backend)
    torch.testing.assert_close(v, dt.capsules.squash(bias).expand(2, 3, 5))
