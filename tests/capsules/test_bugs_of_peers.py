"""Every bug found in public capsule code, written out, and the law that it breaks and ours keeps.

Source: the repositories as read (docs/capsules.md names them and their commits). Each `wrong` here is a few lines of
ours in which that bug stands; each test shows that the law can tell.
"""

import math

import pytest
import torch
from torch import einsum

import deeptheory as dt
from deeptheory.capsules.routing.dynamic import route

c = dt.capsules
squash = c.squash


def votes(b=3, i=8, j=4, q=5, seed=0, scale=1.0):
    return scale * torch.randn(b, i, j, q, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def ours(v, iterations=3):
    """route, and the couplings it ended with."""
    seen = []
    return route(v, iterations, watch=lambda coupling, logits, v, votes: seen.append(coupling)), seen[-1]


# dynamic routing ------------------------------------------------------------------------------------------------------


def wrong_axis(v, iterations=3):
    """gram-ai, Officium, higgsfield, timomernick: softmax over children."""
    logits = torch.zeros(v.shape[:3], dtype=v.dtype)
    for r in range(iterations):
        coupling = logits.softmax(1)
        out = squash(einsum("BIJ,BIJq->BJq", coupling, v))
        if r < iterations - 1:
            logits = logits + einsum("BIJq,BJq->BIJ", v, out)
    return out, coupling


def test_softmax_over_children():
    for routing, holds in ((ours, True), (wrong_axis, False)):
        _, coupling = routing(votes())
        assert torch.allclose(coupling.sum(2), torch.ones(3, 8, dtype=torch.float64)) is holds


def test_softmax_over_children_does_not_find_the_cluster():
    """What MNIST hides: a child that only one parent suits is not taken away from the others."""
    v = votes(b=1, i=20, j=3, q=6)
    v[0, :8, 1] = 3 * votes(b=1, i=1, j=1, q=6, seed=1)[0, 0, 0]
    assert ours(v, 5)[1][0, :8, 1].min() > 0.9
    assert wrong_axis(v, 5)[1][0, :8, 1].max() < 0.2


def test_one_iteration_too_many():
    """adambielski: n iterations are n + 1 squashes, so that "1" is not uniform and "3" is 4."""

    def wrong(v, iterations):
        return ours(v, iterations + 1)[0]

    uniform = squash(votes().mean(1) * 8 / 4)
    torch.testing.assert_close(ours(votes(), 1)[0], uniform)
    assert (wrong(votes(), 1) - uniform).abs().max() > 0.01


def test_logits_shared_by_the_batch():
    """higgsfield: logits averaged over the batch; what an example becomes depends on its batch mates."""

    def wrong(v, iterations=3):
        logits = torch.zeros(1, *v.shape[1:3], dtype=v.dtype)
        for r in range(iterations):
            out = squash(einsum("BIJ,BIJq->BJq", logits.softmax(2).expand(v.shape[:3]), v))
            if r < iterations - 1:
                logits = logits + einsum("BIJq,BJq->BIJ", v, out).mean(0, keepdim=True)
        return out

    v = votes()
    torch.testing.assert_close(ours(v)[0][:1], ours(v[:1])[0])
    assert (wrong(v)[:1] - wrong(v[:1])).abs().max() > 0.01


def test_stopped_gradient():
    """XifengGuo, naturomics, danielhavir: no gradient through the couplings. Ours only when asked: detach=True."""
    u = torch.randn(2, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    weight = torch.randn(6, 3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1)).requires_grad_()
    full = torch.autograd.gradcheck(lambda w: c.dynamic_routing(u, w), weight)
    cut = torch.autograd.gradcheck(lambda w: c.dynamic_routing(u, w, detach=True), weight, raise_exception=False)
    assert (full, cut) == (True, False)


@pytest.mark.parametrize("wrong", ["forward", "gradient"])
def test_squash_at_zero(wrong):
    """adambielski: 0 / 0 in the value; danielhavir: NaN in the gradient."""

    def divides(s):
        n2 = s.square().sum(-1, keepdim=True)
        return n2 / (1 + n2) * s / n2.sqrt()

    def roots(s):
        n2 = s.square().sum(-1, keepdim=True)
        return n2 / (1 + n2) * s / (n2.sqrt() + 1e-8)

    s = torch.zeros(1, 4, requires_grad=True)
    out = (divides if wrong == "forward" else roots)(s)
    out.sum().backward()
    assert (out.isnan() if wrong == "forward" else s.grad.isnan()).all()
    s.grad = None
    good = squash(s)
    good.sum().backward()
    assert good.isfinite().all()
    assert s.grad.isfinite().all()


def test_primary_capsules_of_neighboring_pixels():
    """XifengGuo-Pytorch, danielhavir, higgsfield: `view(B, -1, 8)` makes a capsule of 8 pixels of one channel."""
    torch.manual_seed(0)
    layer = c.PrimaryCapsules(1, 2, 8, kernel_size=1, stride=1)

    def wrong(x):
        return squash(layer.convolution(x).view(x.shape[0], -1, 8))

    x = torch.randn(1, 1, 4, 4)
    brighter = x.clone()
    brighter[0, 0, 1, 2] += 1  # one pixel through a 1x1 convolution: the capsules of that cell, one of each type
    moved = [(f(brighter) != f(x)).any(-1).sum() for f in (layer, wrong)]
    assert moved[0] == 2
    assert moved[1] == 16


# losses ---------------------------------------------------------------------------------------------------------------


def test_softmax_of_lengths_before_the_margin_loss():
    """gram-ai: lengths within [0, 1] through a softmax reach 0.23 with ten classes; a present class is never beyond
    0.9.
    """
    best = torch.tensor([[1.0] + [0.0] * 9])
    label = torch.tensor([0])
    assert float(best.softmax(1).max()) == pytest.approx(math.e / (math.e + 9))
    assert float(c.margin_loss(best, label)) == 0
    assert float(c.margin_loss(best.softmax(1), label)) > 0.4


def test_margins_that_are_not_squared():
    """higgsfield: the gradient does not fade as a length nears its margin."""
    v = torch.tensor([[0.89, 0.0]], dtype=torch.float64, requires_grad=True)
    wrong = (0.9 - v[0, 0]).clamp(min=0)
    slopes = [float(torch.autograd.grad(loss, v)[0][0, 0]) for loss in (c.margin_loss(v, torch.tensor([0])), wrong)]
    assert slopes == pytest.approx([-0.02, -1])


def test_reconstruction_as_a_mean_over_pixels():
    """adambielski, higgsfield: 784 times weaker than the sum; beside a margin loss that is itself a mean over ten
    classes, 78.
    """
    a, b = torch.rand(2, 5, 1, 28, 28).unbind()
    v, labels = torch.rand(5, 10), torch.arange(5)
    wrong = 0.0005 * (a - b).square().mean() / (c.margin_loss(v, labels) / 10)
    right = c.reconstruction_loss(a, b) / c.margin_loss(v, labels)
    assert float(right / wrong) == pytest.approx(78.4, rel=1e-4)


def test_reconstructing_the_predicted_class_in_training():
    """danielhavir: with labels at hand the true capsule is drawn, not the longest."""
    torch.manual_seed(0)
    decoder = c.Reconstruction(3, 4, (1, 5, 5), widths=(8,))
    capsules = torch.randn(2, 3, 4)
    capsules[:, 1] *= 5
    true = torch.tensor([0, 2])
    zeroed = capsules.clone()
    zeroed[:, 1] = 0  # the longest is not among the drawn
    torch.testing.assert_close(decoder(capsules, true), decoder(zeroed, true))
    assert (decoder(capsules) - decoder(capsules, true)).abs().max() > 1e-3


# EM routing -----------------------------------------------------------------------------------------------------------


def em_inputs(b=2, i=10, j=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    return torch.randn(b, i, j, 16, generator=g, dtype=torch.float64), torch.rand(
        b, i, generator=g, dtype=torch.float64
    )


def em_by(v, a, weigh, assign, iterations=3, floor=5e-4, mass_floor=1e-7, first=None):
    """EM with the steps that go wrong handed in: weigh(R, a) and assign(ln a_j, ln p, a_j); R begins at `first`,
    else 1 / J.
    """
    r = torch.full(v.shape[:3], 1 / v.shape[2] if first is None else first, dtype=v.dtype)
    for t in range(iterations):
        w = weigh(r, a)
        mass = w.sum(1) + mass_floor
        mean = einsum("BIJ,BIJh->BJh", w, v) / mass[..., None]
        squares = (v - mean[:, None]).square()
        variance = einsum("BIJ,BIJh->BJh", w, squares) / mass[..., None] + floor
        logs = 0.5 * variance.log().sum(-1)
        lam = 0.01 * (1 - 0.95 ** (t + 1))
        a_j = torch.sigmoid(lam * (-300 - (16 * 0.7 + logs) * mass))
        r = assign(
            a_j.log()[:, None], -0.5 * einsum("BIJh,BJh->BIJ", squares, 1 / variance) - logs[:, None], a_j[:, None]
        )
    return mean, a_j


def right_weigh(r, a):
    return r * a[..., None]


def right_assign(log_a, log_p, a):
    return (log_a + log_p).softmax(-1)


def test_the_frame_with_the_right_steps_is_ours():
    v, a = em_inputs()
    for x, y in zip(em_by(v, a, right_weigh, right_assign), c.em_routing(v, a, 0.7, -300.0)):
        torch.testing.assert_close(x, y)


def test_child_activations_that_cancel():
    """yl-1993, www0wwwjs1: R a_i is divided again by its sum over parents, so that a_i cancels and presence is not
    heard.
    """

    def cancels(r, a):
        w = r * a[..., None]
        return w / (w.sum(-1, keepdim=True) + 1e-8)

    v, a = em_inputs()
    other = torch.rand(a.shape, generator=torch.Generator().manual_seed(9), dtype=a.dtype) * 0.9 + 0.1
    change = [
        (em_by(v, a, w, right_assign)[0] - em_by(v, other, w, right_assign)[0]).abs().max()
        for w in (right_weigh, cancels)
    ]
    assert change[0] > 0.1
    assert change[1] < 1e-5


def test_presence_as_a_softmax_over_parents():
    """www0wwwjs1: the activations of parents are shares of mass, so that two things cannot be there at once; in the
    paper they can. As an ablation of the paper it is here by name: presence="mass"."""
    v, a = em_inputs(j=2)
    v[:, :5, 0], v[:, 5:, 1] = 0.3, -0.3  # two tight clusters of five, one a parent
    both = c.em_routing(v, torch.ones_like(a), -1.0, 0.0, schedule=1.0)[1]
    shares = c.em_routing(v, torch.ones_like(a), -1.0, 0.0, schedule=1.0, presence="mass")[1]
    assert both.min() > 0.9
    torch.testing.assert_close(shares.sum(1), torch.ones(2, dtype=torch.float64))
    assert shares.max() < 0.6


def test_product_inside_the_exponent():
    """Officium: softmax(a ln p) for softmax(ln a + ln p): a constant added to every ln p, which cannot matter, does."""
    _, a = em_inputs()
    log_p = torch.randn(2, 10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    a_j = a[:, None, :3]

    def wrong(log_a, log_p, a):
        return (a * log_p).softmax(-1)

    change = [(f(a_j.log(), log_p + 7, a_j) - f(a_j.log(), log_p, a_j)).abs().max() for f in (right_assign, wrong)]
    assert change[0] < 1e-12
    assert change[1] > 0.1


def test_patches_that_do_not_compete():
    """im2col and a softmax in each window (most ports): a child counts whole in every window that sees it, nine
    times inside.
    """
    from deeptheory.capsules.windows import over_parents, windows

    at = windows(5, 5, 3, 1, torch.device("cpu"))
    logits = torch.randn(1, 9, 9 * 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))

    def given(r):
        out = torch.zeros(25, dtype=torch.float64)
        return out.index_add(0, at.children.flatten(), r.unflatten(2, (9, 2)).sum((0, 3, 4)).flatten()) / 2  # a type

    torch.testing.assert_close(given(over_parents(logits, at, "all")), torch.ones(25, dtype=torch.float64))
    in_patches = given(logits.softmax(-1))
    assert float(in_patches[12]) == pytest.approx(9)
    assert float(in_patches[0]) == pytest.approx(1)


def test_unrelated_children_in_one_softmax():
    """Officium, and the released arithmetic at stride 2: another child's votes must not change how a child divides
    itself.
    """
    from deeptheory.capsules.windows import over_parents, windows

    at = windows(7, 7, 3, 2, torch.device("cpu"))
    logits = torch.randn(1, 9, 9, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for normalize in ("all", "position"):
        before = over_parents(logits, at, normalize)
        other = logits.clone()
        other[0][at.children == 24] += 3.0  # the cell in the middle, seen by four windows; both types alike
        other[0][..., 0][at.children == 24] += 1.0
        after = over_parents(other, at, normalize)
        changed = (after != before).any(-1)[0]
        assert changed.any() or normalize == "position"
        assert not changed[at.children != 24].any()


def test_variance_from_raw_moments_in_half_precision():
    """E[x^2] - mean^2 in bfloat16: a spread of 0.01 around 3 becomes exactly 0 (or worse); about the mean it is
    there.
    """
    x = (3 + 0.01 * torch.randn(200, generator=torch.Generator().manual_seed(0))).to(torch.bfloat16).float()
    raw = (x.bfloat16().square().mean() - x.bfloat16().mean().square()).float()
    about = (x - x.mean()).square().mean()
    assert abs(float(raw) - float(about)) > 5 * float(about) or float(raw) <= 0
    pose, _ = c.em_routing(x.bfloat16().view(1, 200, 1, 1), torch.ones(1, 200), 0.7, -1.0)
    assert float(pose) == pytest.approx(3, abs=0.02)


def test_one_child_parents():
    """IBM's list: a parent of one child has variance 0, log -inf and endless mass without a floor."""
    v, a = em_inputs(i=1, j=2)
    bare = em_by(v, a, right_weigh, right_assign, floor=0.0, mass_floor=0.0)
    assert not all(x.isfinite().all() for x in bare)
    assert all(x.isfinite().all() for x in c.em_routing(v, a, 0.7, -300.0))


def test_square_root_of_a_variance_of_zero():
    """IBM: the gradient of sqrt at 0 is infinite; ours takes half the logarithm of the floored variance."""
    x = torch.zeros(4, requires_grad=True)
    x.square().mean().sqrt().backward()
    assert x.grad.isnan().any()
    v = torch.zeros(1, 3, 2, 16, requires_grad=True)
    c.em_routing(v, torch.ones(1, 3), 0.7, -1.0)[1].sum().backward()
    assert v.grad.isfinite().all()


def test_assignments_that_begin_at_one():
    """SR-CapsNet: R starts at 1 instead of 1 / number of parents: children hand out J times what they have."""
    v, a = em_inputs()
    handed_out = []

    def weigh(r, a):
        handed_out.append((r * a[..., None]).sum() / a.sum())
        return right_weigh(r, a)

    for first in (None, 1.0):
        em_by(v, a, weigh, right_assign, iterations=1, first=first)
    assert [float(x) for x in handed_out] == pytest.approx([1, 3])


def test_logarithm_of_an_activation_that_is_zero():
    """SR-CapsNet: ln(a) of a logistic that underflows is -inf, and -inf for all parents is NaN; ours never leaves
    the logarithm.
    """
    logit = torch.full((1, 3), -200.0)
    assert (logit.sigmoid().log()).softmax(-1).isnan().all()
    v, a = em_inputs()
    assert all(x.isfinite().all() for x in c.em_routing(v.float(), a.float(), 0.7, -1e6))


def test_a_constant_in_every_log_density_is_harmless():
    """SR-CapsNet's log(sigma^2 ln 2 pi): the same constant for all parents cancels in the softmax.

    A typo, not an error.
    """
    log_p = torch.randn(4, 3, dtype=torch.float64)
    torch.testing.assert_close((log_p + 16 * math.log(math.log(2 * math.pi))).softmax(-1), log_p.softmax(-1))


def test_class_layer_routed_at_each_position_and_averaged():
    """www0wwwjs1: without coordinates, which child stands at which position must not matter to the classes."""
    v, a = em_inputs(b=1, i=12)

    def averaged(v, a):  # 3 positions of 4 children
        parts = [c.em_routing(v[:, k::3], a[:, k::3], 0.7, -300.0) for k in range(3)]
        return sum(p for p, _ in parts) / 3

    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    together = [c.em_routing(v[:, o], a[:, o], 0.7, -300.0)[0] for o in (torch.arange(12), order)]
    apart = [averaged(v[:, o], a[:, o]) for o in (torch.arange(12), order)]
    torch.testing.assert_close(*together)
    assert (apart[0] - apart[1]).abs().max() > 0.01


def test_square_grids_only():
    """SR-CapsNet, yl-1993: one side is taken for both.

    Turning an image turns the grid of capsules, for any rectangle.
    """
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(2, 3, 3, stride=2).double()
    turned = c.ConvMatrixCapsules(2, 3, 3, stride=2).double()
    kernel = layer.weight.detach().unflatten(0, (3, 3, 2))
    turned.weight.data.copy_(kernel.transpose(0, 1).flatten(0, 2))
    pose, a = torch.randn(1, 5, 9, 2, 4, 4, dtype=torch.float64), torch.rand(1, 5, 9, 2, dtype=torch.float64)
    for x, y in zip(layer(pose, a), turned(pose.transpose(1, 2), a.transpose(1, 2))):
        torch.testing.assert_close(x, y.transpose(1, 2))
