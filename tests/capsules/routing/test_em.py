"""EM routing against loops in both variants, its laws, its corners, its gradients."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import deeptheory as dt
from deeptheory.capsules.routing.em import route
from deeptheory.capsules.routing.variants import VARIANTS, inverse_temperatures
from deeptheory.core.errors import InputError
from oracles import capsules as oracle

em_routing = dt.capsules.em_routing
RELEASED = {"damping": 0.1, "scale": 2.0}


def case(b=2, i=6, j=3, seed=0, beta_u=0.7, beta_a=-300.0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    votes = torch.randn(b, i, j, 4, 4, generator=g, dtype=torch.float64)
    activation = torch.rand(b, i, generator=g, dtype=torch.float64)
    betas = [value + 0.1 * torch.randn(j, generator=g, dtype=torch.float64) for value in (beta_u, beta_a)]
    return [x.to(dtype) for x in (votes, activation, *betas)]


def loops(votes, activation, beta_u, beta_a, iterations, **options):
    pose, a = oracle.em_routing(
        votes.flatten(3).numpy(), activation.numpy(), beta_u.numpy(), beta_a.numpy(), iterations=iterations, **options
    )
    return pose.reshape(*pose.shape[:2], 4, 4), a


@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
@pytest.mark.parametrize(
    "sizes", [{}, {"b": 1, "i": 1, "j": 1}, {"i": 1}, {"j": 1}, {"b": 2, "i": 60, "j": 4}], ids=str
)
@pytest.mark.parametrize("variant", ["paper", "reference_code"])
def test_agrees_with_loops(sizes, iterations, variant):
    inputs = case(**sizes)
    truth = loops(*inputs, iterations, **(RELEASED if variant == "reference_code" else {}))
    out = em_routing(*inputs, iterations=iterations, variant=variant)
    for ours, theirs in zip(out, truth):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-10)
    narrow = [x.float() for x in inputs]
    truth = loops(*(x.double() for x in narrow), iterations, **(RELEASED if variant == "reference_code" else {}))
    for ours, theirs in zip(em_routing(*narrow, iterations=iterations, variant=variant), truth):
        assert ours.dtype == torch.float32
        # few children make sharp clusters: logits in the hundreds, whose seventh digit is 1e-5
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-6 if sizes.get("i", 6) >= 60 else 1e-5)


@pytest.mark.parametrize("iterations", [1, 3])
def test_agrees_with_loops_on_a_parent_list(iterations):
    inputs = case(i=8, j=5)
    mask = torch.rand(8, 5, generator=torch.Generator().manual_seed(1)) < 0.5
    mask[0], mask[1] = False, False  # a child of nobody, and one of parent 2 alone
    mask[1, 2] = True
    truth = loops(*inputs, iterations, mask=mask.numpy())
    out = em_routing(*inputs, iterations=iterations, mask=mask)
    for ours, theirs in zip(out, truth):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-10)
    again = em_routing(*inputs, iterations=iterations, mask=mask.expand(2, -1, -1))
    assert torch.equal(again[0], out[0])


@pytest.mark.parametrize("variant", ["paper", "reference_code"])
@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_gradients(variant, iterations):
    inputs = [x.requires_grad_() for x in case(b=1, i=4, j=2)]
    assert torch.autograd.gradcheck(lambda *a: em_routing(*a, iterations=iterations, variant=variant), inputs)


def test_gradients_with_a_mask_and_by_type():
    inputs = [x.requires_grad_() for x in case(b=1, i=4, j=4)]
    mask = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    assert torch.autograd.gradcheck(lambda *a: em_routing(*a, iterations=3, mask=mask), inputs)
    types = torch.tensor([0, 1, 0, 1])
    assert torch.autograd.gradcheck(
        lambda *a: em_routing(*a, iterations=3, mask=mask, types=types, normalize="position"), inputs
    )


def watched(inputs, iterations, constants="paper"):
    votes, activation, beta_u, beta_a = inputs
    seen = []
    first = torch.full((1, votes.shape[1], votes.shape[2]), 1 / votes.shape[2], dtype=votes.dtype)
    lambdas = inverse_temperatures(iterations, 0.01)
    route(
        votes.flatten(3),
        activation,
        beta_u,
        beta_a,
        first,
        lambda x: x.softmax(-1),
        lambdas,
        VARIANTS[constants],
        watch=lambda *a: seen.append(a),
    )
    return seen


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 4), st.integers(1, 7), st.integers(1, 5), st.integers(1, 4), st.integers(0, 10**6))
def test_laws(b, i, j, iterations, seed):
    inputs = case(b, i, j, seed)
    votes, activation, beta_u, beta_a = inputs
    for r, mass, _, variance, _, _ in watched(inputs, iterations):
        torch.testing.assert_close(
            r.sum(-1), activation.expand(b, i)
        )  # a child gives away its activation, no more, no less
        torch.testing.assert_close(mass.sum(-1), activation.sum(-1) + j * 1e-7)
        assert (variance >= 5e-4).all()
    pose, a = em_routing(*inputs, iterations=iterations)
    assert ((a > 0) & (a < 1)).all()
    for n in range(b):
        alone = em_routing(votes[n : n + 1], activation[n : n + 1], beta_u, beta_a, iterations=iterations)
        torch.testing.assert_close(alone[0][0], pose[n], atol=1e-10, rtol=0)
    order = torch.randperm(i, generator=torch.Generator().manual_seed(seed))
    shuffled = em_routing(votes[:, order], activation[:, order], beta_u, beta_a, iterations=iterations)
    torch.testing.assert_close(shuffled[0], pose, atol=1e-10, rtol=0)
    torch.testing.assert_close(shuffled[1], a, atol=1e-10, rtol=0)


def test_child_activations_matter():
    votes, activation, beta_u, beta_a = case(i=12)
    pose, a = em_routing(votes, activation, beta_u, beta_a, iterations=3)
    other = em_routing(votes, activation.flip(1), beta_u, beta_a, iterations=3)
    assert (pose - other[0]).abs().max() > 0.05
    halved = em_routing(votes, activation / 2, beta_u, beta_a, iterations=3)
    assert (a - halved[1]).abs().max() > 1e-4  # all activations alike: the same means, less mass
    silent = activation.clone()
    silent[:, 3:] = 0  # a silent child might as well not be there
    for ours, theirs in zip(
        em_routing(votes, silent, beta_u, beta_a, iterations=3),
        em_routing(votes[:, :3], activation[:, :3], beta_u, beta_a, iterations=3),
    ):
        torch.testing.assert_close(ours, theirs)


def test_one_iteration_is_the_weighted_mean():
    votes, activation, beta_u, beta_a = case(i=5)
    pose, _ = em_routing(votes, activation, beta_u, beta_a, iterations=1)
    mean = torch.einsum("BI,BIJxy->BJxy", activation, votes) / activation.sum(1)[:, None, None, None]
    torch.testing.assert_close(pose, mean, atol=1e-6, rtol=1e-6)  # the mass has a floor of 1e-7


def test_routing_finds_the_cluster():
    """24 children, 8 of which vote alike for parent 0: in three iterations they are its own, and it is the most
    active.
    """
    g = torch.Generator().manual_seed(3)
    votes = torch.randn(1, 24, 4, 4, 4, generator=g, dtype=torch.float64)
    pose = torch.randn(4, 4, generator=g, dtype=torch.float64)
    votes[0, :8, 0] = pose + 0.02 * torch.randn(8, 4, 4, generator=g, dtype=torch.float64)
    activation = torch.full((1, 24), 0.9, dtype=torch.float64)
    seen = watched((votes, activation, torch.tensor(0.7), torch.tensor(-300.0)), 4)
    assert seen[-1][0][0, :8, 0].min() > 0.89
    out, a = em_routing(votes, activation, 0.7, -300.0, iterations=4)
    assert (out[0, 0] - pose).abs().max() < 0.05
    assert a[0].argmax() == 0


def test_mass_as_presence_is_the_mixing_proportion():
    votes, activation, beta_u, beta_a = case()
    _, a = em_routing(votes, activation, beta_u, beta_a, iterations=3, presence="mass")
    torch.testing.assert_close(a.sum(-1), torch.ones(2, dtype=torch.float64))


def test_schedule():
    assert inverse_temperatures(3, 0.01) == pytest.approx((0.0005, 0.000975, 0.00142625))
    assert inverse_temperatures(2, (0.5, 1.0)) == (0.5, 1.0)
    inputs = case()
    out = em_routing(*inputs, iterations=2, schedule=(0.1, 0.2))
    assert (out[1] - em_routing(*inputs, iterations=2)[1]).abs().max() > 1e-3


def test_position_lets_types_alone():
    """Parents of the types 0 and 1 at two positions each: released, each type takes a child whole."""
    votes, activation, beta_u, beta_a = case(i=6, j=4)
    types = torch.tensor([0, 1, 0, 1])
    truth = loops(
        votes,
        activation,
        beta_u,
        beta_a,
        3,
        group=dict(enumerate(types.tolist())),
        first={(i, j): 0.5 for i in range(6) for j in range(4)},
    )
    for ours, theirs in zip(
        em_routing(votes, activation, beta_u, beta_a, iterations=3, normalize="position", types=types), truth
    ):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-10)


def test_numpy_and_vector_poses():
    votes, activation, beta_u, beta_a = (x.numpy() for x in case())
    pose, a = em_routing(votes, activation, beta_u, beta_a)
    assert isinstance(pose, np.ndarray)
    assert isinstance(a, np.ndarray)
    vector, again = em_routing(votes.reshape(2, 6, 3, 16), activation, beta_u, beta_a)
    np.testing.assert_array_equal(vector.reshape(pose.shape), pose)
    np.testing.assert_array_equal(a, again)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_votes_are_routed_in_float32(dtype):
    inputs = case(dtype=torch.float32)
    votes = inputs[0].to(dtype)
    truth = em_routing(votes.float(), *inputs[1:])
    pose, _ = em_routing(votes, inputs[1], *inputs[2:])
    assert pose.dtype == dtype
    assert (pose.float() - truth[0]).abs().max() < 2 * torch.finfo(dtype).eps  # the rounding of the result alone
    with torch.autocast("cpu", dtype=dtype):
        cast = em_routing(votes, *inputs[1:])
    assert cast[0].dtype == torch.float32
    torch.testing.assert_close(cast[0], truth[0])


@pytest.mark.parametrize("iterations", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("i", "votes_scale", "activation"), [(1, 1.0, 0.5), (5, 0.0, 0.5), (5, 1.0, 0.0), (5, 1.0, 1.0), (5, 1e3, 0.5)]
)
def test_corners_are_finite(i, votes_scale, activation, iterations):
    votes = (votes_scale * torch.randn(2, i, 3, 4, 4, generator=torch.Generator().manual_seed(0))).requires_grad_()
    a = torch.full((2, i), activation, requires_grad=True)
    betas = [torch.tensor([v] * 3, requires_grad=True) for v in (0.7, -1.0)]
    pose, out = em_routing(votes, a, *betas, iterations=iterations)
    (pose.sum() + out.sum()).backward()
    for x in (pose, out, votes.grad, a.grad, *(b.grad for b in betas)):
        assert x.isfinite().all()


@pytest.mark.parametrize("variant", ["paper", "reference_code", "balanced"])
def test_no_child_is_as_children_of_activation_zero(variant):
    """A division by zero; no parent gives empty arrays."""
    votes, a = torch.randn(2, 6, 3, 4, 4), torch.rand(2, 6)
    pose, out = em_routing(votes[:, :0], a[:, :0], 0.7, -20.0, variant=variant)
    still = em_routing(votes, 0 * a, 0.7, -20.0, variant=variant)
    torch.testing.assert_close(pose, still[0], atol=1e-6, rtol=0)
    if variant != "balanced":  # whose beta_a counts in costs relative to an even share of children
        torch.testing.assert_close(out, still[1], atol=1e-6, rtol=0)
    pose, out = em_routing(votes[:, :, :0], a, 0.7, -20.0, variant=variant)
    assert (pose.shape, out.shape) == ((2, 0, 4, 4), (2, 0))


@pytest.mark.parametrize(
    "types",
    [[0.0, math.nan, 1.0], np.ma.array([0, 1, 1], mask=[0, 1, 0]), [0.5, 1, 1], torch.tensor([0, 1, 1]) * 1j],
)
def test_types_are_integers(types):
    """A parent of type NaN got no votes at all, and the others half of each child."""
    votes, a = torch.randn(2, 6, 3, 4, 4), torch.rand(2, 6)
    with pytest.raises(InputError, match=r"types are .*; needed: the type of each of the parents, \[J\] integers"):
        em_routing(votes, a, 0.7, -1.0, normalize="position", types=types)
    whole = [em_routing(votes, a, 0.7, -1.0, normalize="position", types=t)[1] for t in ([0, 1, 1], [3.0, -2, -2])]
    torch.testing.assert_close(*whole)
